"""Reliability: the share of positive rows along the probability, as an isotonic fit and in bins.

References: Dimitriadis, Gneiting and Jordan (2021) for the isotonic (CORP) diagram; Bröcker and Smith (2007) for
consistency bands: where the curve of a calibrated model lies in 95 % of files of this size; Wilson (1927) for the
intervals of bins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize

from lib.metrics.estimates import FloatArray, add_up, divide
from lib.metrics.forecasts import Forecasts
from lib.metrics.intervals import LEVEL, rate_n, wilson


def isotonic(weight: FloatArray, positive: FloatArray) -> FloatArray:
    """The isotonic fit of the positive share to the order of the bins; shape (M,), NaN without any weight.

    Pool adjacent violators; scikit-learn's `IsotonicRegression` of rows in order of p, equal p tied. A bin without
    weight has the fit of the bin before it, or else of the first.
    """
    return isotonic_of_each(weight[None], positive[None])[0]


def isotonic_of_each(weight: FloatArray, positive: FloatArray) -> FloatArray:
    """The isotonic fits of R draws, shape (R, M), from arrays of that shape; exact for one, to 1e-12 for more."""
    has = weight > 0
    # One fit of all draws on end, each lifted above the one before, so that none is pooled with another.
    lift = 2.0 * np.arange(len(weight))[:, None]
    share = np.divide(positive, weight, out=np.zeros(weight.shape), where=has) + lift
    fitted = np.full(weight.shape, np.nan)
    if has.any():
        fitted[has] = optimize.isotonic_regression(share[has], weights=weight[has]).x
    if not has.all():
        last = np.maximum.accumulate(np.where(has, np.arange(weight.shape[1]), -1), axis=1)
        fitted = np.take_along_axis(fitted, np.where(last < 0, has.argmax(axis=1)[:, None], last), axis=1)
    # Sums that cancel leave a share of −1e-17.
    return np.clip(fitted - lift, 0.0, 1.0).astype(np.float64, copy=False)


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """The isotonic fit along the probability, and where that of a calibrated model would lie.

    Attributes:
        probability: shape (K,), mean p of each bin, rising.
        positive_share: shape (K,), the isotonic fit there (CORP).
        lower, upper: shape (K,), the 95 % consistency band: of labels drawn with these probabilities.
    """

    probability: FloatArray
    positive_share: FloatArray
    lower: FloatArray
    upper: FloatArray

    def frame(self) -> pd.DataFrame:
        """One row per bin."""
        return pd.DataFrame(vars(self))


def reliability_curve(forecasts: Forecasts, fits: FloatArray) -> ReliabilityCurve:
    """The curve of forecasts; the band is of isotonic fits to labels drawn under calibration, shape (R, M)."""
    lower, upper = np.quantile(fits, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    fit = isotonic(forecasts.weight, forecasts.positive)
    return ReliabilityCurve(forecasts.probability, fit, lower, upper)


@dataclass(frozen=True, eq=False)
class ReliabilityBins:
    """The binned diagram.

    Attributes:
        left, right: shape (K,), the edges of equal widths; least and greatest p of equal masses.
        mean_probability: shape (K,), scikit-learn's `prob_pred`; NaN in an empty bin.
        positive_share: shape (K,), `prob_true`; NaN in an empty bin.
        lower, upper: shape (K,), Wilson's 95 % interval of the share.
        n: shape (K,), rows.
    """

    left: FloatArray
    right: FloatArray
    mean_probability: FloatArray
    positive_share: FloatArray
    lower: FloatArray
    upper: FloatArray
    n: FloatArray

    def frame(self) -> pd.DataFrame:
        """One row per bin."""
        return pd.DataFrame(vars(self))


def farthest_bin(bins: ReliabilityBins) -> int | None:
    """The bin with most weight in its distance among those whose interval leaves mean p out; None where all hold it."""
    off = (bins.mean_probability < bins.lower) | (bins.mean_probability > bins.upper)
    if not off.any():
        return None
    weight = np.where(off, bins.n * np.abs(bins.mean_probability - bins.positive_share), -1.0)
    return int(np.argmax(weight))


def reliability_bins(forecasts: Forecasts, n_bins: int, *, by_mass: bool) -> ReliabilityBins:
    """Mean probability and positive share over bins of equal width, empty ones included, or of equal mass."""
    place = forecasts.mass_bins(n_bins) if by_mass else forecasts.width_bins(n_bins)

    def add(values: FloatArray) -> FloatArray:
        return add_up(place, values, n_bins)

    n, w, hits = add(forecasts.rows), add(forecasts.weight), add(forecasts.positive)
    share = divide(hits, w)
    size = rate_n(share, n, w, add(forecasts.w2.sum(axis=1)), add(forecasts.w2[:, 1]))
    lower, upper = wilson(share, size)
    left, right = np.arange(n_bins) / n_bins, np.arange(1, n_bins + 1) / n_bins
    if by_mass:
        left, right = np.full(n_bins, np.inf), np.full(n_bins, -np.inf)
        np.minimum.at(left, place, forecasts.lower)
        np.maximum.at(right, place, forecasts.upper)
    bins = ReliabilityBins(
        left, right, divide(add(forecasts.weight * forecasts.probability), w), share, lower, upper, n
    )
    kept = n > 0 if by_mass else slice(None)
    return ReliabilityBins(**{name: values[kept] for name, values in vars(bins).items()})
