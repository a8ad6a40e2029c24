"""What happened to recall between baseline and candidate, worked out once, in a worker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.embeddings.diagnosis import EmbeddingDiagnosis, Report, ignore, part
from lib.embeddings.measures import paired_rows
from lib.jobs.recall_drop import recall_drop
from lib.metrics.ann import judged_answers
from lib.metrics.estimates import Estimate, FloatArray
from lib.metrics.relevance import Relevance
from lib.recall_drop import Asked, RecallDrop, Side
from lib.recall_drop.crossed import recall_estimate
from lib.sources import Run
from lib.vectors import Truth


@dataclass(frozen=True, eq=False)
class RecallHistory:
    """What happened to recall.

    Attributes:
        drop: everything that is told of it.
        used: recall of baseline and candidate as they are used: by the answers of an index where such were given, else
            by exact search. What the parts of the change lead from and to.
        n_shared: rows that are in both.
    """

    drop: RecallDrop
    used: tuple[Estimate, Estimate]
    n_shared: int


def has_truth(diagnosis: EmbeddingDiagnosis) -> bool:
    """Whether right answers are known in all versions that are looked at."""
    return all(diagnosis.truth(version) is not None for version in diagnosis.settings.versions)


def compared_cohorts(diagnosis: EmbeddingDiagnosis) -> tuple[str, ...]:
    """The cohort columns that all versions have that are looked at."""
    tables = [diagnosis.embeddings.metadata[version].column_names for version in diagnosis.settings.versions]
    return tuple(column for column in diagnosis.embeddings.roles.cohorts if all(column in each for each in tables))


def read_recall_drop(
    diagnosis: EmbeddingDiagnosis, run: Run | None = None, on_progress: Report = ignore
) -> RecallHistory:
    """What happened to recall at the k that pages speak of; two versions with right answers are needed.

    The graphs of both versions are read first, for the lists of single queries.

    Raises:
        Cancelled: `run` was cancelled.
    """
    settings = diagnosis.settings

    def compute() -> RecallHistory:
        run_ = run or Run()
        versions = (settings.baseline, settings.candidate)
        for place, version in enumerate(versions):
            diagnosis.graph(version, run_, part(on_progress, 0.2 * place, 0.2 * (place + 1)))
        before, after = (_side(diagnosis, version) for version in versions)
        first, second = paired_rows(diagnosis)
        asked = Asked(before, after, first, second, settings.distance, settings.k)
        drop = recall_drop(asked, diagnosis.folder, run_, part(on_progress, 0.4, 1.0))
        exact = (drop.before, drop.after)
        used = tuple(
            one if side.hits is None else recall_estimate(side.hits)
            for side, one in zip((before, after), exact, strict=True)
        )
        return RecallHistory(drop, (used[0], used[1]), len(first))

    return diagnosis.once(_wanted(diagnosis), compute, run, on_progress)


def holds_recall_drop(diagnosis: EmbeddingDiagnosis) -> bool:
    """Whether that was worked out already."""
    return diagnosis.holds(*_wanted(diagnosis))


def _wanted(diagnosis: EmbeddingDiagnosis) -> tuple[object, ...]:
    settings = diagnosis.settings
    return "recall drop", settings.baseline, settings.candidate, settings.distance, settings.k


def _side(diagnosis: EmbeddingDiagnosis, version: str) -> Side:
    truth = diagnosis.truth(version)
    assert truth is not None, "right answers are known"
    cohorts = {
        column: diagnosis.embeddings.texts(version, column).astype(np.str_) for column in compared_cohorts(diagnosis)
    }
    return Side(diagnosis.vectors(version), truth, cohorts, _hits(diagnosis, version, truth))


def _hits(diagnosis: EmbeddingDiagnosis, version: str, truth: Truth) -> FloatArray | None:
    """Whether an index found a right answer among its first k, by row; None without its answers."""
    given = diagnosis.embeddings.neighbours.get(version)
    if given is None:
        return None
    n = diagnosis.vectors(version).n
    relevance = Relevance(truth, n, diagnosis.gallery(version))
    answers = given.rows.astype(np.int64)
    is_right = relevance.holds(given.queries, answers) & judged_answers(
        given.queries, answers, min(diagnosis.settings.k, answers.shape[1])
    )
    hits = np.full(n, np.nan)
    able = relevance.count(given.queries) > 0
    hits[given.queries[able]] = is_right[able].any(axis=1)
    return hits
