"""Where the model is sure and wrong, on the Samples page: by who gave the label and by cohort, each with its rows."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.confident_view import RATE, ConfidentRow, ConfidentView
from lib.figures.format import format_count, format_plural
from lib.figures.text import MISSING
from lib.metrics.catalogue import metric_named
from lib.sources.columns import shorten
from lib.ui.cohorts import estimate_cell
from lib.ui.html import Cell, Column, show_note, show_table
from lib.ui.rows import offer_samples

LINKED = 5


def show_confident(diagnosis: Diagnosis, version: str) -> None:
    """The rows of a version that contradict its surest answers, by labeller and by cohort, worst first."""
    view = ConfidentView.of(diagnosis, version)
    st.subheader("Sure and wrong", anchor=False)
    show_note(view.answer())
    for rows, head in ((view.labellers, "Who gave the label"), (view.cohorts, "Cohort")):
        if rows:
            _show_rows(rows, head)


def _show_rows(rows: Sequence[ConfidentRow], head: str) -> None:
    metric = metric_named(RATE)
    table = [
        [
            Cell(f"{row.column} = {row.value or MISSING}"),
            Cell(format_count(row.wrong), f"of {format_count(row.estimate.n)}"),
            estimate_cell(row.estimate),
            estimate_cell(row.rest),
            estimate_cell(row.excess, change=True, tone="worse" if row.stands_out else ""),
        ]
        for row in rows
    ]
    show_table(
        [
            Column(head, "Those that are surest to have more than the rest of the version first"),
            Column("Sure and wrong"),
            Column("Share", metric.definition),
            Column("The rest"),
            Column("Difference"),
        ],
        table,
    )
    with st.container(horizontal=True):
        for row in rows[:LINKED]:
            if row.query is not None:
                these = "this row" if row.wrong == 1 else f"these {format_plural(row.wrong, 'row')}"
                offer_samples(row.query, f"{shorten(row.value) or MISSING}: {these}")
