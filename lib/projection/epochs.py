"""The layout itself: points pulled along the edges of the graph and pushed from random others, an epoch at a time.

The same objective and schedule as umap-learn's. What differs: points lie in four quarters from left to right, and two
threads move two pairs of quarters at a time, so that neither touches what the other moves; each point draws its random
numbers from (seed, turn, itself), so that any epoch can be made alone, with progress between, and the same seed is the
same picture to the last bit however many processors there are; the forces are read from a table, since powers are where
the time goes; and the machine code is kept on disk, so that a new process does not compile it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import scipy.sparse
from numpy.typing import NDArray

NEGATIVES = 5
"""How many random points push one that was pulled once."""
KEPT_BITS = 17
"""A squared distance is looked up by its bits without the last 17: in steps of 1/64 of each power of two."""


def compute_forces(a: float, b: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """By the leading bits of a squared distance, how strongly two points are pulled together, and pushed apart.

    The gradients of −log w and −log(1 − w) for w = 1/(1 + a·d^(2b)), by the difference of the coordinates.
    """
    places = (np.arange(1 << (31 - KEPT_BITS), dtype=np.uint32) << KEPT_BITS) | (1 << (KEPT_BITS - 1))
    squared = places.view(np.float32)
    there = np.isfinite(squared) & (squared > 0)
    known = squared[there].astype(np.float64)
    power = known**b
    forces = np.zeros((2, len(squared)), np.float32)
    forces[0, there] = -2 * a * b * power / (known * (1 + a * power))
    forces[1, there] = 2 * b / ((0.001 + known) * (1 + a * power))
    return forces[0], forces[1]


@dataclass(frozen=True, eq=False)
class Edges:
    """Those edges of a graph that are pulled in one turn.

    Attributes:
        starts: shape (n + 1,), int32, where those of each point begin.
        others: int32, the other end of each; each edge is there from either end.
        rates: float32, how often an edge pulls, in [0, 1] times an epoch.
    """

    starts: NDArray[np.int32]
    others: NDArray[np.int32]
    rates: NDArray[np.float32]


TURNS = (((0, 1), (2, 3)), ((1, 2), (0, 3)), ((0, 2), (1, 3)))
"""Which quarters are moved together, by whom, in the turns of an epoch: each edge leads within one of these pairs."""
QUARTERS = 4


def order_by_quarter(x: NDArray[np.float32]) -> NDArray[np.int64]:
    """Points by the quarter in which they lie, from left to right; within one as they were given, shape (n,)."""
    rank = np.empty(len(x), np.int64)
    rank[np.argsort(x, kind="stable")] = np.arange(len(x))
    return np.argsort(np.searchsorted(bounds_of_quarters(len(x))[1:], rank, side="right"), kind="stable")


def split_edges(weights: scipy.sparse.csr_matrix, least: float) -> tuple[Edges, ...]:
    """The edges of each turn; those within a quarter belong to the first.

    Args:
        weights: shape (n, n), symmetric, of points by quarter.
        least: edges that pull less often, as a share of the strongest, are left out.
    """
    n = len(weights.indptr) - 1
    heads = np.repeat(np.arange(n), np.diff(weights.indptr))
    rates = weights.data / weights.data.max()
    quarter = np.searchsorted(bounds_of_quarters(n)[1:], np.arange(n), side="right")
    turn_of = np.zeros((QUARTERS, QUARTERS), np.int8)
    for turn, pairs in enumerate(TURNS):
        for one, other in pairs:
            turn_of[one, other] = turn_of[other, one] = turn
    turns = np.where(rates < least, -1, turn_of[quarter[heads], quarter[weights.indices]])
    found: list[Edges] = []
    for turn in range(len(TURNS)):
        mine = turns == turn
        starts = np.concatenate([[0], np.cumsum(np.bincount(heads[mine], minlength=n))]).astype(np.int32)
        found.append(Edges(starts, weights.indices[mine].astype(np.int32), rates[mine].astype(np.float32)))
    return tuple(found)


def bounds_of_quarters(n: int) -> NDArray[np.int64]:
    """Where the quarters of n points begin and end, shape (5,)."""
    return np.arange(QUARTERS + 1) * n // QUARTERS


@numba.njit(cache=True, fastmath=True, nogil=True)
def move_points(
    points: NDArray[np.float32],
    seen: NDArray[np.float32],
    first: int,
    last: int,
    starts: NDArray[np.int32],
    others: NDArray[np.int32],
    rates: NDArray[np.float32],
    pull: NDArray[np.float32],
    push: NDArray[np.float32],
    epoch: int,
    turn: int,
    step: float,
    seed: int,
) -> None:
    """Move some points, and those that their edges lead to, once. Python's lock is not held.

    Args:
        points: shape (n, 2), changed in place.
        seen: shape (n, 2), where points stood as the turn began: from there they push.
        first: of the points that are moved.
        last: of the points that are moved, itself not.
        starts: as `Edges` has it, and so are `others` and `rates`.
        others: likewise.
        rates: likewise.
        pull: from `compute_forces`, by the bits of a squared distance.
        push: likewise.
        epoch: from 0.
        turn: from 0, over all epochs.
        step: the length of steps, from 1 down to 0.
        seed: of random numbers.
    """
    n = points.shape[0]
    length = np.float32(step)
    for i in range(first, last):
        state = _mixed(np.uint32(np.uint32(seed) ^ _mixed(np.uint32(np.uint32(turn) ^ _mixed(np.uint32(i))))))
        x, y = points[i, 0], points[i, 1]
        for edge in range(starts[i], starts[i + 1]):
            rate = np.float64(rates[edge])
            if np.floor(rate * (epoch + 1)) == np.floor(rate * epoch):
                continue
            other = others[edge]
            dx, dy = x - points[other, 0], y - points[other, 1]
            force = pull[np.float32(dx * dx + dy * dy).view(np.uint32) >> KEPT_BITS]
            dx, dy = length * _clipped(force * dx), length * _clipped(force * dy)
            x += dx
            y += dy
            points[other, 0] -= dx
            points[other, 1] -= dy
            for _each in range(NEGATIVES):
                state = np.uint32(state ^ (state << np.uint32(13)))
                state = np.uint32(state ^ (state >> np.uint32(17)))
                state = np.uint32(state ^ (state << np.uint32(5)))
                other = np.int32((np.uint64(state) * np.uint64(n)) >> np.uint64(32))
                if other != i:
                    dx, dy = x - seen[other, 0], y - seen[other, 1]
                    force = push[np.float32(dx * dx + dy * dy).view(np.uint32) >> KEPT_BITS]
                    x += length * _clipped(force * dx)
                    y += length * _clipped(force * dy)
        points[i, 0], points[i, 1] = x, y


@numba.njit(cache=True, inline="always")
def _clipped(value: Any) -> Any:
    return min(max(value, np.float32(-4.0)), np.float32(4.0))


@numba.njit(cache=True, inline="always")
def _mixed(value: Any) -> Any:
    """A number that differs in all bits where the given one differs in one (a finaliser of 32 bits); never 0."""
    value = np.uint32(value)
    value = np.uint32((value ^ (value >> np.uint32(16))) * np.uint32(0x7FEB352D))
    value = np.uint32((value ^ (value >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32((value ^ (value >> np.uint32(16))) | np.uint32(1))
