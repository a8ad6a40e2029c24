"""Run the table of checks over a diagnosis."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.checks.feature_drift import with_drifts_of_scores
from lib.checks.miscalibration import explained_miscalibrations
from lib.checks.result import Check, CheckResult, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.checks.score_drift import explained_drifts
from lib.checks.table import CHECKS
from lib.checks.training_runs import TrainingLook, least_constant_loss
from lib.checks.worse_answers import explained_worsenings
from lib.checks.worse_cohorts import explained_sentences
from lib.errors import SettingsError, UndefinedError
from lib.sources.training import NO_TRAINING, Training

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis
    from lib.embeddings import EmbeddingDiagnosis

NO_PREDICTIONS = "no predictions were given"
SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.INFO)
STATUSES = (Status.FAIL, Status.WARN, Status.NOT_APPLICABLE, Status.PASS)
CAUSES = ("H-F5", "H-F6", "H-F7", "H-F2", "H-F18", "H-F20")
"""Checks whose findings can account for a disparity between cohorts, or for a drift."""
IN_TIME = ("H-F12", "H-F13", "H-F14", "H-F23")
"""Checks that name a part too, of what is left without those parts."""
EXPLAINED: tuple[tuple[tuple[str, ...], Callable[[Diagnosis], Sequence[tuple[str | None, str]]]], ...] = (
    ((*CAUSES, *IN_TIME), explained_sentences),
    (CAUSES, explained_drifts),
    ((*CAUSES, *IN_TIME), explained_worsenings),
    ((*CAUSES, *IN_TIME), explained_miscalibrations),
)
"""Which checks' findings account for what, as (version, sentence)."""


def run_checks(diagnosis: Diagnosis | None, training: Training = NO_TRAINING) -> tuple[CheckResult, ...]:
    """Every check: findings first, most serious first, one per cause; each check that found nothing exactly once.

    Args:
        diagnosis: of predictions; None where there are none.
        training: the training histories that were given with them.
    """
    results: list[CheckResult] = []
    look = TrainingLook(training, math.nan if diagnosis is None else least_constant_loss(diagnosis))
    for check in CHECKS:
        results += run_check(check, look if check.over == "training" else diagnosis)
    for codes, explain in EXPLAINED:
        if diagnosis is not None and any(each.is_finding and each.code in codes for each in results):
            with contextlib.suppress(SettingsError, UndefinedError):  # The check itself has said why.
                results = _with_consequences(results, codes, explain(diagnosis))
    return in_order(with_drifts_of_scores(results))


def run_training_checks(look: TrainingLook) -> tuple[CheckResult, ...]:
    """The checks of training alone, in the order of `run_checks`."""
    found = [each for check in CHECKS if check.over == "training" for each in run_check(check, look)]
    return in_order(found)


def in_order(results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """Findings first, most serious first, the strongest of these first."""
    return tuple(sorted(results, key=_order))


def run_check(check: Check, subject: Diagnosis | TrainingLook | EmbeddingDiagnosis | None) -> list[CheckResult]:
    """One check: its findings, or one result that it passed or could not be made."""
    try:
        answer = NotApplicable(NO_PREDICTIONS) if subject is None else check.function(subject)
    except (SettingsError, UndefinedError) as error:
        answer = NotApplicable(str(error))
    if isinstance(answer, NotApplicable):
        return [_result(check, Finding(Status.NOT_APPLICABLE, None, Where(), answer.reason, {"reason": answer.reason}))]
    if isinstance(answer, Passed):
        return [_result(check, Finding(Status.PASS, None, Where(), answer.title, answer.evidence))]
    return [_result(check, finding) for finding in answer]


def _result(check: Check, finding: Finding) -> CheckResult:
    return CheckResult(
        code=check.code,
        name=check.name,
        status=finding.status,
        severity=finding.severity or check.severity,
        version=finding.version,
        where=finding.where,
        title=finding.title,
        evidence=plain(finding.evidence),
        explanation=finding.cause or check.cause,
        remedy=finding.remedy or check.remedy,
        topic=check.topic,
        strength=float(finding.strength),
    )


def _with_consequences(
    results: list[CheckResult], codes: tuple[str, ...], explained: Sequence[tuple[str | None, str]]
) -> list[CheckResult]:
    """What is explained, told by the strongest finding of these codes that may account for it."""
    ranked = sorted(range(len(results)), key=lambda index: _order(results[index]))
    added: dict[int, list[str]] = {}
    for version, sentence in explained:
        for index in ranked:
            result = results[index]
            if result.is_finding and result.code in codes and (version is None or result.version in (None, version)):
                added.setdefault(index, []).append(sentence)
                break
    return [
        dataclasses.replace(
            result,
            evidence={**result.evidence, "consequences": [*result.evidence.get("consequences", []), *added[index]]},
        )
        if index in added
        else result
        for index, result in enumerate(results)
    ]


def _order(result: CheckResult) -> tuple[int, int, int, float]:
    found = 0 if result.is_finding else 1
    severity = SEVERITIES.index(result.severity) if result.is_finding else 0
    return found, severity, STATUSES.index(result.status), -result.strength


def plain(value: Any) -> Any:
    """Evidence as JSON can hold it: numpy's numbers as Python's, undefined ones as None."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value
