"""The calibration gap of groups of rows: how far the share of positives is from the mean probability (H-M6).

A part may have a gap where the whole has none. It is a mean over rows, so it is exact at every resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lib.cells import Cells
from lib.metrics.estimates import NO_WEIGHT, Estimates, FloatArray, divide, estimates
from lib.metrics.intervals import benjamini_hochberg, kish_n, mean_interval, normal_quantile
from lib.metrics.parts import count_usable, family_of, say_what_is_missing
from lib.schema import VERSION


@dataclass(frozen=True, eq=False)
class CalibrationGaps:
    """The gap of each group.

    Attributes:
        groups: key values, each shape (G,).
        gap: positive share − mean p; above 0 where probabilities are too low. Student's interval.
        positive_share, mean_probability: shape (G,).
        floor: shape (G,), the size that it has at most in 95 % of such groups where p is right.
        p: shape (G,), two-sided, of a z-test against "every p is right".
        p_adjusted: shape (G,), Benjamini–Hochberg over the groups of a version.
    """

    groups: dict[str, NDArray[np.generic]]
    gap: Estimates
    positive_share: FloatArray
    mean_probability: FloatArray
    floor: FloatArray
    p: FloatArray
    p_adjusted: FloatArray


def calibration_gaps(cells: Cells) -> CalibrationGaps:
    """The gap of each group of cells whose p may be called a probability."""
    rows = cells.margins
    n, w, w2 = rows.n.sum(axis=1), rows.w.sum(axis=1), rows.w2.sum(axis=1)
    share, mean = divide(rows.w[:, 1], w), divide(rows.total("p").sum(axis=1), w)
    gap = share - mean
    p_sum, squares = rows.total_w2("p"), rows.total_w2("pp")
    by_chance = np.sqrt(np.maximum((p_sum - squares).sum(axis=1), 0.0))
    # Σw²(y − p) and Σw²(y − p)²
    first = rows.w2[:, 1] - p_sum.sum(axis=1)
    second = squares.sum(axis=1) + rows.w2[:, 1] - 2 * p_sum[:, 1]
    around = np.sqrt(np.maximum(second - 2 * np.nan_to_num(gap) * first + np.nan_to_num(gap) ** 2 * w2, 0.0))
    size = kish_n(w, w2)
    error = divide(around, w) * np.sqrt(divide(size, np.where(size > 1, size - 1, 0.0)))
    lower, upper = mean_interval(gap, error, size - 1)
    z = divide(gap * w, by_chance)
    p = np.where(np.isnan(z), np.nan, 2 * special.ndtr(-np.abs(np.nan_to_num(z))))
    adjusted = np.full(len(p), np.nan)
    family = family_of(cells, [VERSION] if VERSION in cells.groups else [])
    for version in range(int(family.max(initial=-1)) + 1):
        here = np.flatnonzero(family == version)
        adjusted[here] = benjamini_hochberg(p[here])
    found = say_what_is_missing(estimates(gap, lower, upper, n, [(~(w > 0), NO_WEIGHT)]), *count_usable(cells))
    floor = divide(normal_quantile() * by_chance, w)
    return CalibrationGaps(cells.groups, found, share, mean, floor, p, adjusted)
