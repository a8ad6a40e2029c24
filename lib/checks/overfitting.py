"""H-F3: a validation loss that rises from its best while the training loss goes on falling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lib.checks import words
from lib.checks.each_run import LEAST_FALL, LEAST_RISE, NO_TRAINING, Judged, answer_of_runs, number
from lib.checks.result import ALARM_RATE, Answer, Check, NotApplicable, Passed, Severity
from lib.checks.training_runs import Pair, Run, TrainingLook, place_words
from lib.metrics.training_course import FEWEST_LEVELS, rise_after_best

LEAST_POINTS = 0.01
LASTING = 0.8


def check_overfitting(look: TrainingLook) -> Answer:
    """The validation loss rises from its best while the training loss goes on falling."""
    if not look.training.histories:
        return NotApplicable(NO_TRAINING)
    if not any(run.pairs for run in look.runs):
        return NotApplicable("no run has a training loss and a validation metric side by side")
    found = answer_of_runs(look, lambda run: _overfitting(run, len(look.runs)), "Validation stays near its best")
    long_enough = any(len(each.validation.value) >= FEWEST_LEVELS for run in look.runs for each in run.pairs)
    if isinstance(found, Passed) and not long_enough:
        return NotApplicable(f"no run was validated {FEWEST_LEVELS} times or more: too few to tell a rise from noise")
    return found


def _overfitting(run: Run, n_runs: int) -> Judged | None:
    found = [each for pair in run.pairs if (each := _rise(pair, n_runs * len(run.pairs))) is not None]
    return max(found, key=lambda each: each.strength, default=None)


def _rise(pair: Pair, tests: int) -> Judged | None:
    rise = rise_after_best(pair.lower_is_better, pair.levels)
    if rise is None or rise.p * tests > ALARM_RATE / 2 or rise.lasting < LASTING or not rise.other_fall >= LEAST_FALL:
        return None
    amount = rise.end - rise.best
    least = max(LEAST_RISE * abs(rise.best), LEAST_POINTS if pair.higher else 0.0)
    if amount < least:
        return None
    values, curve = pair.validation.value, pair.validation
    finite = np.flatnonzero(np.isfinite(values))
    best = int(finite[np.argmax(values[finite]) if pair.higher else np.argmin(values[finite])])
    last = int(finite[-1])
    change = "fell" if pair.higher else "rose"
    said = (
        f"{curve.written} {change} from {number(values[best])} at {place_words(curve, best)} to "
        f"{number(values[last])} at {place_words(curve, last)}, while the training loss went on falling by "
        f"{words.percent(rise.other_fall)}"
    )
    numbers: dict[str, Any] = {
        "metric": curve.written,
        "best": values[best],
        "best_at": curve.x[best],
        "end": values[last],
        "rise": amount,
        "p_adjusted": min(1.0, rise.p * tests),
        "train_fall": rise.other_fall,
        "gap_at_best": math.nan if pair.gap is None else pair.gap[best],
        "gap_at_end": math.nan if pair.gap is None else pair.gap[last],
    }
    return Judged(amount / max(abs(rise.best), 1e-300), said, numbers)


OVERFITTING = Check(
    code="H-F3",
    name="overfitting",
    reference="H-F3, H-M5. The validation curve in at most 50 pieces: the mean of its last eighth against the "
    "lowest mean of an eighth before, by Student's t with the noise of second differences, times the "
    "places at which the best could have been, the runs and the curves; the training loss between the "
    "same two places. Of metrics of which more is better what is missing from 1; six validations or "
    "more",
    minimum_effect="10 % above the best (and a point, where it is a share), in four fifths of all that follows "
    "the best, while the training loss falls by 5 %",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="From its best epoch on the model learns the training rows by heart: it is too able for so little "
    "data, or trained too long, or too weakly regularised.",
    remedy="Keep the weights of the best epoch (early stopping). Then regularise more (weight decay, dropout, "
    "smaller trees), augment, or get more data.",
    topic="training",
    function=check_overfitting,
    over="training",
)
