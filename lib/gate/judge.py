"""A candidate held against a policy, limit by limit and part by part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lib.checks import CheckResult
from lib.diagnose import Diagnosis
from lib.errors import SettingsError
from lib.gate.unfit import refuse_unfit
from lib.metrics.comparison import Side, change_of
from lib.metrics.estimates import Estimate
from lib.metrics.limits import Held, Outcome, hold, shape_of
from lib.metrics.multiclass import PER_CLASS
from lib.metrics.scale import is_same_scale
from lib.metrics.summary import unpaired_change
from lib.policy import FindingRules, Limit, Policy
from lib.scan.facts import Facts
from lib.schema import CLASS, MISSING_KEY, VERSION, cohort_key
from lib.settings import Settings

NO_BASELINE = "there is no other version to compare with"
TWO_SCALES = "the scores of the two versions are on different scales"


@dataclass(frozen=True)
class Part:
    """A part of the rows that is judged by itself; the whole where all are empty.

    `further` are the other (column, value) pairs of a crossing.
    """

    cohort: str = ""
    value: str = ""
    of_class: str = ""
    further: tuple[tuple[str, str], ...] = ()

    @property
    def cohorts(self) -> tuple[tuple[str, str], ...]:
        """The (column, value) pairs that all hold."""
        return ((self.cohort, self.value), *self.further) if self.cohort else ()


WHOLE = Part()


@dataclass(frozen=True)
class Decision:
    """One limit held against one part of the rows.

    Attributes:
        limit: of the policy.
        part: of the rows.
        outcome: whether it is kept.
        number: what was held against it, with the interval that decided: the candidate's number, or the change.
        before, after: the number in the baseline and in the candidate; the first None of a limit on the candidate.
        judged: how many parts were judged at once.
        more_rows: how many more rows would tell; NaN where none would, 0 where it can be told.
        reason: why nothing can be told at all; "" otherwise.
    """

    limit: Limit
    part: Part
    outcome: Outcome
    number: Estimate
    before: Estimate | None
    after: Estimate
    judged: int = 1
    more_rows: float = 0.0
    reason: str = ""

    @property
    def lets_pass(self) -> bool:
        """Whether the candidate may pass with it."""
        return self.outcome == "pass" or (self.outcome == "cannot tell" and self.limit.on_cannot_tell == "pass")


@dataclass(frozen=True)
class GateResult:
    """What a policy says of a candidate.

    Attributes:
        policy: it.
        facts: of the dataset.
        settings: baseline, candidate, γ, filter.
        made_at: when.
        decisions: by limit, in the order of the policy, and by part.
        forbidden: findings that the policy forbids, most serious first.
        n_findings: findings in all; NaN where the policy says nothing of them.
    """

    policy: Policy
    facts: Facts
    settings: Settings
    made_at: datetime
    decisions: tuple[Decision, ...]
    forbidden: tuple[CheckResult, ...] = ()
    n_findings: float = math.nan

    @property
    def passed(self) -> bool:
        """Whether the candidate passes."""
        return not self.forbidden and all(each.lets_pass for each in self.decisions)

    def count(self, outcome: Outcome) -> int:
        """How many decisions came out so."""
        return sum(each.outcome == outcome for each in self.decisions)


def judge_gate(diagnosis: Diagnosis, policy: Policy, results: Sequence[CheckResult] = ()) -> GateResult:
    """Hold a candidate against a policy.

    Args:
        diagnosis: of the rows that are looked at; its settings name baseline and candidate.
        policy: what has to be kept.
        results: of the checks, where the policy says which findings are forbidden.

    Raises:
        SettingsError: the policy limits nothing, or something that this dataset does not have.
    """
    if not policy.limits and policy.findings is None:
        raise SettingsError(f"{policy.name} limits nothing: give it [[limits]] or [findings].")
    decisions = [each for limit in policy.limits for each in _decide(diagnosis, policy, limit)]
    rules = policy.findings
    return GateResult(
        policy=policy,
        facts=diagnosis.facts,
        settings=diagnosis.settings,
        made_at=diagnosis.made_at,
        decisions=tuple(decisions),
        forbidden=() if rules is None else tuple(each for each in results if _is_forbidden(diagnosis, rules, each)),
        n_findings=math.nan if rules is None else sum(each.is_finding for each in results),
    )


def _is_forbidden(diagnosis: Diagnosis, rules: FindingRules, result: CheckResult) -> bool:
    """Whether a finding keeps the candidate from passing; one in another version is none of its faults."""
    return result.version in (None, diagnosis.settings.candidate) and rules.forbids(result)


def _decide(diagnosis: Diagnosis, policy: Policy, limit: Limit) -> list[Decision]:
    refuse_unfit(diagnosis, policy, limit)
    parts = _numbers(diagnosis, limit)
    told = [
        (part, before, after, _number(diagnosis, limit, part, before, after)) for part, (before, after) in parts.items()
    ]
    judged = sum(number.is_defined and number.n >= limit.minimum_rows for *_, number in told)
    return [
        _decision(limit, part, before if limit.is_relative else None, after, number, judged)
        for part, before, after, number in told
    ]


def _decision(
    limit: Limit, part: Part, before: Estimate | None, after: Estimate, number: Estimate, judged: int
) -> Decision:
    metric = limit.of
    if number.is_defined and number.n < limit.minimum_rows:
        missing = limit.minimum_rows - number.n
        held = Held("cannot tell", number, missing, f"fewer than {limit.minimum_rows:,} rows")
    else:
        most = metric.direction == "lower" if limit.is_relative else limit.kind == "at_most"
        shape = "plain" if limit.is_relative else shape_of(metric.unit)
        held = hold(number, limit.held_at, most=most, shape=shape, judged=max(judged, 1))
    return Decision(
        limit, part, held.outcome, held.estimate, before, after, max(judged, 1), held.more_rows, held.reason
    )


def _number(diagnosis: Diagnosis, limit: Limit, part: Part, before: Estimate, after: Estimate) -> Estimate:
    """What is held against the limit: the number of the candidate, or how it differs from the baseline's."""
    if not limit.is_relative:
        return after
    reason = ""
    if not diagnosis.is_compared:
        reason = NO_BASELINE
    elif limit.of.in_score_units and not is_same_scale(diagnosis.scale_ratio):
        reason = TWO_SCALES
    if reason:
        return Estimate(math.nan, math.nan, math.nan, 0, reason, math.nan)
    return diagnosis.change(limit.metric) if part == WHOLE else _change_of_part(diagnosis, limit, part, before, after)


def _change_of_part(diagnosis: Diagnosis, limit: Limit, part: Part, before: Estimate, after: Estimate) -> Estimate:
    """The change of a cohort or a class; of one cohort whose rows are paired by id with the paired interval."""
    pairs = None if diagnosis.pairs is None or part.further else diagnosis.pairs.by_cohort.get(part.cohort)
    if pairs is None or not before.is_defined or not after.is_defined:
        return unpaired_change(before, after)
    key, settings = cohort_key(part.cohort), diagnosis.settings
    cells = diagnosis.cells(VERSION, key)
    sides = [
        Side(cells.select(**{VERSION: version, key: part.value}), estimate)
        for version, estimate in ((settings.baseline, before), (settings.candidate, after))
    ]
    own = pairs.where((pairs.cohort_before == part.value) & (pairs.cohort_after == part.value))
    return change_of(limit.of, sides[0], sides[1], own, diagnosis.metric_settings).estimate


def _numbers(diagnosis: Diagnosis, limit: Limit) -> dict[Part, tuple[Estimate, Estimate]]:
    """The metric in baseline and candidate, by part; parts that the baseline alone has count against it only."""
    settings = diagnosis.settings
    found = _by_version(diagnosis, limit)
    versions = [settings.candidate, *([settings.baseline] if limit.is_relative else [])]
    parts = list(dict.fromkeys(part for version in versions for part in found.get(version, {}))) or [WHOLE]
    none = [
        Estimate(math.nan, math.nan, math.nan, 0, f"no rows of {version}", math.nan)
        for version in (settings.baseline, settings.candidate)
    ]
    return {
        part: (
            found.get(settings.baseline, {}).get(part, none[0]),
            found.get(settings.candidate, {}).get(part, none[1]),
        )
        for part in parts
    }


def _by_version(diagnosis: Diagnosis, limit: Limit) -> dict[str, dict[Part, Estimate]]:
    if limit.columns:
        keys = [cohort_key(column) for column in limit.columns]
        summary = diagnosis.summary(VERSION, *keys)
        values = zip(*(summary.groups[key].tolist() for key in (VERSION, *keys)), strict=True)
        found: dict[str, dict[Part, Estimate]] = {}
        for (version, *own), estimate in zip(values, summary[limit.metric], strict=True):
            (column, value), *further = zip(limit.columns, map(str, own), strict=True)
            found.setdefault(str(version), {})[Part(column, value, further=tuple(further))] = estimate
        return found
    if limit.by_class:
        return _by_class(diagnosis, limit.metric)
    summary = diagnosis.versions
    return {
        str(version): {WHOLE: estimate}
        for version, estimate in zip(summary.groups[VERSION].tolist(), summary[limit.metric], strict=True)
    }


def _by_class(diagnosis: Diagnosis, metric: str) -> dict[str, dict[Part, Estimate]]:
    found: dict[str, dict[Part, Estimate]] = {}
    if not diagnosis.facts.mapping.is_multiclass:
        names = _class_names(diagnosis)
        for label, name in names.items():
            summary = diagnosis.summary_of_class(label, VERSION)
            for version, estimate in zip(summary.groups[VERSION].tolist(), summary[metric], strict=True):
                found.setdefault(str(version), {})[Part(of_class=name)] = estimate
        return found
    against = diagnosis.against_the_rest(VERSION)
    if metric in PER_CLASS and against is not None:
        versions = diagnosis.versions.groups[VERSION].tolist()
        return {
            str(version): {Part(of_class=name): estimate for name, estimate in of.items()}
            for version, of in zip(versions, against[metric], strict=True)
        }
    summary = diagnosis.summary(VERSION, CLASS)
    groups = zip(summary.groups[VERSION].tolist(), summary.groups[CLASS].tolist(), strict=True)
    for (version, name), estimate in zip(groups, summary[metric], strict=True):
        if name != MISSING_KEY:
            found.setdefault(str(version), {})[Part(of_class=str(name))] = estimate
    return found


def _class_names(diagnosis: Diagnosis) -> dict[int, str]:
    """The two classes by the labels that the file has for them."""
    encoding = diagnosis.facts.mapping.label_encoding
    if encoding is None:
        return {1: "+1", -1: "−1"}
    return {1: ", ".join(encoding.positive) or "+1", -1: ", ".join(encoding.negative) or "−1"}
