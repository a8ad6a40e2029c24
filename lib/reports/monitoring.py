"""Monitoring as JSON: deploys, what the usual objectives would have told, onsets, whether rollbacks restored a rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lib.checks import CheckResult, first_rate
from lib.diagnose import Diagnosis
from lib.errors import SettingsError
from lib.figures.monitoring_parts import led_by
from lib.figures.monitoring_view import MonitoringView
from lib.metrics.canaries import Canary
from lib.metrics.deploys import Around, Deploy, Recovery
from lib.metrics.estimates import Estimate
from lib.metrics.incidents import Incident, Onset, Part
from lib.monitoring import Told, missing_for_monitoring
from lib.reports.estimates_json import ends
from lib.reports.json_values import moment


def monitoring_of(diagnosis: Diagnosis, results: Sequence[CheckResult]) -> MonitoringView | None:
    """The view of the objectives that hold where nobody has set any, as the page opens; None where there is none."""
    if missing_for_monitoring(diagnosis.tables):
        return None
    try:
        watched = diagnosis.watched()
        first = first_rate(diagnosis, results, watched)
        objectives = sorted(watched.usual_objectives, key=lambda each: each.metric != first)
        part = led_by(diagnosis, results, watched.parts)
        view = MonitoringView.of(diagnosis, watched, objectives, results, part=part)
    except SettingsError:  # Saved cells may have no table for the filter.
        return None
    return None if view.nothing else view


def monitoring_as_json(view: MonitoringView) -> dict[str, Any]:
    """What the Monitoring page shows of its first objective, and what each objective would have told."""
    held = view.watched
    lag, counts = view.label_lag, held.timeline().series("scored", "labelled").sum(axis=1)
    return {
        "version": held.version,
        "bucket_seconds": held.width,
        "unlabelled_share": 1 - float(counts[1] / counts[0]) if counts[0] else math.nan,
        "labels_missing_from": None if lag is None else moment(lag.at),
        "cohort": _cohort(view.part),
        "canaries": [_canary(each) for each in view.watched.canaries],
        "deploys": [_deploy(each) for each in view.around],
        "objectives": [_objective(view, each) for each in view.told],
        "onsets": [_onset(view, each) for each in view.onsets],
        "recoveries": [_recovery(each) for each in view.recoveries],
        "retrain": view.retrain,
    }


def _cohort(part: Part) -> dict[str, str]:
    return dict(part.cohorts)


def _numbers(**estimates: Estimate) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, each in estimates.items():
        values[name], values[f"{name}_ci"] = each.value, ends(each)
    reasons = {name: each.reason for name, each in estimates.items() if not each.is_defined}
    return {**values, "undefined": reasons}


def _named(deploy: Deploy | None) -> dict[str, Any] | None:
    return None if deploy is None else {"at": moment(deploy.at), "name": deploy.name, "kind": deploy.kind}


def _deploy(each: Around) -> dict[str, Any]:
    named = _named(each.deploy) or {}
    return {**named, **_numbers(before=each.before, after=each.after, change=each.change)}


def _canary(each: Canary) -> dict[str, Any]:
    return {
        "at": moment(each.at),
        "until": moment(each.until),
        "name": each.name,
        "share": each.share,
        "n": each.n,
    }


def _objective(view: MonitoringView, told: Told) -> dict[str, Any]:
    objective = told.objective
    rate = view.watched.rate(objective.metric, margin_target=objective.margin_target)
    return {
        "name": objective.name,
        "metric": objective.metric,
        "at_most": objective.at_most,
        **_numbers(rate=rate),
        "n": int(rate.n),
        "n_parts": told.n_parts,
        "budget_left": float(told.budget_left[-1]) if len(told.budget_left) else math.nan,
        "sustained_share": told.sustained_share,
        "incidents": [_incident(each) for each in told.incidents],
    }


def _incident(each: Incident) -> dict[str, Any]:
    return {
        "action": each.action,
        "opened": moment(each.opened),
        "closed": moment(each.closed),
        "cohort": _cohort(each.lead.part),
        "burn_rate": each.lead.alert.burn,
        "n_others": len(each.others),
    }


def _onset(view: MonitoringView, each: Onset) -> dict[str, Any]:
    change = each.change
    return {
        "cohort": _cohort(each.part),
        "metric": view.metric,
        "at": moment(change.at),
        "at_ci": [moment(change.lower), moment(change.upper)],
        **_numbers(before=change.before, after=change.after),
        "deploy": _named(view.watched.deploy_of(change)),
        "n_others": len(each.others),
    }


def _recovery(each: Recovery) -> dict[str, Any]:
    numbers = _numbers(before=each.before, during=each.during, after=each.after, rise=each.rise, left=each.left)
    low, high = each.share_gone_interval
    if math.isnan(each.share_gone):
        numbers["undefined"]["share_gone"] = each.left.reason or "the rate did not surely rise"
    return {
        "deploy": _named(each.deploy),
        "rollback": _named(each.rollback),
        "restored": each.restored,
        "share_gone": each.share_gone,
        "share_gone_ci": None if math.isnan(low) else [low, high],
        **numbers,
    }
