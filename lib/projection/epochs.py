"""The layout itself: points pulled along the edges of the graph and pushed from random others, an epoch at a time.

The same objective and schedule as umap-learn's. Two things differ. A point that moves sees all others where they stood
when the epoch began, and draws its random numbers from (seed, epoch, itself): so points can be moved on any number of
threads, and the picture is the same to the last bit. And the machine code is kept on disk, so that a new process does
not compile it again.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

NEGATIVES = 5
"""How many random points push one that was pulled once."""


@numba.njit(cache=True, fastmath=True, parallel=True)
def move_points(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    starts: NDArray[np.int32],
    others: NDArray[np.int32],
    rates: NDArray[np.float32],
    epoch: int,
    step: float,
    a: float,
    b: float,
    seed: int,
) -> None:
    """Write where all points stand after an epoch.

    Args:
        before: shape (n, 2), where they stand.
        after: shape (n, 2), written.
        starts: shape (n + 1,), where the edges of each point begin.
        others: the other end of each edge.
        rates: how often an edge pulls, in (0, 1] times an epoch.
        epoch: from 0.
        step: the length of steps, from 1 down to 0.
        a, b: of the curve 1/(1 + a·d^(2b)).
        seed: of random numbers.
    """
    n = before.shape[0]
    a32, b32, step32 = np.float32(a), np.float32(b), np.float32(step)
    for i in numba.prange(n):
        state = _mixed(np.uint32(np.uint32(seed) ^ _mixed(np.uint32(np.uint32(epoch) ^ _mixed(np.uint32(i))))))
        x, y = before[i, 0], before[i, 1]
        for edge in range(starts[i], starts[i + 1]):
            rate = np.float64(rates[edge])
            if np.floor(rate * (epoch + 1)) == np.floor(rate * epoch):
                continue
            j = others[edge]
            dx, dy = x - before[j, 0], y - before[j, 1]
            squared = dx * dx + dy * dy
            if squared > 0:
                power = np.exp(b32 * np.log(squared))
                pull = np.float32(-2.0) * a32 * b32 * power / (squared * (a32 * power + np.float32(1.0)))
                # Twice: the edge is one of both ends, and each moves both.
                x += np.float32(2.0) * step32 * _clipped(pull * dx)
                y += np.float32(2.0) * step32 * _clipped(pull * dy)
            for _each in range(NEGATIVES):
                state = np.uint32(state ^ (state << np.uint32(13)))
                state = np.uint32(state ^ (state >> np.uint32(17)))
                state = np.uint32(state ^ (state << np.uint32(5)))
                j = np.int32((np.uint64(state) * np.uint64(n)) >> np.uint64(32))
                dx, dy = x - before[j, 0], y - before[j, 1]
                squared = dx * dx + dy * dy
                if squared > 0 and j != i:
                    power = np.exp(b32 * np.log(squared))
                    push = np.float32(2.0) * b32 / ((np.float32(0.001) + squared) * (a32 * power + np.float32(1.0)))
                    x += step32 * _clipped(push * dx)
                    y += step32 * _clipped(push * dy)
        after[i, 0], after[i, 1] = x, y


@numba.njit(cache=True, inline="always")
def _clipped(value: float) -> float:
    return min(max(value, np.float32(-4.0)), np.float32(4.0))


@numba.njit(cache=True, inline="always")
def _mixed(value: int) -> int:
    """A number that differs in all bits where the given one differs in one (a finaliser of 32 bits); never 0."""
    value = np.uint32(value)
    value = np.uint32((value ^ (value >> np.uint32(16))) * np.uint32(0x7FEB352D))
    value = np.uint32((value ^ (value >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32((value ^ (value >> np.uint32(16))) | np.uint32(1))
