"""How wide the browser's window is: known to nobody on the server, and figures wrap their words by it.

Where the window is so narrow that the sidebar covers the page, one of its links to another page folds it, as it is with
Streamlit's own list of pages.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st
from streamlit.components.v2 import component as define_component
from streamlit.components.v2.types import ComponentRenderer

WIDTHS = {"narrow": 360, "middle": 560, "wide": None}
"""Kind of window to the width in pixels to which the words of a figure are wrapped; None where there is room."""

# Streamlit lays the sidebar over the page below 768 pixels.
# The kind is told when it changes, not each pixel: a page is run again only when its figures would differ.
_SCRIPT = """
const kindOf = (width) => (width < 560 ? "narrow" : width < 900 ? "middle" : "wide")
export default function ({ data, setStateValue }) {
  let told = data.kind
  const tell = () => {
    const kind = kindOf(window.innerWidth)
    if (kind !== told) setStateValue("kind", (told = kind))
  }
  const fold = (event) => {
    if (window.innerWidth < 768 && event.target.closest(".st-key-pages a"))
      document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click()
  }
  window.addEventListener("resize", tell)
  document.addEventListener("click", fold)
  tell()
  return () => {
    window.removeEventListener("resize", tell)
    document.removeEventListener("click", fold)
  }
}
"""


def watch_viewport() -> None:
    """Learn the kind of window; wide until the browser says otherwise. Call once in a run of a page."""
    with st.container(key="viewport"):
        _component()(key="viewport-watch", data={"kind": _kind()}, on_kind_change=lambda: None)


def figure_width() -> int | None:
    """The width in pixels to which words in figures are wrapped; None in a wide window."""
    return WIDTHS[_kind()]


def _kind() -> str:
    state: Any = st.session_state.get("viewport-watch")
    kind = getattr(state, "kind", None)
    return kind if kind in WIDTHS else "wide"


@cache
def _component() -> ComponentRenderer:
    return define_component("marginalia_viewport", html="<span></span>", js=_SCRIPT)
