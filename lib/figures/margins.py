"""Where the margins of the data lie: by version, class and split, with γ, medians and violation shares marked."""

from __future__ import annotations

import plotly.graph_objects as go

from lib.figures.format import PER_CENT, format_count, format_plural, format_score, format_share
from lib.figures.frame import Panel, empty_figure, finish, left_margin, square
from lib.figures.histogram import add_bars, highest_bar, mark_margin_target, name_margin_target
from lib.figures.margins_view import BY_CLASS, BY_VERSION, Group, MarginsView
from lib.figures.text import name_of
from lib.figures.theme import Look, fade


def plot_margins(view: MarginsView, look: Look, provenance: str) -> go.Figure:
    """Step outlines of the margins, one panel per class or split, versions over each other, all on one axis."""
    if view.nothing:
        return empty_figure(view.answer(), provenance, look)
    figure, colours, gamma = go.Figure(), look.palette, view.margin_target
    panels: list[Panel] = []
    names = tuple(dict.fromkeys(each.bars.panel for each in view.groups))
    low, high = float(view.distribution.edges[0]), float(view.distribution.edges[-1])
    highest = max(highest_bar(each.bars) for each in view.groups)
    for place, name in enumerate(names):
        number = "" if place == 0 else str(place + 1)
        here = [each for each in view.groups if each.bars.panel == name]
        mark_margin_target(figure, gamma, (low, gamma), fade(colours.wrong, 0.055), number, look)
        for each in here:
            _add_group(figure, each, view, look, number)
        figure.update_layout(
            {
                f"xaxis{number}": {"range": [low, high]},
                f"yaxis{number}": {
                    "range": [0, 1.14 * highest],
                    "ticksuffix": PER_CENT,
                    "nticks": 6,
                    "title": {"text": "share of rows"},
                },
            }
        )
        last = place == len(names) - 1
        heading = _heading(view, name)
        key = tuple(_key(each, view, look) for each in here)
        height = 250 if len(names) == 1 else 120
        panels.append(Panel(height, heading, key, view.axis if last else ""))
    name_margin_target(figure, gamma, look)
    figure.update_layout(barmode="overlay", clickmode="event+select")
    subtitle = f"Triangles: medians. Tinted: margins below γ, violations. {view.distribution.clipped_words}".strip()
    if view.left_out:
        left_out = format_plural(view.left_out, "more is", "more are")
        where = "in the table below" if view.by == BY_CLASS else "on the Cohorts page"
        subtitle += f" The {len(names)} ranked worst; {left_out} {where}."
    return finish(figure, _title(view), subtitle, provenance, look, panels, left=left_margin(["10.5 %"], look))


def _heading(view: MarginsView, panel: str, between: str = ": ") -> str:
    if view.by == BY_VERSION:
        return ""
    return (
        panel.capitalize()
        if view.by == BY_CLASS and view.of_two
        else f"{name_of(view.by_words)}{between}{name_of(panel)}"
    )


def _title(view: MarginsView) -> str:
    told = [each for each in view.groups if each.violation.is_defined]
    if not told:
        return "Margins"
    if view.by == BY_VERSION:
        shares = [f"{format_share(each.violation.value)} of {name_of(each.bars.version)}" for each in told]
        return f"{' and '.join(shares)} {'lie' if len(shares) > 1 else 'lies'} below the margin target"
    worst = max(told, key=lambda each: each.violation.value)
    return (
        f"Most violations: {_heading(view, worst.bars.panel, ' ')} in {name_of(worst.bars.version)}, "
        f"{format_share(worst.violation.value)} below the margin target"
    )


def _key(group: Group, view: MarginsView, look: Look) -> str:
    colour = look.version(group.bars.version, view.baseline)
    name = name_of(group.bars.version)
    if not group.violation.is_defined:
        return square(colour, f"{name}: undefined, {group.violation.reason}")
    return square(
        colour,
        f"{name}: {format_share(group.violation.value)} below γ, median {format_score(group.median.value)}, "
        f"n = {format_count(group.bars.total)}",
    )


def _add_group(figure: go.Figure, group: Group, view: MarginsView, look: Look, number: str) -> None:
    bars = group.bars
    if not bars.total:
        return
    colour = look.version(bars.version, view.baseline)
    strong = bars.version != view.baseline or view.baseline == view.candidate
    add_bars(figure, bars, colour, number, strong=strong, code=group.code)
    median = group.median
    if median.is_defined:
        inside = min(max(median.value, float(bars.left[0])), float(bars.right[-1]))
        figure.add_scatter(
            x=[inside],
            y=[0],
            xaxis=f"x{number}",
            yaxis=f"y{number}",
            mode="markers",
            cliponaxis=False,
            marker={
                "symbol": "triangle-up",
                "size": 12,
                "color": colour,
                "line": {"width": 1.5, "color": look.palette.paper},
            },
            hovertemplate=f"<b>{name_of(bars.version)}</b> median {format_score(median.value)}<extra></extra>",
        )
