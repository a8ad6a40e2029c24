"""The ledger of queries: lost and gained ones row by row, and the lists of one of them in both versions."""

from __future__ import annotations

import streamlit as st

from lib.embeddings.lost_queries import GAINED, LOST, list_answers, list_queries
from lib.embeddings.projection import number_rows
from lib.embeddings.samples import ID
from lib.figures.format import format_count, format_share
from lib.figures.recall_view import RecallView
from lib.figures.text import plain
from lib.scan.masking import mask_rows
from lib.ui import state
from lib.ui.downloads import offer_csv
from lib.ui.figure import side_by_side
from lib.ui.html import Cell, Column, show_note, show_table
from lib.ui.map_selection import LISTED, OFFERED, show_samples
from lib.ui.mapping import as_plain_markdown
from lib.ui.recall import provenance_of, show_displacers

WORDS = {LOST: "Lost", GAINED: "Gained"}


def show_ledger(view: RecallView) -> None:
    """What became of each query: counts, who displaced, the rows, and the lists of one of them."""
    st.subheader("Queries", anchor=False)
    show_note(*view.ledger_words())
    n = len(view.ledger.first)
    if not n:
        return
    first, second = (plain(name) for name in view.names)

    def cell(count: int, tone: str = "") -> Cell:
        return Cell(format_count(count), format_share(count / n), tone if count else "")

    counts = view.ledger_counts()
    show_table(
        [Column(f"In {first}"), Column(f"Answered in {second}"), Column(f"Not answered in {second}")],
        [
            [Cell("Answered"), cell(counts["both"]), cell(counts[LOST], "worse")],
            [Cell("Not answered"), cell(counts[GAINED], "better"), cell(counts["neither"])],
        ],
    )
    show_displacers(view)
    kinds = [kind for kind in WORDS if counts[kind]]
    if kinds:
        _show_queries(view, kinds, counts)


def _show_queries(view: RecallView, kinds: list[str], counts: dict[str, int]) -> None:
    words = {kind: f"{WORDS[kind]} ({format_count(counts[kind])})" for kind in kinds}
    kind = state.choose(
        "v_queries", "Queries that were", kinds, default=kinds[0], words=words.__getitem__, draw=st.segmented_control
    )
    diagnosis, numbering = view.diagnosis, number_rows(view.diagnosis)
    listed, numbers = list_queries(diagnosis, numbering, view.ledger, kind, LISTED)
    show_samples(listed, has_pictures=False)
    if counts[kind] > LISTED:
        show_note(f"The first {LISTED} of {format_count(counts[kind])} are listed; the download holds all.")
    offer_csv(
        lambda: mask_rows(list_queries(diagnosis, numbering, view.ledger, kind)[0]),
        f"queries-{kind}",
        provenance=provenance_of(view),
        key="queries:csv",
    )
    options = dict(zip(listed[ID].astype(str)[:OFFERED], numbers[:OFFERED].tolist(), strict=True))
    chosen = state.choose("v_query", "The lists of", list(options), default=next(iter(options)), words=plain)
    found = list_answers(diagnosis, numbering, options[chosen])
    for (place, _look), (version, frame) in zip(side_by_side(), found.items(), strict=True):
        with place:
            st.markdown(f"**{as_plain_markdown(plain(version))}**")
            if frame is None:
                show_note(f"{plain(chosen)} has no neighbours in {plain(version)}.")
            else:
                show_samples(frame, has_pictures=False)
