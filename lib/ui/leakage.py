"""Leakage on the Drift page: what vectors give away of sensitive columns."""

from __future__ import annotations

import streamlit as st

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.measures import read_leakage
from lib.figures.leakage import plot_groups
from lib.figures.leakage_view import NUMBERS, LeakageView
from lib.figures.map_view import map_provenance
from lib.ui import state
from lib.ui.figure import current_look, show_figure
from lib.ui.html import show_note
from lib.ui.vector_measures import read_versions, show_terms

COLUMN = "v_sensitive"


def show_leakage(diagnosis: EmbeddingDiagnosis) -> None:
    """How well each sensitive column can be told from the vectors, of all groups and of each."""
    st.subheader("What vectors give away", anchor=False)
    if not diagnosis.embeddings.roles.sensitive:
        show_note(
            "No column is said to be sensitive, so nothing was probed for. Which are is said on the Home page, under "
            "how the files are read."
        )
        return
    found = read_versions(diagnosis, "leakage", read_leakage, "Probing for sensitive columns")
    view, provenance = LeakageView.of(diagnosis, found), map_provenance(diagnosis)
    show_note(view.sentence())
    show_terms(NUMBERS, [row for column in view.columns for row in view.rows(column)], "Column")
    column = view.columns[0]
    if len(view.columns) > 1:
        column = state.choose(COLUMN, "Groups of", view.columns, default=view.columns[0])
    if view.groups(column):
        figure = plot_groups(view, column, current_look(), provenance)
        show_figure(figure, "leakage", name="leakage", table=view.frame())
