"""Metrics over time: one line with its interval per version, broken where there are no rows, and when each served."""

from __future__ import annotations

from html import escape

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.figures.cohorts_view import LEVEL
from lib.figures.format import PER_CENT, format_count, format_estimate, format_span, format_time
from lib.figures.frame import Panel, band, empty_figure, finish, key_item, left_margin, mark_vertical
from lib.figures.text import name_of
from lib.figures.theme import Look
from lib.figures.windows_view import WindowLine, WindowsView
from lib.metrics.catalogue import Metric, Unit, metric_named

AXES: dict[Unit, str] = {"share": "share of rows", "index": "from 0 to 1", "loss": "loss", "score": "margin"}


def plot_windows(view: WindowsView, look: Look, provenance: str) -> go.Figure:
    """Each metric with its interval, median margin with the middle half of margins, and when each version served."""
    if view.nothing or not view.lines:
        return empty_figure(empty_words(view), provenance, look)
    figure = go.Figure()
    metrics = [metric_named(name) for name in view.lines[0].metrics]
    panels: list[Panel] = []
    for place, metric in enumerate(metrics):
        number = "" if place == 0 else str(place + 1)
        for line in view.lines:
            add_line(figure, line, metric, view, look, number)
        scale(figure, metric, number)
        around = "middle half of the margins" if metric.name == "median_margin" else "95 % interval"
        panels.append(
            Panel(
                170 if place == 0 else 130,
                f"{metric.label} per {view.words}, with {around}",
                keys(view, look) if place == 0 else (),
            )
        )
    panels.append(add_lifetimes(figure, view, look, str(len(metrics) + 1)))
    mark_changes(figure, view, look, len(metrics))
    return finish(
        figure,
        trend_title(view),
        n_words(view),
        provenance,
        look,
        panels,
        left=left_margin(["10.5 %"], look),
    )


def empty_words(view: WindowsView) -> str:
    """Why there is nothing to draw over time."""
    return f"{view.nothing or 'No row has a time'}: there is nothing to show over time."


def trend_title(view: WindowsView) -> str:
    """The worst window of those worse than the rest of their version, by the first metric, else the versions (escaped).

    And what a finding says of a time, where no window as a whole stands out: a cohort may, for a time.

    The worst of many windows is bad by chance, above all where it has few rows.
    """
    metric = metric_named(view.metric)
    label = metric.label
    found = [
        (float(each.value[place]), line, int(place))
        for line in view.lines
        for each in [line.metrics[metric.name]]
        for place in np.flatnonzero(line.p_adjusted < LEVEL)
    ]
    if not found:
        rates = f"{label}{_rates(view, metric.unit)}"
        if all(len(line.starts) == 1 for line in view.lines):
            return f"{rates}; one window holds all rows of {'it' if len(view.lines) == 1 else 'each'}"
        if view.named:
            return f"{rates}; a finding stands out{escape(view.named)}"
        if all(np.isnan(line.p_adjusted).all() for line in view.lines):
            return rates
        return f"{rates}; no window stands out from the rest of its version"
    worst, most = (min, "lowest") if metric.direction == "higher" else (max, "highest")
    _, line, place = worst(found, key=lambda each: each[0])
    estimate = format_estimate(line.metrics[metric.name][place], metric.unit)
    when = format_time(int(line.starts[place]), view.width)
    return f"{label} was {most} on {when}: {estimate} in {name_of(line.version)}"


def _rates(view: WindowsView, unit: Unit) -> str:
    """The number of each version behind the metric's name: that it rose or fell, where it did beyond chance."""
    said = [f"{format_estimate(line.whole, unit, interval=False)} in {name_of(line.version)}" for line in view.lines]
    if view.change is None:
        return f": {', '.join(reversed(said))}"
    return f" {'rises' if view.change.value > 0 else 'falls'} from {said[0]} to {said[1]}"


def n_words(view: WindowsView) -> str:
    """How many labelled rows windows have, and what the lines across are."""
    parts: list[str] = []
    for line in view.lines:
        n = next(iter(line.metrics.values())).n
        least, most = format_count(float(n.min())), format_count(float(n.max()))
        span = least if least == most else f"{least} to {most}"
        parts.append(f"{name_of(line.version)} n = {span} a window")
    name = name_of(view.lines[-1].version)
    dotted = f"; dotted is where {name} begins or ends" if _change_times(view) else ""
    return "; ".join(parts) + f", labelled rows. Times are UTC{dotted}."


def keys(view: WindowsView, look: Look) -> tuple[str, ...]:
    """What the colours stand for."""
    return tuple(key_item(look.version(line.version, view.baseline), name_of(line.version)) for line in view.lines)


def scale(figure: go.Figure, metric: Metric, number: str) -> None:
    """Axes of one panel: times and the metric's unit."""
    axis: dict[str, object] = {
        "title": {"text": AXES[metric.unit]},
        "nticks": 5,
    }
    if metric.unit == "share":
        # Of a share that is near all rows its distance from there tells, which an axis from 0 would flatten.
        axis |= {"ticksuffix": PER_CENT, "rangemode": "normal" if metric.direction == "higher" else "tozero"}
    if metric.unit == "loss":
        axis |= {"rangemode": "tozero"}
    figure.update_layout({f"yaxis{number}": axis, f"xaxis{number}": {"type": "date"}})


def add_line(figure: go.Figure, line: WindowLine, metric: Metric, view: WindowsView, look: Look, number: str) -> None:
    """One version's line and band in one panel."""
    each, colour = line.metrics[metric.name], look.version(line.version, view.baseline)
    factor = 100.0 if metric.unit == "share" else 1.0
    low, high = (
        (line.lower_quartile.value, line.upper_quartile.value)
        if metric.name == "median_margin"
        else (each.lower, each.upper)
    )
    strong = line.version != view.baseline or len(view.lines) == 1
    axes = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
    gap = np.array([np.nan])
    outline_x, outline_y, xs, ys = [gap], [gap], [gap], [gap]
    words: list[list[str]] = [["", "", ""]]
    for run in runs_of(line.starts, view.width, each.is_defined):
        times = 1000.0 * (line.starts[run] + view.width / 2)
        bottom, top = (np.where(np.isfinite(side[run]), side[run], each.value[run]) for side in (low, high))
        if len(run) == 1:
            # A window that stands alone has an interval too: a band half as wide as the window.
            sides = times[0] + 250.0 * view.width * np.array([-1, 1])
            outline_x += [sides, sides[::-1], gap]
            outline_y += [np.repeat(bottom, 2), np.repeat(top, 2), gap]
        else:
            outline_x += [times, times[::-1], gap]
            outline_y += [bottom, top[::-1], gap]
        xs += [times, gap]
        ys += [each.value[run], gap]
        words += [
            [
                format_time(int(start), view.width),
                format_estimate(each[int(place)], metric.unit),
                format_count(float(each.n[place])),
            ]
            for place, start in zip(run, line.starts[run], strict=True)
        ] + [["", "", ""]]
    figure.add_scatter(
        x=np.concatenate(outline_x)[1:-1],
        y=factor * np.concatenate(outline_y)[1:-1],
        fill="toself",
        **band(colour, 0.22),
        **axes,
    )
    figure.add_scatter(
        x=np.concatenate(xs)[1:-1],
        y=factor * np.concatenate(ys)[1:-1],
        mode="lines+markers",
        connectgaps=False,
        line={"color": colour, "width": 2.2 if strong else 1.7},
        marker={"size": 5 if len(words) < 60 else 3, "color": colour},
        customdata=words[1:-1],
        hovertemplate=f"<b>{name_of(line.version)}</b> %{{customdata[0]}}<br>{metric.label} %{{customdata[1]}}"
        "<br>n = %{customdata[2]}<extra></extra>",
        **axes,
    )


def runs_of(starts: NDArray[np.int64], width: int, defined: NDArray[np.bool_] | None = None) -> list[NDArray[np.int64]]:
    """Places of windows that follow one another without a gap."""
    places = np.arange(len(starts)) if defined is None else np.flatnonzero(defined)
    if not len(places):
        return []
    cut = np.flatnonzero(np.diff(starts[places]) > width) + 1
    return list(np.split(places, cut))


def add_lifetimes(figure: go.Figure, view: WindowsView, look: Look, number: str) -> Panel:
    """A strip that shows when each version had rows; the panel it is."""
    for row, line in enumerate(reversed(view.lines)):
        colour = look.version(line.version, view.baseline)
        ends: list[float] = []
        words: list[str] = []
        for run in runs_of(line.starts, view.width):
            first, last = float(line.starts[run[0]]), float(line.starts[run[-1]] + view.width)
            ends += [1000 * first, 1000 * last, np.nan]
            words += [f"{name_of(line.version)} has rows, {format_span(first, last, view.width)}"] * 2 + [""]
        figure.add_scatter(
            x=np.array(ends),
            y=np.full(len(ends), float(row)),
            mode="lines",
            xaxis=f"x{number}",
            yaxis=f"y{number}",
            line={"color": colour, "width": 7},
            hoverinfo="text",
            hovertext=words,
        )
    figure.update_layout(
        {
            f"xaxis{number}": {"type": "date"},
            f"yaxis{number}": {"range": [-0.6, len(view.lines) - 0.4], "showgrid": False, "showticklabels": False},
        }
    )
    return Panel(14 * len(view.lines) + 4, "Versions with rows", (), f"time (UTC), per {view.words}", 2)


def mark_changes(figure: go.Figure, view: WindowsView, look: Look, panels: int) -> None:
    """A line where the candidate begins and where it ends, unless that is where the data does."""
    for at in _change_times(view):
        for place in range(panels):
            mark_vertical(figure, 1000.0 * at, look.palette.faint_ink, "" if place == 0 else str(place + 1))


def _change_times(view: WindowsView) -> list[float]:
    if len(view.lines) < 2:
        return []
    first, last = (
        float(side)
        for side in (min(line.starts[0] for line in view.lines), max(line.starts[-1] for line in view.lines))
    )
    candidate = view.lines[-1]
    ends = [
        float(candidate.starts[run[side]] + (view.width if side else 0))
        for run in runs_of(candidate.starts, view.width)[:4]
        for side in (0, -1)
    ]
    return [at for at in ends if first < at <= last]
