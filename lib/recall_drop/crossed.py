"""Old and new queries against old and new gallery, over the rows that both versions have."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lib.metrics.estimates import Estimate, Estimates
from lib.metrics.hypotheses.shared import SharedRows
from lib.metrics.query_means import QueryValues, mean_of_queries
from lib.neighbours.graph import Report, compute_graph
from lib.neighbours.hits import compute_hits
from lib.recall_drop.question import BEYOND, Asked, answer, taken
from lib.vectors import Matrix, NeighbourGraph, Truth, Vectors

OTHER_DIMENSION = "the versions have vectors of different dimensions"
NO_SHARED = "no row has the same id in both versions"
NO_MAP = "no map takes the one version to the other"


@dataclass(frozen=True)
class Crossed:
    """Recall@k of queries of one version in the gallery of one version, over rows that both have.

    Attributes:
        old_in_old, new_in_new: either version by itself.
        old_in_new, new_in_old: queries of one version in the gallery of the other.
        mapped: old queries in the new gallery once they are taken there by the map of most rows.
    """

    old_in_old: Estimate
    old_in_new: Estimate
    new_in_old: Estimate
    new_in_new: Estimate
    mapped: Estimate


def recall_estimate(hit: NDArray[np.float64], reason: str = "") -> Estimate:
    """Mean and Wilson's interval of hits, NaN left out."""
    values = QueryValues("recall_at_k", None, hit, is_rate=True)
    found: Estimates = mean_of_queries(values) if not reason else mean_of_queries(values, reason=reason)
    return found[0]


def compute_crossed(asked: Asked, rows: SharedRows, rotation: NDArray[np.float32] | None, report: Report) -> Crossed:
    """Work out the table.

    Args:
        asked: two versions, sampled.
        rows: what they share.
        rotation: the map of most rows, None without one.
        report: told between searches; what it raises ends the work.
    """
    if not rows.n:
        none = recall_estimate(np.full(0, np.nan), NO_SHARED)
        return Crossed(none, none, none, none, none)
    before, after = (_only(side.vectors, at) for side, at in ((asked.before, rows.first), (asked.after, rows.second)))
    asks, answers = before.is_query & after.is_query, before.is_gallery & after.is_gallery
    before, after = (replace(each, is_query=asks, is_gallery=answers) for each in (before, after))
    truth = taken(asked.after.truth, rows.second, asked.after.vectors.n)
    own = [answer(each, truth, asked.distance, asked.k, report) for each in (before, after)]
    able = own[0].asked & own[1].asked
    diagonal = [recall_estimate(np.where(able, each.hit, np.nan)) for each in own]
    if before.dimension != after.dimension:
        none = recall_estimate(np.full(0, np.nan), OTHER_DIMENSION)
        return Crossed(diagonal[0], none, none, diagonal[1], none)

    def across(queries: Matrix, gallery: Vectors) -> Estimate:
        hit = _across(queries, gallery, truth, asked, report)
        return recall_estimate(np.where(able, hit, np.nan))

    mapped = recall_estimate(np.full(0, np.nan), NO_MAP)
    if rotation is not None:
        length = (rows.norm_before * np.exp(np.median(rows.log_ratio)))[:, None]
        mapped = across(((rows.before @ rotation) * length).astype(np.float32), after)
    return Crossed(diagonal[0], across(before.matrix, after), across(after.matrix, before), diagonal[1], mapped)


def _only(vectors: Vectors, rows: NDArray[np.int64]) -> Vectors:
    names = ("ids", "is_good", "is_query", "is_gallery")
    columns = {name: getattr(vectors, name)[rows] for name in names if len(getattr(vectors, name))}
    return replace(vectors, matrix=np.ascontiguousarray(vectors.matrix[rows]), **columns)


def _across(queries: Matrix, gallery: Vectors, truth: Truth, asked: Asked, report: Report) -> NDArray[np.float64]:
    """Shape (m,): hits of queries among the rows of another version, their own row there left out."""
    m = gallery.n
    asks = np.flatnonzero(gallery.is_query)
    nothing = np.zeros(len(asks), np.bool_)
    both = replace(
        gallery,
        matrix=np.concatenate([gallery.matrix, queries[asks]]),
        ids=np.empty(0, np.str_),
        is_good=np.concatenate([gallery.is_good, ~nothing]),
        is_query=np.concatenate([np.zeros(m, np.bool_), ~nothing]),
        is_gallery=np.concatenate([gallery.is_gallery, nothing]),
    )
    graph = compute_graph(both, asked.distance, asked.k + BEYOND + 1, report)
    own = asks[graph.queries - m]
    is_own = graph.rows == own[:, None]
    order = np.argsort(is_own, axis=1, kind="stable")[:, :-1]
    listed = NeighbourGraph(
        graph.distance,
        graph.queries,
        np.take_along_axis(graph.rows, order, axis=1),
        np.take_along_axis(graph.distances, order, axis=1),
    )
    if truth.labels is not None:
        extended = Truth(labels=np.concatenate([truth.labels, truth.labels[asks]]))
    else:
        assert truth.offsets is not None
        assert truth.relevant is not None
        lists = [truth.relevant[truth.offsets[row] : truth.offsets[row + 1]] for row in asks]
        ends = truth.offsets[-1] + np.cumsum([len(each) for each in lists])
        extended = Truth(
            offsets=np.concatenate([truth.offsets, ends]).astype(np.int64),
            relevant=np.concatenate([truth.relevant, *lists]).astype(np.int64),
        )
    hit = np.full(m, np.nan)
    hit[asks[graph.queries - m]] = compute_hits(both, extended, listed, asked.k)
    return hit
