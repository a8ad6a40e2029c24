"""Rows of a memory-mapped matrix of vectors, taken in blocks or drawn: nothing here copies the whole matrix."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lib.metrics.estimates import BoolArray, FloatArray
from lib.vectors import Distance, Matrix, Rows

BLOCK_VALUES = 4_194_304
"""Values of a block: 32 MB in double precision."""
SAME_DIRECTION = 1e-3
"""Directions that are less far apart are the same: float16 rounds to half of it."""


def blocks(n: int, dimension: int) -> Iterator[slice]:
    """Slices that cover n rows, each of at most `BLOCK_VALUES` values (and at least one row)."""
    step = max(BLOCK_VALUES // max(dimension, 1), 1)
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def draw_rows(rows: Rows, most: int, seed: int) -> Rows:
    """At most so many of the rows, drawn without replacement, ascending; all of them where there are no more."""
    if len(rows) <= most:
        return np.sort(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def take(matrix: Matrix, rows: Rows, distance: Distance = Distance.EUCLIDEAN) -> FloatArray:
    """Shape (len(rows), d), double precision: the rows, or under the cosine distance their directions.

    A row of zeros has no direction and stays one of zeros.
    """
    values = matrix[rows].astype(np.float64)
    return directions(values) if distance is Distance.COSINE else values


def directions(values: FloatArray) -> FloatArray:
    """Rows scaled to length 1; a row of zeros stays one."""
    length = np.sqrt(np.einsum("ij,ij->i", values, values))[:, None]
    return values / np.where(length > 0, length, 1.0)


def same_directions(before: FloatArray | Matrix, after: FloatArray | Matrix) -> BoolArray:
    """Shape (n,): where two directions, rows of length 1, are the same up to the rounding of float16.

    This is what unchanged means wherever stale rows are told: how long the vectors were plays no part.
    """
    return np.linalg.norm(after - before, axis=1) < SAME_DIRECTION


def moments(matrix: Matrix, rows: Rows, distance: Distance = Distance.EUCLIDEAN) -> tuple[FloatArray, FloatArray]:
    """Mean, shape (d,), and covariance, shape (d, d), divided by n; summed in blocks about the first block's mean.

    Zeros without rows.
    """
    dimension = matrix.shape[1]
    centre, first, second = (np.zeros(shape) for shape in (dimension, dimension, (dimension, dimension)))
    for place in blocks(len(rows), dimension):
        values = take(matrix, rows[place], distance)
        if place.start == 0:
            centre = values.mean(axis=0)
        values -= centre
        first += values.sum(axis=0)
        second += values.T @ values
    n = max(len(rows), 1)
    first /= n
    return centre + first, second / n - np.outer(first, first)


def squared_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """Shape (len(a), len(b)): squared Euclidean distances, never negative."""
    lengths = np.einsum("ij,ij->i", a, a)[:, None] + np.einsum("ij,ij->i", b, b)[None]
    return np.maximum(lengths - 2 * (a @ b.T), 0.0)
