"""Two versions of vectors: each dimension, each cohort, and what is left of each row after turning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lib.figures.dots import add_dots, add_marks
from lib.figures.drift_view import (
    ANOTHER,
    MEASURES,
    STALE,
    DriftView,
    residual_groups,
    residuals_subtitle,
    residuals_title,
    verdict_words,
)
from lib.figures.format import format_count, format_loss
from lib.figures.frame import Panel, finish, key_item, left_margin
from lib.figures.text import name_of, plain
from lib.figures.theme import TEXT_LINE, Look
from lib.figures.value_bars import BarPanel, bars_frame, bars_of, plot_value_bars
from lib.metrics.alignment import Alignment
from lib.metrics.drift import Measure
from lib.metrics.estimates import Estimate
from lib.metrics.permutations import NOISE_LEVEL


def plot_ks(view: DriftView, compared: str, look: Look, provenance: str) -> go.Figure:
    """The Kolmogorov–Smirnov distance of each dimension, those beyond chance in the candidate's colour."""
    drift, colours, figure = view.compared[compared], look.palette, go.Figure()
    beyond = drift.ks_p_adjusted <= NOISE_LEVEL
    for rows, colour, words in ((~beyond, colours.axis, "within chance"), (beyond, colours.candidate, "moved")):
        places = np.flatnonzero(rows & np.isfinite(drift.ks))
        # A line from 0 up to each point: bars of 4,096 dimensions would be too narrow to be seen.
        stems = np.stack([places, places, places], axis=1).ravel().astype(np.float64)
        heights = np.stack([np.zeros(len(places)), drift.ks[places], np.full(len(places), np.nan)], axis=1).ravel()
        figure.add_scatter(x=stems, y=heights, mode="lines", line={"color": colour, "width": 1.2}, hoverinfo="skip")
        figure.add_scatter(
            x=places,
            y=drift.ks[places],
            mode="markers",
            marker={"size": 5, "color": colour},
            customdata=[[format_loss(float(drift.ks[place])), words] for place in places],
            hovertemplate="dimension %{x}<br>KS %{customdata[0]}, %{customdata[1]}<extra></extra>",
        )
    highest = float(np.nanmax(drift.ks, initial=0.05))
    figure.update_layout(
        xaxis={"range": [-1, len(drift.ks)], "nticks": 8},
        yaxis={"range": [0, 1.1 * highest], "nticks": 5, "title": {"text": "KS distance"}},
    )
    keys = key_item(colours.candidate, "beyond chance", "●"), key_item(colours.axis, "within chance", "●")
    return finish(
        figure,
        view.ks_title(compared),
        f"n = {format_count(drift.n_used)} and {format_count(drift.m_used)}; corrected for all dimensions. In a space "
        "that was turned every dimension moves and no neighbour does.",
        provenance,
        look,
        [Panel(180, "", keys, "dimension, from 0")],
        left=left_margin(["0.00"], look),
    )


def plot_cohorts(view: DriftView, column: str, measure: Measure, look: Look, provenance: str) -> go.Figure:
    """How far each cohort moved, beside what chance does to as many rows."""
    rows, figure = view.cohort_rows(column, measure), go.Figure()
    names = [name_of(plain(value, 24)) for value, _drift, _one in rows]
    for is_drift, colour in ((False, look.palette.axis), (True, look.palette.candidate)):
        here = [place for place, row in enumerate(rows) if row[2].is_drift == is_drift]
        add_dots(
            figure,
            [Estimate(rows[place][2].value, np.nan, np.nan, rows[place][1].m) for place in here],
            here,
            view.candidate,
            colour,
            look,
            factor=1,
            hovers=[
                [name_of(rows[place][0]), format_loss(rows[place][2].value), format_loss(rows[place][2].floor),
                 verdict_words(rows[place][2]),
                 f"{format_count(rows[place][1].n)} and {format_count(rows[place][1].m)}"]
                for place in here
            ],
            template="<b>%{customdata[0]}</b><br>%{customdata[1]}, floor %{customdata[2]}: %{customdata[3]}"
            "<br>n = %{customdata[4]}<extra></extra>",
        )  # fmt: skip
    add_marks(figure, [one.floor for _value, _drift, one in rows], list(range(len(rows))), look.palette.soft_ink)
    least = 0.5 if measure is Measure.DOMAIN_AUC else 0.0
    most = max(max(one.value, one.floor) for _value, _drift, one in rows)
    figure.update_layout(
        xaxis={"range": [min(least, *(one.value for _value, _drift, one in rows)) - 0.01, most * 1.06], "nticks": 6},
        yaxis={
            "tickmode": "array",
            "tickvals": list(range(len(rows))),
            "ticktext": names,
            "range": [-0.6, len(rows) - 0.4],
        },
    )
    keys = (
        key_item(look.palette.candidate, "moved", "●"),
        key_item(look.palette.axis, "within chance, or too little to matter", "●"),
        key_item(look.palette.soft_ink, "noise floor", "|"),
    )
    return finish(
        figure,
        view.cohorts_title(column, measure),
        view.cohorts_note(),
        provenance,
        look,
        [Panel(max(26 * len(rows), 3 * TEXT_LINE), "", keys, MEASURES[measure].name)],
        left=left_margin(names, look, titled=False),
    )


def plot_residual_cohorts(view: DriftView, column: str, look: Look, provenance: str) -> go.Figure:
    """How far the rows of each cohort are from where turning puts them, with intervals, beside all rows."""
    rows, aligned, figure = view.residual_rows(column), view.found.alignment, go.Figure()
    assert aligned is not None, "residuals are of ids in both"
    names = [name_of(plain(value, 24)) for value, _each in rows]
    whole = float(aligned.residual.mean())
    add_dots(
        figure,
        [each for _value, each in rows],
        list(range(len(rows))),
        view.candidate,
        look.palette.candidate,
        look,
        factor=1,
        hovers=[
            [name_of(value), format_loss(each.value), format_loss(each.lower), format_loss(each.upper),
             format_count(each.n)]
            for value, each in rows
        ],
        template="<b>%{customdata[0]}</b><br>%{customdata[1]} (%{customdata[2]} to %{customdata[3]})"
        "<br>n = %{customdata[4]}<extra></extra>",
    )  # fmt: skip
    add_marks(figure, [whole] * len(rows), list(range(len(rows))), look.palette.soft_ink)
    figure.update_layout(
        xaxis={"range": [0, 1.06 * max(whole, *(each.upper for _value, each in rows))], "nticks": 6},
        yaxis={
            "tickmode": "array",
            "tickvals": list(range(len(rows))),
            "ticktext": names,
            "range": [-0.6, len(rows) - 0.4],
        },
    )
    keys = key_item(look.palette.candidate, "cohort", "●"), key_item(look.palette.soft_ink, "all ids in both", "|")
    return finish(
        figure,
        view.residuals_by_cohort_title(column),
        "The mean over the ids that are in both versions, with its 95 % interval. One is named if it is above all "
        "ids beyond chance, corrected for all shown.",
        provenance,
        look,
        [Panel(max(26 * len(rows), 3 * TEXT_LINE), "", keys, "mean residual, in units of the spread of the baseline")],
        left=left_margin(names, look, titled=False),
    )


def plot_residuals(aligned: Alignment, look: Look, provenance: str) -> tuple[go.Figure, pd.DataFrame]:
    """What is left of each row after turning, in the colours of what the rows are; the numbers behind."""
    bars = bars_of(residual_groups(aligned), "residual")
    # The rows that fit are the candidate's as it should be; what does not is wrong.
    colours = {ANOTHER: look.palette.wrong, STALE: look.palette.baseline}
    painted = tuple(colours.get(each.version, look.palette.candidate) for each in bars)
    panel = BarPanel("", "residual, in units of the spread of the baseline", bars, painted)
    figure = plot_value_bars(residuals_title(aligned), residuals_subtitle(aligned), [panel], look, provenance)
    return figure, bars_frame(bars, "residual", "rows")
