"""From a graph of neighbours to weights of edges: how strongly the map pulls two rows together.

The fuzzy union of McInnes, Healy and Melville, "UMAP", arXiv:1802.03426, section 3.1, with the bounds that umap-learn
sets: equal to its `fuzzy_simplicial_set` of the same graph.
"""

from __future__ import annotations

import numba
import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from lib.vectors import NO_ROW


def compute_weights(
    rows: NDArray[np.int32], distances: NDArray[np.float32], queries: NDArray[np.int64], n: int
) -> scipy.sparse.csr_matrix:
    """Weights in (0, 1] of a symmetric graph.

    Args:
        rows: shape (q, k), the neighbours of each query without itself, nearest first; `NO_ROW` for none.
        distances: shape (q, k).
        queries: shape (q,), which row each line is of.
        n: how many rows there are.

    Returns:
        A symmetric matrix of shape (n, n), float32, with sorted indices.
    """
    strengths = _strengths(np.ascontiguousarray(distances, np.float32), rows)
    there = rows != NO_ROW
    heads = np.repeat(queries, rows.shape[1])[there.ravel()]
    directed = scipy.sparse.csr_matrix((strengths[there], (heads, rows[there])), shape=(n, n))
    turned = directed.T.tocsr()
    both = directed + turned - directed.multiply(turned)
    both = scipy.sparse.csr_matrix(both)
    both.eliminate_zeros()
    both.sort_indices()
    return both


@numba.njit(cache=True)
def _strengths(distances: NDArray[np.float32], rows: NDArray[np.int32]) -> NDArray[np.float32]:
    """exp(−(d − ρ)/σ) with ρ the distance to the nearest other place and σ such that each row sums to log2(k + 1)."""
    n, k = distances.shape
    made = np.zeros((n, k), np.float32)
    target = np.log2(k + 1.0)
    everywhere, known = 0.0, 0
    for i in range(n):
        for j in range(k):
            if rows[i, j] >= 0:
                everywhere += distances[i, j]
                known += 1
    everywhere /= max(known + n, 1)
    for i in range(n):
        rho, own, count = 0.0, 0.0, 0
        for j in range(k):
            if rows[i, j] >= 0:
                own += distances[i, j]
                count += 1
                if rho == 0.0 and distances[i, j] > 0:
                    rho = distances[i, j]
        low, high, sigma = 0.0, np.inf, 1.0
        for _step in range(64):
            total = 0.0
            for j in range(count):
                beyond = distances[i, j] - rho
                total += np.exp(-beyond / sigma) if beyond > 0 else 1.0
            if abs(total - target) < 1e-5:
                break
            if total > target:
                high = sigma
                sigma = (low + high) / 2
            else:
                low = sigma
                sigma = sigma * 2 if high == np.inf else (low + high) / 2
        sigma = max(sigma, 1e-3 * (own / (count + 1) if rho > 0 else everywhere))
        for j in range(count):
            beyond = distances[i, j] - rho
            made[i, j] = 1.0 if beyond <= 0 or sigma == 0 else np.exp(-beyond / sigma)
    return made
