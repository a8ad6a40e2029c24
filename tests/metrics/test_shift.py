"""Distances between two samples: against scipy, by hand, within their bounds, and how often noise exceeds its floor."""

from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from lib.cells import ValueBins
from lib.metrics.shift import (
    NOISE_LEVEL,
    Pair,
    change_floor,
    chi_square,
    chi_square_p_value,
    exact_p_value,
    ks_bound,
    ks_distance,
    ks_floor,
    ks_p_value,
    stability_index,
    telling_change,
    wasserstein,
    wasserstein_floor,
)
from tests.metrics.value_rows import quantile_bins

stats: Any = scipy_stats
"""Its results are unions that no checker tells apart."""


def counts(bins: ValueBins, values: np.ndarray) -> np.ndarray:
    return np.bincount(bins.place(values), minlength=len(bins) + 1)[:-1].astype(float)


def pair_of(bins: ValueBins, a: np.ndarray, b: np.ndarray) -> Pair:
    return Pair.of(counts(bins, a)[None], counts(bins, b)[None])


def sums(bins: ValueBins, values: np.ndarray) -> np.ndarray:
    place = bins.place(values)
    return np.stack([np.bincount(place, weights=values**k, minlength=len(bins)) for k in range(3)], axis=1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shift", [0.0, 0.3, 5.0])
def test_distances_are_scipys(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    a, b = np.round(rng.normal(shift, 1, 700), 1), np.round(rng.normal(0, 1, 500), 1)
    both = np.concatenate([a, b])
    exact = ValueBins.of_values("x", both)
    pair = pair_of(exact, a, b)
    reference = stats.ks_2samp(a, b, method="asymp")
    assert ks_distance(pair) == pytest.approx(reference.statistic)
    assert ks_bound(pair, exact) == 0
    if 1e-8 < reference.pvalue < 0.9:
        assert ks_p_value(pair) == pytest.approx(reference.pvalue, rel=0.15)
    distance, bound = wasserstein(pair, sums(exact, both))
    assert distance == pytest.approx(stats.wasserstein_distance(a, b))
    assert bound == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_bounds_hold_what_bins_hide(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.gamma(2, 1, 900), rng.gamma(rng.uniform(1.5, 3), 1, 1_100)
    both = np.concatenate([a, b])
    bins = quantile_bins(both, 12)
    pair = pair_of(bins, a, b)
    true = stats.ks_2samp(a, b).statistic
    assert ks_distance(pair) <= true + 1e-12 <= ks_distance(pair) + ks_bound(pair, bins) + 2e-12
    distance, bound = wasserstein(pair, sums(bins, both))
    assert abs(distance - stats.wasserstein_distance(a, b)) <= bound


def test_categories_are_scipys() -> None:
    a, b = np.array([30.0, 50, 20]), np.array([60.0, 70, 70])
    pair = Pair.of(a[None], b[None])
    reference = stats.chi2_contingency(np.stack([a, b]), correction=False)
    assert chi_square(pair) == pytest.approx(reference.statistic)
    assert chi_square_p_value(pair) == pytest.approx(reference.pvalue)
    place, change = telling_change(pair, 0.03)
    assert (place, change) == (2, pytest.approx(0.2 - 0.35))
    table = [[20, 80], [70, 130]]
    fisher = min(stats.fisher_exact(table, alternative=side).pvalue for side in ("less", "greater"))
    assert exact_p_value(pair, 2) == pytest.approx(min(1.0, 6 * fisher))


def test_stability_index_by_hand() -> None:
    pair = Pair.of(np.array([[5000.0, 5000.0]]), np.array([[6000.0, 4000.0]]))
    value, floor = stability_index(pair, np.array([0, 1]))
    assert value == pytest.approx((0.5 - 0.6) * np.log(0.5 / 0.6) + (0.5 - 0.4) * np.log(0.5 / 0.4), rel=1e-3)
    assert floor == pytest.approx(stats.chi2.isf(0.01, 1) * (2 / 10_000))


@pytest.mark.parametrize("seed", [0, 1])
def test_another_order_of_rows_and_strata_alike_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(1, 50, 8).astype(float), rng.integers(1, 50, 8).astype(float)
    whole, halves = Pair.of(a[None], b[None]), Pair.of(np.stack([a, a]), np.stack([b, b]))
    assert ks_distance(whole) == pytest.approx(ks_distance(halves))
    assert halves.n == 2 * whole.n
    assert halves.m == pytest.approx(2 * whole.m)
    assert ks_distance(Pair.of(b[None], a[None])) == pytest.approx(ks_distance(whole))


def test_another_mix_of_strata_is_no_shift() -> None:
    first, second = np.array([90.0, 10.0]), np.array([10.0, 90.0])
    pair = Pair.of(np.stack([first, 9 * second]), np.stack([9 * first, second]))
    assert ks_distance(pair) == pytest.approx(0)
    assert pair.m < 1_000
    apart = Pair.of(np.stack([first, 0 * first]), np.stack([0 * first, second]))
    assert apart.n == 0
    assert np.isinf(apart.noise)


@pytest.mark.parametrize("sizes", [(60, 60), (200, 5_000), (3_000, 3_000)])
def test_noise_floors_are_exceeded_once_in_a_hundred_times(sizes: tuple[int, int]) -> None:
    """400 pairs of one population: at most what a binomial with 1 % does, give or take three deviations."""
    rng = np.random.default_rng(7)
    runs, over = 400, np.zeros(4)
    below = 0
    for _ in range(runs):
        a, b = rng.gamma(2, 1, sizes[0]), rng.gamma(2, 1, sizes[1])
        both = np.concatenate([a, b])
        bins = quantile_bins(both, 40)
        pair = pair_of(bins, a, b)
        pieces = (np.arange(len(bins)) * 10) // len(bins)
        index, index_floor = stability_index(pair, pieces)
        distance, floor = wasserstein(pair, sums(bins, both))[0], wasserstein_floor(pair, sums(bins, both))
        kinds = rng.multinomial(sizes[0], [0.5, 0.3, 0.2]), rng.multinomial(sizes[1], [0.5, 0.3, 0.2])
        shares = Pair.of(kinds[0][None].astype(float), kinds[1][None].astype(float))
        change = abs(telling_change(shares, 0.0)[1])
        over += np.array(
            [
                ks_distance(pair) > ks_floor(pair),
                index > index_floor,
                distance > floor,
                change > change_floor(shares),
            ]
        )
        below += ks_p_value(pair) < 0.05
    assert (over <= runs * NOISE_LEVEL + 3 * np.sqrt(runs * NOISE_LEVEL)).all(), over
    assert over[2] > 0
    assert below <= 0.05 * runs + 3 * np.sqrt(0.05 * runs)


def test_nothing_is_no_shift() -> None:
    none = Pair.of(np.zeros((1, 3)), np.ones((1, 3)))
    assert ks_p_value(none) == 1
    assert exact_p_value(none, 0) == 1
    assert np.isnan(stability_index(none, np.array([0, 1, 2]))[1])
    assert np.isnan(wasserstein_floor(none, np.ones((3, 3))))
