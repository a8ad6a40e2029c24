"""One feature: how its values are distributed, the violation rate along them, and how both went over time."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lib.figures.features_view import FeatureView, distance_words, floor_words
from lib.figures.format import (
    PER_CENT,
    format_count,
    format_estimate,
    format_score,
    format_share,
    format_time,
)
from lib.figures.frame import Panel, band, empty_figure, finish, key_item, left_margin, mark_vertical, square
from lib.figures.text import escape, name_of
from lib.figures.theme import TEXT_LINE, Look, fade
from lib.figures.windows import runs_of
from lib.metrics.feature_moves import Move

LONGEST = 20
"""Characters of a category that stand below its bar; the hover text has all."""


def _colour(view: FeatureView, place: int, look: Look) -> str:
    if view.by == "version":
        return look.version(view.groups[place], view.baseline)
    return look.palette.series[place % len(look.palette.series)]


def plot_distribution(view: FeatureView, move: Move | None, look: Look, provenance: str) -> go.Figure:
    """All groups on one axis; the title says how far apart they are, by the comparison that it is given."""
    if not view.histogram.n.any():
        return empty_figure(f"No row that is left has a value of {escape(view.column)}.", provenance, look)
    figure, held = go.Figure(), view.histogram
    for place, group in enumerate(view.groups):
        colour, share = _colour(view, place, look), 100 * held.share[place]
        if held.names:
            figure.add_bar(
                x=np.arange(len(held.names)),
                y=share,
                marker={"color": fade(colour, 0.85), "line": {"width": 0}},
                customdata=[
                    [name_of(name), format_share(each / 100)] for name, each in zip(held.names, share, strict=True)
                ],
                hovertemplate=f"<b>%{{customdata[0]}}</b><br>%{{customdata[1]}} of {name_of(group)}<extra></extra>",
            )
        else:
            words = [
                f"{format_score(low)} to {format_score(high)}"
                for low, high in zip(held.edges[:-1], held.edges[1:], strict=True)
            ]
            figure.add_scatter(
                x=held.edges,
                y=np.append(share, share[-1]),
                mode="lines",
                line={"color": colour, "width": 2, "shape": "hv"},
                fill="tozeroy",
                fillcolor=fade(colour, 0.12),
                customdata=[
                    [word, format_share(each / 100)]
                    for word, each in zip([*words, words[-1]], np.append(share, share[-1]), strict=True)
                ],
                hovertemplate=f"<b>%{{customdata[0]}}</b><br>%{{customdata[1]}} of {name_of(group)}<extra></extra>",
            )
    x: dict[str, object] = {"nticks": 7}
    lines = 1
    if held.names:
        x, lines = _named_axis([name_of(each) for each in held.names], look)
        figure.update_layout(barmode="group", bargap=0.3, bargroupgap=0.05)
    elif held.is_log:
        x = {"type": "log", "dtick": 1 if held.edges[-1] > 1e3 * held.edges[0] else "D2"}
    figure.update_layout(
        xaxis=x, yaxis={"title": {"text": "share of rows"}, "ticksuffix": PER_CENT, "rangemode": "tozero", "nticks": 5}
    )
    outside = f" {format_share(held.outside)} of values lie beyond what is drawn." if held.outside > 0.0005 else ""
    scale = ", by ratios" if held.is_log else ""
    keys = tuple(square(_colour(view, place, look), name_of(group)) for place, group in enumerate(view.groups))
    return finish(
        figure,
        distribution_title(view, move),
        f"{_escaped_n(view)}. {escape(view.missing_words(), 400)}{outside}",
        provenance,
        look,
        [Panel(210, "", keys, f"{escape(view.column)}{scale}", lines)],
        left=left_margin(["10.5 %"], look),
    )


def _escaped_n(view: FeatureView) -> str:
    named = zip(view.groups, view.histogram.n, strict=True)
    return ", ".join(f"{name_of(name)} n = {format_count(float(n))}" for name, n in named)


def _named_axis(names: list[str], look: Look) -> tuple[dict[str, object], int]:
    """An axis of names, upright where there is room, and how many lines of text it needs."""
    short = [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in names]
    room = (look.text_width - 90) / max(len(names), 1)
    turned = max((len(name) for name in short), default=0) * 7 > room
    axis: dict[str, object] = {
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": short,
        "range": [-0.6, len(names) - 0.4],
    }
    if not turned:
        return axis, 1
    longest = max(len(name) for name in short) * 6.5
    return axis | {"tickangle": -60}, int(np.ceil(0.87 * longest / TEXT_LINE))


def distribution_title(view: FeatureView, move: Move | None) -> str:
    """How far apart the groups are (escaped)."""
    column = escape(view.column)
    if move is None:
        return f"How {column} is distributed"
    where = (
        f"{name_of(move.split)} and the other splits"
        if move.split
        else f"{name_of(move.version)} and {name_of(view.baseline)}"
    )
    if move.against == "other splits" and view.by == "split":
        where = f"{name_of(move.split)} and the other splits of {name_of(move.version)}"
    if move.category:
        said = f"{escape(distance_words(move))} between {where}"
    else:
        said = f"Kolmogorov–Smirnov distance {format_score(move.distance)} between {where}"
    if not move.is_beyond_noise:
        return f"{column} is no further apart than chance would have it: {said}"
    return f"{column} differs: {said}, where chance makes up to {floor_words(move)}"


def plot_along(view: FeatureView, look: Look, provenance: str, *, does_explain: bool) -> go.Figure:
    """The violation rate of each piece with its interval; `does_explain` says whether it differs beyond chance."""
    along, pieces = view.along, len(view.along.lower)
    if not along.rate.is_defined.any():
        why = next(iter(along.rate.reason), "no rows are left under this filter")
        return empty_figure(f"No violation rate along {escape(view.column)}: {escape(why)}.", provenance, look)
    figure = go.Figure()
    names = [escape(view.piece_name(place)) for place in range(pieces)]
    shift = 0.14 if len(view.versions) > 1 else 0.0
    for order, version in enumerate(view.versions):
        rates = [along.rate[order * pieces + place] for place in range(pieces)]
        told = [place for place, each in enumerate(rates) if each.is_defined]
        colour = look.version(version, view.baseline)
        offset = -shift if order == 0 else shift
        figure.add_scatter(
            x=np.array(told) + offset,
            y=[100 * rates[place].value for place in told],
            mode="markers",
            marker={"color": colour, "size": 8},
            error_y={
                "array": [100 * (rates[place].upper - rates[place].value) for place in told],
                "arrayminus": [100 * (rates[place].value - rates[place].lower) for place in told],
                "color": colour,
                "thickness": 1.6,
                "width": 0,
            },
            customdata=[
                [names[place], format_estimate(rates[place], "share"), format_count(rates[place].n)] for place in told
            ],
            hovertemplate=f"<b>{escape(view.column)} %{{customdata[0]}}</b><br>{name_of(version)}: violation rate "
            "%{customdata[1]}<br>n = %{customdata[2]}<extra></extra>",
        )
    axis, lines = _named_axis(names, look)
    figure.update_layout(
        xaxis=axis,
        yaxis={"title": {"text": "violation rate"}, "ticksuffix": PER_CENT, "rangemode": "tozero", "nticks": 5},
    )
    keys = tuple(key_item(look.version(each, view.baseline), name_of(each), "●") for each in view.versions)
    kind = "categories" if view.is_categorical else "ranges that hold about as many rows each"
    return finish(
        figure,
        along_title(view, does_explain=does_explain),
        f"Share of labelled rows with m &lt; γ = {view.margin_target:g}, with 95 % intervals, by {kind}.",
        provenance,
        look,
        [Panel(190, "", keys, escape(view.column), lines)],
        left=left_margin(["10.5 %"], look),
    )


def along_title(view: FeatureView, *, does_explain: bool) -> str:
    """Where the candidate's rate is highest, if it differs beyond chance at all (escaped)."""
    column, version, place = escape(view.column), name_of(view.versions[-1]), view.peak()
    if place is None or not does_explain:
        return f"Violation rate of {version} does not differ along {column} beyond chance"
    rate = view.along.rate[(len(view.versions) - 1) * len(view.along.lower) + place]
    joined = " = " if view.is_categorical or view.along.is_missing[place] else " from "
    where = f"{column}{joined}{escape(view.piece_name(place))}"
    return f"Violation rate of {version} is highest for {where}: {format_share(rate.value)}"


def plot_feature_windows(view: FeatureView, look: Look, provenance: str) -> go.Figure:
    """Median and middle half of a number over time, and the share of missing values."""
    figure = go.Figure()
    has_missing = any((each.missing.value > 0).any() for each in view.over_time)
    panels: list[Panel] = []
    rows = ([] if view.is_categorical else ["values"]) + (["missing"] if has_missing else [])
    for number, what in enumerate(rows):
        axes = {"xaxis": f"x{number + 1 if number else ''}", "yaxis": f"y{number + 1 if number else ''}"}
        for line in view.over_time:
            colour = look.version(line.version, view.baseline)
            middle = line.quartiles[1].value if what == "values" else 100 * line.missing.value
            low, high = (
                (line.quartiles[0].value, line.quartiles[2].value)
                if what == "values"
                else (100 * line.missing.lower, 100 * line.missing.upper)
            )
            for run in runs_of(line.starts, view.width):
                times = 1000.0 * (line.starts[run] + view.width / 2)
                figure.add_scatter(
                    x=np.concatenate([times, times[::-1]]),
                    y=np.concatenate([low[run], high[run][::-1]]),
                    fill="toself",
                    **band(colour, 0.2),
                    **axes,
                )
                figure.add_scatter(
                    x=times,
                    y=middle[run],
                    mode="lines+markers",
                    line={"color": colour, "width": 2},
                    marker={"size": 4, "color": colour},
                    customdata=[
                        [
                            format_time(int(start), view.width),
                            format_score(each) if what == "values" else format_share(each / 100),
                        ]
                        for start, each in zip(line.starts[run], middle[run], strict=True)
                    ],
                    hovertemplate=f"<b>{name_of(line.version)}</b> %{{customdata[0]}}<br>"
                    f"{'median' if what == 'values' else 'missing'} %{{customdata[1]}}<extra></extra>",
                    **axes,
                )
        heading = (
            f"Median per {view.width_words}, with the middle half of the values"
            if what == "values"
            else f"Missing values per {view.width_words}, with 95 % interval"
        )
        keys = tuple(
            key_item(look.version(each.version, view.baseline), name_of(each.version)) for each in view.over_time
        )
        last = number == len(rows) - 1
        panels.append(
            Panel(
                160 if what == "values" else 90,
                heading,
                () if number else keys,
                f"time (UTC), per {view.width_words}" if last else "",
                2,
            )
        )
        y: dict[str, object] = {"nticks": 5, "title": {"text": escape(view.column) if what == "values" else "missing"}}
        if what == "missing":
            y |= {"ticksuffix": PER_CENT, "rangemode": "tozero"}
        suffix = "" if number == 0 else str(number + 1)
        figure.update_layout({f"xaxis{suffix}": {"type": "date"}, f"yaxis{suffix}": y})
    ends = [line.starts for line in view.over_time]
    first, began = min(int(each[0]) for each in ends), int(ends[-1][0])
    if began > first:
        for number in range(len(rows)):
            mark_vertical(figure, 1000.0 * began, look.palette.faint_ink, "" if number == 0 else str(number + 1))
    ticks = [format_score(float(each)) for line in view.over_time for each in np.nan_to_num(line.quartiles[2].value)]
    return finish(
        figure,
        f"{escape(view.column)} over time",
        "Times are UTC.",
        provenance,
        look,
        panels,
        left=left_margin([*ticks, "10.5 %"], look),
    )
