"""What is measured of embeddings, read in one go: everything that the command line tells, or what checks look at."""

from __future__ import annotations

from collections.abc import Callable

from lib.embeddings.comparison import read_comparison
from lib.embeddings.diagnosis import EmbeddingDiagnosis, Report, ignore, part
from lib.embeddings.drift_windows import read_drift_windows
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
    steps: list[Step] = []
    for version in diagnosis.embeddings.versions:
        steps += _checked_of_version(diagnosis, version, given)
        steps += [
            lambda report, version=version: read_triplets(diagnosis, version, given, report),
            lambda report, version=version: read_outliers(diagnosis, version, given, report),
        ]
    steps += _checked_of_both(diagnosis, given)
    steps.append(lambda report: read_drift_windows(diagnosis, given, report))
    if diagnosis.is_compared and has_truth(diagnosis):
        steps.append(lambda report: read_recall_drop(diagnosis, given, report))
    _take(steps, given, on_progress)


def read_checked(diagnosis: EmbeddingDiagnosis, run: Run | None = None, on_progress: Report = ignore) -> None:
    """Read what the checks look at, of the versions that are looked at; not yet why recall has fallen.

    Raises:
        Cancelled: `run` was cancelled.
    """
    given = run or Run()
    steps = [step for version in diagnosis.settings.versions for step in _checked_of_version(diagnosis, version, given)]
    _take([*steps, *_checked_of_both(diagnosis, given)], given, on_progress)


def _take(steps: list[Step], run: Run, on_progress: Report) -> None:
    for place, step in enumerate(steps):
        run.check()
        step(part(on_progress, place / len(steps), (place + 1) / len(steps)))


def _checked_of_version(diagnosis: EmbeddingDiagnosis, version: str, run: Run) -> list[Step]:
    return [
        lambda _report: read_index(diagnosis, version),
        lambda report: read_retrieval(diagnosis, version, run, report),
        lambda report: read_geometry(diagnosis, version, run, report),
        lambda report: read_dimensions(diagnosis, version, run, report),
        lambda report: read_leakage(diagnosis, version, run, report),
        lambda report: read_duplicates(diagnosis, version, None, run, report),
        lambda report: read_ann(diagnosis, version, run, report),
        lambda _report: read_seasons(diagnosis, version),
    ]


def _checked_of_both(diagnosis: EmbeddingDiagnosis, run: Run) -> list[Step]:
    if not diagnosis.is_compared:
        return []
    return [
        lambda report: read_comparison(diagnosis, run, report),
        lambda report: read_drift(diagnosis, run, report),
    ]
