"""Pieces of the Support vectors page: kinds with links to their rows, what theory says, the ledger, the worst rows."""

from __future__ import annotations

import math

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.format import format_bound, format_count, format_estimate, format_plural, format_share
from lib.figures.frame import provenance_line
from lib.figures.support_bounds_view import BoundsView
from lib.figures.support_moves_view import MovesView, pair_query
from lib.figures.support_vectors_view import CLASSES, WORDS, SupportView
from lib.metrics.support_vectors import KINDS
from lib.scan import Scan, count_rows
from lib.scan.pairs import MOST_ROWS, held_pairs, list_moved, read_pairs
from lib.ui import state
from lib.ui.cohorts import estimate_cell
from lib.ui.downloads import offer_csv
from lib.ui.html import Cell, Column, show_answer, show_note, show_table
from lib.ui.jobs import begin, forget, settle
from lib.ui.page import ROWS_WITHOUT_WAITING
from lib.ui.rows import offer_samples, show_rows

PAIRS = "pairs"
"""The job that joins two versions on their ids."""
KIND_HELP = {
    "wrong_side": "The decision is wrong: m < 0, or a positive row at a score of 0",
    "inside": "On the right side, short of the margin: m below 0.999",
    "on_margin": "m within 0.001 of 1",
    "free": "m above 1.001: the model would be the same without",
}


def show_kinds(view: SupportView, *, has_rows: bool) -> None:
    """How many rows of each version and class are of which kind, with links to them."""
    heads = [
        Column("Version"),
        Column("Class"),
        Column("Rows"),
        *(Column(WORDS[kind].capitalize(), KIND_HELP[kind]) for kind in KINDS),
        Column("Support vectors", "All but the free ones, with a 95 % interval of their share"),
        Column("Mean slack", "Mean of max(0, 1 − m)"),
    ]
    show_table(
        heads,
        [
            [
                Cell(row.version),
                Cell(CLASSES[row.label]),
                Cell(format_count(row.n)),
                *(
                    Cell(
                        format_count(row.hits[kind]),
                        format_share(each.value) + format_bound(each.bound, "share")
                        if each.is_defined
                        else each.reason,
                    )
                    for kind, each in row.kinds.items()
                ),
                Cell(format_count(row.n_support), format_estimate(row.share, "share")),
                estimate_cell(row.slack, "loss"),
            ]
            for row in view.rows
        ],
    )
    if not has_rows:
        return
    row = view.focus
    with st.container(horizontal=True):
        for kind in KINDS[:-1]:
            if row.hits[kind]:
                offer_samples(view.query(row, kind), f"{row.version}: rows {WORDS[kind]}")


def show_bounds(diagnosis: Diagnosis) -> None:
    """What the counts of training rows say by theory, with C and n as far as a person knows them."""
    st.subheader("What theory says of the training rows", anchor=False)
    place = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        c = state.number("sv_c", "C of the training", 0.1, min_value=0.0, help="As scikit-learn has it: ½·|w|² + C·Σξ")
        n = state.number("sv_n", "Rows of the training", 1.0, min_value=1.0, help="Where the log holds only some")
    view = BoundsView.of(diagnosis, c or math.nan, None if n is None else int(n))
    with place:
        if view.reason:
            show_note(f"Nothing is said: {view.reason}.")
            return
        show_table(
            [Column("On the training rows"), *(Column(version) for version in view.versions)],
            [[Cell(each.head), *(Cell(value, detail) for value, detail in each.values)] for each in view.statements],
        )
        show_note(*view.sentences)
        with st.popover("Where this comes from", icon=":material/dictionary:", type="tertiary"):
            for each in view.statements:
                st.markdown(f"**{each.head}.** {each.reason}.")


def read_moves(diagnosis: Diagnosis, scan: Scan, split: str) -> MovesView | None:
    """The ledger: read at once of few rows, at a person's wish of many, with progress and cancel."""
    query = pair_query(diagnosis, split)
    held = held_pairs(scan, query)
    if held is not None:
        forget(PAIRS)
        return MovesView(query, held)
    if diagnosis.facts.n_rows <= ROWS_WITHOUT_WAITING:
        return MovesView(query, read_pairs(scan, query))
    job = settle(PAIRS)
    if job is not None and job.problem:
        st.error(job.problem)
    elif job is not None:
        held = held_pairs(scan, query)
        if held is not None:
            return MovesView(query, held)

    def pair() -> None:
        begin(PAIRS, "Pairing rows", lambda run, report: read_pairs(scan, query, run=run, on_progress=report))

    st.button(
        f"Pair {format_plural(diagnosis.facts.n_rows, 'row')} by id",
        on_click=pair,
        help="Joins the two versions; it can be cancelled, and is done once",
    )
    return None


def show_moves(diagnosis: Diagnosis, split: str) -> None:
    """Who entered and who left, and the rows of any move."""
    if not diagnosis.is_compared:
        return
    st.subheader("Who entered, who left", anchor=False)
    scan = diagnosis.tables
    if not isinstance(scan, Scan):
        show_note(
            "Only saved cells are loaded: they hold no ids. Load the file itself to follow rows between versions."
        )
        return
    if diagnosis.facts.mapping.id is None:
        show_note("No column is the id of a row, so no row can be followed from one version to another.")
        return
    view = read_moves(diagnosis, scan, split)
    if view is None:
        return
    show_answer(view.answer())
    show_note(view.left_out())
    if not view.n:
        return
    before, after = view.query.before, view.query.after
    show_table(
        [Column(f"In {before}"), *(Column(f"{WORDS[kind]} in {after}") for kind in KINDS)],
        [
            [
                Cell(WORDS[kind].capitalize()),
                *(
                    Cell(format_count(view.count(row, column)), view.share(view.count(row, column)))
                    for column in range(len(KINDS))
                ),
            ]
            for row, kind in enumerate(KINDS)
        ],
    )
    provenance = provenance_line(diagnosis.with_settings(where=view.query.where))
    offer_csv(view.frame, "support-vector-moves", provenance=provenance, key="moves:csv")
    moves = view.moves()
    if not moves:
        return
    move = state.choose("moved", "Rows that", list(moves), default=next(iter(moves)), words=moves.__getitem__)
    listed = list_moved(scan, view.listed(move))
    if scan.dataset.tables[1:] == ():
        listed = listed.drop(columns="file")
    st.dataframe(listed, hide_index=True, height="content" if len(listed) < 12 else 420)
    if len(listed) >= MOST_ROWS:
        show_note(f"Of each move the {MOST_ROWS} rows whose slack changed most are listed, largest change first.")
    offer_csv(listed, "rows-that-moved", provenance=provenance, key="moved:csv")


def show_worst(diagnosis: Diagnosis, view: SupportView) -> None:
    """The rows with the largest slack, as they stand in the file."""
    st.subheader("The worst by slack", anchor=False)
    scan = diagnosis.tables
    if not isinstance(scan, Scan):
        show_note("Only saved cells are loaded: they hold counts, not rows. Load the file itself to list rows.")
        return
    query = view.support_query(view.focus)
    total = count_rows(scan, query)
    if not total:
        show_note("No row falls short of the margin.")
        return
    show_rows(scan, query, total, "slack")
    these = "this row" if total == 1 else f"these {format_count(total)} support vectors"
    offer_samples(query, f"Look at {these} on Samples")
