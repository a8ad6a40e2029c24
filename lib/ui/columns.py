"""A control for some of the columns of a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lib.ui import state


def choose_columns(name: str, label: str, columns: Sequence[str], *, at_first: int, most: int) -> list[str]:
    """Any of the columns, in their order; `at_first` of them are chosen until somebody chooses, `most` can be."""
    # The URL parts names by commas; a comma of a name is written otherwise there.
    coded = {each.replace("%", "%25").replace(",", "%2C"): each for each in columns}

    def draw(label: str, options: list[str], *, selection_mode: str, **kwargs: Any) -> list[str]:
        return st.multiselect(label, options, max_selections=most, **kwargs)

    chosen = state.choose_many(
        name, label, list(coded), default=list(coded)[:at_first], draw=draw, words=coded.__getitem__
    )
    return [coded[each] for each in chosen]
