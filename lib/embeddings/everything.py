"""Everything that is measured of embeddings, read in one go: what the command line tells, and checks look at."""

from __future__ import annotations

from collections.abc import Callable

from lib.embeddings.comparison import read_comparison
from lib.embeddings.diagnosis import EmbeddingDiagnosis, Report, ignore, part
from lib.embeddings.measures import (
    read_ann,
    read_dimensions,
    read_drift,
    read_duplicates,
    read_geometry,
    read_index,
    read_leakage,
    read_outliers,
    read_seasons,
    read_triplets,
)
from lib.embeddings.recall_drop import has_truth, read_recall_drop
from lib.embeddings.retrieval import read_retrieval
from lib.sources import Run

Step = Callable[[Report], object]


def read_everything(diagnosis: EmbeddingDiagnosis, run: Run | None = None, on_progress: Report = ignore) -> None:
    """Read all measures of all versions, and of the two that are compared what changed.

    Raises:
        Cancelled: `run` was cancelled.
    """
    given = run or Run()
    steps = [step for version in diagnosis.embeddings.versions for step in _of_version(diagnosis, version, given)]
    if diagnosis.is_compared:
        steps += [
            lambda report: read_comparison(diagnosis, given, report),
            lambda report: read_drift(diagnosis, given, report),
        ]
        if has_truth(diagnosis):
            steps.append(lambda report: read_recall_drop(diagnosis, given, report))
    for place, step in enumerate(steps):
        given.check()
        step(part(on_progress, place / len(steps), (place + 1) / len(steps)))


def _of_version(diagnosis: EmbeddingDiagnosis, version: str, run: Run) -> list[Step]:
    return [
        lambda _report: read_index(diagnosis, version),
        lambda report: read_retrieval(diagnosis, version, run, report),
        lambda report: read_geometry(diagnosis, version, run, report),
        lambda report: read_triplets(diagnosis, version, run, report),
        lambda report: read_dimensions(diagnosis, version, run, report),
        lambda report: read_leakage(diagnosis, version, run, report),
        lambda report: read_duplicates(diagnosis, version, None, run, report),
        lambda report: read_outliers(diagnosis, version, run, report),
        lambda report: read_ann(diagnosis, version, run, report),
        lambda _report: read_seasons(diagnosis, version),
    ]
