"""What a person reads of a report, in the order in which an engineer on call would ask, laid out for no medium yet.

Text and Markdown are two renderings of the same outline, so they cannot show different numbers. Every text here may
hold words from data: a renderer makes all of them harmless.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lib.checks import CheckResult, Severity, Status, says_worse
from lib.checks.training_runs import TrainingLook
from lib.checks.words import problem
from lib.figures.format import (
    NO_BREAK,
    UNDEFINED,
    format_bound,
    format_change,
    format_count,
    format_estimate,
    format_family,
    format_interval,
    format_loss,
    format_plural,
    format_scales,
    format_share,
    format_time,
    format_value,
    format_verdicts,
)
from lib.figures.training_rows import fitted_words
from lib.figures.training_view import curve_rows
from lib.metrics.calibration import BINS
from lib.metrics.catalogue import METRICS, Metric, metric_named
from lib.metrics.estimates import Estimate
from lib.metrics.recalibration_maps import MAP_LABELS, recalibrated_words
from lib.reports.report import CohortNumbers, Comparison, Numbers, Report, VersionNumbers
from lib.reports.training import TrainingReport
from lib.scan import PROBLEMS, STRUCTURAL
from lib.scan.ids import TRAIN_SPLITS
from lib.schema import SINGLE_ROLES
from lib.sources.columns import join_names
from lib.sources.names import EXACT, match_role
from lib.sources.training import Training

OVERVIEW = ("average_hinge_loss", "median_margin", "roc_auc", "accuracy")
SHORT = {
    "average_hinge_loss": "Hinge\nloss",
    "average_logistic_loss": "Logistic\nloss",
    "median_margin": "Median\nmargin",
    "roc_auc": "ROC\nAUC",
    "accuracy": "Accuracy",
    "log_loss": "Log\nloss",
}
WORST_COHORTS = 10
WORST_CLASSES = 20
MISSING = "(missing)"
SENTENCE_LIMIT = 4_000
MOST_CURVES = 40
MOST_UNUSED = 6
"""Columns without a role that are named, each with the reason."""


@dataclass(frozen=True)
class Column:
    """A column: `is_data` where its cells are words from data; narrow media may leave `is_extra` ones out."""

    title: str
    is_number: bool = True
    is_data: bool = False
    is_extra: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its title and what has to be said beneath it."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FindingText:
    """One finding: its badge, the sentence, what follows from it, what it means, what to do.

    Of several findings of one check only the first says the last two; they are empty in the others.
    """

    badge: str
    name: str
    title: str
    consequences: tuple[str, ...]
    explanation: str
    remedy: str


@dataclass(frozen=True)
class Outline:
    """What is told in words: of what, the verdict, findings, what else was checked, tables, and where it comes from."""

    subject: str
    verdict: str
    compared: str
    findings: tuple[FindingText, ...]
    checked: tuple[str, ...]
    tables: tuple[Table, ...]
    provenance: str


def build_outline(report: Report | TrainingReport) -> Outline:
    """Lay a report out."""
    checks = report.checks
    if isinstance(report, TrainingReport):
        subject, provenance = _training_subject(report), f"Marginalia {report.product_version}"
        tables = [_training(report.training)]
        # What is about predictions is not what was asked.
        checks = [result for result in checks if result.topic == "training"]
    else:
        subject, provenance = _subject(report), _provenance(report)
        tables = [_versions(report), _change(report), _calibration(report), _classes(report)]
        tables += [
            _parts(report),
            _cohorts(report),
            _slices(report),
            _training(report.training),
            _inputs(report),
            _mapping(report),
            _rejected(report),
        ]
    findings = [result for result in checks if result.is_finding]
    compared = ""
    if isinstance(report, Report) and not says_worse(findings):
        compared = _compared(report.comparison, has_findings=bool(findings))
    return Outline(
        subject=subject,
        verdict=f"Findings: {verdict_words(findings)}",
        compared=compared,
        findings=finding_texts(findings),
        checked=tuple(checked_texts(checks)),
        tables=tuple(table for table in tables if table is not None),
        provenance=provenance,
    )


def harmless(text: str, limit: int = SENTENCE_LIMIT) -> str:
    """Text on one line without control and direction characters, shortened in the middle; no-break spaces stay."""
    encodable = text.encode("utf-8", "replace").decode()
    spaced = (" " if each.isspace() and each != NO_BREAK else each for each in encodable)
    kept = "".join(each for each in spaced if unicodedata.category(each) not in ("Cc", "Cf"))
    kept = " ".join(part for part in kept.split(" ") if part)
    return kept if len(kept) <= limit else f"{kept[: limit * 2 // 3 - 1]}…{kept[-(limit - limit * 2 // 3) :]}"


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


def _training(training: Training) -> Table | None:
    """The curves of which more or less is better: best, last, and the gap; and how the files were read."""
    if not training.histories:
        return None
    rows = [row for row in curve_rows(TrainingLook(training)) if row.summary.higher is not None]
    columns = (
        Column("Run", is_number=False, is_data=True),
        Column("Curve", is_number=False, is_data=True),
        Column("Split", is_number=False),
        Column("Values"),
        Column("Best", is_number=False),
        Column("Last"),
        Column("Gap\nat best"),
        Column("Gap\nat end", is_extra=True),
    )
    cells = tuple(
        (
            row.curve.run,
            row.curve.written,
            row.curve.split,
            format_count(row.summary.n),
            row.best_words or UNDEFINED,
            format_loss(row.summary.last),
            *("" if math.isnan(gap) else format_change(gap, "loss") for gap in row.gaps),
        )
        for row in rows[:MOST_CURVES]
    )
    notes = [each.reading for each in training.histories]
    if len(rows) > MOST_CURVES:
        notes.append(f"{format_plural(len(rows) - MOST_CURVES, 'more curve')} in the JSON.")
    return Table("Training", columns, cells, tuple(notes))


def verdict_words(findings: Sequence[CheckResult]) -> str:
    """How many findings there are of each severity."""
    if not findings:
        return "No findings."
    counted = [
        (sum(each.severity is severity for each in findings), word)
        for severity, word in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note"))
    ]
    return ", ".join(format_plural(count, word) for count, word in counted if count) + "."


def _compared(comparison: Comparison, *, has_findings: bool) -> str:
    """In how many numbers the candidate is better or worse, by however little; empty for one version."""
    verdicts = [comparison.verdicts[name] for name in comparison.p_values]
    names = (comparison.baseline or MISSING, comparison.candidate or MISSING)
    return format_verdicts(*names, verdicts, has_findings=has_findings)


def finding_texts(findings: Sequence[CheckResult]) -> tuple[FindingText, ...]:
    """Findings in words; what a check's mean and what to do is said with the first of them."""
    first = {result.name: result for result in reversed(findings)}
    return tuple(_finding(result, is_first=first[result.name] is result) for result in findings)


def _finding(result: CheckResult, *, is_first: bool) -> FindingText:
    badges = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.INFO: "NOTE"}
    return FindingText(
        badge=badges[result.severity],
        name=f"{result.name}, {result.code}" + ("" if is_first else "; what to do: as above"),
        title=result.title,
        consequences=tuple(str(each) for each in result.evidence.get("consequences") or ()),
        explanation=result.explanation if is_first else "",
        remedy=result.remedy if is_first else "",
    )


def checked_texts(checks: Iterable[CheckResult]) -> Iterable[str]:
    """A line for each check that found nothing."""
    for result in checks:
        if not result.is_finding:
            word = "passed" if result.status is Status.PASS else "not applicable"
            yield f"{result.name} ({result.code}) {word}: {result.title}"


def _with_interval(estimate: Estimate, metric: Metric) -> str:
    if not estimate.is_defined:
        return UNDEFINED
    around = format_interval(estimate.lower, estimate.upper, metric.unit)
    return format_value(estimate.value, metric.unit) + (f" ({around})" if around else "")


def _plain(estimate: Estimate, metric: Metric) -> str:
    return format_value(estimate.value, metric.unit) if estimate.is_defined else UNDEFINED


def _notes(numbers: Sequence[tuple[str, Numbers]], metrics: Sequence[Metric]) -> tuple[str, ...]:
    """Why numbers are undefined, and how far binning may have moved those that are not exact."""
    notes: list[str] = []
    for metric in metrics:
        reasons: dict[str, list[str]] = {}
        for name, each in numbers:
            if reason := each.metrics[metric.name].reason:
                reasons.setdefault(reason, []).append(name or MISSING)
        for reason, names in reasons.items():
            where = "" if len(names) == len(numbers) else f" in {', '.join(names)}"
            notes.append(f"{metric.label}{where} is undefined: {reason}.")
        notes += [
            f"{metric.label} of {name or MISSING}: {format_value(found.value, metric.unit)}"
            f"{format_bound(found.bound, metric.unit)}."
            for name, each in numbers
            if (found := each.metrics[metric.name]).is_defined and found.bound > 0
        ]
    return tuple(notes)


def _versions(report: Report) -> Table:
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
            _with_interval(version.whole.metrics[violations.name], violations),
            *(_plain(version.whole.metrics[metric.name], metric) for metric in metrics),
        )
        for version in report.versions
    )
    numbers = [(version.name, version.whole) for version in report.versions]
    notes = _notes(numbers, [violations, *metrics])
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


def _calibration(report: Report) -> Table | None:
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
            _with_interval(found.errors["expected_calibration_error"].told, in_per_cent),
            format_share(found.errors["expected_calibration_error"].floor),
            _plain(found.errors["debiased_calibration_error"].estimate, in_per_cent),
            _plain(found.errors["smooth_calibration_error"].estimate, in_per_cent),
            _plain(found.slope, brier),
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


def _change(report: Report) -> Table | None:
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
                _plain(old, metric),
                _plain(new, metric),
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
    notes = _notes([(comparison.baseline, before), (comparison.candidate, after)], METRICS)
    said = [_pairing(comparison)]
    if comparison.p_values:
        said.append(f"{format_family(len(comparison.p_values))} Each interval is of its number alone.")
    if "not comparable" in comparison.verdicts.values():
        said.append(
            format_scales(comparison.baseline or MISSING, comparison.candidate or MISSING, comparison.scale_ratio)
        )
    shown = set(_versions(report).notes)
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


def _parts(report: Report) -> Table | None:
    """Each version by class and split."""
    violations, hinge = metric_named("violation_rate"), metric_named("average_hinge_loss")
    rows: list[tuple[str, ...]] = []
    undefined: dict[str, None] = {}
    for version in report.versions:
        for label, word in (("-1", "class −1"), ("1", "class +1")):
            if label not in version.whole.violation_rate_by_class or version.one_vs_rest:
                continue
            each = version.whole.violation_rate_by_class[label]
            rows.append((version.name or MISSING, word, format_count(each.n), _with_interval(each, violations), ""))
            if each.reason:
                undefined[f"Violation rate of {version.name or MISSING}, {word}, is undefined: {each.reason}."] = None
        for split, numbers in version.splits.items():
            each, part = numbers.metrics["violation_rate"], f"split {split or MISSING}"
            rows.append(
                (
                    version.name or MISSING,
                    part,
                    format_count(numbers.n),
                    _with_interval(each, violations),
                    _plain(numbers.metrics[hinge.name], hinge),
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


def _classes(report: Report) -> Table | None:
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
            _plain(version.whole.violation_rate_by_class[name], violations),
            _with_interval(version.one_vs_rest[name]["recall"], metrics[0]),
            *(_plain(version.one_vs_rest[name][metric.name], metric) for metric in metrics[1:]),
        )
        for version, name, _recall in shown
    )
    whole = format_plural(len(listed), "class and version", "classes and versions")
    notes = [f"{len(shown)} of {whole}, lowest recall first."]
    return Table("Classes", columns, rows, tuple(notes))


def _cohorts(report: Report) -> Table | None:
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
            _with_interval(row.violation_rate, violations),
            _plain(row.rest, violations),
            format_change(row.excess.lower, violations.unit),
            format_p(row.p_adjusted),
        )
        for row in worst
    )
    return Table("Worst cohorts", columns, rows, tuple(_cohort_notes(report.cohorts, usable, len(worst))))


def _slices(report: Report) -> Table | None:
    """The slices that were confirmed, where they were asked for, those that explain most first."""
    view = report.slices
    if view is None:
        return None
    columns = (
        Column("Slice", is_number=False, is_data=True),
        Column("Rows"),
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


def format_p(p: float) -> str:
    """A p-value: "0.032", "<0.001"."""
    if math.isnan(p):
        return UNDEFINED
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _inputs(report: Report) -> Table:
    columns = (
        Column("Input", is_number=False, is_data=True),
        Column("Records"),
        Column("Rejected"),
        Column("SHA-256", is_number=False, is_extra=True),
    )
    rows = tuple(
        (each.name, format_count(each.n_rows), format_count(each.n_rejected), each.sha256[:16])
        for each in report.facts.inputs
    )
    notes = [f"{each.name}: {note}" for each in report.facts.inputs for note in each.notes]
    if clipped := report.facts.n_clipped:
        rows_of = "row has a probability" if clipped == 1 else "rows have probabilities"
        notes.append(f"{format_count(clipped)} {rows_of} so near 0 or 1 that it is clipped, as scikit-learn does.")
    if report.facts.saved:
        notes.append("Read from saved cells: there are no rows to ask.")
    return Table("Inputs", columns, rows, tuple(notes))


def _mapping(report: Report) -> Table:
    mapping = report.facts.mapping
    read_as = {"score": f"{mapping.score_kind.value}"}
    if mapping.label_encoding is not None:
        positive, negative = (
            ", ".join(texts) for texts in (mapping.label_encoding.positive, mapping.label_encoding.negative)
        )
        read_as["label"] = f"positive: {positive}; negative: {negative}"
    if mapping.is_multiclass:
        read_as["score"] = f"{mapping.score_kind.value}, one for each of {len(mapping.classes)} classes"
        read_as["label"] = f"classes: {', '.join(mapping.class_names)}"
    if mapping.unlabelled:
        read_as["label"] += f"; no label: {', '.join(mapping.unlabelled)}"
    if mapping.time_format is not None:
        read_as["time"] = f"{mapping.time_format.pattern}, {mapping.time_format.timezone}"
    rows = [(role, column, read_as.get(role, "")) for role, column in mapping.roles().items()]
    rows += [("cohort", column, "") for column in mapping.cohorts]
    if mapping.features:
        rows.append(("feature", ", ".join(mapping.features), ""))
    columns = (
        Column("Role", is_number=False),
        Column("Column", is_number=False, is_data=True),
        Column("Read as", is_number=False, is_data=True),
    )
    # Those first that are named like a role.
    unused = sorted(
        mapping.unused, key=lambda each: not any(match_role(each[0], role) == EXACT for role in SINGLE_ROLES)
    )
    notes = [f"Without a role: {column} ({reason})." for column, reason in unused[:MOST_UNUSED]]
    if len(unused) > MOST_UNUSED:
        notes.append(f"Without a role: {format_plural(len(unused) - MOST_UNUSED, 'more column', 'more columns')}.")
    return Table("Mapping", columns, tuple(rows), tuple(notes))


def _rejected(report: Report) -> Table | None:
    if not report.facts.problems:
        return None
    rows = tuple(
        (code, format_count(count), "yes" if code != STRUCTURAL and PROBLEMS[code][0] else "no", problem(code))
        for code, count in report.facts.problems.items()
    )
    columns = (
        Column("Problem", is_number=False),
        Column("Rows"),
        Column("Kept", is_number=False),
        Column("Reason", is_number=False),
    )
    return Table("Rows with a problem", columns, rows)


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
