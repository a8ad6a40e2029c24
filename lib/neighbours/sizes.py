"""Recall against the size of vectors: each smaller form is searched anew, with a sample of queries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lib.metrics.dimensions import Curve, trade_off
from lib.metrics.relevance import Relevance
from lib.metrics.vector_rows import draw_rows
from lib.neighbours.graph import Report, compute_graph
from lib.neighbours.space import Space
from lib.vectors import Distance, Flags, Matrix, Truth, Vectors

SEED = 0
SETTINGS = 16
"""About so many sizes are tried: for progress only."""


def compute_trade_off(vectors: Vectors, truth: Truth, distance: Distance, k: int, most: int, report: Report) -> Curve:
    """Recall@k (hit rate) against dimension and precision.

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

    def recall_of(matrix: Matrix) -> np.ndarray:
        nonlocal tried
        report(min(tried / SETTINGS, 0.95), "Searching in smaller vectors")
        tried += 1
        smaller = replace(vectors, matrix=matrix, is_query=is_query)
        graph = compute_graph(smaller, distance, k, lambda _share, _words: None)
        gallery = np.flatnonzero(smaller.usable(distance) & smaller.is_gallery)
        is_right = Relevance(truth, vectors.n, gallery).holds(graph.queries, graph.rows.astype(np.int64))
        # Who has no direction any more is not answered.
        found = np.zeros(len(asked))
        found[np.searchsorted(asked, graph.queries)] = is_right.any(axis=1)
        return found

    rows = np.flatnonzero(vectors.usable(distance))
    return trade_off(vectors.matrix, rows, recall_of, n_gallery=len(space.gallery))
