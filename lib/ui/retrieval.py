"""Pieces of the Retrieval page: the table of measures, cohorts, hubs, neighbours kept, and the state of an index."""

from __future__ import annotations

import streamlit as st

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.comparison import holds_comparison, read_comparison
from lib.embeddings.measures import holds, read_ann, read_index
from lib.embeddings.recall_drop import compared_cohorts
from lib.embeddings.retrieval import holds_retrieval, read_retrieval
from lib.figures.format import format_count, format_family, format_plural
from lib.figures.map_view import map_provenance
from lib.figures.retrieval import plot_cohorts_of_queries, plot_hubs, plot_recall_by_k
from lib.figures.retrieval_cohorts_view import CohortsOfQueries, HubsView, ann_words, index_words, overlap_words
from lib.figures.retrieval_view import MEASURES, RECALLS, SHARE, RetrievalView
from lib.figures.text import plain
from lib.metrics.index_consistency import SENTENCES, IndexReport
from lib.metrics.retrieval import RetrievalMeasure
from lib.ui import state
from lib.ui.cohorts import estimate_cell
from lib.ui.downloads import offer_csv
from lib.ui.embeddings_page import read_topic
from lib.ui.figure import current_look, show_figure
from lib.ui.html import Cell, Column, show_long_table, show_note
from lib.ui.vector_findings import cohorts_first

PROBLEMS_SHOWN = 8


def read_view(diagnosis: EmbeddingDiagnosis) -> RetrievalView:
    """The view, once retrieval was read, with progress and cancel."""
    wanted, version = (diagnosis.embeddings.key, diagnosis.settings), diagnosis.settings.candidate
    if diagnosis.is_compared:
        read_topic(
            "retrieval",
            wanted,
            "Looking for neighbours",
            lambda: holds_comparison(diagnosis),
            lambda run, report: read_comparison(diagnosis, run, report),
        )
    else:
        read_topic(
            "retrieval",
            wanted,
            "Looking for neighbours",
            lambda: holds_retrieval(diagnosis, version),
            lambda run, report: read_retrieval(diagnosis, version, run, report),
        )
    return RetrievalView.of(diagnosis)


def show_measures(view: RetrievalView) -> None:
    """Every measure of both versions with its change, and recall against k."""
    if not view.has_truth:
        return
    show_note(*(f"{view.row(name, view.k).label}: {MEASURES[name].definition}" for name in RECALLS))
    compared = view.comparison is not None
    heads = [
        Column("Measure", "Over the queries that have a right answer to find, and were ranked where that is needed")
    ]
    heads += [Column("Change", "Over queries of the same id, with its 95 % interval")] * compared
    heads += [Column(plain(version)) for version in view.versions]
    rows: list[list[Cell]] = []
    shown = view.rows()
    for row in shown:
        cells = [Cell(row.label, format_plural(row.estimates[-1].n, "query", "queries"))]
        if row.change is not None:
            cells.append(estimate_cell(row.change, SHARE, change=True, tone=row.tone))
        rows.append([*cells, *(estimate_cell(each, SHARE) for each in row.estimates)])
    show_long_table(heads, rows, sum(row.k in (None, view.k) for row in shown), "number")
    if view.comparison is not None:
        show_note(f"{format_family(len(view.comparison.judgements))} Each interval is of its number alone.")
    provenance = provenance_of(view)
    offer_csv(view.frame, "retrieval", provenance=provenance, key="retrieval:csv")
    with st.expander("What each number means"):
        show_note(*(f"{each.label}: {each.definition}" for each in _measures_of(view)))
    show_figure(plot_recall_by_k(view, current_look(), provenance), "recall-by-k", name="recall-by-k")


def _measures_of(view: RetrievalView) -> list[RetrievalMeasure]:
    return list({row.measure.name: row.measure for row in view.rows()}.values())


def provenance_of(view: RetrievalView) -> str:
    """Where the figures of the page come from."""
    return map_provenance(view.diagnosis, f"k = {view.k}")


def show_cohorts(view: RetrievalView) -> None:
    """Which cohort lost, by a column that can be chosen."""
    columns = compared_cohorts(view.diagnosis)
    if not columns or not (view.has_truth or view.comparison):
        return
    st.subheader("By cohort", anchor=False)
    column = columns[0]
    if len(columns) > 1:
        first = cohorts_first(view.diagnosis, columns)
        column = state.choose("v_by", "Cohorts of", columns, default=first, draw=st.segmented_control)
    found = CohortsOfQueries.of(view, column)
    show_figure(
        plot_cohorts_of_queries(found, current_look(), provenance_of(view)),
        "cohorts-of-queries",
        name=f"recall-by-{column}",
        table=found.frame(),
    )


def show_neighbourhoods(view: RetrievalView) -> None:
    """How many neighbours are the same in both versions, and how places in lists are shared."""
    st.subheader("Neighbourhoods", anchor=False)
    show_note(overlap_words(view))
    found = HubsView.of(view)
    show_figure(plot_hubs(found, current_look(), provenance_of(view)), "hubs", name="k-occurrence", table=found.frame())
    show_note(*found.notes())


def show_index(view: RetrievalView) -> None:
    """What is wrong with the rows of each version, and how good the answers of an index are."""
    st.subheader("Index", anchor=False)
    diagnosis = view.diagnosis
    reports = [read_index(diagnosis, version) for version in view.versions]
    show_note(*map(index_words, reports))
    rows = [cells for report in reports for cells in _problem_rows(report, named=len(reports) > 1)]
    if rows:
        heads = [Column("Version")] * (len(reports) > 1)
        heads += [Column("Rows"), Column("What was found, and where", is_text=True)]
        show_long_table(heads, rows, PROBLEMS_SHOWN, "problem")
    for version in view.versions:
        if version not in diagnosis.embeddings.neighbours:
            continue
        found = read_topic(
            f"ann:{version}",
            (diagnosis.embeddings.key, diagnosis.settings, version),
            "Judging the answers of the index",
            lambda version=version: holds(diagnosis, "ann", version, diagnosis.settings.k),
            lambda run, report, version=version: read_ann(diagnosis, version, run, report),
        )
        if found is not None:
            show_note(*ann_words(version, found))


def _problem_rows(report: IndexReport, *, named: bool) -> list[list[Cell]]:
    made: list[list[Cell]] = []
    for problem in report.problems:
        left = problem.n - len(problem.places)
        where = ", ".join(problem.places) + (f" and {format_count(left)} more" if left else "")
        made.append(
            [
                *([Cell(plain(report.version))] if named else []),
                Cell(format_count(problem.n), tone="worse" if problem.is_fault else ""),
                Cell(SENTENCES[problem.name], where, wordy=True),
            ]
        )
    return made
