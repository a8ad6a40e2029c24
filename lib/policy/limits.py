"""What a candidate has to keep to pass the gate: limits on metrics, and findings that are forbidden."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from lib.checks import CHECKS, CheckResult, Severity
from lib.metrics.catalogue import METRICS, Metric, metric_named
from lib.metrics.cohorts import SMALL
from lib.policy.table import Source, Table

Kind = Literal["at_most", "at_least", "worsens_by_at_most"]
OnCannotTell = Literal["fail", "pass"]

KINDS: tuple[Kind, ...] = ("at_most", "at_least", "worsens_by_at_most")
ON_CANNOT_TELL = ("fail", "pass")
MOST_CROSSED = 3
"""Columns of a crossing."""
GATE_KEYS = ("on_cannot_tell",)
LIMIT_KEYS = ("metric", *KINDS, "cohorts", "crossing", "by_class", "minimum_rows", "on_cannot_tell")
FINDINGS_KEYS = ("severity", "forbid", "allow")
SEVERITIES = tuple(severity.value for severity in Severity)
"""The worst first."""


@dataclass(frozen=True)
class Limit:
    """One limit on one metric.

    Attributes:
        metric: a name of `METRICS`.
        kind: whether the candidate's number is held, or by how much it is worse than the baseline's.
        value: the limit, in the metric's unit; shares from 0 to 1.
        cohorts: a cohort column, each value of which has to keep it; "" for none.
        crossing: two or three cohort columns, each combination of whose values has to keep it; empty for none.
        by_class: whether each class has to keep it.
        minimum_rows: over fewer rows nothing can be told.
        on_cannot_tell: what follows where the interval reaches over the limit, or there is no number.
        line: of the policy.
        lines: of its keys in the policy.
    """

    metric: str
    kind: Kind
    value: float
    cohorts: str = ""
    crossing: tuple[str, ...] = ()
    by_class: bool = False
    minimum_rows: int = SMALL
    on_cannot_tell: OnCannotTell = "fail"
    line: int = 0
    lines: Mapping[str, int] = field(default_factory=dict[str, int], compare=False)

    @property
    def of(self) -> Metric:
        """The metric that is limited."""
        return metric_named(self.metric)

    @property
    def columns(self) -> tuple[str, ...]:
        """The cohort columns by which it is held: one, several that cross, or none."""
        return self.crossing or ((self.cohorts,) if self.cohorts else ())

    @property
    def is_relative(self) -> bool:
        """Whether it is against the baseline."""
        return self.kind == "worsens_by_at_most"

    @property
    def held_at(self) -> float:
        """What a number is held against: the value, or, where it is a change for the worse that is a fall, −value."""
        return -self.value if self.is_relative and self.of.direction == "higher" else self.value


@dataclass(frozen=True)
class FindingRules:
    """Which findings of the checks keep a candidate from passing.

    Attributes:
        severity: findings so serious or more; None for none.
        forbid: checks of which no finding is allowed, however serious.
        allow: checks whose findings are allowed, however serious.
        line: of the policy.
    """

    severity: Severity | None
    forbid: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    line: int = 0

    def forbids(self, result: CheckResult) -> bool:
        """Whether a result is a finding that keeps a candidate from passing."""
        if not result.is_finding or result.name in self.allow:
            return False
        rank = SEVERITIES.index(result.severity.value)
        return result.name in self.forbid or (
            self.severity is not None and rank <= SEVERITIES.index(self.severity.value)
        )


def read_limits(source: Source) -> tuple[Limit, ...]:
    """The `[[limits]]` of a policy; what `[gate]` says holds where a limit says nothing else.

    Raises:
        SettingsError: something is wrong with one; the text names the line.
    """
    gate = source.table("gate", GATE_KEYS)
    usual = "fail" if gate is None else gate.one_of("on_cannot_tell", ON_CANNOT_TELL, "fail")
    found: list[Limit] = []
    for table in source.tables("limits", LIMIT_KEYS):
        limit = _limit(table, usual)
        for other in found:
            if _subject(other) == _subject(limit):
                table.fail(f"line {other.line} limits the same numbers in the same way; keep one of the two.")
        found.append(limit)
    return tuple(found)


def _subject(limit: Limit) -> tuple[object, ...]:
    return limit.metric, limit.kind, frozenset(limit.columns), limit.by_class


def _limit(table: Table, usual: str) -> Limit:
    if "metric" not in table.values:
        table.fail("this limit names no metric.")
    name = table.one_of("metric", [metric.name for metric in METRICS])
    said: list[Kind] = [kind for key in table.values for kind in KINDS if key == kind]
    if len(said) != 1:
        many = "only one of them" if said else "one of at_most, at_least and worsens_by_at_most"
        given = " and ".join(said) or "no value"
        table.fail(f"the limit on {name} has {given}; give it {many}.", said[-1] if said else "")
    kind = said[0]
    metric = metric_named(name)
    if kind == "worsens_by_at_most" and metric.direction == "neutral":
        table.fail(f"{name} is neither better nor worse for being larger; give it at_most or at_least.", kind)
    is_share = metric.unit in ("share", "index")
    low = -math.inf if metric.unit == "score" and kind != "worsens_by_at_most" else 0.0
    limit = Limit(
        metric=name,
        kind=kind,
        value=table.number(kind, low, 1.0 if is_share else math.inf),
        cohorts=table.text("cohorts"),
        crossing=table.texts("crossing"),
        by_class=table.flag("by_class"),
        minimum_rows=table.count("minimum_rows", SMALL),
        on_cannot_tell=cast(OnCannotTell, table.one_of("on_cannot_tell", ON_CANNOT_TELL, usual)),
        line=table.line,
        lines=table.lines,
    )
    if limit.columns and limit.by_class:
        table.fail("a limit is by cohort or by class; write two limits for both.", "by_class")
    if limit.cohorts and limit.crossing:
        table.fail("a limit is by one cohort column or by a crossing; write two limits for both.", "crossing")
    if "crossing" in table.values and not 2 <= len(set(limit.crossing)) == len(limit.crossing) <= MOST_CROSSED:
        table.fail(f"crossing names 2 or {MOST_CROSSED} cohort columns, each of them once.", "crossing")
    return limit


def read_findings(source: Source) -> FindingRules | None:
    """The `[findings]` of a policy; None where it has none.

    Raises:
        SettingsError: something is wrong with them; the text names the line.
    """
    table = source.table("findings", FINDINGS_KEYS)
    if table is None:
        return None
    names = [check.name for check in CHECKS]
    severity = table.one_of("severity", SEVERITIES)
    forbid, allow = table.many_of("forbid", names), table.many_of("allow", names)
    if both := sorted(set(forbid) & set(allow)):
        table.fail(f"{both[0]} is both forbidden and allowed.", "allow")
    if not severity and not forbid:
        table.fail("[findings] forbids nothing; give it a severity, or names in forbid.")
    return FindingRules(Severity(severity) if severity else None, forbid, allow, table.line)
