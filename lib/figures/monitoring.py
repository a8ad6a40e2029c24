"""A rate over time with its objective: what is left of the error budget, alerts, deploys, and which version served."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.figures.format import PER_CENT, format_count, format_estimate, format_share, format_time
from lib.figures.frame import Panel, band, empty_figure, finish, key_item, left_margin, square
from lib.figures.monitoring_alerts import MINUTE, rule_words
from lib.figures.monitoring_lines import Line
from lib.figures.monitoring_marks import mark_events
from lib.figures.monitoring_parts import part_words
from lib.figures.monitoring_view import MonitoringView
from lib.figures.monitoring_words import canary_words, onset_words, still_words
from lib.figures.text import escape, name_of
from lib.figures.theme import Look
from lib.figures.windows import runs_of
from lib.metrics.incidents import SLIS, Part, PartAlert
from lib.monitoring import ALL
from lib.scan.windows import WindowGrid

MOST_LANES = 6
"""Parts whose alerts have a lane of their own."""
GAP = np.array([np.nan])


def plot_monitoring(view: MonitoringView, look: Look, provenance: str) -> go.Figure:
    """The rate of all rows and of the part with its objective, the budget, the alerts and the versions."""
    if view.nothing or not len(view.lines[0].starts):
        return empty_figure(
            f"{escape(view.nothing or 'No row is left', 200)}: there is nothing to monitor.", provenance, look
        )
    figure = go.Figure()
    for line in view.lines:
        _add_line(figure, view, line, look)
    figure.add_shape(
        type="line",
        xref="x domain",
        yref="y",
        x0=0,
        x1=1,
        y0=100 * view.objective.at_most,
        y1=100 * view.objective.at_most,
        line={"color": look.palette.wrong, "width": 1.2, "dash": "dash"},
    )
    _add_budget(figure, view, look)
    lanes = _add_alerts(figure, view, look)
    versions = _add_versions(figure, view, look)
    window = WindowGrid(view.width).words
    figure.update_layout(
        {
            "xaxis": {"type": "date"},
            "yaxis": {
                "title": {"text": "share of rows"},
                "ticksuffix": PER_CENT,
                "range": [0, _top(view)],
                "nticks": 5,
            },
            "xaxis2": {"type": "date"},
            "yaxis2": {"title": {"text": "budget left"}, "ticksuffix": PER_CENT, "nticks": 4},
        }
    )
    budget = "Error budget of all rows, what is left of it"
    panels = [
        Panel(210, f"{SLIS[view.metric].label} per {window}, with 95 % interval", _keys(view, look)),
        Panel(80, budget),
        lanes,
        versions,
    ]
    mark_events(figure, view, look)
    labels = ["−10.5 %", *(name_of(part_words(each)) for each in _lane_parts(view))]
    return finish(
        figure, title(view), n_words(view), provenance, look, panels, left=min(left_margin(labels, look), 150)
    )


def _top(view: MonitoringView) -> float:
    """How high the axis of the rate goes, in per cent: room for the names of deploys above all that is drawn."""
    highest = [float(np.nanmax(line.rate.upper)) for line in view.lines if line.rate.is_defined.any()]
    return 115 * max([view.objective.at_most, *highest])


def title(view: MonitoringView) -> str:
    """The clearest rise, or that there is none (escaped)."""
    onset = view.main_onset or view.main_fall
    if onset is not None or view.main_step is not None:
        return escape(still_words(view) if onset is None else onset_words(view, onset), 300)
    line = view.lines[0]
    whole = line.rate.value[line.rate.is_defined]
    span = (
        f", {format_share(float(whole.min()))} to {format_share(float(whole.max()))} per window" if len(whole) else ""
    )
    return f"{still_words(view)}{span}"


def n_words(view: MonitoringView) -> str:
    """How many rows windows have (escaped)."""
    parts = [
        f"{name_of(part_words(line.part))} n = {format_count(float(line.rate.n.min()))} to "
        f"{format_count(float(line.rate.n.max()))} a window"
        for line in view.lines
        if len(line.starts)
    ]
    canaries = "; ".join(escape(canary_words(each), 200) for each in view.watched.canaries)
    shaded = f"; shaded is the {canaries}" if canaries else ""
    return "; ".join(parts) + f", labelled rows. Times are UTC; dotted lines are deploys and rollbacks{shaded}."


def _keys(view: MonitoringView, look: Look) -> tuple[str, ...]:
    keys = [key_item(_colour(line, look), name_of(part_words(line.part))) for line in view.lines]
    keys.append(key_item(look.palette.wrong, f"objective, at most {format_share(view.objective.at_most)}", "╍╍"))
    if any(_has_lag(view, line) for line in view.lines):
        keys.append(key_item(_colour(view.lines[0], look), "expected where labels are missing", "┅┅"))
    return tuple(keys)


def _colour(line: Line, look: Look) -> str:
    return look.palette.soft_ink if line.part == ALL else look.palette.series[0]


def _has_lag(view: MonitoringView, line: Line) -> bool:
    return line.expected is not None and view.label_lag is not None


def _add_line(figure: go.Figure, view: MonitoringView, line: Line, look: Look) -> None:
    colour = _colour(line, look)
    outline_x, outline_y, xs, ys = [GAP], [GAP], [GAP], [GAP]
    words: list[list[str]] = [["", "", "", ""]]
    for run in runs_of(line.starts, view.width, line.rate.is_defined):
        times = 1000.0 * (line.starts[run] + view.width / 2)
        outline_x += [times, times[::-1], GAP]
        outline_y += [line.rate.lower[run], line.rate.upper[run][::-1], GAP]
        xs += [times, GAP]
        ys += [line.rate.value[run], GAP]
        words += [
            [
                format_time(int(line.starts[place]), view.width),
                format_estimate(line.rate[int(place)], "share"),
                format_count(float(line.rate.n[place])),
                format_share(float(line.unlabelled[place])),
            ]
            for place in run
        ] + [["", "", "", ""]]
    name = name_of(part_words(line.part))
    figure.add_scatter(
        x=np.concatenate(outline_x), y=100 * np.concatenate(outline_y), fill="toself", **band(colour, 0.2)
    )
    figure.add_scatter(
        x=np.concatenate(xs),
        y=100 * np.concatenate(ys),
        mode="lines",
        line={"color": colour, "width": 2.0 if line.part != ALL or len(view.lines) == 1 else 1.6},
        customdata=words,
        hovertemplate=f"<b>{name}</b> %{{customdata[0]}}<br>%{{customdata[1]}}<br>n = %{{customdata[2]}}, "
        "%{customdata[3]} without a label<extra></extra>",
    )
    if line.expected is not None and view.label_lag is not None:
        shown = np.where(line.starts + view.width > view.label_lag.at, line.expected.value, np.nan)
        figure.add_scatter(
            x=1000.0 * (line.starts + view.width / 2),
            y=100 * shown,
            mode="lines",
            line={"color": colour, "width": 1.6, "dash": "dot"},
            hovertemplate=f"<b>{name}</b>, expected from scores: %{{y:.1f}} %<extra></extra>",
        )


def _add_budget(figure: go.Figure, view: MonitoringView, look: Look) -> None:
    course = view.watched.course(view.metric, margin_target=view.objective.margin_target)
    left, ends = 100 * view.told[0].budget_left, course.edges[1:]
    step = max(1, len(left) // 600)
    places = np.unique(np.append(np.arange(0, len(left), step), len(left) - 1))
    figure.add_scatter(
        x=1000.0 * ends[places],
        y=left[places],
        mode="lines",
        xaxis="x2",
        yaxis="y2",
        line={"color": look.palette.ink, "width": 1.6},
        fill="tozeroy",
        fillcolor=look.palette.shade,
        customdata=[format_time(int(each), MINUTE) for each in ends[places]],
        hovertemplate="%{customdata}<br>%{y:.0f} % of the budget left<extra></extra>",
    )


def _lane_parts(view: MonitoringView) -> list[Part]:
    """The parts with alerts, the surest first."""
    alerts = sorted((each for held in view.incidents for each in held.alerts), key=lambda each: each.alert.p)
    return list(dict.fromkeys(each.part for each in alerts))[:MOST_LANES]


def _add_alerts(figure: go.Figure, view: MonitoringView, look: Look) -> Panel:
    """A lane for each part that alerts: pages and tickets from when they open to when they close."""
    parts = _lane_parts(view)
    end = int(view.watched.timeline().edges[-1])
    drawn: list[PartAlert] = [each for held in view.incidents for each in held.alerts if each.part in parts]
    # A page lies on the ticket of the same part.
    for each in sorted(drawn, key=lambda alert: alert.alert.rule.action, reverse=True):
        alert, is_page = each.alert, each.alert.rule.action == "page"
        words = (
            f"<b>{alert.rule.action.capitalize()}</b>, {name_of(part_words(each.part))}<br>"
            f"from {format_time(alert.opened, MINUTE)}"
            + ("" if alert.closed is None else f" to {format_time(alert.closed, MINUTE)}")
            + f"<br>{rule_words(alert.rule)}"
        )
        figure.add_scatter(
            x=[1000.0 * alert.opened, 1000.0 * (alert.closed or end)],
            y=[float(len(parts) - 1 - parts.index(each.part))] * 2,
            mode="lines",
            xaxis="x3",
            yaxis="y3",
            line={"color": look.palette.wrong if is_page else look.palette.series[1], "width": 8 if is_page else 4},
            hoverinfo="text",
            hovertext=[words] * 2,
        )
    if not parts:
        figure.add_scatter(
            x=[1000.0 * end], y=[0.0], mode="markers", xaxis="x3", yaxis="y3", opacity=0, hoverinfo="skip"
        )
    lanes = max(len(parts), 1)
    figure.update_layout(
        xaxis3={"type": "date"},
        yaxis3={
            "range": [-0.6, lanes - 0.4],
            "showgrid": False,
            "tickmode": "array",
            "tickvals": list(range(len(parts))),
            "ticktext": [name_of(part_words(each)) for each in reversed(parts)],
        },
    )
    heading = "Alerts that this objective would have raised" if parts else "This objective would have raised no alert"
    keys = (square(look.palette.wrong, "page"), square(look.palette.series[1], "ticket")) if parts else ()
    return Panel(18 * lanes + 4, heading, keys)


def _add_versions(figure: go.Figure, view: MonitoringView, look: Look) -> Panel:
    """When each version had rows, in windows."""
    held = view.watched.timeline()
    versions = [each for each in held.versions if held.series("n", version=each).sum()]
    for row, version in enumerate(reversed(versions)):
        starts = _starts(held.edges[:-1][held.series("n", version=version) > 0], view.width)
        ends: list[float] = []
        for run in runs_of(starts, view.width):
            ends += [1000.0 * float(starts[run[0]]), 1000.0 * float(starts[run[-1]] + view.width), math.nan]
        is_compared = version in view.versions
        colour = look.version(version, view.versions[0]) if is_compared else look.palette.axis
        figure.add_scatter(
            x=ends,
            y=np.full(len(ends), float(row)),
            mode="lines",
            xaxis="x4",
            yaxis="y4",
            line={"color": colour, "width": 7},
            hoverinfo="text",
            hovertext=[f"{name_of(version)} has rows"] * len(ends),
        )
    figure.update_layout(
        xaxis4={"type": "date"},
        yaxis4={
            "range": [-0.6, len(versions) - 0.4],
            "showgrid": False,
            "tickmode": "array",
            "tickvals": list(range(len(versions))),
            "ticktext": [name_of(each) for each in reversed(versions)],
        },
    )
    return Panel(16 * len(versions) + 4, "Versions with rows", (), f"time (UTC), per {WindowGrid(view.width).words}", 2)


def _starts(seconds: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    return np.unique(seconds // width * width)
