"""Predictions that are open beside a set of vectors: found in the view, joined by id behind the page, handed over."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.predictions import MEASURES, Predicted, held_predictions, read_predictions, say_why_not
from lib.errors import SettingsError
from lib.figures.map_predictions import NO_FILTER, NO_LABELS, PREDICTED_WORDS, joined_words, unmatched_words
from lib.figures.samples import COHORTS
from lib.figures.text import plain
from lib.scan import Facts, Scan
from lib.sources import Run
from lib.ui import state
from lib.ui.datasets import hold, open_sample, sample_named, workspace
from lib.ui.embeddings_page import watch_topic
from lib.ui.html import show_note
from lib.ui.jobs import ASKED, Progress, forget
from lib.ui.mapping import as_plain_markdown
from lib.ui.page import ROWS_WITHOUT_WAITING
from lib.workspace import HeldDraft, OpenDataset, Sample

OPENING = "beside"
"""The job that opens a sample of predictions."""
FILTERS = (*(column for column, _value in COHORTS), "split", "windows")
OF_VECTORS = "vectors:"
"""Before the name of a version: features of the fit lab that are vectors of the view."""


@dataclass(frozen=True)
class Beside:
    """The predictions of the view, beside vectors.

    Attributes:
        opened: the dataset; None for a sample that is not open yet.
        sample: that sample.
        compared: baseline and candidate of the predictions.
        why_not: why they cannot be joined with the vectors; empty where they may be.
        predicted: what was joined; None while that is not known.
    """

    opened: OpenDataset | None = None
    sample: Sample | None = None
    compared: tuple[str, str] = ("", "")
    why_not: str = ""
    predicted: Predicted | None = None

    @property
    def scan(self) -> Scan | None:
        """The rows of the predictions, where there are some to join."""
        tables = None if self.opened is None or self.why_not else self.opened.tables
        return tables if isinstance(tables, Scan) else None

    @property
    def is_joined(self) -> bool:
        """Whether a vector has the id of a prediction."""
        return self.predicted is not None and self.predicted.n_found > 0

    def measures(self, asked: str) -> list[str]:
        """What a map can be coloured by; while that is not known what a link asks for, so that it is kept."""
        if self.predicted is not None:
            return list(self.predicted.measures)
        return [measure for measure in MEASURES if measure == asked and not self.why_not]


def find_predictions(diagnosis: EmbeddingDiagnosis) -> Beside | None:
    """The predictions of the view, joined where they are few; None where none are open."""
    token = state.get(state.DATASET)
    opened, sample = workspace().get(token), sample_named(token)
    if opened is None:
        is_draft = workspace().draft(st.session_state.get(f"draft:{token}", token)) is not None
        return None if sample is None or is_draft else Beside(sample=sample)
    hold(token)
    why_not = say_why_not(diagnosis, opened.tables)
    if why_not or not isinstance(opened.tables, Scan):
        return Beside(opened, why_not=why_not)
    facts = opened.tables.facts
    compared = _compared(facts)
    read = read_predictions if facts.n_rows <= ROWS_WITHOUT_WAITING else held_predictions
    return Beside(opened, None, compared, "", read(diagnosis, opened.tables, compared))


def _compared(facts: Facts) -> tuple[str, str]:
    """Baseline and candidate of the predictions, as the view says where there are such versions."""
    said = [state.get(name) for name in ("baseline", "candidate")]
    first, second = (
        each if each in facts.versions else usual
        for each, usual in zip(said, (facts.versions[0], facts.versions[-1]), strict=True)
    )
    return first, second


def wait_for_predictions(diagnosis: EmbeddingDiagnosis, beside: Beside | None) -> None:
    """Open the predictions' sample and join them with the vectors, behind the page; draw it again when that is done."""
    if beside is None:
        return
    if beside.opened is None:
        sample = beside.sample
        assert sample is not None, "what is not open is a sample"

        def read(run: Run, report: Progress) -> None:
            found = open_sample(sample, run, report)
            if isinstance(found, HeldDraft):
                workspace().close(found.token)
                raise SettingsError(
                    f"How the columns of {found.name} are read has to be settled on the Home page first."
                )

        watch_topic(
            OPENING,
            sample.token,
            f"Opening {sample.title.lower()}",
            lambda: workspace().get(sample.token) is not None,
            read,
            cancelled="Cancelled: the predictions were not opened.",
            again="Open them",
        )
        return
    # One that was done after its last look here, or opened by another session meanwhile.
    forget(OPENING)
    scan, compared = beside.scan, beside.compared
    if scan is None:
        return
    watch_topic(
        "predictions",
        (scan.facts.key, diagnosis.embeddings.key, diagnosis.settings.versions, compared),
        "Joining predictions by id",
        lambda: held_predictions(diagnosis, scan, compared) is not None,
        lambda run, report: read_predictions(diagnosis, scan, compared, run, report),
        cancelled="Cancelled: the predictions were not joined with the vectors.",
        again="Join them",
    )


def show_joined(diagnosis: EmbeddingDiagnosis, beside: Beside | None, colour: str, versions: tuple[str, ...]) -> None:
    """Whose predictions colour the maps, and of how many rows; or why none can."""
    if beside is None or beside.opened is None:
        return
    name, predicted = beside.opened.name, beside.predicted
    if beside.why_not:
        show_note(beside.why_not)
    elif predicted is None or beside.scan is None:
        return
    elif not beside.is_joined:
        show_note(unmatched_words(diagnosis, beside.scan, predicted, name))
    elif not predicted.has_labels:
        show_note(NO_LABELS)
    elif colour in PREDICTED_WORDS:
        has_filter = any(state.get(each) for each in FILTERS)
        show_note(*joined_words(diagnosis, predicted, colour, versions, name), NO_FILTER if has_filter else "")


def offer_fit(diagnosis: EmbeddingDiagnosis, beside: Beside | None) -> None:
    """The way to the fit lab with the candidate's vectors as features, where predictions have their ids and labels."""
    if beside is None or not beside.is_joined or beside.predicted is None or not beside.predicted.has_labels:
        return
    version = diagnosis.settings.candidate
    which = f" ({as_plain_markdown(plain(version))})" if diagnosis.is_compared else ""
    st.page_link(
        "pages/fit_lab.py",
        label=f"Fit on this embedding{which}",
        icon=":material/science:",
        query_params=state.current() | {"fit_from": f"{OF_VECTORS}{version}", "fit": ASKED},
        help="Hinge and logistic loss fitted to these vectors, with the labels of the predictions of the same ids.",
    )
