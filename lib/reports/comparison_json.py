"""The comparison of two versions as plain values, for the report as JSON."""

from __future__ import annotations

import math
from typing import Any

from lib.metrics.estimates import NO_USABLE_ROWS
from lib.reports.comparison import ONE_VERSION, Comparison, Parts
from lib.reports.estimates_json import ends

NO_AUC = "ROC AUC is undefined in one of the two, or a mean over several classes"
NO_ERROR = "there is no error to go by"


def comparison_as_json(comparison: Comparison) -> dict[str, Any]:
    """Changes with their intervals, flips and tests, and the parts of a change; null with a reason."""
    flips, delong, why = comparison.flips, comparison.delong, comparison.why_unpaired
    undefined: dict[str, str] = {}
    if flips is None:
        undefined |= dict.fromkeys(("n_paired", "flips", "mcnemar_p", "agreement"), why)
    elif not flips.n_labelled:
        undefined["mcnemar_p"] = NO_USABLE_ROWS
    if not comparison.changes:
        undefined["deltas"] = ONE_VERSION
    if delong is None:
        undefined["delong"] = NO_AUC if comparison.changes else ONE_VERSION
    if math.isnan(comparison.scale_ratio):
        undefined["scale_ratio"] = NO_USABLE_ROWS
    return {
        "baseline": comparison.baseline,
        "candidate": comparison.candidate,
        "n_paired": None if flips is None else flips.n,
        "flips": None
        if flips is None
        else {
            "labelled": flips.n_labelled,
            "fixed": flips.fixed,
            "broken": flips.broken,
            "both_right": flips.both_right,
            "both_wrong": flips.both_wrong,
            "churned": flips.churned,
            "relabelled": flips.n_relabelled,
        },
        "mcnemar_p": None if flips is None else flips.p,
        "agreement": None if flips is None else flips.agreement.value,
        "agreement_ci": None if flips is None else ends(flips.agreement),
        "delong": None
        if delong is None
        else {"standard_error": delong.standard_error, "bound": delong.bound, "p": delong.p}
        | ({"undefined": {"p": NO_ERROR}} if math.isnan(delong.p) else {}),
        "scale_ratio": comparison.scale_ratio,
        "deltas": {name: _delta(comparison, name) for name in comparison.changes},
        "parts": [_parts(each) for each in comparison.parts],
        "undefined": undefined,
    }


def _delta(comparison: Comparison, name: str) -> dict[str, Any]:
    change, judgement = comparison.changes[name], comparison.judgements[name]
    each = change.estimate
    found: dict[str, Any] = {
        "value": each.value,
        "ci": ends(each),
        "n": int(each.n),
        "paired": change.is_paired,
        "verdict": comparison.verdicts[name] or None,
    }
    if change.is_paired:
        found["correlation"] = change.correlation
    found |= dict(zip(("p", "p_adjusted"), comparison.p_values.get(name, ()), strict=False))
    undefined = {} if each.is_defined else {"value": each.reason}
    if judgement is not None:
        found |= {
            "judgement": judgement.word,
            "tolerance": judgement.tolerance,
            "tolerable": judgement.is_tolerable,
            "more_rows": None if math.isnan(judgement.more_rows) else int(judgement.more_rows),
        }
        if math.isnan(judgement.more_rows):
            undefined["more_rows"] = "a hundred times as many rows would not tell"
    if each.is_defined and each.bound > 0:
        found["bound"] = each.bound
    return found | ({"undefined": undefined} if undefined else {})


def _parts(of: Parts) -> dict[str, Any]:
    named = {"column": of.column, "metric": of.metric}
    if of.found is None:
        return {**named, "value": None, "undefined": {"value": of.reason}}
    return {
        **named,
        "value": of.found.change,
        **{
            name: {"value": each.value, "ci": ends(each)}
            for name, each in (*of.found.parts.items(), ("within", of.found.within))
        },
        "simpsons_paradox": of.found.reversed,
    }
