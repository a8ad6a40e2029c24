"""H-F1: a training loss that barely falls and ends where a constant answer is."""

from __future__ import annotations

import math

from lib.checks import words
from lib.checks.each_run import Judged, answer_of_runs, number
from lib.checks.non_convergence import DIVERGED, is_flat, is_restless
from lib.checks.result import ALARM_RATE, Answer, Check, Severity
from lib.checks.training_runs import LOG_LOSSES, Run, TrainingLook
from lib.metrics.training_course import course

AT_CONSTANT = 0.98
NEARLY_CONSTANT = 0.95
"""From these shares of the loss of a constant answer on, a loss is no better; the second where it is flat besides."""


def check_high_loss(look: TrainingLook) -> Answer:
    """The training loss barely falls and ends where a constant answer is."""
    return answer_of_runs(
        look,
        lambda run: _high_loss(run, look.constant_loss),
        "No log loss stays at what one answer for every row costs",
    )


def _high_loss(run: Run, constant: float) -> Judged | None:
    loss = run.loss
    found = None if loss is None else course(loss.value)
    if loss is None or found is None or loss.metric not in LOG_LOSSES or is_restless(found):
        return None
    known = constant if loss.metric == "log_loss" and math.isfinite(constant) else math.nan
    flat = is_flat(found)
    reference, share = (known, AT_CONSTANT) if math.isfinite(known) else (math.log(2), NEARLY_CONSTANT)
    if found.end < share * reference or found.end >= DIVERGED * found.start or not (flat or math.isfinite(known)):
        return None
    level, said = _constant_words(found.end, known)
    numbers = {"loss": loss.written, "start": found.start, "end": found.end, "fall": found.fall, "constant_loss": level}
    falls = f"fell by only {words.percent(found.fall)}" if found.fall > 0.001 else "did not fall"
    return Judged(1 - found.fall, f"the training loss {falls} and ended at {number(found.end)}{said}", numbers)


def _constant_words(end: float, known: float) -> tuple[float, str]:
    """What one answer for every row costs, where that can be said, and that the loss is there."""
    if math.isfinite(known):
        return known, f", where one answer for every row costs {number(known)}"
    k = round(math.exp(min(end, 7.0)))
    if 2 <= k <= 1000 and abs(end - math.log(k)) < 0.01 * math.log(k) and (k <= 20 or k in (50, 100, 200, 1000)):
        return math.log(k), f": ln {k}, what one answer for every row of {k} equal classes costs"
    return math.nan, ""


HIGH_LOSS = Check(
    code="H-F1",
    name="high-loss",
    reference="H-F1. The training loss of each run in at most 50 pieces of equal length: the mean of its first "
    "eighth against that of its last eighth, and against the log loss of one answer for every row (the "
    "entropy of the class balance where predictions were given and the metric is a log loss, else ln "
    "2, the least of balanced classes); six values or more",
    minimum_effect="it loses less than 5 % of its start and ends at 95 % of the loss of a constant answer or "
    "more; where the class balance is known, at 98 % of it, fallen or not",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="The model has learned next to nothing: its features say nothing about the labels, labels are noise "
    "or joined to the wrong rows, the learning rate is far too small, or no gradient reaches the "
    "weights.",
    remedy="Let the model learn a hundred rows by heart. If it cannot, look at learning rate, loss and "
    "gradients; if it can, look at the features and clean the labels.",
    topic="training",
    function=check_high_loss,
    over="training",
)
