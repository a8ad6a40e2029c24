"""Vectors over time: drift of each window beside what chance does, and shifts that come back."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lib.figures.drift_view import MEASURES, verdict_words
from lib.figures.drift_windows_view import (
    PHASES,
    DriftWindowsView,
    cycles_of,
    seasons_subtitle,
    seasons_title,
)
from lib.figures.format import format_count, format_loss
from lib.figures.frame import Panel, finish, key_item, left_margin
from lib.figures.text import escape, name_of
from lib.figures.theme import Look
from lib.figures.windows import runs_of
from lib.metrics.drift import Measure
from lib.metrics.seasons import Season

HIGH, LOW = 110, 84
"""The height of the first panel, and of the others."""


def plot_drift_windows(view: DriftWindowsView, look: Look, provenance: str) -> go.Figure:
    """A panel for each measure: a dot for each window, with the floor under it."""
    figure, found, colours = go.Figure(), view.found, look.palette
    starts, width = np.array(found.starts, np.int64), found.grid.width
    middle = 1000.0 * (starts + width / 2)
    panels: list[Panel] = []
    for place, measure in enumerate(Measure):
        number = "" if place == 0 else str(place + 1)
        axes = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
        each = [drift[measure] for drift in found.drifts]
        value, floor = np.array([one.value for one in each]), np.array([one.floor for one in each])
        for run in runs_of(starts, width, np.isfinite(value)):
            edges = 1000.0 * np.append(starts[run], starts[run[-1]] + width)
            figure.add_scatter(
                x=edges, y=np.append(floor[run], floor[run[-1]]), mode="lines", hoverinfo="skip",
                line={"color": colours.soft_ink, "width": 1.3, "dash": "dot", "shape": "hv"}, **axes,
            )  # fmt: skip
            figure.add_scatter(
                x=middle[run], y=value[run], mode="lines", hoverinfo="skip",
                line={"color": colours.axis, "width": 1.2}, **axes,
            )  # fmt: skip
        for is_drift, colour in ((False, colours.axis), (True, colours.candidate)):
            here = [row for row, one in enumerate(each) if one.is_drift == is_drift and np.isfinite(one.value)]
            figure.add_scatter(
                x=middle[here],
                y=value[here],
                mode="markers",
                marker={"size": 7, "color": colour},
                customdata=[
                    [view.when(row), format_loss(value[row]), format_loss(floor[row]), verdict_words(each[row]),
                     format_count(found.drifts[row].m)]
                    for row in here
                ],
                hovertemplate=f"<b>%{{customdata[0]}}</b><br>{MEASURES[measure].name} %{{customdata[1]}}, floor "
                "%{customdata[2]}: %{customdata[3]}<br>n = %{customdata[4]}<extra></extra>",
                **axes,
            )  # fmt: skip
        least = 0.5 if measure is Measure.DOMAIN_AUC else 0.0
        known = np.concatenate([value, floor])[np.isfinite(np.concatenate([value, floor]))]
        low, most = float(np.min(known, initial=least)), float(np.max(known, initial=least + 0.05))
        figure.update_layout(
            {
                f"yaxis{number}": {"range": [low - 0.06 * (most - low), most + 0.1 * (most - low)], "nticks": 4},
                f"xaxis{number}": {"type": "date"},
            }
        )
        keys = (
            key_item(colours.candidate, "moved", "●"),
            key_item(colours.axis, "within chance, or too little to matter", "●"),
            key_item(colours.soft_ink, "noise floor", "┄"),
        )
        is_last = place == len(Measure) - 1
        panels.append(
            Panel(
                HIGH if place == 0 else LOW,
                MEASURES[measure].name,
                keys if place == 0 else (),
                f"time (UTC), per {found.grid.words}" if is_last else "",
                2,
            )
        )
    return finish(
        figure,
        escape(view.sentence(), 400),
        view.subtitle(),
        provenance,
        look,
        panels,
        left=left_margin(["0.00"], look, titled=False),
    )


def plot_seasons(seasons: dict[str, list[Season]], baseline: str, look: Look, provenance: str) -> go.Figure:
    """A panel for each cycle: how far the mean of each of its parts lies from the mean of all, by version."""
    figure, panels = go.Figure(), list[Panel]()
    names = {version: key_item(look.version(version, baseline), name_of(version), "●") for version in seasons}
    for place, cycle in enumerate(cycles_of(seasons)):
        number = "" if place == 0 else str(place + 1)
        for version, found in seasons.items():
            for each in (one for one in found if one.cycle == cycle):
                figure.add_scatter(
                    x=list(range(len(each.phases))),
                    y=each.phases,
                    mode="lines+markers",
                    line={"color": look.version(version, baseline), "width": 1.8},
                    marker={"size": 7},
                    customdata=[
                        [part, format_loss(value)] for part, value in zip(PHASES[cycle], each.phases, strict=True)
                    ],
                    hovertemplate=f"<b>{name_of(version)}</b> %{{customdata[0]}}<br>%{{customdata[1]}} of the spread"
                    "<extra></extra>",
                    xaxis=f"x{number}",
                    yaxis=f"y{number}",
                )
        figure.update_layout(
            {
                f"xaxis{number}": {
                    "tickmode": "array",
                    "tickvals": list(range(len(PHASES[cycle]))),
                    "ticktext": list(PHASES[cycle]),
                    "range": [-0.4, len(PHASES[cycle]) - 0.6],
                },
                f"yaxis{number}": {"rangemode": "tozero", "nticks": 4},
            }
        )
        title = "day of the week (UTC)" if cycle == "week" else "hours of the day (UTC)"
        panels.append(Panel(HIGH, "", tuple(names.values()) if place == 0 else (), title))
    return finish(
        figure,
        seasons_title(seasons),
        seasons_subtitle(seasons),
        provenance,
        look,
        panels,
        left=left_margin(["0.00"], look, titled=False),
    )
