"""Run the table of checks over vectors: one finding for each cause, with what follows from it under it."""

from __future__ import annotations

import dataclasses

from lib.checks.embeddings.recall import has_fallen
from lib.checks.embeddings.table import EMBEDDING_CHECKS
from lib.checks.result import CheckResult, Status, Where
from lib.checks.run import in_order, run_check
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.diagnosis import Report, ignore, part
from lib.embeddings.everything import read_checked
from lib.embeddings.recall_drop import read_recall_drop
from lib.sources import Run

CAUSES = (
    ("E-F2", ("E-F8", "E-F10", "E-F1", "E-F6", "E-F7")),
    ("E-F8", ("E-F1", "E-F7", "E-F9")),
    ("E-F10", ("E-F1", "E-F7")),
)
"""Whose findings account for whose, where these came with the candidate; the first that there is tells them."""


def run_embedding_checks(
    diagnosis: EmbeddingDiagnosis, run: Run | None = None, on_progress: Report = ignore
) -> tuple[CheckResult, ...]:
    """Every check: findings first, most serious first, one per cause; each check that found nothing exactly once.

    What the checks look at is read first, with progress; the results are kept with the embeddings.

    Raises:
        Cancelled: `run` was cancelled.
    """

    def compute() -> tuple[CheckResult, ...]:
        read_checked(diagnosis, run, part(on_progress, 0.0, 0.8))
        if has_fallen(diagnosis):
            read_recall_drop(diagnosis, run, part(on_progress, 0.8, 1.0))
        results = [each for check in EMBEDDING_CHECKS for each in run_check(check, diagnosis)]
        for cause, codes in CAUSES:
            results = _told_by(results, cause, codes)
        return in_order(results)

    return diagnosis.once(_wanted(diagnosis), compute, run, on_progress)


def holds_embedding_checks(diagnosis: EmbeddingDiagnosis) -> bool:
    """Whether they were run already."""
    return diagnosis.holds(*_wanted(diagnosis))


def _wanted(diagnosis: EmbeddingDiagnosis) -> tuple[object, ...]:
    return "checks", diagnosis.settings


def _told_by(results: list[CheckResult], cause: str, codes: tuple[str, ...]) -> list[CheckResult]:
    """Findings of some checks that came with the candidate, told by one that did too and may account for them."""
    heads = [each for each in results if each.code == cause and each.is_finding and _is_new(each)]
    told = [each for each in results if each.code in codes and each.is_finding and _is_new(each)]
    if not heads or not told:
        return results
    head = heads[0]
    said = [line for each in told for line in (each.title, *each.evidence.get("consequences", []))]
    kept: list[CheckResult] = []
    for each in results:
        if each is head:
            added = [*each.evidence.get("consequences", []), *dict.fromkeys(said)]
            kept.append(dataclasses.replace(each, evidence={**each.evidence, "consequences": added}))
        elif not any(each is one for one in told):
            kept.append(each)
    for code in codes:
        own = [each for each in told if each.code == code]
        if own and not any(each.code == code for each in kept):
            kept.append(_passed(own[0], head))
    return kept


def _passed(own: CheckResult, head: CheckResult) -> CheckResult:
    """A check of which all findings are told by another's."""
    title = f"Nothing beyond what {head.name} tells."
    return dataclasses.replace(
        own,
        status=Status.PASS,
        version=None,
        where=Where(),
        title=title,
        evidence={"told_by": head.name},
        strength=0.0,
    )


def _is_new(result: CheckResult) -> bool:
    """Whether it came with the candidate; a fall of recall did. One that recall hides accounts for nothing else."""
    return (result.code == "E-F2" and result.status is Status.FAIL) or bool(result.evidence.get("is_new"))
