"""E-F3: triplets that are nearly all easy, or mostly hard, where the loss has stalled."""

from __future__ import annotations

import math

import numpy as np

from lib.checks import words
from lib.checks.each_run import NO_TRAINING, Judged, answer_of_runs, number
from lib.checks.result import ALARM_RATE, Answer, Check, NotApplicable, Severity
from lib.checks.training_runs import Run, TrainingLook
from lib.metrics.estimates import FloatArray
from lib.metrics.training_course import FEWEST_LEVELS
from lib.sources.training_names import EASY_SHARE, HARD_SHARE, TRAIN

MOSTLY_EASY, MANY_HARD, STALLED = 0.95, 0.5, 0.05


def check_bad_negatives(look: TrainingLook) -> Answer:
    """The loss has stalled and triplets are nearly all easy, or mostly hard."""
    if not look.training.histories:
        return NotApplicable(NO_TRAINING)
    if not any(_shares(run) for run in look.runs):
        return NotApplicable("no run has logged the share of easy or hard triplets")
    return answer_of_runs(
        look, _bad_negatives, "Triplets are neither nearly all easy nor mostly hard where the loss stalls"
    )


def _shares(run: Run) -> dict[str, FloatArray]:
    """The logged shares of easy and of hard triplets; counts are none."""
    found = {each.metric: each.value[np.isfinite(each.value)] for each in run.of(TRAIN)}
    return {
        name: found[name]
        for name in (EASY_SHARE, HARD_SHARE)
        if name in found and len(found[name]) and found[name].min() >= 0 and found[name].max() <= 1
    }


def _late(values: FloatArray) -> float:
    """The mean of the last quarter."""
    return float(np.mean(values[-max(1, len(values) // 4) :]))


def _bad_negatives(run: Run) -> Judged | None:
    shares = {name: _late(values) for name, values in _shares(run).items()}
    easy, hard = shares.get(EASY_SHARE, math.nan), shares.get(HARD_SHARE, math.nan)
    loss = run.loss
    values = np.zeros(0) if loss is None else loss.value[np.isfinite(loss.value)]
    if len(values) < FEWEST_LEVELS or not (easy >= MOSTLY_EASY or hard >= MANY_HARD):
        return None
    middle = values[len(values) // 2 : max(len(values) * 3 // 4, len(values) // 2 + 1)]
    recent = (float(np.mean(middle)) - _late(values)) / max(abs(float(np.mean(middle))), 1e-300)
    if recent > STALLED:
        return None
    kind = f"{words.percent(easy)} of triplets are easy" if easy >= MOSTLY_EASY else f"{words.percent(hard)} are hard"
    numbers = {"easy_triplet_share": easy, "hard_triplet_share": hard, "recent_fall": recent}
    said = f"{kind}, and the training loss has stalled at {number(_late(values))}"
    return Judged(easy if easy >= MOSTLY_EASY else hard, said, numbers)


BAD_NEGATIVES = Check(
    code="E-F3",
    name="bad-negatives",
    reference="E-F3. The mean of the last quarter of the logged shares of easy and of hard triplets, and the "
    "training loss of the last quarter against the quarter before",
    minimum_effect="95 % easy or 50 % hard, while the loss falls by less than 5 % from one quarter to the next",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="Triplets teach nothing any more: nearly all negatives are far away already, or so many are nearer "
    "than the positive that the loss pulls everything together; duplicates and wrong labels among "
    "negatives look hard too.",
    remedy="Mine semi-hard negatives within the batch; where hard ones dominate, look at some of them for "
    "wrong labels, or begin with easier ones.",
    topic="training",
    function=check_bad_negatives,
    over="training",
)
