"""Dots with their intervals, each on a row of its own, and short marks beside them that they are read against."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from lib.figures.frame import whiskers
from lib.figures.text import name_of
from lib.figures.theme import Look
from lib.metrics.estimates import Estimate


def add_dots(
    figure: go.Figure,
    estimates: Sequence[Estimate],
    rows: Sequence[float],
    version: str,
    colour: str,
    look: Look,
    *,
    factor: float,
    hovers: Sequence[Sequence[str]],
    template: str,
    axes: str = "",
) -> None:
    """A dot for each number of a version, with its interval.

    Args:
        figure: drawn on.
        estimates: the numbers; times `factor` along x.
        rows: where each stands along y.
        version: whose they are.
        colour: of the version.
        look: how figures are drawn.
        factor: 100 for per cent.
        hovers: what is told of each, as `template` names it.
        template: how it is told.
        axes: "" for the first panel, "2" for the second and so on.
    """
    figure.add_scatter(
        x=[factor * each.value for each in estimates],
        y=rows,
        xaxis=f"x{axes}",
        yaxis=f"y{axes}",
        mode="markers",
        # A dot at the end of an axis, as at 100 %, is seen whole.
        cliponaxis=False,
        name=name_of(version),
        marker={"size": 9, "color": colour, "line": {"width": 1, "color": look.palette.paper}},
        error_x={
            "type": "data",
            "symmetric": False,
            "thickness": 1.8,
            "width": 0,
            "color": colour,
            **whiskers(estimates, factor),
        },
        customdata=hovers,
        hovertemplate=template,
    )


def add_marks(figure: go.Figure, values: Sequence[float], rows: Sequence[float], colour: str, axes: str = "") -> None:
    """A short upright line at each value, of which nothing is told; none where it is NaN."""
    figure.add_scatter(
        x=values,
        y=rows,
        xaxis=f"x{axes}",
        yaxis=f"y{axes}",
        mode="markers",
        cliponaxis=False,
        hoverinfo="skip",
        opacity=0.75,
        marker={"symbol": "line-ns", "size": 11, "line": {"width": 1.8, "color": colour}},
    )
