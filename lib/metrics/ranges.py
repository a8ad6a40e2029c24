"""The range in which nearly all values of a column lie, in equal steps: what a scale of colours spans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.metrics.estimates import FloatArray, IntArray

TAIL = 0.01
"""On either side so large a share of the values may lie beyond the range, so that one outlier does not take it all."""


@dataclass(frozen=True, eq=False)
class SteppedRange:
    """Values by the step of a range that they lie in.

    Attributes:
        low, high: the 1st and the 99th percentile of the finite values; NaN where there are none.
        steps: shape (n,), from 0; what lies beyond the range is in the first or the last step, what is not finite −1.
    """

    low: float
    high: float
    steps: IntArray


def steps_of_range(values: FloatArray, n_steps: int) -> SteppedRange:
    """Divide the range from the 1st to the 99th percentile into equal steps.

    Args:
        values: shape (n,).
        n_steps: how many, 1 at least. Where all values are the same they lie in the first.
    """
    there = np.isfinite(values)
    if not there.any():
        return SteppedRange(np.nan, np.nan, np.full(len(values), -1))
    low, high = np.quantile(values[there], [TAIL, 1 - TAIL])
    share = np.clip((np.where(there, values, low) - low) / (high - low if high > low else 1.0), 0, 1)
    steps = np.minimum((share * n_steps).astype(np.int64), n_steps - 1)
    return SteppedRange(float(low), float(high), np.where(there, steps, -1))
