"""What every picture of margins is made of: bars with an outline, and the margin target marked among them."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lib.figures.format import format_count, format_share
from lib.figures.frame import mark_vertical
from lib.figures.histogram_view import Bars
from lib.figures.text import name_of
from lib.figures.theme import TEXT_SIZE, Look, fade


def add_bars(figure: go.Figure, bars: Bars, colour: str, axes: str, *, strong: bool, code: str = "") -> None:
    """The shares of the rows as bars with an outline, in one panel.

    Args:
        figure: where they are added.
        bars: of one version in one panel.
        colour: of the version.
        axes: "" for the first panel, "2" for the second and so on.
        strong: whether they lie over others, so that their fill is light and their outline heavy.
        code: what a selected bar is known by.
    """
    title = f"<b>{name_of(bars.version)}</b> {name_of(bars.panel) if bars.panel else ''}".strip()
    figure.add_bar(
        x=bars.centre,
        y=100 * bars.share,
        width=bars.width,
        xaxis=f"x{axes}",
        yaxis=f"y{axes}",
        name=name_of(bars.version),
        marker={"color": fade(colour, 0.32 if strong else 0.55), "line": {"width": 0}},
        selected={"marker": {"color": colour}},
        unselected={"marker": {"opacity": 1}},
        customdata=[
            [words, format_count(n), format_share(share), code]
            for words, n, share in zip(bars.words(), bars.n, bars.share, strict=True)
        ],
        hovertemplate=f"{title}<br>%{{customdata[0]}}<br>%{{customdata[1]}} rows, %{{customdata[2]}}<extra></extra>",
    )
    figure.add_scatter(
        x=np.append(bars.left, bars.right[-1]),
        y=100 * np.append(bars.share, bars.share[-1]),
        xaxis=f"x{axes}",
        yaxis=f"y{axes}",
        mode="lines",
        hoverinfo="skip",
        line={"shape": "hv", "color": colour, "width": 2 if strong else 1.2},
    )


def highest_bar(bars: Bars) -> float:
    """The height of the highest bar in per cent."""
    return float(np.nanmax(100 * np.nan_to_num(bars.share), initial=0.1))


def mark_margin_target(
    figure: go.Figure, gamma: float, shaded: tuple[float, float], fill: str, axes: str, look: Look
) -> None:
    """γ as a line through one panel, and the margins of one side of it shaded."""
    figure.add_shape(
        type="rect",
        xref=f"x{axes}",
        yref=f"y{axes} domain",
        x0=shaded[0],
        x1=shaded[1],
        y0=0,
        y1=1,
        fillcolor=fill,
        line={"width": 0},
        layer="below",
    )
    mark_vertical(figure, gamma, look.palette.soft_ink, axes)


def name_margin_target(figure: go.Figure, gamma: float, look: Look) -> None:
    """What γ is, beside its line in the first panel."""
    figure.add_annotation(
        text=f"γ = {gamma:g}",
        x=gamma,
        xref="x",
        y=1,
        yref="y domain",
        xanchor="right",
        yanchor="top",
        xshift=-4,
        showarrow=False,
        font={"color": look.palette.soft_ink, "size": TEXT_SIZE},
    )
