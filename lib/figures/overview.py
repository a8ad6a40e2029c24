"""The overview's one figure: a metric over time, per version, small."""

from __future__ import annotations

import plotly.graph_objects as go

from lib.figures.frame import Panel, empty_figure, finish, left_margin
from lib.figures.theme import Look
from lib.figures.windows import (
    add_lifetimes,
    add_line,
    empty_words,
    keys,
    mark_changes,
    n_words,
    scale,
    trend_title,
)
from lib.figures.windows_view import WindowsView
from lib.metrics.catalogue import metric_named


def plot_trend(view: WindowsView, look: Look, provenance: str) -> go.Figure:
    """The violation rate per window and version, and when each version had rows."""
    if view.nothing or not view.lines:
        return empty_figure(empty_words(view), provenance, look)
    figure, shown = go.Figure(), metric_named("violation_rate")
    for line in view.lines:
        add_line(figure, line, shown, view, look, "")
    scale(figure, shown, "")
    mark_changes(figure, view, look, 1)
    panels = [
        Panel(150, f"{shown.label} per {view.words}, with 95 % interval", keys(view, look)),
        add_lifetimes(figure, view, look, "2"),
    ]
    return finish(
        figure, trend_title(view), n_words(view), provenance, look, panels, left=left_margin(["10.5 %"], look)
    )
