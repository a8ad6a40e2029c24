"""Near duplicates and outliers: against brute force, by hand, and how many chance gives."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from lib.metrics.local_scale import chords, local_dimension
from lib.metrics.near_duplicates import (
    NO_GROUP,
    NO_LABELS,
    NO_PAIRS,
    NO_PARTS,
    leaks_across,
    near_duplicates,
    precision_of_pairs,
)
from lib.metrics.outliers import outlier_scores
from lib.vectors import NO_LABEL, Distance, NeighbourGraph
from tests.metrics.vector_worlds import brute_graph, matrix, rotation


@pytest.fixture(scope="module")
def cloud() -> np.ndarray:
    return matrix(np.random.default_rng(0).random((400, 3)))


def test_pairs_are_those_of_all_distances(cloud: np.ndarray) -> None:
    apart = squareform(pdist(cloud.astype(float)))
    expected = {(i, j) for i, j in zip(*np.nonzero(np.triu(apart <= 0.05, 1)), strict=True)}
    found = near_duplicates(brute_graph(cloud, 10), 0.05, 400)
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == expected
    assert found.distances == pytest.approx(apart[found.first, found.second], abs=1e-6)
    assert found.n_cut_lists == 0


def test_groups_by_hand() -> None:
    # 0–2–4 are a chain, 1 and 5 a pair, 3 is alone.
    x = matrix([[0], [10], [1], [50], [2], [11]])
    found = near_duplicates(brute_graph(x, 3), 1.0, 6)
    assert found.group.tolist() == [0, 1, 0, NO_GROUP, 0, 1]
    assert found.group_sizes.tolist() == [3, 2]
    assert (found.n_rows, found.found, found.n_queries) == (5, 5, 6)
    split = np.array([0, 0, 1, 0, 1, NO_LABEL])
    leaks = leaks_across(found, split)
    # Of 0–2, 2–4 and 1–5 the first is across, the last is not known.
    assert (leaks.pairs.value, leaks.rows, leaks.n) == (0.5, 2, 5)
    assert precision_of_pairs(found, np.array([0, 1, 0, 2, 3, 1])).value == pytest.approx(2 / 3)
    assert precision_of_pairs(found, np.full(6, NO_LABEL)).reason == NO_LABELS


def test_a_list_that_is_full_of_duplicates_is_told() -> None:
    found = near_duplicates(brute_graph(matrix(np.ones((8, 2))), 3), 0.0, 8)
    assert found.n_cut_lists == 8
    assert found.group_sizes.tolist() == [8]


def test_none_has_a_reason(cloud: np.ndarray) -> None:
    found = near_duplicates(brute_graph(cloud, 5), 1e-6, 400)
    assert (len(found.first), found.found, found.p) == (0, 0, 1.0)
    assert leaks_across(found, np.zeros(400, np.int64)).pairs.reason == NO_PAIRS
    # Every row has a label, though no pair has two.
    assert precision_of_pairs(found, np.zeros(400, np.int64)).reason == NO_PAIRS == "there are no pairs"
    copies = near_duplicates(brute_graph(matrix(np.ones((3, 2))), 2), 0.1, 3)
    assert leaks_across(copies, np.full(3, NO_LABEL)).pairs.reason == NO_PARTS
    assert precision_of_pairs(copies, np.full(3, NO_LABEL)).reason == NO_LABELS


@pytest.mark.parametrize("dimension", [2, 3, 6])
def test_dimension_of_a_place_is_found(dimension: int) -> None:
    x = matrix(np.random.default_rng(1).random((1_000, dimension)) @ np.eye(dimension, 8))
    assert local_dimension(brute_graph(x, 10)) == pytest.approx(dimension, rel=0.2)
    copies = matrix(np.concatenate([x, x[:100]]))
    assert local_dimension(brute_graph(copies, 10)) == pytest.approx(dimension, rel=0.25)
    assert np.isnan(local_dimension(brute_graph(x[:30], 1)))


def test_cosine_distances_are_chords() -> None:
    x = matrix(np.random.default_rng(1).normal(size=(50, 4)))
    u = matrix(x / np.linalg.norm(x, axis=1, keepdims=True))
    assert chords(brute_graph(x, 4, Distance.COSINE)) == pytest.approx(brute_graph(u, 4).distances, abs=1e-3)


def test_as_many_as_expected_where_rows_lie_evenly_and_more_where_there_are_copies() -> None:
    told, found, expected = 0, 0.0, 0.0
    for seed in range(20):
        x = np.random.default_rng(seed).random((500, 3))
        clean = near_duplicates(brute_graph(matrix(x), 10), 0.02, 500)
        told += clean.p <= 0.01
        found, expected = found + clean.found, expected + clean.expected
    assert told <= 1
    assert found == pytest.approx(expected, rel=0.3)
    x = np.random.default_rng(0).random((500, 3))
    x[:25] = x[100:125] + 1e-3
    copied = near_duplicates(brute_graph(matrix(x), 10), 0.02, 500)
    assert copied.found >= 50
    assert copied.p < 1e-6


def test_a_rotation_changes_nothing(cloud: np.ndarray) -> None:
    before, after = brute_graph(cloud, 8), brute_graph(matrix(cloud @ rotation(3, 2)), 8)
    pairs = [near_duplicates(each, 0.05, 400) for each in (before, after)]
    assert (pairs[0].first == pairs[1].first).all()
    scores = [outlier_scores(each).score for each in (before, after)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-4)


def test_outlier_scores_by_hand() -> None:
    # Distance to the nearest: 1, 1, 6; the neighbour of the third is the second.
    found = outlier_scores(brute_graph(matrix([[0], [1], [7]]), 1))
    assert found.score.tolist() == [1, 1, 6]
    assert np.isnan(found.floor)
    assert found.n == 3


@pytest.mark.parametrize("kind", ["torus", "normal", "clusters"])
def test_an_outlier_is_beyond_the_floor_and_the_edge_of_a_cloud_is_not(kind: str) -> None:
    told = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        ring = rng.random((400, 2)) * 2 * np.pi
        x = {
            "torus": np.concatenate([np.cos(ring), np.sin(ring)], axis=1),
            "normal": rng.normal(size=(400, 6)),
            "clusters": rng.normal(size=(400, 6)) + 3 * rng.normal(size=(5, 6))[np.arange(400) % 5],
        }[kind]
        told += outlier_scores(brute_graph(matrix(x), 10)).n_beyond
        x[7] = x.mean(axis=0) + 30 * x.std()
        found = outlier_scores(brute_graph(matrix(x), 10))
        assert int(np.nanargmax(found.score)) == 7
        assert found.score[7] > found.floor
    assert told <= 2


def test_scores_do_not_depend_on_how_dense_a_cloud_is() -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.random((300, 2)), 100 + 50 * rng.random((300, 2))])
    found = outlier_scores(brute_graph(matrix(x), 8)).score
    assert np.median(found[:300]) == pytest.approx(np.median(found[300:]), abs=0.1)


def test_short_lists_have_no_score_and_copies_are_no_outliers() -> None:
    assert np.isnan(outlier_scores(brute_graph(matrix([[0], [1]]), 3)).score).all()
    x = matrix([[0], [0], [0], [0], [9]])
    assert outlier_scores(brute_graph(x, 2)).score.tolist() == [1, 1, 1, 1, np.inf]
    empty = NeighbourGraph(
        Distance.COSINE, np.zeros(0, np.int64), np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32)
    )
    assert outlier_scores(empty).n == 0
