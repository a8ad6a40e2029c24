"""Rows that could not be used: counted by reason, listed with file and record, downloadable."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from lib.figures.format import format_count, format_plural
from lib.figures.frame import source_line
from lib.scan import PROBLEMS, STRUCTURAL, Facts, Scan, list_rejected
from lib.ui.downloads import offer_csv
from lib.ui.html import show_note

SHOWN_ROWS = 200


def show_rejected(scan: Scan, facts: Facts) -> None:
    """An expander that opens on demand, since the list is a question to the rows."""
    total = sum(facts.problems.values())
    label = f"{format_plural(total, 'record')} with a problem"
    with st.expander(label, on_change="rerun", key="rejected") as expander:
        show_note(*(_sentence(code, count) for code, count in facts.problems.items()))
        if expander.open:
            st.dataframe(list_rejected(scan, SHOWN_ROWS), hide_index=True, width="stretch")
            provenance = source_line(facts, ["records with a problem"], datetime.now(UTC))
            offer_csv(lambda: list_rejected(scan), "records-with-a-problem", provenance=provenance, key="rejected:csv")


def _sentence(code: str, count: int) -> str:
    usable, words = (False, "the line is not a record") if code == STRUCTURAL else PROBLEMS[code]
    return f"{format_count(count)}: {words}" + ("." if usable else "; left out.")
