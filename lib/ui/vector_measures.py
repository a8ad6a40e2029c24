"""What pages of vectors share: a topic read of each version, the choice of one, tables of explained measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.diagnosis import part
from lib.embeddings.measures import holds
from lib.figures.vector_words import Term, Words
from lib.sources import Run
from lib.ui import state
from lib.ui.embeddings_page import read_topic
from lib.ui.html import Cell, Column, show_table
from lib.ui.jobs import Progress

T = TypeVar("T")
NO_TRUTH = (
    "Nothing tells which rows belong together: name a column of labels on the Home page, or give a file of pairs."
)
Reader = Callable[[EmbeddingDiagnosis, str, Run, Progress], T]


def read_versions(diagnosis: EmbeddingDiagnosis, topic: str, read: Reader[T], words: str, *more: Any) -> dict[str, T]:
    """A topic of each version that is shown, baseline first, read with progress.

    Args:
        diagnosis: whose.
        topic: its name, as `lib.embeddings.measures.holds` knows it.
        read: reads it of one version.
        words: what is being done.
        more: what else the topic is kept by.
    """
    versions = diagnosis.settings.versions

    def read_all(run: Run, report: Progress) -> dict[str, T]:
        n = len(versions)
        return {
            version: read(diagnosis, version, run, part(report, place / n, (place + 1) / n))
            for place, version in enumerate(versions)
        }

    return read_topic(
        topic,
        (diagnosis.embeddings.key, diagnosis.settings, *more),
        words,
        lambda: all(holds(diagnosis, topic, version, *more) for version in versions),
        read_all,
    )


def choose_version(diagnosis: EmbeddingDiagnosis, name: str, label: str) -> str:
    """One of the versions that are shown, the candidate unless chosen; nothing is asked where there is one."""
    versions = diagnosis.settings.versions
    if len(versions) == 1:
        state.judge(name, f"{versions[0]}, the only version", fits=state.get(name) == versions[0])
        return versions[0]
    return state.choose(name, label, versions, default=versions[-1], draw=st.segmented_control)


def show_terms(terms: Mapping[str, Term], rows: Sequence[tuple[str, Sequence[Words]]], first: str = "Version") -> None:
    """A table of measures, each explained at its head; a row names its first cell."""
    show_table(
        [Column(first), *(Column(term.name, term.meaning) for term in terms.values())],
        [[Cell(name), *(Cell(*each, wordy=True) for each in words)] for name, words in rows],
    )
