"""The neighbour graph: the nearest gallery rows of each query.

faiss proposes a few points more than are asked for, from float32 products; their distances are worked out exactly and
sorted by distance and row. Where a point that faiss left out could belong to the list as far as its rounding
allows, all distances of that query are worked out exactly. So the list is that of exact distances, of equals the
lower rows, whatever the order of rows, the number of processors or the width of their registers.

Only where that would take minutes faiss looks in parts of the space alone. Distances are exact there too, but a list
may lack a row; how often is measured and said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import faiss
import numpy as np
from numpy.typing import NDArray

from lib.errors import SettingsError
from lib.metrics.estimates import divide
from lib.neighbours.space import Space, blocks
from lib.vectors import NO_ROW, Distance, Matrix, NeighbourGraph, Rows, Vectors

Report = Callable[[float, str], None]
"""Called with how far the work is, from 0 to 1, and with what it is at; may raise to end it."""

QUERIES_AT_ONCE = 4_096
DISTANCES_AT_ONCE = 16_000_000
SLACK = 8
"""How many points more than asked for faiss is to propose."""
ROUNDING = 2.0**-24
"""Of float32, relative."""
EXACT_UP_TO = 1e13
"""Queries times points times dimension, up to which the search is exact: two cores make about 8e10 products a second,
so it takes them two minutes: 280,000 rows of 128 values among one another."""


def compute_graph(
    vectors: Vectors, distance: Distance, k: int, report: Report, exact_up_to: float = EXACT_UP_TO
) -> NeighbourGraph:
    """The k nearest gallery rows of each query, itself left out by its row.

    Args:
        vectors: rows that are not usable under the distance neither ask nor are found.
        distance: what near means.
        k: how many, 1 at least; lists of a smaller gallery end with `NO_ROW` at distance inf.
        report: told between blocks; what it raises ends the work.
        exact_up_to: so many products; where measures are made of the graph, as many as time allows.

    Returns:
        The exact graph; above `exact_up_to` products an approximate one, with its recall.

    Raises:
        SettingsError: k is below 1.
    """
    if k < 1:
        raise SettingsError(f"A list of {k} neighbours was asked for; ask for 1 or more.")
    space = Space(vectors, distance)
    lists = Lists(space, k)
    if float(len(space.queries)) * len(space.firsts) * space.dimension > exact_up_to:
        # Who is below it, as nearly everybody is, needs none of this.
        from lib.neighbours.approximate import search_in_parts

        recall, n_measured = search_in_parts(lists, report)
        return replace(lists.graph(), recall=recall, n_measured=n_measured)
    if len(space.queries) and len(space.firsts):
        points = space.coordinates(space.firsts)
        # Of equal size: for a thousand queries or fewer faiss takes each by itself, three times as long.
        for rows in np.array_split(np.arange(len(space.queries)), max(1, len(space.queries) // QUERIES_AT_ONCE)):
            report(rows[0] / len(space.queries), "Searching for neighbours")
            lists.search(rows, points)
    return lists.graph()


class Lists:
    """The lists of a graph while they are made."""

    def __init__(self, space: Space, k: int) -> None:
        """Empty lists of all queries."""
        self.space, self.k = space, k
        self._rows = np.full((len(space.queries), k), NO_ROW, np.int32)
        self._distances = np.full((len(space.queries), k), np.inf, np.float32)
        self._by_point = np.argsort(space.point, kind="stable")
        self._counts = np.bincount(space.point, minlength=len(space.firsts))
        self._starts = np.cumsum(self._counts) - self._counts

    def graph(self) -> NeighbourGraph:
        """The lists as they are now."""
        return NeighbourGraph(self.space.distance, self.space.queries, self._rows, self._distances)

    def clear(self, asked: Rows) -> None:
        """Empty some lists."""
        self._rows[asked], self._distances[asked] = NO_ROW, np.inf

    def search(self, asked: Rows, points: Matrix) -> None:
        """Fill the lists of some queries, given by their places among the queries, from all points."""
        rows = self.space.queries[asked]
        width = min(self.k + 1 + SLACK, len(points))
        metric = faiss.METRIC_INNER_PRODUCT if self.space.distance is Distance.COSINE else faiss.METRIC_L2
        proposed, found = faiss.knn(self.space.coordinates(rows), points, width, metric=metric)
        exact = self.space.between(rows, self.space.firsts[found])
        self.fill(asked, found.astype(np.int64), exact)
        if width < len(points):
            for some in blocks(
                asked[~self._is_certain(asked, proposed, exact)], max(1, DISTANCES_AT_ONCE // len(points))
            ):
                self.search_exactly(some)

    def _is_certain(self, asked: Rows, proposed: NDArray[np.float32], exact: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether no point that faiss left out can be as near as the last of a list, whatever faiss rounded."""
        last = self._distances[asked, -1].astype(np.float64)
        share = 8 * np.sqrt(self.space.dimension) * ROUNDING
        if self.space.distance is Distance.COSINE:
            seen = 1 - proposed.astype(np.float64)
            allowed = max(share, 4 * float(np.abs(seen - exact).max()))
            return last < seen[:, -1] - allowed
        seen = proposed.astype(np.float64) * self.space.scale**2
        size = self.space.norm(self.space.queries[asked])
        # A point as near as the last has a norm of at most the query's and that distance.
        norms = size**2 + (size + last) ** 2
        observed = divide(np.abs(seen - exact.astype(np.float64) ** 2), norms[:, None])
        is_near = (exact <= last[:, None]) & (norms[:, None] > 0)
        allowed = max(share, 4 * float(observed.max(initial=0.0, where=is_near))) * norms
        return last**2 < seen[:, -1] - allowed

    def search_exactly(self, asked: Rows) -> None:
        """Fill the lists of some queries from exact distances to all points."""
        distances = self.space.to_points(self.space.queries[asked])
        # The last point that a list can need: k others, and the query's own.
        width = min(self.k + 1, distances.shape[1])
        reach = np.partition(distances, width - 1, axis=1)[:, width - 1]
        for place, query in enumerate(asked):
            near = np.flatnonzero(distances[place] <= reach[place])
            self.fill(np.array([query]), near[None, :], distances[place][None, near])

    def fill(self, asked: Rows, points: Rows, distances: NDArray[np.float32]) -> None:
        """Put the rows that lie at points into lists: nearest first, of equals the lower row first, never the query.

        Args:
            asked: shape (b,), places among the queries.
            points: shape (b, m), and so are `distances`; points that could belong to the list are all among them.
            distances: how far they are; inf for a point that is not to be put there.
        """
        counts = np.minimum(self._counts[points], self.k + 1).ravel()
        place = np.repeat(np.arange(points.size), counts)
        within = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = self.space.gallery[self._by_point[self._starts[points.ravel()[place]] + within]]
        query, distance = place // points.shape[1], distances.ravel()[place]
        others = (rows != self.space.queries[asked[query]]) & np.isfinite(distance)
        query, rows, distance = query[others], rows[others], distance[others]
        order = np.lexsort((rows, distance, query))
        query, rows, distance = query[order], rows[order], distance[order]
        sizes = np.bincount(query, minlength=len(asked))
        rank = np.arange(len(query)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        kept = rank < self.k
        self._rows[asked[query[kept]], rank[kept]] = rows[kept]
        self._distances[asked[query[kept]], rank[kept]] = distance[kept]
