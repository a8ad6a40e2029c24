"""The layout itself: points pulled along the edges of the graph and pushed from random others, an epoch at a time.

The forces and the schedule are umap-learn's. What differs: in an epoch each point is moved by its own edges alone and
sees the others where they stood before, so that points can be dealt out to threads; each draws its random numbers from
(seed, epoch, itself), so that any epoch can be made alone, with progress between, and the same seed is the same picture
to the last bit however many threads there are; the forces are read from a table, since powers are where the time goes;
and the machine code is kept on disk, so that a new process does not compile it again.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
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


@numba.njit(cache=True, fastmath=True, nogil=True)
def move_points(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    first: int,
    last: int,
    starts: NDArray[np.int32],
    others: NDArray[np.int32],
    rates: NDArray[np.float32],
    pull: NDArray[np.float32],
    push: NDArray[np.float32],
    epoch: int,
    step: float,
    seed: int,
) -> None:
    """Move some points once. It holds no lock of Python's, so that several threads can.

    Args:
        before: shape (n, 2), where all points stand.
        after: shape (n, 2), where the points from `first` to before `last` are put; the others are left as they are.
        first: of the points that are moved.
        last: of the points that are moved, itself not.
        starts: shape (n + 1,), where the edges of each point begin.
        others: the other end of each edge; each edge is there from either end.
        rates: how often an edge pulls, in [0, 1] times an epoch.
        pull: from `compute_forces`, by the bits of a squared distance.
        push: likewise.
        epoch: from 0.
        step: the length of steps, from 1 down to 0.
        seed: of random numbers.
    """
    n = before.shape[0]
    length = np.float32(step)
    for i in range(first, last):
        state = _mixed(np.uint32(np.uint32(seed) ^ _mixed(np.uint32(np.uint32(epoch) ^ _mixed(np.uint32(i))))))
        x, y = before[i, 0], before[i, 1]
        for edge in range(starts[i], starts[i + 1]):
            rate = np.float64(rates[edge])
            if np.floor(rate * (epoch + 1)) == np.floor(rate * epoch):
                continue
            other = others[edge]
            dx, dy = x - before[other, 0], y - before[other, 1]
            force = pull[np.float32(dx * dx + dy * dy).view(np.uint32) >> KEPT_BITS]
            x += length * _clipped(force * dx)
            y += length * _clipped(force * dy)
            for _each in range(NEGATIVES):
                state = np.uint32(state ^ (state << np.uint32(13)))
                state = np.uint32(state ^ (state >> np.uint32(17)))
                state = np.uint32(state ^ (state << np.uint32(5)))
                other = np.int32((np.uint64(state) * np.uint64(n)) >> np.uint64(32))
                if other != i:
                    dx, dy = x - before[other, 0], y - before[other, 1]
                    force = push[np.float32(dx * dx + dy * dy).view(np.uint32) >> KEPT_BITS]
                    x += length * _clipped(force * dx)
                    y += length * _clipped(force * dy)
        after[i, 0], after[i, 1] = x, y


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
