"""H-F1, H-F3, H-F4, E-F3: what training curves show, run by run; one finding for each kind, the worst run first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.checks import words
from lib.checks.result import ALARM_RATE, Answer, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.checks.training_runs import LOG_LOSSES, Pair, Run, TrainingLook, is_from_the_start, place_words
from lib.metrics.estimates import FloatArray
from lib.metrics.training_course import FEWEST_LEVELS, Course, course, levels, rise_after_best
from lib.sources.columns import shorten
from lib.sources.training import Curve
from lib.sources.training_names import EASY_SHARE, HARD_SHARE, TRAIN

NO_TRAINING = "no training history was given"
NO_LOSS = "no run has a training loss"
LEAST_FALL = 0.05
"""A training loss that loses less of its start than this barely falls."""
AT_CONSTANT = 0.98
NEARLY_CONSTANT = 0.95
"""From these shares of the loss of a constant answer on, a loss is no better; the second where it is flat besides."""
LEAST_RISE = 0.1
"""A validation loss, or a share that is wrong, this much above its best is worse than at its best."""
LEAST_POINTS = 0.01
LASTING = 0.8
GIVEN_BACK = 0.5
DIVERGED = 1.2
"""A loss diverges that has lost half of what it had gained, or ends this many times above where it began."""
SWING_OF_GAIN, SWING_OF_LEVEL = 0.25, 0.15
FEWEST_SWINGS = 8
MOSTLY_EASY, MANY_HARD, STALLED = 0.95, 0.5, 0.05


@dataclass(frozen=True)
class Judged:
    """What is wrong with a run: how bad it is, in a clause about the run, in numbers; whether nothing can be used."""

    strength: float
    clause: str
    numbers: dict[str, Any]
    is_error: bool = False


def check_high_loss(look: TrainingLook) -> Answer:
    """The training loss barely falls and ends where a constant answer is."""
    return _each_run(
        look,
        lambda run: _high_loss(run, look.constant_loss),
        "No log loss stays at what one answer for every row costs",
    )


def check_non_convergence(look: TrainingLook) -> Answer:
    """A loss is no number any more, rises back, swings instead of falling, or does not fall."""
    return _each_run(look, _non_convergence, "Training losses fall and settle")


def check_overfitting(look: TrainingLook) -> Answer:
    """The validation loss rises from its best while the training loss goes on falling."""
    if not look.training.histories:
        return NotApplicable(NO_TRAINING)
    if not any(run.pairs for run in look.runs):
        return NotApplicable("no run has a training loss and a validation metric side by side")
    found = _each_run(look, lambda run: _overfitting(run, len(look.runs)), "Validation stays near its best")
    long_enough = any(len(each.validation.value) >= FEWEST_LEVELS for run in look.runs for each in run.pairs)
    if isinstance(found, Passed) and not long_enough:
        return NotApplicable(f"no run was validated {FEWEST_LEVELS} times or more: too few to tell a rise from noise")
    return found


def check_bad_negatives(look: TrainingLook) -> Answer:
    """The loss has stalled and triplets are nearly all easy, or mostly hard."""
    if not look.training.histories:
        return NotApplicable(NO_TRAINING)
    if not any(_shares(run) for run in look.runs):
        return NotApplicable("no run has logged the share of easy or hard triplets")
    return _each_run(look, _bad_negatives, "Triplets are neither nearly all easy nor mostly hard where the loss stalls")


def _each_run(look: TrainingLook, judge: Callable[[Run], Judged | None], passed: str) -> Answer:
    if not look.training.histories:
        return NotApplicable(NO_TRAINING)
    judged = [run for run in look.runs if run.loss is not None]
    if not judged:
        return NotApplicable(NO_LOSS)
    found = [(run, what) for run in judged if (what := judge(run)) is not None]
    judged = [run for run in judged if run.loss is not None and len(levels(run.loss.value)) >= FEWEST_LEVELS]
    if not found and not judged:
        return NotApplicable(f"no run has {FEWEST_LEVELS} training losses: too few to tell a trend from noise")
    if not found:
        return Passed(f"{passed} ({words.plural(len(judged), 'run')}).", {"n_runs": len(judged)})
    found.sort(key=lambda each: -each[1].strength)
    worst, others = found[0][1], len(found) - 1
    title = f"Run {shorten(found[0][0].name, words.LONGEST)}: {worst.clause}"
    if others:
        title += f"; {words.plural(others, 'other run shows it too', 'other runs show it too')}"
    return [
        Finding(
            Status.FAIL if worst.is_error else Status.WARN,
            None,
            Where(),
            title,
            {
                "n_runs": len(look.runs),
                "runs": [{"run": run.name, **each.numbers} for run, each in found],
                "consequences": [f"Run {run.name}: {each.clause}" for run, each in found[1:]],
            },
            worst.strength,
            Severity.ERROR if worst.is_error else None,
        )
    ]


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "no number"


def _high_loss(run: Run, constant: float) -> Judged | None:
    loss = run.loss
    found = None if loss is None else course(loss.value)
    if loss is None or found is None or loss.metric not in LOG_LOSSES or _swings(found):
        return None
    known = constant if loss.metric == "log_loss" and math.isfinite(constant) else math.nan
    flat = _is_flat(found)
    reference, share = (known, AT_CONSTANT) if math.isfinite(known) else (math.log(2), NEARLY_CONSTANT)
    if found.end < share * reference or found.end >= DIVERGED * found.start or not (flat or math.isfinite(known)):
        return None
    level, said = _constant_words(found.end, known)
    numbers = {"loss": loss.written, "start": found.start, "end": found.end, "fall": found.fall, "constant_loss": level}
    falls = f"fell by only {words.percent(found.fall)}" if found.fall > 0.001 else "did not fall"
    return Judged(1 - found.fall, f"the training loss {falls} and ended at {_number(found.end)}{said}", numbers)


def _is_flat(found: Course) -> bool:
    """Whether the end is where the start was: within 5 %, or within 10 % and what noise does."""
    within = max(LEAST_FALL * abs(found.start), min(2 * LEAST_FALL * abs(found.start), 3 * found.error))
    return abs(found.start - found.end) < within


def _constant_words(end: float, known: float) -> tuple[float, str]:
    """What one answer for every row costs, where that can be said, and that the loss is there."""
    if math.isfinite(known):
        return known, f", where one answer for every row costs {_number(known)}"
    k = round(math.exp(min(end, 7.0)))
    if 2 <= k <= 1000 and abs(end - math.log(k)) < 0.01 * math.log(k) and (k <= 20 or k in (50, 100, 200, 1000)):
        return math.log(k), f": ln {k}, what one answer for every row of {k} equal classes costs"
    return math.nan, ""


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
        and (climbs or not _swings(found))
        and (found.given_back < 1 or found.end >= DIVERGED * found.start)
    ):
        said = f"the training loss diverges: {_number(found.lowest)} at its lowest, {_number(found.end)} at the end"
        is_above = found.end >= DIVERGED * found.start
        return Judged(found.given_back, said, {**numbers, "kind": "diverges"}, is_above)
    if _swings(found):
        said = (
            f"the training loss swings by {_number(found.swing)} around {_number(found.end)} in its second half, "
            f"where it came down by {_number(max(found.start - found.lowest, 0.0))} in all"
        )
        return Judged(found.swing / max(abs(found.end), 1e-300), said, {**numbers, "kind": "oscillates"})
    if _is_flat(found) and loss.metric not in LOG_LOSSES and is_from_the_start(loss):
        said = f"the training loss does not fall: {_number(found.start)} at its start, {_number(found.end)} at the end"
        return Judged(1 - found.fall, said, {**numbers, "kind": "does not fall"})
    return _restless_validation(run)


def _restless_validation(run: Run) -> Judged | None:
    """A validation loss that swings while the training loss does not: which weights are best is then luck."""
    loss = run.validation_loss
    found = None if loss is None else course(loss.value)
    if loss is None or found is None or not _swings(found):
        return None
    said = (
        f"the validation loss swings by {_number(found.swing)} around {_number(found.end)} in its second half, and the "
        "training loss does not"
    )
    numbers = {"loss": loss.written, "swing": found.swing, "end": found.end, "kind": "validation oscillates"}
    return Judged(found.swing / max(abs(found.end), 1e-300), said, numbers)


def _swings(found: Course) -> bool:
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
        f"{curve.written} {change} from {_number(values[best])} at {place_words(curve, best)} to "
        f"{_number(values[last])} at {place_words(curve, last)}, while the training loss went on falling by "
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
    said = f"{kind}, and the training loss has stalled at {_number(_late(values))}"
    return Judged(easy if easy >= MOSTLY_EASY else hard, said, numbers)
