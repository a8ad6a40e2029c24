"""Downloads: tables as CSV that no spreadsheet will run."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def without_formulas(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets a quote before it; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        try:
            float(value)
        except ValueError:
            return "'" + value
    return value


def csv_bytes(table: pd.DataFrame) -> bytes:
    """UTF-8 with a header, texts made harmless."""
    safe = table.rename(columns=without_formulas)
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = safe[name].map(without_formulas)
    return safe.to_csv(index=False).encode()


def offer_csv(table: pd.DataFrame | Callable[[], pd.DataFrame], name: str, *, key: str, label: str = "CSV") -> None:
    """A button for a table as a file; given a function, the table is made when the button is pressed."""
    st.download_button(
        label,
        data=lambda: csv_bytes(table() if callable(table) else table),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=key,
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help="The numbers behind this, as a table",
    )
