"""H-F9: findings of cohorts with more margin violations, one for each column or crossing of two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib.checks import words
from lib.checks.beginnings import REMEDY, find_beginning
from lib.checks.class_mix import ClassMix
from lib.checks.cohort_disparity import LEAST_EXCESS, LEAST_ROWS, LISTED, Disparity, Worse, find_disparities
from lib.checks.crossings import Crossed, find_crossed
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.checks.separation import Part, cells_of
from lib.metrics.margins import violation_rate
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LARGE_EXCESS = 0.2
MIX_CAUSE = (
    "More of its rows are of the class that is violated more often: within the classes most of the difference is gone."
)
MIX_REMEDY = (
    "Compare this group class by class, and give it a threshold of its own where errors of one class cost more."
)
NAMED = 3


def check_cohort_disparity(diagnosis: Diagnosis) -> Answer:
    """Warn of each column with a cohort whose violation rate is above the rest's.

    Versions in which it is the same cohorts have one cause: one finding for them all.
    """
    facts = diagnosis.facts
    if not facts.cohorts:
        return NotApplicable("There is no cohort column.")
    if diagnosis.cells(VERSION).margins.n.sum() < 2 * LEAST_ROWS:
        return NotApplicable("Too few rows have both a label and a score.")
    disparities = find_disparities(diagnosis)
    if disparities.n_tested == 0:
        return NotApplicable(f"No cohort has {LEAST_ROWS} labelled rows and others to compare with.")
    alike: dict[tuple[str, frozenset[str]], list[Disparity]] = {}
    told = _told_of_crossings(diagnosis)
    for number, each in enumerate(disparities.found):
        if not each.explained and number not in told:
            alike.setdefault((each.column, frozenset(value.value for value in each.values)), []).append(each)
    crossed = [_finding_of_crossing(diagnosis, each) for each in find_crossed(diagnosis) if _is_own(each)]
    if alike or crossed:
        return [*(_finding(diagnosis, each, disparities.n_tested) for each in alike.values()), *crossed]
    explained = ", beyond what other findings explain" if disparities.found else ""
    explained += words.together(diagnosis.facts, disparities.n_rare)
    return Passed(
        f"No cohort's violation rate is {100 * LEAST_EXCESS:g} points above the rest's{explained}, for certain among "
        f"the {words.count(disparities.n_tested)} that are compared, each version by itself.",
        {"n_cohorts": disparities.n_tested, "margin_target": diagnosis.settings.margin_target},
    )


def _is_own(crossed: Crossed) -> bool:
    """Whether a crossing is told here: neither reversed nor found by another search."""
    return crossed.source == "cohort" and not crossed.is_reversed


def _told_of_crossings(diagnosis: Diagnosis) -> set[int]:
    """Disparities, by number, that a crossing of two columns accounts for."""
    return {number for each in find_crossed(diagnosis) for source, number in each.found if source == "cohort"}


def _finding_of_crossing(diagnosis: Diagnosis, crossed: Crossed) -> Finding:
    """Rows of two cohorts at once, against the other rows of the first of the two."""
    crossing, margin_target = crossed.crossing, diagnosis.settings.margin_target
    here, rest = (violation_rate(each.rollup([]), margin_target)[0] for each in (crossing.cells, crossing.rest))
    where, (column, value) = Where(crossing.cohort), crossing.part.cohorts[0]
    place = words.place(crossed.version, where, diagnosis.facts) + crossing.apart.words
    begun = find_beginning(diagnosis, crossed.version, where.cohort)
    return Finding(
        Status.WARN,
        crossed.version,
        where,
        f"More margin violations{place}: {words.percent(here.value)} against {words.percent(rest.value)} in the rest "
        f"of {column} = {value or '(none)'} (n = {words.count(here.n)})",
        {
            "n": int(here.n),
            "margin_target": margin_target,
            "violation_rate": here.value,
            "violation_rate_ci": [here.lower, here.upper],
            "violation_rate_rest": rest.value,
            "p_adjusted": max(crossed.p, crossing.p),
            "versions": list(crossed.versions),
            **crossing.apart.evidence,
            **({} if begun is None else begun.evidence),
            "consequences": [],
        },
        here.value - rest.value,
        cause="" if begun is None else begun.cause,
        remedy="" if begun is None else REMEDY,
    )


def _finding(diagnosis: Diagnosis, alike: list[Disparity], n_tested: int) -> Finding:
    """One column in one version, or in several with the same cohorts: told of that in which it is the worst."""
    disparity = max(alike, key=lambda each: each.values[0].excess[1])
    worst = disparity.values[0]
    where = Where({disparity.column: worst.value})
    others = [value.value or "(none)" for value in disparity.values[1:]]
    also = f"; also {words.listing(others, NAMED)}" if others else ""
    version = disparity.version if len(alike) == 1 else None
    begun = find_beginning(diagnosis, version, where.cohort)
    own = cells_of(diagnosis, Part((disparity.version,), tuple(where.cohort.items())))
    rest = cells_of(diagnosis, Part((disparity.version,))).without(own)
    mix = ClassMix.of(own, rest, diagnosis.settings.margin_target)
    is_mix = mix.is_most and begun is None
    return Finding(
        Status.FAIL if worst.excess[1] >= LARGE_EXCESS and not is_mix else Status.WARN,
        version,
        where,
        f"More margin violations{_rates(diagnosis, alike, where)}{also}{mix.words if is_mix else ''}",
        {
            "n": worst.n,
            "margin_target": diagnosis.settings.margin_target,
            "violation_rate": worst.rate,
            "violation_rate_ci": list(worst.interval),
            "violation_rate_rest": worst.rest,
            "excess": worst.excess[0],
            "excess_ci": list(worst.excess[1:]),
            "p_adjusted": worst.p_adjusted,
            "n_cohorts": n_tested,
            "values": _listed(disparity),
            "versions": [{"version": each.version, "values": _listed(each)} for each in alike],
            "share_from_class_mix": mix.share,
            "positive_share": mix.positive_share[0],
            "positive_share_reference": mix.positive_share[1],
            **({} if begun is None else begun.evidence),
            "consequences": [],
        },
        worst.excess[1],
        Severity.INFO if is_mix else None,
        cause=MIX_CAUSE if is_mix else "" if begun is None else begun.cause,
        remedy=MIX_REMEDY if is_mix else "" if begun is None else REMEDY,
    )


def _rates(diagnosis: Diagnosis, alike: list[Disparity], where: Where) -> str:
    """The place, and the rate of its cohort against the rest in each version."""
    ((_column, value),) = where.cohort.items()
    own = [next(each for each in disparity.values if each.value == value) for disparity in alike]
    if len(alike) == 1:
        (only,) = own
        place = words.place(alike[0].version, where, diagnosis.facts)
        return f"{place}: {_against(only)} in the rest (n = {words.count(only.n)})"
    said = [
        f"{_against(each)} in version {disparity.version or '(none)'} (n = {words.count(each.n)})"
        for each, disparity in zip(own, alike, strict=True)
    ]
    return f"{words.place(None, where, diagnosis.facts)} than in the rest: {words.listing(said)}"


def _against(worse: Worse) -> str:
    return f"{words.percent(worse.rate)} against {words.percent(worse.rest)}"


def _listed(disparity: Disparity) -> list[dict[str, Any]]:
    return [
        {
            "value": each.value,
            "n": each.n,
            "violation_rate": each.rate,
            "excess": each.excess[0],
            "p_adjusted": each.p_adjusted,
        }
        for each in disparity.values[:LISTED]
    ]


def explained_sentences(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    """(version, sentence) for each disparity that the rows of another finding account for."""
    if not diagnosis.facts.cohorts:
        return []
    told = _told_of_crossings(diagnosis)
    return [
        (
            each.version,
            f"violation rate for {each.column} = {each.values[0].value or '(none)'} in version "
            f"{each.version or '(none)'}: {words.percent(each.values[0].rate)} against "
            f"{words.percent(each.values[0].rest)} in the rest",
        )
        for number, each in enumerate(find_disparities(diagnosis).found)
        if each.explained or number in told
    ]


COHORT_DISPARITY = Check(
    code="H-F9",
    name="cohort-disparity",
    reference="H-F9. Violation rate of a cohort value against the rest of its version, Fisher's exact one-sided "
    "test, Holm over all cohort columns, values and shown versions; rarer values are screened by "
    "counts at the step of 0.1 below γ, and those found are tested by their rows, Bonferroni. Where its wrong "
    "answers lie in one value of another column, the crossing is named, as for `noisy-labels`. Where the rate rose "
    "at a deploy (an onset, as on Monitoring), for certain by more than that of all rows, that is said, and to roll "
    "back. Without the rows of what other checks name, and of the cohorts and crossings that answer worse than in the "
    "baseline. Where another mix of the classes makes half of the difference or more, it is information",
    minimum_effect="at least 5 points above the rest; cohorts of at least 30 labelled rows",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="The model serves this group worse than the others: too few or unlike examples of it in training, "
    "features that mean something else there, or another balance of the classes.",
    remedy="Rebalance the training data, look at the features that matter in this group, or set its own threshold.",
    topic="cohorts",
    function=check_cohort_disparity,
)
