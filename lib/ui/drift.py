"""Pieces of the Drift page: the four measures, each dimension, each cohort, and what is left after turning."""

from __future__ import annotations

import streamlit as st

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.listings import list_aligned
from lib.embeddings.measures import holds, paired_rows, read_drift
from lib.figures.drift import plot_cohorts, plot_ks, plot_residual_cohorts, plot_residuals
from lib.figures.drift_view import COMPARED, MEASURES, PAIRS, DriftView
from lib.figures.map_view import map_provenance
from lib.metrics.drift import Measure
from lib.ui import state
from lib.ui.downloads import offer_csv
from lib.ui.embeddings_page import read_topic
from lib.ui.figure import current_look, show_figure
from lib.ui.html import show_note
from lib.ui.vector_findings import cohorts_first
from lib.ui.vector_measures import show_terms

COLUMN, MEASURE, AS = "v_drift_by", "v_drift_measure", "v_drift_rows"
TURNED_COLUMN = "v_drift_turned_by"


def read_view(diagnosis: EmbeddingDiagnosis) -> DriftView:
    """How far the candidate is from the baseline, read with progress."""
    found = read_topic(
        "drift",
        (diagnosis.embeddings.key, diagnosis.settings),
        "Turning one version onto the other",
        lambda: holds(diagnosis, "drift"),
        lambda run, report: read_drift(diagnosis, run, report),
    )
    return DriftView.of(diagnosis, found)


def show_measures(diagnosis: EmbeddingDiagnosis, view: DriftView) -> None:
    """The four measures, of all rows and of the same ids, each with its floor and verdict."""
    st.subheader("Four measures", anchor=False)
    if view.compared:
        show_terms({each.value: term for each, term in MEASURES.items()}, view.table(), "Compared")
    show_note(*view.notes())
    if view.compared:
        offer_csv(view.frame(), "drift", provenance=map_provenance(diagnosis), key="drift:csv")


def show_dimensions(diagnosis: EmbeddingDiagnosis, view: DriftView) -> None:
    """How far each dimension moved."""
    names = list(view.compared)
    if not names:
        return
    st.subheader("Dimension by dimension", anchor=False)
    compared = names[0]
    if len(names) > 1:
        compared = state.choose(
            AS, "Compared", names, default=PAIRS, draw=st.segmented_control, words=COMPARED.__getitem__
        )
    figure = plot_ks(view, compared, current_look(), map_provenance(diagnosis, COMPARED[compared].lower()))
    show_figure(figure, "drift:ks", name="drift_by_dimension", table=view.ks_frame())


def show_cohorts(diagnosis: EmbeddingDiagnosis, view: DriftView) -> None:
    """How far each cohort moved."""
    columns = view.cohort_columns()
    st.subheader("Cohort by cohort", anchor=False)
    if not columns:
        show_note("No cohort can be compared: no column of cohorts has a value with enough rows in both versions.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        column = columns[0]
        if len(columns) > 1:
            column = state.choose(COLUMN, "Cohorts of", columns, default=cohorts_first(diagnosis, columns))
        measure = Measure(
            state.choose(
                MEASURE, "Measure", [each.value for each in Measure], default=Measure.DOMAIN_AUC.value,
                draw=st.segmented_control, words=lambda each: MEASURES[Measure(each)].name,
            )
        )  # fmt: skip
    if not view.cohort_rows(column, measure):
        show_note("No cohort of that column has a number.")
        return
    figure = plot_cohorts(view, column, measure, current_look(), map_provenance(diagnosis))
    show_figure(figure, "drift:cohorts", name="drift_by_cohort", table=view.frame())


def show_residuals(diagnosis: EmbeddingDiagnosis, view: DriftView) -> None:
    """What is left after turning, of the ids that are in both."""
    st.subheader("After turning", anchor=False)
    aligned = view.found.alignment
    if aligned is None or aligned.reason:
        show_note(f"Nothing can be turned: {aligned.reason if aligned is not None else 'no id is in both versions'}.")
        return
    provenance = map_provenance(diagnosis, "the same ids")
    figure, table = plot_residuals(aligned, current_look(), provenance)
    show_figure(figure, "drift:residuals", name="residuals", table=table)
    columns = view.residual_columns()
    if columns:
        column = columns[0]
        if len(columns) > 1:
            first = cohorts_first(diagnosis, columns)
            column = state.choose(TURNED_COLUMN, "After turning, by", columns, default=first)
        figure = plot_residual_cohorts(view, column, current_look(), provenance)
        show_figure(figure, "drift:residuals by cohort", name="residuals_by_cohort", table=view.residuals_frame())
    show_note("The rows themselves, with how far each is before and after turning:")
    candidate = diagnosis.settings.candidate
    offer_csv(
        lambda: list_aligned(diagnosis, candidate, aligned, paired_rows(diagnosis)[1]),
        "rows_after_turning",
        provenance=provenance,
        key="drift:rows",
    )
