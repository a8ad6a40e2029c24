"""What a check says of single training runs, as one finding: the worst run first, the others as what follows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lib.checks import words
from lib.checks.result import Answer, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.checks.training_runs import Run, TrainingLook
from lib.metrics.training_course import FEWEST_LEVELS, levels
from lib.sources.columns import shorten

LEAST_FALL = 0.05
"""A training loss that loses less of its start than this barely falls."""
LEAST_RISE = 0.1
"""A validation loss, or a share that is wrong, this much above its best is worse than at its best."""
NO_TRAINING = "no training history was given"
NO_LOSS = "no run has a training loss"


@dataclass(frozen=True)
class Judged:
    """What is wrong with a run: how bad it is, in a clause about the run, in numbers; whether nothing can be used."""

    strength: float
    clause: str
    numbers: dict[str, Any]
    is_error: bool = False


def answer_of_runs(look: TrainingLook, judge: Callable[[Run], Judged | None], passed: str) -> Answer:
    """What `judge` says of the runs with a training loss, the worst first; `passed` where it says nothing of any."""
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


def number(value: float) -> str:
    """A logged value to three digits: "0.693"."""
    return f"{value:.3g}" if math.isfinite(value) else "no number"
