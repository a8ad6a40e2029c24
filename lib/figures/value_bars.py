"""A number of every row as bars, version over version: lengths, distances, triplet margins, residuals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lib.figures.format import PER_CENT, format_count, format_share
from lib.figures.frame import Panel, finish, left_margin, mark_vertical, square
from lib.figures.histogram import add_bars, highest_bar
from lib.figures.histogram_view import Bars
from lib.figures.text import name_of
from lib.figures.theme import TEXT_SIZE, Look
from lib.metrics.estimates import FloatArray
from lib.metrics.value_bars import count_bars, round_edges


@dataclass(frozen=True, eq=False)
class BarPanel:
    """One plot of bars.

    Attributes:
        heading: what it shows (escaped).
        x_title: the title of its axis (escaped); "" where it shares that of the next.
        bars: of each group.
        colours: of each group.
    """

    heading: str
    x_title: str
    bars: tuple[Bars, ...]
    colours: tuple[str, ...]


def bars_of(values: dict[str, FloatArray], symbol: str, edges: FloatArray | None = None) -> tuple[Bars, ...]:
    """Numbers of several groups, by their name, on the same bars."""
    shared = round_edges(list(values.values())) if edges is None else edges
    counted = {name: count_bars(each, shared) for name, each in values.items()}
    return tuple(
        Bars(name, "", None, shared[:-1], shared[1:], each.n.astype(np.float64), each.share, each.total, each.beyond,
             symbol)
        for name, each in counted.items()
    )  # fmt: skip


def bars_frame(bars: Sequence[Bars], number: str, group: str = "version") -> pd.DataFrame:
    """One row per group and bar; the end bars are open."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    group: each.version,
                    "number": number,
                    "from": np.append(-np.inf, each.left[1:]),
                    "to": np.append(each.right[:-1], np.inf),
                    "n": each.n.astype(np.int64),
                    "share": each.share,
                }
            )
            for each in bars
        ],
        ignore_index=True,
    )


def plot_value_bars(
    title: str,
    subtitle: str,
    panels: Sequence[BarPanel],
    look: Look,
    provenance: str,
    *,
    noun: str = "rows",
    marked: tuple[float, str] | None = None,
) -> go.Figure:
    """Bars in panels one below the other, each with an axis of its own unless it shares the next one's.

    Args:
        title: the finding (escaped).
        subtitle: what else is to be said (escaped).
        panels: at least one.
        look: how figures are drawn.
        provenance: where the numbers come from (escaped).
        noun: what is counted.
        marked: a number that is marked in the last panel, and its name (escaped).
    """
    figure = go.Figure()
    framed: list[Panel] = []
    for place, panel in enumerate(panels):
        number = "" if place == 0 else str(place + 1)
        highest = max(highest_bar(each) for each in panel.bars)
        for order, (each, colour) in enumerate(zip(panel.bars, panel.colours, strict=True)):
            if each.total:
                add_bars(figure, each, colour, number, strong=order == len(panel.bars) - 1)
        low, high = float(panel.bars[0].left[0]), float(panel.bars[0].right[-1])
        if marked is not None and place == len(panels) - 1:
            low, high = min(low, marked[0]), max(high, marked[0])
        figure.update_layout(
            {
                f"xaxis{number}": {"range": [low, high], "nticks": 7},
                f"yaxis{number}": {
                    "range": [0, 1.14 * highest],
                    "ticksuffix": PER_CENT,
                    "nticks": 5,
                    "title": {"text": f"share of {noun}"},
                },
            }
        )
        key = tuple(
            square(colour, f"{name_of(each.version)}, n = {format_count(each.total)}")
            for each, colour in zip(panel.bars, panel.colours, strict=True)
        )
        framed.append(Panel(200 if len(panels) == 1 else 120, panel.heading, key, panel.x_title))
    if marked is not None:
        number = "" if len(panels) == 1 else str(len(panels))
        mark_vertical(figure, marked[0], look.palette.soft_ink, number)
        figure.add_annotation(
            text=marked[1],
            x=marked[0],
            xref=f"x{number}",
            y=1,
            yref=f"y{number} domain",
            xanchor="left",
            yanchor="top",
            xshift=4,
            showarrow=False,
            font={"color": look.palette.soft_ink, "size": TEXT_SIZE},
        )
    figure.update_layout(barmode="overlay")
    beyond = max((each.beyond for panel in panels for each in panel.bars), default=0.0)
    if beyond > 0:
        subtitle = f"{subtitle} Up to {format_share(beyond)} lie beyond the axis and are in the end bars.".strip()
    return finish(figure, title, subtitle, provenance, look, framed, left=left_margin(["10.5 %"], look))
