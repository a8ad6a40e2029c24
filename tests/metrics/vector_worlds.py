"""Small vectors and graphs by brute force, for the tests of what is computed from them."""

import numpy as np
from scipy.spatial.distance import cdist

from lib.vectors import NO_ROW, Distance, NeighbourGraph


def matrix(values) -> np.ndarray:
    return np.ascontiguousarray(values, np.float32)


def rotation(dimension: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(dimension, dimension)))[0]


def brute_graph(values: np.ndarray, k: int, distance: Distance = Distance.EUCLIDEAN) -> NeighbourGraph:
    """Exact neighbours, itself left out, of equals the lower row first."""
    x = values.astype(np.float64)
    n = len(x)
    if distance is Distance.COSINE:
        u = x / np.linalg.norm(x, axis=1, keepdims=True)
        apart = 1 - u @ u.T
    else:
        apart = cdist(x, x)
    apart = np.maximum(apart, 0)
    np.fill_diagonal(apart, np.inf)
    order = np.argsort(apart, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(apart, order, axis=1)
    rows = np.where(np.isfinite(found), order, NO_ROW).astype(np.int32)
    return NeighbourGraph(distance, np.arange(n), rows, found.astype(np.float32))
