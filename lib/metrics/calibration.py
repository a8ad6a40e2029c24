"""Calibration of one version: errors with their noise floors and intervals, the decomposition, slope and intercept.

*Noise floor*: what an error exceeds in 5 % of files of this size whose labels are drawn with these very probabilities.

References: see `calibration_errors`; for intervals `calibration_intervals`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from lib.metrics import calibration_errors as errors
from lib.metrics.calibration_errors import Outcomes, Statistic
from lib.metrics.calibration_intervals import DRAWN_BINS, draw_along
from lib.metrics.calibration_slope import slope_and_intercept, spiegelhalter
from lib.metrics.estimates import NO_USABLE_ROWS, NO_WEIGHT, Estimate, FloatArray, divide
from lib.metrics.forecasts import Forecasts
from lib.metrics.intervals import LEVEL
from lib.metrics.reliability import ReliabilityCurve, reliability_curve

BINS = 15
"""Bins of ECE, MCE, ACE and the debiased error."""
WIDTHS = (10, 12, 15, 20, 30, 60)
"""Into how many equal widths scores of the 0.02 grid can be cut: their edges are edges of its bins."""
NULL_DRAWS = 1_000
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
    few, able = forecasts.gathered(DRAWN_BINS), _able(forecasts)
    drawn, seen = draw_along(few, able, {}, np.random.default_rng([SEED, 1])), Outcomes.seen(few)
    return {name: drawn.interval(name, float(statistic(seen)[0])) for name, statistic in able.items()}


def _able(forecasts: Forecasts) -> dict[str, Statistic]:
    """The errors that such bins can tell."""
    return {name: each for name, each in STATISTICS.items() if not (forecasts.straddles and name in BY_WIDTH)}


def _errors(forecasts: Forecasts, null: Outcomes) -> tuple[dict[str, CalibrationError], dict[str, Estimate]]:
    """The errors and the other parts, from what chance gives along the curve."""
    able, n = _able(forecasts), forecasts.n_rows
    seen, few = Outcomes.seen(forecasts), forecasts.gathered(DRAWN_BINS)
    drawn = draw_along(few, able, PARTS, np.random.default_rng([SEED, 1]))
    # What was found is compared with what was drawn in the same bins: an isotonic fit to finer ones follows more noise.
    seen_as_null, seen_few = Outcomes.seen(null.forecasts), Outcomes.seen(few)
    found: dict[str, CalibrationError] = {}
    for name, statistic in STATISTICS.items():
        if name not in able:
            nothing = Estimate(math.nan, math.nan, math.nan, n, COARSE_BINS)
            found[name] = CalibrationError(nothing, math.nan, math.nan)
            continue
        value, by_chance = float(statistic(seen)[0]), statistic(null)
        as_null, as_few = (float(statistic(each)[0]) for each in (seen_as_null, seen_few))
        lower, upper = drawn.interval(name, as_few)
        floor = max(float(np.quantile(by_chance, LEVEL)) + value - as_null, 0.0)
        found[name] = CalibrationError(Estimate(value, lower, upper, n), floor, _p_value(as_null, by_chance))
    parts: dict[str, Estimate] = {}
    for name, statistic in PARTS.items():
        value = float(statistic(seen)[0])
        off = np.quantile(drawn.around[name], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="weibull")
        parts[name] = Estimate(value, max(value - float(off[1]), 0.0), max(value - float(off[0]), 0.0), n)
    return found, parts


def _p_value(value: float, by_chance: FloatArray) -> float:
    """In what share of the draws an error is at least as large, this one counted among them."""
    return (1 + int((by_chance >= value * (1 - 1e-12)).sum())) / (len(by_chance) + 1)
