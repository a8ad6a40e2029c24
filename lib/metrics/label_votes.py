"""Labels told from neighbours and from means: how well an embedding tells them apart without training anything."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from lib.errors import SettingsError
from lib.metrics.estimates import BoolArray, FloatArray, IntArray, divide
from lib.metrics.query_means import QueryValues
from lib.vectors import NO_LABEL, NO_ROW, Distance, NeighbourGraph, Vectors

VALUES_AT_ONCE = 4_000_000
ROUNDING = 1e-12
"""Means whose distances differ by less, as a share of the squared norms in them, are equally near."""


def knn_accuracy(graph: NeighbourGraph, labels: IntArray, k: int, is_answerable: BoolArray) -> QueryValues:
    """Whether the labels of the k nearest rows name the query's own most often; held out, since none finds itself.

    Labels that are as frequent share the answer: of two, each is right by half. Which of rows at the same distance
    are among the k is settled by the graph: the lower ones. Rows without a label have no vote; where nobody
    votes the answer is wrong.

    Args:
        graph: lists of k rows at least.
        labels: shape (n,), `NO_LABEL` where a row has none.
        k: how many vote.
        is_answerable: shape (q,), queries with a label that some other row of the gallery has; others are left out.

    Raises:
        SettingsError: k is below 1 or above the length of the lists.
    """
    if not 1 <= k <= graph.k:
        raise SettingsError(f"{k} neighbours cannot vote: the lists hold {graph.k}. Choose a k from 1 to {graph.k}.")
    right = np.full(len(graph.queries), np.nan)
    chosen = np.flatnonzero(is_answerable & (labels[graph.queries] != NO_LABEL))
    step = max(1, VALUES_AT_ONCE // k**2)
    for start in range(0, len(chosen), step):
        at = chosen[start : start + step]
        rows = graph.rows[at, :k]
        label = np.where(rows == NO_ROW, NO_LABEL, labels[rows])
        votes = np.where(label == NO_LABEL, 0, (label[:, :, None] == label[:, None, :]).sum(axis=2))
        most = votes.max(axis=1)
        n_winners = divide((votes == most[:, None]).sum(axis=1), most)
        own = (label == labels[graph.queries[at]][:, None]).sum(axis=1)
        right[at] = np.where((own == most) & (most > 0), divide(1.0, n_winners), 0.0)
    return QueryValues("knn_accuracy", k, right, is_rate=True)


def prototype_accuracy(vectors: Vectors, labels: IntArray, distance: Distance) -> QueryValues:
    """Whether a query is nearest to the mean of its own label's gallery rows, itself left out of that mean.

    Under the cosine distance means are of vectors of norm 1. Means as near as each other share the answer. One value
    per usable query, ascending as in a graph; left out are queries without a label and those whose label no other
    usable row of the gallery has.

    Args:
        vectors: of n rows.
        labels: shape (n,), `NO_LABEL` where a row has none.
        distance: what near means.
    """
    usable = vectors.usable(distance)
    queries = np.flatnonzero(usable & vectors.is_query)
    in_gallery = usable & vectors.is_gallery & (labels != NO_LABEL)
    n_labels = int(labels.max(initial=0)) + 1
    counts = np.bincount(labels[in_gallery], minlength=n_labels)
    sums, centre = _sums(vectors, labels, np.flatnonzero(in_gallery), n_labels, distance)
    own_count = np.where(labels[queries] == NO_LABEL, 0, counts[labels[queries]] - in_gallery[queries])
    right = np.full(len(queries), np.nan)
    chosen = np.flatnonzero(own_count > 0)
    means = divide(sums, counts[:, None])
    step = max(1, VALUES_AT_ONCE // max(n_labels, vectors.dimension))
    for start in range(0, len(chosen), step):
        at = chosen[start : start + step]
        rows = queries[at]
        label, here = labels[rows], _placed(vectors, rows, distance) - centre
        own = (sums[label] - np.where(in_gallery[rows, None], here, 0.0)) / own_count[at, None]
        gaps, norms = _gaps(here, means, distance)
        gaps[np.arange(len(at)), label] = _own_gap(here, own, distance)
        near = gaps <= (np.fmin.reduce(gaps, axis=1) + ROUNDING * norms)[:, None]
        right[at] = np.where(near[np.arange(len(at)), label], 1 / near.sum(axis=1), 0.0)
    return QueryValues("prototype_accuracy", None, right, is_rate=True)


def _placed(vectors: Vectors, rows: IntArray, distance: Distance) -> FloatArray:
    values = vectors.matrix[rows].astype(np.float64)
    if distance is Distance.COSINE:
        values /= np.sqrt((values**2).sum(axis=1))[:, None]
    return values


def _sums(
    vectors: Vectors, labels: IntArray, rows: IntArray, n_labels: int, distance: Distance
) -> tuple[FloatArray, FloatArray]:
    """Sums by label, shape (L, d), of values less a centre, shape (d,), which keeps them small."""
    centre, sums = np.zeros(vectors.dimension), np.zeros((n_labels, vectors.dimension))
    step = max(1, VALUES_AT_ONCE // vectors.dimension)
    parts = [rows[start : start + step] for start in range(0, len(rows), step)]
    if distance is Distance.EUCLIDEAN:
        for part in parts:
            centre += _placed(vectors, part, distance).sum(axis=0) / len(rows)
    for part in parts:
        of_label = sparse.csr_array((np.ones(len(part)), (labels[part], np.arange(len(part)))), (n_labels, len(part)))
        sums += of_label @ (_placed(vectors, part, distance) - centre)
    return sums, centre


def _gaps(here: FloatArray, means: FloatArray, distance: Distance) -> tuple[FloatArray, FloatArray]:
    """Distances, squared if Euclidean, from vectors (b, d) to means (L, d), NaN where undefined; their norms, (b,)."""
    products, sizes = here @ means.T, (means**2).sum(axis=1)
    if distance is Distance.COSINE:
        return 1 - divide(products, _length(sizes)), np.ones(len(here))
    norms = (here**2).sum(axis=1)
    return norms[:, None] + sizes - 2 * products, norms + np.nanmax(sizes)


def _own_gap(here: FloatArray, own: FloatArray, distance: Distance) -> FloatArray:
    """The distance of each vector to the mean that is its own, shape (b,)."""
    if distance is Distance.COSINE:
        return 1 - divide((here * own).sum(axis=1), _length((own**2).sum(axis=1)))
    return ((here - own) ** 2).sum(axis=1)


def _length(squares: FloatArray) -> FloatArray:
    """Lengths of means of vectors of norm 1; 0 for those that cancel out, which have no direction."""
    return np.where(squares > ROUNDING**2, np.sqrt(squares), 0.0)
