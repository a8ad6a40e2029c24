"""What happened along the axis of Monitoring: deploys and rollbacks as lines, canaries as areas, pages as arrows."""

from __future__ import annotations

import plotly.graph_objects as go

from lib.figures.frame import mark_vertical
from lib.figures.monitoring_alerts import burn_words
from lib.figures.monitoring_view import MonitoringView
from lib.figures.text import name_of
from lib.figures.theme import Look, fade

MOST_NAMED = 8
"""Deploys that are named; of more the names would stand in one another."""
PANELS = ("", "2", "3")
"""All but that of the versions, which shows them itself."""


def mark_events(figure: go.Figure, view: MonitoringView, look: Look) -> None:
    """Mark in every panel but the last what may have changed the rate, and in the first whom it woke."""
    _mark_canaries(figure, view, look)
    _mark_deploys(figure, view, look)
    _mark_pages(figure, view, look)


def _mark_canaries(figure: go.Figure, view: MonitoringView, look: Look) -> None:
    """An area from where a version began to serve some rows to where it took over."""
    for canary in view.watched.canaries:
        for axes in PANELS:
            figure.add_shape(
                type="rect", xref=f"x{axes}", yref=f"y{axes} domain", layer="below", line={"width": 0},
                x0=1000.0 * canary.at, x1=1000.0 * canary.until, y0=0, y1=1,
                fillcolor=fade(look.palette.soft_ink, 0.14),
            )  # fmt: skip


def _mark_deploys(figure: go.Figure, view: MonitoringView, look: Look) -> None:
    """A line at each deploy and rollback, and its name where there is room."""
    named = len(view.watched.deploys) <= MOST_NAMED and not look.is_narrow
    for deploy in view.watched.deploys:
        for axes in PANELS:
            mark_vertical(figure, 1000.0 * deploy.at, look.palette.faint_ink, axes)
        if not named:
            continue
        figure.add_annotation(
            x=1000.0 * deploy.at,
            y=1,
            xref="x",
            yref="y domain",
            text=f"{'↩ ' if deploy.kind == 'rollback' else ''}{name_of(deploy.name)}",
            showarrow=False,
            xanchor="left",
            yanchor="top",
            xshift=3,
            font={"size": 11, "color": look.palette.soft_ink},
        )


def _mark_pages(figure: go.Figure, view: MonitoringView, look: Look) -> None:
    for held in view.incidents:
        if held.action == "page":
            figure.add_annotation(
                x=1000.0 * held.opened,
                y=100 * view.objective.at_most,
                xref="x",
                yref="y",
                text="page",
                showarrow=True,
                arrowhead=2,
                arrowcolor=look.palette.wrong,
                ax=-26,
                ay=-26,
                font={"size": 11, "color": look.palette.wrong},
                hovertext=burn_words(held),
            )
