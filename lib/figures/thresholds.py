"""Thresholds drawn: what each does to precision, recall, false alarms and flags, and what decisions cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lib.figures.format import NO_BREAK, PER_CENT, format_count, format_estimate, format_share
from lib.figures.frame import Panel, band, empty_figure, finish, key_item, left_margin, mark_vertical
from lib.figures.text import escape, name_of
from lib.figures.theme import Look, fade
from lib.figures.thresholds_view import ThresholdsView, VersionCurves, format_threshold, shown
from lib.metrics.catalogue import Unit
from lib.metrics.thresholds import MeasureName

UNITS: dict[MeasureName, Unit] = {
    "precision": "share",
    "recall": "share",
    "f_beta": "share",
    "false_positive_rate": "share",
    "flagged_share": "share",
    "expected_cost": "loss",
    "net_benefit": "loss",
}
RATES: tuple[MeasureName, ...] = ("precision", "recall", "f_beta", "false_positive_rate", "flagged_share")
HEADINGS: dict[MeasureName, str] = {
    "precision": "Precision: of flagged rows, how many are positive",
    "recall": "Recall: of positive rows, how many are flagged",
    "false_positive_rate": "False positive rate: of negative rows, how many are flagged",
    "flagged_share": "Flagged share: of all rows, how many are flagged",
}
LEAST_ROWS = 20
"""Precision of fewer flagged rows than this is not drawn: it jumps from row to row."""


def plot_thresholds(view: ThresholdsView, look: Look, provenance: str) -> go.Figure:
    """Precision, recall, F-beta, false positive rate and flagged share along the threshold, with 95 % intervals."""
    if view.nothing or not len(view.axis):
        return empty_figure(view.answer(), provenance, look)
    figure, panels = go.Figure(), list[Panel]()
    for place, name in enumerate(RATES):
        number = "" if place == 0 else str(place + 1)
        for each in view.curves:
            _add_curve(figure, view, each, name, number, look)
        figure.update_layout({f"yaxis{number}": {"range": [-2, 104], "ticksuffix": PER_CENT, "dtick": 50}})
        heading = (
            f"F-beta, β = {view.question.beta:g}: precision and recall in one" if name == "f_beta" else HEADINGS[name]
        )
        last = name == RATES[-1]
        panels.append(Panel(104, heading, _keys(view, look) if place == 0 else (), _axis_title(view) if last else ""))
    _mark_thresholds(figure, view, look, len(RATES))
    return finish(
        figure, _title(view), _n_words(view), provenance, look, panels, left=left_margin(["100 %"], look, titled=False)
    )


def plot_costs(view: ThresholdsView, look: Look, provenance: str) -> go.Figure:
    """Expected cost per labelled row and, of probabilities, net benefit (the decision curve) along the threshold."""
    if view.nothing or not len(view.axis):
        return empty_figure(view.answer(), provenance, look)
    figure, costs, colours = go.Figure(), view.question.costs, look.palette
    for each in view.curves:
        _add_curve(figure, view, each, "expected_cost", "", look)
    figure.update_layout(yaxis={"rangemode": "tozero", "nticks": 5, "title": {"text": "cost a row"}})
    gain = f", {costs.true_positive:g} gained by a caught one" if costs.true_positive else ""
    heading = f"Expected cost: {costs.false_positive:g} for a false alarm, {costs.false_negative:g} for a miss{gain}"
    if view.scale == "score":
        panels = [Panel(170, heading, _keys(view, look), _axis_title(view))]
    else:
        for each in view.curves:
            _add_curve(figure, view, each, "net_benefit", "2", look)
            colour = look.version(each.version, view.baseline)
            figure.add_scatter(
                x=view.axis, y=each.of_all, xaxis="x2", yaxis="y2", mode="lines", hoverinfo="skip",
                line={"color": fade(colour, 0.9), "width": 1.3, "dash": "dash"},
            )  # fmt: skip
        low, high = _benefit_range(view)
        figure.add_shape(
            type="line", xref="x2 domain", yref="y2", x0=0, x1=1, y0=0, y1=0,
            line={"color": colours.faint_ink, "width": 1.3, "dash": "dot"},
        )  # fmt: skip
        figure.update_layout(yaxis2={"range": [low, high], "nticks": 5, "title": {"text": "net benefit a row"}})
        others = (key_item(colours.soft_ink, "flag every row", "╍╍"), key_item(colours.faint_ink, "flag none", "┅┅"))
        panels = [
            Panel(150, heading, _keys(view, look)),
            Panel(170, "Net benefit: TP/n − FP/n · p/(1 − p)", others, _axis_title(view)),
        ]
    _mark_thresholds(figure, view, look, len(panels))
    return finish(
        figure, _cost_title(view), _n_words(view), provenance, look, panels, left=left_margin(["−0.25"], look)
    )


def _add_curve(
    figure: go.Figure, view: ThresholdsView, each: VersionCurves, name: MeasureName, number: str, look: Look
) -> None:
    found, unit = each.measures[name], UNITS[name]
    colour, factor = look.version(each.version, view.baseline), 100.0 if unit == "share" else 1.0
    keep = np.flatnonzero(found.is_defined & ((found.n >= LEAST_ROWS) | (name != "precision")))
    x, axes = view.axis[keep], {"xaxis": f"x{number}", "yaxis": f"y{number}"}
    low, high = (np.where(np.isfinite(side), side, found.value)[keep] for side in (found.lower, found.upper))
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]), y=factor * np.concatenate([low, high[::-1]]), fill="toself",
        **band(colour, 0.2), **axes,
    )  # fmt: skip
    strong = each.version != view.baseline or len(view.curves) == 1
    label = "F-beta" if name == "f_beta" else name.replace("_", " ").capitalize()
    figure.add_scatter(
        x=x,
        y=factor * found.value[keep],
        mode="lines",
        line={"color": colour, "width": 2.2 if strong else 1.7},
        customdata=[[format_estimate(found[at], unit), format_count(float(found.n[at]))] for at in keep.tolist()],
        hovertemplate=f"<b>{name_of(each.version)}</b> above %{{x:.3~f}}<br>{label} %{{customdata[0]}}"
        "<br>n = %{customdata[1]}<extra></extra>",
        **axes,
    )


def _mark_thresholds(figure: go.Figure, view: ThresholdsView, look: Look, panels: int) -> None:
    """A line at the threshold of each version, over a band where it could be as well."""
    given = view.question.how == "threshold"
    low, high = float(view.axis[0]), float(view.axis[-1])
    for each in view.chosen[-1:] if given else view.chosen:
        if not math.isfinite(each.threshold.value):
            continue
        colour = look.palette.ink if given else look.version(each.version, view.baseline)
        both = (each.threshold.lower, each.threshold.upper)
        ends = [math.nan if math.isnan(end) else shown(end, view.scale) for end in both]
        for place in range(panels):
            number = "" if place == 0 else str(place + 1)
            mark_vertical(figure, shown(each.threshold.value, view.scale), colour, number)
            if not any(map(math.isnan, ends)):
                figure.add_shape(
                    type="rect", xref=f"x{number}", yref=f"y{number} domain", layer="below", line={"width": 0},
                    x0=max(ends[0], low), x1=min(ends[1], high), y0=0, y1=1, fillcolor=fade(colour, 0.13),
                )  # fmt: skip
    for place in range(panels):
        figure.update_layout({f"xaxis{place + 1 if place else ''}": {"range": _x_range(view)}})


def _x_range(view: ThresholdsView) -> list[float]:
    if view.scale == "probability":
        return [0.0, 1.0]
    low, high = float(view.axis[0]), float(view.axis[-1])
    pad = 0.02 * (high - low) or 0.5
    return [low - pad, high + pad]


def _benefit_range(view: ThresholdsView) -> tuple[float, float]:
    """From a little below nothing to the most that any version reaches."""
    benefits = [each.measures["net_benefit"].value for each in view.curves]
    # A version without labels has no net benefit.
    most = max((float(np.nanmax(each)) for each in benefits if not np.isnan(each).all()), default=0.0)
    return -0.35 * max(most, 0.01), 1.15 * max(most, 0.01)


def _keys(view: ThresholdsView, look: Look) -> tuple[str, ...]:
    items: Sequence[str] = [
        key_item(look.version(each.version, view.baseline), name_of(each.version)) for each in view.curves
    ]
    return tuple(items)


def _axis_title(view: ThresholdsView) -> str:
    return "threshold: rows above it are flagged" + (" (probability)" if view.scale == "probability" else " (score)")


def _title(view: ThresholdsView) -> str:
    here = view.focus
    if not here.measures:
        return escape(view.answer(), 300)
    precision, recall = (here.measures[name] for name in ("precision", "recall"))
    said = f"{_where(view)} {name_of(here.version)} has "
    if not precision.is_defined:
        return f"{said}no precision: {precision.reason}"
    said += f"a precision of {format_share(precision.value)}"
    if not recall.is_defined:
        return f"{said} and no recall: {recall.reason}"
    return f"{said} at a recall of {format_share(recall.value)}"


def _where(view: ThresholdsView) -> str:
    score = view.focus.threshold.value
    return "With every row flagged" if score == -math.inf else f"Above {format_threshold(score, view.scale)}"


def _cost_title(view: ThresholdsView) -> str:
    here = view.focus
    if not here.measures:
        return escape(view.answer(), 300)
    cost = here.measures["expected_cost"]
    said = f"{_where(view)} a row of {name_of(here.version)} costs {format_estimate(cost, 'loss')}"
    curve = next(each for each in view.curves if each.version == here.version).measures["expected_cost"]
    defined = np.flatnonzero(curve.is_defined)
    if not len(defined):
        return said
    best = int(defined[np.argmin(curve.value[defined])])
    least = f"{view.axis[best]:.3g}".replace("-", "\N{MINUS SIGN}")
    return f"{said}; the least on these rows is {curve.value[best]:.3f}, above {least}"


def _n_words(view: ThresholdsView) -> str:
    parts = [
        f"{name_of(each.version)} n = {format_count(float(each.measures['expected_cost'].n[0]))}"
        for each in view.curves
    ]
    given = view.question.how == "threshold"
    said = (
        " Shaded upright: where the chosen threshold could be as well. The title is of rows that did not choose it."
        if not given
        else ""
    )
    return f"{', '.join(parts)}, labelled rows; curves are of all of them, bands 95{NO_BREAK}% intervals.{said}"
