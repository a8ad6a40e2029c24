"""A number held against a limit: a table of edge cases, intervals at other levels, and how many rows would tell."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from lib.metrics.estimates import Estimate
from lib.metrics.intervals import logit_interval, wilson
from lib.metrics.limits import NO_SIDE, hold, shape_of, stretch, times_for

NAN = math.nan


@functools.cache
def rate(hits: float, n: float, level: float = 0.95) -> Estimate:
    lower, upper = wilson(hits / n, n, level)
    return Estimate(hits / n, float(lower), float(upper), n)


@pytest.mark.parametrize(
    ("lower", "value", "upper", "limit", "most", "bound", "outcome"),
    [
        (0.1, 0.2, 0.3, 0.3, True, 0.0, "pass"),  # the worse end on the limit keeps it
        (0.1, 0.2, 0.3, 0.3, True, 1e-9, "cannot tell"),  # unless binning may have moved it
        (0.1, 0.2, 0.3, 0.2999, True, 0.0, "cannot tell"),
        (0.1, 0.2, 0.3, 0.2, True, 0.0, "cannot tell"),  # on the limit itself
        (0.1, 0.2, 0.3, 0.1, True, 0.0, "cannot tell"),  # the better end on the limit does not break it
        (0.1, 0.2, 0.3, 0.0999, True, 0.0, "fail"),
        (0.1, 0.2, 0.3, 0.0999, True, 0.01, "cannot tell"),
        (0.1, 0.2, 0.3, 0.1, False, 0.0, "pass"),
        (0.1, 0.2, 0.3, 0.3, False, 0.0, "cannot tell"),
        (0.1, 0.2, 0.3, 0.3001, False, 0.0, "fail"),
        (0.2, 0.2, 0.2, 0.2, True, 0.0, "pass"),  # an interval without width
        (0.2, 0.2, 0.2, 0.1, True, 0.0, "fail"),
        (0.0, 0.0, 0.1, 0.0, True, 0.0, "cannot tell"),  # no error seen is not no error
        (0.9, 1.0, 1.0, 1.0, False, 0.0, "cannot tell"),
        (0.9, 1.0, 1.0, 1.0, True, 0.0, "pass"),  # nothing is above 1
        (0.0, 0.0, 0.1, 0.0, False, 0.0, "pass"),
        (0.1, 0.2, NAN, 0.3, True, 0.0, "cannot tell"),  # no upper end
        (NAN, 0.2, 0.3, 0.3, True, 0.0, "pass"),  # the other one does not matter
        (NAN, 0.2, 0.3, 0.1, True, 0.0, "cannot tell"),
        (NAN, NAN, NAN, 0.1, True, NAN, "cannot tell"),
    ],
)
def test_edge_cases(
    lower: float, value: float, upper: float, limit: float, most: bool, bound: float, outcome: str
) -> None:
    estimate = Estimate(value, lower, upper, 100, "no labelled rows" if math.isnan(value) else "", bound)
    held = hold(estimate, limit, most=most, shape="wilson")
    assert held.outcome == outcome
    assert (held.more_rows == 0) == (outcome != "cannot tell")
    assert held.estimate == estimate


def test_why_nothing_can_be_told_is_said() -> None:
    undefined = Estimate(NAN, NAN, NAN, 0, "no labelled rows")
    assert hold(undefined, 0.1, most=True, shape="wilson").reason == "no labelled rows"
    assert hold(Estimate(0.2, NAN, NAN, 1), 0.1, most=True, shape="plain").reason == NO_SIDE
    assert hold(rate(10, 100), 0.1, most=True, shape="wilson").reason == ""


@given(hits=st.integers(0, 200), n=st.integers(1, 200), judged=st.integers(1, 500))
def test_a_stretched_interval_of_a_rate_is_wilsons_at_that_level(hits: int, n: int, judged: int) -> None:
    hits = min(hits, n)
    found = stretch(rate(hits, n), times_for(judged), "wilson")
    expected = rate(hits, n, 1 - 0.05 / judged)
    assert found.lower == pytest.approx(expected.lower, rel=1e-7, abs=1e-12)
    assert found.upper == pytest.approx(expected.upper, rel=1e-7, abs=1e-12)


def test_a_stretched_interval_on_log_odds_and_a_plain_one_are_those_of_that_level() -> None:
    level = 1 - 0.05 / 12
    ends = [logit_interval(np.array([0.9]), np.array([0.02]), np.array([100]), each) for each in (0.95, level)]
    (low, high), (wide_low, wide_high) = ([float(end[0]) for end in each] for each in ends)
    found = stretch(Estimate(0.9, low, high, 100), times_for(12), "log odds")
    assert (found.lower, found.upper) == pytest.approx((wide_low, wide_high))
    found = stretch(Estimate(3.0, 3 - 1.959964, 3 + 1.959964, 100), times_for(12), "plain")
    assert found.upper == pytest.approx(3 + stats.norm.ppf((1 + level) / 2), rel=1e-6)
    assert shape_of("share") == "wilson"
    assert shape_of("index") == "log odds"
    assert shape_of("loss") == shape_of("score") == "plain"


def test_an_interval_of_one_number_is_left_alone() -> None:
    estimate = rate(7, 61)
    assert times_for(1) == 1
    assert stretch(estimate, times_for(1), "wilson") is estimate


@given(
    share=st.floats(0.0, 1.0), limit=st.floats(0.01, 0.99), n=st.integers(20, 5_000), judged=st.integers(1, 40),
    most=st.booleans(),
)  # fmt: skip
def test_so_many_more_rows_tell_and_hardly_fewer(share: float, limit: float, n: int, judged: int, most: bool) -> None:
    """A rate that stays what it is: Wilson's interval at n + more rows ends before the limit, at 1 % fewer not."""
    share = round(share, 3)

    def outcome(rows: float) -> str:
        lower, upper = wilson(share, rows)
        held = hold(Estimate(share, float(lower), float(upper), rows), limit, most=most, shape="wilson", judged=judged)
        return held.outcome

    lower, upper = wilson(share, n)
    held = hold(Estimate(share, float(lower), float(upper), n), limit, most=most, shape="wilson", judged=judged)
    if held.outcome == "cannot tell" and held.more_rows < 1e7:
        assert outcome(n + held.more_rows + 1) == ("pass" if (share <= limit) == most else "fail") or share == limit
        assert outcome(max(n, (n + held.more_rows) * 0.99 - 1)) == "cannot tell"


def test_rows_by_hand() -> None:
    """5 % ± 1 point has to become ± ½ point: four times the rows; of the unseen error 3.84/n has to be below 1 %."""
    held = hold(Estimate(0.05, 0.04, 0.06, 1_000), 0.055, most=True, shape="plain")
    assert held.more_rows == pytest.approx(3_000, abs=1)
    held = hold(rate(0, 100), 0.01, most=True, shape="wilson")
    z2 = stats.norm.ppf(0.975) ** 2
    assert held.more_rows == math.ceil(z2 * 0.99 / 0.01 - 100)


def test_at_the_limit_no_number_of_rows_would_tell() -> None:
    assert math.isnan(hold(rate(10, 100), 0.1, most=True, shape="wilson").more_rows)
    assert math.isnan(hold(rate(10, 100), 0.1 + 1e-9, most=True, shape="wilson").more_rows)
    assert math.isnan(hold(Estimate(0.10, 0.05, 0.15, 100, "", 0.02), 0.11, most=True, shape="wilson").more_rows)


def test_judging_many_at_once_rarely_fails_one_that_keeps_the_limit() -> None:
    """Forty cohorts whose rate is the limit: one of them fails wrongly in at most about 2.5 % of files, not in most."""
    generator = np.random.default_rng(7)
    alone = together = 0
    fails = {
        (k, judged): hold(rate(k, 400), 0.1, most=True, shape="wilson", judged=judged).outcome == "fail"
        for k in range(401)
        for judged in (1, 40)
    }
    for _file in range(400):
        hits = generator.binomial(400, 0.1, 40).tolist()
        alone += any(fails[k, 1] for k in hits)
        together += any(fails[k, 40] for k in hits)
    assert alone > 200
    assert together <= 24
    assert special.bdtr(24, 400, 0.025) > 0.99
