"""H-F4: a loss that is no number any more, rises back, swings instead of falling, or does not fall."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lib.checks import words
from lib.checks.each_run import LEAST_FALL, LEAST_RISE, Judged, answer_of_runs, number
from lib.checks.result import ALARM_RATE, Answer, Check, Severity
from lib.checks.training_runs import LOG_LOSSES, Run, TrainingLook, is_from_the_start, place_words
from lib.metrics.training_course import Course, course
from lib.sources.training import Curve

GIVEN_BACK = 0.5
DIVERGED = 1.2
"""A loss diverges that has lost half of what it had gained, or ends this many times above where it began."""
SWING_OF_GAIN, SWING_OF_LEVEL = 0.25, 0.15
FEWEST_SWINGS = 8


def check_non_convergence(look: TrainingLook) -> Answer:
    """A loss is no number any more, rises back, swings instead of falling, or does not fall."""
    return answer_of_runs(look, _non_convergence, "Training losses fall and settle")


def is_flat(found: Course) -> bool:
    """Whether the end is where the start was: within 5 %, or within 10 % and what noise does."""
    within = max(LEAST_FALL * abs(found.start), min(2 * LEAST_FALL * abs(found.start), 3 * found.error))
    return abs(found.start - found.end) < within


def _non_convergence(run: Run) -> Judged | None:
    broken = _not_finite(run)
    if broken is not None:
        return broken
    loss = run.loss
    found = None if loss is None else course(loss.value)
    if loss is None or found is None:
        return None
    numbers: dict[str, Any] = {
        "loss": loss.written,
        "start": found.start,
        "lowest": found.lowest,
        "end": found.end,
        "swing": found.swing,
        "fall": found.fall,
    }
    beyond = found.end - found.lowest > 4 * found.error
    rises = found.given_back >= GIVEN_BACK and found.end - found.lowest >= LEAST_RISE * abs(found.lowest)
    climbs = found.lowest >= found.start and found.end >= DIVERGED * found.start
    if (
        rises
        and beyond
        and (climbs or not is_restless(found))
        and (found.given_back < 1 or found.end >= DIVERGED * found.start)
    ):
        said = f"the training loss diverges: {number(found.lowest)} at its lowest, {number(found.end)} at the end"
        is_above = found.end >= DIVERGED * found.start
        return Judged(found.given_back, said, {**numbers, "kind": "diverges"}, is_above)
    if is_restless(found):
        said = (
            f"the training loss swings by {number(found.swing)} around {number(found.end)} in its second half, "
            f"where it came down by {number(max(found.start - found.lowest, 0.0))} in all"
        )
        return Judged(found.swing / max(abs(found.end), 1e-300), said, {**numbers, "kind": "oscillates"})
    if is_flat(found) and loss.metric not in LOG_LOSSES and is_from_the_start(loss):
        said = f"the training loss does not fall: {number(found.start)} at its start, {number(found.end)} at the end"
        return Judged(1 - found.fall, said, {**numbers, "kind": "does not fall"})
    return _restless_validation(run)


def _restless_validation(run: Run) -> Judged | None:
    """A validation loss that swings while the training loss does not: which weights are best is then luck."""
    loss = run.validation_loss
    found = None if loss is None else course(loss.value)
    if loss is None or found is None or not is_restless(found):
        return None
    said = (
        f"the validation loss swings by {number(found.swing)} around {number(found.end)} in its second half, and the "
        "training loss does not"
    )
    numbers = {"loss": loss.written, "swing": found.swing, "end": found.end, "kind": "validation oscillates"}
    return Judged(found.swing / max(abs(found.end), 1e-300), said, numbers)


def is_restless(found: Course) -> bool:
    """Whether the second half goes up and down as if nothing was gained."""
    gained = found.start - found.lowest
    middle = abs(found.lowest + found.end) / 2
    return found.n >= FEWEST_SWINGS and found.swing >= SWING_OF_GAIN * gained and found.swing >= SWING_OF_LEVEL * middle


def _not_finite(run: Run) -> Judged | None:
    """A loss that was logged as NaN or infinite; an error where it stays so."""
    found: list[tuple[bool, int, Curve]] = []
    for curve in run.losses:
        bad = np.flatnonzero(~np.isfinite(curve.value))
        if len(bad):
            found.append((bool(bad[-1] == len(curve.value) - 1), len(bad), curve))
    if not found:
        return None
    stays, n, curve = max(found, key=lambda each: (each[0], each[2] is run.loss, each[1]))
    first = int(np.flatnonzero(~np.isfinite(curve.value))[0])
    value = "NaN" if math.isnan(curve.value[first]) else "infinite"
    where = "" if len(curve.value) == 1 else f" {'from' if stays else 'at'} {place_words(curve, first)}"
    said = f"{curve.written} is {value}{where}{' on' if stays and where else ''}"
    if not stays:
        said += f" ({words.plural(n, 'value')}), and recovers"
    numbers = {"loss": curve.written, "kind": "not a number", "n_undefined": n}
    return Judged(math.inf if stays else float(n), said, numbers, stays)


NON_CONVERGENCE = Check(
    code="H-F4",
    name="non-convergence",
    reference="H-F4. Values that are no number; the training loss of each run in at most 50 pieces: the mean of "
    "the last eighth against the lowest mean of an eighth and four times the noise of second "
    "differences (it diverges), the spread of the second half around its own line against all that "
    "was gained (it oscillates, eight pieces or more; of the validation loss too), and the first "
    "eighth against the last eighth where no level is known (it does not fall)",
    minimum_effect="half of what was gained is lost again, and 10 %; or a spread of a quarter of what was gained "
    "and 15 % of the level; or less than 5 % of its start lost by a loss that is no log loss. An "
    "error where the loss ends as no number, or a fifth above its start",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="The steps are too large for this loss: the learning rate, or a gradient that is not clipped; with "
    "NaN also a logarithm or a division at 0, a bad row, or half precision that overflows. Where validation alone "
    "swings, too few rows are validated on, or layers that behave differently then (batch normalisation, dropout).",
    remedy="Lower the learning rate (by three to ten times), warm it up, clip gradients, enlarge the batch. "
    "With NaN look at the first batch that gives one.",
    topic="training",
    function=check_non_convergence,
    over="training",
)
