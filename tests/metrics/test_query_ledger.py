"""The ledger of queries: by hand, against statsmodels' McNemar, and a hub that displaces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar

from lib.errors import SettingsError
from lib.metrics.neighbourhoods import pair_queries
from lib.metrics.query_ledger import LedgerSide, QueryLedger, paired_change, query_ledger
from lib.metrics.query_means import NO_PAIR, QueryValues, mean_of_queries
from lib.metrics.relevance import Relevance
from lib.neighbours import compute_graph
from lib.vectors import NO_ROW, Distance, NeighbourGraph, Truth, Vectors
from tests.neighbours import oracle


def hand_side(rows: list[list[int]], right: list[list[int]], ids: list[str], able: list[bool] | None = None):
    found = np.array(rows, np.int32)
    graph = NeighbourGraph(Distance.COSINE, np.arange(len(rows)), found, np.zeros(found.shape, np.float32))
    answerable = np.ones(len(rows), np.bool_) if able is None else np.array(able)
    return LedgerSide(graph, np.array(right, np.bool_), answerable, np.array(ids))


def side(of: Vectors, labels: np.ndarray, k: int = 5) -> LedgerSide:
    graph = compute_graph(of, Distance.EUCLIDEAN, k, lambda _share, _words: None)
    relevance = Relevance(Truth(labels=labels), of.n, np.flatnonzero(of.usable(Distance.EUCLIDEAN) & of.is_gallery))
    return LedgerSide(
        graph, relevance.holds(graph.queries, graph.rows.astype(np.int64)), relevance.count(graph.queries) > 0, of.ids
    )


def ledger(before: LedgerSide, after: LedgerSide, k: int) -> QueryLedger:
    return query_ledger(before, after, pair_queries(before.graph, after.graph, before.ids, after.ids), k)


def test_by_hand() -> None:
    ids = ["a", "b", "c", "d", "e"]
    before = hand_side([[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]], [[1, 0], [1, 0], [0, 0], [1, 0], [1, 0]], ids)
    # The same rows, "e" replaced by a new one "f", in another order: f, d, c, b, a.
    after = hand_side(
        [[4, 3], [0, 3], [0, 4], [0, 4], [0, 2]],
        [[0, 0], [0, 0], [1, 0], [0, 0], [0, 0]],
        ["f", "d", "c", "b", "a"],
        [True, False, True, True, True],
    )
    made = ledger(before, after, 2)
    assert made.n_unpaired == 1  # e is gone
    assert made.n_unanswerable == 1  # d has no right answer any more
    # a, b and c: lost, lost, gained. a's list is now f, c and was b, c; b's is f, a and was a, c.
    assert made.first.tolist() == [0, 1, 2]
    assert made.second.tolist() == [4, 3, 2]
    assert made.is_lost.tolist() == [True, True, False]
    assert made.is_gained.tolist() == [False, False, True]
    assert made.displacer.tolist() == [0, 0, NO_ROW]
    assert made.displacers.rows.tolist() == [0]
    assert made.displacers.counts.tolist() == [2]
    assert made.displacers.is_new.tolist() == [True]
    assert made.change.value == pytest.approx(-1 / 3)
    assert made.p_value == 1


def test_a_hub_that_takes_first_places_is_named() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(60), 2)
    places = np.repeat(generator.normal(size=(60, 20)) * 4, 2, axis=0)
    matrix = places + generator.normal(size=(120, 20)) / 10
    # Rows with the same label are next to each other; then twenty pairs are on both sides of where row 0 comes to lie.
    moved = matrix.copy()
    moved[80:] = np.stack([np.eye(20), -np.eye(20)], axis=1).reshape(40, 20)
    moved[0] = 0
    made = ledger(side(oracle.vectors(matrix), labels), side(oracle.vectors(moved), labels), 1)
    assert made.was_answered.all()
    lost = made.is_lost
    assert np.flatnonzero(lost).tolist() == [0, 1, *range(80, 120)]
    counts = made.displacers
    assert (counts.rows[0], counts.counts[0]) == (0, 40)
    assert counts.counts.sum() + counts.n_without == lost.sum()
    assert not counts.is_new.any()
    assert counts.share(1) == pytest.approx(counts.counts[0] / lost.sum())
    assert counts.share(len(counts.rows)) == 1
    assert (counts.fewest(0.5), counts.fewest(1.0)) == (1, len(counts.rows))
    table = [[(~lost).sum(), lost.sum()], [0, 0]]
    theirs: Any = mcnemar(table, exact=True)
    assert made.p_value == pytest.approx(theirs.pvalue)
    assert made.change.upper < 0


def test_a_smaller_gallery_displaces_nothing() -> None:
    before = hand_side([[1, 2]], [[1, 0]], ["a", "b", "c"])
    after = hand_side([[1, NO_ROW]], [[0, 0]], ["a", "c"])
    made = ledger(before, after, 2)
    assert made.displacer.tolist() == [NO_ROW]
    assert made.displacers.n_without == 1
    assert made.displacers.share(1) == 0
    assert made.displacers.fewest(0.5) == 0


def test_the_same_version_twice_changes_nothing() -> None:
    labels = np.arange(60) // 2
    one = side(oracle.vectors(np.random.default_rng(1).normal(size=(60, 4))), labels)
    made = ledger(one, one, 3)
    assert not made.is_lost.any()
    assert not made.is_gained.any()
    assert (made.change.value, made.p_value) == (0, 1)
    assert -0.1 < made.change.lower <= 0 <= made.change.upper < 0.1
    assert np.isnan(made.displacers.share(1))


def test_a_paired_change_of_a_mean() -> None:
    one = side(oracle.vectors(np.random.default_rng(2).normal(size=(40, 3))), np.zeros(40, np.int64))
    paired = pair_queries(one.graph, one.graph, one.ids, one.ids[::-1])
    first = QueryValues("mean_reciprocal_rank", None, np.linspace(0, 1, 40))
    change = mean_of_queries(paired_change(first, first, paired), reason=NO_PAIR)[0]
    assert change.value == pytest.approx(0)
    assert change.lower < 0 < change.upper
    nobody = pair_queries(one.graph, one.graph, one.ids, np.array([f"new{row}" for row in range(40)]))
    assert mean_of_queries(paired_change(first, first, nobody), reason=NO_PAIR)[0].reason == NO_PAIR
    empty = query_ledger(one, one, nobody, 1)
    assert empty.change.reason == NO_PAIR
    assert np.isnan(empty.p_value)


def test_longer_lists_than_there_are_are_refused() -> None:
    one = hand_side([[1, 2]], [[1, 0]], ["a", "b", "c"])
    with pytest.raises(SettingsError, match="Lists of 3 cannot be compared"):
        ledger(one, one, 3)
