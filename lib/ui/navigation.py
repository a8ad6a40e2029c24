"""The way to the other pages: a line above the title, of groups that unfold, so that the sidebar is left to choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.navigation.page import StreamlitPage

from lib.ui import state


def show_pages(
    place: DeltaGenerator, groups: Mapping[str, Sequence[StreamlitPage]], here: StreamlitPage, *, again: bool = False
) -> None:
    """Links to all pages, each to the present view, so that a change of page is one step in the history.

    Args:
        place: an `st.empty`; what it holds is drawn anew.
        groups: pages by what they have in common; a group of one page is a plain link.
        here: the page that is shown, whose group is marked.
        again: whether they were drawn in this run already, of a view that has changed since.
    """
    with place.container(horizontal=True, vertical_alignment="center", gap="small"):
        for name, pages in groups.items():
            if len(pages) == 1:
                st.page_link(pages[0], query_params=state.current())
                continue
            is_here = here.title in [page.title for page in pages]
            # With a key of its own on each page it does not stay open after a click on a link in it.
            key = f"pages:{name}:{here.url_path}{':again' * again}"
            with st.popover(name, type="secondary" if is_here else "tertiary", key=key):
                for page in pages:
                    st.page_link(page, query_params=state.current())
