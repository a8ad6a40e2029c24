"""Batch by batch: how margins were distributed in each window of a part, its labels, and how many rows had none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from lib.diagnose import Diagnosis
from lib.figures.format import PER_CENT, format_count, format_share, format_time
from lib.figures.frame import Panel, empty_figure, finish, left_margin
from lib.figures.monitoring_parts import part_words
from lib.figures.text import margin_axis, name_of
from lib.figures.theme import Look
from lib.grid import COARSE
from lib.metrics.estimates import FloatArray, divide
from lib.metrics.incidents import Part
from lib.metrics.margins import margin_histogram
from lib.metrics.parts import count_rows
from lib.monitoring import narrowed
from lib.schema import NO_WINDOW, WINDOW, cohort_key

LOWEST, HIGHEST = -4.0, 6.0


@dataclass(frozen=True, eq=False)
class Batches:
    """The windows of a part.

    Attributes:
        part: whose rows.
        width: of a window, in seconds.
        words: that width as one says it.
        starts: shape (W,), epoch seconds.
        edges: shape (E,), of bins of margin; what lies beyond is in the first or the last bin.
        share: shape (W, E − 1), of the labelled, scored rows in each bin; NaN without any.
        n: shape (W,), labelled, scored rows.
        positive: shape (W,), the share of labelled rows that are positive.
        unlabelled: shape (W,), the share of rows without a label.
        margin_name: what the axis of margins is called.
    """

    part: Part
    width: int
    words: str
    starts: NDArray[np.int64]
    edges: FloatArray
    share: FloatArray
    n: FloatArray
    positive: FloatArray
    unlabelled: FloatArray
    margin_name: str

    @classmethod
    def of(cls, diagnosis: Diagnosis, part: Part) -> Batches:
        """The windows of a part, versions together."""
        grid = diagnosis.facts.windows
        assert grid is not None
        if part.is_crossing:
            cells = diagnosis.with_settings(where=narrowed(diagnosis.settings.where, part)).cells(WINDOW)
        elif part.column:
            key = cohort_key(part.column)
            cells = diagnosis.cells(key, WINDOW, finest=COARSE)
            cells = cells.where(cells.groups[key] == part.value)
        else:
            cells = diagnosis.cells(WINDOW)
        cells = cells.where(cells.groups[WINDOW] != NO_WINDOW)
        edges = np.linspace(LOWEST, HIGHEST, round((HIGHEST - LOWEST) / COARSE.step) + 1)
        held = margin_histogram(cells, edges)
        n = held.n.sum(axis=1)
        n[:, 0] += held.n_below.sum(axis=1)
        n[:, -1] += held.n_above.sum(axis=1)
        total = n.sum(axis=1)
        rows = count_rows(cells)
        return cls(
            part,
            grid.width,
            grid.words,
            cells.groups[WINDOW].astype(np.int64),
            edges,
            divide(n, total[:, None]),
            total,
            divide(rows[:, 2], rows[:, 0] + rows[:, 2]),
            divide(rows[:, 1], rows.sum(axis=1)),
            margin_axis(diagnosis.facts.mapping),
        )

    def frame(self) -> pd.DataFrame:
        """One row per window: n, labels, and the share of each bin of margins."""
        names = [f"{low:g} to {high:g}" for low, high in zip(self.edges[:-1], self.edges[1:], strict=True)]
        first = {
            "rows": part_words(self.part),
            "window": [format_time(int(each)) for each in self.starts],
            "n": self.n.astype(np.int64),
            "positive_share": self.positive,
            "unlabelled_share": self.unlabelled,
        }
        return pd.DataFrame(first | {f"margin {name}": self.share[:, place] for place, name in enumerate(names)})


def plot_batches(view: Batches, look: Look, provenance: str) -> go.Figure:
    """A column of margins for each window, and what its labels were."""
    if not view.n.sum():
        return empty_figure(f"No labelled, scored rows of {name_of(part_words(view.part))}.", provenance, look)
    figure = go.Figure()
    times = 1000.0 * (view.starts + view.width / 2)
    middles = (view.edges[:-1] + view.edges[1:]) / 2
    when = [format_time(int(each), view.width) for each in view.starts]
    bins = [f"{low:g} to {high:g}" for low, high in zip(view.edges[:-1], view.edges[1:], strict=True)]
    figure.add_heatmap(
        x=times,
        y=middles,
        z=100 * view.share.T,
        colorscale=[[0, look.palette.paper], [1, look.palette.candidate]],
        zmin=0,
        showscale=False,
        customdata=[[[moment, name] for moment in when] for name in bins],
        hovertemplate="%{customdata[0]}<br>margin %{customdata[1]}: %{z:.1f} % of the window<extra></extra>",
    )
    for number, values, name in (("2", view.positive, "positive"), ("3", view.unlabelled, "without a label")):
        figure.add_scatter(
            x=times,
            y=100 * values,
            mode="lines+markers",
            xaxis=f"x{number}",
            yaxis=f"y{number}",
            line={"color": look.palette.candidate, "width": 1.6},
            marker={"size": 3},
            customdata=when,
            hovertemplate=f"%{{customdata}}<br>%{{y:.1f}} % {name}<extra></extra>",
        )
        figure.update_layout(
            {
                f"xaxis{number}": {"type": "date"},
                f"yaxis{number}": {"ticksuffix": PER_CENT, "rangemode": "tozero", "nticks": 3},
            }
        )
    figure.update_layout(xaxis={"type": "date"}, yaxis={"title": {"text": "margin"}, "nticks": 6, "showgrid": False})
    panels = [
        Panel(220, f"{view.margin_name}: share of each {view.words}'s rows, stronger is more"),
        Panel(60, "Positive among labelled rows"),
        Panel(60, "Rows without a label", (), f"time (UTC), per {view.words}", 2),
    ]
    least, most = format_count(float(view.n.min())), format_count(float(view.n.max()))
    subtitle = f"{name_of(part_words(view.part))}, n = {least} to {most} a window, labelled and scored rows."
    return finish(figure, batches_title(view), subtitle, provenance, look, panels, left=left_margin(["10.5 %"], look))


def batches_title(view: Batches) -> str:
    """The window with the most rows on the wrong side of zero (escaped)."""
    wrong = view.share[:, view.edges[:-1] < 0].sum(axis=1)
    worst = int(np.nanargmax(wrong))
    when = format_time(int(view.starts[worst]), view.width)
    middle = format_share(float(np.nanmedian(wrong)))
    most = format_share(float(wrong[worst]))
    return f"Margins below 0 were most on {when}: {most} of rows, {middle} in the usual window"
