"""The tables of a report with a row for each version, or for each part of one."""

from __future__ import annotations

import math

from lib.figures.format import format_count, format_loss, format_plural, format_share
from lib.figures.text import MISSING
from lib.figures.training_rows import fitted_words
from lib.metrics.calibration import BINS
from lib.metrics.catalogue import metric_named
from lib.metrics.recalibration_maps import MAP_LABELS, recalibrated_words
from lib.reports.number_words import notes_on_numbers, value_with_interval, value_words
from lib.reports.outline import Column, Table
from lib.reports.report import Report
from lib.reports.versions import VersionNumbers
from lib.scan.ids import TRAIN_SPLITS

OVERVIEW = ("average_hinge_loss", "median_margin", "roc_auc", "accuracy")
SHORT = {
    "average_hinge_loss": "Hinge\nloss",
    "average_logistic_loss": "Logistic\nloss",
    "median_margin": "Median\nmargin",
    "roc_auc": "ROC\nAUC",
    "accuracy": "Accuracy",
    "log_loss": "Log\nloss",
}
WORST_CLASSES = 20


def versions_table(report: Report) -> Table:
    """A row for each version with the numbers that matter."""
    marked = report.settings.recalibration
    has_probabilities = report.facts.mapping.score_kind.is_probabilistic or marked is not None
    last = "log_loss" if has_probabilities else "average_logistic_loss"
    violations = metric_named("violation_rate")
    metrics = [metric_named(name) for name in (*OVERVIEW, last)]
    columns = [
        Column("Version", is_number=False, is_data=True),
        Column("Rows"),
        Column("Without\nlabel", is_extra=True),
        Column("Violation rate\nand 95 % interval"),
        *(Column(SHORT[metric.name], is_extra=place > 1) for place, metric in enumerate(metrics)),
    ]
    rows = tuple(
        (
            version.name or MISSING,
            format_count(version.whole.n),
            format_count(version.whole.n_unlabelled),
            value_with_interval(version.whole.metrics[violations.name], violations),
            *(value_words(version.whole.metrics[metric.name], metric) for metric in metrics),
        )
        for version in report.versions
    )
    numbers = [(version.name, version.whole) for version in report.versions]
    notes = notes_on_numbers(numbers, [violations, *metrics])
    if marked is not None:
        notes = (f"Log loss and what else needs a probability: {recalibrated_words(marked)}.", *notes)
    judged = [each for each in report.versions if each.name == report.settings.candidate]
    sentences = (said for each in judged for said in (each.thresholds.sentence, _fitted(each)))
    return Table("Versions", tuple(columns), rows, (*notes, *(said for said in sentences if said)))


def _fitted(version: VersionNumbers) -> str:
    """How many of its labelled rows a model was fitted to; "" where there are none."""
    split = next((name for name in version.splits if name.lower() in TRAIN_SPLITS), "")
    n = version.splits[split].metrics["violation_rate"].n if split else 0
    return fitted_words(version.name, split, n, version.whole.metrics["violation_rate"].n) if n else ""


def calibration_table(report: Report) -> Table | None:
    """Calibration of each version that has any."""
    told = [version for version in report.versions if not version.calibration.reason]
    if not told:
        return None
    brier, in_per_cent = metric_named("brier_score"), metric_named("accuracy")
    columns = (
        Column("Version", is_number=False, is_data=True),
        Column("Brier\nscore"),
        Column("Miscalibration\nin it"),
        Column("ECE and\n95 % interval"),
        Column("Floor"),
        Column("Debiased\nerror"),
        Column("Smooth\nECE", is_extra=True),
        Column("Slope", is_extra=True),
    )
    rows = tuple(
        (
            version.name or MISSING,
            format_loss(found.brier_score),
            format_loss(found.errors["brier_miscalibration"].estimate.value),
            value_with_interval(found.errors["expected_calibration_error"].told, in_per_cent),
            format_share(found.errors["expected_calibration_error"].floor),
            value_words(found.errors["debiased_calibration_error"].estimate, in_per_cent),
            value_words(found.errors["smooth_calibration_error"].estimate, in_per_cent),
            value_words(found.slope, brier),
        )
        for version in told
        for found in [version.calibration]
    )
    notes = [f"ECE and debiased error: {BINS} bins, of equal width and of equal mass. Floor: what chance gives ECE."]
    if report.settings.recalibration is not None:
        notes.append(f"Probabilities are {recalibrated_words(report.settings.recalibration)}.")
    notes += [
        f"Recommended for {version.name or MISSING}: {MAP_LABELS[best.name]}."
        for version in told
        if version.recalibration is not None and (best := version.recalibration.recommended) is not None
    ]
    return Table("Calibration", columns, rows, tuple(notes))


def parts_table(report: Report) -> Table | None:
    """Each version by class and split."""
    violations, hinge = metric_named("violation_rate"), metric_named("average_hinge_loss")
    rows: list[tuple[str, ...]] = []
    undefined: dict[str, None] = {}
    for version in report.versions:
        for label, word in (("-1", "class −1"), ("1", "class +1")):
            if label not in version.whole.violation_rate_by_class or version.one_vs_rest:
                continue
            each = version.whole.violation_rate_by_class[label]
            rate = value_with_interval(each, violations)
            rows.append((version.name or MISSING, word, format_count(each.n), rate, ""))
            if each.reason:
                undefined[f"Violation rate of {version.name or MISSING}, {word}, is undefined: {each.reason}."] = None
        for split, numbers in version.splits.items():
            each, part = numbers.metrics["violation_rate"], f"split {split or MISSING}"
            rows.append(
                (
                    version.name or MISSING,
                    part,
                    format_count(numbers.n),
                    value_with_interval(each, violations),
                    value_words(numbers.metrics[hinge.name], hinge),
                )
            )
            if each.reason:
                undefined[
                    f"Violation rate of {version.name or MISSING}, split {split}, is undefined: {each.reason}."
                ] = None
    columns = (
        Column("Version", is_number=False, is_data=True),
        Column("Part", is_number=False, is_data=True),
        Column("Rows"),
        Column("Violation rate\nand 95 % interval"),
        Column("Hinge\nloss"),
    )
    has_splits = any(version.splits for version in report.versions)
    if not has_splits:
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    title = "By split" if report.facts.mapping.is_multiclass else "By class and split" if has_splits else "By class"
    return Table(title, columns, tuple(rows), tuple(undefined)) if rows else None


def classes_table(report: Report) -> Table | None:
    """Each of several classes, those that are found least of all first."""
    listed = [
        (version, name, found["recall"].value if found["recall"].is_defined else math.inf)
        for version in report.versions
        for name, found in version.one_vs_rest.items()
    ]
    if not listed:
        return None
    shown = sorted(listed, key=lambda each: each[2])[:WORST_CLASSES]
    violations = metric_named("violation_rate")
    metrics = [metric_named(name) for name in ("recall", "precision", "roc_auc")]
    columns = (
        Column("Class", is_number=False, is_data=True),
        Column("Version", is_number=False, is_data=True),
        Column("Rows"),
        Column("Violation\nrate"),
        *(Column(metric.label, is_extra=place > 1) for place, metric in enumerate(metrics)),
    )
    rows = tuple(
        (
            name,
            version.name or MISSING,
            format_count(version.one_vs_rest[name]["recall"].n),
            value_words(version.whole.violation_rate_by_class[name], violations),
            value_with_interval(version.one_vs_rest[name]["recall"], metrics[0]),
            *(value_words(version.one_vs_rest[name][metric.name], metric) for metric in metrics[1:]),
        )
        for version, name, _recall in shown
    )
    whole = format_plural(len(listed), "class and version", "classes and versions")
    notes = [f"{len(shown)} of {whole}, lowest recall first."]
    return Table("Classes", columns, rows, tuple(notes))
