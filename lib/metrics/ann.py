"""An index's own answers against the exact ones: recall of approximate neighbours, ties counted as right.

As in ann-benchmarks (Aumüller, Bernhardsson and Faithfull 2018) an answer is right if it is as near as the last of the
exact list: which of equals an index gives is its own affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lib.errors import SettingsError
from lib.metrics.estimates import BoolArray, Estimate, FloatArray, IntArray
from lib.metrics.k_occurrence import NO_GALLERY
from lib.metrics.query_means import QueryValues, mean_of_queries
from lib.vectors import NO_ROW, Distance, NeighbourGraph, Vectors

VALUES_AT_ONCE = 4_000_000
TOLERANCE = 2.0**-22
"""What float32 cannot tell: relative of a Euclidean distance, absolute of a cosine distance."""


@dataclass(frozen=True, eq=False)
class AnnRecall:
    """How much of the exact lists an index's answers hold.

    Attributes:
        recall: by query, share of the k nearest that was given, in [0, 1]; NaN without a gallery.
        n_itself: answers that are the query itself; they are not counted, nor do they take a place.
        n_repeated: answers that stand a second time in the same list.
        n_strange: answers that are not in the gallery or have no usable vector.
        n_short: queries that were given fewer than k answers that count, though the gallery has more.
    """

    recall: QueryValues
    n_itself: int
    n_repeated: int
    n_strange: int
    n_short: int

    @cached_property
    def mean(self) -> Estimate:
        """The mean recall over queries."""
        return mean_of_queries(self.recall, reason=NO_GALLERY)[0]


def ann_recall(vectors: Vectors, graph: NeighbourGraph, answers: IntArray, k: int) -> AnnRecall:
    """Judge an index's answers.

    Args:
        vectors: that the index should hold.
        graph: their exact neighbours, lists of k at least.
        answers: shape (q, m), rows by query of the graph in the order of the index; `NO_ROW` where there is none or
            its id is not known. The first k that are neither the query itself nor repeated are judged.
        k: how many count.

    Raises:
        SettingsError: k is below 1 or above the length of the lists, or there is not one line per query.
    """
    if not 1 <= k <= graph.k:
        raise SettingsError(f"Answers to {k} cannot be judged: the exact lists hold {graph.k}. Choose a smaller k.")
    if len(answers) != len(graph.queries):
        raise SettingsError(f"There are answers to {len(answers)} queries; {len(graph.queries)} were expected.")
    in_gallery = vectors.usable(graph.distance) & vectors.is_gallery
    is_there = answers != NO_ROW
    itself = is_there & (answers == graph.queries[:, None])
    repeated = is_there & ~itself & _repeated(answers)
    judged = judged_answers(graph.queries, answers, k)
    strange = is_there & ~itself & ~repeated & ~in_gallery[answers]
    counted = judged & ~strange
    n_exact = np.minimum((graph.rows[:, :k] != NO_ROW).sum(axis=1), k)
    last = graph.distances[np.arange(len(answers)), np.maximum(n_exact - 1, 0)].astype(np.float64)
    query, column = np.nonzero(counted)
    gaps = _distances(vectors, graph.queries[query], answers[query, column], graph.distance)
    slack = TOLERANCE * (np.ones(len(last)) if graph.distance is Distance.COSINE else last)
    right = np.bincount(query[gaps <= (last + slack)[query]], minlength=len(answers))
    recall = np.divide(right, n_exact, out=np.full(len(answers), np.nan), where=n_exact > 0)
    return AnnRecall(
        recall=QueryValues("ann_recall", k, np.minimum(recall, 1.0)),
        n_itself=int(itself.sum()),
        n_repeated=int(repeated.sum()),
        n_strange=int(strange.sum()),
        n_short=int((counted.sum(axis=1) < n_exact).sum()),
    )


def judged_answers(queries: IntArray, answers: IntArray, k: int) -> BoolArray:
    """Which answers of an index count, shape (q, m): the first k that are neither the query itself nor repeated.

    Args:
        queries: shape (q,), the rows that were asked.
        answers: shape (q, m), the rows that were given, in their order; `NO_ROW` where there is none.
        k: how many count.
    """
    taking = (answers != NO_ROW) & (answers != queries[:, None]) & ~_repeated(answers)
    return taking & (np.cumsum(taking, axis=1) <= k)


def _repeated(answers: IntArray) -> BoolArray:
    """Where an entry of a line stood before in it."""
    order = np.argsort(answers, axis=1, kind="stable")
    ordered = np.take_along_axis(answers, order, axis=1)
    again: BoolArray = np.zeros(answers.shape, np.bool_)
    np.put_along_axis(again, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    return again


def _distances(vectors: Vectors, rows: IntArray, others: IntArray, distance: Distance) -> FloatArray:
    """Distances of pairs of usable rows, in float64, shape (p,)."""
    made = np.empty(len(rows))
    step = max(1, VALUES_AT_ONCE // vectors.dimension)
    for start in range(0, len(rows), step):
        here = vectors.matrix[rows[start : start + step]].astype(np.float64)
        there = vectors.matrix[others[start : start + step]].astype(np.float64)
        if distance is Distance.EUCLIDEAN:
            made[start : start + step] = np.sqrt(((here - there) ** 2).sum(axis=1))
        else:
            norms = np.sqrt((here**2).sum(axis=1) * (there**2).sum(axis=1))
            made[start : start + step] = 1 - (here * there).sum(axis=1) / norms
    return made
