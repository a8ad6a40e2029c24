"""Calibration gaps: dots by cohort or class, lines over time, each with where it would be if p were right."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import plotly.graph_objects as go

from lib.figures.calibration_gaps_view import GapRow, GapsView, GapWindows
from lib.figures.calibration_words import OutcomeWords
from lib.figures.cohorts_view import LEVEL
from lib.figures.dots import add_dots, add_marks
from lib.figures.format import NO_BREAK, format_change, format_count, format_plural, format_share
from lib.figures.frame import Panel, band, empty_figure, finish, key_item, left_margin, mark_vertical, paint
from lib.figures.text import MISSING, escape, name_of
from lib.figures.theme import Look
from lib.metrics.cohorts import SMALL


def plot_gaps(view: GapsView, look: Look, provenance: str) -> go.Figure:
    """One row per cohort or class, those that are off most surely on top."""
    if not view.drawn:
        return empty_figure(f"Every {escape(view.what)} has fewer than {SMALL} labelled rows.", provenance, look)
    figure = go.Figure()
    place = {value: len(view.drawn) - 1 - row for row, value in enumerate(view.drawn)}
    shift = 0.17 if len(view.versions) > 1 else 0.0
    ends = [0.0]
    for order, version in enumerate(view.versions):
        rows = [row for value in view.drawn if (row := view.rows.get((version, value)))]
        y = [place[row.value] + (shift if order == 0 else -shift) for row in rows]
        colour = look.version(version, view.baseline)
        for side in (-1, 1):
            add_marks(figure, [100 * side * row.part.gap_floor for row in rows], y, colour)
        add_dots(
            figure,
            [row.part.gap for row in rows],
            y,
            version,
            colour,
            look,
            factor=100.0,
            hovers=[_hover(row) for row in rows],
            template=_template(version, view.words),
        )
        for row in rows:
            part = row.part
            ends += [part.gap_floor, -part.gap_floor, *np.nan_to_num([part.gap.value, part.gap.lower, part.gap.upper])]
    mark_vertical(figure, 0.0, look.palette.soft_ink)
    labels = [_label(value, view, look) for value in view.drawn]
    low, high = 100 * min(ends), 100 * max(ends)
    pad = 0.05 * (high - low) + 0.1
    figure.update_layout(
        xaxis={"range": [low - pad, high + pad], "showgrid": True, "nticks": 7},
        yaxis={
            "tickmode": "array",
            "tickvals": [place[value] for value in view.drawn],
            "ticktext": labels,
            "range": [-0.6, len(view.drawn) - 0.4],
            "showgrid": False,
        },
    )
    key = [key_item(look.version(each, view.baseline), name_of(each), "●") for each in view.versions]
    key.append(key_item(look.palette.soft_ink, "within these by chance, 95 %", "┃"))
    if any(row.is_off for row in view.rows.values()):
        key.append(key_item(look.palette.wrong, f"off, adjusted p < {LEVEL:g}", "▲"))
    said = "Right of 0 probabilities are too low, left of it too high. Dots with 95 % intervals."
    if view.n_small:
        said += f" {format_plural(view.n_small, 'value')} with fewer than {SMALL} labelled rows not drawn."
    if len(view.ranked) > len(view.drawn):
        said += f" The {len(view.drawn)} ranked highest of {len(view.ranked)} are drawn."
    return finish(
        figure,
        escape(view.sentence(), 400),
        said,
        provenance,
        look,
        [Panel(28 * len(view.drawn) + 8, "", tuple(key), f"calibration gap: {view.words.share} − mean p, in points")],
        left=left_margin(labels, look, titled=False) + 4,
        right=20,
    )


def _label(value: str, view: GapsView, look: Look) -> str:
    own = view.rows.get((view.candidate, value)) or view.rows.get((view.baseline, value))
    off = any(row.is_off for version in view.versions if (row := view.rows.get((version, value))))
    mark = paint(look.palette.wrong, "▲") + NO_BREAK if off else ""
    shown = escape(value, 14 if look.is_narrow else 26) or MISSING
    return f"{mark}{shown} {paint(look.palette.faint_ink, format_count(own.part.gap.n) if own else '0')}"


def _hover(row: GapRow) -> list[str]:
    return [
        name_of(row.value),
        format_change(row.part.gap.value, "share"),
        f"{format_change(row.part.gap.lower, 'share')} to {format_change(row.part.gap.upper, 'share')}",
        format_share(row.part.mean_probability),
        format_share(row.part.positive_share),
        format_count(row.part.gap.n),
    ]


def _template(version: str, words: OutcomeWords) -> str:
    return (
        f"<b>%{{customdata[0]}}</b>, {name_of(version)}<br>gap %{{customdata[1]}} (%{{customdata[2]}})"
        f"<br>mean p %{{customdata[3]}}, {words.came} %{{customdata[4]}}<br>n = %{{customdata[5]}}<extra></extra>"
    )


def plot_gap_windows(view: GapWindows, look: Look, provenance: str) -> go.Figure:
    """The gap of each version over time with its interval."""
    figure = go.Figure()
    for version, line in view.lines.items():
        colour = look.version(version, view.baseline)
        times = [datetime.fromtimestamp(start, UTC) for start, _row in line]
        upper, lower = ([100 * getattr(row.part.gap, end) for _start, row in line] for end in ("upper", "lower"))
        figure.add_scatter(x=[*times, *times[::-1]], y=[*upper, *lower[::-1]], fill="toself", **band(colour))
        figure.add_scatter(
            x=times,
            y=[100 * row.part.gap.value for _start, row in line],
            mode="lines+markers" if len(line) < 60 else "lines",
            name=name_of(version),
            line={"color": colour, "width": 2},
            marker={"size": 5},
            customdata=[_hover(row) for _start, row in line],
            hovertemplate=_template(version, view.words),
        )
    figure.add_shape(
        type="line", xref="x domain", x0=0, x1=1, yref="y", y0=0, y1=0,
        line={"color": look.palette.soft_ink, "width": 1.2, "dash": "dot"},
    )  # fmt: skip
    figure.update_layout(yaxis={"title": {"text": "gap in points"}, "nticks": 6}, xaxis={"nticks": 6})
    key = tuple(key_item(look.version(each, view.baseline), name_of(each)) for each in view.lines)
    return finish(
        figure,
        escape(view.sentence(), 400),
        f"{view.words.share.capitalize()} − mean p: above 0 probabilities are too low. 95 % intervals.",
        provenance,
        look,
        [Panel(170, f"Calibration gap per {view.width_words}", key, "time (UTC)", 2)],
        left=left_margin(["−10.5"], look),
    )
