"""The worst slices as JSON."""

from __future__ import annotations

import math
from typing import Any

from lib.figures.slices_view import SlicesView, slice_words
from lib.metrics.estimates import Estimate
from lib.metrics.slice_sums import Condition
from lib.metrics.slices import Slice

NO_BASELINE = "one version is there, and no baseline"


def slices_as_json(view: SlicesView) -> dict[str, Any]:
    """What was asked, how many slices were looked at and tried, and those that were confirmed."""
    query, search = view.found.query, view.found.search
    return {
        "outcome": query.outcome,
        "version": query.version,
        "baseline": query.baseline or None,
        "columns": query.columns,
        "depth": query.depth,
        "one_in": view.found.one_in,
        "n_explored": search.n[0],
        "n_confirming": search.n[1],
        "n_looked": search.n_looked,
        "n_tried": search.n_tried,
        **_estimate("mean", search.overall),
        "found": [_slice(view, each) for each in search.slices],
        "undefined": {"found": search.reason} if search.reason else {},
    }


def _slice(view: SlicesView, found: Slice) -> dict[str, Any]:
    estimates = {
        "mean": found.value,
        "rest": found.rest,
        "excess": found.excess,
        "explored_excess": found.explored,
        "excess_baseline": found.before,
        "change": found.change,
    }
    none = {name: NO_BASELINE for name, each in estimates.items() if each is None}
    undefined = {name: each.reason for name, each in estimates.items() if each is not None and not each.is_defined}
    numbers: dict[str, Any] = {}
    for name, each in estimates.items():
        numbers |= {name: None} if each is None else _estimate(name, each)
    return {
        "title": view.sentence(found),
        "conditions": [_condition(each) for each in found.conditions],
        "n": found.n,
        "share": found.share,
        **numbers,
        "explained": found.explained,
        "p": found.p,
        "p_adjusted": found.p_adjusted,
        "merged": [slice_words(each) for each in found.merged],
        "undefined": none | undefined,
    }


def _estimate(name: str, estimate: Estimate) -> dict[str, Any]:
    return {name: estimate.value, f"{name}_ci": [estimate.lower, estimate.upper]}


def _condition(condition: Condition) -> dict[str, Any]:
    """A value, or the ends of a range; null where a side is open, both where the number is missing."""
    if condition.value is not None:
        return {"column": condition.column, "value": condition.value}
    ends = (None if math.isinf(end) or math.isnan(end) else end for end in (condition.lower, condition.upper))
    start, stop = ends
    return {"column": condition.column, "from": start, "to": stop, "is_missing": condition.is_missing}
