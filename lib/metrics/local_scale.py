"""How distances to the neighbours of one row should grow: what near duplicates and outliers are measured against.

Where rows lie evenly in r intrinsic dimensions, the number of them within a distance is Poisson with a mean that grows
as its r-th power. So (r_j/r_k)^r is a beta variate, and r_k^r a gamma variate.

Reference: Levina and Bickel (2005).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from lib.metrics.estimates import FloatArray
from lib.vectors import NO_ROW, Distance, NeighbourGraph


def chords(graph: NeighbourGraph) -> FloatArray:
    """Shape (q, k), Euclidean distances: of directions under the cosine distance, √(2·(1 − cosine)); inf for no row."""
    apart = graph.distances.astype(np.float64)
    apart = np.sqrt(2 * np.maximum(apart, 0.0)) if graph.distance is Distance.COSINE else apart
    return np.where(graph.rows == NO_ROW, np.inf, apart)


def local_dimension(graph: NeighbourGraph, k: int | None = None) -> float:
    """Intrinsic dimension from how much further the k-th neighbour is than the one halfway there; NaN without any.

    `k` is the last neighbour of a list, or an earlier one.

    E ln(r_k/r_j) = (ψ(k) − ψ(j))/r. The median over queries, so that groups of duplicates do not decide it.
    """
    k = graph.k if k is None else k
    j = (k + 1) // 2
    if k < 2 or j == k:
        return float("nan")
    apart = chords(graph)
    near, far = apart[:, j - 1], apart[:, k - 1]
    usable = (near > 0) & np.isfinite(far)
    growth = np.log(far[usable] / near[usable])
    typical = float(np.median(growth)) if len(growth) else 0.0
    if typical <= 0:
        return float("nan")
    # The median of (r_j/r_k)^r, a beta variate.
    return float(-np.log(special.betaincinv(j, k - j, 0.5)) / typical)
