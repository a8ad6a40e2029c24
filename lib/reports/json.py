"""The report as JSON: the contract that other tools and CI rely on; keys are only ever added."""

from __future__ import annotations

import json
from typing import Any

from lib.checks.run import NO_PREDICTIONS
from lib.metrics.calibration import BINS
from lib.metrics.intervals import LEVEL
from lib.metrics.margins import SUPPORT_VECTOR_TOLERANCE
from lib.reports.calibration_json import calibration_as_json
from lib.reports.checks_json import check_as_json
from lib.reports.comparison_json import comparison_as_json
from lib.reports.features_json import feature_as_json
from lib.reports.json_values import as_plain, moment
from lib.reports.monitoring import monitoring_as_json
from lib.reports.numbers_json import classes_as_json, cohort_as_json, numbers_as_json
from lib.reports.report import Report
from lib.reports.slices import slices_as_json
from lib.reports.support_vectors_json import support_vectors_as_json
from lib.reports.thresholds import thresholds_as_json
from lib.reports.training import TrainingReport, training_as_json

FORMAT_VERSION = 1
NO_TIME = "these rows have no readable time"


def render_json(report: Report | TrainingReport) -> str:
    """The report as one JSON document that ends in a line break."""
    plain = report_as_json(report) if isinstance(report, Report) else training_report_as_json(report)
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def report_as_json(report: Report) -> dict[str, Any]:
    """The report as plain values: numbers to 10 significant digits, times in ISO 8601 with Z, undefined ones null."""
    whole: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "inputs": _inputs(report),
        "settings": _settings(report),
        "versions": {
            version.name: {
                **numbers_as_json(version.whole),
                "classes": {name: numbers_as_json(numbers) for name, numbers in version.classes.items()},
                "splits": {name: numbers_as_json(numbers) for name, numbers in version.splits.items()},
                "recalibrated_by": report.settings.recalibration,
                "calibration": calibration_as_json(version),
                **classes_as_json(version),
                "thresholds": thresholds_as_json(version.thresholds),
                "support_vectors": support_vectors_as_json(version.support_vectors),
            }
            for version in report.versions
        },
        "cohorts": [cohort_as_json(row) for row in report.cohorts],
        "comparison": comparison_as_json(report.comparison),
        "checks": [check_as_json(result) for result in report.checks],
    }
    if report.facts.windows is not None:
        whole["windows"] = [
            {
                "version": row.version,
                "start": moment(row.start),
                "end": moment(row.end),
                **numbers_as_json(row.numbers, {} if row.start is not None else {"start": NO_TIME}),
            }
            for row in report.windows
        ]
    if report.features:
        whole["features"] = [feature_as_json(row) for row in report.features]
    if report.slices is not None:
        whole["slices"] = slices_as_json(report.slices)
    monitoring = report.monitoring()
    if monitoring is not None:
        whole["monitoring"] = monitoring_as_json(monitoring)
    if report.training.histories:
        whole["training"] = training_as_json(report.training)
    return as_plain(whole)


def training_report_as_json(report: TrainingReport) -> dict[str, Any]:
    """Training histories alone, in the frame of every report: what is about predictions is empty."""
    return as_plain(
        {
            "format_version": FORMAT_VERSION,
            "inputs": [],
            "settings": {"product_version": report.product_version},
            "versions": {},
            "cohorts": [],
            "comparison": {"undefined": {"comparison": NO_PREDICTIONS}},
            "checks": [check_as_json(result) for result in report.checks],
            "training": training_as_json(report.training),
        }
    )


def _inputs(report: Report) -> list[dict[str, Any]]:
    facts, mapping = report.facts, report.facts.mapping
    described = {
        "mapping": {**mapping.roles(), "cohort": mapping.cohorts, "feature": mapping.features},
        "unused": dict(mapping.unused),
        "score_kind": mapping.score_kind.value,
        "pos_label": None if mapping.label_encoding is None else mapping.label_encoding.pos_label,
        "label_encoding": None
        if mapping.label_encoding is None
        else {"positive": mapping.label_encoding.positive, "negative": mapping.label_encoding.negative},
        "unlabelled": mapping.unlabelled,
        "class_columns": {each.name: each.column for each in mapping.classes} or None,
        "class_labels": {each.name: each.labels for each in mapping.classes} or None,
        "time_format": None
        if mapping.time_format is None
        else {"pattern": mapping.time_format.pattern, "timezone": mapping.time_format.timezone},
        "saved_cells": facts.saved,
    }
    return [
        {
            "name": each.name,
            "sha256": each.sha256,
            "rows": each.n_rows,
            "rows_rejected": each.n_rejected,
            "notes": each.notes,
            **described,
        }
        for each in facts.inputs
    ]


def _settings(report: Report) -> dict[str, Any]:
    facts, settings = report.facts, report.settings
    where = settings.where
    return {
        "margin_target": settings.margin_target,
        "baseline": settings.baseline,
        "candidate": settings.candidate,
        "filter": {
            "cohorts": dict(where.cohorts),
            "split": where.split,
            "window": None if where.start is None and where.end is None else [moment(where.start), moment(where.end)],
        },
        "window_width_seconds": None if facts.windows is None else facts.windows.width,
        "first": moment(facts.first),
        "last": moment(facts.last),
        "confidence_level": LEVEL,
        "decision_threshold": 0.0,
        "support_vector_tolerance": SUPPORT_VECTOR_TOLERANCE,
        "weighted": facts.weighted,
        "n_rows": facts.n_rows,
        "n_rejected": facts.problems,
        "n_clipped": facts.n_clipped,
        "recalibration": settings.recalibration,
        "calibration_bins": BINS,
        "features_one_in": report.features_one_in,
        "dataset": facts.key,
        "product_version": report.product_version,
    }
