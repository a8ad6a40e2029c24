"""Ranks of scores within their version in additive form, by which an order of two classes is judged.

The statistic is Wilcoxon's. Each score becomes r, its mid-rank within its version as a share; a part keeps, for
positives and negatives, the number of rows and Σr, so that any union of parts is a sum. With n₁ and n₀ rows and
h = n₁n₀/n, D = Σ_pos(r − r̄) = h·(r̄₁ − r̄₀), and under the null of no order var D = h·var(r): the permutation
variance. Within an open bin r is spread evenly, which can only make the variance larger than it is.
"""

from __future__ import annotations

import numpy as np

from lib.cells import Cells
from lib.grid import MISSING_BIN, score_interval
from lib.metrics.estimates import FloatArray
from lib.schema import VERSION

POSITIVES, NEGATIVES, R_POSITIVES, R_NEGATIVES, R_SQUARES = range(5)


def score_bounds(cells: Cells) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest score of the rows of each cell, shape (N,); 0 for cells without a score."""
    if cells.resolution.is_exact:
        return cells.score, cells.score
    return score_interval(np.where(cells.score_bin == MISSING_BIN, 0, cells.score_bin), cells.resolution)


class Ranks:
    """r as a function of the score, for each version: its distribution function with ties at their middle."""

    def __init__(self, by_version: Cells) -> None:
        order = [str(version) for version in by_version.groups[VERSION]]
        self._steps: dict[str, tuple[FloatArray, FloatArray]] = {}
        for group, version in enumerate(order):
            here = slice(int(by_version.starts[3 * group]), int(by_version.starts[3 * group + 3]))
            scored = by_version.score_bin[here] != MISSING_BIN
            score, n = by_version.score[here][scored], by_version.sums[here][scored, 0]
            values, places = np.unique(score, return_inverse=True)
            counts = np.bincount(places, weights=n, minlength=len(values))
            total = counts.sum()
            middle = (np.cumsum(counts) - counts / 2) / (total if total else 1.0)
            self._steps[version] = (values, middle)

    def places(self, cells: Cells) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The mid-rank of the mean of each cell, and of the ends of its bin; shape (N,) each, 0 without a score."""
        usable = cells.score_bin != MISSING_BIN
        middle, below, above = (np.zeros(len(usable)) for _ in range(3))
        low, high = score_bounds(cells)
        versions, of_group = np.unique(cells.groups[VERSION], return_inverse=True)
        of_cell = of_group[cells.block // 3]
        for index, version in enumerate(versions):
            values, share = self._steps.get(str(version), (np.zeros(0), np.zeros(0)))
            here = usable & (of_cell == index)
            if not len(values) or not here.any():
                continue
            middle[here] = np.interp(cells.score[here], values, share)
            below[here], above[here] = middle[here], middle[here]
            if not cells.resolution.is_exact:
                below[here], above[here] = (np.interp(end[here], values, share) for end in (low, high))
        return middle, below, above

    def features(self, cells: Cells) -> FloatArray:
        """Per cell: rows by class, Σr by class, and Σr² with the spread within open bins."""
        label = cells.block % 3 - 1
        n = np.where((label != 0) & (cells.score_bin != MISSING_BIN), cells.sums[:, 0], 0.0)
        middle, below, above = self.places(cells)
        width = above - below
        positive = label > 0
        return np.stack(
            [
                np.where(positive, n, 0.0),
                np.where(positive, 0.0, n),
                np.where(positive, n * middle, 0.0),
                np.where(positive, 0.0, n * middle),
                n * (middle**2 + width**2 / 12),
            ],
            axis=1,
        )


def order_statistics(m: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(D, h, null variance of D) of moments of shape (…, 5)."""
    positives, negatives = m[..., POSITIVES], m[..., NEGATIVES]
    n = np.maximum(positives + negatives, 1.0)
    h = positives * negatives / n
    d = (m[..., R_POSITIVES] * negatives - m[..., R_NEGATIVES] * positives) / n
    mean = (m[..., R_POSITIVES] + m[..., R_NEGATIVES]) / n
    spread = np.maximum(m[..., R_SQUARES] / n - mean**2, 0.0)
    return d, h, h * spread * n / np.maximum(n - 1, 1.0)
