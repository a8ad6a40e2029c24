"""Training histories in a report: beside predictions, or alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lib import __version__
from lib.checks import CheckResult
from lib.checks.training_runs import TrainingLook
from lib.figures.training_view import CurveRow, curve_rows
from lib.sources.training import Curve, Training

NOT_LOGGED = "the file does not say where it was logged"
NO_GAP = "there is no training curve of this metric beside it"
NOT_A_NUMBER = "what was logged there is not a finite number"
OF_VALIDATION = "only a validation curve has one"


@dataclass(frozen=True)
class TrainingReport:
    """All that is told of training histories where no predictions were given.

    Attributes:
        product_version: which Marginalia it was.
        training: the histories.
        checks: all of them; those of predictions are not applicable.
    """

    product_version: str
    training: Training
    checks: tuple[CheckResult, ...]


def build_training_report(training: Training, checks: tuple[CheckResult, ...]) -> TrainingReport:
    """The report of histories alone."""
    return TrainingReport(__version__, training, checks)


def training_as_json(training: Training) -> dict[str, Any]:
    """The histories: how each file was read, and every curve in numbers, run by run."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in training.runs}
    for row in curve_rows(TrainingLook(training)):
        runs[row.curve.run].append(_curve(row))
    return {
        "files": [
            {
                "name": each.name,
                "sha256": each.sha256,
                "format": each.format,
                "evidence": each.evidence,
                "notes": each.notes,
                "runs": each.runs,
            }
            for each in training.histories
        ],
        "runs": [{"run": name, "curves": curves} for name, curves in runs.items()],
    }


def _curve(row: CurveRow) -> dict[str, Any]:
    curve, summary = row.curve, row.summary
    best = summary.best_place
    values: dict[str, Any] = {
        "split": curve.split,
        "metric": curve.metric,
        "written": curve.written,
        "higher_is_better": summary.higher,
        "n": summary.n,
        "n_undefined": summary.n_undefined,
        "first": summary.first,
        "last": summary.last,
        "best": summary.best,
        "best_epoch": _at(curve, "epoch", best),
        "best_step": _at(curve, "step", best),
        "final_versus_best": summary.final_versus_best,
        "since_best": summary.since_best,
        "since_improvement": summary.since_improvement,
        "noise": summary.noise,
        "oscillation": summary.oscillation,
        "gap_at_best": row.gaps[0],
        "gap_at_end": row.gaps[1],
    }
    reasons = dict(summary.reasons)
    for name, value in values.items():
        if name not in reasons and (value is None or (isinstance(value, float) and not math.isfinite(value))):
            reasons[name] = _reason(row, name)
    return {**values, "undefined": {name: why for name, why in reasons.items() if name in values}}


def _reason(row: CurveRow, name: str) -> str:
    if name in ("best_epoch", "best_step"):
        return NOT_LOGGED if row.summary.best_place is not None else row.summary.reasons["best"]
    if name.startswith("gap"):
        if row.curve.split != "validation":
            return OF_VALIDATION
        return NO_GAP if row.pair is None or row.pair.gap is None else NOT_A_NUMBER
    return row.summary.reasons.get("best", NOT_A_NUMBER) if name == "higher_is_better" else NOT_A_NUMBER


def _at(curve: Curve, axis: str, place: int | None) -> float:
    where = curve.epoch if axis == "epoch" else curve.step
    return math.nan if place is None else float(where[place])
