"""Slope, intercept and Spiegelhalter's z: against statsmodels, by hand, and where there is nothing to say."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import special, stats

from lib.metrics.calibration import compute_calibration
from lib.metrics.calibration_slope import slope_and_intercept, spiegelhalter
from tests.metrics.test_calibration import N, draw, forecasts_of

RNG = np.random.default_rng(7)


def test_slope_and_intercept_are_those_of_statsmodels() -> None:
    import statsmodels.api as sm

    score, y = draw(N, 1.5)
    slope, intercept, offset = slope_and_intercept(forecasts_of(score, y))
    theirs = sm.GLM(y, sm.add_constant(score), family=sm.families.Binomial()).fit(cov_type="HC0")
    assert [intercept.value, slope.value] == pytest.approx(theirs.params, abs=1e-8)
    ends = theirs.conf_int()
    assert [intercept.lower, slope.lower] == pytest.approx(ends[:, 0], abs=1e-6)
    assert [intercept.upper, slope.upper] == pytest.approx(ends[:, 1], abs=1e-6)
    alone = sm.GLM(y, np.ones(N), family=sm.families.Binomial(), offset=score).fit(cov_type="HC0")
    assert offset.value == pytest.approx(alone.params[0], abs=1e-8)
    assert offset.upper == pytest.approx(alone.conf_int()[0, 1], abs=1e-6)


def test_the_intercept_of_probabilities_of_zero_and_one_is_found() -> None:
    # Of 80 rows with p = 0 ten are positive, of 20 with p = 1 all: one number a for all log odds, ∓s, has to give 10 of
    # 80 σ(a − s) + 20 σ(a + s) = 30, so that σ(a − s) = 1/8 up to what σ(a + s) leaves out.
    s = float(special.logit(1 - 2.0**-52))
    score = np.repeat([-s, s], [80, 20])
    y = np.repeat([0, 1, 1], [70, 10, 20])
    offset = slope_and_intercept(forecasts_of(score, y))[2]
    assert offset.value == pytest.approx(s + special.logit(1 / 8), abs=1e-6)
    assert offset.upper - offset.lower < 2


def test_slope_of_weighted_rows_is_that_of_statsmodels() -> None:
    import statsmodels.api as sm

    score, y = draw(N, 1.5)
    weight = RNG.uniform(0.2, 4.0, N)
    slope, intercept, _offset = slope_and_intercept(forecasts_of(score, y, weight))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = sm.GLM(y, sm.add_constant(score), family=sm.families.Binomial(), freq_weights=weight)
        theirs = model.fit()
    assert [intercept.value, slope.value] == pytest.approx(theirs.params, abs=1e-7)


def test_spiegelhalters_z_by_hand_and_under_calibration() -> None:
    p = np.array([0.2, 0.4, 0.9])
    y = np.array([1.0, 0.0, 1.0])
    z, p_value = spiegelhalter(forecasts_of(special.logit(p), y))
    top = ((y - p) * (1 - 2 * p)).sum()
    assert z.value == pytest.approx(top / np.sqrt(((1 - 2 * p) ** 2 * p * (1 - p)).sum()))
    assert p_value == pytest.approx(2 * stats.norm.sf(abs(z.value)))
    drawn = [spiegelhalter(forecasts_of(*draw(500, seed=seed)))[0].value for seed in range(300)]
    assert np.mean(drawn) == pytest.approx(0.0, abs=0.2)
    assert np.std(drawn) == pytest.approx(1.0, abs=0.15)


def test_separable_classes_have_no_slope() -> None:
    found = compute_calibration(forecasts_of(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([0.0, 0.0, 1.0, 1.0])))
    assert found.slope.reason == "a score parts the classes wholly"
    assert np.isfinite(found.offset.value)
