"""The label along the log odds: slope and intercept, a line with bends, and Spiegelhalter's test.

References: Cox (1958) and Steyerberg (2009) for slope and intercept; Spiegelhalter (1986).
"""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize, special

from lib.metrics.estimates import NO_USABLE_ROWS, Estimate, FloatArray
from lib.metrics.forecasts import Forecasts
from lib.metrics.intervals import normal_quantile
from lib.metrics.log_odds import fit_log_odds, log_odds_covariance
from lib.metrics.ranking import ONE_CLASS

NO_SPREAD_OF_P = "all rows have the same probability"


def spiegelhalter(forecasts: Forecasts) -> tuple[Estimate, float]:
    """Spiegelhalter's z, and its two-sided p-value: Σw(y − p)(1 − 2p) over its standard deviation under calibration.

    It sees that probabilities are too extreme or too moderate. Undefined where every p is ½, or 0 or 1.
    """
    p, n = forecasts.probability, forecasts.n_rows
    top = ((forecasts.positive - forecasts.weight * p) * (1 - 2 * p)).sum()
    spread = math.sqrt(float((forecasts.w2.sum(axis=1) * (1 - 2 * p) ** 2 * p * (1 - p)).sum()))
    if not n or not spread > 0:
        return Estimate(
            math.nan, math.nan, math.nan, n, NO_USABLE_ROWS if not n else "every probability is ½"
        ), math.nan
    z = float(top) / spread
    return Estimate(z, math.nan, math.nan, n), float(2 * special.ndtr(-abs(z)))


def slope_and_intercept(forecasts: Forecasts) -> tuple[Estimate, Estimate, Estimate]:
    """Slope and intercept of the label's logistic regression on the log odds, and the intercept at slope 1.

    A slope below 1 says that probabilities are too extreme, above 1 too moderate; an intercept above 0 that they are
    too low. Intervals are Wald's with the sandwich covariance. Undefined for one class or, as to the slope, one score,
    and where the classes are separable.
    """
    n = forecasts.n_rows
    reason = NO_USABLE_ROWS if n == 0 else ONE_CLASS if forecasts.n_classes < 2 else ""
    if reason:
        nothing = Estimate(math.nan, math.nan, math.nan, n, reason)
        return nothing, nothing, nothing
    negative, positive = forecasts.w[:, 0], forecasts.w[:, 1]
    one = np.ones((len(forecasts.score), 1))
    offset = _wald(forecasts, one, np.array([_fit_offset(forecasts)]), forecasts.score)[0]
    problem = (
        NO_SPREAD_OF_P if len(forecasts.score) < 2 else "a score parts the classes wholly" if _parts(forecasts) else ""
    )
    if problem:
        nothing = Estimate(math.nan, math.nan, math.nan, n, problem)
        return nothing, nothing, offset
    line = np.concatenate([forecasts.score[:, None], one], axis=1)
    slope, intercept = _wald(forecasts, line, fit_log_odds(line, negative, positive), 0.0)
    return slope, intercept, offset


def _fit_offset(forecasts: Forecasts) -> float:
    """What added to all log odds makes the mean probability the share of positives, of both classes.

    Not by Newton's steps: from probabilities of 0 and 1 there is no slope to go by.
    """
    w, share = forecasts.w.sum(axis=1), forecasts.positive_share
    aim = float(special.logit(share))

    def excess(offset: float) -> float:
        return float(w @ special.expit(forecasts.score + offset) / w.sum() - share)

    low, high = aim - float(forecasts.score.max()), aim - float(forecasts.score.min())
    return float(optimize.brentq(excess, low - 1.0, high + 1.0, xtol=1e-12))  # type: ignore[arg-type]


def _parts(forecasts: Forecasts) -> bool:
    """Whether one threshold has all positive rows on one side and all negative ones on the other."""
    of_class = [np.flatnonzero(forecasts.w[:, label] > 0) for label in (0, 1)]
    return bool(of_class[0][-1] <= of_class[1][0] or of_class[1][-1] <= of_class[0][0])


def _wald(
    forecasts: Forecasts, design: FloatArray, fitted: FloatArray, offset: FloatArray | float
) -> tuple[Estimate, ...]:
    covariance = log_odds_covariance(design, fitted, forecasts.w, forecasts.w2, offset)
    half = normal_quantile() * np.sqrt(np.diag(covariance))
    return tuple(
        Estimate(float(value), float(value - each), float(value + each), forecasts.n_rows)
        for value, each in zip(fitted, half, strict=True)
    )


def seen_log_odds(forecasts: Forecasts) -> FloatArray:
    """Shape (M,): the log odds of being positive along the score, as a line with three bends, drawn towards calibrated.

    The bends are at the quartiles of the score. Each coefficient, of features with unit spread, costs half its square,
    which is what one more row or so says: it keeps the fit finite where the classes are separable.
    """
    score, weight = forecasts.score, forecasts.weight
    running = np.cumsum(weight)
    bends = score[np.searchsorted(running, np.array([0.25, 0.5, 0.75]) * running[-1])]
    features = np.stack([score, *(np.maximum(score - bend, 0.0) for bend in bends)], axis=1)
    mean = (features * weight[:, None]).sum(axis=0) / weight.sum()
    spread = np.sqrt(((features - mean) ** 2 * weight[:, None]).sum(axis=0) / weight.sum())
    features = np.where(spread > 0, (features - mean) / np.where(spread > 0, spread, 1.0), 0.0)
    design = np.concatenate([np.ones((len(score), 1)), features], axis=1)
    # With weights, evidence counts by Kish's rows.
    scale = forecasts.effective_n / weight.sum()
    negative, positive = (forecasts.w[:, label] * scale for label in (0, 1))
    return score + design @ fit_log_odds(design, negative, positive, 1.0, offset=score)
