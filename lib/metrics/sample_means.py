"""Means and shares of rows that were drawn or counted, with their intervals, as estimates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lib.metrics.estimates import BoolArray, Estimate
from lib.metrics.intervals import mean_interval, wilson


def mean_of(values: NDArray[np.float64], reason: str) -> Estimate:
    """Mean ± t·se of values, shape (n,); undefined for `reason` where there are none."""
    n = len(values)
    if not n:
        return Estimate(np.nan, np.nan, np.nan, 0, reason)
    error = float(values.std(ddof=1)) / np.sqrt(n) if n > 1 else np.nan
    lower, upper = mean_interval(values.mean(), error, n - 1)
    return Estimate(float(values.mean()), float(lower), float(upper), n)


def rate_of(values: NDArray[np.float64] | BoolArray, reason: str) -> Estimate:
    """Mean of values between 0 and 1, shape (n,), with Wilson's interval; of flags a share.

    Of values between 0 and 1 that are not all at an end the interval is wider than it need be.
    """
    n = len(values)
    if not n:
        return Estimate(np.nan, np.nan, np.nan, 0, reason)
    lower, upper = wilson(values.mean(), n)
    return Estimate(float(values.mean()), float(lower), float(upper), n)
