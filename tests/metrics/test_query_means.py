"""Means over queries: by group, with intervals that cover as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lib.metrics.intervals import wilson
from lib.metrics.query_means import QueryValues, mean_of_queries


def values(numbers: object, **settings: object) -> QueryValues:
    return QueryValues("mean_reciprocal_rank", None, np.asarray(numbers, np.float64), **settings)  # type: ignore[arg-type]


def test_means_are_those_of_each_group() -> None:
    made = mean_of_queries(values([1, 0.5, np.nan, 0.25, 0.5, 1]), np.array([0, 0, 0, 2, 2, -1]), 3, "none")
    assert made.value[[0, 2]] == pytest.approx([0.75, 0.375])
    assert made.n.tolist() == [2, 0, 2]
    assert made.reason == ("", "none", "")
    assert np.isnan([made.value[1], made.lower[1], made.upper[1]]).all()


def test_a_rate_has_wilsons_interval() -> None:
    made = mean_of_queries(values([1, 0, 1, 1, 0.5], is_rate=True))[0]
    low, high = wilson(0.7, 5)
    assert (made.value, made.lower, made.upper) == pytest.approx((0.7, float(low), float(high)))


def test_the_interval_is_that_of_scipys_bootstrap() -> None:
    numbers = 1 / np.random.default_rng(0).geometric(0.4, 300)
    made = mean_of_queries(values(numbers))[0]
    theirs = stats.bootstrap((numbers,), np.mean, n_resamples=4_000, method="percentile", rng=1).confidence_interval
    width = theirs.high - theirs.low
    assert (made.lower, made.upper) == pytest.approx((theirs.low, theirs.high), abs=0.08 * width)
    assert mean_of_queries(values(numbers))[0] == made


def test_values_of_many_kinds_have_the_same_interval() -> None:
    numbers = np.random.default_rng(1).beta(2, 3, 5_000)
    made = mean_of_queries(values(numbers))[0]
    half = 1.96 * numbers.std() / np.sqrt(5_000)
    assert made.value == pytest.approx(numbers.mean())
    assert (made.lower, made.upper) == pytest.approx((made.value - half, made.value + half), abs=0.1 * half)


def test_where_all_values_are_the_same_nothing_is_certain() -> None:
    made = mean_of_queries(values([1.0] * 20))[0]
    assert (made.lower, made.upper) == pytest.approx((float(wilson(1.0, 20)[0]), 1))
    change = mean_of_queries(values([0.0] * 20, lowest=-1.0))[0]
    assert (change.lower, change.upper) == pytest.approx((-float(wilson(0.0, 20)[1]), float(wilson(0.0, 20)[1])))


@pytest.mark.parametrize("n", [40, 200])
def test_intervals_cover(n: int) -> None:
    generator, times = np.random.default_rng(n), 400
    chances = 1 / np.arange(1, 6)
    truth = float((chances * [0.4, 0.25, 0.15, 0.1, 0.1]).sum())
    held = 0
    for _time in range(times):
        made = mean_of_queries(values(generator.choice(chances, n, p=[0.4, 0.25, 0.15, 0.1, 0.1])))[0]
        held += made.lower <= truth <= made.upper
    # 95 % promised; three standard errors of 400 draws, and a percent for what a percentile bootstrap lacks.
    assert 0.94 - 3 * np.sqrt(0.95 * 0.05 / times) <= held / times <= 1
