"""How far the vectors of each window of time are from a reference: a baseline, one turned, or the other windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import pairwise

import numpy as np

from lib.metrics.drift import MOST_ROWS, Drift, compare_parts
from lib.metrics.vector_measures import turn_onto
from lib.metrics.vector_rows import draw_rows, take
from lib.vectors import Distance, Rows, Vectors

Report = Callable[[float, str], None]


class Against(StrEnum):
    """What each window is compared with."""

    BASELINE = "baseline"
    TURNED = "baseline, turned"
    OTHER_TIMES = "other times"


def compare_windows(
    before: Vectors,
    after: Vectors,
    windows: Sequence[Rows],
    paired: tuple[Rows, Rows],
    against: Against,
    distance: Distance,
    report: Report,
) -> list[Drift]:
    """Each window of a candidate against the reference, corrected for all windows.

    Args:
        before: the baseline.
        after: the candidate; perhaps the same.
        windows: the usable rows of the candidate in each.
        paired: the usable rows of both that have the same id, by which the candidate is turned onto the baseline.
        against: all usable rows of the baseline as they stand or with the candidate turned onto them, or the rows of
            the candidate that are in the other windows.
        distance: under the cosine distance, directions are compared.
        report: told between windows.
    """
    if against is Against.OTHER_TIMES:
        every = np.sort(np.concatenate([*windows, np.zeros(0, np.int64)]))
        parts = [(np.setdiff1d(every, rows, assume_unique=True), rows) for rows in windows]
        return compare_parts(after.matrix, after.matrix, parts, distance, report)
    reference = np.flatnonzero(before.usable(distance))
    if against is Against.BASELINE:
        return compare_parts(before.matrix, after.matrix, [(reference, rows) for rows in windows], distance, report)
    drawn = [draw_rows(rows, MOST_ROWS, 0) for rows in windows]
    turn = turn_onto(before, after, paired, distance)
    turned = [(take(after.matrix, rows, distance) @ turn).astype(np.float32) for rows in drawn]
    ends = np.cumsum([0, *(len(rows) for rows in drawn)])
    parts = [(reference, np.arange(start, end)) for start, end in pairwise(ends)]
    # Directions stay directions when they are turned.
    found = compare_parts(before.matrix, np.concatenate(turned), parts, distance, report)
    return [replace(each, m=len(rows)) for each, rows in zip(found, windows, strict=True)]
