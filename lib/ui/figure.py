"""A figure on a page: drawn in its own theme, downloadable as a picture and its numbers as a table."""

from __future__ import annotations

import html
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.figures.theme import Look
from lib.ui.downloads import offer_csv
from lib.ui.viewport import figure_width

HALF_WIDTH = 380
"""Pixels that half of a wide page has at least, on nearly all screens."""


def is_dark() -> bool:
    """Whether this session looks at the dark theme."""
    return st.context.theme.type == "dark"


def current_look() -> Look:
    """How figures are drawn for this session: its theme, and the width of its window."""
    return Look(is_dark(), wraps_at=figure_width())


def side_by_side() -> list[tuple[DeltaGenerator, Look]]:
    """Places for two figures that are compared, beside each other where the window is wide, and how they are drawn."""
    if figure_width() is None:
        return [(place, Look(is_dark(), wraps_at=HALF_WIDTH)) for place in st.columns(2)]
    return [(st.container(), current_look()) for _each in range(2)]


def show_figure(
    figure: go.Figure,
    key: str,
    *,
    name: str,
    table: pd.DataFrame | None = None,
    alt: str | None = None,
    on_select: Any = "ignore",
    selection_mode: Any = ("points",),
) -> Any:
    """Draw a figure with a button for a PNG in its bar and one for a CSV of its numbers beneath.

    Args:
        figure: finished, theme and provenance included.
        key: unique on the page.
        name: what the files are called, without ending.
        table: the numbers behind the figure.
        alt: what the figure says, for those who cannot see it; the title's text without it.
        on_select: "rerun" to get the selection back.
        selection_mode: which selections are possible.
    """
    layout: Any = figure.layout
    selected = st.plotly_chart(
        figure,
        theme=None,
        width="stretch",
        key=key,
        on_select=on_select,
        selection_mode=selection_mode,
        alt=alt or html.unescape(str(layout.meta["title"])),
        config={
            "displaylogo": False,
            "displayModeBar": True,
            "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
            "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
        },
    )
    if table is not None:
        offer_csv(table, name, provenance=layout.meta["provenance"], key=f"{key}:csv")
    return selected
