"""Outliers: rows whose neighbours are much further away than those of their neighbours are.

A simplified local outlier factor. Reference: Schubert, Zimek and Kriegel (2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.metrics.estimates import FloatArray
from lib.metrics.local_scale import chords
from lib.metrics.permutations import NOISE_LEVEL
from lib.vectors import NO_ROW, NeighbourGraph

LEAST_ROWS = 100
UPPER, UPPERMOST = 0.25, 0.05
"""The tail of the scores is judged from what lies between these shares of the largest."""


@dataclass(frozen=True, eq=False)
class Outliers:
    """Scores of the queries of a graph.

    Attributes:
        score: shape (q,): distance to the k-th neighbour over the median of this distance among the neighbours: about
            1 inside a cloud of any density; NaN where the list is not full or no neighbour asked.
        floor: the score that the largest of n rows exceeds with `NOISE_LEVEL` if the logarithm of scores falls off
            exponentially above the upper quarter, as fast as it does up to the uppermost twentieth: a cloud has sparse
            edges, and what is usual for it is no outlier. NaN with fewer than `LEAST_ROWS` scores.
        n_beyond: how many rows do.
        n: rows that have a score.
    """

    score: FloatArray
    floor: float
    n_beyond: int
    n: int


def outlier_scores(graph: NeighbourGraph) -> Outliers:
    """Scores from the lists of neighbours; neighbours that did not ask themselves say nothing."""
    reach = chords(graph)[:, -1] if graph.k else np.full(len(graph.queries), np.inf)
    size = int(max(graph.queries.max(initial=0), graph.rows.max(initial=0))) + 1
    by_row = np.full(size + 1, np.nan)
    by_row[graph.queries] = np.where(np.isfinite(reach), reach, np.nan)
    near = by_row[np.where(graph.rows == NO_ROW, size, graph.rows)]
    has_any = np.isfinite(near).any(axis=1)
    typical = np.full(len(near), np.nan)
    typical[has_any] = np.nanmedian(near[has_any], axis=1)
    usable = np.isfinite(reach) & (typical > 0)
    score = np.full(len(near), np.nan)
    score[usable] = reach[usable] / typical[usable]
    # A row among copies of itself is where they are.
    copies = np.isfinite(reach) & (typical == 0)
    score[copies] = np.where(reach[copies] > 0, np.inf, 1.0)
    known = score[np.isfinite(score)]
    n, floor = len(known), float("nan")
    if n >= LEAST_ROWS:
        start, end = np.log(np.quantile(known, [1 - UPPER, 1 - UPPERMOST]))
        scale = (end - start) / np.log(UPPER / UPPERMOST)
        floor = float(np.exp(end + scale * np.log(UPPERMOST * n / NOISE_LEVEL)))
    return Outliers(score, floor, int((score > floor).sum()), n)
