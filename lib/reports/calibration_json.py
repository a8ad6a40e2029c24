"""The calibration of a version as plain values for the JSON."""

from __future__ import annotations

import math
from typing import Any

from lib.metrics.calibration import PARTS, STATISTICS
from lib.metrics.calibration_parts import PART_ERRORS, CalibrationPart
from lib.metrics.estimates import Estimate
from lib.metrics.recalibration import CrossFitted, Recalibration
from lib.metrics.recalibration_maps import as_json
from lib.metrics.rounding import Rounding
from lib.reports.estimates_json import ends
from lib.reports.versions import VersionNumbers

NOT_ASKED = "no recalibration was asked for"
DEBIASED = "debiased_calibration_error"
NOT_ROUNDED = "probabilities are not rounded, or were not given as such"


def calibration_as_json(version: VersionNumbers) -> dict[str, Any]:
    """Errors, parts of scores, slope, test and rounding of a version; its maps where recalibration was asked for."""
    found = version.calibration
    estimates: dict[str, Estimate] = {
        **{name: found.errors[name].estimate for name in STATISTICS},
        **{name: found.parts[name] for name in PARTS},
        "calibration_slope": found.slope,
        "calibration_intercept": found.intercept,
        "calibration_in_the_large": found.offset,
    }
    values: dict[str, Any] = {
        "n": int(found.slope.n),
        "mean_probability": found.mean_probability,
        "positive_share": found.positive_share,
    }
    for name, each in estimates.items():
        values[name] = each.value
        values[f"{name}_ci"] = ends(each)
    undefined = {name: each.reason for name, each in estimates.items() if not each.is_defined}
    if found.reason:
        undefined |= dict.fromkeys(("mean_probability", "positive_share"), found.reason)
    if not found.spiegelhalter_z.is_defined:
        undefined |= dict.fromkeys(("spiegelhalter_z", "spiegelhalter_p"), found.spiegelhalter_z.reason)
    maps, why = _maps(version.recalibration)
    if maps is None:
        undefined["maps"] = why
    if version.rounding is None:
        undefined["rounding"] = NOT_ROUNDED
    return {
        **values,
        "floors": {name: each.floor for name, each in found.errors.items() if not math.isnan(each.floor)},
        "p_values": {name: each.p_value for name, each in found.errors.items() if not math.isnan(each.p_value)},
        "spiegelhalter_z": found.spiegelhalter_z.value,
        "spiegelhalter_p": found.spiegelhalter_p,
        "rounding": None if version.rounding is None else _rounding(version.rounding),
        "maps": maps,
        "recommended": None if version.recalibration is None else _recommended(version.recalibration),
        **(
            {"one_vs_rest": {name: _class(part) for name, part in version.calibration_by_class.items()}}
            if version.one_vs_rest
            else {}
        ),
        "undefined": undefined,
    }


def part_as_json(part: CalibrationPart | None, reason: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Gap, floors and the debiased error of a part as plain values, and why those that are undefined are so.

    The expected calibration error is a metric, and not among them.

    Args:
        part: None where there is none.
        reason: why, if so.
    """
    gap = ("calibration_gap", "calibration_gap_floor", "calibration_gap_p", "calibration_gap_p_adjusted")
    floors = [f"{name}_floor" for name in PART_ERRORS]
    if part is None or not part.gap.is_defined:
        names = (*gap, "mean_probability", DEBIASED, *floors)
        why = reason if part is None else part.gap.reason
        return {**dict.fromkeys(names), "calibration_gap_ci": None}, dict.fromkeys(names, why)
    undefined: dict[str, str] = {}
    if math.isnan(part.p):
        undefined |= dict.fromkeys(gap[2:], "every p is 0 or 1")
    for name, each in part.errors.items():
        if not each.estimate.is_defined:
            undefined |= dict.fromkeys((name, f"{name}_floor"), each.estimate.reason)
    return {
        "mean_probability": part.mean_probability,
        "calibration_gap": part.gap.value,
        "calibration_gap_ci": [part.gap.lower, part.gap.upper],
        "calibration_gap_floor": part.gap_floor,
        "calibration_gap_p": part.p,
        "calibration_gap_p_adjusted": part.p_adjusted,
        DEBIASED: part.errors[DEBIASED].estimate.value,
        **{f"{name}_floor": each.floor for name, each in part.errors.items()},
    }, undefined


def _class(part: CalibrationPart) -> dict[str, Any]:
    """One class against the rest."""
    values, undefined = part_as_json(part, "")
    return {
        "n": int(part.gap.n),
        "positive_share": part.positive_share,
        "expected_calibration_error": part.errors["expected_calibration_error"].estimate.value,
        **values,
        "undefined": undefined,
    }


def _rounding(rounding: Rounding) -> dict[str, Any]:
    return {"decimals": rounding.decimals, "n_distinct": rounding.n_distinct, "brier_bound": rounding.brier_bound}


def _maps(found: Recalibration | None) -> tuple[dict[str, Any] | None, str]:
    if found is None:
        return None, NOT_ASKED
    return ({each.name: _map(each) for each in found.maps}, "") if found.maps else (None, found.reason)


def _recommended(found: Recalibration) -> str | None:
    best = found.recommended
    return None if best is None else best.name


def _map(each: CrossFitted) -> dict[str, Any]:
    losses: dict[str, Any] = {}
    for name, loss in each.losses.items():
        losses[name] = loss.value
        losses[f"{name}_ci"] = ends(loss)
    return {**losses, "fitted": as_json(each.fitted)}
