"""Calibration of one version: errors with their noise floors and intervals, the decomposition, slope and intercept.

*Noise floor*: what an error exceeds in 5 % of files of this size whose labels are drawn with these very probabilities.

*Interval*: an error of few rows is mostly noise, and more so the better the model is, so neither a normal interval nor
a bootstrap covers. The interval is found by inverting a test instead: along the curve from "calibrated" to the share of
positives that was seen, and on beyond it, files are drawn; those truths belong to the interval under which an error
like the one found is not among the 2 % most extreme on either side: 2.5 % would do were the curve known and not fitted.
Where "calibrated" is such a truth there is an upper end alone, beside the floor. `scripts/coverage.py` prints how often
they hold the truth.

References: see `calibration_errors`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from lib.metrics import calibration_errors as errors
from lib.metrics.calibration_errors import Outcomes, Statistic
from lib.metrics.calibration_slope import seen_log_odds, slope_and_intercept, spiegelhalter
from lib.metrics.estimates import NO_USABLE_ROWS, NO_WEIGHT, Estimate, FloatArray, divide
from lib.metrics.forecasts import Forecasts
from lib.metrics.intervals import LEVEL
from lib.metrics.reliability import ReliabilityCurve, reliability_curve

BINS = 15
"""Bins of ECE, MCE, ACE and the debiased error."""
WIDTHS = (10, 12, 15, 20, 30, 60)
"""Into how many equal widths scores of the 0.02 grid can be cut: their edges are edges of its bins."""
NULL_DRAWS = 1_000
DRAWS = 200
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
"""Where along the curve files are drawn: 0 is calibrated, 1 what was seen."""
TAIL = 0.02
"""What share of drawn files is cut off on either side."""
DRAWN_BINS = 300
"""Into how many bins rows are gathered for an interval."""
SEED = 20_230_417
LEAST_ERROR = 0.02
"""A debiased calibration error below it is too small to matter."""
COARSE_BINS = "scores are kept too coarsely for bins of probability"

STATISTICS: dict[str, Statistic] = {
    "expected_calibration_error": errors.expected_error(BINS),
    "maximum_calibration_error": errors.maximum_error(BINS),
    "adaptive_calibration_error": errors.expected_error(BINS, by_mass=True),
    "smooth_calibration_error": errors.smooth_error,
    "debiased_calibration_error": errors.debiased_error(BINS),
    "brier_miscalibration": errors.brier_miscalibration,
    "log_loss_miscalibration": errors.log_miscalibration,
}
"""The errors: 0 for a calibrated model with infinitely many rows."""
PARTS: dict[str, Statistic] = {
    "brier_discrimination": errors.brier_discrimination,
    "brier_uncertainty": errors.brier_uncertainty,
    "log_loss_discrimination": errors.log_discrimination,
    "log_loss_uncertainty": errors.log_uncertainty,
}
"""The other parts of a score: score = miscalibration − discrimination + uncertainty."""
BY_WIDTH = ("expected_calibration_error", "maximum_calibration_error")


@dataclass(frozen=True)
class CalibrationError:
    """An error, and what chance alone makes of it.

    Attributes:
        estimate: the number as it is commonly computed, with its interval; no lower end where a calibrated model is
            not ruled out, no ends where none of the drawn files is like this one.
        floor: what a calibrated model exceeds in 5 % of files of this size.
        p_value: in what share of such files it has at least this error; at least 1/1,001.
    """

    estimate: Estimate
    floor: float
    p_value: float

    @property
    def told(self) -> Estimate:
        """For people: no ends where there is an upper one alone, which is often below the number, noise and all."""
        if math.isfinite(self.estimate.lower):
            return self.estimate
        return replace(self.estimate, lower=math.nan, upper=math.nan)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Everything about the calibration of one group of rows.

    Attributes:
        forecasts: the rows; None where there is nothing.
        errors: one for each of `STATISTICS`.
        parts: one for each of `PARTS`; with the miscalibration it makes the score.
        brier_score, log_loss: means over rows, without intervals of their own here.
        mean_probability: mean p, the share of positives that is expected.
        positive_share: what came of it.
        spiegelhalter_z: normal under calibration; n is the rows.
        spiegelhalter_p: its two-sided p-value.
        slope, intercept: of the logistic regression of the label on the log odds; 1 and 0 where calibrated.
        offset: the intercept where the slope is held at 1: "calibration in the large", in log odds.
        curve: the isotonic fit with its consistency band.
        reason: why there is nothing of all this.
    """

    forecasts: Forecasts | None
    errors: dict[str, CalibrationError]
    parts: dict[str, Estimate]
    brier_score: float
    log_loss: float
    mean_probability: float
    positive_share: float
    spiegelhalter_z: Estimate
    spiegelhalter_p: float
    slope: Estimate
    intercept: Estimate
    offset: Estimate
    curve: ReliabilityCurve | None
    reason: str = ""

    @property
    def test(self) -> MiscalibrationTest:
        """Whether the rows are calibrated."""
        miscalibration, effect = (self.errors[name] for name in ("brier_miscalibration", "debiased_calibration_error"))
        return MiscalibrationTest(miscalibration.p_value, effect.estimate.value, effect.estimate.n, self.reason)


def no_calibration(n: float, reason: str) -> Calibration:
    """Nothing, with the reason."""
    nothing = Estimate(math.nan, math.nan, math.nan, n, reason)
    return Calibration(
        forecasts=None,
        errors={name: CalibrationError(nothing, math.nan, math.nan) for name in STATISTICS},
        parts=dict.fromkeys(PARTS, nothing),
        brier_score=math.nan,
        log_loss=math.nan,
        mean_probability=math.nan,
        positive_share=math.nan,
        spiegelhalter_z=nothing,
        spiegelhalter_p=math.nan,
        slope=nothing,
        intercept=nothing,
        offset=nothing,
        curve=None,
        reason=reason,
    )


def what_is_missing(forecasts: Forecasts) -> str:
    """Why nothing can be said of these rows; "" where something can."""
    return NO_USABLE_ROWS if forecasts.n_rows == 0 else NO_WEIGHT if not forecasts.weight.sum() > 0 else ""


def compute_calibration(forecasts: Forecasts) -> Calibration:
    """Errors, floors, intervals, decomposition, tests and the curve of some rows; the same at every call.

    Args:
        forecasts: rows whose probabilities may be called so. With none, everything is undefined with the reason; with
            rows of one class, slope and intercept are.
    """
    if reason := what_is_missing(forecasts):
        return no_calibration(forecasts.n_rows, reason)
    total = forecasts.weight.sum()
    slope, intercept, offset = slope_and_intercept(forecasts)
    z, p = spiegelhalter(forecasts)
    null = _null(forecasts)
    found, parts = _errors(forecasts, null)
    return Calibration(
        forecasts=forecasts,
        errors=found,
        parts=parts,
        brier_score=float(divide(forecasts.squares.sum(), total)),
        log_loss=float(divide(forecasts.logs.sum(), total)),
        mean_probability=float(divide((forecasts.weight * forecasts.probability).sum(), total)),
        positive_share=forecasts.positive_share,
        spiegelhalter_z=z,
        spiegelhalter_p=p,
        slope=slope,
        intercept=intercept,
        offset=offset,
        curve=reliability_curve(null.forecasts, null.fit),
    )


@dataclass(frozen=True)
class MiscalibrationTest:
    """Whether rows are calibrated, and how far they are from it.

    Attributes:
        p_value: of the Brier score's miscalibration, of labels drawn as if calibrated; at least 1/1,001.
        effect: the debiased calibration error.
        n: rows.
        reason: why there is no answer.
    """

    p_value: float
    effect: float
    n: float
    reason: str = ""


def compute_miscalibration(forecasts: Forecasts) -> MiscalibrationTest:
    """The test of `compute_calibration` alone, in a third of the time."""
    if reason := what_is_missing(forecasts):
        return MiscalibrationTest(math.nan, math.nan, forecasts.n_rows, reason)
    null = _null(forecasts)
    value = float(errors.brier_miscalibration(Outcomes.seen(null.forecasts))[0])
    effect = float(STATISTICS["debiased_calibration_error"](Outcomes.seen(forecasts))[0])
    return MiscalibrationTest(_p_value(value, errors.brier_miscalibration(null)), effect, forecasts.n_rows)


def _null(forecasts: Forecasts) -> Outcomes:
    """Files of the same probabilities whose labels are drawn with them."""
    few = forecasts.gathered()
    return Outcomes(few, *few.draw(few.probability, np.random.default_rng(SEED), NULL_DRAWS, again=False))


def error_intervals(forecasts: Forecasts) -> dict[str, tuple[float, float]]:
    """The intervals of `compute_calibration` alone, in half the time: of rows of which something can be said."""
    few, names = forecasts.gathered(DRAWN_BINS), _names(forecasts)
    at, low, high, _around = _along(few, names)
    return {name: _interval(_found(few, name), at[name], low[name], high[name]) for name in names}


def _names(forecasts: Forecasts) -> list[str]:
    return [name for name in STATISTICS if not (forecasts.straddles and name in BY_WIDTH)]


def _found(forecasts: Forecasts, name: str) -> float:
    return float(STATISTICS[name](Outcomes.seen(forecasts))[0])


def _errors(forecasts: Forecasts, null: Outcomes) -> tuple[dict[str, CalibrationError], dict[str, Estimate]]:
    """The errors and the other parts, from what chance gives along the curve."""
    names, n = _names(forecasts), forecasts.n_rows
    seen, few = Outcomes.seen(forecasts), forecasts.gathered(DRAWN_BINS)
    at, low, high, around = _along(few, names)
    # What was found is compared with what was drawn in the same bins: an isotonic fit to finer ones follows more noise.
    seen_as_null, seen_few = Outcomes.seen(null.forecasts), Outcomes.seen(few)
    found: dict[str, CalibrationError] = {}
    for name, statistic in STATISTICS.items():
        if name not in names:
            nothing = Estimate(math.nan, math.nan, math.nan, n, COARSE_BINS)
            found[name] = CalibrationError(nothing, math.nan, math.nan)
            continue
        value, by_chance = float(statistic(seen)[0]), statistic(null)
        as_null, as_few = (float(statistic(each)[0]) for each in (seen_as_null, seen_few))
        lower, upper = _interval(as_few, at[name], low[name], high[name])
        floor = max(float(np.quantile(by_chance, LEVEL)) + value - as_null, 0.0)
        found[name] = CalibrationError(Estimate(value, lower, upper, n), floor, _p_value(as_null, by_chance))
    parts: dict[str, Estimate] = {}
    for name, statistic in PARTS.items():
        value = float(statistic(seen)[0])
        off = np.quantile(around[name], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="weibull")
        parts[name] = Estimate(value, max(value - float(off[1]), 0.0), max(value - float(off[0]), 0.0), n)
    return found, parts


def _interval(value: float, at: FloatArray, low: FloatArray, high: FloatArray) -> tuple[float, float]:
    """The truths along the curve under which files may well have this error; see `CalibrationError`.

    Args:
        value: what was found.
        at: shape (len(STEPS),), the truths.
        low: the same shape, above which most files have the error then.
        high: the same shape, below which most have it.
    """
    if value > high.max():
        # What was seen is no line with three bends: none of the files that were drawn is like it.
        return math.nan, math.nan
    lower, upper = _inverted(value, high, at), _inverted(value, low, at, last=True)
    if value >= low.max() or value <= low[0]:
        # The farthest file that was drawn may look like this, or not even a calibrated one: nothing bounds the truth
        # but what calibrated files have.
        upper = max(upper, float(high[0]))
    return (lower if lower > 0 else math.nan), max(upper, lower)


def _p_value(value: float, by_chance: FloatArray) -> float:
    """In what share of the draws an error is at least as large, this one counted among them."""
    return (1 + int((by_chance >= value * (1 - 1e-12)).sum())) / (len(by_chance) + 1)


def _along(
    few: Forecasts, names: list[str]
) -> tuple[dict[str, FloatArray], dict[str, FloatArray], dict[str, FloatArray], dict[str, FloatArray]]:
    """Errors along the curve from calibrated to what was seen and beyond.

    Returns:
        By name, shape (len(STEPS),) each: the error itself, and the ends of where most files have it. And of each of
        `PARTS`, shape (DRAWS,), how far from itself files have it where the truth is what was seen.
    """
    rng = np.random.default_rng([SEED, 1])
    moved = seen_log_odds(few) - few.score
    at, low, high = ({name: np.zeros(len(STEPS)) for name in names} for _each in range(3))
    around: dict[str, FloatArray] = {}
    for place, step in enumerate(STEPS):
        share = special.expit(few.score + step * moved)
        truth = Outcomes.expected(few, share)
        drawn = Outcomes(few, *few.draw(share, rng, DRAWS, again=True))
        for name in names:
            at[name][place] = STATISTICS[name](truth)[0]
            # Of 200 files the plain quantiles cut off 3 % where 2.5 % are asked for: these do not.
            ends = np.nanquantile(STATISTICS[name](drawn), [TAIL, 1 - TAIL], method="weibull")
            low[name][place], high[name][place] = ends
        if step == 1.0:
            around = {name: statistic(drawn) - statistic(truth)[0] for name, statistic in PARTS.items()}
    return at, low, high, around


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
