"""Two versions of the same ids: against scipy, by hand, and each kind of change told from the others."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from lib.metrics.alignment import NO_SPREAD, TOO_FEW, TWO_DIRECTIONS, Space, align, procrustes, split_residuals
from lib.vectors import Distance
from tests.metrics.vector_worlds import matrix, rotation

N, D = 600, 12
ROWS = np.arange(N)


@pytest.fixture(scope="module")
def baseline() -> np.ndarray:
    rng = np.random.default_rng(0)
    return matrix(rng.normal(size=(N, D)) / np.sqrt(np.arange(1, D + 1)) + 0.3)


def noisy(x: np.ndarray, amount: float, seed: int = 1) -> np.ndarray:
    return matrix(x + amount * np.random.default_rng(seed).normal(size=x.shape))


def test_rotation_is_scipys() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(40, 5)), rng.normal(size=(40, 5))
    assert procrustes(y.T @ x) == pytest.approx(orthogonal_procrustes(y, x)[0])


def test_rotation_by_hand() -> None:
    x = np.array([[1.0, 0], [0, 1]])
    quarter = np.array([[0.0, 1], [-1, 0]])
    assert procrustes((x @ quarter).T @ x) == pytest.approx(quarter.T)


@pytest.mark.parametrize("distance", list(Distance))
def test_a_rotation_is_told(baseline: np.ndarray, distance: Distance) -> None:
    found = align(baseline, matrix(baseline @ rotation(D, 5)), ROWS, ROWS, distance)
    assert found.space is Space.ROTATION
    assert found.total_residual < 1e-5
    assert found.total_displacement > 0.5
    assert found.scale == pytest.approx(1, abs=1e-5)
    assert found.unchanged.value == 0


def test_a_version_is_the_same_as_itself_but_for_rounding(baseline: np.ndarray) -> None:
    exact = align(baseline, baseline, ROWS, ROWS, Distance.COSINE)
    assert (exact.space, exact.identical.value, exact.total_displacement) == (Space.SAME, 1.0, 0.0)
    rounded = align(baseline, matrix(baseline * np.float32(1 + 1e-6)), ROWS, ROWS, Distance.COSINE)
    assert rounded.space is Space.SAME
    assert rounded.identical.value < 0.5


def test_another_model_is_a_change_and_not_a_rotation(baseline: np.ndarray) -> None:
    found = align(baseline, noisy(baseline @ rotation(D, 5), 0.1), ROWS, ROWS, Distance.EUCLIDEAN)
    assert found.space is Space.CHANGED
    expected = 0.1 * np.sqrt(D) / np.sqrt(((baseline - baseline.mean(0)) ** 2).sum(1).mean())
    assert found.total_residual == pytest.approx(expected, rel=0.1)


def test_vectors_that_have_nothing_in_common_have_a_residual_of_about_root_2() -> None:
    rng = np.random.default_rng(3)
    x, y = (matrix(rng.normal(size=(4_000, 8))) for _ in range(2))
    found = align(x, y, np.arange(4_000), np.arange(4_000), Distance.EUCLIDEAN)
    assert found.space is Space.CHANGED
    assert found.total_residual == pytest.approx(np.sqrt(2), abs=0.05)


def test_few_rows_are_not_turned_onto_their_own_noise() -> None:
    rng = np.random.default_rng(3)
    x, y = (matrix(rng.normal(size=(40, 40))) for _ in range(2))
    assert align(x, y, np.arange(40), np.arange(40), Distance.EUCLIDEAN).total_residual > 1.2


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("seed", range(3))
def test_stale_rows_stand_out(baseline: np.ndarray, noise: float, seed: int) -> None:
    stale = np.random.default_rng(seed).random(N) < 1 / 3
    candidate = noisy(baseline @ rotation(D, seed), noise)
    candidate[stale] = baseline[stale]
    found = align(baseline, candidate, ROWS, ROWS, Distance.COSINE, seed)
    assert found.space is Space.MIXED
    assert found.is_identical.tolist() == stale.tolist()
    assert (found.is_far == stale).mean() > 0.99


@pytest.mark.parametrize("share", [0.02, 0.9])
def test_few_stale_rows_or_few_fresh_ones_are_a_mixture_even_after_a_small_change(
    baseline: np.ndarray, share: float
) -> None:
    stale = np.random.default_rng(1).random(N) < share
    candidate = noisy(baseline, 0.05)
    candidate[stale] = baseline[stale]
    found = align(baseline, candidate, ROWS, ROWS, Distance.COSINE)
    assert found.space is Space.MIXED
    assert found.is_unchanged.tolist() == stale.tolist()
    assert found.unchanged.lower < stale.mean() < found.unchanged.upper


@pytest.mark.parametrize("distance", list(Distance))
def test_stale_rows_of_another_length_are_stale_and_of_no_other_model(baseline: np.ndarray, distance: Distance) -> None:
    rng = np.random.default_rng(4)
    stale, long = rng.random(N) < 0.25, rng.random(N) < 0.2
    candidate = noisy(baseline @ rotation(D, 4), 0.02)
    candidate[stale] = baseline[stale]
    candidate[long] *= rng.uniform(2, 9, (long.sum(), 1))
    found = align(baseline, matrix(candidate), ROWS, ROWS, distance)
    assert (stale & long).sum() > 20
    assert found.space is Space.MIXED
    assert found.is_stale.tolist() == found.is_unchanged.tolist() == stale.tolist()
    assert found.is_identical.tolist() == (stale & ~long).tolist()
    assert not found.is_strange.any()


def test_rows_that_kept_their_place_where_others_moved_in_the_same_coordinates_are_not_stale(
    baseline: np.ndarray,
) -> None:
    kept = np.random.default_rng(5).random(N) < 0.5
    candidate = noisy(baseline, 0.3)
    candidate[kept] = baseline[kept]
    found = align(baseline, candidate, ROWS, ROWS, Distance.COSINE)
    assert found.is_unchanged.tolist() == kept.tolist()
    assert not found.is_stale.any()


def test_lengths_alone_make_nothing_stale(baseline: np.ndarray) -> None:
    candidate = matrix(baseline * np.random.default_rng(6).uniform(1, 3, (N, 1)))
    spaces = {each: align(baseline, candidate, ROWS, ROWS, each) for each in Distance}
    assert all(found.is_unchanged.all() and not found.is_stale.any() for found in spaces.values())
    assert spaces[Distance.COSINE].space is Space.ROTATION
    assert spaces[Distance.EUCLIDEAN].space is Space.CHANGED


def test_a_part_from_a_third_model_stands_out(baseline: np.ndarray) -> None:
    other = np.arange(N) % 4 == 0
    candidate = noisy(baseline @ rotation(D, 1), 0.02)
    candidate[other] = (baseline @ rotation(D, 2))[other]
    found = align(baseline, candidate, ROWS, ROWS, Distance.COSINE)
    assert found.space is Space.MIXED
    assert (found.is_far == other).mean() > 0.98
    assert found.residual[other].mean() > 5 * found.residual[~other].mean()


def test_one_group_of_residuals_is_not_split() -> None:
    rng = np.random.default_rng(0)
    for values in (
        np.abs(rng.normal(1, 0.1, 2_000)),
        rng.lognormal(0, 0.8, 2_000),
        rng.chisquare(3, 2_000),
        np.ones(50),
    ):
        assert not split_residuals(values)[0].any()


def test_two_groups_by_hand() -> None:
    is_far, split = split_residuals(np.array([1.0, 10, 1, 10]))
    assert is_far.tolist() == [False, True, False, True]
    assert split == pytest.approx(1)


def test_dimensions_may_differ(baseline: np.ndarray) -> None:
    found = align(
        matrix(baseline[:, :8]), matrix(baseline[:, :8] @ rotation(12, 3)[:8]), ROWS, ROWS, Distance.EUCLIDEAN
    )
    assert found.space is Space.ROTATION
    assert np.isnan(found.displacement).all()


def test_rows_are_paired_by_their_place(baseline: np.ndarray) -> None:
    order = np.random.default_rng(1).permutation(N)
    found = align(baseline, matrix(baseline[order]), order, ROWS, Distance.EUCLIDEAN)
    assert found.space is Space.SAME


def test_too_few_ids_have_a_reason(baseline: np.ndarray) -> None:
    found = align(baseline, baseline, ROWS[:10], ROWS[:10], Distance.COSINE)
    assert (found.space, found.reason) == (Space.UNDEFINED, TOO_FEW)
    assert np.isnan(found.total_residual)
    nothing = align(baseline, baseline, ROWS[:0], ROWS[:0], Distance.COSINE)
    assert not nothing.identical.is_defined
    with pytest.raises(ValueError, match="not 10 and 9"):
        align(baseline, baseline, ROWS[:10], ROWS[:9], Distance.COSINE)


@pytest.mark.parametrize("distance", Distance)
def test_a_baseline_without_spread_measures_nothing(baseline: np.ndarray, distance: Distance) -> None:
    equal = matrix(np.ones_like(baseline) + 1e-9 * baseline)
    found = align(equal, baseline, ROWS, ROWS, distance)
    assert (found.space, found.reason) == (Space.UNDEFINED, NO_SPREAD)
    assert np.isnan([found.total_displacement, found.total_residual, *found.displacement, *found.residual]).all()
    same = align(equal, equal, ROWS, ROWS, distance)
    assert (same.space, same.reason, same.total_displacement) == (Space.SAME, "", 0)
    assert same.total_residual == pytest.approx(0, abs=1e-12)


def test_directions_of_one_value_hold_no_second_model(baseline: np.ndarray) -> None:
    line, noise = baseline[:, :1], 0.3 * np.random.default_rng(5).normal(size=(N, 1))
    candidate = matrix(line + noise)
    assert 0 < (np.sign(line) != np.sign(candidate)).sum() < N / 2  # rows that would not fit after turning
    found = align(line, candidate, ROWS, ROWS, Distance.COSINE)
    assert (found.space, found.reason) == (Space.UNDEFINED, TWO_DIRECTIONS)
    assert not found.is_far.any()
    assert align(line, line, ROWS, ROWS, Distance.COSINE).space is Space.SAME
    assert align(line, candidate, ROWS, ROWS, Distance.EUCLIDEAN).space is Space.CHANGED


def test_a_class_that_only_one_half_holds_is_not_of_another_model() -> None:
    for seed in range(6):
        rng = np.random.default_rng([seed, 5])
        label = np.arange(300) % 50  # classes of six: some are in one half alone
        items = rng.normal(size=(50, 384))[label] + 0.1 * rng.normal(size=(300, 384))
        turned = (items + 0.1 * rng.normal(size=items.shape)) @ np.linalg.qr(rng.normal(size=(384, 384)))[0]
        before, after = (each.astype(np.float32) for each in (items, turned))
        found = align(before, after, np.arange(300), np.arange(300), Distance.COSINE)
        assert not found.is_far.any()
