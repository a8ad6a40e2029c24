"""How faithful a layout is: trustworthiness, continuity, and the share of true neighbours that it keeps.

Venna and Kaski, Neighborhood preservation in nonlinear projection methods, ICANN 2001. Ranks are among all points,
also where only a sample of points is asked, so that a sample estimates what all would give.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from lib.errors import SettingsError, UndefinedError
from lib.metrics.estimates import FloatArray, IntArray
from lib.metrics.query_means import QueryValues
from lib.vectors import NO_ROW, Distance, Matrix, NeighbourGraph

Layout = NDArray[np.float32] | FloatArray
PAIRS = 200_000_000
"""So many distances are worked out for either measure."""
VALUES_AT_ONCE = 8_000_000
SEED = 0


@dataclass(frozen=True, eq=False)
class LayoutQuality:
    """How faithful a layout is at k neighbours.

    Attributes:
        k: the number of neighbours.
        points: shape (s,), the points that were asked, ascending: all, or as many drawn at random as there is time for.
        trustworthiness: by point asked, 1 where all neighbours in the layout are true ones; its mean is the measure's,
            equal to scikit-learn's where all were asked.
        continuity: by point asked, 1 where all true neighbours are neighbours in the layout.
    """

    k: int
    points: IntArray
    trustworthiness: QueryValues
    continuity: QueryValues


@dataclass(frozen=True, eq=False)
class JudgedLayout:
    """A map held against the vectors that it is of.

    Attributes:
        rows: shape (m,), those that have a place, ascending.
        kept: by such a row, the share of its true neighbours that are near it on the map.
        quality: trustworthiness and continuity; its `points` are places in `rows`.
    """

    rows: IntArray
    kept: QueryValues
    quality: LayoutQuality


def layout_neighbours(layout: Layout, k: int, points: IntArray | None = None) -> IntArray:
    """The k nearest other points of some points, nearest first.

    Args:
        layout: shape (n, 2).
        k: how many.
        points: shape (q,), which are asked; None for all.

    Returns:
        Shape (q, k).

    Raises:
        SettingsError: there are not so many others.
    """
    if not 1 <= k < len(layout):
        raise SettingsError(f"{len(layout)} points do not have {k} neighbours each; choose a smaller k.")
    asked = np.arange(len(layout)) if points is None else points
    found = np.asarray(KDTree(layout).query(layout[asked], k + 1)[1])
    # Points on one spot may come before the point itself, or push it out.
    is_self = found == asked[:, None]
    is_self[~is_self.any(axis=1), -1] = True
    return found[~is_self].reshape(len(asked), k).astype(np.int64)


def kept_neighbours(graph: NeighbourGraph, neighbours: IntArray, rows: IntArray) -> QueryValues:
    """Share of each point's true neighbours that are among its neighbours in a layout, in [0, 1].

    Args:
        graph: of the vectors; every point is one of its queries.
        neighbours: shape (n, k), as `layout_neighbours` gives them, by point.
        rows: shape (n,), the row of the vectors that each point is, ascending.

    Returns:
        Shape (n,). As many true neighbours are looked for as the layout's lists hold; NaN for a point without any.

    Raises:
        SettingsError: the graph's lists are shorter.
    """
    k = neighbours.shape[1]
    if k > graph.k:
        raise SettingsError(f"Lists of {k} cannot be compared: the neighbours hold {graph.k}. Choose a smaller k.")
    true = graph.rows[np.searchsorted(graph.queries, rows), :k]
    both = np.sort(np.concatenate([true.astype(np.int64), rows[neighbours]], axis=1), axis=1)
    shared = ((both[:, 1:] == both[:, :-1]) & (both[:, 1:] != NO_ROW)).sum(axis=1)
    n_true = (true != NO_ROW).sum(axis=1)
    values = np.divide(shared, n_true, out=np.full(len(rows), np.nan), where=n_true > 0)
    return QueryValues("kept_neighbours", k, values)


def judge_layout(
    matrix: Matrix, layout: Layout, graph: NeighbourGraph, k: int, report: Callable[[float, str], None]
) -> JudgedLayout:
    """All that is told of how faithful a map is, over the rows that have a place on it.

    Args:
        matrix: shape (n, d), the vectors.
        layout: shape (n, 2), NaN for a row without a place.
        graph: of the vectors, by the distance that counts; every row with a place is one of its queries.
        k: how many neighbours.
        report: told how far it is; what it raises ends the work.

    Raises:
        SettingsError: the graph's lists are shorter.
        UndefinedError: k is not below half of the rows that have a place.
    """
    rows = np.flatnonzero(np.isfinite(layout).all(axis=1))
    quality = layout_quality(matrix[rows], layout[rows], k, graph.distance, report)
    return JudgedLayout(rows, kept_neighbours(graph, layout_neighbours(layout[rows], k), rows), quality)


def layout_quality(
    matrix: Matrix,
    layout: Layout,
    k: int,
    distance: Distance,
    report: Callable[[float, str], None],
    pairs: int = PAIRS,
) -> LayoutQuality:
    """Trustworthiness and continuity, of a sample of points where all would take too long.

    T = 1 − 2/(n k (2n − 3k − 1)) Σ_i Σ_j max(0, r(i, j) − k), over the k nearest j of i in the layout, r(i, j) the rank
    of j among the others by true distance. Continuity exchanges layout and truth.

    Args:
        matrix: shape (n, d), the vectors laid out; none of norm 0 under the cosine distance.
        layout: shape (n, 2), where they lie.
        k: how many neighbours.
        distance: what is truly near.
        report: told how far it is; what it raises ends the work.
        pairs: how many distances may be worked out.

    Raises:
        UndefinedError: k is not below n/2, where the formula has no meaning.
    """
    n = len(layout)
    if not 1 <= k < n / 2:
        raise UndefinedError(
            f"How faithful a layout of {n} points is cannot be said with {k} neighbours: fewer than half of the "
            f"points are needed, {max(0, (n - 1) // 2)} at most."
        )
    points = np.arange(n)
    if n * n > pairs:
        points = np.sort(np.random.default_rng(SEED).choice(n, max(1, pairs // n), replace=False))
    values = matrix.astype(np.float64)
    if distance is Distance.COSINE:
        values /= np.sqrt((values**2).sum(axis=1))[:, None]
    sides = [(each, (each**2).sum(axis=1)) for each in (values, layout.astype(np.float64))]
    sums = np.zeros((2, len(points)))
    step = max(1, VALUES_AT_ONCE // n)
    for start in range(0, len(points), step):
        report(start / len(points), "Comparing the map with the vectors")
        at = points[start : start + step]
        true, drawn = (_to_all(each, norms, at) for each, norms in sides)
        for place, (near, ranked) in enumerate(((drawn, true), (true, drawn))):
            chosen = np.argpartition(near, k - 1, axis=1)[:, :k]
            ranks = _ranks(ranked, chosen)
            sums[place, start : start + step] = np.maximum(ranks - k, 0).sum(axis=1)
    each = 1 - 2 * sums / (k * (2 * n - 3 * k - 1))
    return LayoutQuality(k, points, QueryValues("trustworthiness", k, each[0]), QueryValues("continuity", k, each[1]))


def _to_all(values: FloatArray, norms: FloatArray, at: IntArray) -> FloatArray:
    """Squared distances from some rows to all, shape (b, n), inf to themselves."""
    gaps = norms[at, None] + norms - 2 * values[at] @ values.T
    gaps[np.arange(len(at)), at] = np.inf
    return gaps


def _ranks(gaps: FloatArray, chosen: IntArray) -> FloatArray:
    """Ranks from 1 of the chosen entries of each line, shape (b, k)."""
    picked, ordered = np.take_along_axis(gaps, chosen, axis=1), np.sort(gaps, axis=1)
    return np.stack([np.searchsorted(line, some) + 1.0 for line, some in zip(ordered, picked, strict=True)])
