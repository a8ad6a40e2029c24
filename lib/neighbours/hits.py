"""Whether the first k of each query hold a right answer: what recall@k is the mean of, without ranking the gallery."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lib.errors import SettingsError
from lib.metrics.ranked_matches import hit_probability
from lib.metrics.relevance import Relevance
from lib.neighbours.graph import DISTANCES_AT_ONCE
from lib.neighbours.space import Space, blocks
from lib.vectors import NO_ROW, NeighbourGraph, Rows, Truth, Vectors


def compute_hits(vectors: Vectors, truth: Truth, graph: NeighbourGraph, k: int) -> NDArray[np.float64]:
    """The probability that a right answer is among the first k, over all orders of ties.

    The same as `compute_matches(…).hit` to the last digit, but nothing else is worked out: whole rankings are only
    looked at where rows tie beyond the end of a list.

    Args:
        vectors: the vectors that the graph is of.
        truth: which rows are right answers.
        graph: of these vectors.
        k: length of the list, from 1 to the graph's.

    Returns:
        Shape (q,), in [0, 1]; NaN where a query has no right answer in the gallery.

    Raises:
        SettingsError: k is below 1 or above the length of the lists.
    """
    if not 1 <= k <= graph.k:
        raise SettingsError(f"A list of {k} was asked for, and the neighbours hold {graph.k}; ask for 1 to {graph.k}.")
    space = Space(vectors, graph.distance)
    relevance = Relevance(truth, vectors.n, space.gallery)
    hit = np.full(len(graph.queries), np.nan)
    able = np.flatnonzero(relevance.count(graph.queries) > 0)
    rows, distances = graph.rows[able].astype(np.int64), graph.distances[able]
    is_right = relevance.holds(graph.queries[able], rows)
    there = rows != NO_ROW
    last = np.minimum(k, there.sum(axis=1)) - 1
    end = distances[np.arange(len(able)), last][:, None]
    nearer, tied = there & (distances < end), there & (distances == end)
    chance = hit_probability(nearer.sum(axis=1), tied.sum(axis=1), (tied & is_right).sum(axis=1), k)
    has = (nearer & is_right).any(axis=1)
    hit[able] = np.where(has, 1.0, chance)
    others = len(space.gallery) - np.isin(graph.queries[able], space.gallery, assume_unique=True)
    goes_on = ~has & (distances[:, -1] == end[:, 0]) & (others > graph.k)
    for some in blocks(np.flatnonzero(goes_on), max(1, DISTANCES_AT_ONCE // max(1, len(space.firsts)))):
        hit[able[some]] = _ranked(space, relevance, graph.queries[able[some]], end[some, 0], k)
    return hit


def _ranked(
    space: Space, relevance: Relevance, queries: Rows, ends: NDArray[np.float32], k: int
) -> NDArray[np.float64]:
    """The same from all distances, of queries without a right answer nearer than the end of their list."""
    found = np.zeros(len(queries))
    for place, (query, end, to_points) in enumerate(zip(queries, ends, space.to_points(queries), strict=True)):
        to_rows = to_points[space.point]
        own = np.searchsorted(space.gallery, query)
        if own < len(space.gallery) and space.gallery[own] == query:
            to_rows[own] = np.inf
        matching = (to_rows[relevance.places(query)] == end).sum()
        found[place] = hit_probability((to_rows < end).sum(), (to_rows == end).sum(), matching, k)
    return found
