"""Hinge against logistic: what each costs, what each still learns from, and where this data's margins lie."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from lib.figures.format import PER_CENT, format_share
from lib.figures.frame import Panel, empty_figure, finish, key_item, left_margin, square
from lib.figures.histogram import add_bars, highest_bar, mark_margin_target, name_margin_target
from lib.figures.histogram_view import Bars
from lib.figures.losses_view import LEAST_LOSS_SHOWN, MOST_LOSS_SHOWN, SHARES, LossesView, rows_words
from lib.figures.text import name_of
from lib.figures.theme import DASH_MARKS, LOSS_DASHES, Look


def plot_losses(view: LossesView, look: Look, provenance: str) -> go.Figure:
    """Losses over the margin, their gradients beneath, and under both the margins that the data has; one axis."""
    if view.nothing:
        return empty_figure(view.answer(), provenance, look)
    colours, gamma = look.palette, view.margin_target
    figure = go.Figure()
    edges = view.distribution.edges
    low, high = float(edges[0]), float(edges[-1])
    for number in ("", "2", "3"):
        mark_margin_target(figure, gamma, (gamma, high), colours.shade, number, look)
    for order, loss in enumerate(view.losses):
        style = {
            "color": colours.losses[loss.name],
            "width": 2.6 if order < 2 else 1.8,
            "dash": LOSS_DASHES[loss.name],
            "simplify": False,
        }
        for axis, values, word in (
            ("", view.curves.values[order], "loss"),
            ("2", view.curves.gradients[order], "gradient"),
        ):
            figure.add_scatter(
                x=view.curves.margins,
                y=values,
                xaxis=f"x{axis}",
                yaxis=f"y{axis}",
                mode="lines",
                line=style,
                name=loss.label,
                hovertemplate=f"{loss.label} {word} %{{y:.3f}} at margin %{{x:.2f}}<extra></extra>",
            )
    for bars in _in_order(view.distribution.bars, view.versions):
        strong = bars.version != view.baseline or len(view.versions) == 1
        add_bars(figure, bars, look.version(bars.version, view.baseline), "3", strong=strong)
    name_margin_target(figure, gamma, look)
    top = min(max(LEAST_LOSS_SHOWN, gamma - low), MOST_LOSS_SHOWN)
    figure.update_layout(
        xaxis={"range": [low, high]},
        xaxis2={"range": [low, high]},
        xaxis3={"range": [low, high]},
        yaxis={"range": [-0.06 * top, top], "title": {"text": "loss"}, "nticks": 5},
        yaxis2={"range": [-1.62 if len(view.losses) > 2 else -1.12, 0.12], "title": {"text": "gradient"}, "nticks": 5},
        yaxis3={
            "range": [0, 1.12 * max(map(highest_bar, view.distribution.bars))],
            "title": {"text": "share of rows"},
            "ticksuffix": PER_CENT,
            "nticks": 4,
        },
        barmode="overlay",
    )
    losses_key = tuple(
        key_item(colours.losses[loss.name], loss.label, DASH_MARKS[LOSS_DASHES[loss.name]]) for loss in view.losses
    )
    versions_key = tuple(
        square(
            look.version(each, view.baseline),
            f"{name_of(each)}: {format_share(view.share(SHARES[0], each).value, 0)} at or beyond γ",
        )
        for each in view.versions
    )
    done = view.share(SHARES[0], view.focus)
    title = f"Hinge has stopped learning from {format_share(done.value, 0)} of the rows of {name_of(view.focus)}"
    return finish(
        figure,
        title,
        " ".join(
            (
                rows_words(view.distribution.bars),
                "Shaded: margins at or beyond γ, hinge gradient zero.",
                view.distribution.clipped_words,
            )
        ),
        provenance,
        look,
        [
            Panel(150, "Loss of one row", losses_key),
            Panel(110, "Gradient: how hard that row still pushes"),
            Panel(130, "Margins in this data", versions_key, view.axis),
        ],
        left=left_margin(["100 %"], look),
    )


def _in_order(bars: Sequence[Bars], versions: Sequence[str]) -> list[Bars]:
    return [each for name in versions for each in bars if each.version == name]
