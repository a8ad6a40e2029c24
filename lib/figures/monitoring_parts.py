"""The parts that Monitoring shows beside all rows, by their words, and those that findings name where cohorts cross."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lib.checks import BEGAN, CheckResult
from lib.diagnose import Diagnosis
from lib.figures.text import MISSING
from lib.metrics.incidents import Part

AND = " and "


def part_words(part: Part) -> str:
    """A part as one says it: "language = pt", "language = pt and platform = web", "all rows"."""
    return AND.join(f"{column} = {value or MISSING}" for column, value in part.cohorts) or "all rows"


def part_said(words: str, parts: Iterable[Part]) -> Part | None:
    """The part of which `part_words` says that: one of some, each of a cohort, or the rows where several cross."""
    found = _said(words, {part_words(each): each for each in parts if each.column})
    return Part(*found[0], found[1:]) if found else None


def _said(words: str, parts: Mapping[str, Part]) -> tuple[tuple[str, str], ...]:
    for name, part in parts.items():
        cohort = (part.column, part.value)
        if words == name:
            return (cohort,)
        # A value may hold an "and" itself.
        if words.startswith(f"{name}{AND}"):
            others = {other: each for other, each in parts.items() if each.column != part.column}
            if further := _said(words.removeprefix(f"{name}{AND}"), others):
                return (cohort, *further)
    return ()


def crossings_of(diagnosis: Diagnosis, results: Sequence[CheckResult]) -> tuple[Part, ...]:
    """The parts that findings name where cohorts cross; none of saved cells, which do not cross them."""
    chosen = {column for column, _value in diagnosis.settings.where.cohorts}
    found = [crossing_of(each) for each in results if not chosen & {*each.where.cohort}]
    return () if diagnosis.facts.saved else tuple(dict.fromkeys(each for each in found if each is not None))


def crossing_of(result: CheckResult) -> Part | None:
    """The part that a finding names where cohorts cross; None where it names one cohort or none."""
    if not result.is_finding or len(result.where.cohort) < 2:
        return None
    return _named_by(result)


def _named_by(result: CheckResult) -> Part:
    """The rows of the cohort, or cohorts, that a finding names."""
    (column, value), *further = result.where.cohort.items()
    return Part(column, value, tuple(further))


def led_by(diagnosis: Diagnosis, results: Sequence[CheckResult], parts: Iterable[Part]) -> Part | None:
    """The part of the gravest finding that is said to have begun at a deploy, where Monitoring can show it."""
    shown = {*parts, *crossings_of(diagnosis, results)}
    for each in results:
        if each.is_finding and BEGAN in each.evidence and each.where.cohort:
            part = _named_by(each)
            if part in shown:
                return part
    return None
