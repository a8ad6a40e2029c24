"""Training curves: runs by colour, splits by dash, raw values faint behind a moving average, the best one marked."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import plotly.graph_objects as go

from lib import __version__
from lib.figures.format import format_count, format_loss, format_plural
from lib.figures.frame import Panel, empty_figure, finish, key_item, left_margin
from lib.figures.text import escape, name_of
from lib.figures.theme import DASH_MARKS, Look, fade
from lib.figures.training_view import BatchView, Line, TrainingView, thin_out
from lib.sources.training import Training
from lib.sources.training_names import TEST, TRAIN, VALIDATION

SPLIT_DASHES = {TRAIN: "dot", VALIDATION: "solid", TEST: "dash"}
MOST_KEYS = 12
MOST_GAPS = 400
RIDGE = 34
"""Pixels from one epoch of batches to the next."""


def history_line(training: Training, made_at: datetime) -> str:
    """Where a figure of training comes from, in one escaped line: files, hashes, product version, UTC time."""
    files = [f"{name_of(each.name)} sha256 {each.sha256[:10]}" for each in training.histories[:3]]
    if len(training.histories) > 3:
        files.append(f"{len(training.histories) - 3} more")
    return " · ".join([*files, f"Marginalia {__version__}", f"{made_at:%Y-%m-%d %H:%M} UTC"])


def plot_training(view: TrainingView, look: Look, provenance: str) -> go.Figure:
    """The curves of one metric, and beneath them the gap between validation and training where both are there."""
    if not view.lines:
        return empty_figure(f"No curve of {escape(view.metric)} can be drawn along this axis.", provenance, look)
    figure = go.Figure()
    for line in view.lines:
        _add_line(figure, line, view, look)
    figure.update_yaxes(title={"text": escape(view.metric.replace("_", " "))}, nticks=6)
    if view.log:
        figure.update_yaxes(type="log", dtick="D2")
    panels = [Panel(270, "", _keys(view, look), "" if view.has_gaps else view.x_title)]
    if view.has_gaps:
        _add_gaps(figure, view, look)
        panels.append(Panel(110, "Gap: how much worse validation is than training", (), view.x_title))
    widest = [format_loss(float(each)) for line in view.lines for each in line.y[np.isfinite(line.y)][[0, -1]]]
    return finish(figure, _title(view), _subtitle(view), provenance, look, panels, left=left_margin(widest, look))


def _colour(run: str, view: TrainingView, look: Look) -> str:
    series = look.palette.series
    return series[view.runs.index(run) % len(series)]


def _dash(split: str, view: TrainingView) -> str:
    """How a split is drawn: alone it needs no dash, which a noisy line would only fray."""
    return SPLIT_DASHES[split] if len({line.split for line in view.lines}) > 1 else "solid"


def _keys(view: TrainingView, look: Look) -> tuple[str, ...]:
    runs = [key_item(_colour(run, view, look), name_of(run)) for run in view.runs[:MOST_KEYS]]
    if len(view.runs) > MOST_KEYS:
        runs.append(f"and {len(view.runs) - MOST_KEYS} more")
    splits = list(dict.fromkeys(line.split for line in view.lines))
    dashes = [key_item(look.palette.soft_ink, split, DASH_MARKS[_dash(split, view)]) for split in splits]
    best = [key_item(look.palette.soft_ink, "best", "◆")] if any(line.best is not None for line in view.lines) else []
    return (*(runs if len(runs) > 1 else []), *dashes, *best)


def _add_line(figure: go.Figure, line: Line, view: TrainingView, look: Look) -> None:
    colour = _colour(line.run, view, look)
    x, y = thin_out(line.x, np.where(np.isfinite(line.y), line.y, np.nan))
    if view.weight:
        figure.add_scatter(
            x=x, y=y, mode="lines", line={"color": fade(colour, 0.28), "width": 1}, hoverinfo="skip", connectgaps=False
        )
        x, y = thin_out(line.x, line.average)
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers" if len(x) < 40 else "lines",
        connectgaps=False,
        marker={"size": 4, "color": colour},
        line={"color": colour, "width": 2.2 if line.split == VALIDATION else 1.6, "dash": _dash(line.split, view)},
        hovertemplate=f"{_named(line)}<br>{view.x_title} %{{x:,.6~g}}"
        f"<br>%{{y:.5~g}}{' (moving average)' if view.weight else ''}<extra></extra>",
    )
    bad = ~np.isfinite(line.y)
    if bad.any():
        _mark_undefined(figure, line, bad, look)
    if line.best is not None:
        figure.add_scatter(
            x=[line.x[line.best]],
            y=[line.y[line.best]],
            mode="markers",
            marker={
                "symbol": "diamond",
                "size": 10,
                "color": colour,
                "line": {"color": look.palette.paper, "width": 1.5},
            },
            hovertemplate=f"{_named(line)}<br>best: {line.best_words}<extra></extra>",
        )


def _named(line: Line) -> str:
    return f"<b>{name_of(line.run)}</b> {escape(line.written)}"


def _mark_undefined(figure: go.Figure, line: Line, bad: np.ndarray, look: Look) -> None:
    """A red cross at the first of values that are no number, as high as the last one before that is."""
    starts = np.flatnonzero(bad & ~np.concatenate([[False], bad[:-1]]))[:MOST_GAPS]
    known = np.flatnonzero(~bad)
    before = known[np.maximum(np.searchsorted(known, starts) - 1, 0)] if len(known) else starts
    heights = line.y[before] if len(known) else np.ones(len(starts))
    figure.add_scatter(
        x=line.x[starts],
        y=heights,
        mode="markers",
        marker={"symbol": "x", "size": 9, "color": look.palette.wrong},
        hovertemplate=f"{_named(line)}<br>no number from %{{x:,.6~g}}<extra></extra>",
    )


def _add_gaps(figure: go.Figure, view: TrainingView, look: Look) -> None:
    for line in view.lines:
        if line.gap is not None:
            x, y = thin_out(line.x, line.gap)
            figure.add_scatter(
                x=x,
                y=y,
                xaxis="x2",
                yaxis="y2",
                mode="lines+markers" if len(x) < 40 else "lines",
                marker={"size": 4, "color": _colour(line.run, view, look)},
                line={"color": _colour(line.run, view, look), "width": 1.8},
                hovertemplate=f"<b>{name_of(line.run)}</b> gap of {escape(line.written)}<br>{view.x_title} %{{x:,.6~g}}"
                "<br>%{y:.5~g}<extra></extra>",
            )
    figure.update_layout(
        yaxis2={"title": {"text": "gap"}, "nticks": 4, "zeroline": True, "zerolinecolor": look.palette.axis},
        xaxis2={},
    )


def _title(view: TrainingView) -> str:
    """The best curve of validation, else of the first split, and how much worse that run ends (escaped)."""
    ranked = [line for line in view.lines if line.best is not None]
    chosen = [line for line in ranked if line.split == VALIDATION] or ranked
    metric = escape(view.metric.replace("_", " "))
    if not chosen:
        return f"{metric[:1].upper()}{metric[1:]} along the training"
    lines = sorted(chosen, key=lambda line: float(line.y[line.best or 0]))
    best = lines[0] if view.is_lower_better else lines[-1]
    who = f" of {name_of(best.run)}" if len(view.runs) > 1 else ""
    known = np.flatnonzero(np.isfinite(best.y))
    last = int(known[-1])
    title = f"Best {best.split} {metric}{who}: {best.best_words}"
    if last == best.best:
        return f"{title}, its last"
    return f"{title}; {format_loss(float(best.y[last]))} at the end"


def _subtitle(view: TrainingView) -> str:
    n_curves = format_plural(len(view.lines), "curve")
    words = [f"{n_curves} of {format_plural(len(view.runs), 'run')}, {format_count(view.n_values)} values."]
    if view.weight:
        words.append(
            f"Lines are exponential moving averages (weight {view.weight:g}); raw values are faint behind them."
        )
    if view.hidden:
        words.append(f"{format_plural(view.hidden, 'value')} of 0 or less cannot be shown on a logarithmic axis.")
    if view.left_out:
        names = ", ".join(escape(each) for each in view.left_out[:3])
        rest = f" and {len(view.left_out) - 3} more" if len(view.left_out) > 3 else ""
        words.append(f"Without this axis: {names}{rest}.")
    return " ".join(words)


def plot_batches(view: BatchView, look: Look, provenance: str) -> go.Figure:
    """The batches of each epoch as a histogram, the first epoch on top, with their median."""
    figure, batches = go.Figure(), view.batches
    middle = (batches.edges[:-1] + batches.edges[1:]) / 2
    x = np.concatenate([[batches.edges[0]], middle, [batches.edges[-1]]])
    highest = float(batches.share[list(view.shown)].max())
    colour = look.palette.candidate
    for row, place in enumerate(view.shown):
        base = float(len(view.shown) - 1 - row)
        height = np.concatenate([[0.0], batches.share[place] / highest * 1.35, [0.0]])
        epoch = f"epoch {batches.epochs[place]:g}"
        figure.add_scatter(x=x, y=np.full(len(x), base), mode="lines", line={"width": 0}, hoverinfo="skip")
        figure.add_scatter(
            x=x,
            y=base + height,
            mode="lines",
            fill="tonexty",
            fillcolor=fade(colour, 0.28),
            line={"color": colour, "width": 1.2},
            customdata=np.concatenate([[0.0], batches.share[place], [0.0]]),
            hovertemplate=f"<b>{epoch}</b> %{{x:.4~g}}<br>%{{customdata:.1%}} of "
            f"{format_count(float(batches.n[place]))} batches<extra></extra>",
        )
        figure.add_scatter(
            x=[batches.median[place]],
            y=[base],
            mode="markers",
            marker={"symbol": "diamond", "size": 7, "color": look.palette.ink},
            hovertemplate=f"<b>{epoch}</b> median {format_loss(float(batches.median[place]))}<extra></extra>",
        )
    names = [f"{batches.epochs[place]:g}" for place in view.shown]
    rows = len(view.shown)
    figure.update_yaxes(
        tickvals=list(range(rows)),
        ticktext=names[::-1],
        range=[-0.2, rows + 0.5],
        title={"text": "epoch"},
        showgrid=False,
    )
    first, last = view.shown[0], view.shown[-1]
    middle_of = [
        f"{format_loss(float(batches.median[place]))} in epoch {batches.epochs[place]:g}" for place in (first, last)
    ]
    title = f"Batches of {escape(view.written)} of {name_of(view.run)}: median {', '.join(middle_of)}"
    least, most = (format_count(float(each)) for each in (batches.n.min(), batches.n.max()))
    said = f"n = {least if least == most else f'{least} to {most}'} batches an epoch."
    if rows < len(batches.epochs):
        said += f" {rows} of {len(batches.epochs)} epochs are shown."
    panel = Panel(RIDGE * rows + 30, "", (key_item(look.palette.ink, "median", "◆"),), escape(view.written))
    return finish(figure, title, said, provenance, look, [panel], left=left_margin(names, look))
