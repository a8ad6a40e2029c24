"""Small exact graphs for the tests of the map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from lib.vectors import Distance, NeighbourGraph


def graph_of(
    matrix: NDArray[np.float32],
    k: int,
    distance: Distance = Distance.EUCLIDEAN,
    gallery: NDArray[np.bool_] | None = None,
) -> NeighbourGraph:
    """The k nearest rows of the gallery (all rows without one) of every row, itself left out."""
    rows = np.arange(len(matrix)) if gallery is None else np.flatnonzero(gallery)
    near = NearestNeighbors(n_neighbors=k + 1, metric=distance.value).fit(matrix[rows])
    distances, found = near.kneighbors(matrix)
    found = rows[found]
    is_self = found == np.arange(len(matrix))[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    shape = (len(matrix), k)
    return NeighbourGraph(
        distance,
        np.arange(len(matrix)),
        found[~is_self].reshape(shape).astype(np.int32),
        distances[~is_self].reshape(shape).astype(np.float32),
    )
