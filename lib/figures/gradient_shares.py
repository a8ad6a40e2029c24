"""What is left to learn from: rows that hinge is done with, and logistic gradient from rows already right."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from lib.figures.format import PER_CENT, format_count, format_estimate, format_share
from lib.figures.frame import Panel, empty_figure, finish, left_margin, paint, whiskers
from lib.figures.losses_view import SHARES, LossesView, rows_words
from lib.figures.text import name_of
from lib.figures.theme import Look, fade
from lib.metrics.estimates import Estimate


def plot_gradient_shares(view: LossesView, look: Look, provenance: str) -> go.Figure:
    """Rows that hinge no longer learns from, and logistic gradient that comes from rows already right."""
    if view.nothing:
        return empty_figure(view.answer(), provenance, look)
    words = ("Rows with zero hinge gradient (m ≥ γ)", "Logistic gradient that comes from correct rows (m > 0)")
    figure = go.Figure()
    colours = look.palette
    panels: list[Panel] = []
    for place, (name, heading) in enumerate(zip(SHARES, words, strict=True)):
        number = "" if place == 0 else "2"
        for row, version in enumerate(view.versions):
            each = view.share(name, version)
            _add_interval(figure, each, len(view.versions) - 1 - row, version, view, look, number)
        figure.update_layout(
            {
                f"xaxis{number}": {"range": [0, 100], "ticksuffix": PER_CENT, "showgrid": True},
                f"yaxis{number}": _version_axis(view.versions),
            }
        )
        last = place == 1
        panels.append(Panel(30 * len(view.versions) + 10, heading, (), "share, with 95 % interval" if last else ""))
    correct = view.share(SHARES[1], view.focus)
    title = (
        f"Logistic draws {format_share(correct.value, 0)} of its gradient from what {name_of(view.focus)} has right"
        if correct.is_defined
        else f"The share of the logistic gradient is undefined: {correct.reason}"
    )
    figure.update_layout(bargap=0.35, xaxis={"gridcolor": colours.grid})
    return finish(
        figure,
        title,
        rows_words(view.distribution.bars),
        provenance,
        look,
        panels,
        left=left_margin([name_of(each) for each in view.versions], look, titled=False),
        right=24,
    )


def _version_axis(versions: Sequence[str]) -> dict[str, object]:
    return {
        "tickmode": "array",
        "tickvals": list(range(len(versions))),
        "ticktext": [name_of(each) for each in reversed(versions)],
        "range": [-0.6, len(versions) - 0.4],
        "showgrid": False,
    }


def _add_interval(
    figure: go.Figure, each: Estimate, row: int, version: str, view: LossesView, look: Look, number: str
) -> None:
    colour = look.version(version, view.baseline)
    if not each.is_defined:
        figure.add_annotation(
            text=paint(look.palette.faint_ink, f"undefined: {each.reason}"),
            x=0.01,
            y=row,
            xref=f"x{number}",
            yref=f"y{number}",
            xanchor="left",
            showarrow=False,
        )
        return
    figure.add_bar(
        x=[100 * each.value],
        y=[row],
        orientation="h",
        width=0.6,
        xaxis=f"x{number}",
        yaxis=f"y{number}",
        marker={"color": fade(colour, 0.75), "line": {"width": 0}},
        error_x={
            "type": "data",
            "symmetric": False,
            **whiskers([each], 100),
            "color": look.palette.ink,
            "thickness": 1.4,
            "width": 4,
        },
        hovertemplate=f"{name_of(version)}: {format_estimate(each, 'share')}"
        f"<br>n = {format_count(each.n)}<extra></extra>",
    )
    inside = each.value > 0.5
    figure.add_annotation(
        text=f"<b>{format_share(each.value)}</b>",
        x=0 if inside else 100 * max(each.value, each.upper),
        y=row,
        xref=f"x{number}",
        yref=f"y{number}",
        xanchor="left",
        xshift=8,
        showarrow=False,
        font={"color": look.palette.paper if inside else look.palette.ink},
    )
