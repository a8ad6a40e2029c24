"""The overview: a row for each version with the metrics that matter, and the change against the baseline."""

from __future__ import annotations

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.format import (
    NO_BREAK,
    format_bound,
    format_change,
    format_count,
    format_family,
    format_interval,
    format_plural,
    format_scales,
    format_value,
)
from lib.figures.frame import provenance_line
from lib.figures.overview import plot_trend
from lib.figures.windows_view import WindowsView
from lib.metrics.estimates import Estimate
from lib.metrics.recalibration_maps import recalibrated_words
from lib.metrics.summary import Metric, metric_named
from lib.schema import VERSION, ScoreKind
from lib.ui.figure import current_look, show_figure
from lib.ui.findings import findings_of
from lib.ui.html import Cell, Column, show_note, show_table

PLAIN = ("violation_rate", "average_hinge_loss", "median_margin", "roc_auc", "accuracy", "recall", "precision")
MOST_VERSIONS = 12
"""With more versions than this only the two that are compared are shown at first."""
PROBABILITY = ("log_loss",)


def overview_metrics(kind: ScoreKind, *, is_recalibrated: bool = False) -> tuple[Metric, ...]:
    """The metrics that the overview shows; those of probabilities only where the score is one or a map makes one."""
    names = PLAIN + (PROBABILITY if kind.is_probabilistic or is_recalibrated else ("average_logistic_loss",))
    return tuple(metric_named(name) for name in names)


def show_overview(diagnosis: Diagnosis) -> None:
    """Draw the table: versions in their order, then the change from baseline to candidate.

    Of many versions the two that are compared stand there, and the others in a table that unfolds.
    """
    chosen = diagnosis.settings.recalibration
    metrics = overview_metrics(diagnosis.facts.mapping.score_kind, is_recalibrated=chosen is not None)
    present = set(diagnosis.versions.groups[VERSION].tolist())
    versions = [version for version in diagnosis.facts.versions if version in present]
    folded: list[str] = []
    if len(versions) > MOST_VERSIONS:
        folded = [version for version in versions if version not in diagnosis.shown_versions]
    rows = [_row(diagnosis, version, metrics) for version in versions if version not in folded]
    if diagnosis.is_compared:
        is_paired = any(diagnosis.paired_change(metric.name).is_paired for metric in metrics)
        rows.append(
            [
                Cell("Change", "paired by id" if is_paired else "unpaired"),
                Cell(""),
                *(_change(diagnosis, metric) for metric in metrics),
            ]
        )
    columns = [
        Column("Version"),
        Column("Rows", "Usable rows of this version that pass the filter"),
        *(Column(metric.label, metric.definition) for metric in metrics),
    ]
    show_table(columns, rows)
    if diagnosis.is_compared and diagnosis.change_p_values:
        show_note(f"{format_family(len(diagnosis.change_p_values))} Each interval is of its number alone.")
    if chosen is not None:
        show_note(f"{metric_named('log_loss').label}: {recalibrated_words(chosen)}.")
    if diagnosis.is_compared and any(diagnosis.verdict(metric.name) == "not comparable" for metric in metrics):
        settings = diagnosis.settings
        show_note(format_scales(settings.baseline, settings.candidate, diagnosis.scale_ratio))
    if folded:
        with st.expander(format_plural(len(folded), "other version")):
            show_table(columns, [_row(diagnosis, version, metrics) for version in folded])


def _row(diagnosis: Diagnosis, version: str, metrics: tuple[Metric, ...]) -> list[Cell]:
    summary = diagnosis.versions
    place: int = summary.groups[VERSION].tolist().index(version)
    unlabelled = summary.n[place] - summary.n_labelled[place]
    return [
        Cell(version, _part_of(diagnosis, version)),
        Cell(format_count(summary.n[place]), f"{format_count(unlabelled)} unlabelled" if unlabelled else "labelled"),
        *(estimate_cell(summary[metric.name][place], metric) for metric in metrics),
    ]


def overview_sentence(diagnosis: Diagnosis) -> str:
    """The one-sentence answer of the overview: how often the candidate violates the margin, and against what."""
    rate = metric_named("violation_rate")
    names = diagnosis.versions.groups[VERSION].tolist()
    candidate, baseline = diagnosis.settings.candidate, diagnosis.settings.baseline
    if candidate not in names:
        return f"No row of {candidate} passes the filter."
    estimate = diagnosis.versions[rate.name][names.index(candidate)]
    if not estimate.is_defined:
        return f"The violation rate of {candidate} is undefined: {estimate.reason}."
    gamma = f"{diagnosis.settings.margin_target:g}"
    said = (
        f"Version {candidate} keeps less than the margin γ = {gamma} in {format_value(estimate.value, rate.unit)} of "
        f"{format_plural(estimate.n, 'labelled row')}"
    )
    if not diagnosis.is_compared:
        return f"{said}."
    change = diagnosis.change(rate.name)
    if not change.is_defined:
        return f"{said}; the change against {baseline} is undefined: {change.reason}."
    if diagnosis.verdict(rate.name) == "not comparable":
        return f"{said}; that of version {baseline} is not comparable, its scores are on another scale."
    if not diagnosis.verdict(rate.name):
        return f"{said}; as a whole no difference from version {baseline} that chance could not make."
    return f"{said}: {format_change(change.value, rate.unit)} against version {baseline}."


def _part_of(diagnosis: Diagnosis, version: str) -> str:
    if not diagnosis.is_compared:
        return ""
    parts = {diagnosis.settings.baseline: "baseline", diagnosis.settings.candidate: "candidate"}
    return parts.get(version, "")


def estimate_cell(estimate: Estimate, metric: Metric) -> Cell:
    """A number with its interval beneath, or why there is none."""
    if not estimate.is_defined:
        return Cell("undefined", estimate.reason)
    around = format_interval(estimate.lower, estimate.upper, metric.unit)
    return Cell(format_value(estimate.value, metric.unit), around + format_bound(estimate.bound, metric.unit))


def _change(diagnosis: Diagnosis, metric: Metric) -> Cell:
    change = diagnosis.change(metric.name)
    if not change.is_defined:
        # The rows above say why, in few words.
        return Cell("undefined", "as above")
    lower = format_change(change.lower, metric.unit).removesuffix(f"{NO_BREAK}points")
    around = f"{lower} to {format_change(change.upper, metric.unit)}"
    return Cell(format_change(change.value, metric.unit), around, diagnosis.verdict(metric.name))


def show_trend(diagnosis: Diagnosis) -> None:
    """The violation rate over time, where there are times."""
    view = WindowsView.of(diagnosis, findings=findings_of(diagnosis))
    if view is None or view.nothing:
        return
    figure = plot_trend(view, current_look(), provenance_line(diagnosis))
    show_figure(figure, "trend", name="violation-rate-over-time", table=view.frame())
