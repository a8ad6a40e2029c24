"""A report on embeddings, laid out for a terminal and for a pull request."""

from __future__ import annotations

import math

from lib import __version__
from lib.embeddings.comparison import read_comparison
from lib.embeddings.drift_windows import read_drift_windows
from lib.embeddings.measures import (
    read_dimensions,
    read_drift,
    read_duplicates,
    read_geometry,
    read_leakage,
    read_triplets,
)
from lib.embeddings.recall_drop import has_truth, read_recall_drop
from lib.embeddings.retrieval import cohort_retrieval, read_retrieval
from lib.embeddings.saturation import read_saturation
from lib.figures.dimensions_view import ceiling_words
from lib.figures.drift_windows_view import DriftWindowsView
from lib.figures.format import (
    UNDEFINED,
    format_change,
    format_change_interval,
    format_count,
    format_estimate,
    format_p,
    format_plural,
    format_score,
    format_share,
)
from lib.figures.text import MISSING
from lib.metrics.dimensions import R_PRECISION
from lib.metrics.estimates import Estimate
from lib.metrics.retrieval import RETRIEVAL_MEASURES
from lib.metrics.triplets import shares_at
from lib.reports.embedding_version_json import MARGINS
from lib.reports.embeddings_json import EmbeddingReport
from lib.reports.finding_texts import checked_texts, finding_texts, verdict_words
from lib.reports.outline import WORST_COHORTS, Column, Outline, Table


def embeddings_outline(report: EmbeddingReport) -> Outline:
    """Lay a report on embeddings out."""
    data, settings = report.data, report.settings
    n = sum(vectors.n for vectors in data.versions.values())
    findings = [result for result in report.checks if result.is_finding]
    compared = f"{settings.candidate} against {settings.baseline}" if report.diagnosis.is_compared else ""
    tables = (
        _versions(report),
        _retrieval(report),
        _change(report),
        _hypotheses(report),
        _cohorts(report),
        _geometry(report),
        _leakage(report),
        _mapping(report),
        _inputs(report),
    )
    return Outline(
        subject=" · ".join(
            [
                data.name,
                format_plural(n, "vector"),
                f"{settings.distance.value} distance",
                f"k = {', '.join(map(str, settings.ks))}",
            ]
        ),
        verdict=f"Findings: {verdict_words(findings)}",
        compared=compared,
        findings=finding_texts(findings),
        checked=tuple(checked_texts(report.checks)),
        tables=tuple(table for table in tables if table is not None),
        provenance=" · ".join(
            [
                f"Marginalia {__version__}",
                f"dataset {data.key}",
                *(f"{each.name} sha256 {each.sha256[:10]}" for each in data.inputs[:4]),
            ]
        ),
    )


def _versions(report: EmbeddingReport) -> Table:
    columns = (
        Column("Version", is_number=False, is_data=True),
        Column("Vectors"),
        Column("Dimension"),
        Column("Stored as", is_number=False),
        Column("Index\nconsistency"),
    )
    rows = tuple(
        (
            name,
            format_count(vectors.n),
            format_count(vectors.dimension),
            vectors.stored_as,
            format_share(report.indexes[name].share),
        )
        for name, vectors in report.data.versions.items()
    )
    notes = [f"{name}: {problem.sentence}" for name, index in report.indexes.items() for problem in index.problems]
    return Table("Versions", columns, rows, tuple(notes))


def _retrieval(report: EmbeddingReport) -> Table | None:
    """A row for each measure and k, a column for each version."""
    found = {name: read_retrieval(report.diagnosis, name) for name in report.data.versions}
    known = {name: each for name, each in found.items() if each.ranked is not None}
    notes = [f"{name}: undefined: {each.reason}." for name, each in found.items() if each.ranked is None]
    if not known:
        return Table("Retrieval", (), (), tuple(notes))
    notes += [
        f"{name}: {format_count(each.n_queries)} queries, {format_count(each.n_unanswerable)} without a right answer."
        for name, each in known.items()
    ]
    rows = [
        (_named(measure.label, k), *(_estimate(each.overall.get((measure.name, k))) for each in known.values()))
        for measure in RETRIEVAL_MEASURES
        for k in (None, *report.settings.ks)
        if any((measure.name, k) in each.overall for each in known.values())
    ]
    columns = (Column("Measure", is_number=False), *(Column(name, is_data=True) for name in known))
    return Table("Retrieval", columns, tuple(rows), tuple(notes))


def _named(label: str, k: int | None) -> str:
    return label if k is None else label.replace("@k", f"@{k}") if "@k" in label else f"{label}, k = {k}"


def _estimate(estimate: Estimate | None) -> str:
    return UNDEFINED if estimate is None else format_estimate(estimate, "share")


def _change(report: EmbeddingReport) -> Table | None:
    if not report.diagnosis.is_compared:
        return None
    found = read_comparison(report.diagnosis)
    labels = {each.name: each.label for each in RETRIEVAL_MEASURES}
    rows = [
        (
            _named(labels[name], k),
            f"{format_change(change.value, 'share')} ({format_change_interval(change.lower, change.upper, 'share')})",
            found.judgements[name, k].word if (name, k) in found.judgements else "",
        )
        for (name, k), change in found.changes.items()
        if change.is_defined
    ]
    overlap = found.overlap_mean
    notes = [
        f"Of the {found.k} nearest both versions share {format_estimate(overlap, 'share')}; two versions that have "
        f"nothing in common {format_share(found.floor)}."
    ]
    if found.ledger is not None:
        ledger = found.ledger
        notes.append(
            f"Of {format_plural(len(ledger.first), 'paired query', 'paired queries')} "
            f"{format_count(ledger.is_lost.sum())} lost their right answer among the first {ledger.k}, "
            f"{format_count(ledger.is_gained.sum())} gained one (McNemar's p {format_p(ledger.p_value)})."
        )
    notes += _drift_notes(report)
    columns = (
        Column("Measure", is_number=False),
        Column("Change and 95 % interval,\npaired"),
        Column("", is_number=False),
    )
    return Table("Change", columns, tuple(rows), tuple(notes))


def _drift_notes(report: EmbeddingReport) -> list[str]:
    found = read_drift(report.diagnosis)
    said = {"all rows": found.rows, "the same ids": found.pairs, "the same ids, turned": found.turned}
    notes = [
        f"Drift of {name}: "
        + ", ".join(
            f"{each.measure.value.replace('_', ' ')} {format_score(each.value)} "
            f"(chance below {format_score(each.floor)})"
            for each in drift.measures
        )
        + "."
        for name, drift in said.items()
        if drift is not None and not all(each.reason for each in drift.measures)
    ]
    if found.reason:
        notes.append(f"Drift is undefined: {found.reason}.")
    windows = read_drift_windows(report.diagnosis)
    if windows is not None:
        notes.append(f"{DriftWindowsView.of(report.diagnosis, windows).sentence()}.")
    aligned = found.alignment
    if aligned is not None and not aligned.reason:
        notes.append(
            f"Next to the baseline the candidate is {aligned.space.value}: rows moved by "
            f"{format_score(aligned.total_displacement)} of the spread, by {format_score(aligned.total_residual)} once "
            "turned."
        )
    return notes


def _hypotheses(report: EmbeddingReport) -> Table | None:
    """What may have happened to recall, those confirmed first."""
    if not report.diagnosis.is_compared or not has_truth(report.diagnosis):
        return None
    history = read_recall_drop(report.diagnosis)
    order = ("confirmed", "undecided", "ruled_out")
    rows = tuple(
        (
            each.name,
            each.verdict.value.replace("_", " "),
            UNDEFINED if math.isnan(each.explains) else format_share(each.explains),
            each.sentence,
        )
        for each in sorted(history.drop.hypotheses, key=lambda each: order.index(each.verdict.value))
    )
    columns = (
        Column("Hypothesis", is_number=False),
        Column("Verdict", is_number=False),
        Column("Explains"),
        Column("Evidence", is_number=False, is_data=True),
    )
    notes = [
        f"If {each.text}: recall@{history.drop.k} {format_estimate(each.recall, 'share')}."
        for each in history.drop.counterfactuals
    ]
    hidden = read_saturation(report.diagnosis)
    first = () if hidden is None else (hidden.sentence,)
    return Table("What happened to recall", columns, rows, (*first, *history.drop.lost.sentences, *notes))


def _cohorts(report: EmbeddingReport) -> Table | None:
    """Recall of the candidate by cohort, lowest first."""
    version, k = report.settings.candidate, report.settings.k
    if read_retrieval(report.diagnosis, version).ranked is None:
        return None
    table = report.data.metadata[version]
    found = [
        (column, value, estimate)
        for column in report.data.roles.cohorts
        if column in table.column_names
        for own in [cohort_retrieval(report.diagnosis, version, column, "recall_at_k", k)]
        for value, estimate in zip(own.values, own.estimates, strict=True)
        if estimate.is_defined
    ]
    if not found:
        return None
    found.sort(key=lambda each: each[2].upper)
    rows = tuple(
        (column, value or MISSING, format_count(each.n), format_estimate(each, "share"))
        for column, value, each in found[:WORST_COHORTS]
    )
    columns = (
        Column("Cohort", is_number=False, is_data=True),
        Column("Value", is_number=False, is_data=True),
        Column("Queries"),
        Column(f"Recall@{k} and\n95 % interval"),
    )
    notes = (f"{len(rows)} of {len(found)}, by the upper bound of their recall.",) if len(found) > len(rows) else ()
    return Table(f"Cohorts of {version}", columns, rows, notes)


def _geometry(report: EmbeddingReport) -> Table:
    columns = (
        Column("Version", is_number=False, is_data=True),
        Column("Mean\nnorm"),
        Column("Mean\ncosine"),
        Column("Effective\ndimensions"),
        Column("Dead\ndimensions"),
        Column("Hubness\nskewness"),
        Column("Near\nduplicates", is_extra=True),
        Column("Smallest size that\nkeeps recall", is_number=False, is_extra=True),
    )
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    for name in report.data.versions:
        geometry = read_geometry(report.diagnosis, name)
        hubs = read_retrieval(report.diagnosis, name).hubness[-1]
        curve = read_dimensions(report.diagnosis, name)
        smallest = None if curve is None else curve.smallest.setting
        rows.append(
            (
                name,
                format_score(geometry.norms.mean.value),
                format_score(geometry.anisotropy.mean_cosine.value),
                format_score(geometry.spectrum.participation_ratio),
                format_count(geometry.spectrum.is_dead.sum()),
                format_score(hubs.skewness.value),
                format_count(read_duplicates(report.diagnosis, name).found.n_rows),
                UNDEFINED
                if curve is None or smallest is None or curve.is_at_ceiling
                else f"{smallest.dimension} x {smallest.precision.value} by {smallest.way.value}",
            )
        )
        if curve is not None and curve.measure == R_PRECISION:
            notes.append(f"{name}: {ceiling_words(curve, report.diagnosis.settings.k)}")
        triplets = read_triplets(report.diagnosis, name)
        if triplets is not None and len(triplets[0].triplet_margin):
            shares = shares_at(triplets[0], MARGINS[2])
            notes.append(
                f"{name}: of triplets {format_share(shares.hard.value)} are hard, "
                f"{format_share(shares.semi_hard.value)} semi-hard at a margin of {MARGINS[2]:g}."
            )
    return Table("Geometry", columns, tuple(rows), tuple(notes))


def _leakage(report: EmbeddingReport) -> Table | None:
    rows = tuple(
        (name, column, format_score(each.area), format_score(each.area_floor), format_count(each.n_used))
        for name in report.data.versions
        for column, each in read_leakage(report.diagnosis, name).items()
    )
    if not rows:
        return None
    columns = (
        Column("Version", is_number=False, is_data=True),
        Column("Sensitive column", is_number=False, is_data=True),
        Column("ROC AUC"),
        Column("Chance\nbelow"),
        Column("Rows"),
    )
    return Table("Leakage", columns, rows)


def _mapping(report: EmbeddingReport) -> Table:
    roles = report.data.roles
    rows = tuple((each.topic, each.choice, each.sentence) for each in roles.evidence)
    columns = (
        Column("Role", is_number=False),
        Column("Column", is_number=False, is_data=True),
        Column("Why", is_number=False, is_data=True),
    )
    cohorts = f"Cohorts: {', '.join(roles.cohorts)}." if roles.cohorts else "No column is a cohort."
    unused = [f"{column} is not used: {reason}." for column, reason in roles.unused]
    return Table("What the columns mean", columns, rows, (cohorts, *unused, *report.data.notes))


def _inputs(report: EmbeddingReport) -> Table:
    columns = (Column("File", is_number=False, is_data=True), Column("Holds", is_number=False), Column("Rows"))
    rows = tuple((each.name, each.kind, format_count(each.rows)) for each in report.data.inputs)
    notes = [note for each in report.data.inputs for note in each.notes]
    return Table("Files", columns, rows, tuple(notes))
