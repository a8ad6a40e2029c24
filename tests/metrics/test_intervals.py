from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from lib.metrics import intervals as i


@given(st.integers(1, 5000), st.floats(0, 1))
def test_wilson_is_that_of_statsmodels(n: int, share: float) -> None:
    hits = round(n * share)
    low, high = i.wilson(hits / n, n)
    assert (float(low), float(high)) == pytest.approx(proportion_confint(hits, n, method="wilson"), abs=1e-9)
    assert 0 <= low <= hits / n <= high <= 1


def test_wilson_at_the_ends_and_without_rows() -> None:
    low, high = i.wilson([0.0, 1.0, np.nan], [10, 10, 0])
    assert low[0] == 0
    assert high[1] == 1
    assert high[0] == pytest.approx(1.959964**2 / (10 + 1.959964**2), rel=1e-6)
    assert np.isnan([low[2], high[2]]).all()


@given(st.floats(-5, 5), st.floats(0.01, 3), st.floats(0.01, 3))
def test_p_of_an_interval_is_below_five_per_cent_where_it_excludes_zero(
    value: float, below: float, above: float
) -> None:
    lower, upper = value - below, value + above
    p = float(i.interval_p_value(value, lower, upper))
    assert 0 <= p <= 1
    if min(abs(lower), abs(upper)) > 1e-9:
        assert (p < 0.05) == (lower > 0 or upper < 0)
    assert p == pytest.approx(float(i.interval_p_value(-value, -upper, -lower)))


@given(st.floats(-4, 4), st.floats(0.1, 2))
def test_p_of_a_normal_interval_is_that_of_its_z(value: float, error: float) -> None:
    half = stats.norm.ppf(0.975) * error
    expected = 2 * stats.norm.sf(abs(value) / error)
    assert float(i.interval_p_value(value, value - half, value + half)) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_p_of_an_interval_at_its_edges() -> None:
    # 0.3 with the side towards 0 as wide as 0.3 is z = 1.96; without width it is certain; 0 is no difference.
    p = i.interval_p_value(
        [0.3, 0.2, 0.0, 1.0, np.nan, 1.0], [0.0, 0.2, 0.0, -np.inf, 0, np.nan], [9, 0.2, 0.0, 2, 0, 2]
    )
    assert p[:4] == pytest.approx([0.05, 0.0, 1.0, 1.0])
    assert np.isnan(p[4:]).all()


def test_effective_rows() -> None:
    w, x = np.array([1.0, 2.0, 1.0, 4.0]), np.array([1, 1, 0, 0])
    mu = 3 / 8
    variance = (w**2 * (x - mu) ** 2).sum() / w.sum() ** 2
    assert i.rate_n(mu, 4, w.sum(), (w**2).sum(), (w**2 * x).sum()) == pytest.approx(mu * (1 - mu) / variance)
    w = w[:3]
    assert i.rate_n(1.0, 3, w.sum(), (w**2).sum(), (w**2).sum()) == pytest.approx(16 / 6)
    assert i.rate_n(0.3, 10, 10.0, 10.0, 3.0) == pytest.approx(10)
    # One hit that weighs next to nothing does not make three rows a large sample.
    assert i.rate_n(1e-6, 3, 2.000002, 2.0, 4e-12) <= 3
    assert i.kish_n(0.0, 0.0) == 0


@given(st.integers(1, 400), st.sampled_from([0.1, 0.5, 0.9]))
@settings(max_examples=50)
def test_ranks_cover_at_least_the_level_and_no_narrower_pair_does_on_either_side(n: int, q: float) -> None:
    low, high = (float(each) for each in i.quantile_ranks(n, q))
    # x₍low₎ ≤ ξ ≤ x₍high₎ (0-based) unless at most `low` rows, or more than `high`, lie below ξ.
    assert stats.binom.cdf(low, n, q) <= 0.025 + 1e-12
    assert stats.binom.sf(high, n, q) <= 0.025 + 1e-12
    assert stats.binom.cdf(low + 1, n, q) > 0.025
    assert high == 0 or stats.binom.sf(high - 1, n, q) > 0.025


@given(st.integers(1, 300), st.floats(0, 1), st.integers(1, 300), st.floats(0, 1))
def test_square_and_add_of_wilson_is_newcombe_of_statsmodels(n: int, share: float, m: int, other: float) -> None:
    hits, others = round(n * share), round(m * other)
    first, second = ((rate, *i.wilson(rate, size)) for rate, size in ((hits / n, n), (others / m, m)))
    found = [float(each) for each in i.mover(first, second)]
    assert found[1:] == pytest.approx(confint_proportions_2indep(hits, n, others, m, method="newcomb"), abs=1e-9)
    back = [float(each) for each in i.mover(second, first)]
    assert found == pytest.approx([-back[0], -back[2], -back[1]], abs=1e-12)


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.5, 0.93])
@pytest.mark.parametrize("half", [0.005, 0.03, 0.2])
def test_how_many_more_is_enough_and_not_too_many(rate: float, half: float) -> None:
    more = float(i.how_many_more(rate, 7.0, half))

    def width(n: float) -> float:
        z2 = 1.959963984540054**2
        return np.sqrt(z2) * np.sqrt(rate * (1 - rate) * n + z2 / 4) / (n + z2)

    assert width(7 + more) <= half + 1e-12
    assert more == 0 or width(7 + more - 1) > half
    assert i.how_many_more(rate, 1e9, half) == 0


def test_how_many_more_in_other_cases() -> None:
    assert i.how_many_more(np.nan, 0.0, 0.05) == i.rows_for_rate(0.5, 0.05)
    plain, weighted = i.how_many_more(0.2, 100, 0.03), i.how_many_more(0.2, 100, 0.03, n_effective=50)
    assert weighted + 100 == pytest.approx(2 * (plain + 100), abs=2)


@pytest.mark.parametrize("size", [0, 1, 2, 30])
def test_corrections_are_those_of_scipy_and_of_the_definition(size: int) -> None:
    generator = np.random.default_rng(size)
    p = np.round(generator.random(size) ** 3, 2)
    np.testing.assert_allclose(i.benjamini_hochberg(p), stats.false_discovery_control(p) if size else [])
    ascending = np.sort(p)
    stepped = [min(1.0, max((size - k) * ascending[k] for k in range(rank + 1))) for rank in range(size)]
    np.testing.assert_allclose(i.holm(p), [stepped[int(np.searchsorted(ascending, each))] for each in p], atol=1e-12)
    # A number that is undefined is no member of the family.
    for rule in (i.benjamini_hochberg, i.holm):
        adjusted = rule(np.r_[np.nan, p, np.nan])
        assert np.isnan(adjusted[[0, -1]]).all()
        np.testing.assert_array_equal(adjusted[1:-1], rule(p))


@given(st.integers(1, 200), st.integers(1, 400), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=200)
def test_excess_is_fishers_exact_test(n: int, m: int, share: float, other: float) -> None:
    hits, others = round(n * share), round(m * other)
    expected = stats.fisher_exact([[hits, n - hits], [others, m - others]], alternative="greater")[1]
    assert float(i.excess_p_value(hits, n, others, m)) == pytest.approx(expected, rel=1e-8, abs=1e-14)


def test_excess_far_out_and_large_and_empty() -> None:
    p = i.excess_p_value(
        [600, 60_000, 50, 3, 0], [1000, 1_000_000, 1000, 0, 5], [50, 500_000, 50, 5, 0], [1e4, 9e6, 1e3, 9, 5]
    )
    assert 0 < p[0] < 1e-300 or p[0] == 0
    assert p[1] < 1e-10
    assert p[2] == pytest.approx(stats.hypergeom.sf(49, 2000, 100, 1000), rel=1e-8)
    assert np.isnan(p[3])
    assert p[4] == 1
    large = i.excess_p_value(55_100, 1_000_000, 495_000, 9_000_000)
    z = 0.0001 / np.sqrt(0.05501 * 0.94499 * (1 / 1e6 + 1 / 9e6))
    assert float(large) == pytest.approx(stats.norm.sf(z), rel=0.02)
    # Tails of thousands of terms, on either side of the middle and to the ends of the range.
    hits = np.array([49_000, 49_950, 50_000, 50_050, 51_000, 55_000, 0, 100_000])
    p = i.excess_p_value(hits, 1_000_000, 550_000 - hits, 10_000_000)
    np.testing.assert_allclose(p, stats.hypergeom.sf(hits - 1, 11_000_000, 550_000, 1_000_000), rtol=1e-6, atol=1e-300)
    # Effective counts are rounded against the finding.
    assert i.excess_p_value(5.7, 20.4, 8.2, 90.9) == i.excess_p_value(5, 20, 9, 90)


def test_excess_is_valid_where_there_is_none() -> None:
    generator = np.random.default_rng(0)
    hits, others = generator.binomial(50, 0.1, 5000), generator.binomial(400, 0.1, 5000)
    p = i.excess_p_value(hits, 50, others, 400)
    for level in (0.01, 0.05, 0.2):
        assert (p <= level).mean() <= level * 1.15 + 0.002


def test_student_and_logit_intervals() -> None:
    low, high = i.mean_interval(1.0, 0.5, 9)
    assert (float(low), float(high)) == pytest.approx(stats.t.interval(0.95, 9, 1.0, 0.5))
    assert np.isnan(i.mean_interval(1.0, 0.0, 0)[0])
    low, high = i.logit_interval([0.9, 1.0, np.nan], [0.05, 0.0, np.nan], [10, 10, 0])
    assert 0.9 - 0.2 < low[0] < 0.9 < high[0] < 1
    assert (low[1], high[1]) == pytest.approx(proportion_confint(10, 10, method="wilson"))
    assert np.isnan(low[2])


@pytest.mark.parametrize("level", [0.005, 0.025, 0.975, 0.995])
def test_binomial_quantiles_are_those_of_scipy(level: float) -> None:
    generator = np.random.default_rng(1)
    n = np.unique(np.concatenate([np.arange(1.0, 60.0), np.floor(10 ** generator.uniform(1, 7.2, 300))]))
    for q in (0.01, 0.25, 0.5, 0.9, 0.999):
        low, high = i.quantile_ranks(n, q, 1 - 2 * min(level, 1 - level))
        expected = stats.binom.ppf(level, n, q)
        np.testing.assert_array_equal(low + 1 if level < 0.5 else high, expected)


def test_mcnemar_is_statsmodels_exact_test_and_knows_no_direction() -> None:
    from statsmodels.stats.contingency_tables import mcnemar

    from lib.metrics.intervals import mcnemar_p_value

    for gained, lost in ((0, 0), (1, 0), (5, 5), (3, 14), (60, 20), (400, 471)):
        reference = vars(mcnemar([[7, gained], [lost, 9]], exact=True))["pvalue"]
        assert mcnemar_p_value(gained, lost) == pytest.approx(reference)
        assert mcnemar_p_value(gained, lost) == mcnemar_p_value(lost, gained)
    assert mcnemar_p_value(10, 0) == pytest.approx(2 * 0.5**10)
