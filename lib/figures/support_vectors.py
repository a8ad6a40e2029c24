"""Support vectors drawn: what share of each version and class lies where, and how slack is distributed."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lib.figures.format import PER_CENT, format_count, format_estimate, format_loss, format_score, format_share
from lib.figures.frame import Panel, empty_figure, finish, left_margin, square, whiskers
from lib.figures.support_vectors_view import CLASSES, WORDS, SupportRow, SupportView
from lib.figures.text import name_of
from lib.figures.theme import Look, contrast, fade
from lib.metrics.support_vectors import KINDS, Kind

WRITTEN, WRITTEN_NARROW = 0.09, 0.18
"""A part of a bar at least so wide has its share written in it; on a phone."""


def colours_of(look: Look) -> dict[Kind, str]:
    """A colour for each kind: red for what is wrong, the quiet one for what no solver looks at."""
    palette = look.palette
    return {
        "wrong_side": palette.wrong,
        "inside": palette.series[1],
        "on_margin": palette.series[0],
        "free": palette.axis,
    }


def plot_support_vectors(view: SupportView, look: Look, provenance: str) -> go.Figure:
    """One bar for each version and class, cut into kinds; a whisker where the support vectors end."""
    if view.nothing:
        return empty_figure(view.answer(), provenance, look)
    figure, colours = go.Figure(), colours_of(look)
    labels = [CLASSES[row.label] for row in view.rows]
    panels: list[Panel] = []
    for place, version in enumerate(view.versions):
        number = "" if place == 0 else str(place + 1)
        own = [row for row in view.rows if row.version == version]
        for kind in KINDS:
            _add_kind(figure, own, kind, colours[kind], number, look)
        _add_ends(figure, own, number, look)
        figure.update_layout(
            {
                f"xaxis{number}": {"range": [0, 100], "ticksuffix": PER_CENT, "nticks": 6},
                f"yaxis{number}": {
                    "tickmode": "array",
                    "tickvals": list(range(len(own))),
                    "ticktext": [CLASSES[row.label] for row in reversed(own)],
                    "range": [-0.6, len(own) - 0.4],
                    "showgrid": False,
                },
            }
        )
        key = tuple(square(colours[kind], WORDS[kind]) for kind in KINDS) if place == 0 else ()
        last = place == len(view.versions) - 1
        panels.append(Panel(34 * len(own) + 6, name_of(version), key, "share of labelled rows" if last else ""))
    figure.update_layout(barmode="stack", bargap=0.3)
    row = view.focus
    said = "rests on" if view.has_hinge_scale else "would rest on"
    of = f"{name_of(view.split)} rows" if view.split else "rows"
    title = f"{name_of(row.version)} {said} {format_share(row.share.value)} of its {of}"
    n = ", ".join(f"{format_count(view.row(each).n)} of {name_of(each)}" for each in view.versions)
    subtitle = f"n = {n}, labelled rows. Lines: 95 % intervals of the share of support vectors, all that is not free."
    return finish(
        figure,
        title if row.share.is_defined else "Support vectors",
        subtitle,
        provenance,
        look,
        panels,
        left=left_margin(labels, look, titled=False),
        right=24,
    )


def _add_kind(figure: go.Figure, rows: list[SupportRow], kind: Kind, colour: str, number: str, look: Look) -> None:
    places = list(reversed(range(len(rows))))
    written = WRITTEN_NARROW if look.is_narrow else WRITTEN
    shares = [np.nan_to_num(row.kinds[kind].value) for row in rows]
    ground = max((look.palette.paper, look.palette.ink), key=lambda each: contrast(each, colour))
    figure.add_bar(
        x=[100 * share for share in shares],
        y=places,
        orientation="h",
        xaxis=f"x{number}",
        yaxis=f"y{number}",
        marker={"color": colour, "line": {"width": 0}},
        text=[f"<b>{format_share(share)}</b>" if share >= written else "" for share in shares],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"color": ground},
        constraintext="none",
        customdata=[
            [format_count(row.hits[kind]), format_estimate(row.kinds[kind], "share"), CLASSES[row.label]]
            for row in rows
        ],
        hovertemplate=f"%{{customdata[2]}}, {WORDS[kind]}: %{{customdata[0]}} rows<br>%{{customdata[1]}}"
        "<extra></extra>",
    )


def _add_ends(figure: go.Figure, rows: list[SupportRow], number: str, look: Look) -> None:
    told = [(place, row) for place, row in zip(reversed(range(len(rows))), rows, strict=True) if row.share.is_defined]
    figure.add_scatter(
        x=[100 * row.share.value for _, row in told],
        y=[place for place, _ in told],
        xaxis=f"x{number}",
        yaxis=f"y{number}",
        mode="markers",
        marker={"size": 1, "color": look.palette.ink},
        error_x={
            "type": "data",
            "symmetric": False,
            "color": look.palette.ink,
            "thickness": 1.6,
            "width": 5,
            **whiskers([row.share for _, row in told], 100),
        },
        hoverinfo="skip",
    )


def plot_slack(view: SupportView, look: Look, provenance: str) -> go.Figure:
    """Shares of rows by how far they fall short of a margin of 1, versions over each other."""
    if view.nothing:
        return empty_figure(view.answer(), provenance, look)
    figure, edges = go.Figure(), view.slack.edges
    last = len(edges) - 2
    for version in view.versions:
        colour = look.version(version, view.baseline)
        strong = version != view.baseline or len(view.versions) == 1
        heights = 100 * np.nan_to_num(view.slack_of(version))
        words = [
            f"slack above {format_score(low)}"
            if place == last
            else f"slack {format_score(low)} to {format_score(high)}"
            for place, (low, high) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
        ]
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=heights,
            width=np.diff(edges),
            marker={"color": fade(colour, 0.32 if strong else 0.55), "line": {"width": 0}},
            customdata=[[word, format_share(height / 100)] for word, height in zip(words, heights, strict=True)],
            hovertemplate=f"<b>{name_of(version)}</b><br>%{{customdata[0]}}: %{{customdata[1]}} of rows<extra></extra>",
        )
        figure.add_scatter(
            x=edges,
            y=np.append(heights, heights[-1]),
            mode="lines",
            hoverinfo="skip",
            line={"shape": "hv", "color": colour, "width": 2 if strong else 1.2},
        )
    top = max(float(np.nanmax(100 * np.nan_to_num(view.slack.share), initial=0.1)), 0.1)
    wrong = float(edges[-1]) > 1
    if wrong:
        figure.add_shape(
            type="rect", x0=1, x1=float(edges[-1]), y0=0, y1=1, yref="y domain", layer="below",
            fillcolor=fade(look.palette.wrong, 0.055), line={"width": 0},
        )  # fmt: skip
    figure.update_layout(
        barmode="overlay",
        xaxis={"range": [0, float(edges[-1])]},
        yaxis={"range": [0, 1.14 * top], "ticksuffix": PER_CENT, "nticks": 6, "title": {"text": "share of rows"}},
    )
    rows = [view.row(version) for version in view.versions]
    key = tuple(
        square(
            look.version(row.version, view.baseline),
            f"{name_of(row.version)}: mean {format_loss(row.slack.value)}, total {format_loss(row.total)}, "
            f"n = {format_count(row.n)}",
        )
        for row in rows
    )
    row = view.focus
    title = f"Slack of {name_of(row.version)} is {format_loss(row.slack.value)} on average"
    subtitle = "Slack is max(0, 1 − m): how far a row falls short of the margin; rows without any are not drawn."
    subtitle += " Tinted: above 1, on the wrong side." if wrong else ""
    subtitle += " The last bar holds all beyond."
    return finish(
        figure, title, subtitle, provenance, look, [Panel(200, "", key, "slack ξ = max(0, 1 − m)")],
        left=left_margin(["10.5 %"], look),
    )  # fmt: skip
