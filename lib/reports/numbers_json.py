"""The numbers of groups of rows as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lib.metrics.estimates import Estimate
from lib.reports.calibration_json import part_as_json
from lib.reports.cohorts import CohortNumbers
from lib.reports.estimates_json import ends
from lib.reports.numbers import Numbers
from lib.reports.versions import VersionNumbers

BY_BINS = "expected_calibration_error"
NO_GAP = "these rows have no probabilities of their own"


def numbers_as_json(numbers: Numbers, undefined: Mapping[str, str] = {}) -> dict[str, Any]:
    """Counts, every metric with its interval, calibration, and why what is not there is not."""
    values: dict[str, Any] = {
        "n": numbers.n,
        "n_labelled": numbers.n_labelled,
        "n_unlabelled": numbers.n_unlabelled,
        "n_unscored": numbers.n_unscored,
        "resolution": numbers.resolution,
    }
    reasons = dict(undefined)
    for name, each in numbers.metrics.items():
        values[name], values[f"{name}_ci"] = each.value, ends(each)
        if name == "violation_rate":
            by_class = numbers.violation_rate_by_class
            values["violation_rate_by_class"] = {label: of.value for label, of in by_class.items()}
            values["violation_rate_by_class_ci"] = {label: ends(of) for label, of in by_class.items()}
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


def classes_as_json(version: VersionNumbers) -> dict[str, Any]:
    """What each of several classes has against the rest, and the means over them by their rows; nothing with two."""
    if not version.one_vs_rest:
        return {}
    against = {name: metrics_as_json(metrics) for name, metrics in version.one_vs_rest.items()}
    for name, (answer, share) in version.taken_for.items():
        against[name] |= {"taken_for": answer or None, "taken_for_share": share.value}
        against[name]["taken_for_share_ci"] = ends(share)
    return {"weighted_averages": metrics_as_json(version.weighted_averages), "one_vs_rest": against}


def metrics_as_json(metrics: Mapping[str, Estimate]) -> dict[str, Any]:
    """Metrics with their intervals."""
    values: dict[str, Any] = {}
    for name, each in metrics.items():
        values[name], values[f"{name}_ci"] = each.value, ends(each)
    return values | _beside(metrics)


def cohort_as_json(row: CohortNumbers) -> dict[str, Any]:
    """One entry of `cohorts`."""
    undefined = {
        name: each.reason for name, each in (("rest", row.rest), ("excess", row.excess)) if not each.is_defined
    }
    if math.isnan(row.p):
        undefined |= dict.fromkeys(("p", "p_adjusted"), row.excess.reason or "the test is not defined here")
    return {
        "column": row.column,
        "value": row.value,
        "version": row.version,
        "ci": ends(row.violation_rate),
        "rest": row.rest.value,
        "rest_ci": ends(row.rest),
        "rest_n": int(row.rest.n),
        "excess": row.excess.value,
        "excess_ci": ends(row.excess),
        "p": row.p,
        "p_adjusted": row.p_adjusted,
        "rank": row.rank,
        "small": row.is_small,
        **numbers_as_json(row.numbers, undefined),
    }
