"""Outliers: rows whose neighbours are much further away than those of their neighbours are.

A simplified local outlier factor. Reference: Schubert, Zimek and Kriegel (2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from lib.metrics.estimates import FloatArray
from lib.metrics.local_scale import chords, local_dimension
from lib.metrics.permutations import NOISE_LEVEL
from lib.vectors import NO_ROW, NeighbourGraph


@dataclass(frozen=True, eq=False)
class Outliers:
    """Scores of the queries of a graph.

    Attributes:
        score: shape (q,): distance to the k-th neighbour over the median of this distance among the neighbours: about
            1 inside a cloud of any density; NaN where the list is not full or no neighbour asked.
        floor: the score that the largest of q rows exceeds with `NOISE_LEVEL` where rows lie evenly in as many
            dimensions as they seem to; NaN where lists are too short to say. Rows at the edge of a cloud exceed it
            without being wrong: a score is a reason to look.
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
    n, dimension = int(np.isfinite(reach[~np.isnan(score)]).sum()), local_dimension(graph)
    floor = float("nan")
    if n and np.isfinite(dimension):
        highest, middle = special.gammaincinv(graph.k, [(1 - NOISE_LEVEL) ** (1 / n), 0.5])
        floor = float((highest / middle) ** (1 / dimension))
    return Outliers(score, floor, int((score > floor).sum()), n)
