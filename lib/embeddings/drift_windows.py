"""Drift over time: the candidate's vectors of each window against the baseline's, worked out once, in a worker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.embeddings.diagnosis import EmbeddingDiagnosis, Report, ignore, part
from lib.embeddings.measures import measure_vectors, paired_rows, read_drift
from lib.metrics.drift import Drift
from lib.metrics.drift_windows import Against
from lib.metrics.vector_measures import LEAST_PART
from lib.scan.windows import FIRST_MONDAY, READABLE_WINDOWS, WEEK, WIDTHS, WindowGrid
from lib.sources import Run

ROWS_PER_WINDOW = 2 * LEAST_PART
"""Windows are as narrow as leaves them so many rows on average."""


@dataclass(frozen=True, eq=False)
class DriftWindows:
    """The windows of a candidate, each against one reference.

    Attributes:
        against: what that is.
        grid: where windows begin.
        starts: epoch seconds at which those begin that have rows enough, ascending.
        drifts: of each of these.
        n_left_out: usable rows of windows that have fewer than `LEAST_PART`.
        n_without_time: usable rows whose time is missing or cannot be read.
    """

    against: Against
    grid: WindowGrid
    starts: tuple[int, ...]
    drifts: tuple[Drift, ...]
    n_left_out: int
    n_without_time: int


def read_drift_windows(
    diagnosis: EmbeddingDiagnosis, run: Run | None = None, on_progress: Report = ignore
) -> DriftWindows | None:
    """Drift over time; None where no column is the time, or fewer than two windows have rows enough.

    Where the candidate's coordinates are the baseline's turned, it is turned back first. Each window is compared with
    the other windows where there is one version, or the versions cannot be compared by value.

    Raises:
        Cancelled: `run` was cancelled.
    """
    settings = diagnosis.settings

    def compute() -> DriftWindows | None:
        seconds, vectors = diagnosis.embeddings.seconds(settings.candidate), diagnosis.vectors(settings.candidate)
        if seconds is None:
            return None
        usable = vectors.usable(settings.distance)
        rows = np.flatnonzero(usable & np.isfinite(seconds))
        grid = choose_windows(seconds[rows])
        if grid is None:
            return None
        starts = np.floor((seconds[rows] - grid.origin) / grid.width).astype(np.int64) * grid.width + grid.origin
        names, counts = np.unique(starts, return_counts=True)
        kept = names[counts >= LEAST_PART]
        if len(kept) < 2:
            return None
        against = Against.OTHER_TIMES
        if diagnosis.is_compared:
            drift = read_drift(diagnosis, run, part(on_progress, 0.0, 0.4))
            if not drift.reason:
                against = Against.BASELINE if drift.turned is None else Against.TURNED
        paired = paired_rows(diagnosis)
        found: list[Drift] = measure_vectors(
            diagnosis,
            "vector_windows",
            (settings.baseline, settings.candidate),
            ([rows[starts == start] for start in kept], paired, against, settings.distance),
            run,
            part(on_progress, 0.4, 1.0),
        )
        return DriftWindows(
            against,
            grid,
            tuple(kept.tolist()),
            tuple(found),
            len(rows) - int(counts[counts >= LEAST_PART].sum()),
            int(usable.sum()) - len(rows),
        )

    return diagnosis.once(_wanted(diagnosis), compute, run, on_progress)


def holds_drift_windows(diagnosis: EmbeddingDiagnosis) -> bool:
    """Whether that was worked out already."""
    return diagnosis.holds(*_wanted(diagnosis))


def _wanted(diagnosis: EmbeddingDiagnosis) -> tuple[object, ...]:
    settings = diagnosis.settings
    return "drift windows", settings.baseline, settings.candidate, settings.distance


def choose_windows(seconds: np.ndarray) -> WindowGrid | None:
    """The finest of `WIDTHS` with at most `READABLE_WINDOWS` windows, of `ROWS_PER_WINDOW` rows on average.

    Args:
        seconds: epoch seconds of the rows, none of them NaN.

    Returns:
        None where there are not rows enough for two windows, or one of the widest holds all.
    """
    if len(seconds) < 2 * ROWS_PER_WINDOW:
        return None
    first, last = float(seconds.min()), float(seconds.max())
    for width in WIDTHS:
        grid = WindowGrid(width, FIRST_MONDAY if width >= WEEK else 0)
        count = (grid.start(last) - grid.start(first)) // width + 1
        if 2 <= count <= min(READABLE_WINDOWS, len(seconds) / ROWS_PER_WINDOW):
            return grid
    return None
