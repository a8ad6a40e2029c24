"""Downloads: tables as CSV that no spreadsheet will run, and that say in a last column where they come from."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape

import pandas as pd
import streamlit as st

PROVENANCE = "provenance"
"""The last column of every table: dataset, hash, versions, filter, γ, product version and time."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def without_formulas(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets a quote before it; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        try:
            float(value)
        except ValueError:
            return "'" + value
    return value


def csv_bytes(table: pd.DataFrame, provenance: str) -> bytes:
    """UTF-8 with a header, texts made harmless; the same provenance in every row, so that any program reads it plainly.

    Args:
        table: the numbers.
        provenance: where they come from, escaped as figures show it; "" for no such column.
    """
    safe = table.rename(columns=without_formulas)
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = safe[name].map(without_formulas)
    if provenance:
        # A file may have a column of that name itself.
        safe.insert(len(safe.columns), PROVENANCE, str(without_formulas(unescape(provenance))), allow_duplicates=True)
    return safe.to_csv(index=False).encode()


def offer_csv(table: pd.DataFrame | Callable[[], pd.DataFrame], name: str, *, provenance: str, key: str) -> None:
    """A button for a table as a file; given a function, the table is made when the button is pressed."""
    st.download_button(
        "CSV",
        data=lambda: csv_bytes(table() if callable(table) else table, provenance),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=key,
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        help="The numbers behind this, as a table",
    )
