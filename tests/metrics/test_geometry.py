"""The shape of a cloud: against double sums and scikit-learn, by hand, and unmoved by a rotation."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.metrics import silhouette_samples, silhouette_score
from sklearn.metrics.pairwise import cosine_similarity

from lib.metrics import vector_rows
from lib.metrics.geometry import (
    NO_PAIRS,
    TOO_FEW,
    alignment_of_labels,
    anisotropy,
    norms,
    silhouette,
    two_nn_dimension,
    uniformity,
)
from lib.metrics.vector_rows import draw_rows, moments, squared_distances
from lib.vectors import NO_LABEL, Distance
from tests.metrics.vector_worlds import brute_graph, matrix, rotation

N = 300
ROWS = np.arange(N)


@pytest.fixture(scope="module")
def cloud() -> np.ndarray:
    rng = np.random.default_rng(0)
    return matrix(rng.normal(0.4, 1, (N, 6)) * np.arange(1, 7))


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    found = np.random.default_rng(1).integers(0, 4, N)
    found[:5] = NO_LABEL
    return found


def off_diagonal(values: np.ndarray) -> np.ndarray:
    return values[~np.eye(len(values), dtype=bool)]


@pytest.mark.parametrize("block", [1, 50, 10_000])
def test_moments_in_blocks_are_numpys(cloud: np.ndarray, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(vector_rows, "BLOCK_VALUES", block)
    far = matrix(cloud + 1000)
    mean, covariance = moments(far, ROWS)
    assert mean == pytest.approx(far.astype(float).mean(axis=0))
    assert covariance == pytest.approx(np.cov(far.astype(float).T, bias=True), rel=1e-9)
    u = cloud.astype(float) / np.linalg.norm(cloud.astype(float), axis=1, keepdims=True)
    assert moments(cloud, ROWS, Distance.COSINE)[1] == pytest.approx(np.cov(u.T, bias=True), abs=1e-9)


def test_rows_are_drawn_once_each_in_their_order() -> None:
    drawn = draw_rows(np.arange(100) * 2, 30, 0)
    assert len(np.unique(drawn)) == 30
    assert (np.diff(drawn) > 0).all()
    assert (drawn % 2 == 0).all()
    assert draw_rows(np.array([3, 1]), 5, 0).tolist() == [1, 3]


def test_squared_distances_are_scipys(cloud: np.ndarray) -> None:
    x = cloud[:20].astype(float)
    assert squared_distances(x, x)[np.triu_indices(20, 1)] == pytest.approx(pdist(x) ** 2)


def test_norms_by_hand() -> None:
    found = norms(matrix([[3, 4], [0, 0], [0.6, 0.8], [1, 0]]), np.arange(4))
    assert found.length == pytest.approx([5, 0, 1, 1], abs=1e-6)
    assert (found.not_unit.value, found.zero.value, found.mean.value) == (0.5, 0.25, pytest.approx(1.75))
    assert found.quantiles[[0, -1]] == pytest.approx([0, 5])
    assert norms(matrix(np.zeros((4, 2))), np.arange(0)).mean.reason


def test_mean_cosine_is_that_of_all_pairs(cloud: np.ndarray) -> None:
    found = anisotropy(cloud, ROWS)
    assert found.mean_cosine.value == pytest.approx(off_diagonal(cosine_similarity(cloud.astype(float))).mean())
    assert found.mean_cosine.lower < found.mean_cosine.value < found.mean_cosine.upper
    one_way = anisotropy(matrix(np.ones((10, 3)) * np.arange(1, 11)[:, None]), np.arange(10))
    assert one_way.mean_cosine.value == pytest.approx(1)
    assert anisotropy(cloud, ROWS[:2]).mean_cosine.reason == TOO_FEW


def test_mean_cosine_exceeds_its_floor_as_often_as_stated_and_its_interval_covers() -> None:
    beyond, covered, runs, shift = 0, 0, 400, np.array([0.5, 0, 0, 0])
    rng = np.random.default_rng(7)
    large = rng.normal(size=(200_000, 4)) + shift
    truth = np.linalg.norm((large / np.linalg.norm(large, axis=1, keepdims=True)).mean(axis=0)) ** 2
    for _ in range(runs):
        even = anisotropy(matrix(rng.normal(size=(60, 4))), np.arange(60))
        beyond += even.mean_cosine.value > even.floor
        found = anisotropy(matrix(rng.normal(size=(200, 4)) + shift), np.arange(200)).mean_cosine
        covered += found.lower <= truth <= found.upper
    assert beyond <= 11
    assert covered >= 0.91 * runs


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_intrinsic_dimension_is_found_in_a_space_of_more(dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    flat = rng.random((1_500, dimension)) @ rng.normal(size=(dimension, 10))
    found = two_nn_dimension(brute_graph(matrix(flat), 2))
    assert found.value == pytest.approx(dimension, rel=0.15)
    assert found.lower < found.value < found.upper


def test_intrinsic_dimension_by_hand() -> None:
    graph = brute_graph(matrix([[0], [1], [3], [7]]), 2)
    # r₂/r₁: 3/1, 2/1, 3/2, 6/4.
    expected = 3 / (np.log(3) + np.log(2) + 2 * np.log(1.5))
    assert two_nn_dimension(graph).value == pytest.approx(expected)
    assert two_nn_dimension(brute_graph(matrix([[0], [1]]), 1)).reason
    assert two_nn_dimension(brute_graph(matrix(np.ones((9, 2))), 2)).reason == TOO_FEW


def test_intrinsic_dimension_of_directions_is_the_same_by_either_distance() -> None:
    rng = np.random.default_rng(0)
    u = rng.normal(size=(500, 4))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    cosine, euclidean = (two_nn_dimension(brute_graph(matrix(u), 2, each)).value for each in Distance)
    assert cosine == pytest.approx(euclidean, rel=1e-3)
    assert cosine == pytest.approx(3, rel=0.15)


def test_alignment_is_that_of_all_pairs_with_a_label(cloud: np.ndarray, labels: np.ndarray) -> None:
    u = cloud / np.linalg.norm(cloud.astype(float), axis=1, keepdims=True)
    same = (labels[:, None] == labels) & (labels[:, None] != NO_LABEL) & ~np.eye(N, dtype=bool)
    expected = ((u[:, None] - u[None]) ** 2).sum(axis=2)[same].mean()
    found = alignment_of_labels(cloud, ROWS, labels, 4)
    assert found.value == pytest.approx(expected)
    assert found.lower < expected < found.upper
    assert alignment_of_labels(cloud, ROWS[:4], np.arange(4), 4).reason == NO_PAIRS


def test_uniformity_is_that_of_all_pairs(cloud: np.ndarray) -> None:
    u = cloud / np.linalg.norm(cloud.astype(float), axis=1, keepdims=True)
    assert uniformity(cloud, ROWS).value == pytest.approx(np.log(np.exp(-2 * pdist(u) ** 2).mean()))
    assert uniformity(matrix(np.ones((5, 2))), np.arange(5)).value == pytest.approx(0)
    assert uniformity(cloud, ROWS[:2]).reason == TOO_FEW


@pytest.mark.parametrize("distance", list(Distance))
def test_silhouette_is_scikit_learns(cloud: np.ndarray, labels: np.ndarray, distance: Distance) -> None:
    alone = labels.copy()
    alone[7] = 9
    found, each, rows = silhouette(cloud, ROWS, alone, distance)
    kept = alone != NO_LABEL
    x = cloud[kept].astype(float)
    assert found.value == pytest.approx(silhouette_score(x, alone[kept], metric=distance.value))
    assert each == pytest.approx(silhouette_samples(x, alone[kept], metric=distance.value), abs=1e-9)
    assert rows.tolist() == ROWS[kept].tolist()
    assert silhouette(cloud, ROWS, np.zeros(N, np.int64), distance)[0].reason


@pytest.mark.parametrize("distance", list(Distance))
def test_a_rotation_changes_nothing(cloud: np.ndarray, labels: np.ndarray, distance: Distance) -> None:
    def all_of(x: np.ndarray) -> list[float]:
        return [
            norms(x, ROWS).mean.value,
            anisotropy(x, ROWS).mean_cosine.value,
            two_nn_dimension(brute_graph(x, 2, distance)).value,
            alignment_of_labels(x, ROWS, labels, 4).value,
            uniformity(x, ROWS).value,
            silhouette(x, ROWS, labels, distance)[0].value,
        ]

    assert all_of(matrix(cloud @ rotation(6, 1))) == pytest.approx(all_of(cloud), rel=1e-3)
