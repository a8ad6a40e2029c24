"""Which rows a loss is made of: the share of each loss that the worst one per cent of rows carry."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lib.figures.format import PER_CENT, format_count, format_estimate, format_share
from lib.figures.frame import Panel, empty_figure, finish, left_margin, mark_vertical, square, whiskers
from lib.figures.loss_accounting_view import WORST, AccountingView
from lib.figures.text import escape, name_of, width_of
from lib.figures.theme import TEXT_SIZE, Look, fade


def plot_loss_accounting(view: AccountingView, look: Look, provenance: str) -> go.Figure:
    """One bar per loss and version, with its interval and, in lighter colour, how far binning may have moved it."""
    if view.nothing:
        return empty_figure(f"{view.nothing}: there are no losses to share out.", provenance, look)
    figure = go.Figure()
    count = len(view.versions)
    step = count + 0.7
    places = {loss.name: step * (len(view.losses) - 1 - row) for row, loss in enumerate(view.losses)}
    longest = 0.0
    for order, version in enumerate(view.versions):
        colour = look.version(version, view.baseline)
        each = [view.carried(loss.name, version) for loss in view.losses]
        ys = [places[loss.name] + count - 1 - order for loss in view.losses]
        longest = max(longest, *(np.nanmax([e.value, e.upper, e.value + e.bound, WORST]) for e in each))
        figure.add_bar(
            x=[100 * e.value for e in each],
            y=ys,
            orientation="h",
            width=0.78,
            name=name_of(version),
            marker={"color": fade(colour, 0.8), "line": {"width": 0}},
            error_x={
                "type": "data",
                "symmetric": False,
                "color": look.palette.ink,
                "thickness": 1.3,
                "width": 3,
                **whiskers(each, 100),
            },
            customdata=[
                [loss.label, format_estimate(e, "share"), format_count(e.n)]
                for loss, e in zip(view.losses, each, strict=True)
            ],
            hovertemplate=f"{name_of(version)}, %{{customdata[0]}}<br>%{{customdata[1]}}"
            "<br>n = %{customdata[2]}<extra></extra>",
        )
        for y, e in zip(ys, each, strict=True):
            if e.bound > 0 and e.is_defined:
                figure.add_shape(
                    type="rect",
                    x0=100 * max(e.value - e.bound, 0),
                    x1=100 * (e.value + e.bound),
                    y0=y - 0.39,
                    y1=y + 0.39,
                    fillcolor=fade(look.palette.axis, 0.45),
                    line={"width": 0},
                )
            words = f"<b>{format_share(e.value)}</b>" if e.is_defined else f"undefined: {escape(e.reason, 80)}"
            figure.add_annotation(
                text=words,
                x=100 * np.nanmax([e.value, e.upper, e.value + e.bound, 0.0]),
                y=y,
                xanchor="left",
                xshift=6,
                showarrow=False,
                font={"color": look.palette.ink if e.is_defined else look.palette.faint_ink},
            )
    mark_vertical(figure, 100 * view.accounting.share, look.palette.soft_ink)
    figure.update_layout(
        bargap=0.3,
        xaxis={"range": [0, 100 * min(longest * 1.22, 1.2)], "ticksuffix": PER_CENT, "showgrid": True, "nticks": 6},
        yaxis={
            "tickmode": "array",
            "tickvals": [places[loss.name] + (count - 1) / 2 for loss in view.losses],
            "ticktext": [loss.label for loss in view.losses],
            "range": [-0.9, step * len(view.losses) - 0.7],
            "showgrid": False,
        },
    )
    version = view.versions[-1]
    worst = format_share(view.accounting.share, 0)
    carried = [
        f"{format_share(each.value)} of its {name} loss"
        for name in ("hinge", "logistic")
        for each in [view.carried(name, version)]
        if each.is_defined
    ]
    title = f"The worst {worst} of rows of {name_of(version)} carry {' and '.join(carried)}"
    if not carried:
        title = f"No row of {name_of(version)} has a loss to carry"
    n = {name: view.carried("logistic", name).n for name in view.versions}
    subtitle = (
        "n = " + ", ".join(f"{format_count(rows)} of {name_of(name)}" for name, rows in n.items()) + ", labelled rows. "
        f"Lines are 95 % intervals; dotted: {worst}, what they would carry if all rows cost the same."
    )
    if any(view.carried(loss.name, name).bound > 0 for loss in view.losses for name in view.versions):
        subtitle += " Grey: how far binning may have moved the value."
    key = tuple(square(look.version(each, view.baseline), name_of(each)) for each in view.versions)
    height = int((16 if count > 1 else 22) * step * len(view.losses)) + 8
    left = max(left_margin([loss.label for loss in view.losses], look, titled=False), int(width_of("0", TEXT_SIZE)))
    return finish(
        figure,
        title,
        subtitle,
        provenance,
        look,
        [Panel(height, f"What the worst {worst} of rows carry", key, "share of the loss, with 95 % interval")],
        left=left,
        right=20,
    )
