"""A report laid out in the order in which an engineer on call would ask."""

from __future__ import annotations

from lib.checks import says_worse
from lib.figures.format import format_count, format_plural, format_time, format_verdicts
from lib.figures.text import MISSING
from lib.metrics.recalibration_maps import recalibrated_words
from lib.reports.change_table import change_table
from lib.reports.cohort_tables import cohorts_table, slices_table
from lib.reports.comparison import Comparison
from lib.reports.finding_texts import checked_texts, finding_texts, slices_text, verdict_words
from lib.reports.input_tables import inputs_table, mapping_table, rejected_table
from lib.reports.outline import Outline
from lib.reports.report import Report
from lib.reports.training import TrainingReport
from lib.reports.training_table import training_table
from lib.reports.version_tables import calibration_table, classes_table, parts_table, versions_table
from lib.sources.columns import join_names


def build_outline(report: Report | TrainingReport) -> Outline:
    """Lay a report out."""
    checks = report.checks
    if isinstance(report, TrainingReport):
        subject, provenance = _training_subject(report), f"Marginalia {report.product_version}"
        tables = [training_table(report.training)]
        # What is about predictions is not what was asked.
        checks = [result for result in checks if result.topic == "training"]
    else:
        subject, provenance = _subject(report), _provenance(report)
        tables = [versions_table(report), change_table(report), calibration_table(report), classes_table(report)]
        tables += [
            parts_table(report),
            cohorts_table(report),
            slices_table(report),
            training_table(report.training),
            inputs_table(report),
            mapping_table(report),
            rejected_table(report),
        ]
    findings = [result for result in checks if result.is_finding]
    compared = unsearched = ""
    if isinstance(report, Report) and report.slices is None:
        unsearched = slices_text(report.facts)
    if isinstance(report, Report) and not says_worse(findings):
        compared = _compared(report.comparison, has_findings=bool(findings))
    return Outline(
        subject=subject,
        verdict=f"Findings: {verdict_words(findings)}",
        compared=compared,
        findings=finding_texts(findings),
        checked=(*checked_texts(checks), *filter(None, [unsearched])),
        tables=tuple(table for table in tables if table is not None),
        provenance=provenance,
    )


def _subject(report: Report) -> str:
    facts, settings = report.facts, report.settings
    words = [
        facts.name,
        format_plural(facts.n_rows, "row"),
        format_plural(len(report.versions), "version"),
        f"γ = {settings.margin_target:g}",
    ]
    if facts.first is not None and facts.last is not None:
        words.append(f"{format_time(facts.first, 60)} to {format_time(facts.last, 60)}")
    return " · ".join(words)


def _training_subject(report: TrainingReport) -> str:
    training = report.training
    values = sum(each.n_values for each in training.histories)
    files = [each.name for each in training.histories]
    words = [join_names(files, 4), format_plural(len(training.runs), "run"), f"{format_count(values)} values"]
    return " · ".join(words)


def _compared(comparison: Comparison, *, has_findings: bool) -> str:
    """In how many numbers the candidate is better or worse, by however little; empty for one version."""
    verdicts = [comparison.verdicts[name] for name in comparison.p_values]
    names = (comparison.baseline or MISSING, comparison.candidate or MISSING)
    return format_verdicts(*names, verdicts, has_findings=has_findings)


def _provenance(report: Report) -> str:
    facts, settings = report.facts, report.settings
    words = [
        f"Marginalia {report.product_version}",
        f"dataset {facts.key}",
        f"baseline {settings.baseline or MISSING}",
        f"candidate {settings.candidate or MISSING}",
        f"γ = {settings.margin_target:g}",
    ]
    if settings.recalibration is not None:
        words.append(recalibrated_words(settings.recalibration))
    if facts.windows is not None:
        words.append(f"windows of {facts.windows.words}")
    return " · ".join(words)
