"""The tables of a report that name the worst cohorts and slices."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from lib.figures.format import (
    format_change,
    format_count,
    format_estimate,
    format_p,
    format_plural,
    format_share,
    format_value,
)
from lib.figures.text import MISSING
from lib.metrics.catalogue import metric_named
from lib.reports.cohorts import CohortNumbers
from lib.reports.number_words import value_with_interval, value_words
from lib.reports.outline import WORST_COHORTS, Column, Table
from lib.reports.report import Report


def cohorts_table(report: Report) -> Table | None:
    """The cohorts whose excess over the rest is large beyond doubt, worst first; the small ones only counted."""
    if not report.cohorts:
        return None
    violations = metric_named("violation_rate")
    usable = [row for row in report.cohorts if not row.is_small and not math.isnan(row.excess.lower)]
    worst = sorted(usable, key=lambda row: -row.excess.lower)[:WORST_COHORTS]
    columns = (
        Column("Cohort", is_number=False, is_data=True),
        Column("Version", is_number=False, is_data=True),
        Column("Rows"),
        Column("Violation rate\nand 95 % interval"),
        Column("Rest", is_extra=True),
        Column("Excess over the\nrest at least"),
        Column("Adjusted\np", is_extra=True),
    )
    rows = tuple(
        (
            f"{row.column} = {row.value or MISSING}",
            row.version or MISSING,
            format_count(row.numbers.n),
            value_with_interval(row.violation_rate, violations),
            value_words(row.rest, violations),
            format_change(row.excess.lower, violations.unit),
            format_p(row.p_adjusted),
        )
        for row in worst
    )
    return Table("Worst cohorts", columns, rows, tuple(_cohort_notes(report.cohorts, usable, len(worst))))


def slices_table(report: Report) -> Table | None:
    """The slices that were confirmed, where they were asked for, those that explain most first."""
    view = report.slices
    if view is None:
        return None
    columns = (
        Column("Slice", is_number=False, is_data=True),
        Column(view.rows.capitalize()),
        Column(f"{view.label}\nand 95 % interval"),
        Column("Rest", is_extra=True),
        Column("Excess over\nthe rest"),
        *([Column("In the baseline", is_extra=True)] if view.found.query.baseline else []),
        Column("Explains", is_extra=True),
    )
    rows = tuple(
        (
            name,
            format_count(each.n),
            format_estimate(each.value, view.unit),
            format_value(each.rest.value, view.unit),
            format_change(each.excess.value, view.unit),
            *([] if each.before is None else [format_change(each.before.value, view.unit)]),
            format_share(each.explained),
        )
        for name, each in zip(view.names(), view.slices, strict=True)
    )
    return Table(f"Worst slices of {view.found.query.version}", columns, rows, (f"{view.title()}.", *view.notes()))


def _cohort_notes(rows: Sequence[CohortNumbers], usable: Sequence[CohortNumbers], shown: int) -> Iterable[str]:
    if shown:
        whole = format_plural(len(rows), "cohort and version", "cohorts and versions")
        yield f"{format_count(shown)} of {whole}, by the lower bound of their excess over the rest of their version."
    if small := sum(row.is_small for row in rows):
        yield f"{format_plural(small, 'cohort')} with too few labelled rows left out."
    reasons: dict[str, int] = {}
    for row in rows:
        if not row.is_small and row not in usable:
            reason = row.violation_rate.reason or row.excess.reason or "no interval"
            reasons[reason] = reasons.get(reason, 0) + 1
    for reason, number in reasons.items():
        yield f"{format_plural(number, 'cohort')} undefined: {reason}."
