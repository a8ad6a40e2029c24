"""Pieces of the page on a change of recall: causes, what would undo it, its parts, and groups of lost queries."""

from __future__ import annotations

import streamlit as st

from lib.checks.embeddings.mending import REMEDIES
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.comparison import holds_comparison, read_comparison
from lib.embeddings.diagnosis import part
from lib.embeddings.lost_queries import list_displacers, name_answers
from lib.embeddings.recall_drop import holds_recall_drop, read_recall_drop
from lib.figures.decomposition import plot_decomposition
from lib.figures.format import format_count, format_plural, format_share
from lib.figures.map_view import map_provenance
from lib.figures.recall_parts_view import MEANINGS, PARTS, RecallPartsView
from lib.figures.recall_view import RecallView, shared_words
from lib.figures.recall_words import TITLES, VERDICTS
from lib.figures.text import plain
from lib.metrics.hypotheses.finding import Hypothesis, Verdict
from lib.scan.masking import mask_rows
from lib.ui.cohorts import estimate_cell
from lib.ui.downloads import offer_csv
from lib.ui.embeddings_page import read_topic
from lib.ui.figure import current_look, show_figure
from lib.ui.findings import show_card
from lib.ui.html import Cell, Column, show_long_table, show_note, show_table

FEW = 6
NAMED = 3
"""Right answers of a group that are named."""


def read_view(diagnosis: EmbeddingDiagnosis) -> RecallView:
    """The view, once it was worked out, with progress and cancel."""
    read_topic(
        "recall-drop",
        (diagnosis.embeddings.key, diagnosis.settings),
        "Looking for neighbours",
        lambda: holds_recall_drop(diagnosis) and holds_comparison(diagnosis),
        lambda run, report: (
            read_comparison(diagnosis, run, part(report, 0.0, 0.3)),
            read_recall_drop(diagnosis, run, part(report, 0.3, 1.0)),
        ),
    )
    return RecallView.of(diagnosis)


def provenance_of(view: RecallView) -> str:
    """Where the figures of the page come from."""
    return map_provenance(view.diagnosis, f"k = {view.drop.k}")


def show_causes(view: RecallView) -> None:
    """Each hypothesis: cards for what is confirmed or cannot be told, a table for what is ruled out."""
    st.subheader("Possible causes", anchor=False)
    for verdict in (Verdict.CONFIRMED, Verdict.UNDECIDED):
        for each in view.of_verdict(verdict):
            _show_hypothesis(each, view)
    ruled_out = view.of_verdict(Verdict.RULED_OUT)
    with st.expander(f"{format_plural(len(ruled_out), 'cause')} ruled out"):
        show_table(
            [Column("Cause"), Column("Why it is ruled out", is_text=True)],
            [[Cell(TITLES[each.name]), Cell(each.sentence, wordy=True)] for each in ruled_out],
        )
    offer_csv(view.hypotheses_frame, "causes", provenance=provenance_of(view), key="causes:csv")


def _show_hypothesis(found: Hypothesis, view: RecallView) -> None:
    is_confirmed = found.verdict is Verdict.CONFIRMED
    title, remedy = TITLES[found.name], REMEDIES[found.name]
    if is_confirmed:
        tone = "wrong" if found.explains > 0 else "note"
        title += f"; {found.reason}" if found.reason else f": explains {view.explains_words(found)}"
    else:
        tone, remedy = "care" if view.is_changed else "note", f"If it has happened: {remedy}"
    with st.container(key=f"finding-{tone}-{found.name}", border=False):
        show_card(tone, VERDICTS[found.verdict], title, found.sentence, remedy, found.name)


def show_counterfactuals(view: RecallView) -> None:
    """Recall if something were otherwise, and old and new queries against old and new gallery."""
    st.subheader("What recall would be", anchor=False)
    drop = view.drop
    first, second = (plain(name) for name in view.names)
    rows = [
        [Cell(f"{first}, as it is"), estimate_cell(drop.before), Cell("")],
        [Cell(f"{second}, as it is"), estimate_cell(drop.after), Cell("")],
    ]
    for each in drop.counterfactuals:
        undone = Cell(view.undone_words(each).removesuffix(" of the change"), wordy=True)
        rows.append([Cell(f"{each.text[:1].upper()}{each.text[1:]}", wordy=True), estimate_cell(each.recall), undone])
    show_table([Column("What if"), Column(f"Recall@{drop.k}"), Column("Of the change undone")], rows)
    offer_csv(view.counterfactuals_frame, "recall-if", provenance=provenance_of(view), key="recall-if:csv")
    crossed = drop.crossed
    show_note("Queries of one version, line by line, in the gallery of one version, over the rows that are in both:")
    cells = [
        [Cell(f"Queries of {first}"), estimate_cell(crossed.old_in_old), estimate_cell(crossed.old_in_new)],
        [Cell(f"Queries of {second}"), estimate_cell(crossed.new_in_old), estimate_cell(crossed.new_in_new)],
    ]
    if crossed.mapped.is_defined:
        mapped = Cell(f"Queries of {first}, turned as most rows were", wordy=True)
        cells.append([mapped, Cell(""), estimate_cell(crossed.mapped)])
    show_table([Column("Gallery of"), Column(first), Column(second)], cells)


def show_parts(view: RecallView) -> None:
    """The change in parts that add up to it, as a waterfall."""
    st.subheader("What the change is made of", anchor=False)
    parts = RecallPartsView(view)
    show_figure(
        plot_decomposition(parts, current_look(), provenance_of(view)),
        "recall-parts",
        name="parts-of-recall",
        table=parts.frame(),
    )
    told = "; ".join(f"{PARTS[name].lower()}: {words}" for name, words in MEANINGS.items())
    show_note(f"The parts add up to the change exactly. In this order: {told}.")


def show_displacers(view: RecallView) -> None:
    """The rows that took most of the lost places."""
    if not len(view.ledger.displacers.rows):
        return
    listed = mask_rows(list_displacers(view.diagnosis, view.ledger, FEW))
    heads = [Column(str(name).capitalize()) for name in listed.columns]
    rows = [[_text_cell(value) for value in row] for row in listed.itertuples(index=False)]
    st.markdown("**Rows that took most of the lost places**")
    show_table(heads, rows)
    offer_csv(
        lambda: mask_rows(list_displacers(view.diagnosis, view.ledger)),
        "displacers",
        provenance=provenance_of(view),
        key="displacers:csv",
    )


def _text_cell(value: object) -> Cell:
    return Cell(format_share(value) if isinstance(value, float) else plain(str(value)))


def show_groups(view: RecallView) -> None:
    """Groups of queries that lost the same right answers, and what they share."""
    groups = view.drop.groups
    if not groups.n_lost:
        return
    st.subheader("Who lost the same neighbours", anchor=False)
    whole = shared_words(groups.shared)
    show_note(
        f"What lost queries share: {whole}."
        if whole
        else "Lost queries share no value that the others have less often.",
        f"{format_count(groups.n_grouped)} of {format_plural(groups.n_lost, 'lost query', 'lost queries')} lost a "
        "right answer that at least two others lost too.",
    )
    named = [name_answers(view.diagnosis, group.answers[:NAMED]) for group in groups.groups]
    rows = [
        [
            Cell(", ".join(map(plain, names)), wordy=True),
            Cell(format_count(len(group.queries))),
            Cell(shared_words(group.shared) or "nothing beyond chance", wordy=True),
        ]
        for group, names in zip(groups.groups, named, strict=True)
    ]
    if rows:
        heads = [Column("Right answers that they lost"), Column("Queries"), Column("What they share", is_text=True)]
        show_long_table(heads, rows, FEW, "group")
