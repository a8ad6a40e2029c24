"""The selection of a map as part of the link: rows as bits, packed, as long as a link may be."""

from __future__ import annotations

import base64
import binascii
import zlib

import numpy as np
import streamlit as st

from lib.ui import state
from lib.vectors import Rows

NAME = "v_rows"
MOST_CHARACTERS = 1_500
"""Of a link that every program passes on whole; a selection that takes more is not part of it."""


def pack_rows(rows: Rows, n: int) -> str:
    """Rows below n as a text of a link; empty for none, and for more than fit."""
    if not len(rows):
        return ""
    picked = np.zeros(n, bool)
    picked[rows] = True
    packed = base64.urlsafe_b64encode(zlib.compress(np.packbits(picked).tobytes(), 9)).decode().rstrip("=")
    return packed if len(packed) <= MOST_CHARACTERS else ""


def unpack_rows(text: str, n: int) -> Rows:
    """The rows that a link says, ascending; what is no such text says none."""
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        # A link is not to be trusted: it may unpack to no more than there are rows.
        bits = zlib.decompressobj().decompress(packed, n // 8 + 1)
    except (binascii.Error, ValueError, zlib.error):
        return np.zeros(0, np.int64)
    rows = np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8)))
    return rows[rows < n].astype(np.int64)


def linked_rows(group: str, n: int) -> Rows | None:
    """What a link that was followed says is selected; None where no link says anything.

    It stays the same while a person selects, so that the map is not sent again for that.
    """
    said, written, kept = state.get(NAME), f"map written:{group}", f"map linked:{group}"
    if said != st.session_state.get(written, ""):
        rows = unpack_rows(said, n)
        st.session_state[written] = said
        st.session_state[kept] = rows
        # Where the map itself keeps what is selected on it.
        st.session_state[f"map:{group}"] = rows
    return st.session_state.get(kept)


def put_in_link(group: str, rows: Rows, n: int) -> None:
    """Say in the link what is selected now."""
    packed = pack_rows(rows, n)
    st.session_state[f"map written:{group}"] = packed
    if packed != state.get(NAME):
        state.put(NAME, packed)
