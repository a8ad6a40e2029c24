"""Whom the model fails: each cohort beside the rest of its version, baseline and candidate side by side, ranked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lib.figures.cohorts_view import AXES, LEVEL, MOST_ROWS, CohortRow, CohortsView, sentence_of
from lib.figures.dots import add_dots, add_marks
from lib.figures.format import (
    NO_BREAK,
    PER_CENT,
    format_change,
    format_count,
    format_estimate,
    format_interval,
    format_plural,
)
from lib.figures.frame import Panel, empty_figure, finish, key_item, left_margin, paint
from lib.figures.text import MISSING, escape, name_of
from lib.figures.theme import TEXT_SIZE, Look
from lib.metrics.catalogue import Unit
from lib.metrics.cohorts import SMALL


def plot_cohorts(view: CohortsView, look: Look, provenance: str) -> go.Figure:
    """Dots with intervals, one row per cohort, the surest to be worse on top; ticks are the rest's value."""
    if view.nothing or not view.drawn:
        words = view.nothing or f"All cohorts are small, with fewer than {SMALL} labelled rows"
        return empty_figure(f"{words}: there is nothing to rank.", provenance, look)
    figure, colours, metric = go.Figure(), look.palette, view.contrast.metric
    factor = 100.0 if metric.unit == "share" else 1.0
    count = len(view.drawn)
    place = {value: count - 1 - row for row, value in enumerate(view.drawn)}
    shift = 0.17 if len(view.versions) > 1 else 0.0
    ends: list[float] = []
    for order, version in enumerate(view.versions):
        rows = [view.rows[version, value] for value in view.drawn if (version, value) in view.rows]
        offset = shift if order == 0 else -shift
        ends += _add_dots(figure, rows, place, offset, version, view, look)
    _say_undefined(figure, view, place, shift, look)
    ends = [end for end in ends if np.isfinite(end)] or [0.0, 1.0]
    low, high = min(ends) * factor, max(ends) * factor
    pad = max(0.05 * (high - low), 1e-6 * max(abs(high), abs(low)), 1e-9)
    low, high = low - pad, high + pad
    if metric.unit == "share":
        low, high = max(low, 0.0), min(high, 100.0)
    if metric.unit == "loss":
        low = max(low, 0.0)
    figure.update_layout(
        xaxis={
            "range": [low, high],
            "ticksuffix": PER_CENT if metric.unit == "share" else "",
            "showgrid": True,
            "nticks": 7,
        },
        yaxis={
            "tickmode": "array",
            "tickvals": [place[value] for value in view.drawn],
            "ticktext": [_label(value, view, look) for value in view.drawn],
            "range": [-0.6, count - 0.4],
            "showgrid": False,
        },
    )
    for row in range(0, count, 2):
        figure.add_shape(
            type="rect",
            xref="paper",
            yref="y",
            x0=0,
            x1=1,
            y0=row - 0.5,
            y1=row + 0.5,
            line={"width": 0},
            fillcolor=colours.shade,
            opacity=0.45,
            layer="below",
        )
    key = [key_item(look.version(each, view.baseline), name_of(each), "●") for each in view.versions]
    key.append(key_item(colours.soft_ink, "the rest of that version", "┃"))
    if any(row.is_worse(metric.direction) for row in view.rows.values()):
        key.append(key_item(colours.wrong, f"worse than the rest, adjusted p < {LEVEL:g}", "▲"))
    return finish(
        figure,
        sentence_of(view, name_of),
        _subtitle(view),
        provenance,
        look,
        [Panel(28 * count + 8, "", tuple(key), f"{metric.label} ({AXES[metric.unit]})")],
        left=left_margin([_label(value, view, look) for value in view.drawn], look, titled=False) + 4,
        right=20,
    )


def _subtitle(view: CohortsView) -> str:
    parts = ["Dots with 95 % intervals; grey numbers: labelled rows of the candidate."]
    if view.small:
        small = format_plural(len(view.small), "small cohort")
        parts.append(f"{small} (fewer than {SMALL} labelled rows in each version) not drawn.")
    if len(view.ranked) > MOST_ROWS:
        parts.append(f"The {MOST_ROWS} ranked highest of {len(view.ranked)} are drawn.")
    return " ".join(parts)


def _label(value: str, view: CohortsView, look: Look) -> str:
    own = view.rows.get((view.candidate, value)) or view.rows.get((view.baseline, value))
    worst = any(
        row.is_worse(view.contrast.metric.direction) for name in view.versions if (row := view.rows.get((name, value)))
    )
    mark = paint(look.palette.wrong, "▲") + NO_BREAK if worst else ""
    n = format_count(own.n_labelled) if own else "0"
    limit = 14 if look.is_narrow else 26
    shown = escape(value, limit) or MISSING
    return f"{mark}{shown} {paint(look.palette.faint_ink, n)}"


def _add_dots(
    figure: go.Figure,
    rows: Sequence[CohortRow],
    place: dict[str, int],
    offset: float,
    version: str,
    view: CohortsView,
    look: Look,
) -> list[float]:
    metric, colour = view.contrast.metric, look.version(version, view.baseline)
    factor = 100.0 if metric.unit == "share" else 1.0
    told = [row for row in rows if row.estimate.is_defined]
    y = [place[row.value] + offset for row in told]
    add_marks(figure, [factor * row.rest.value for row in told], y, colour)
    add_dots(
        figure,
        [row.estimate for row in told],
        y,
        version,
        colour,
        look,
        factor=factor,
        hovers=[_hover(row, metric.unit) for row in told],
        template=f"<b>%{{customdata[0]}}</b>, {name_of(version)}<br>{metric.label} %{{customdata[1]}}"
        "<br>the rest %{customdata[2]}"
        "<br>difference %{customdata[3]}<br>n = %{customdata[4]}<extra></extra>",
    )
    return [end for row in told for end in (row.estimate.lower, row.estimate.upper, row.estimate.value, row.rest.value)]


def _say_undefined(figure: go.Figure, view: CohortsView, place: dict[str, int], shift: float, look: Look) -> None:
    """The reason in place of each dot that cannot be drawn, once where it is the same in both versions."""
    for value in view.drawn:
        rows = [view.rows[version, value] for version in view.versions if (version, value) in view.rows]
        reasons = {row.estimate.reason for row in rows}
        alike = len(reasons) == 1 and len(rows) > 1
        for row in rows[:1] if alike else rows:
            if row.estimate.is_defined:
                continue
            offset = 0.0 if alike or len(rows) == 1 else shift if row.version == view.baseline else -shift
            figure.add_annotation(
                text=f"undefined: {escape(row.estimate.reason, 80)}",
                x=0,
                xref="paper",
                y=place[value] + offset,
                yref="y",
                xanchor="left",
                xshift=6,
                showarrow=False,
                font={"size": TEXT_SIZE - 1, "color": look.palette.faint_ink},
            )


def _hover(row: CohortRow, unit: Unit) -> list[str]:
    difference = format_change(row.excess.value, unit)
    around = format_interval(row.excess.lower, row.excess.upper, unit) if row.excess.is_defined else row.excess.reason
    return [
        name_of(row.value),
        format_estimate(row.estimate, unit),
        format_estimate(row.rest, unit, interval=False),
        f"{difference} ({around})" if around else difference,
        format_count(row.n_labelled),
    ]
