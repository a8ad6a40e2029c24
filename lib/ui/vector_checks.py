"""The checks of vectors, run behind a page that is drawn without them."""

from __future__ import annotations

import streamlit as st

from lib.checks.embeddings import holds_embedding_checks, run_embedding_checks
from lib.embeddings import EmbeddingDiagnosis
from lib.figures.format import format_count
from lib.sources import Run
from lib.ui.embeddings_page import watch_topic
from lib.ui.html import show_note
from lib.ui.jobs import Progress

CHECKS = "checks"
"""The job."""
RUN_UP_TO = 50_000
"""Rows of both versions up to which the checks run unasked."""
_ASKED = "checks asked"


def watch_checks(diagnosis: EmbeddingDiagnosis, *, offers: bool = False) -> None:
    """Run the checks, with progress and a button to cancel; then draw the page again with what they found.

    Of many rows they have to be asked for: they would take the worker from what a person waits for. `offers` says
    whether that can be done here.
    """
    wanted = (diagnosis.embeddings.key, diagnosis.settings)
    n = sum(diagnosis.vectors(version).n for version in diagnosis.settings.versions)
    if n > RUN_UP_TO and not holds_embedding_checks(diagnosis) and st.session_state.get(_ASKED) != wanted:
        if offers:
            show_note(f"The checks have not run: of {format_count(n)} vectors they take a while.")
            st.button("Run the checks", on_click=st.session_state.__setitem__, args=(_ASKED, wanted))
        return

    def run_checks(run: Run, report: Progress) -> None:
        run_embedding_checks(diagnosis, run, lambda share, words: report(share, f"Running the checks. {words}"))

    watch_topic(
        CHECKS,
        wanted,
        "Running the checks",
        lambda: holds_embedding_checks(diagnosis),
        run_checks,
        cancelled="Cancelled: the checks have not run.",
        again="Run the checks",
    )
