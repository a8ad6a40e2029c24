"""Retrieval: whether the nearest rows of a query are right answers to it.

Two measures are called recall. `recall_at_k` is the hit rate: the share of queries with a right answer among the
first k. `ir_recall_at_k` is information retrieval's: of a query's right answers the share that is among the first k.
Both, and all others, are means over queries that have a right answer to find; those without are counted and left out.
Rows at the same distance have no order: every number is its mean over all orders (McSherry and Najork 2008).

R-precision and MAP@R as in Musgrave, Belongie and Lim, A Metric Learning Reality Check, ECCV 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.metrics.query_means import QueryValues
from lib.metrics.ranked_matches import RankedMatches, expected_reciprocal_rank

CEILING = 0.99
"""A measure is at its ceiling if it is no less: there it cannot tell what another measure does."""


@dataclass(frozen=True)
class RetrievalMeasure:
    """A measure of retrieval: its words, which way is better, and its row in the domain description."""

    name: str
    label: str
    definition: str
    code: str
    is_higher_better: bool = True


RETRIEVAL_MEASURES = (
    RetrievalMeasure(
        "recall_at_k", "Recall@k (hit rate)", "Share of queries with a right answer among the k nearest.", "E-M1"
    ),
    RetrievalMeasure(
        "ir_recall_at_k",
        "Recall@k (of all right answers)",
        "Of a query's right answers the share that is among the k nearest; mean over queries.",
        "E-M1",
    ),
    RetrievalMeasure(
        "mean_reciprocal_rank", "Mean reciprocal rank", "Mean of 1/rank of the nearest right answer.", "E-M2"
    ),
    RetrievalMeasure(
        "precision_at_k", "Precision@k", "Share of right answers among the k nearest; mean over queries.", "E-M4"
    ),
    RetrievalMeasure(
        "false_positive_rate_at_k",
        "False positives@k",
        "Share of the k nearest that is no right answer: 1 − precision@k.",
        "E-M4",
        is_higher_better=False,
    ),
    RetrievalMeasure(
        "r_precision",
        "R-precision",
        "Share of right answers among the R nearest, R the number of the query's right answers; mean over queries.",
        "E-M4",
    ),
    RetrievalMeasure(
        "map_at_r",
        "MAP@R",
        "Sum of the precision at each right answer among the R nearest, over R; mean over queries.",
        "E-M4",
    ),
    RetrievalMeasure(
        "knn_accuracy",
        "kNN accuracy",
        "Share of queries whose k nearest, the query left out, have its label most often; equals share.",
        "E-M3",
    ),
    RetrievalMeasure(
        "prototype_accuracy",
        "Prototype accuracy",
        "Share of queries that are nearest to the mean of their own label, the query left out of it.",
        "E-M3",
    ),
)


def retrieval_values(ranked: RankedMatches) -> tuple[QueryValues, ...]:
    """Every measure that ranks right answers, by query, in [0, 1]; NaN for queries that are left out.

    Lists that are longer than the gallery end with it, and precision is over what they hold.
    """
    r = np.where(ranked.is_answerable, ranked.n_relevant, np.nan)
    made: list[QueryValues] = []
    for column, k in enumerate(ranked.ks):
        matches = ranked.matches[:, column]
        precision = matches / np.maximum(np.minimum(k, ranked.n_gallery), 1)
        made += [
            QueryValues("recall_at_k", k, ranked.hit[:, column], is_rate=True),
            QueryValues("ir_recall_at_k", k, matches / r),
            QueryValues("precision_at_k", k, precision),
            QueryValues("false_positive_rate_at_k", k, 1 - precision),
        ]
    reciprocal = expected_reciprocal_rank(ranked.nearer, ranked.ties, ranked.matching)
    return (
        *made,
        QueryValues("mean_reciprocal_rank", None, reciprocal),
        QueryValues("r_precision", None, ranked.r_precision),
        QueryValues("map_at_r", None, ranked.average_precision_at_r),
    )
