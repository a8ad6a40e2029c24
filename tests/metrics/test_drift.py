"""Drift of vectors: against scipy, scikit-learn and double sums, by hand, at its stated rate, and with power."""

from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from lib.metrics.drift import (
    LEAST_ROWS,
    NO_SPREAD,
    NO_SPREAD_WITHIN,
    TOO_FEW,
    Measure,
    compare_pairs,
    compare_parts,
    compare_samples,
)
from lib.metrics.drift_statistics import (
    centroid_shifts,
    domain_areas,
    ks_distances,
    paired_ks_distances,
    squared_mmd,
)
from lib.metrics.permutations import deal_sides, deal_swaps, noise_floor, pearson_tail, permutation_p_value
from lib.metrics.probe import FOLDS, areas, deal_folds, out_of_fold, standardise
from lib.vectors import Distance
from tests.metrics.vector_worlds import matrix, rotation

stats: Any = scipy_stats
EUCLIDEAN = Distance.EUCLIDEAN


def sample(n: int, dimension: int, seed: int, shift: float = 0.0) -> np.ndarray:
    return matrix(np.random.default_rng(seed).normal(shift, 1, (n, dimension)))


def compare(x: np.ndarray, y: np.ndarray, seed: int = 0, distance: Distance = EUCLIDEAN):
    return compare_samples(x, y, np.arange(len(x)), np.arange(len(y)), distance, seed)


@pytest.mark.parametrize("rounded", [False, True])
def test_ks_is_scipys(rounded: bool) -> None:
    x, y = (each.astype(float) for each in (sample(70, 5, 1), sample(50, 5, 2, 0.3)))
    if rounded:
        x, y = x.round(1), y.round(1)
    expected = [stats.ks_2samp(x[:, each], y[:, each]).statistic for each in range(5)]
    assert ks_distances(x, y) == pytest.approx(expected)


def test_exact_mmd_is_the_double_sum() -> None:
    x, y = sample(9, 3, 1).astype(float), sample(7, 3, 2).astype(float)
    pooled = np.concatenate([x, y])
    squares = ((pooled[:, None] - pooled[None]) ** 2).sum(axis=2)
    kernel = np.exp(-squares / (2 * np.median(squares[np.triu_indices(16, 1)])))
    inside = [
        np.mean([k[i, j] for i in range(len(k)) for j in range(len(k)) if i != j])
        for k in (kernel[:9, :9], kernel[9:, 9:])
    ]
    expected = inside[0] + inside[1] - 2 * kernel[:9, 9:].mean()
    found = squared_mmd(pooled, deal_sides(9, 7, 0, 3), 0, is_paired=False, is_exact=True)
    assert found[0] == pytest.approx(expected)
    assert not np.allclose(found[1:], expected)


@pytest.mark.parametrize("is_paired", [False, True])
def test_random_features_come_near_the_exact_mmd(is_paired: bool) -> None:
    pooled = np.concatenate([sample(300, 8, 1), sample(300, 8, 2, 0.5)]).astype(float)
    sides = deal_swaps(300, 0, 2) if is_paired else deal_sides(300, 300, 0, 2)
    exact, near = (squared_mmd(pooled, sides, 0, is_paired=is_paired, is_exact=each) for each in (True, False))
    assert near == pytest.approx(exact, abs=0.01)
    assert exact[0] > 0.05


def test_mmd_of_a_version_with_itself_is_0() -> None:
    x = sample(40, 4, 0).astype(float)
    found = squared_mmd(np.concatenate([x, x]), deal_swaps(40, 0, 5), 0, is_paired=True, is_exact=True)
    assert found == pytest.approx(np.zeros(6), abs=1e-12)


def test_centroid_shift_by_hand() -> None:
    # Means 0 and 3 in one of two dimensions; about them every row is 1 away.
    x = np.array([[-1.0, 0], [1, 0], [2, 0], [4, 0]])
    found = centroid_shifts(x - x.mean(axis=0), deal_sides(2, 2, 0, 3))
    assert found[0] == pytest.approx(3.0)


def test_paired_ks_at_its_quantiles_is_scipys_from_below() -> None:
    x, y = (each.astype(float) for each in (sample(200, 3, 1), sample(200, 3, 2, 0.4)))
    found = paired_ks_distances(np.concatenate([x, y]), deal_swaps(200, 0, 3))[0]
    exact = ks_distances(x, y)
    assert (found <= exact + 1e-6).all()
    assert (found >= exact - 1 / 16).all()


def test_probe_is_ridge_regression_of_the_other_folds() -> None:
    x, rng = standardise(sample(60, 4, 3).astype(float)), np.random.default_rng(0)
    targets, folds = rng.choice([-1.0, 1.0], (60, 3)), deal_folds(60, 1)
    seen = 0
    for rows, score, fitted in out_of_fold(x, targets, folds):
        rest = np.setdiff1d(np.arange(60), rows)
        for column in range(3):
            model = Ridge(alpha=4).fit(x[rest], targets[rest, column])
            assert score[:, column] == pytest.approx(model.predict(x[rows]))
            inside = model.predict(x[rest])
            assert fitted[column] == pytest.approx((inside - inside.mean()) @ targets[rest, column])
        seen += len(rows)
    assert seen == 60
    assert len(np.unique(folds)) == FOLDS


def test_areas_are_scikit_learns_with_ties() -> None:
    rng = np.random.default_rng(4)
    score, flags = np.round(rng.normal(size=(50, 6)), 1), rng.random((50, 6)) < 0.4
    flags[:, 5] = True
    found = areas(score, flags)
    assert found[:5] == pytest.approx([roc_auc_score(flags[:, each], score[:, each]) for each in range(5)])
    assert np.isnan(found[5])


def test_domain_classifier_finds_a_change_of_scale() -> None:
    pooled = np.concatenate([sample(300, 6, 1), 1.6 * sample(300, 6, 2)]).astype(float)
    assert domain_areas(pooled, deal_sides(300, 300, 0, 2), deal_folds(600, 0))[0] > 0.75


def test_p_values_count_draws_and_go_on_beyond_them() -> None:
    drawn = np.random.default_rng(0).gamma(4, size=199)
    assert permutation_p_value(float(np.median(drawn)), drawn) == pytest.approx(0.5, abs=0.01)
    far = permutation_p_value(14.0, drawn)
    assert far == pytest.approx(float(stats.gamma.sf(14, 4)), rel=5)
    assert far < 1 / 200
    assert permutation_p_value(0.0, np.zeros(199)) == 1.0
    assert permutation_p_value(1.0, np.zeros(199)) == 1 / 200
    assert 2 <= (drawn > noise_floor(drawn)).sum() + 1 <= 3


def test_pearson_tail_of_gamma_draws_is_the_gamma_tail() -> None:
    drawn = np.random.default_rng(1).gamma(3, size=400_000)
    for x in (3.0, 6.0, 10.0):
        assert pearson_tail(x, drawn) == pytest.approx(float(stats.gamma.sf(x, 3)), rel=0.05)
    normal = np.random.default_rng(1).normal(size=1000)
    assert pearson_tail(3.0, -np.abs(normal)) < 1e-6


def test_dealt_sides_and_swaps_keep_their_sizes() -> None:
    sides = deal_sides(4, 6, 1, 20)
    assert ((sides > 0).sum(axis=1) == 6).all()
    assert list(sides[0]) == [-1] * 4 + [1] * 6
    swaps = deal_swaps(5, 1, 20)
    assert (swaps[:, :5] == -swaps[:, 5:]).all()
    assert list(swaps[0]) == [-1] * 5 + [1] * 5


@pytest.mark.parametrize("is_paired", [False, True])
def test_nothing_is_told_of_samples_of_one_population(is_paired: bool) -> None:
    below, alarms, runs = 0, 0, 40
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        shared = rng.normal(size=(100, 6)) if is_paired else 0.0
        x, y = (matrix(shared + rng.normal(size=(100, 6))) for _ in range(2))
        drift = (
            compare_pairs(x, y, np.arange(100), np.arange(100), EUCLIDEAN, seed) if is_paired else compare(x, y, seed)
        )
        below += sum(each.p <= 0.05 for each in drift.measures)
        alarms += drift.has_drifted
    assert below <= 0.12 * 4 * runs
    assert alarms <= 2


@pytest.mark.parametrize(
    ("measure", "change"),
    [
        (Measure.CENTROID_SHIFT, lambda y: y + 0.35),
        (Measure.MAX_KS, lambda y: y + np.eye(8)[0]),
        (Measure.MMD, lambda y: 1.5 * y),
        (Measure.DOMAIN_AUC, lambda y: y + 0.35),
    ],
)
def test_a_shift_is_told(measure: Measure, change) -> None:
    for seed in range(5):
        drift = compare(sample(300, 8, seed), matrix(change(sample(300, 8, 100 + seed))), seed)
        assert drift[measure].is_drift
        assert drift[measure].value > drift[measure].floor
        assert drift.has_drifted


def test_a_change_that_is_too_small_to_matter_is_no_drift() -> None:
    x = sample(5_000, 4, 0)
    drift = compare_pairs(x, x + np.float32(1e-3), np.arange(5_000), np.arange(5_000), EUCLIDEAN)
    assert drift[Measure.CENTROID_SHIFT].p_adjusted < 1e-6
    assert not drift.has_drifted


def test_pairs_tell_what_samples_hide() -> None:
    rng = np.random.default_rng(1)
    shared = 3 * rng.normal(size=(100, 4))
    x, y = matrix(shared + 0.2 * rng.normal(size=(100, 4))), matrix(shared + 0.2 * rng.normal(size=(100, 4)) + 0.3)
    paired = compare_pairs(x, y, np.arange(100), np.arange(100), EUCLIDEAN)
    assert paired[Measure.CENTROID_SHIFT].p < 1e-6
    assert compare(x, y)[Measure.CENTROID_SHIFT].p > 0.01


def test_a_version_next_to_itself_has_not_moved() -> None:
    x = sample(60, 5, 0)
    drift = compare_pairs(x, x, np.arange(60), np.arange(60), Distance.COSINE)
    assert drift[Measure.CENTROID_SHIFT].value == pytest.approx(0, abs=1e-12)
    assert [each.p for each in drift.measures[:3]] == [1, 1, 1]
    assert not drift.has_drifted


def test_turning_both_sides_changes_no_measure_of_the_cloud() -> None:
    x, y, turn = sample(80, 6, 1), sample(90, 6, 2, 0.3), rotation(6, 3)
    before, after = compare(x, y), compare(matrix(x @ turn), matrix(y @ turn))
    for each in (Measure.CENTROID_SHIFT, Measure.MMD):
        assert after[each].value == pytest.approx(before[each].value, abs=1e-5)
    assert after[Measure.MAX_KS].value != pytest.approx(before[Measure.MAX_KS].value, abs=1e-3)


def test_lengths_do_not_count_between_directions() -> None:
    x, y = sample(80, 6, 1), sample(90, 6, 2)
    plain, scaled = (compare(x, each, distance=Distance.COSINE) for each in (y, 7 * y))
    assert [each.value for each in scaled.measures] == pytest.approx([each.value for each in plain.measures], abs=1e-5)


def test_parts_are_corrected_together() -> None:
    x = sample(400, 4, 1)
    y = np.concatenate([sample(300, 4, 2), sample(100, 4, 3, 0.8)])
    parts = [(np.arange(400), np.arange(start, start + 100)) for start in range(0, 400, 100)]
    told: list[float] = []
    found = compare_parts(x, matrix(y), parts, EUCLIDEAN, lambda share, _words: told.append(share))
    assert told == [0, 0.25, 0.5, 0.75]
    assert [each.has_drifted for each in found] == [False, False, False, True]
    alone = compare_samples(x, matrix(y), *parts[0], EUCLIDEAN)
    assert [each.p for each in found[0].measures] == [each.p for each in alone.measures]
    assert all(a.p_adjusted >= b.p_adjusted for a, b in zip(found[0].measures, alone.measures, strict=True))


def test_nothing_to_compare_by_parts_is_no_error() -> None:
    x = matrix(np.random.default_rng(0).normal(size=(60, 3)))
    assert compare_parts(x, x, [], EUCLIDEAN) == []


def test_too_few_rows_or_equal_ones_have_a_reason() -> None:
    few = compare(sample(LEAST_ROWS - 1, 3, 0), sample(50, 3, 1))
    equal = compare(matrix(np.ones((30, 3))), matrix(np.ones((30, 3))))
    for drift, reason in ((few, TOO_FEW), (equal, NO_SPREAD)):
        assert {each.reason for each in drift.measures} == {reason}
        assert all(np.isnan(each.value) for each in drift.measures)
        assert not drift.has_drifted


def test_what_cannot_be_compared_is_an_error() -> None:
    with pytest.raises(ValueError, match="3 and 4 values"):
        compare(sample(30, 3, 0), sample(30, 4, 0))
    with pytest.raises(ValueError, match="not 30 and 20"):
        compare_pairs(sample(30, 3, 0), sample(30, 3, 0), np.arange(30), np.arange(20), EUCLIDEAN)


def test_sides_without_spread_have_no_shift_in_units_of_it() -> None:
    found = compare(matrix(np.ones((40, 3))), matrix(2 * np.ones((40, 3))))
    shift = found[Measure.CENTROID_SHIFT]
    assert np.isnan([shift.value, shift.floor, shift.p, shift.p_adjusted]).all()
    assert shift.reason == NO_SPREAD_WITHIN
    assert not shift.is_drift
    assert [each.reason for each in found.measures[1:]] == ["", "", ""]
    assert found.has_drifted
    assert found[Measure.MAX_KS].value == pytest.approx(1)
