"""The report as JSON: the contract that other tools and CI rely on; keys are only ever added."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lib.checks import CheckResult
from lib.checks.run import NO_PREDICTIONS
from lib.figures.features_view import FeatureRow
from lib.figures.support_vectors_view import SupportRow
from lib.metrics.calibration import BINS
from lib.metrics.estimates import Estimate
from lib.metrics.feature_moves import Move
from lib.metrics.intervals import LEVEL
from lib.metrics.margins import SUPPORT_VECTOR_TOLERANCE
from lib.reports.calibration_json import calibration_as_json, part_as_json
from lib.reports.cohorts import CohortNumbers
from lib.reports.comparison_json import comparison_as_json
from lib.reports.monitoring import monitoring_as_json
from lib.reports.numbers import Numbers
from lib.reports.report import Report
from lib.reports.slices import slices_as_json
from lib.reports.thresholds import thresholds_as_json
from lib.reports.training import TrainingReport, training_as_json
from lib.reports.versions import SupportNumbers, VersionNumbers

FORMAT_VERSION = 1
NO_ORDER = "categories have no order"
BY_BINS = "expected_calibration_error"
NO_GAP = "these rows have no probabilities of their own"
NO_SPREAD = "the reference has no spread"
NO_CATEGORIES = "a number has no categories"
CHOSEN = "chosen among many, for which no floor is drawn"
SIGNIFICANT_DIGITS = 10


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
                **_numbers(version.whole),
                "classes": {name: _numbers(numbers) for name, numbers in version.classes.items()},
                "splits": {name: _numbers(numbers) for name, numbers in version.splits.items()},
                "recalibrated_by": report.settings.recalibration,
                "calibration": calibration_as_json(version),
                **_several_classes(version),
                "thresholds": thresholds_as_json(version.thresholds),
                "support_vectors": _support_vectors(version.support_vectors),
            }
            for version in report.versions
        },
        "cohorts": [_cohort(row) for row in report.cohorts],
        "comparison": comparison_as_json(report.comparison),
        "checks": [check_as_json(result) for result in report.checks],
    }
    if report.facts.windows is not None:
        whole["windows"] = [
            {
                "version": row.version,
                "start": _moment(row.start),
                "end": _moment(row.end),
                **_numbers(row.numbers, {} if row.start is not None else {"start": "these rows have no readable time"}),
            }
            for row in report.windows
        ]
    if report.features:
        whole["features"] = [_feature(row) for row in report.features]
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


def as_plain(value: object) -> Any:
    """Anything as JSON can hold it: floats rounded, NaN and infinities null, other objects as their text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        # A file name may hold bytes that are no UTF-8.
        return str(value).encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {str(as_plain(key)): as_plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_plain(each) for each in value]
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return rounded(value)
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return as_plain(value.tolist())  # type: ignore[attr-defined]
    return str(value)


def rounded(value: float) -> float | None:
    """A float to 10 significant digits; None where it is no number."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None


def _moment(second: int | None) -> str | None:
    return None if second is None else f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _interval(estimate: Estimate) -> list[float] | None:
    return [estimate.lower, estimate.upper] if estimate.is_defined else None


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
            "window": None if where.start is None and where.end is None else [_moment(where.start), _moment(where.end)],
        },
        "window_width_seconds": None if facts.windows is None else facts.windows.width,
        "first": _moment(facts.first),
        "last": _moment(facts.last),
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


def _numbers(numbers: Numbers, undefined: Mapping[str, str] = {}) -> dict[str, Any]:
    values: dict[str, Any] = {
        "n": numbers.n,
        "n_labelled": numbers.n_labelled,
        "n_unlabelled": numbers.n_unlabelled,
        "n_unscored": numbers.n_unscored,
        "resolution": numbers.resolution,
    }
    reasons = dict(undefined)
    for name, each in numbers.metrics.items():
        values[name], values[f"{name}_ci"] = each.value, _interval(each)
        if name == "violation_rate":
            by_class = numbers.violation_rate_by_class
            values["violation_rate_by_class"] = {label: of.value for label, of in by_class.items()}
            values["violation_rate_by_class_ci"] = {label: _interval(of) for label, of in by_class.items()}
            values["violation_rate_by_class_n"] = {label: int(of.n) for label, of in by_class.items()}
            reasons |= {
                f"violation_rate_by_class.{label}": of.reason for label, of in by_class.items() if not of.is_defined
            }
    part, why = part_as_json(numbers.calibration, numbers.metrics[BY_BINS].reason or NO_GAP)
    reasons |= why
    return values | part | _beside(numbers.metrics, reasons)


def _beside(metrics: Mapping[str, Estimate], undefined: Mapping[str, str] = {}) -> dict[str, Any]:
    """What stands beside numbers: how many rows each is over, how far binning may be off, why there is none."""
    return {
        "n_by_metric": {name: int(each.n) for name, each in metrics.items()},
        "bounds": {name: each.bound for name, each in metrics.items() if each.is_defined and each.bound > 0},
        "undefined": {**undefined, **{name: each.reason for name, each in metrics.items() if not each.is_defined}},
    }


def _support_vectors(support: SupportNumbers) -> dict[str, Any]:
    """Kinds of rows and their slack, whole, by class and by split, and what theory says of the training rows."""
    training = support.training
    whole = _support_row(support.whole)
    return {
        **whole,
        "classes": {label: _support_row(row) for label, row in support.classes.items()},
        "splits": {split: _support_row(row) for split, row in support.splits.items()},
        "training": None
        if training is None
        else {
            "n": training.n,
            "n_bounded": training.n_bounded,
            "n_support": training.n_support,
            "nu": training.nu,
            "nu_balanced": training.nu_balanced,
            "nu_most": training.nu_most,
            "mean_slack": training.mean_slack,
        },
        "undefined": whole["undefined"] | ({"training": support.reason} if training is None else {}),
    }


def _support_row(row: SupportRow) -> dict[str, Any]:
    measured = {"share": row.share, **row.kinds, "mean_slack": row.slack}
    of = _of_metrics(measured)
    if not row.share.is_defined:
        of["undefined"]["slack_quantiles"] = row.share.reason
    return {
        "n": row.n,
        "n_support": row.n_support,
        "n_by_kind": row.hits,
        **of,
        "total_slack": row.total,
        "slack_quantiles": {f"{q:g}": each.value for q, each in row.quantiles.items()},
    }


def _several_classes(version: VersionNumbers) -> dict[str, Any]:
    """What each of several classes has against the rest, and the means over them by their rows; nothing with two."""
    if not version.one_vs_rest:
        return {}
    against = {name: _of_metrics(metrics) for name, metrics in version.one_vs_rest.items()}
    for name, (answer, share) in version.taken_for.items():
        against[name] |= {"taken_for": answer or None, "taken_for_share": share.value}
        against[name]["taken_for_share_ci"] = _interval(share)
    return {"weighted_averages": _of_metrics(version.weighted_averages), "one_vs_rest": against}


def _of_metrics(metrics: Mapping[str, Estimate]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, each in metrics.items():
        values[name], values[f"{name}_ci"] = each.value, _interval(each)
    return values | _beside(metrics)


def _cohort(row: CohortNumbers) -> dict[str, Any]:
    undefined = {
        name: each.reason for name, each in (("rest", row.rest), ("excess", row.excess)) if not each.is_defined
    }
    if math.isnan(row.p):
        undefined |= dict.fromkeys(("p", "p_adjusted"), row.excess.reason or "the test is not defined here")
    return {
        "column": row.column,
        "value": row.value,
        "version": row.version,
        "ci": _interval(row.violation_rate),
        "rest": row.rest.value,
        "rest_ci": _interval(row.rest),
        "rest_n": int(row.rest.n),
        "excess": row.excess.value,
        "excess_ci": _interval(row.excess),
        "p": row.p,
        "p_adjusted": row.p_adjusted,
        "rank": row.rank,
        "small": row.is_small,
        **_numbers(row.numbers, undefined),
    }


def _feature(row: FeatureRow) -> dict[str, Any]:
    share = row.explained.share
    return {
        "feature": row.column,
        "kind": "category" if row.drift.is_categorical else "number",
        "n": row.drift.n,
        "missing": row.drift.missing,
        "has_moved": row.has_moved,
        "explained": share.value,
        "explained_ci": _interval(share),
        "explained_n": int(share.n),
        "explained_p": row.explained.p,
        "explained_p_adjusted": row.explained.p_adjusted,
        "moves": [_move(move) for move in row.drift.moves],
        "undefined": {} if share.is_defined else {"explained": share.reason},
    }


def _move(move: Move) -> dict[str, Any]:
    numeric = ("wasserstein", "wasserstein_bound", "wasserstein_floor")
    undefined = {name: NO_ORDER if move.category else NO_SPREAD for name in numeric if math.isnan(getattr(move, name))}
    if not move.category and not math.isnan(move.wasserstein) and undefined:
        undefined = dict.fromkeys(undefined, CHOSEN)
    return {
        "against": move.against,
        "version": move.version,
        "split": move.split,
        "window": None if move.window is None else [_moment(each) for each in move.window],
        "n": move.n_rows,
        "n_values": move.n,
        "n_values_reference": move.n_reference,
        "distance": move.distance,
        "distance_bound": move.distance_bound,
        "distance_floor": move.distance_floor,
        "p": move.p,
        "p_adjusted": move.p_adjusted,
        "stability_index": move.stability_index,
        "stability_floor": move.stability_floor,
        "wasserstein": move.wasserstein,
        "wasserstein_bound": move.wasserstein_bound,
        "wasserstein_floor": move.wasserstein_floor,
        "category": move.category or None,
        "share": move.share,
        "share_reference": move.share_reference,
        "missing": move.missing,
        "missing_reference": move.missing_reference,
        "missing_p": move.missing_p,
        "undefined": undefined | ({} if move.category else dict.fromkeys(("share", "share_reference"), NO_CATEGORIES)),
    }


def check_as_json(result: CheckResult) -> dict[str, Any]:
    """One entry of `checks`."""
    window = result.where.window
    return {
        "code": result.code,
        "name": result.name,
        "status": str(result.status),
        "severity": str(result.severity),
        "version": result.version,
        "where": {
            "cohort": result.where.cohort,
            "window": None if window is None else [_moment(window[0]), _moment(window[1])],
        },
        "title": result.title,
        "evidence": result.evidence,
        "explanation": result.explanation,
        "remedy": result.remedy,
        "topic": result.topic,
    }
