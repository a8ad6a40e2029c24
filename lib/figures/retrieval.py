"""Retrieval drawn: recall by k, recall and kept neighbours by cohort, and in how many lists rows are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from lib.figures.dots import add_dots
from lib.figures.format import (
    NO_BREAK,
    PER_CENT,
    format_change,
    format_change_interval,
    format_count,
    format_estimate,
    format_share,
)
from lib.figures.frame import Panel, finish, key_item, left_margin, mark_vertical, paint, square, whiskers
from lib.figures.retrieval_cohorts_view import CohortRow, CohortsOfQueries, HubsView
from lib.figures.retrieval_view import RECALLS, SHARE, RetrievalView, label_of
from lib.figures.text import escape, name_of, width_of
from lib.figures.theme import TEXT_SIZE, Look, fade
from lib.metrics.estimates import Estimate

MOST_COHORTS = 12
ROW_HEIGHT = 28
DOT_SHIFT = 0.17
TEMPLATE = "<b>%{customdata[0]}</b>, %{customdata[1]}<br>%{customdata[2]}<br>n = %{customdata[3]}<extra></extra>"


def plot_recall_by_k(view: RetrievalView, look: Look, provenance: str) -> go.Figure:
    """Both kinds of recall against k, a panel each, with 95 % intervals."""
    figure, panels, ks = go.Figure(), list[Panel](), view.diagnosis.settings.ks
    headings = ("Hit rate: queries with a right answer among the k nearest", "Of all right answers those among the k")
    for place, (name, heading) in enumerate(zip(RECALLS, headings, strict=True)):
        number = "" if place == 0 else str(place + 1)
        for order, version in enumerate(view.versions):
            found = [view.row(name, k).estimates[order] for k in ks]
            colour = look.version(version, view.baseline)
            figure.add_scatter(
                x=[str(k) for k in ks],
                y=[100 * each.value for each in found],
                xaxis=f"x{number}",
                yaxis=f"y{number}",
                mode="lines+markers",
                name=name_of(version),
                line={"color": colour, "width": 2},
                marker={"size": 8, "color": colour},
                cliponaxis=False,
                error_y={
                    "type": "data", "symmetric": False, "thickness": 1.6, "width": 0, "color": colour,
                    **whiskers(found, 100.0),
                },
                customdata=[[format_estimate(each, SHARE), format_count(each.n)] for each in found],
                hovertemplate=f"<b>{name_of(version)}</b>, k = %{{x}}<br>%{{customdata[0]}}"
                "<br>n = %{customdata[1]}<extra></extra>",
            )  # fmt: skip
        figure.update_layout(
            {
                f"yaxis{number}": {
                    "ticksuffix": PER_CENT,
                    "nticks": 5,
                    "autorangeoptions": {"clipmin": 0, "clipmax": 100},
                },
                f"xaxis{number}": {"type": "category", "range": [-0.3, len(ks) - 0.7]},
            }
        )
        key = _versions_key(view.versions, view.baseline, look) if place == 0 else ()
        panels.append(Panel(150, heading, key, "k, length of the list" if place else ""))
    return finish(
        figure,
        _by_k_title(view),
        "Means over queries with 95 % intervals; the two are called recall alike, and are not the same number.",
        provenance,
        look,
        panels,
        left=left_margin(["100.0 %"], look, titled=False),
    )


def _by_k_title(view: RetrievalView) -> str:
    k = view.k
    words = [
        f"{label_of(name, k)} {' and '.join(format_share(each.value) for each in view.row(name, k).estimates)}"
        for name in RECALLS
    ]
    return escape("; ".join(words), 200)


def _versions_key(versions: Sequence[str], baseline: str, look: Look) -> tuple[str, ...]:
    return tuple(key_item(look.version(each, baseline), name_of(each), "●") for each in versions)


def plot_cohorts_of_queries(cohorts: CohortsOfQueries, look: Look, provenance: str) -> go.Figure:
    """Recall by cohort in both versions, those that lost most on top, and below it how many neighbours each kept."""
    view, rows = cohorts.view, cohorts.rows[:MOST_COHORTS]
    figure, panels = go.Figure(), list[Panel]()
    labels = [_label(row, look) for row in rows]
    has_overlap = view.comparison is not None
    key = _versions_key(view.versions, view.baseline, look)
    if view.has_truth:
        _add_recall(figure, cohorts, rows, look)
        heading = f"Recall@{view.k}" + (", and by how much it changed" if has_overlap else "")
        panels.append(Panel(ROW_HEIGHT * len(rows) + 8, heading, key, "share of queries"))
    if view.comparison is not None:
        number = str(len(panels) + 1) if panels else ""
        told = [(place, row.overlap) for place, row in enumerate(rows) if row.overlap and row.overlap.is_defined]
        add_dots(
            figure,
            [each for _place, each in told],
            [len(rows) - 1 - place for place, _each in told],
            view.versions[-1],
            look.palette.candidate,
            look,
            factor=100.0,
            hovers=[_hover(rows[place], "neighbours kept", each) for place, each in told],
            template=TEMPLATE,
            axes=number,
        )
        _frame_rows(figure, number, labels)
        mark_vertical(figure, 100 * view.comparison.floor, look.palette.faint_ink, number)
        figure.update_layout({f"xaxis{number}": {"range": [0, 100]}})
        floor = key_item(look.palette.faint_ink, "two versions that have nothing in common", "┊")
        heading = f"Of the {view.k} nearest, how many are the same in both"
        panels.append(Panel(ROW_HEIGHT * len(rows) + 8, heading, (floor,), "Jaccard overlap"))
    more = f" {MOST_COHORTS} of {len(cohorts.rows)} are drawn." if len(cohorts.rows) > MOST_COHORTS else ""
    return finish(
        figure,
        escape(cohorts.sentence(), 300) if view.has_truth else f"Neighbours kept by {escape(cohorts.column)}",
        f"Dots with 95 % intervals, each of its cohort alone; grey numbers: queries.{more}",
        provenance,
        look,
        panels,
        left=left_margin(labels, look, titled=False) + 4,
        right=20 + int(max(width_of(_change_words(row, look), TEXT_SIZE) for row in rows) if view.has_truth else 0),
    )


def _add_recall(figure: go.Figure, cohorts: CohortsOfQueries, rows: Sequence[CohortRow], look: Look) -> None:
    view = cohorts.view
    shift = DOT_SHIFT if len(view.versions) > 1 else 0.0
    ends: list[float] = []
    for order, version in enumerate(view.versions):
        told = [(place, row.estimates[order]) for place, row in enumerate(rows)]
        held = [(place, each) for place, each in told if each is not None and each.is_defined]
        add_dots(
            figure,
            [each for _place, each in held],
            [len(rows) - 1 - place + (shift if order == 0 else -shift) for place, _each in held],
            version,
            look.version(version, view.baseline),
            look,
            factor=100.0,
            hovers=[_hover(rows[place], version, each) for place, each in held],
            template=TEMPLATE,
        )
        ends += [end for _place, each in held for end in (each.lower, each.upper) if np.isfinite(end)]
    low, high = 100 * min(ends, default=0.0), 100 * max(ends, default=1.0)
    pad = max(0.05 * (high - low), 0.5)
    for place, row in enumerate(rows):
        figure.add_annotation(
            text=_change_words(row, look), x=1, xref="x domain", xanchor="left", xshift=10, align="left",
            y=len(rows) - 1 - place, showarrow=False,
            font={"size": TEXT_SIZE, "color": look.palette.wrong if row.is_lost else look.palette.ink},
        )  # fmt: skip
    _frame_rows(figure, "", [_label(row, look) for row in rows])
    figure.update_layout(xaxis={"range": [max(low - pad, 0.0), min(high + pad, 100.0)], "nticks": 6})


def _change_words(row: CohortRow, look: Look) -> str:
    """How recall of a cohort changed, as it stands beside its dots; "" where there is no number."""
    if row.change is None or not row.change.is_defined:
        return ""
    text = format_change(row.change.value, SHARE)
    around = format_change_interval(row.change.lower, row.change.upper, SHARE)
    return text if look.is_narrow else f"{text} {paint(look.palette.faint_ink, f'({around})')}"


def _frame_rows(figure: go.Figure, number: str, labels: Sequence[str]) -> None:
    count = len(labels)
    figure.update_layout(
        {
            f"yaxis{number}": {
                "tickmode": "array",
                "tickvals": list(range(count)),
                "ticktext": list(reversed(labels)),
                "range": [-0.6, count - 0.4],
                "showgrid": False,
            },
            f"xaxis{number}": {"ticksuffix": PER_CENT, "showgrid": True},
        }
    )


def _label(row: CohortRow, look: Look) -> str:
    # Where nothing tells right answers, the queries are those whose neighbours are compared.
    told = [each for each in (row.overlap, *row.estimates) if each is not None and each.n]
    n = paint(look.palette.faint_ink, format_count(told[-1].n)) if told else ""
    return f"{escape(CohortsOfQueries.name(row), 14 if look.is_narrow else 26)}{NO_BREAK}{n}"


def _hover(row: CohortRow, of: str, estimate: Estimate) -> list[str]:
    return [
        name_of(CohortsOfQueries.name(row)), name_of(of), format_estimate(estimate, SHARE), format_count(estimate.n)
    ]  # fmt: skip


def plot_hubs(view: HubsView, look: Look, provenance: str) -> go.Figure:
    """The share of rows by how many lists they are in, in steps that double; hubs are at the right."""
    figure, frame = go.Figure(), view.frame()
    steps = sorted(set(frame["lists_from"].tolist()))
    names = [_step_words(step) for step in steps]
    width = 0.8 / len(view.versions)
    for order, version in enumerate(view.versions):
        own = frame[frame["version"] == version]
        colour = look.version(version, view.baseline)
        figure.add_bar(
            x=[steps.index(step) + (order - (len(view.versions) - 1) / 2) * width for step in own["lists_from"]],
            y=100 * own["share"],
            width=width * 0.94,
            name=name_of(version),
            marker={"color": fade(colour, 0.85), "line": {"width": 0}},
            customdata=[
                [_step_words(step), format_count(rows), format_share(share)]
                for step, rows, share in zip(own["lists_from"], own["rows"], own["share"], strict=True)
            ],
            hovertemplate=f"<b>{name_of(version)}</b><br>in %{{customdata[0]}} lists: %{{customdata[1]}} rows, "
            "%{customdata[2]}<extra></extra>",
        )
    figure.update_layout(
        xaxis={
            "tickmode": "array",
            "tickvals": list(range(len(steps))),
            "ticktext": names,
            "range": [-0.6, len(steps) - 0.4],
        },
        yaxis={"ticksuffix": PER_CENT, "rangemode": "tozero", "nticks": 6},
    )
    key = tuple(square(look.version(each, view.baseline), name_of(each)) for each in view.versions)
    return finish(
        figure,
        escape(view.sentence(), 200),
        f"Share of rows by how many queries have them among their {view.k} nearest (k-occurrence).",
        provenance,
        look,
        [Panel(190, "", key, f"in how many lists of {view.k}")],
        left=left_margin(["100 %"], look, titled=False),
    )


def _step_words(step: int) -> str:
    return str(step) if step < 2 else f"{step:,}–{2 * step - 1:,}"
