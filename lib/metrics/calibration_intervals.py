"""Intervals of calibration errors, by inverting a test of drawn labels.

An error of few rows is mostly noise, and more so the better the model is, so neither a normal interval nor a bootstrap
covers. Along the curve from "calibrated" to the share of positives that was seen, and on beyond it, files are drawn;
those truths belong to the interval under which an error like the one found is not among the 2 % most extreme on either
side: 2.5 % would do were the curve known and not fitted. Where "calibrated" is such a truth there is no lower end.
`scripts/coverage.py` prints how often they hold the truth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from lib.metrics.calibration_errors import Outcomes, Statistic
from lib.metrics.calibration_slope import seen_log_odds
from lib.metrics.estimates import FloatArray
from lib.metrics.forecasts import Forecasts

DRAWS = 200
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
"""Where along the curve files are drawn: 0 is calibrated, 1 what was seen."""
TAIL = 0.02
"""What share of drawn files is cut off on either side."""
DRAWN_BINS = 300
"""Into how many bins rows are gathered for an interval."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Errors along the curve from calibrated to what was seen and beyond.

    Attributes:
        at: by name, shape (len(STEPS),), the error itself.
        low: by name, the same shape, above which most files have it.
        high: by name, the same shape, below which most have it.
        around: of each of the other parts, shape (DRAWS,), how far from itself files have it where the truth is what
            was seen.
    """

    at: dict[str, FloatArray]
    low: dict[str, FloatArray]
    high: dict[str, FloatArray]
    around: dict[str, FloatArray]

    def interval(self, name: str, value: float) -> tuple[float, float]:
        """The truths under which files may well have the value that was found; NaN for an end that there is not."""
        at, low, high = self.at[name], self.low[name], self.high[name]
        if value > high.max():
            # What was seen is no line with three bends: none of the files that were drawn is like it.
            return math.nan, math.nan
        lower, upper = _inverted(value, high, at), _inverted(value, low, at, last=True)
        if value >= low.max() or value <= low[0]:
            # The farthest file that was drawn may look like this, or not even a calibrated one: nothing bounds the
            # truth but what calibrated files have.
            upper = max(upper, float(high[0]))
        return (lower if lower > 0 else math.nan), max(upper, lower)


def draw_along(
    few: Forecasts,
    errors: Mapping[str, Statistic],
    parts: Mapping[str, Statistic],
    rng: np.random.Generator,
) -> Drawn:
    """Draw files along the curve.

    Args:
        few: rows, gathered in at most `DRAWN_BINS` bins.
        errors: whose intervals are asked for.
        parts: whose spread around what was seen is asked for.
        rng: where chance comes from.
    """
    moved = seen_log_odds(few) - few.score
    at, low, high = ({name: np.zeros(len(STEPS)) for name in errors} for _each in range(3))
    around: dict[str, FloatArray] = {}
    for place, step in enumerate(STEPS):
        share = special.expit(few.score + step * moved)
        truth = Outcomes.expected(few, share)
        drawn = Outcomes(few, *few.draw(share, rng, DRAWS, again=True))
        for name, statistic in errors.items():
            at[name][place] = statistic(truth)[0]
            # Of 200 files the plain quantiles cut off 3 % where 2.5 % are asked for: these do not.
            ends = np.nanquantile(statistic(drawn), [TAIL, 1 - TAIL], method="weibull")
            low[name][place], high[name][place] = ends
        if step == 1.0:
            around = {name: statistic(drawn) - statistic(truth)[0] for name, statistic in parts.items()}
    return Drawn(at, low, high, around)


def _inverted(value: float, ends: FloatArray, at: FloatArray, *, last: bool = False) -> float:
    """The truth at which an end of what files have is the value that was found; the last of several with `last`.

    0 where calibrated will do (its end is no less than the value), or where not even that will.
    """
    ends, at = np.maximum.accumulate(ends), np.maximum.accumulate(at)
    k = int(np.searchsorted(ends, value, side="right" if last else "left"))
    if k == 0:
        return 0.0
    if k == len(ends):
        return float(at[-1])
    part = (value - ends[k - 1]) / (ends[k] - ends[k - 1])
    return float(at[k - 1] + part * (at[k] - at[k - 1]))
