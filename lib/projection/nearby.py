"""Near rows of every row, by way of landmarks: rows that share a landmark are looked at, all others are not.

What comes out is nearly the exact graph for a small part of the work. It is for the layout alone: whatever is measured
is measured on the exact one.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from lib.vectors import NO_ROW, Distance, Matrix, NeighbourGraph

SHARED = 4
"""A row is looked at by those that have one of its so many nearest landmarks among theirs."""
MOST_AROUND = 256
"""Rows around one landmark that are looked at; of more, evenly spaced ones."""


def find_nearby(matrix: Matrix, graph: NeighbourGraph, k: int) -> NeighbourGraph:
    """The k nearest of the rows that share a landmark with each row.

    Args:
        matrix: shape (n, d); read whole.
        graph: of all rows with the landmarks alone as gallery.
        k: how many neighbours.
    """
    shared = graph.rows[:, :SHARED]
    there = shared != NO_ROW
    centres = np.concatenate([shared[there], np.unique(shared[there])])
    members = np.concatenate([np.repeat(graph.queries, shared.shape[1])[there.ravel()], np.unique(shared[there])])
    order = np.argsort(centres, kind="stable")
    starts = np.searchsorted(centres[order], np.arange(len(matrix) + 1))
    points = np.ascontiguousarray(matrix, np.float32)
    if graph.distance is Distance.COSINE:
        lengths = np.linalg.norm(points.astype(np.float64), axis=1, keepdims=True)
        points = (points / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    rows, squared = _nearest(
        points, graph.queries, np.ascontiguousarray(shared), starts, members[order].astype(np.int64), k
    )
    # Of vectors of length 1 half the squared distance is 1 − cosine.
    distances = squared / 2 if graph.distance is Distance.COSINE else np.sqrt(squared)
    return NeighbourGraph(graph.distance, graph.queries, rows, distances.astype(np.float32))


@numba.njit(cache=True, fastmath=True)
def _nearest(
    points: NDArray[np.float32],
    queries: NDArray[np.int64],
    shared: NDArray[np.int32],
    starts: NDArray[np.int64],
    members: NDArray[np.int64],
    k: int,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Rows and squared distances, shapes (q, k); what is missing has `NO_ROW` and an enormous distance."""
    enormous = np.float32(3e38)
    found = np.full((len(queries), k), NO_ROW, np.int32)
    squared = np.full((len(queries), k), enormous, np.float32)
    seen = np.full(points.shape[0], -1, np.int64)
    for at in range(len(queries)):
        row = queries[at]
        seen[row] = at
        for place in range(shared.shape[1] + 1):
            centre = row if place == shared.shape[1] else shared[at, place]
            if centre < 0:
                continue
            first, last = starts[centre], starts[centre + 1]
            step = max(1, (last - first) // MOST_AROUND)
            for member in range(first, last, step):
                other = members[member]
                if seen[other] == at:
                    continue
                seen[other] = at
                total = np.float32(0.0)
                for each in range(points.shape[1]):
                    difference = points[row, each] - points[other, each]
                    total += difference * difference
                if total < squared[at, k - 1]:
                    slot = k - 1
                    while slot > 0 and squared[at, slot - 1] > total:
                        squared[at, slot] = squared[at, slot - 1]
                        found[at, slot] = found[at, slot - 1]
                        slot -= 1
                    squared[at, slot] = total
                    found[at, slot] = other
    return found, squared
