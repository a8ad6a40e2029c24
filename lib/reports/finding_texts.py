"""What the checks found, in the words of a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lib.checks import CheckResult, Severity, Status
from lib.figures.format import format_plural
from lib.reports.outline import FindingText
from lib.scan import Facts


def verdict_words(findings: Sequence[CheckResult]) -> str:
    """How many findings there are of each severity."""
    if not findings:
        return "No findings."
    counted = [
        (sum(each.severity is severity for each in findings), word)
        for severity, word in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note"))
    ]
    return ", ".join(format_plural(count, word) for count, word in counted if count) + "."


def finding_texts(findings: Sequence[CheckResult]) -> tuple[FindingText, ...]:
    """Findings in words; what one means and what to do is left out where the one of its check above says the same."""
    above: dict[str, tuple[str, str]] = {}
    texts: list[FindingText] = []
    for result in findings:
        meaning = result.explanation, result.remedy
        texts.append(_finding(result, is_first=above.get(result.name) != meaning))
        above[result.name] = meaning
    return tuple(texts)


def _finding(result: CheckResult, *, is_first: bool) -> FindingText:
    badges = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.INFO: "NOTE"}
    return FindingText(
        badge=badges[result.severity],
        name=f"{result.name}, {result.code}" + ("" if is_first else "; what to do: as above"),
        title=result.title,
        consequences=tuple(str(each) for each in result.evidence.get("consequences") or ()),
        explanation=result.explanation if is_first else "",
        remedy=result.remedy if is_first else "",
    )


def slices_text(facts: Facts) -> str:
    """That slices of several columns were not searched, and how they are; "" where there is nothing to search."""
    if facts.saved or facts.mapping.label is None or len({*facts.cohorts, *facts.mapping.features}) < 2:
        return ""
    return "slices of several columns at once were not searched: --slices violation_rate, or error_rate, does that"


def checked_texts(checks: Iterable[CheckResult]) -> Iterable[str]:
    """A line for each check that found nothing."""
    for result in checks:
        if not result.is_finding:
            word = "passed" if result.status is Status.PASS else "not applicable"
            yield f"{result.name} ({result.code}) {word}: {result.title}"
