"""A selection on the map as a cohort of the predictions: the same files once more, with a column that marks it."""

from __future__ import annotations

import shutil
from dataclasses import replace

import streamlit as st

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.predictions import say_why_no_cohort, split_ids
from lib.embeddings.projection import Numbering
from lib.figures.text import plain
from lib.sources import Answers, Run, infer_mapping
from lib.sources.marking import SELECTED, Marks, find_name_trouble, mark_rows
from lib.ui import state
from lib.ui.datasets import READ_SHARE, Draft, hold, open_draft, workspace
from lib.ui.html import show_note
from lib.ui.jobs import Progress, begin, settle
from lib.ui.predictions_beside import Beside
from lib.vectors import Rows
from lib.workspace import OpenDataset

JOB, USUAL_NAME = "cohort", "selection"
WORDS = (
    "Makes a second dataset of the same predictions with one more cohort column, in which these rows are “selected” "
    "and all others that have a vector “others”; then compares the two. What is open now stays as it is."
)


def offer_cohort(diagnosis: EmbeddingDiagnosis, numbering: Numbering, numbers: Rows, beside: Beside | None) -> None:
    """A button that makes a cohort of some samples, where predictions have the ids of vectors."""
    if beside is None or beside.predicted is None or not beside.is_joined:
        return
    opened = beside.opened
    if opened is None or not isinstance(opened.draft, Draft):
        return
    draft = opened.draft
    with st.popover("Use as a cohort", icon=":material/groups:", help="Compare these rows with the others"):
        if why_not := say_why_no_cohort(beside.predicted, numbering, numbers):
            show_note(why_not)
            return
        show_note(WORDS)
        name = st.text_input("Name of the column", _free_name(draft), key=f"cohort name:{opened.token}").strip()
        trouble = find_name_trouble(name, draft.tables)
        if trouble:
            show_note(trouble)
        if not st.button("Make the cohort", type="primary", key="cohort:make") or trouble:
            return
    origin = f"on the map of {plain(diagnosis.embeddings.name)}"

    def make(run: Run, report: Progress) -> OpenDataset:
        marks = Marks(name, *split_ids(diagnosis, numbering, numbers), origin)
        return mark_dataset(opened, draft, marks, run, report)

    begin(JOB, "Marking the rows", make)


def _free_name(draft: Draft) -> str:
    """The usual name of the column, with a number where that is taken."""
    names = [USUAL_NAME, *(f"{USUAL_NAME} {number}" for number in range(2, 100))]
    return next((each for each in names if not find_name_trouble(each, draft.tables)), USUAL_NAME)


def settle_cohort() -> None:
    """Go to the cohorts of what was made; draws the progress while that is at work."""
    job = settle(JOB)
    if job is None:
        return
    if isinstance(job.result, OpenDataset):
        hold(job.result.token)
        column = job.result.tables.facts.cohorts[-1]
        # Beside what the other dataset was looked at by: versions, γ and filter are the same here.
        there = {state.DATASET: job.result.token, "by": column, "one": SELECTED}
        st.switch_page("pages/cohorts.py", query_params=state.current() | there)
    show_note(job.problem or "Cancelled: no cohort was made.")


def mark_dataset(opened: OpenDataset, draft: Draft, marks: Marks, run: Run, report: Progress) -> OpenDataset:
    """A dataset of the same files, read in the same way, with one more cohort column.

    Raises:
        Cancelled: `run` was cancelled; nothing is left behind.
        MarginaliaError: it cannot be made or opened; the text says why.
    """
    mapping = draft.inference.mapping
    assert mapping.id is not None, "ids were joined"
    id_column, n, folder = mapping.id, len(draft.tables), workspace().new_folder()

    def marked(place: int, share: float, words: str) -> None:
        report(READ_SHARE * (place + share) / n, words)

    try:
        tables = tuple(
            mark_rows(
                table, id_column, marks, folder, run,
                lambda share, words, place=place: marked(place, share, words),
            )
            for place, table in enumerate(draft.tables)
        )  # fmt: skip
        answers = Answers.of_mapping(replace(mapping, cohorts=(*mapping.cohorts, marks.column)), opened.name)
        again = Draft(tables, answers, infer_mapping(tables, answers), folder)
        return open_draft(again, run, report, name=f"{opened.name}, with {marks.column}")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
