"""Rows on which the model is sure and wrong (H-F20): what it answers most firmly, and what the label says otherwise.

A row is sure where |s| is above a threshold: 2 in log odds, a probability above 0.88 for the class that is answered.
A raw decision score has no unit; there it is the median of |s| over the labelled rows of the version.
"""

from __future__ import annotations

import numpy as np

from lib.cells import Cells, Sums
from lib.grid import MISSING_BIN, score_at, score_axis
from lib.metrics.estimates import BoolArray, FloatArray, add_up
from lib.metrics.parts import Counts, family_of
from lib.schema import VERSION, ScoreKind

SURE = 2.0
"""In log odds: a probability above 0.88 for the class that is answered."""
NOTHING_SURE = "no labelled row that the model is sure of"


def sure_scores(cells: Cells, kind: ScoreKind) -> FloatArray:
    """The |s| above which an answer is sure, for each group, shape (G,): that of its version.

    Off exact resolution the median is taken to the nearest step, so that rows are counted exactly. NaN for a version
    without labelled, scored rows of a raw decision score.
    """
    if kind.is_probabilistic:
        return np.full(cells.n_groups, SURE)
    family = family_of(cells, [key for key in cells.keys if key == VERSION])
    usable = (cells.block % 3 != 1) & (cells.score_bin != MISSING_BIN)
    size, n = np.abs(cells.score[usable]), cells.sums[usable, 0]
    of = family[cells.block[usable] // 3]
    order = np.lexsort((size, of))
    size, n, of = size[order], n[order], of[order]
    median = np.full(int(family.max()) + 1 if len(family) else 0, np.nan)
    for each in np.unique(of):
        own = of == each
        reach = np.cumsum(n[own])
        median[each] = size[own][np.searchsorted(reach, reach[-1] / 2)]
    if not cells.resolution.is_exact:
        factor = cells.resolution.score_factor
        median = score_at(np.maximum(np.rint(score_axis(median) / factor), 1) * factor)
    return median[family]


def confident_error_counts(cells: Cells, kind: ScoreKind) -> Counts:
    """Rows with m < −t among labelled rows with |s| > t, t as `sure_scores` gives it."""
    group = cells.block // 3
    threshold = sure_scores(cells, kind)[group]
    if cells.resolution.is_exact:
        is_sure = np.abs(cells.score) > threshold
    else:
        edge = np.nan_to_num(np.rint(score_axis(threshold) / cells.resolution.score_factor), nan=0.0)
        is_sure = np.abs(cells.score_bin) > 2 * edge
    label = cells.block % 3 - 1
    is_sure = is_sure & (label != 0) & (cells.score_bin != MISSING_BIN)
    return Counts.of(_sums(cells, is_sure & (label * cells.score < 0)), _sums(cells, is_sure))


def _sums(cells: Cells, keep: BoolArray) -> Sums:
    """Sums by group, shape (G,), of some cells."""
    group = cells.block[keep] // 3
    return Sums(
        np.stack([add_up(group, column, cells.n_groups) for column in cells.sums[keep].T], axis=-1), cells.weighted
    )
