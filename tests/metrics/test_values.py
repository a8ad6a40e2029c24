"""A value column by itself: means, quantiles with their bound, and the violation rate along it."""

import numpy as np
import pytest

from lib.cells import ValueBins
from lib.metrics.values import (
    missing_share,
    pieces_of,
    value_histogram,
    value_mean,
    value_quantile,
    violation_rate_along,
)
from tests.metrics.value_rows import build_values, quantile_bins


def rows(seed: int, n: int = 3_000):
    rng = np.random.default_rng(seed)
    value = np.exp(rng.normal(3, 1, n))
    value[rng.random(n) < 0.1] = np.nan
    margin = np.round(rng.normal(1, 1.5, n), 2)
    margin[rng.random(n) < 0.2] = np.nan
    return value, margin, rng.choice(["a", "b"], n), rng.gamma(2, 1, n)


def test_mean_and_missing_by_hand() -> None:
    cells = build_values([1, 2, 3, np.nan, 10], {"version": ["a", "a", "a", "a", "b"]})
    mean = value_mean(cells)
    assert mean.value.tolist() == [2.0, 10.0]
    assert mean.lower[0] == pytest.approx(2 - 4.302652729911275 / np.sqrt(3))
    assert missing_share(cells).value.tolist() == [0.25, 0.0]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("q", [0.01, 0.5, 0.95, 0.99])
def test_quantiles_are_numpys_within_the_bound(seed: int, q: float) -> None:
    value, _, version, _ = rows(seed)
    cells = build_values(value, {"version": version}, bins=quantile_bins(value, 60))
    found = value_quantile(cells, q)
    for place, name in enumerate(["a", "b"]):
        exact = np.nanquantile(value[version == name], q)
        assert abs(found.value[place] - exact) <= found.bound[place] + 1e-9
        assert found.lower[place] <= exact + found.bound[place]


def test_quantiles_of_few_values_are_exact() -> None:
    value = np.random.default_rng(0).poisson(4, 500).astype(float)
    found = value_quantile(build_values(value, {"version": ["a"] * 500}), 0.9)
    assert found.value[0] == np.quantile(value, 0.9)
    assert found.bound[0] == 0


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0, 1.02, 2.5])
@pytest.mark.parametrize("weighted", [False, True])
def test_violation_rates_along_a_column_are_those_of_its_rows(gamma: float, *, weighted: bool) -> None:
    value, margin, version, weight = rows(1)
    cells = build_values(
        value, {"version": version}, margins=margin, weights=weight if weighted else None, bins=quantile_bins(value, 40)
    )
    along = violation_rate_along(cells, gamma)
    assert along.is_missing.tolist() == [False] * (len(along.lower) - 1) + [True]
    for group, name in enumerate(["a", "b"]):
        for place in range(len(along.lower)):
            inside = np.isnan(value) if along.is_missing[place] else (value >= along.lower[place])
            if not along.is_missing[place]:
                last = place == len(along.lower) - 2
                inside &= value <= along.upper[place] if last else value < along.upper[place]
            inside &= (version == name) & ~np.isnan(margin)
            w = weight[inside] if weighted else np.ones(inside.sum())
            estimate = along.rate[group * len(along.lower) + place]
            assert estimate.value == pytest.approx((w * (margin[inside] < gamma)).sum() / w.sum())
            assert estimate.n == inside.sum()
            assert estimate.bound == 0


def test_a_margin_target_between_steps_has_a_bound() -> None:
    cells = build_values([1, 1, 1], {"version": ["a"] * 3}, margins=[0.1, 0.505, 2.0])
    rate = violation_rate_along(cells, 0.507).rate[0]
    assert rate.value == pytest.approx(1 / 3)
    assert rate.bound == pytest.approx(1 / 3)


def test_adding_tables_up_adds_rows_up() -> None:
    value, margin, version, _ = rows(2)
    cells = build_values(value, {"version": version, "half": np.arange(len(value)) % 2}, margins=margin)
    whole = build_values(value, {"version": version}, margins=margin, bins=cells.bins)
    assert (cells.rollup(["version"]).n == whole.n).all()
    below, doubt = cells.rollup(["version"]).below(1.0)
    assert np.allclose(below, whole.below(1.0)[0])
    assert not doubt.any()


def test_pieces_are_even_and_never_cut_a_bin() -> None:
    bins = ValueBins.of_values("x", np.arange(100))
    piece = pieces_of(bins, np.append(np.full(100, 7.0), 3.0))
    assert np.bincount(piece).tolist() == [10] * 10 + [1]
    spike = pieces_of(bins, np.append(np.where(np.arange(100) == 50, 10_000.0, 1.0), 0.0))
    assert len(np.unique(spike[:-1])) <= 3


def test_frequent_values_have_a_bin_of_their_own() -> None:
    value = np.concatenate([np.zeros(600), np.linspace(1, 2, 400)])
    bins = quantile_bins(value, 20)
    assert bins.lower[0] == bins.upper[0] == 0.0
    assert (np.diff(bins.edges) > 0).all()
    assert bins.place([0.0])[0] == 0
    assert bins.place([1e-300])[0] == 1


@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_histogram_holds_all_but_the_tails(scale: float) -> None:
    value, _, version, _ = rows(4)
    held = value_histogram(build_values(value * scale, {"version": version}, bins=quantile_bins(value * scale, 200)))
    assert held.is_log
    counts = np.histogram((value * scale)[~np.isnan(value)], held.edges)[0]
    assert np.abs(held.share.T @ held.n - counts).max() < 0.02 * len(value)
    assert held.outside == pytest.approx(0.01, abs=0.01)
    assert held.share.sum(axis=1) == pytest.approx(1 - held.outside, abs=0.01)


def test_few_values_stand_one_by_one() -> None:
    held = value_histogram(build_values([0, 0, 1, 5, np.nan], {"version": ["a"] * 5}))
    assert held.names == ("0", "1", "5")
    assert held.share.tolist() == [[0.5, 0.25, 0.25]]


def test_no_values_are_undefined() -> None:
    cells = build_values([np.nan, np.nan], {"version": ["a", "a"]}, margins=[1, 2])
    assert value_mean(cells).reason == ("no row has a value",)
    assert np.isnan(value_quantile(cells, 0.5).value).all()
    assert missing_share(cells).value.tolist() == [1.0]
    assert not value_histogram(cells).n.any()


def test_no_rows_at_all() -> None:
    cells = build_values([], {"version": np.array([], dtype=str)}, margins=[], bins=ValueBins.of_edges("x", [1], 0, 2))
    assert cells.n.shape == (0, 3)
    assert value_histogram(cells).share.shape == (0, 0)
    assert len(violation_rate_along(cells, 1.0).rate) == 0


def test_margins_have_to_be_there() -> None:
    with pytest.raises(ValueError, match="without margins"):
        build_values([1.0], {"version": ["a"]}).below(1.0)
