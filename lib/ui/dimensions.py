"""Pieces of the Dimensions page: recall by size, read of each version, and what queries cost."""

from __future__ import annotations

import streamlit as st

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.measures import read_dimensions
from lib.figures.dimensions import plot_dimensions
from lib.figures.dimensions_view import DimensionsView
from lib.figures.map_view import map_provenance
from lib.metrics.dimensions import Curve
from lib.ui import state
from lib.ui.ending import end_page
from lib.ui.figure import current_look, show_figure
from lib.ui.html import show_note
from lib.ui.vector_measures import NO_TRUTH, choose_version, read_versions, show_terms

PRICE = "v_price"
PRICE_HELP = (
    "What it costs to read a gigabyte of vectors once, in any currency: exact search reads the whole gallery for each "
    "query."
)


def read_curves(diagnosis: EmbeddingDiagnosis) -> dict[str, Curve]:
    """Recall by size of each version; says so, and ends the page, where nothing tells right answers."""
    if all(diagnosis.truth(version) is None for version in diagnosis.settings.versions):
        show_note(NO_TRUTH)
        end_page()
    words = "Searching in smaller vectors"
    found = read_versions(diagnosis, "dimensions", read_dimensions, words)
    return {version: each for version, each in found.items() if each is not None}


def ask_price() -> float | None:
    """The price of reading a gigabyte; None where none is given."""
    with st.columns(3)[0]:
        return state.number(PRICE, "Price of reading 1 GB", 0.01, placeholder="none", min_value=0.0, help=PRICE_HELP)


def show_curves(diagnosis: EmbeddingDiagnosis, view: DimensionsView) -> None:
    """The curves, and every setting of one version."""
    provenance = map_provenance(diagnosis, f"k = {view.k}")
    figure = plot_dimensions(view, current_look(), provenance)
    show_figure(figure, "dimensions", name="recall_by_size", table=view.frame())
    st.subheader("Every setting", anchor=False)
    version = choose_version(diagnosis, "v_sizes", "Sizes of")
    if version in view.found:
        show_terms(view.terms, view.rows(version), "Vectors")
    show_note(
        "Searched anew for each setting, with at most 2,000 queries, drawn; the index that is in use may lose more. "
        "The settings of a way are asked from large to small, until one does not keep the recall."
    )
