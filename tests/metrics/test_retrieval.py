"""Measures of retrieval: worked by hand, against scikit-learn, and what no rotation changes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score

from lib.metrics.query_means import NO_ANSWER, QueryValues, mean_of_queries
from lib.metrics.ranked_matches import expected_reciprocal_rank, hit_probability
from lib.metrics.retrieval import RETRIEVAL_MEASURES, retrieval_values
from lib.neighbours import compute_graph, compute_matches
from lib.vectors import Distance, Truth, Vectors
from tests.neighbours import oracle


def ignore(_share: float, _words: str) -> None:
    pass


def values_of(
    of: Vectors, truth: Truth, ks: tuple[int, ...], distance: Distance = Distance.EUCLIDEAN
) -> dict[tuple[str, int | None], QueryValues]:
    ranked = compute_matches(of, truth, compute_graph(of, distance, max(ks), ignore), ks, ignore)
    return {(one.name, one.k): one for one in retrieval_values(ranked)}


def on_a_line(query: float, gallery: dict[float, int], label: int) -> tuple[Vectors, Truth]:
    """One query with a label, and a gallery of places on a line with theirs."""
    places = [query, *gallery]
    asks = np.arange(len(places)) == 0
    of = oracle.vectors(np.array(places)[:, None], is_query=asks, is_gallery=~asks)
    return of, Truth(labels=np.array([label, *gallery.values()]))


def test_both_recalls_by_hand() -> None:
    # Right answers at ranks 2, 3 and 6 of six.
    of, truth = on_a_line(0, {1: 0, 2: 1, 3: 1, 4: 0, 5: 0, 6: 1}, 1)
    values = values_of(of, truth, (1, 2, 3, 5, 6))
    hand = {
        "recall_at_k": [0, 1, 1, 1, 1],
        "ir_recall_at_k": [0, 1 / 3, 2 / 3, 2 / 3, 1],
        "precision_at_k": [0, 1 / 2, 2 / 3, 2 / 5, 1 / 2],
        "false_positive_rate_at_k": [1, 1 / 2, 1 / 3, 3 / 5, 1 / 2],
    }
    for name, expected in hand.items():
        assert [values[name, k].values[0] for k in (1, 2, 3, 5, 6)] == pytest.approx(expected), name
    assert values["mean_reciprocal_rank", None].values[0] == pytest.approx(1 / 2)
    assert values["r_precision", None].values[0] == pytest.approx(2 / 3)
    assert values["map_at_r", None].values[0] == pytest.approx((1 / 2 + 2 / 3) / 3)


def test_ties_by_hand() -> None:
    # One row nearer and wrong; then four tied rows, two of them right, in any order.
    of, truth = on_a_line(0, {1: 0, 2: 1, -2: 0}, 1)
    of = oracle.vectors([*of.matrix, [2], [-2]], is_query=[1, 0, 0, 0, 0, 0], is_gallery=[0, 1, 1, 1, 1, 1])
    truth = Truth(labels=np.array([1, 0, 1, 0, 1, 0]))
    values = values_of(of, truth, (1, 2, 3, 5))
    # The first right answer is at rank 2, 3 or 4 with chances 1/2, 1/3 and 1/6.
    assert [values["recall_at_k", k].values[0] for k in (1, 2, 3, 5)] == pytest.approx([0, 1 / 2, 5 / 6, 1])
    assert [values["ir_recall_at_k", k].values[0] for k in (1, 2, 3, 5)] == pytest.approx([0, 1 / 4, 1 / 2, 1])
    assert values["mean_reciprocal_rank", None].values[0] == pytest.approx(1 / 4 + 1 / 9 + 1 / 24)
    assert values["r_precision", None].values[0] == pytest.approx(1 / 4)
    assert values["map_at_r", None].values[0] == pytest.approx((1 / 2) * (1 / 2) / 2)


@given(st.integers(0, 3), st.integers(1, 5), st.data())
@settings(max_examples=60, deadline=None)
def test_expectations_are_means_over_all_orders(nearer: int, ties: int, data: st.DataObject) -> None:
    matching, k = data.draw(st.integers(1, ties)), data.draw(st.integers(1, 9))
    firsts = [
        nearer + min(place for place, row in enumerate(order) if row < matching) + 1
        for order in itertools.permutations(range(ties))
    ]
    assert expected_reciprocal_rank([nearer], [ties], [matching])[0] == pytest.approx(
        np.mean([1 / first for first in firsts])
    )
    assert float(hit_probability(nearer, ties, matching, k)) == pytest.approx(np.mean([first <= k for first in firsts]))


def test_precision_up_to_all_answers_is_that_of_scikit_learn() -> None:
    # Over the whole ranking, the mean precision at right answers is what scikit-learn calls LRAP.
    generator = np.random.default_rng(0)
    of = oracle.vectors(generator.normal(size=(40, 3)))
    labels = np.zeros(40, np.int64)  # all right: R is the whole gallery
    values = values_of(of, Truth(labels=labels), (5,))
    assert values["map_at_r", None].values == pytest.approx(1)
    labels = generator.integers(0, 3, 40)
    ranked = values_of(of, Truth(labels=labels), (39,))
    for query in range(3):
        rows = np.delete(np.arange(40), query)
        gaps = ((of.matrix[rows] - of.matrix[query]) ** 2).sum(axis=1)
        right = (labels[rows] == labels[query])[None]
        whole = label_ranking_average_precision_score(right, -gaps[None])
        order = np.flatnonzero(right[0][np.argsort(gaps)])
        up_to_r = sum((place + 1) / (rank + 1) for place, rank in enumerate(order) if rank < len(order)) / len(order)
        assert ranked["map_at_r", None].values[query] == pytest.approx(up_to_r)
        assert up_to_r <= whole


def test_turning_all_vectors_changes_no_measure() -> None:
    generator = np.random.default_rng(1)
    labels, matrix = generator.integers(0, 5, 200), generator.normal(size=(200, 6))
    matrix += labels[:, None] / 3
    turn, _r = np.linalg.qr(generator.normal(size=(6, 6)))
    order = generator.permutation(200)
    plain = values_of(oracle.vectors(matrix), Truth(labels=labels), (1, 5))
    turned = values_of(oracle.vectors(matrix @ turn), Truth(labels=labels), (1, 5))
    mixed = values_of(oracle.vectors(matrix[order]), Truth(labels=labels[order]), (1, 5))
    for key, one in plain.items():
        np.testing.assert_allclose(turned[key].values, one.values, err_msg=str(key))
        np.testing.assert_allclose(mixed[key].values, one.values[order], err_msg=str(key))


def test_queries_that_nothing_answers_are_left_out() -> None:
    of = oracle.vectors(np.random.default_rng(2).normal(size=(6, 2)))
    values = values_of(of, Truth(labels=np.array([0, 0, 0, 0, 1, -1])), (5,))
    for key, one in values.items():
        assert np.isnan(one.values[4:]).all(), key
        assert np.isfinite(one.values[:4]).all(), key
        mean = mean_of_queries(one)[0]
        assert mean.n == 4
    nothing = values_of(of, Truth(labels=np.arange(6)), (5,))["recall_at_k", 5]
    assert mean_of_queries(nothing)[0].reason == NO_ANSWER


def test_a_list_that_is_longer_than_the_gallery_ends_with_it() -> None:
    of, truth = on_a_line(0, {1: 0, 2: 1}, 1)
    values = values_of(of, truth, (10,))
    assert values["precision_at_k", 10].values[0] == pytest.approx(1 / 2)
    assert values["false_positive_rate_at_k", 10].values[0] == pytest.approx(1 / 2)
    assert values["ir_recall_at_k", 10].values[0] == 1


def test_every_measure_that_is_declared_is_worked_out() -> None:
    of, truth = on_a_line(0, {1: 0, 2: 1}, 1)
    made = {name for name, _k in values_of(of, truth, (1,))}
    assert made | {"knn_accuracy", "prototype_accuracy"} == {measure.name for measure in RETRIEVAL_MEASURES}
