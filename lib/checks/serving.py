"""H-F22: the candidate answers more slowly, or at a higher cost, than the baseline; the latency also for one cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lib.checks import words
from lib.checks.memory import once_for_every_margin_target
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.checks.rises import LEAST_ROWS, Rise, rises_of
from lib.checks.slow_cohorts import QUANTILES, SlowCohort, find_slow_cohort

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LATENCY_NAMES = {"p50": "median", "p95": "95th percentile"}
COHORT_CAUSE = (
    "The model itself is no slower, or others were too: something takes longer for these rows alone, such as a feature "
    "that is fetched for them, larger inputs, a route or machines of their own."
)
COHORT_REMEDY = "Trace some slow requests of this cohort in both versions, and roll back for it until that is found."


@once_for_every_margin_target
def find_latency(diagnosis: Diagnosis) -> list[Rise] | NotApplicable:
    """The median and the 95th percentile of the latency."""
    return _rises(diagnosis, "latency", QUANTILES)


@once_for_every_margin_target
def find_cost(diagnosis: Diagnosis) -> list[Rise] | NotApplicable:
    """The mean cost."""
    return _rises(diagnosis, "cost", ("mean",))


def _rises(diagnosis: Diagnosis, role: str, names: tuple[str, ...]) -> list[Rise] | NotApplicable:
    """The named numbers of the column that plays a role, candidate against baseline."""
    column: str | None = getattr(diagnosis.facts.mapping, role)
    if column is None:
        return NotApplicable(f"There is no {role} column.")
    if not diagnosis.is_compared:
        return NotApplicable("There is one version, so nothing to compare with.")
    cells = diagnosis.value_cells(column, *dict(diagnosis.facts.serving_tables)[column])
    found = rises_of(cells, names, diagnosis.settings.baseline, diagnosis.settings.candidate)
    return found or NotApplicable(f"Baseline and candidate do not both have {LEAST_ROWS} rows with a {role}.")


@once_for_every_margin_target
def find_slow(diagnosis: Diagnosis) -> SlowCohort | None:
    """The cohort whose latency rose by more than that of the others, if there is one."""
    whole, column = find_latency(diagnosis), diagnosis.facts.mapping.latency
    return None if isinstance(whole, NotApplicable) or column is None else find_slow_cohort(diagnosis, column)


def check_latency_regression(diagnosis: Diagnosis) -> Answer:
    """Warn that the candidate answers more slowly than the baseline, in the middle or in the tail, and for whom."""
    rises, slow = find_latency(diagnosis), find_slow(diagnosis)
    answer = _answer(diagnosis, "latency", rises, LATENCY_NAMES)
    if slow is None or isinstance(rises, NotApplicable):
        return answer
    # One cause: where the others are slower too, the cohort is named with them.
    others_too = any(each.is_worse for each in slow.rest)
    where = Where() if others_too else Where({slow.column: slow.value})
    version = diagnosis.settings.candidate
    cohort = words.place(None, Where({slow.column: slow.value}), diagnosis.facts)
    n = int(min(slow.own[0].candidate.n, slow.own[0].baseline.n))
    rest = words.listing([f"{LATENCY_NAMES[each.name]} {_change(each)}" for each in slow.rest])
    also = f"; so it is for {words.listing([each or '(none)' for each in slow.also])}" if slow.also else ""
    told = f"{_told(slow.own, LATENCY_NAMES)} (n = {words.count(n)}), in the rest {rest}{also}"
    than = f"in version {version or '(none)'} than in {diagnosis.settings.baseline or '(none)'}"
    whole = f"The latency is higher {than}: {_told(rises, LATENCY_NAMES)}, most{cohort}: {told}"
    return [
        Finding(
            Status.WARN,
            version,
            where,
            whole if others_too else f"The latency is higher{cohort} {than}: {told}",
            {
                "n": n,
                **_numbers("latency", rises),
                "slowest": {"column": slow.column, "value": slow.value, "also": list(slow.also)}
                | _numbers("latency", slow.own),
                "p_adjusted": slow.p,
                "consequences": [],
            },
            max(each.ratio for each in slow.own),
            cause="" if others_too else COHORT_CAUSE,
            remedy="" if others_too else COHORT_REMEDY,
        )
    ]


def check_cost_regression(diagnosis: Diagnosis) -> Answer:
    """Warn that the candidate's mean cost is higher than the baseline's."""
    return _answer(diagnosis, "cost", find_cost(diagnosis), {"mean": "mean"})


def _answer(diagnosis: Diagnosis, role: str, rises: list[Rise] | NotApplicable, names: dict[str, str]) -> Answer:
    """One finding that tells every number of the column, or that it is no higher."""
    if isinstance(rises, NotApplicable):
        return rises
    n = int(min(rises[0].candidate.n, rises[0].baseline.n))
    told, evidence = _told(rises, names), {"n": n} | _numbers(role, rises)
    worse = [each for each in rises if each.is_worse]
    if not worse:
        return Passed(
            f"The {role} of the candidate is no higher by what matters: {told} (n = {words.count(n)}).", evidence
        )
    return [
        Finding(
            Status.WARN,
            diagnosis.settings.candidate,
            Where(),
            f"The {role} is higher in version {diagnosis.settings.candidate or '(none)'} than in "
            f"{diagnosis.settings.baseline or '(none)'}: {told} (n = {words.count(n)})",
            {**evidence, "p_adjusted": min(each.p for each in worse), "consequences": []},
            max(each.ratio for each in worse),
        )
    ]


def _numbers(role: str, rises: list[Rise]) -> dict[str, Any]:
    """Every number of both versions, with the interval of its change."""
    return {
        name: value
        for each in rises
        for name, value in (
            (f"{role}_{each.name}", each.candidate.value),
            (f"{role}_{each.name}_baseline", each.baseline.value),
            (f"{role}_{each.name}_change_ci", [each.change.lower, each.change.upper]),
        )
    }


def _told(rises: list[Rise], names: dict[str, str]) -> str:
    return words.listing([f"{names[each.name]} {_against(each)}" for each in rises])


def _against(rise: Rise) -> str:
    change = "" if np.isnan(rise.ratio) else f" ({_change(rise)})"
    return f"{rise.candidate.value:.4g} against {rise.baseline.value:.4g}{change}"


def _change(rise: Rise) -> str:
    return f"{rise.ratio - 1:+.0%}".replace("%", " %").replace("-", "−")


LATENCY_REGRESSION = Check(
    code="H-F22",
    name="latency-regression",
    reference="H-F22. Share of the candidate's rows above the baseline's median and 95 % quantile of the latency "
    "column, Fisher's exact one-sided test, counted in effective rows, by how much more windows differ than rows "
    "do by chance; Bonferroni over both. Of each cohort value too, in which it has to rise by more than in the rest, "
    "normal test of the ratio of both rises in effective rows; Bonferroni over all values",
    minimum_effect="a median at least 10 % or a 95th percentile at least 20 % above the baseline's; 100 rows of each; "
    "a cohort is named where its rise is as much larger than the rest's",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="The candidate is a heavier model, computes or fetches more features, or runs on other or busier machines.",
    remedy="Compare the two under the same load; profile the slow requests, and weigh what the quality gained is "
    "worth.",
    topic="home",
    function=check_latency_regression,
)

COST_REGRESSION = Check(
    code="H-F22",
    name="cost-regression",
    reference="H-F22. Mean of the cost column, candidate against baseline, normal one-sided test, counted in "
    "effective rows, by how much more windows differ than rows do by chance",
    minimum_effect="a mean at least 10 % above the baseline's; 100 rows of each",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="The candidate is a heavier model, reads or calls more for each prediction, or serves costlier requests "
    "than before.",
    remedy="Compare the two on the same requests, and weigh what the quality gained is worth.",
    topic="home",
    function=check_cost_regression,
)
