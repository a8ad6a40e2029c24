"""Margins before against margins after, of rows in both samples, as a map: above the diagonal rows that gained."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from lib.figures.comparison_view import ComparisonView
from lib.figures.format import format_count, format_plural, format_score
from lib.figures.frame import Panel, finish, paint
from lib.figures.text import name_of
from lib.figures.theme import TEXT_SIZE, Look, blend
from lib.metrics.comparison import Flips
from lib.metrics.margin_map import MarginMap

HEIGHT = 420
FAINTEST = 0.06


def plot_margin_map(
    view: ComparisonView, found: MarginMap, flips: Flips, margin_target: float, look: Look, provenance: str
) -> go.Figure:
    """The map, with lines at 0 and γ, and the count of each quadrant of the sign in its corner."""
    colours, (first, second) = look.palette, map(name_of, view.names)
    middle = (found.edges[:-1] + found.edges[1:]) / 2
    low, high = (f"{format_score(each)}" for each in (found.edges[0], found.edges[-1]))
    hover = [
        [
            f"<b>{format_plural(n, 'row')}</b><br>{first}: {format_score(found.edges[row])} to "
            f"{format_score(found.edges[row + 1])}<br>{second}: {format_score(found.edges[column])} to "
            f"{format_score(found.edges[column + 1])}"
            for row, n in enumerate(line)
        ]
        for column, line in enumerate(found.n.T)
    ]
    faintest = blend(colours.candidate, colours.paper, FAINTEST)
    figure = go.Figure(
        go.Heatmap(
            x=middle,
            y=middle,
            # Rows differ in number by powers of ten.
            z=[[math.log10(n) if n > 0 else None for n in line] for line in found.n.T],
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            hoverongaps=False,
            colorscale=[[0.0, faintest], [1.0, colours.candidate]],
            showscale=False,
        )
    )
    ends = [float(found.edges[0]), float(found.edges[-1])]
    figure.add_trace(
        go.Scatter(x=ends, y=ends, mode="lines", line={"color": colours.axis, "width": 1}, hoverinfo="skip")
    )
    for at, dash in {0.0: "solid", margin_target: "dot"}.items():
        if ends[0] < at < ends[1]:
            for axis in ("x", "y"):
                other = "y" if axis == "x" else "x"
                line = {f"{axis}0": at, f"{axis}1": at, f"{other}0": ends[0], f"{other}1": ends[1]}
                figure.add_shape(type="line", line={"color": colours.soft_ink, "width": 1, "dash": dash}, **line)
    corners = (
        (0.0, 1.0, f"fixed {format_count(flips.fixed)}"),
        (1.0, 1.0, f"right in both {format_count(flips.both_right)}"),
        (0.0, 0.0, f"wrong in both {format_count(flips.both_wrong)}"),
        (1.0, 0.0, f"broken {format_count(flips.broken)}"),
    )
    for x, y, words in corners:
        figure.add_annotation(
            xref="x domain",
            yref="y domain",
            x=x,
            y=y,
            xanchor="left" if x == 0 else "right",
            yanchor="top" if y == 1 else "bottom",
            text=paint(colours.wrong, words) if words.startswith("broken") else words,
            showarrow=False,
            bgcolor=colours.paper,
            borderpad=2,
            font={"size": TEXT_SIZE, "color": colours.ink},
        )
    axis = {"range": ends, "showgrid": False, "constrain": "domain"}
    figure.update_layout(xaxis=axis, yaxis={**axis, "title": {"text": f"margin in {second}"}})
    gained = float(np.triu(found.n, 1).sum())
    lost = float(np.tril(found.n, -1).sum())
    return finish(
        figure,
        _title(flips, first, second),
        f"n = {format_plural(flips.n_labelled, 'labelled row')} in both; {format_count(gained)} in a higher bin than "
        f"before, {format_count(lost)} in a lower. Stronger is more rows, on a logarithmic scale. Lines at 0 and "
        f"γ = {margin_target:g}; the outermost bins hold what lies beyond {low} and {high}.",
        provenance,
        look,
        [Panel(HEIGHT if not look.is_narrow else 300, "Rows in both, by margin", (), f"margin in {first}")],
        left=64,
    )


def _title(flips: Flips, first: str, second: str) -> str:
    if not flips.moved:
        return f"Every row has the same score in {first} and {second}"
    return (
        f"{second} fixed {format_plural(flips.fixed, 'row')} that {first} had wrong, and broke "
        f"{format_count(flips.broken)} that it had right"
    )
