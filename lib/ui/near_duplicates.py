"""The loneliest rows and the near duplicates on the Geometry page, as tables of the rows themselves."""

from __future__ import annotations

import streamlit as st

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.listings import list_groups, list_outliers, list_pairs
from lib.embeddings.measures import CUTS, Duplicates, read_duplicates, read_outliers
from lib.figures.format import format_score
from lib.figures.map_view import map_provenance
from lib.figures.near_duplicates_view import LONELY, NUMBERS, DuplicatesView, group_rows, outlier_words
from lib.figures.text import plain
from lib.sources import Run
from lib.ui import state
from lib.ui.downloads import offer_csv
from lib.ui.html import Cell, Column, show_note, show_table
from lib.ui.jobs import Progress
from lib.ui.vector_measures import choose_version, read_versions, show_terms
from lib.vectors import Distance

CUT, FARTHEST = "v_similarity", "v_near"
MOST_SHOWN, MOST_LISTED, LONGEST = 12, 1_000, 120
CUT_HELP = "Two rows are near duplicates if the cosine of their angle is at least this."


def show_outliers(diagnosis: EmbeddingDiagnosis) -> None:
    """Which rows have their neighbours much further away than these have theirs."""
    st.subheader("The loneliest rows", anchor=False)
    found = read_versions(diagnosis, "outliers", read_outliers, "Looking for lonely rows")
    show_terms(LONELY, [(version, outlier_words(each)) for version, each in found.items()])
    version = choose_version(diagnosis, "v_lonely", "Rows of")
    table = list_outliers(diagnosis, version, found[version], MOST_LISTED)
    if table.empty:
        show_note("No row has a score: lists of neighbours are not full.")
        return
    told = [name for name in table.columns if name not in ("outlier_score", "is_beyond")]
    show_table(
        [*(Column(name.capitalize()) for name in told), Column("Score", LONELY["largest"].meaning)],
        [
            [
                *(Cell(plain(str(value), LONGEST), wordy=True) for value in row[: len(told)]),
                Cell(format_score(row[len(told)]), "beyond the floor" if row[len(told) + 1] else ""),
            ]
            for row in table.head(MOST_SHOWN).itertuples(index=False)
        ],
    )
    offer_csv(table, "loneliest_rows", provenance=map_provenance(diagnosis, plain(version)), key="outliers:csv")


def show_duplicates(diagnosis: EmbeddingDiagnosis) -> None:
    """Which rows are next to the same, and whether a split leaks through them."""
    st.subheader("Near duplicates", anchor=False)
    cut, words = _choose_cut(diagnosis.settings.distance)

    def read(diagnosis: EmbeddingDiagnosis, version: str, run: Run, report: Progress) -> Duplicates:
        return read_duplicates(diagnosis, version, cut, run, report)

    found = read_versions(diagnosis, "duplicates", read, "Looking for near duplicates", cut)
    view = DuplicatesView(found, words)
    show_note(view.sentence())
    show_terms(NUMBERS, [(version, view.words(version)) for version in found])
    version = choose_version(diagnosis, "v_duplicates", "Groups of")
    if not len(found[version].found.first):
        return
    groups = list_groups(diagnosis, version, found[version])
    heads = [name.capitalize() for name in groups.columns]
    heads = ["Rows" if head == "Size" else "Ids" if head == "Id" else head for head in heads]
    show_table(
        [Column(head) for head in heads],
        [[Cell(each, wordy=True) for each in row] for row in group_rows(groups, MOST_SHOWN)],
    )
    provenance = map_provenance(diagnosis, plain(version), words)
    offer_csv(groups, "duplicate_groups", provenance=provenance, key="duplicates:groups")
    show_note("The pairs themselves:")
    offer_csv(
        lambda: list_pairs(diagnosis, version, found[version]),
        "duplicate_pairs",
        provenance=provenance,
        key="duplicates:pairs",
    )


def _choose_cut(distance: Distance) -> tuple[float, str]:
    """The cut as a distance, and in words."""
    if distance is Distance.COSINE:
        state.judge(FARTHEST, "a similarity, of cosine distances", fits=False)
        usual = round(1 - CUTS[distance], 6)
        similarity = state.slide(CUT, "Similarity of at least", 0.8, 1.0, 0.005, default=usual, help=CUT_HELP)
        return round(1 - similarity, 6), f"Similarity of at least {similarity:g}"
    state.judge(CUT, "a distance, of Euclidean distances", fits=False)
    farthest = state.number(FARTHEST, "Distance of at most", 0.1, placeholder="0: equal", min_value=0.0)
    return farthest or CUTS[distance], f"Distance of at most {farthest or CUTS[distance]:g}"
