"""Recall against size: axes and rounding by hand and against scikit-learn, bytes, and which keeps the recall."""

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD

from lib.metrics.dimensions import (
    NO_QUERIES,
    R_PRECISION,
    RECALL,
    Setting,
    Way,
    paired_change,
    principal_axes,
    rounded,
    smaller_vectors,
    trade_off,
)
from lib.metrics.variance_spectrum import Precision
from lib.vectors import Distance
from tests.metrics.vector_worlds import brute_graph, matrix, rotation

N, D, K = 240, 16, 3
ROWS = np.arange(N)


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    return np.arange(N) % 8


@pytest.fixture(scope="module")
def cloud(labels: np.ndarray) -> np.ndarray:
    """Labels lie in four directions of sixteen, hidden by a rotation; the rest is faint."""
    rng = np.random.default_rng(0)
    flat = np.zeros((N, D))
    flat[:, :4] = 3 * rng.normal(size=(8, 4))[labels] + 0.3 * rng.normal(size=(N, 4))
    return matrix((flat + 0.02 * rng.normal(size=(N, D))) @ rotation(D, 0))


@pytest.fixture(scope="module")
def recall_of(labels: np.ndarray):
    def recall(values: np.ndarray) -> np.ndarray:
        return (labels[brute_graph(values, K, Distance.COSINE).rows] == labels[:, None]).any(axis=1).astype(float)

    return recall


def never(_values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    raise AssertionError("recall is below its ceiling")


def test_axes_are_scikit_learns(cloud: np.ndarray) -> None:
    axes = principal_axes(cloud, ROWS)
    svd = TruncatedSVD(4, algorithm="arpack").fit(cloud.astype(float))
    assert np.abs((np.asarray(svd.components_) * axes[:, :4].T).sum(axis=1)) == pytest.approx(np.ones(4), abs=1e-6)
    assert axes.T @ axes == pytest.approx(np.eye(D), abs=1e-9)


def test_all_axes_together_are_a_rotation(cloud: np.ndarray) -> None:
    turned = matrix(cloud @ principal_axes(cloud, ROWS))
    for distance in Distance:
        assert brute_graph(turned, 1, distance).distances == pytest.approx(
            brute_graph(cloud, 1, distance).distances, abs=1e-4
        )


def test_rounding_by_hand() -> None:
    x = matrix([[1.27, 0.5], [-0.634, -0.25], [0.0, 0.0]])
    rows = np.arange(3)
    assert rounded(x, rows, Precision.INT8)[:, 0] == pytest.approx([1.27, -0.63, 0])
    assert rounded(x, rows, Precision.BINARY).tolist() == [[1, 1], [-1, -1], [-1, -1]]
    assert rounded(x, rows, Precision.FLOAT16)[0, 0] == np.float32(np.float16(1.27))
    assert np.isfinite(rounded(matrix([[1e6]]), np.arange(1), Precision.FLOAT16)).all()
    with pytest.raises(ValueError, match="bfloat16"):
        rounded(x, rows, Precision.BFLOAT16)


@pytest.mark.parametrize(
    ("precision", "n_bytes"),
    [(Precision.FLOAT32, 40), (Precision.FLOAT16, 20), (Precision.INT8, 10), (Precision.BINARY, 2)],
)
def test_bytes_of_ten_values(precision: Precision, n_bytes: int) -> None:
    assert Setting(Way.PRECISION, 10, precision).n_bytes == n_bytes


def test_settings_go_from_large_to_small(cloud: np.ndarray) -> None:
    found = list(smaller_vectors(cloud, ROWS))
    assert [(s.way, s.dimension) for s, _ in found[:4]] == [
        (Way.PCA, 8),
        (Way.PCA, 4),
        (Way.TRUNCATION, 8),
        (Way.TRUNCATION, 4),
    ]
    assert all(v.shape == (N, s.dimension) and v.dtype == np.float32 for s, v in found)
    for way in Way:
        sizes = [s.n_bytes for s, _ in found if s.way is way]
        assert sizes == sorted(sizes, reverse=True)


def test_the_smallest_setting_that_keeps_the_recall_is_found(cloud: np.ndarray, recall_of) -> None:
    def hard(values: np.ndarray) -> np.ndarray:
        # One query in twenty has its answer nowhere near, so that recall is below its ceiling.
        return recall_of(values) * (ROWS % 20 > 0)

    curve = trade_off(cloud, ROWS, hard, never, tolerance=0.05, n_gallery=1_000_000, price_per_gigabyte=0.5)
    kept = {(p.setting.way, p.setting.dimension, p.setting.precision) for p in curve.points if p.keeps}
    assert (Way.PCA, 4, Precision.FLOAT32) in kept
    assert (Way.PRECISION, D, Precision.INT8) in kept
    assert curve.smallest.setting.n_bytes <= 16
    # A thousand queries read a million vectors of 64 bytes each: 64 GB.
    assert curve.full.cost == pytest.approx(64 * 0.5)


def test_what_loses_recall_does_not_keep_it_nor_does_anything_smaller() -> None:
    rng = np.random.default_rng(1)
    recalls = iter([0.9, 0.5, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9])

    def recall(_values: np.ndarray) -> np.ndarray:
        return (np.arange(2_000) < 2_000 * next(recalls)).astype(float)

    curve = trade_off(matrix(rng.normal(size=(50, 16))), np.arange(50), recall, never, tolerance=0.01)
    assert (curve.measure, curve.is_at_ceiling) == (RECALL, False)
    by_way = {way: [p.keeps for p in curve.points if p.setting.way is way] for way in Way}
    # The second of PCA is as good as ever, but comes after one that failed.
    assert by_way == {Way.PCA: [False, False], Way.TRUNCATION: [True, True], Way.PRECISION: [True] * 3}


def test_recall_at_its_ceiling_is_not_judged_by() -> None:
    """Recall stays at 100 % in every size, R-precision falls from 0.9 to 0.5 in all but the first of each way."""
    rng = np.random.default_rng(1)
    full = np.ones(2_000)
    sharp = iter([0.9, 0.9, 0.5, 0.9, 0.5, 0.9, 0.5, 0.5])

    def both(_values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return full, (np.arange(2_000) < 2_000 * next(sharp)).astype(float)

    curve = trade_off(matrix(rng.normal(size=(50, 16))), np.arange(50), lambda _values: full, both)
    assert (curve.measure, curve.is_at_ceiling) == (R_PRECISION, False)
    assert [each.recall.value for each in curve.points] == [1.0] * 7
    by_way = {way: [p.keeps for p in curve.points if p.setting.way is way] for way in Way}
    assert by_way == {Way.PCA: [True, False], Way.TRUNCATION: [True, False], Way.PRECISION: [True, False, False]}
    assert [each.change.value for each in curve.points[:2]] == pytest.approx([0, -0.4])


def test_where_all_is_at_its_ceiling_no_size_is_said_to_keep_anything() -> None:
    rng, full = np.random.default_rng(1), np.ones(2_000)
    curve = trade_off(
        matrix(rng.normal(size=(50, 16))), np.arange(50), lambda _values: full, lambda _values: (full, full)
    )
    assert curve.is_at_ceiling
    assert not any(each.keeps for each in curve.points)
    assert curve.smallest is curve.full


def test_a_kept_recall_is_rarely_a_lost_one() -> None:
    rng, wrong, runs = np.random.default_rng(2), 0, 2_000
    for _ in range(runs):
        before = rng.random(400) < 0.8
        # Truly 5 points worse: 6 of 100 lost, 1 gained.
        change = rng.random(400)
        after = np.where(before, change >= 0.075, change < 0.05)
        wrong += paired_change(before.astype(float), after.astype(float)).lower >= -0.05
    assert wrong <= 0.035 * runs


def test_change_by_hand() -> None:
    before, after = np.array([1.0, 1, 0, 0, np.nan]), np.array([1.0, 0, 0, 0, 1])
    found = paired_change(before, after)
    assert (found.value, found.n) == (-0.25, 4)
    same = paired_change(np.ones(100), np.ones(100))
    assert same.value == 0
    assert -0.06 < same.lower < 0 < same.upper < 0.06


def test_no_query_has_a_reason() -> None:
    assert paired_change(np.array([np.nan]), np.array([1.0])).reason == NO_QUERIES
    curve = trade_off(matrix(np.eye(8)), np.arange(8), lambda values: np.full(8, np.nan), never)
    assert curve.full.recall.reason == NO_QUERIES
    assert not any(point.keeps for point in curve.points)
    assert curve.smallest is curve.full
