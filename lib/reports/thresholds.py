"""Thresholds as JSON: what a given one does, and what a chosen one is and does to rows that it was not picked on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.diagnose import Diagnosis
from lib.errors import SettingsError
from lib.figures.thresholds_view import (
    Question,
    Scale,
    ThresholdsView,
    VersionThreshold,
    decide_chosen,
    decide_given,
    shown,
    threshold_sentence,
)
from lib.metrics.classification import Confusion
from lib.metrics.estimates import Estimate
from lib.metrics.threshold_choice import Threshold
from lib.metrics.threshold_intervals import Rule
from lib.metrics.thresholds import Costs, MeasureName
from lib.thresholds import DECLARED

CUTS = ("true_positive", "false_positive", "false_negative", "true_negative")
FLAGS_ALL = "every scored row is flagged"
NOT_BOUNDED = "the rows bound nothing on that side"
NO_INTERVAL = "folds pick thresholds that decide so differently that intervals of rows alone do not cover"
SEVERAL_CLASSES = "of several classes a threshold is one class's against the rest"


@dataclass(frozen=True, eq=False)
class VersionThresholds:
    """The thresholds of a version in a report.

    Attributes:
        scale: what they are on.
        given: the usual one, a probability of one half or a score of 0; None where there are several classes.
        chosen: those of `DECLARED`; none where `reason` says why.
        reason: why none is given or chosen.
    """

    scale: Scale
    given: VersionThreshold | None
    chosen: tuple[VersionThreshold, ...]
    reason: str = ""

    @classmethod
    def of(cls, diagnosis: Diagnosis, version: str) -> VersionThresholds:
        """Reads the rows by fold, unless that is done."""
        topic = diagnosis.thresholds()
        scale: Scale = "probability" if topic.is_probability else "score"
        if diagnosis.facts.mapping.is_multiclass:
            return cls(scale, None, (), SEVERAL_CLASSES)
        decisions = topic.decisions(version)
        half = Question("threshold", 0.5 if topic.is_probability else 0.0)
        given = decide_given(version, decisions, half, scale)
        try:
            choices = [topic.choice(version, rule) for rule in DECLARED]
        except SettingsError as error:
            # Saved cells may not be kept by fold.
            return cls(scale, given, (), str(error))
        chosen = [
            decide_chosen(version, each, Question(each.rule.by, costs=each.rule.costs), scale) for each in choices
        ]
        return cls(scale, given, tuple(chosen))

    @property
    def sentence(self) -> str:
        """The first that could be chosen and judged, in a sentence; "" where there is none."""
        able = (each for each in self.chosen if each.measures)
        return next((threshold_sentence(each, self.scale) for each in able), "")


def thresholds_as_json(each: VersionThresholds) -> dict[str, Any]:
    """The usual threshold, and those that are chosen."""
    given = [] if each.given is None else [given_as_json(each.given, each.scale)]
    undefined = {name: each.reason for name, found in (("at", given), ("chosen", each.chosen)) if not found}
    chosen = [chosen_as_json(one, each.scale) for one in each.chosen]
    return {"scale": each.scale, "at": given, "chosen": chosen, "undefined": undefined}


def given_as_json(each: VersionThreshold, scale: Scale, costs: Costs = Costs(), beta: float = 1.0) -> dict[str, Any]:
    """A given threshold, and what it does to all rows."""
    assert each.table is not None
    numbers = measures_as_json(each.table, each.measures, costs, beta)
    return {"threshold": _rounded(shown(each.threshold.value, scale)), **numbers}


def chosen_as_json(
    each: VersionThreshold, scale: Scale, costs: Costs | None = None, beta: float = 1.0
) -> dict[str, Any]:
    """A chosen threshold with its interval, and what it does to rows that it was not picked on."""
    assert each.choice is not None
    rule, held = each.choice.rule, None
    if each.table is not None:
        held = measures_as_json(each.table, each.measures, costs or rule.costs, beta)
    undefined = {} if held is not None else {"held_out": each.reason}
    if held is not None and not each.choice.is_steady:
        undefined["held_out.ci"] = NO_INTERVAL
    return {
        "rule": rule_as_json(rule),
        **_threshold(each.threshold, scale, undefined),
        "held_out": held,
        "undefined": undefined,
    }


def _threshold(found: Threshold, scale: Scale, undefined: dict[str, str]) -> dict[str, Any]:
    """A threshold and its interval; what has no number gets its reason in `undefined`."""
    ends = [found.lower, found.upper]
    if math.isnan(found.value):
        undefined |= dict.fromkeys(("threshold", "threshold_ci"), found.reason)
        return {"threshold": None, "threshold_ci": None}
    if math.isinf(found.value) and scale == "score":
        undefined["threshold"] = FLAGS_ALL
    for name, end in zip(("threshold_ci.lower", "threshold_ci.upper"), ends, strict=True):
        if math.isinf(end):
            undefined[name] = NOT_BOUNDED
    interval = [None if math.isinf(end) else shown(end, scale) for end in ends]
    return {"threshold": shown(found.value, scale), "threshold_ci": interval}


def _rounded(value: float) -> float:
    """A threshold that was given, without the digits that its logit has lost."""
    return round(value, 12)


def rule_as_json(rule: Rule) -> dict[str, Any]:
    """How a threshold is chosen."""
    if rule.by != "cost":
        return {"by": rule.by, "target": rule.target}
    return {"by": rule.by, "costs": costs_as_json(rule.costs)}


def costs_as_json(costs: Costs) -> dict[str, float]:
    """What decisions cost, by the kind of decision; a gain is a cost below 0."""
    return {
        "false_positive": costs.false_positive,
        "false_negative": costs.false_negative,
        "true_positive": 0.0 - costs.true_positive,
    }


def measures_as_json(
    table: Confusion, found: Mapping[MeasureName, Estimate], costs: Costs, beta: float
) -> dict[str, Any]:
    """The confusion matrix in rows, and every measure with its interval."""
    values: dict[str, Any] = {name: int(getattr(table, name).n[0]) for name in CUTS}
    for name, each in found.items():
        has_interval = each.is_defined and not (math.isnan(each.lower) and math.isnan(each.upper))
        values[name], values[f"{name}_ci"] = each.value, [each.lower, each.upper] if has_interval else None
    return values | {
        "beta": beta,
        "costs": costs_as_json(costs),
        "n_by_metric": {name: int(each.n) for name, each in found.items()},
        "undefined": {name: each.reason for name, each in found.items() if not each.is_defined},
    }


def view_as_json(view: ThresholdsView) -> dict[str, Any]:
    """What the Thresholds page shows, to be put beside a model: thresholds by version, and those of cohorts."""
    question = view.question
    versions = {
        each.version: given_as_json(each, view.scale, question.costs, question.beta)
        if each.choice is None
        else chosen_as_json(each, view.scale, question.costs, question.beta)
        for each in view.chosen
    }
    whole: dict[str, Any] = {
        "flag": "score > threshold",
        "scale": view.scale,
        "resolution": view.resolution,
        "versions": versions,
    }
    if view.equal is not None:
        whole["cohorts"] = [
            {"column": question.column, "value": each.version, **chosen_as_json(each, view.scale, question.costs)}
            for each in view.cohorts
        ]
    return whole
