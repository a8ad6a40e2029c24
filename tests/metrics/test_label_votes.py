"""kNN and prototype accuracy against scikit-learn's classifiers, left one out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from lib.errors import SettingsError
from lib.metrics.label_votes import knn_accuracy, prototype_accuracy
from lib.metrics.relevance import Relevance
from lib.neighbours import compute_graph
from lib.vectors import NO_LABEL, Distance, Truth, Vectors
from tests.neighbours import oracle


def votes(of: Vectors, labels: np.ndarray, k: int, distance: Distance = Distance.EUCLIDEAN, longest: int = 15):
    graph = compute_graph(of, distance, longest, lambda _share, _words: None)
    gallery = np.flatnonzero(of.usable(distance) & of.is_gallery)
    return knn_accuracy(graph, labels, k, Relevance(Truth(labels=labels), of.n, gallery).count(graph.queries) > 0)


def blobs(n: int = 90, n_labels: int = 2) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, n_labels, n)
    return generator.normal(size=(n, 4)) + labels[:, None], labels


@pytest.mark.parametrize("distance", Distance)
@pytest.mark.parametrize("k", [1, 5, 15])
def test_votes_are_those_of_scikit_learn(k: int, distance: Distance) -> None:
    matrix, labels = blobs()
    of = oracle.vectors(matrix)
    model = KNeighborsClassifier(k, metric=distance.value, algorithm="brute")
    told = cross_val_predict(model, of.matrix.astype(np.float64), labels, cv=LeaveOneOut())
    np.testing.assert_array_equal(votes(of, labels, k, distance).values, told == labels)


def test_equal_votes_share_the_answer() -> None:
    # The query's neighbours are labelled 0, 1, 1, 0; then 2; one has no label.
    of = oracle.vectors([[0], [1], [2], [3], [4], [5], [1.5]], is_query=[1, 0, 0, 0, 0, 0, 0])
    labels = np.array([0, 0, 1, 1, 0, 2, NO_LABEL])
    assert [votes(of, labels, k, longest=6).values[0] for k in (1, 2, 3, 4, 5, 6)] == [1, 1, 0.5, 0, 0.5, 0.5]


def test_where_nobody_votes_the_answer_is_wrong_and_a_lone_label_is_left_out() -> None:
    of = oracle.vectors([[0], [1], [2], [50]])
    values = votes(of, np.array([0, NO_LABEL, NO_LABEL, 0]), 1, longest=3).values
    assert values[0] == 0
    assert np.isnan(values[1:3]).all()
    assert np.isnan(votes(of, np.arange(4), 1, longest=3).values).all()


def test_more_votes_than_a_list_holds_are_refused() -> None:
    matrix, labels = blobs()
    with pytest.raises(SettingsError, match="16 neighbours cannot vote"):
        votes(oracle.vectors(matrix), labels, 16)


def test_prototypes_are_those_of_scikit_learn() -> None:
    matrix, labels = blobs(n_labels=4)
    of = oracle.vectors(matrix)
    told = cross_val_predict(NearestCentroid(), of.matrix.astype(np.float64), labels, cv=LeaveOneOut())
    np.testing.assert_array_equal(prototype_accuracy(of, labels, Distance.EUCLIDEAN).values, told == labels)


@pytest.mark.parametrize("distance", Distance)
def test_prototypes_are_those_of_a_slow_loop(distance: Distance) -> None:
    generator, (matrix, labels) = np.random.default_rng(1), blobs(90, 5)
    labels[:4] = [NO_LABEL, 9, 11, 11]
    matrix[7] = 0
    of = oracle.vectors(matrix, is_query=generator.random(90) < 0.7, is_gallery=generator.random(90) < 0.7)
    usable = of.usable(distance)
    placed = of.matrix.astype(np.float64)
    if distance is Distance.COSINE:
        placed /= np.maximum(np.linalg.norm(placed, axis=1, keepdims=True), 1e-300)
    expected: list[float] = []
    for query in oracle.queries(of, distance):
        gaps: dict[int, float] = {}
        for label in set(labels.tolist()) - {NO_LABEL}:
            rows = [row for row in range(90) if labels[row] == label and row != query and of.is_gallery[row]]
            rows = [row for row in rows if usable[row]]
            if rows:
                gaps[label] = oracle.distance_of(placed[query], placed[rows].mean(axis=0), distance)
        own = int(labels[query])
        expected.append(float(gaps[own] == min(gaps.values())) if own in gaps else np.nan)
    np.testing.assert_array_equal(prototype_accuracy(of, labels, distance).values, expected)


def test_means_on_one_spot_share_the_answer() -> None:
    of = oracle.vectors([[0.0], [1], [-1], [2], [-2]], is_query=[1, 0, 0, 0, 0], is_gallery=[0, 1, 1, 1, 1])
    assert prototype_accuracy(of, np.array([0, 0, 0, 1, 1]), Distance.EUCLIDEAN).values.tolist() == [0.5]


def test_turning_all_vectors_changes_no_prototype() -> None:
    matrix, labels = blobs(n_labels=3)
    turn, _r = np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))
    for distance in Distance:
        plain, turned = (prototype_accuracy(oracle.vectors(each), labels, distance) for each in (matrix, matrix @ turn))
        np.testing.assert_array_equal(plain.values, turned.values)
