"""Recall against the size of vectors: each smaller form is searched anew, with a sample of queries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lib.metrics.dimensions import Curve, trade_off
from lib.metrics.estimates import FloatArray
from lib.metrics.relevance import Relevance
from lib.metrics.vector_rows import draw_rows
from lib.neighbours.graph import Report, compute_graph
from lib.neighbours.matches import compute_matches
from lib.neighbours.space import Space
from lib.vectors import Distance, Flags, Matrix, NeighbourGraph, Rows, Truth, Vectors

SEED = 0
SETTINGS = 16
"""About so many sizes are tried: for progress only."""


def compute_trade_off(vectors: Vectors, truth: Truth, distance: Distance, k: int, most: int, report: Report) -> Curve:
    """Recall@k (hit rate) against dimension and precision; where that is at its ceiling, R-precision as well.

    Args:
        vectors: as they are; a form of them in which a row has no direction any more loses that row.
        truth: right answers.
        distance: what near means.
        k: the length of lists.
        most: so many queries are asked at most, drawn among those that can be answered.
        report: told between sizes.
    """
    space = Space(vectors, distance)
    able = space.queries[Relevance(truth, vectors.n, space.gallery).count(space.queries) > 0]
    asked = draw_rows(able, most, SEED)
    is_query: Flags = np.zeros(vectors.n, np.bool_)
    is_query[asked] = True
    tried = 0

    def search(matrix: Matrix) -> tuple[Vectors, NeighbourGraph]:
        nonlocal tried
        report(min(tried / SETTINGS, 0.95), "Searching in smaller vectors")
        tried += 1
        smaller = replace(vectors, matrix=matrix, is_query=is_query)
        return smaller, compute_graph(smaller, distance, k, _in_silence)

    def of_all(queries: Rows, values: FloatArray) -> FloatArray:
        # Who has no direction any more is not answered.
        found = np.zeros(len(asked))
        found[np.searchsorted(asked, queries)] = values
        return found

    def recall_of(matrix: Matrix) -> FloatArray:
        smaller, graph = search(matrix)
        gallery = np.flatnonzero(smaller.usable(distance) & smaller.is_gallery)
        is_right = Relevance(truth, vectors.n, gallery).holds(graph.queries, graph.rows.astype(np.int64))
        return of_all(graph.queries, np.asarray(is_right.any(axis=1), np.float64))

    def both_of(matrix: Matrix) -> tuple[FloatArray, FloatArray]:
        smaller, graph = search(matrix)
        ranked = compute_matches(smaller, truth, graph, (graph.k,), _in_silence)
        return of_all(ranked.queries, ranked.hit[:, 0]), of_all(ranked.queries, ranked.r_precision)

    rows = np.flatnonzero(vectors.usable(distance))
    return trade_off(vectors.matrix, rows, recall_of, both_of, n_gallery=len(space.gallery))


def _in_silence(_share: float, _words: str) -> None:
    """Nothing is told of each search."""
