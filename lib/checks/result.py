"""What a check is and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

ALARM_RATE = 0.01
"""How often a check may cry wolf on a clean file: once in a hundred files, over everything it looks at in each."""


class Status(StrEnum):
    """What a check found."""

    FAIL = "fail"
    WARN = "warn"
    PASS = "pass"
    NOT_APPLICABLE = "not_applicable"


class Severity(StrEnum):
    """How bad it is when a check fails."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Where:
    """The part of the data that a finding is about; everything when both are empty.

    `cohort` maps a cohort column to a value; `window` is (start, end) in epoch seconds, end not included.
    """

    cohort: dict[str, str] = field(default_factory=dict[str, str])
    window: tuple[int, int] | None = None


@dataclass(frozen=True)
class CheckResult:
    """One finding, or the one line that says a check passed or could not be made.

    Attributes:
        code, name: of the check, as in `docs/checks.md`.
        status: `fail` and `warn` are findings; of each cause there is one.
        severity: what it means; with `fail` and `error` the command line exits with 1.
        version: the version it is about; None for several or all of them.
        where: the cohort and the time range it is about.
        title: the finding as one sentence with its numbers.
        evidence: plain values for JSON: rows, rates, intervals, adjusted p, `consequences` (sentences).
        explanation: what it means and its usual cause.
        remedy: what to do about it.
        topic: the page that shows why.
        strength: orders findings of one severity, strongest first.
    """

    code: str
    name: str
    status: Status
    severity: Severity
    version: str | None
    where: Where
    title: str
    evidence: dict[str, Any]
    explanation: str
    remedy: str
    topic: str
    strength: float = 0.0

    @property
    def is_finding(self) -> bool:
        """Whether something was found."""
        return self.status in (Status.FAIL, Status.WARN)


@dataclass(frozen=True)
class NotApplicable:
    """Why a check cannot be made on this data."""

    reason: str


@dataclass(frozen=True)
class Finding:
    """What a check function returns for each cause; `run_checks` adds what the table says of the check."""

    status: Status
    version: str | None
    where: Where
    title: str
    evidence: dict[str, Any]
    strength: float = 0.0
    severity: Severity | None = None
    """None: the severity declared in the table."""
    cause: str = ""
    remedy: str = ""
    """Where they are empty, those declared in the table."""


@dataclass(frozen=True)
class Passed:
    """Nothing was found: what was looked at, in a sentence, and the numbers of that."""

    title: str
    evidence: dict[str, Any] = field(default_factory=dict[str, Any])


Answer = list[Finding] | Passed | NotApplicable


@dataclass(frozen=True)
class Check:
    """One row of the declared table.

    Attributes:
        code, name: as in `DOMAIN.md`.
        reference: the row of `DOMAIN.md` and the method, with where it comes from.
        minimum_effect: how large an effect has to be besides being significant, in words.
        alarm_rate: how often the check may fire on a clean file.
        severity: of its findings, unless a finding says otherwise.
        cause: what usually causes it, with what it means.
        remedy: what to do.
        topic: the page that shows why.
        function: the check itself, of a `Diagnosis`; of a `TrainingLook` where it is over training, of an
            `EmbeddingDiagnosis` where it is over embeddings.
        over: whether it looks at predictions, at training histories or at embeddings.
    """

    code: str
    name: str
    reference: str
    minimum_effect: str
    alarm_rate: float
    severity: Severity
    cause: str
    remedy: str
    topic: str
    function: Callable[[Any], Answer]
    over: Literal["predictions", "training", "embeddings"] = "predictions"
