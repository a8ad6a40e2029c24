"""What the Thresholds page shows: curves, one threshold for each version and what it does, and its sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from lib.diagnose import Diagnosis
from lib.figures.format import format_interval, format_score, format_share
from lib.figures.nothing import nothing_words
from lib.figures.text import MISSING
from lib.grid import EPSILON
from lib.metrics.classification import NO_POSITIVES, Confusion
from lib.metrics.estimates import BoolArray, Estimate, Estimates, FloatArray
from lib.metrics.parts import Counts
from lib.metrics.threshold_choice import Choice, Threshold
from lib.metrics.threshold_cohorts import EqualRecall
from lib.metrics.threshold_intervals import Rule
from lib.metrics.thresholds import Costs, Decisions, MeasureName, measure, net_benefit_of_all
from lib.schema import VERSION

Scale = Literal["score", "probability"]
HowChosen = Literal["threshold", "precision", "recall", "flagged_share", "cost", "equal_recall"]
POINTS = 240
TAIL = 0.002
"""The share of rows on either side that curves over decision scores may leave out."""
WORDS: dict[MeasureName, str] = {
    "precision": "Precision",
    "recall": "Recall",
    "f_beta": "F",
    "false_positive_rate": "False positive rate",
    "flagged_share": "Flagged share",
    "expected_cost": "Expected cost",
    "net_benefit": "Net benefit",
}


@dataclass(frozen=True)
class Question:
    """What is asked of the page.

    Attributes:
        how: how the threshold is found.
        threshold: where it is given, on the scale that is shown.
        target: the precision or recall to reach, or the share to flag.
        flags_a_day: flags a day instead of a share; NaN where a share is meant.
        costs: what decisions cost.
        beta: of F-beta.
        column: the cohorts of which recall is to be equal.
    """

    how: HowChosen
    threshold: float = math.nan
    target: float = math.nan
    flags_a_day: float = math.nan
    costs: Costs = field(default_factory=Costs)
    beta: float = 1.0
    column: str = ""


@dataclass(frozen=True, eq=False)
class VersionThreshold:
    """One version under its threshold.

    Attributes:
        version: whose rows.
        choice: how it was chosen; None where it was given.
        threshold: in decision score.
        table, flagged: what it does, shapes (1,): to rows that it was not picked on, or, where it was given, to all.
        measures: every measure there.
        reason: why there is no threshold, or nothing is known of what it does.
    """

    version: str
    choice: Choice | None
    threshold: Threshold
    table: Confusion | None
    flagged: Counts | None
    measures: dict[MeasureName, Estimate]
    reason: str


@dataclass(frozen=True, eq=False)
class VersionCurves:
    """Every measure of one version over the thresholds of the axis, and the net benefit of flagging every row."""

    version: str
    measures: dict[MeasureName, Estimates]
    of_all: FloatArray


@dataclass(frozen=True, eq=False)
class ThresholdsView:
    """What the Thresholds page shows.

    Attributes:
        baseline, candidate: versions; the same where there is one.
        scale: what thresholds are shown on.
        question: what was asked.
        axis: shape (L,), thresholds on that scale.
        curves: by version, baseline first.
        chosen: by version, likewise.
        equal: the candidate's cohorts, where equal recall is asked for.
        resolution: how finely scores are kept.
        nothing: why there is nothing to show.
    """

    baseline: str
    candidate: str
    scale: Scale
    question: Question
    axis: FloatArray
    curves: tuple[VersionCurves, ...]
    chosen: tuple[VersionThreshold, ...]
    equal: EqualRecall | None
    resolution: str
    nothing: str

    @classmethod
    def of(cls, diagnosis: Diagnosis, question: Question, of_class: str = "") -> ThresholdsView:
        """The view of a diagnosis; reads the rows by fold where a threshold is to be chosen."""
        settings, topic = diagnosis.settings, diagnosis.thresholds(of_class)
        scale: Scale = "probability" if topic.is_probability else "score"
        nothing = nothing_words(diagnosis)
        present = set(diagnosis.versions.groups[VERSION].tolist())
        versions = [version for version in diagnosis.shown_versions if version in present]
        decisions = {version: topic.decisions(version) for version in versions}
        axis = _axis(list(decisions.values()), scale)
        curves = [_curves(version, each, axis, scale, question) for version, each in decisions.items()]
        chosen: list[VersionThreshold] = []
        for version, each in decisions.items() if not nothing else ():
            if question.how == "threshold":
                chosen.append(decide_given(version, each, question, scale))
            else:
                choice = topic.choice(version, rule_of(diagnosis, version, question, of_class))
                chosen.append(decide_chosen(version, choice, question, scale))
        equal = None
        if question.how == "equal_recall" and settings.candidate in versions and not nothing:
            equal = topic.equal_recall(settings.candidate, question.column, question.target)
        return cls(
            settings.baseline,
            settings.candidate,
            scale,
            question,
            axis,
            tuple(curves),
            tuple(chosen),
            equal,
            next(iter(decisions.values())).resolution.name if decisions else "",
            nothing,
        )

    @property
    def focus(self) -> VersionThreshold:
        """The version that sentences speak of."""
        return self.chosen[-1]

    @property
    def cohorts(self) -> tuple[VersionThreshold, ...]:
        """The threshold that each cohort would have for equal recall, and what that does to its rows."""
        made: list[VersionThreshold] = []
        for each in self.equal.cohorts if self.equal is not None else ():
            choice = each.choice if self.equal is None or not each.keeps else self.equal.common
            table, flagged = each.then
            chosen = replace(choice, held_out=table, flagged=flagged)
            made.append(decide_chosen(each.value, chosen, self.question, self.scale))
        return tuple(made)

    def answer(self) -> str:
        """What the page says, in one or two sentences (plain text)."""
        if self.nothing:
            return f"{self.nothing}: there is nothing to decide."
        said = threshold_sentence(self.focus, self.scale)
        return said if self.equal is None or self.equal.reason else f"{said} {self._equal_words(self.equal)}"

    def _equal_words(self, equal: EqualRecall) -> str:
        """How far cohorts are apart under one threshold, and what one for each would change."""
        recalls = {each.value or MISSING: each.now.recall.estimates(NO_POSITIVES)[0] for each in equal.cohorts}
        ranked = sorted((value for value, each in recalls.items() if each.is_defined), key=lambda at: recalls[at].value)
        if len(ranked) < 2:
            return ""
        ends = [recalls[value].value for value in (ranked[0], ranked[-1])]
        if ends[0] == ends[1]:
            return f"Its recall is then the same for every {self.question.column}."
        low, high = (f"{format_share(recalls[value].value)} ({value})" for value in (ranked[0], ranked[-1]))
        (before, flags), (after, flags_then) = equal.now, equal.then
        changes = (
            f"flags from {format_share(float(flags.rate[0]))} to {format_share(float(flags_then.rate[0]))}",
            f"precision from {format_share(float(before.precision.rate[0]))}"
            f" to {format_share(float(after.precision.rate[0]))}",
        )
        return (
            f"Its recall then lies between {low} and {high} by {self.question.column}; "
            f"a threshold for each would change {' and '.join(changes)}."
        )

    def frame(self) -> pd.DataFrame:
        """One row per version, measure and threshold of the axis."""
        parts = [
            pd.DataFrame(
                {
                    "version": each.version,
                    "measure": name,
                    "threshold": self.axis,
                    **found.columns(),
                }
            )
            for each in self.curves
            for name, found in each.measures.items()
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def threshold_sentence(here: VersionThreshold, scale: Scale) -> str:
    """What the threshold of a version is and does (plain text)."""
    if math.isnan(here.threshold.value):
        return f"For {here.version} there is no such threshold: {here.reason}."
    where = format_threshold(here.threshold.value, scale)
    if here.choice is None:
        return f"Flagging above {where} {_does(here, f' of the rows of {here.version}')}."
    around = interval_words(here.threshold, scale)
    if here.threshold.value == -math.inf:
        said = f"{_aim(here.choice.rule)}, flag every row of {here.version}"
        around = around and f"a threshold of {around}"
    else:
        said = f"{_aim(here.choice.rule)}, flag {here.version} above {where}"
    said += f" ({around})" if around else ""
    if here.reason:
        return f"{said}; what that does to other rows is not known: {here.reason}."
    return f"{said}: on rows that did not choose it, that {_does(here, '')}."


def _aim(rule: Rule) -> str:
    if rule.by == "precision":
        return f"To reach a precision of {format_share(rule.target)}"
    if rule.by == "recall":
        return f"To reach a recall of {format_share(rule.target)}"
    if rule.by == "flagged_share":
        return f"To flag at most {format_share(rule.target)} of the rows"
    return f"With {rule.costs.false_positive:g} for a false alarm and {rule.costs.false_negative:g} for a miss"


def interval_words(threshold: Threshold, scale: Scale) -> str:
    """The interval of a threshold: "0.800 to 0.861"; "" where it was given or nothing bounds it."""
    known = math.isfinite(threshold.lower), math.isfinite(threshold.upper)
    low, high = format_threshold(threshold.lower, scale), format_threshold(threshold.upper, scale)
    if all(known):
        return f"{low} to {high}"
    return f"at least {low}" if known[0] else f"at most {high}" if known[1] else ""


def rule_of(diagnosis: Diagnosis, version: str, question: Question, of_class: str = "") -> Rule:
    """The rule that a question means for a version."""
    if question.how == "cost":
        return Rule("cost", costs=question.costs)
    if question.how == "flagged_share":
        share = question.target
        if not math.isnan(question.flags_a_day):
            share = diagnosis.thresholds(of_class).share_of_flags(version, question.flags_a_day)
        return Rule("flagged_share", share)
    return Rule("precision" if question.how == "precision" else "recall", question.target)


def shown(score: float, scale: Scale) -> float:
    """A threshold in decision score on a scale."""
    return score if scale == "score" else float(special.expit(score))


def format_threshold(score: float, scale: Scale) -> str:
    """A threshold in decision score as it is written: "0.950", "−1.26"; "below every score" where it flags all rows."""
    if score == -math.inf:
        return "below every score"
    if scale == "score":
        return format_score(score)
    p = shown(score, scale)
    return f"{p:.3f}" if 0.0005 <= p < 0.9995 else f"{p:.3g}" if p < 0.5 else f"{min(p, 1 - EPSILON):.6f}"


def _does(here: VersionThreshold, rows: str) -> str:
    flags, precision, recall = (here.measures[name] for name in ("flagged_share", "precision", "recall"))
    said = f"flags {format_share(flags.value)}{rows}"
    if not precision.is_defined:
        said += ", none of them labelled" if flags.value > 0 else ""
    else:
        around = format_interval(precision.lower, precision.upper, "share")
        said += f"; {format_share(precision.value)}{f' ({around})' if around else ''} of them are positive"
    caught = format_share(recall.value) if recall.is_defined else ""
    return f"{said}, and {caught} of the positive rows are caught" if caught else said


def decide_given(version: str, decisions: Decisions, question: Question, scale: Scale) -> VersionThreshold:
    """What the threshold of the question does to all rows of a version."""
    score = question.threshold if scale == "score" else float(special.logit(question.threshold))
    place = decisions.place([score])
    table, flagged = decisions.confusion(place), decisions.flagged(place)
    found = _measured(table, flagged, score, question, scale)
    return VersionThreshold(version, None, Threshold(score, math.nan, math.nan), table, flagged, found, "")


def decide_chosen(version: str, choice: Choice, question: Question, scale: Scale) -> VersionThreshold:
    """What a chosen threshold does to rows of a version, or of a cohort, that it was not picked on."""
    found: dict[MeasureName, Estimate] = {}
    if choice.held_out is not None and choice.flagged is not None:
        found = _measured(choice.held_out, choice.flagged, choice.threshold.value, question, scale)
    if not choice.is_steady:
        # Folds pick thresholds so far apart that an interval of rows alone does not hold what this one does.
        found = {name: replace(each, lower=math.nan, upper=math.nan) for name, each in found.items()}
    reason = choice.threshold.reason or choice.reason
    return VersionThreshold(version, choice, choice.threshold, choice.held_out, choice.flagged, found, reason)


def _measured(
    table: Confusion, flagged: Counts, score: float, question: Question, scale: Scale
) -> dict[MeasureName, Estimate]:
    p = np.array([shown(score, scale)]) if scale == "probability" else None
    return {name: each[0] for name, each in measure(table, flagged, question.costs, question.beta, p).items()}


def _axis(parts: list[Decisions], scale: Scale) -> FloatArray:
    """Thresholds on the scale at which all versions are known exactly."""
    if not parts:
        return np.zeros(0)
    steps = parts[0].resolution.probability_steps
    if scale == "probability":
        return np.arange(1, steps) / steps
    rows = [part.above.n.sum(axis=1) for part in parts]
    lows = [part.threshold[_inside(n, 1 - TAIL)][-1:] for part, n in zip(parts, rows, strict=True)]
    highs = [part.threshold[~_inside(n, TAIL)][:1] for part, n in zip(parts, rows, strict=True)]
    ends = [each for each in np.concatenate([*lows, *highs]) if np.isfinite(each)]
    if not ends:
        return np.zeros(0)
    wanted = np.linspace(min(ends), max(ends), POINTS)
    edges = np.unique(np.concatenate([part.threshold[part.place(wanted)] for part in parts]))
    return edges[np.isfinite(edges)]


def _inside(above: FloatArray, share: float) -> BoolArray:
    return above >= share * above[0]


def _curves(version: str, decisions: Decisions, axis: FloatArray, scale: Scale, question: Question) -> VersionCurves:
    scores = special.logit(axis) if scale == "probability" else axis
    places = decisions.place(scores)
    p = axis if scale == "probability" else None
    found = measure(decisions.confusion(places), decisions.flagged(places), question.costs, question.beta, p)
    of_all = net_benefit_of_all(decisions.whole, axis) if p is not None else np.full(len(axis), np.nan)
    return VersionCurves(version, found, of_all)
