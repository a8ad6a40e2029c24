"""The map on a page: ten or a million points in the browser's own WebGL, and which of them a person has selected."""

from __future__ import annotations

import base64
import binascii
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.components.v2 import component as define_component
from streamlit.components.v2.types import ComponentRenderer

_ASSETS = Path(__file__).parent / "assets"


def render_map(block: bytes, key: str, group: str, n_rows: int) -> NDArray[np.int64]:
    """Draw a map, and give the rows that are selected on it or on another map of its group, ascending.

    Args:
        block: from `lib.figures.projection_map.encode_map`; the same bytes are not sent again.
        key: Streamlit key, unique on the page.
        group: maps of one group share a selection.
        n_rows: rows are numbered below this.
    """
    held = f"map:{group}"

    def take_selection() -> None:
        # Runs before the script, so that all maps of the group and what stands below them see it in the same run.
        state = st.session_state.get(key)
        st.session_state[held] = read_selection(getattr(state, "selection", None), n_rows)

    _component()(key=key, data=block, on_selection_change=take_selection)
    rows = st.session_state.get(held)
    return rows[rows < n_rows] if isinstance(rows, np.ndarray) else np.zeros(0, np.int64)


def read_selection(said: object, n_rows: int) -> NDArray[np.int64]:
    """The rows of a browser's message, ascending; what cannot be one of `n_rows` rows is left out."""
    message: Any = said if isinstance(said, dict) else {}
    listed, bits = message.get("rows"), message.get("bits")
    rows = np.zeros(0, np.int64)
    if isinstance(bits, str):
        try:
            content = base64.b64decode(bits, validate=True)
        except (binascii.Error, ValueError):
            content = b""
        rows = np.flatnonzero(np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little"))
    elif isinstance(listed, list):
        rows = np.unique(np.array([row for row in listed if type(row) is int and 0 <= row < n_rows], np.int64))
    return rows[rows < n_rows].astype(np.int64)


@cache
def _component() -> ComponentRenderer:
    html, css, js = ((_ASSETS / f"projection_map.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return define_component("marginalia_projection_map", html=html, css=css, js=js)
