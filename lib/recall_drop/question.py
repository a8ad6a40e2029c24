"""Two versions, and the recall that is asked about."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lib.metrics.estimates import BoolArray, FloatArray, IntArray
from lib.neighbours.graph import Report, compute_graph
from lib.neighbours.hits import compute_hits
from lib.vectors import Distance, NeighbourGraph, Rows, Truth, Vectors

PAIRS = 400_000_000
"""So many distances are worked out for each number of a table, which takes a few seconds."""
BEYOND = 8
"""Lists are longer than k by so many, so that ties at their end are seen."""
SEED = 0


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two versions.

    Attributes:
        vectors: its vectors; ids are not looked at.
        truth: which of its rows are right answers.
        cohorts: by column the value of each row, shape (n,).
        hits: shape (n,), whether an index that was uploaded found a right answer for each row that asks, NaN for the
            others; None without an index.
    """

    vectors: Vectors
    truth: Truth
    cohorts: dict[str, NDArray[np.str_]]
    hits: FloatArray | None = None


@dataclass(frozen=True, eq=False)
class Asked:
    """The question.

    Attributes:
        before, after: baseline and candidate.
        first, second: shape (m,), the rows of either that have the same id, which neither repeats.
        distance: what near means.
        k: of recall@k, the share of queries with a right answer among the first k.
        share: of the queries that are asked, each with the same chance; 1 where it is all.
    """

    before: Side
    after: Side
    first: Rows
    second: Rows
    distance: Distance
    k: int
    share: float = 1.0

    def sampled(self) -> Asked:
        """The same of a sample of the queries, the same ids in both, where all would take too long."""
        sizes = [each.vectors.is_query.sum() * each.vectors.is_gallery.sum() for each in (self.before, self.after)]
        share = min(1.0, PAIRS / max(1, *(int(size) for size in sizes)))
        if share >= 1:
            return self
        generator = np.random.default_rng(SEED)
        drawn = [generator.random(each.vectors.n) < share for each in (self.before, self.after)]
        drawn[1][self.second] = drawn[0][self.first]
        before, after = (
            replace(each, vectors=replace(each.vectors, is_query=each.vectors.is_query & kept))
            for each, kept in zip((self.before, self.after), drawn, strict=True)
        )
        return replace(self, before=before, after=after, share=share)


@dataclass(frozen=True, eq=False)
class Answers:
    """Whether each row that asks is answered.

    Attributes:
        hit: shape (n,), by row: the probability that a right answer is among the first k; NaN where a row does not
            ask or has none to find.
        graph: lists of k rows and a few more.
    """

    hit: FloatArray
    graph: NeighbourGraph

    @property
    def asked(self) -> BoolArray:
        """Shape (n,): the rows that ask and can be answered."""
        return np.isfinite(self.hit)

    @property
    def recall(self) -> float:
        """Recall@k, in [0, 1]; NaN without a query that can be answered."""
        return float(self.hit[self.asked].mean()) if self.asked.any() else np.nan


def answer(vectors: Vectors, truth: Truth, distance: Distance, k: int, report: Report) -> Answers:
    """Search and look which queries are answered."""
    graph = compute_graph(vectors, distance, k + BEYOND, report)
    hit = np.full(vectors.n, np.nan)
    hit[graph.queries] = compute_hits(vectors, truth, graph, k)
    return Answers(hit, graph)


def taken(truth: Truth, rows: IntArray, n: int) -> Truth:
    """The truth of some of n rows, numbered anew in the order given."""
    if truth.labels is not None:
        return Truth(labels=truth.labels[rows])
    assert truth.offsets is not None
    assert truth.relevant is not None
    place = np.full(n, -1, np.int64)
    place[rows] = np.arange(len(rows))
    lists = [np.sort(place[truth.relevant[truth.offsets[row] : truth.offsets[row + 1]]]) for row in rows]
    lists = [each[each >= 0] for each in lists]
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in lists])]).astype(np.int64)
    return Truth(offsets=offsets, relevant=np.concatenate(lists) if lists else np.empty(0, np.int64))
