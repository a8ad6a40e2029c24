"""What stands around every figure: the title that states the finding, n, keys, axis titles and the provenance line.

Everything is placed in pixels and heights are fixed, so that nothing overlaps at any width. Panels stand one below
the other: the first is drawn on the axes x and y, the second on x2 and y2, and so on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import plotly.graph_objects as go

from lib import __version__
from lib.diagnose import Diagnosis
from lib.figures.format import format_span, format_time
from lib.figures.text import escape, name_of, width_of, wrap, wrap_items
from lib.figures.theme import (
    PROVENANCE_LINE,
    PROVENANCE_SIZE,
    SUBTITLE_LINE,
    SUBTITLE_SIZE,
    TEXT_LINE,
    TEXT_SIZE,
    TITLE_LINE,
    TITLE_SIZE,
    Look,
    fade,
    template,
)
from lib.metrics.estimates import Estimate
from lib.metrics.recalibration_maps import recalibrated_words
from lib.scan.facts import Facts
from lib.schema import Filter

PAD = 10
TICKS, AXIS_TITLE, GAP = 22, 20, 14
HEADING_GAP = 10
"""Between a heading and its plot, at whose top half a label of the axis may stand."""
BUTTONS = 52
"""What the buttons at the top right need beside the title."""
BOLD = 1.07
"""How much wider bold letters are."""


@dataclass(frozen=True)
class Panel:
    """One plot of a figure.

    Attributes:
        height: of the plot alone, in pixels.
        heading: what it shows, as plotly text.
        key: what its colours stand for, as plotly texts (see `key_item`), wrapped between them.
        x_title: the title of its x axis, with the unit; without one it shares the axis of the panel below.
        tick_lines: lines of the labels on its x axis; dates have two.
    """

    height: int
    heading: str = ""
    key: tuple[str, ...] = ()
    x_title: str = ""
    tick_lines: int = 1

    @property
    def foot(self) -> int:
        """What stands below the plot, in pixels: tick labels and the title of the axis."""
        return TICKS + AXIS_TITLE + (self.tick_lines - 1) * TEXT_LINE if self.x_title else 0


def key_item(colour: str, words: str, mark: str = "━━") -> str:
    """One entry of a key: a mark in its colour, then its words (already escaped)."""
    return f'<span style="color:{colour}"><b>{mark}</b></span> {words.replace(" ", chr(160))}'


def square(colour: str, words: str) -> str:
    """An entry of a key for an area."""
    return key_item(colour, words, "■")


def paint(colour: str, words: str) -> str:
    """Words (already escaped) in a colour."""
    return f'<span style="color:{colour}">{words}</span>'


def left_margin(labels: Sequence[str], look: Look, *, titled: bool = True) -> int:
    """How much room tick labels (and a title beside them) need at the left."""
    widest = max((width_of(label, TEXT_SIZE) for label in labels), default=0.0)
    return int(min(widest, look.text_width * 0.45)) + 12 + (20 if titled else 0)


def provenance_line(diagnosis: Diagnosis) -> str:
    """Where a figure comes from, in one escaped line: dataset, hash, versions, rows, γ, product version, UTC time."""
    settings = diagnosis.settings
    versions = " against ".join(name_of(each) for each in reversed(diagnosis.shown_versions))
    parts = [versions, filter_words(settings.where), f"γ = {settings.margin_target:g}"]
    if settings.recalibration is not None:
        parts.append(recalibrated_words(settings.recalibration))
    return source_line(diagnosis.facts, parts, diagnosis.made_at)


def source_line(facts: Facts, parts: Sequence[str], made_at: datetime) -> str:
    """Where something comes from, in one escaped line: dataset, hash, parts of it (escaped), product version, time."""
    source = f"sha256 {facts.inputs[0].sha256[:10]}" if len(facts.inputs) == 1 else f"key {facts.key[:10]}"
    made = f"{made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return " · ".join((name_of(facts.name), source, *parts, f"Marginalia {__version__}", made))


def filter_words(where: Filter) -> str:
    """Which rows are looked at, escaped: "language = pt, split = test, 2026-04-02 to 2026-04-05"; "all rows"."""
    parts = [f"{escape(column)} = {name_of(value)}" for column, value in where.cohorts]
    if where.split is not None:
        parts.append(f"split = {name_of(where.split)}")
    if where.start is not None and where.end is not None:
        parts.append(format_span(where.start, where.end, 60))
    elif where.start is not None:
        parts.append(f"from {format_time(where.start, 60)}")
    elif where.end is not None:
        parts.append(f"before {format_time(where.end, 60)}")
    return ", ".join(parts) or "all rows"


def finish(
    figure: go.Figure,
    title: str,
    subtitle: str,
    provenance: str,
    look: Look,
    panels: Sequence[Panel],
    *,
    left: int = 56,
    right: int = 16,
) -> go.Figure:
    """Frame a figure; traces are on their panels' axes already. All texts are escaped where they hold data.

    Args:
        figure: the figure, changed in place and returned.
        title: the finding, in a sentence.
        subtitle: n and what else has to be said.
        provenance: from `provenance_line`.
        look: theme and width.
        panels: from top to bottom, at least one.
        left: room for the tick labels and titles of the y axes.
        right: room for direct labels.
    """
    colours, room = look.palette, look.text_width - 2 * PAD
    titles = wrap(title, room - BUTTONS, TITLE_SIZE * BOLD)
    subtitles = wrap(subtitle, room, SUBTITLE_SIZE) if subtitle else []
    sources = wrap_items(provenance.split(" · "), room, PROVENANCE_SIZE)
    figure.update_layout(template=template(look.dark), autosize=True)

    head = 12 + len(titles) * TITLE_LINE + len(subtitles) * SUBTITLE_LINE + 8
    tops: list[int] = []
    y = head
    headings: list[tuple[int, str]] = []
    for panel in panels:
        lines = _heading_lines(panel, room, look)
        if lines:
            headings.append((y, "<br>".join(lines)))
            y += len(lines) * TEXT_LINE + HEADING_GAP
        tops.append(y)
        y += panel.height + panel.foot + GAP
    foot = 4 + len(sources) * PROVENANCE_LINE + 6
    height = y - GAP + 8 + foot
    first, last = tops[0], tops[-1] + panels[-1].height
    span = last - first

    for index, (panel, top) in enumerate(zip(panels, tops, strict=True)):
        number = "" if index == 0 else str(index + 1)
        low, high = (last - top - panel.height) / span, (last - top) / span
        shared = next((place for place in range(index, len(panels)) if panels[place].x_title), index)
        x = figure.layout[f"xaxis{number}"]
        x.update(anchor=f"y{number}", showticklabels=bool(panel.x_title), title={"text": panel.x_title or None})
        if shared != index:
            x.update(matches="x" if shared == 0 else f"x{shared + 1}", ticks="")
        figure.layout[f"yaxis{number}"].update(domain=[max(low, 0.0), min(high, 1.0)], anchor=f"x{number}")

    for top, text in headings:
        _place(figure, text, 1 + (first - top) / span, left, TEXT_SIZE, colours.ink, "heading")
    _place(
        figure,
        "<br>".join(sources),
        -(panels[-1].foot + 12) / span,
        left,
        PROVENANCE_SIZE,
        colours.faint_ink,
        "provenance",
    )
    _place(figure, "<br>".join(titles), 1 + (first - 8) / span, left, TITLE_SIZE, colours.ink, "title", weight=600)
    if subtitles:
        y = 1 + (first - 12 - len(titles) * TITLE_LINE) / span
        _place(figure, "<br>".join(subtitles), y, left, SUBTITLE_SIZE, colours.soft_ink, "subtitle")
    figure.update_layout(
        margin={"l": left, "r": right, "t": first, "b": height - last, "pad": 0},
        height=height,
        meta={"title": title, "subtitle": subtitle, "provenance": provenance},
    )
    if look.width is not None:
        figure.update_layout(width=look.width)
    return figure


def _heading_lines(panel: Panel, room: float, look: Look) -> list[str]:
    heading = f"<b>{panel.heading}</b>" if panel.heading else ""
    key = wrap_items(panel.key, room, TEXT_SIZE, "    ")
    if heading and len(key) == 1 and width_of(heading + "    " + key[0], TEXT_SIZE) <= room:
        return [f"{heading}    {key[0]}"]
    return [*([f"<b>{line}</b>" for line in wrap(panel.heading, room, TEXT_SIZE)] if heading else []), *key]


def _place(
    figure: go.Figure, text: str, y: float, left: int, size: float, colour: str, name: str, weight: int = 400
) -> None:
    """Text that begins at the left edge of the figure, its top at `y` of the plotting area."""
    figure.add_annotation(
        text=text,
        name=name,
        xref="paper",
        yref="paper",
        x=0,
        y=y,
        xanchor="left",
        yanchor="top",
        xshift=PAD - left,
        align="left",
        showarrow=False,
        borderpad=0,
        font={"size": size, "color": colour, "weight": weight},
    )


def empty_figure(words: str, provenance: str, look: Look) -> go.Figure:
    """A figure that says why there is nothing to draw."""
    figure = go.Figure()
    figure.update_xaxes(visible=False, range=[0, 1])
    figure.update_yaxes(visible=False, range=[0, 1])
    return finish(figure, words, "", provenance, look, [Panel(24)])


def mark_vertical(figure: go.Figure, x: float | str, colour: str, axes: str = "", *, dash: str = "dot") -> None:
    """A vertical line through one panel; `axes` is "" for the first, "2" for the second and so on."""
    figure.add_shape(
        type="line",
        xref=f"x{axes}",
        yref=f"y{axes} domain",
        x0=x,
        x1=x,
        y0=0,
        y1=1,
        line={"color": colour, "width": 1.2, "dash": dash},
    )


def band(colour: str, opacity: float = 0.18) -> dict[str, object]:
    """The style of an interval drawn as an area: no line, a light fill, no hover."""
    return {"line": {"width": 0}, "fillcolor": fade(colour, opacity), "hoverinfo": "skip", "mode": "lines"}


def whiskers(estimates: Sequence[Estimate], factor: float) -> dict[str, list[float]]:
    """The lengths of error bars, times `factor`; none on a side that is not known."""

    def length(upper: float, lower: float) -> float:
        return factor * max(upper - lower, 0.0) if math.isfinite(upper - lower) else 0.0

    return {
        "array": [length(each.upper, each.value) for each in estimates],
        "arrayminus": [length(each.value, each.lower) for each in estimates],
    }
