"""The rows that two versions share, as directions and norms, and orthogonal maps from the one to the other.

A map is the orthogonal matrix that takes the directions of one version nearest to those of the other (Schönemann,
A generalized solution of the orthogonal Procrustes problem, 1966), fitted to the rows that it fits best (trimmed least
squares, Rousseeuw 1984), so that rows with another history do not bend it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.metrics.alignment import procrustes
from lib.metrics.estimates import BoolArray, FloatArray, IntArray
from lib.metrics.vector_rows import same_directions
from lib.vectors import Matrix, Vectors

TRIMMED = 0.6
"""Share of the rows that a map is fitted to."""
STEPS = 20


@dataclass(frozen=True, eq=False)
class SharedRows:
    """Rows that are in two versions, and usable and not zero in both.

    Attributes:
        first, second: shape (m,), which rows of baseline and candidate.
        before, after: shape (m, d), their vectors at length 1, the shorter ones filled up with zeros.
        norm_before, norm_after: shape (m,), their lengths.
        is_query, is_gallery: shape (m,), of the candidate's rows.
        dimensions: of baseline and candidate.
    """

    first: IntArray
    second: IntArray
    before: Matrix
    after: Matrix
    norm_before: FloatArray
    norm_after: FloatArray
    is_query: BoolArray
    is_gallery: BoolArray
    dimensions: tuple[int, int]

    @property
    def n(self) -> int:
        """How many rows there are."""
        return len(self.first)

    @property
    def log_ratio(self) -> FloatArray:
        """Shape (m,): the logarithm of how many times as long the candidate's vectors are."""
        return np.log(self.norm_after / self.norm_before)

    @property
    def is_same(self) -> BoolArray:
        """Shape (m,): where both versions hold the same direction, however long the vectors are."""
        return same_directions(self.before, self.after)


def shared_rows(before: Vectors, after: Vectors, first: IntArray, second: IntArray) -> SharedRows:
    """The rows that two versions share.

    Args:
        before: the baseline.
        after: the candidate.
        first: shape (m,), rows of the baseline, each the same item as
        second: shape (m,), that of the candidate.
    """
    usable = before.is_good[first] & after.is_good[second]
    first, second = first[usable], second[usable]
    norms = [
        np.linalg.norm(each.matrix[rows].astype(np.float64), axis=1)
        for each, rows in _both(before, after, first, second)
    ]
    there = (norms[0] > 0) & (norms[1] > 0)
    first, second = first[there], second[there]
    width = max(before.dimension, after.dimension)
    directions = [
        _filled(each.matrix[rows] / norm[there, None].astype(np.float32), width)
        for (each, rows), norm in zip(_both(before, after, first, second), norms, strict=True)
    ]
    return SharedRows(
        first,
        second,
        directions[0],
        directions[1],
        norms[0][there],
        norms[1][there],
        after.is_query[second],
        after.is_gallery[second],
        (before.dimension, after.dimension),
    )


def fit_map(before: Matrix, after: Matrix) -> NDArray[np.float32]:
    """The orthogonal matrix R that brings `before` R nearest to `after`, shape (d, d)."""
    return procrustes((before.T @ after).astype(np.float64)).astype(np.float32)


def fit_trimmed(before: Matrix, after: Matrix) -> NDArray[np.float32]:
    """The same, fitted to the share `TRIMMED` of the rows that it fits best; the better of two beginnings."""
    n = max(1, int(np.ceil(TRIMMED * len(before))))
    best: tuple[float, NDArray[np.float32]] | None = None
    for rotation in (np.eye(before.shape[1], dtype=np.float32), fit_map(before, after)):
        held: NDArray[np.int64] | None = None
        apart = residuals(before, after, rotation)
        for _step in range(STEPS):
            nearest = np.sort(np.argpartition(apart, n - 1)[:n])
            if held is not None and np.array_equal(nearest, held):
                break
            held = nearest
            rotation = fit_map(before[nearest], after[nearest])
            apart = residuals(before, after, rotation)
        size = float(np.partition(apart, n - 1)[:n].mean())
        if best is None or size < best[0] - 1e-6:
            best = size, rotation
    assert best is not None
    return best[1]


def residuals(before: Matrix, after: Matrix, rotation: NDArray[np.float32]) -> FloatArray:
    """Shape (m,): how far each row is from where the map takes it, 0 to 2."""
    return np.linalg.norm(after - before @ rotation, axis=1).astype(np.float64)


def _both(before: Vectors, after: Vectors, first: IntArray, second: IntArray) -> list[tuple[Vectors, IntArray]]:
    return [(before, first), (after, second)]


def _filled(matrix: Matrix, width: int) -> Matrix:
    missing = width - matrix.shape[1]
    return np.ascontiguousarray(np.pad(matrix, ((0, 0), (0, missing))) if missing else matrix, np.float32)
