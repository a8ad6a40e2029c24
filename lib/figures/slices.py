"""The worst slices: by how much each is worse than the rest, in the half that chose it and in the other."""

from __future__ import annotations

import plotly.graph_objects as go

from lib.figures.dots import add_dots
from lib.figures.format import (
    PER_CENT,
    format_change,
    format_count,
    format_estimate,
    format_interval,
    format_share,
)
from lib.figures.frame import Panel, empty_figure, finish, key_item, mark_vertical
from lib.figures.slices_view import SlicesView, slice_words
from lib.figures.text import escape, wrap
from lib.figures.theme import TEXT_LINE, TEXT_SIZE, Look
from lib.metrics.estimates import Estimate
from lib.metrics.slices import Slice

DOT, APART = 20, 12
"""Pixels that a slice takes beside its words, and that lie between two."""


def plot_slices(view: SlicesView, look: Look, provenance: str) -> go.Figure:
    """Each slice in words, beneath them dots with intervals of the half that confirms and the one that found it."""
    if not view.slices:
        return empty_figure(f"{view.title(escape)}.", provenance, look)
    figure, colours = go.Figure(), look.palette
    factor = 100.0 if view.unit == "share" else 1.0
    lines = [wrap(_words(each), look.text_width - 40, TEXT_SIZE) for each in view.slices]
    heights = [len(each) * TEXT_LINE + DOT + APART for each in lines]
    height = sum(heights)
    tops = [height - sum(heights[:place]) for place in range(len(heights))]
    middles = [top - len(words) * TEXT_LINE - DOT / 2 for top, words in zip(tops, lines, strict=True)]
    for top, words in zip(tops, lines, strict=True):
        figure.add_annotation(
            text="<br>".join(words), x=0, xref="paper", y=top, yref="y", xanchor="left", yanchor="top", align="left",
            showarrow=False, borderpad=0, bgcolor=colours.paper, font={"size": TEXT_SIZE, "color": colours.ink},
        )  # fmt: skip
    halves = (
        ("explored", [each.explored for each in view.slices], colours.baseline, -4),
        ("confirmed", [each.excess for each in view.slices], colours.candidate, 3),
    )
    for name, excess, colour, off in halves:
        add_dots(
            figure,
            excess,
            [middle + off for middle in middles],
            name,
            colour,
            look,
            factor=factor,
            hovers=[_hover(view, each, told) for each, told in zip(view.slices, excess, strict=True)],
            template="<b>%{customdata[0]}</b><br>difference %{customdata[1]}, n = %{customdata[2]}"
            f"<br>{view.label} %{{customdata[3]}}, the rest %{{customdata[4]}}"
            f"<br>explains %{{customdata[5]}} of all {view.noun}<extra></extra>",
        )
    ends = [end for _n, all_told, _c, _o in halves for each in all_told for end in (each.lower, each.upper, 0.0)]
    low, high = (factor * end for end in (min(ends), max(ends)))
    pad = 0.04 * (high - low)
    figure.update_layout(
        xaxis={
            "range": [low - pad, high + pad],
            "showgrid": True,
            "nticks": 6 if look.is_narrow else 9,
        },
        yaxis={"range": [0, height], "showgrid": False, "showticklabels": False},
    )
    mark_vertical(figure, 0.0, colours.axis)
    key = (
        key_item(colours.candidate, "in the half that confirms", "●"),
        key_item(colours.baseline, "in the half in which it was found", "●"),
    )
    unit = "percentage points" if view.unit == "share" else "loss per row"
    axis = f"{view.label}: slice − rest ({unit})"
    return finish(
        figure,
        f"{view.title(escape)}.",
        "Dots with 95 % intervals, those that explain most on top. In the half that chose them slices look worse.",
        provenance,
        look,
        [Panel(height, "", key, axis)],
        left=14,
    )


def _words(found: Slice) -> str:
    return f"<b>{slice_words(found.conditions, escape)}</b> · n = {format_count(found.value.n)}"


def _hover(view: SlicesView, found: Slice, excess: Estimate) -> list[str]:
    around = format_interval(excess.lower, excess.upper, view.unit).removesuffix(PER_CENT)
    return [
        slice_words(found.conditions, escape),
        f"{format_change(excess.value, view.unit)} ({around})",
        format_count(excess.n),
        format_estimate(found.value, view.unit),
        format_estimate(found.rest, view.unit, interval=False),
        format_share(found.explained),
    ]
