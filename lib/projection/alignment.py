"""Two maps of the same rows: one begun from the other, laid over it, and what a mere change of the seed moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import UndefinedError
from lib.metrics.layouts import layout_neighbours
from lib.vectors import Rows

Points = NDArray[np.float32]
LOOKED_AT = 20_000
"""Neighbours on the map are looked up for at most so many rows, evenly spaced."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """A map laid over another.

    Attributes:
        coordinates: shape (n, 2), float32, of all rows of the map that was moved.
        disparity: in [0, 1], the share of the spread of the shared rows that could not be laid over the other's; that
            of `scipy.spatial.procrustes`.
        n: how many rows it was found from.
    """

    coordinates: Points
    disparity: float
    n: int


def pair_ids(
    ids: NDArray[np.str_] | NDArray[np.object_], others: NDArray[np.str_] | NDArray[np.object_]
) -> tuple[Rows, Rows]:
    """Rows of both with the same id, in the order of the ids. An id that repeats in either is never paired."""
    unique, first, counts = np.unique(ids.astype(str), return_index=True, return_counts=True)
    other_unique, other_first, other_counts = np.unique(others.astype(str), return_index=True, return_counts=True)
    _both, one, other = np.intersect1d(
        unique[counts == 1], other_unique[other_counts == 1], assume_unique=True, return_indices=True
    )
    return first[counts == 1][one].astype(np.int64), other_first[other_counts == 1][other].astype(np.int64)


def begin_from(baseline: Points, baseline_rows: Rows, rows: Rows, n: int) -> Points:
    """Where the points of another version begin: where the baseline has the same ids; NaN for the others."""
    start = np.full((n, 2), np.nan, np.float32)
    start[rows] = baseline[baseline_rows]
    return start


def align(candidate: Points, rows: Rows, baseline: Points, baseline_rows: Rows) -> Alignment:
    """Turn, mirror, scale and shift a map so that shared rows lie nearest to where the baseline has them.

    Orthogonal Procrustes with scale (Gower 1975): least squares over the rows that have a place in both.

    Args:
        candidate: shape (n, 2).
        rows: of the candidate, in pairs with `baseline_rows`.
        baseline: shape (m, 2), stays as it is.
        baseline_rows: of the baseline.

    Raises:
        UndefinedError: fewer than three shared rows, or all of them at one place.
    """
    mine, theirs = candidate[rows].astype(np.float64), baseline[baseline_rows].astype(np.float64)
    there = np.isfinite(mine).all(axis=1) & np.isfinite(theirs).all(axis=1)
    mine, theirs = mine[there], theirs[there]
    if len(mine) < 3:
        raise UndefinedError(f"The two versions share {len(mine)} rows that are on both maps; three are needed.")
    centre, their_centre = mine.mean(axis=0), theirs.mean(axis=0)
    size, their_size = np.linalg.norm(mine - centre), np.linalg.norm(theirs - their_centre)
    if size == 0 or their_size == 0:
        raise UndefinedError("All shared rows lie at one place of a map, which can be laid over anything.")
    left, strengths, right = np.linalg.svd(((mine - centre) / size).T @ ((theirs - their_centre) / their_size))
    scale = strengths.sum() * their_size / size
    moved = (candidate.astype(np.float64) - centre) @ (left @ right) * scale + their_centre
    return Alignment(moved.astype(np.float32), float(max(1 - strengths.sum() ** 2, 0.0)), len(mine))


def compute_churn(one: Points, other: Points, k: int = 15) -> float:
    """Share of the k nearest on one map that are not among the k nearest on another map of the same rows, in [0, 1].

    Between two seeds of one version it is the floor of noise: what a map shows of a change has to exceed it.

    Raises:
        UndefinedError: fewer than k + 1 rows have a place on both.
    """
    rows = np.flatnonzero(np.isfinite(one[:, 0]) & np.isfinite(other[:, 0]))
    if len(rows) <= k:
        raise UndefinedError(f"Only {len(rows)} rows are on both maps; more than {k} are needed.")
    looked = np.arange(0, len(rows), -(-len(rows) // LOOKED_AT))
    near, far = (layout_neighbours(each[rows], k, looked) for each in (one, other))
    return float(1 - (near[:, :, None] == far[:, None, :]).any(axis=1).mean())
