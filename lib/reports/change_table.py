"""The table of a report that holds the candidate against the baseline."""

from __future__ import annotations

from lib.figures.format import (
    NO_BREAK,
    UNDEFINED,
    format_change,
    format_count,
    format_family,
    format_plural,
    format_scales,
)
from lib.figures.text import MISSING
from lib.metrics.catalogue import METRICS, Metric, metric_named
from lib.metrics.estimates import Estimate
from lib.reports.comparison import Comparison
from lib.reports.number_words import notes_on_numbers, value_words
from lib.reports.outline import Column, Table
from lib.reports.report import Report
from lib.reports.version_tables import versions_table


def change_table(report: Report) -> Table | None:
    """Every metric of the baseline and of the candidate, its change, and how it is judged; None for one version."""
    comparison = report.comparison
    found = {version.name: version.whole for version in report.versions}
    if not comparison.deltas or not {comparison.baseline, comparison.candidate} <= set(found):
        return None
    before, after = found[comparison.baseline], found[comparison.candidate]
    rows: list[tuple[str, ...]] = []
    for metric in METRICS:
        change = comparison.deltas[metric.name]
        old, new = before.metrics[metric.name], after.metrics[metric.name]
        if not old.is_defined and not new.is_defined:
            continue
        rows.append(
            (
                metric.label,
                value_words(old, metric),
                value_words(new, metric),
                _with_change_interval(change, metric),
                comparison.verdicts[metric.name],
            )
        )
    paired = any(change.is_paired for change in comparison.changes.values())
    columns = (
        Column("Metric", is_number=False),
        Column(comparison.baseline or MISSING, is_data=True),
        Column(comparison.candidate or MISSING, is_data=True),
        Column(f"Change and 95 % interval,\n{'paired' if paired else 'unpaired'}"),
        Column("", is_number=False),
    )
    notes = notes_on_numbers([(comparison.baseline, before), (comparison.candidate, after)], METRICS)
    said = [_pairing(comparison)]
    if comparison.p_values:
        said.append(f"{format_family(len(comparison.p_values))} Each interval is of its number alone.")
    if "not comparable" in comparison.verdicts.values():
        said.append(
            format_scales(comparison.baseline or MISSING, comparison.candidate or MISSING, comparison.scale_ratio)
        )
    shown = set(versions_table(report).notes)
    return Table(
        f"Change from {comparison.baseline or MISSING} to {comparison.candidate or MISSING}",
        columns,
        tuple(rows),
        (*said, *(note for note in notes if note not in shown)),
    )


def _pairing(comparison: Comparison) -> str:
    """Whether changes are paired, and what became of the rows that are in both, in a sentence or two."""
    flips = comparison.flips
    if flips is None:
        why = comparison.why_unpaired
        reason = f" {why[:1].upper()}{why[1:]}." if why else ""
        return f"Changes are unpaired: the two versions are taken as independent samples.{reason}"
    left = [
        metric_named(name).label
        for name, change in comparison.changes.items()
        if change.estimate.is_defined and not change.is_paired
    ]
    said = f"Changes are paired by id, on {format_plural(flips.n, 'row')} in both."
    if flips.n_labelled:
        said += (
            f" Of {format_plural(flips.n_labelled, 'labelled row')}, {format_count(flips.fixed)} were fixed and "
            f"{format_count(flips.broken)} broken (McNemar's exact p = {flips.p:.2g})."
        )
    return f"{said} Unpaired: {', '.join(left)}." if left else said


def _with_change_interval(change: Estimate, metric: Metric) -> str:
    """A change with its interval and the unit said once: "+6.5 points (+5.5 to +7.5)"."""
    if not change.is_defined:
        return UNDEFINED
    value, *ends = (
        format_change(each, metric.unit).removesuffix("points").rstrip()
        for each in (change.value, change.lower, change.upper)
    )
    unit = f"{NO_BREAK}points" if metric.unit == "share" else ""
    return f"{value}{unit}" + (f" ({' to '.join(ends)})" if UNDEFINED not in ends else "")
