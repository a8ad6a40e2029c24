"""The first picture: principal components of a matrix that may not fit in memory, in two passes over its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from lib.errors import UndefinedError
from lib.vectors import Distance, Flags, Matrix

DIMENSIONS = 2
BLOCK_VALUES = 4_000_000
"""How many values are read at once."""
SUMMED_ROWS = 200_000
"""The covariance is summed over at most so many rows, evenly spaced: its error is then below what a screen shows."""


@dataclass(frozen=True, eq=False)
class Pca:
    """The plane in which the vectors spread most.

    Attributes:
        coordinates: shape (n, 2), float32; NaN for a row that cannot be used.
        shares: shape (2,), the share of the variance along each axis, in [0, 1]; zeros where all vectors are equal.
        n: how many rows the plane was found from.
    """

    coordinates: NDArray[np.float32]
    shares: NDArray[np.float64]
    n: int


def compute_pca(matrix: Matrix, usable: Flags, distance: Distance) -> Pca:
    """Project vectors on their first two principal axes.

    Under the cosine distance vectors are divided by their length first. The axes are eigenvectors of the covariance
    (exact; the same as scikit-learn's `PCA` up to the sign, which is chosen so that the largest entry of an axis is
    positive). Of more than 200,000 usable rows every m-th enters the covariance; all are projected.

    Args:
        matrix: shape (n, d).
        usable: shape (n,), which rows have a place under that distance.
        distance: which geometry the map is of.

    Raises:
        UndefinedError: no row can be used.
    """
    found = np.flatnonzero(usable)
    if not len(found):
        raise UndefinedError("There is no vector that can be drawn: every row is empty, not finite or of zero length.")
    summed = found[:: -(-len(found) // SUMMED_ROWS)]
    step = max(1, BLOCK_VALUES // matrix.shape[1])
    # Sums of squares are taken about a row's place near the middle: of values far from 0 nothing else would be left.
    origin = _rows(matrix, summed[:step], distance).mean(axis=0, dtype=np.float64)
    total, products = np.zeros(matrix.shape[1]), np.zeros((matrix.shape[1], matrix.shape[1]))
    for start in range(0, len(summed), step):
        block = _rows(matrix, summed[start : start + step], distance) - origin.astype(np.float32)
        total += block.sum(axis=0, dtype=np.float64)
        products += block.T @ block
    mean = total / len(summed)
    covariance = products / len(summed) - np.outer(mean, mean)
    last = matrix.shape[1] - 1
    values, axes = scipy.linalg.eigh(covariance, subset_by_index=(max(last - 1, 0), last))
    values, axes = np.maximum(values[::-1], 0.0), axes[:, ::-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    coordinates = np.full((len(matrix), DIMENSIONS), np.nan, np.float32)
    shift = ((origin + mean) @ axes).astype(np.float32)
    weights = axes.astype(np.float32)
    for start in range(0, len(found), step):
        part = found[start : start + step]
        coordinates[part, : axes.shape[1]] = _rows(matrix, part, distance) @ weights - shift
        coordinates[part, axes.shape[1] :] = 0.0
    variance = float(np.trace(covariance))
    shares = np.zeros(DIMENSIONS)
    if variance > 0:
        shares[: len(values)] = np.minimum(values / variance, 1.0)
    return Pca(coordinates, shares, len(summed))


def _rows(matrix: Matrix, rows: NDArray[np.int64], distance: Distance) -> Matrix:
    """Some rows in memory: a run of them is read without an index, which is what a file likes best."""
    is_run = len(rows) == rows[-1] - rows[0] + 1
    block = np.asarray(matrix[rows[0] : rows[-1] + 1] if is_run else matrix[rows], np.float32)
    if distance is Distance.EUCLIDEAN:
        return block
    # In two steps, since the square of a large value is not a float32.
    scaled = block / np.abs(block).max(axis=1, keepdims=True)
    return scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
