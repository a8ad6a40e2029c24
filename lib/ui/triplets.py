"""Pairs and triplets on the Geometry page: the margin, the shares at it, the losses, and the distributions."""

from __future__ import annotations

import streamlit as st

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.measures import read_triplets
from lib.figures.map_view import map_provenance
from lib.figures.triplets import plot_pairs, plot_triplet_margins
from lib.figures.triplets_view import SHARES, MarginRange, TripletsView
from lib.ui import state
from lib.ui.downloads import offer_csv
from lib.ui.figure import show_figure, side_by_side
from lib.ui.html import show_note
from lib.ui.vector_measures import NO_TRUTH, read_versions, show_terms

MARGIN = "v_margin"
MARGIN_HELP = (
    "How much further than a right answer a wrong one has to be. A triplet margin below it is a violation: what is "
    "left of it for training."
)


def show_triplets(diagnosis: EmbeddingDiagnosis) -> None:
    """How far apart what belongs together is, and what does not."""
    st.subheader("Pairs and triplets", anchor=False)
    read = read_versions(diagnosis, "triplets", read_triplets, "Drawing triplets")
    found = {version: each for version, each in read.items() if each is not None and len(each[0].anchor)}
    if not found:
        show_note(NO_TRUTH)
        state.judge(MARGIN, "no margin: there are no triplets", fits=False)
        return
    margins = MarginRange.of(found, diagnosis.settings.distance)
    margin = state.slide(
        MARGIN, "Margin", margins.low, margins.high, margins.step, default=margins.usual, help=MARGIN_HELP
    )
    view, provenance = TripletsView.of(diagnosis, found, margin), map_provenance(diagnosis, f"margin {margin:g}")
    show_terms(SHARES, [(version, view.words(version)) for version in found])
    offer_csv(view.frame(), "triplets", provenance=provenance, key="triplets:csv")
    (left, left_look), (right, right_look) = side_by_side()
    with left:
        figure, table = plot_pairs(view, left_look, provenance)
        show_figure(figure, "triplets:pairs", name="pairs", table=table)
    with right:
        figure, table = plot_triplet_margins(view, right_look, provenance)
        show_figure(figure, "triplets:margins", name="triplet_margins", table=table)
