"""Choosing a threshold: by a target precision, a target recall, a budget of flags or what decisions cost.

*Picked and judged on different rows.* The threshold to use is picked on all rows; its numbers are those of ten folds of
the id, each decided by the threshold that the other nine pick. Folds share most of the rows that they are picked on:
the intervals take them as independent, as cross-validated intervals do. They are of thresholds that folds picked, and
say something of the one to use only where that decides much alike: where all rows under it have the same precision and
recall, to within a quarter of the width of the interval, and never by cost. `scripts/coverage.py` prints how often they
cover then.

*Precision* need not rise with the threshold. It is smoothed first: the share of positive rows along the score is fitted
by an isotonic curve, whose precision rises everywhere and is the rows' own wherever the curve has a step. The least
threshold that reaches the target there is picked; a lucky handful of rows does not move it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from lib.cells import NEGATIVE, POSITIVE, Cells
from lib.metrics.classification import NO_POSITIVES, Confusion
from lib.metrics.estimates import NO_USABLE_ROWS, BoolArray, FloatArray
from lib.metrics.intervals import wilson
from lib.metrics.parts import Counts
from lib.metrics.ranking import ONE_CLASS
from lib.metrics.reliability import isotonic
from lib.metrics.threshold_intervals import Rule, threshold_interval
from lib.metrics.thresholds import Decisions, add_decisions
from lib.schema import FOLD

STEADY = 0.25
"""How far precision and recall of folds may be from those of the threshold to use, in widths of their interval."""
ONE_FOLD = "all rows are in one fold"
NOT_REACHED = "no threshold reaches this precision"


@dataclass(frozen=True)
class Threshold:
    """A chosen threshold, in decision score.

    Attributes:
        value: −inf flags every scored row; NaN where none could be chosen.
        lower, upper: its 95 % interval; infinite on a side on which the rows bound nothing.
        reason: why there is none.
    """

    value: float
    lower: float
    upper: float
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Choice:
    """A threshold and what it does to rows that it was not picked on.

    Attributes:
        rule: how it was chosen.
        threshold: picked on all rows: the one to use.
        picked: what each fold was decided by: the threshold that the other folds pick.
        held_out: right and wrong decisions over all folds, sums of shape (1,); None where there are none.
        flagged: flagged rows among the scored ones over all folds, shape (1,); None likewise.
        is_steady: whether what folds picked decides so much like the threshold to use that intervals are of that too;
            never by cost.
        reason: why there are none.
    """

    rule: Rule
    threshold: Threshold
    picked: tuple[float, ...]
    held_out: Confusion | None
    flagged: Counts | None
    is_steady: bool = False
    reason: str = ""


def fold_decisions(cells: Cells) -> tuple[Decisions, ...]:
    """The rows of each fold of the id, from a table by fold; in the order of the folds."""
    return tuple(Decisions.of(cells, group) for group in np.argsort(cells.groups[FOLD], kind="stable").tolist())


def choose(whole: Decisions, folds: Sequence[Decisions], rule: Rule) -> Choice:
    """Choose a threshold on all rows and judge the rule over folds.

    Args:
        whole: all rows, as finely as they are kept.
        folds: the same rows by fold; where only one has rows nothing is held out.
        rule: how.
    """
    place, reason = pick(whole, rule)
    threshold = Threshold(math.nan, math.nan, math.nan, reason)
    if not reason:
        threshold = Threshold(float(whole.threshold[place]), *threshold_interval(whole, place, rule))
    picked, why = pick_without_each(folds, rule)
    if reason or why:
        return Choice(rule, threshold, (), None, None, reason=reason or why)
    held_out, flagged = judge(folds, picked)
    # Those of least cost lie so far apart that even where they seem alike intervals of them hold too little.
    is_steady = rule.by != "cost" and _is_steady(held_out, whole.confusion(np.array([place])))
    return Choice(rule, threshold, picked, held_out, flagged, is_steady)


def pick_without_each(folds: Sequence[Decisions], rule: Rule) -> tuple[tuple[float, ...], str]:
    """For each fold the threshold that the others pick, or why one cannot."""
    if sum(bool(fold.whole.n.sum() > 0) for fold in folds) < 2:
        return (), ONE_FOLD
    grid = np.unique(np.concatenate([fold.threshold for fold in folds]))
    every = add_decisions([fold.over(grid) for fold in folds])
    picked: list[float] = []
    for fold in folds:
        place, reason = pick(every.without(fold.over(grid)), rule)
        if reason:
            return (), f"without one of the folds: {reason}"
        picked.append(float(grid[place]))
    return tuple(picked), ""


def judge(folds: Sequence[Decisions], thresholds: Sequence[float]) -> tuple[Confusion, Counts]:
    """Right and wrong decisions over folds, and flags among scored rows, each fold by its threshold; shapes (1,)."""
    places = [fold.place([at]) for fold, at in zip(folds, thresholds, strict=True)]
    tables = [fold.confusion(place) for fold, place in zip(folds, places, strict=True)]
    flags = [fold.flagged(place) for fold, place in zip(folds, places, strict=True)]
    return reduce(add, tables), reduce(add, flags)


def _is_steady(held_out: Confusion, used: Confusion) -> bool:
    """Whether precision and recall, where both have them, are nearly the same; sums of shape (1,)."""
    for found, own in ((held_out.precision, used.precision), (held_out.recall, used.recall)):
        lower, upper = wilson(found.rate, found.n_effective)
        if np.abs(found.rate - own.rate)[0] > STEADY * (upper - lower)[0]:
            return False
    return True


def pick(decisions: Decisions, rule: Rule) -> tuple[int, str]:
    """The place of the threshold that a rule picks, among those of the rows themselves; or why there is none.

    Recall: the greatest that reaches it. Flags: the least that keeps the budget. Precision: the least that reaches it
    on the smoothed curve. Cost: the one of least cost, of several the greatest.
    """
    whole, above = decisions.whole, decisions.above.w
    positive, negative = float(whole.w[POSITIVE]), float(whole.w[NEGATIVE])
    scored = above.sum(axis=1)
    own = _has_rows(decisions)
    if rule.by == "flagged_share":
        if not scored[0] > 0:
            return 0, NO_USABLE_ROWS
        return _first(own & (scored <= rule.target * scored[0] * (1 + 1e-12))), ""
    if not positive + negative > 0:
        return 0, NO_USABLE_ROWS
    if rule.by == "recall":
        if not positive > 0:
            return 0, NO_POSITIVES
        reached = own & (above[:, POSITIVE] >= rule.target * positive * (1 - 1e-12))
        return int(np.flatnonzero(reached)[-1]), ""
    if not (positive > 0 and negative > 0):
        return 0, ONE_CLASS
    if rule.by == "precision":
        smooth = smoothed_precision(decisions)
        reached = own & (smooth >= rule.target - 1e-12)
        most = f"{100 * np.nanmax(smooth):.1f}\N{NO-BREAK SPACE}%"
        return (_first(reached), "") if reached.any() else (0, f"{NOT_REACHED}, the highest is {most}")
    costs = rule.costs
    cost = costs.false_positive * above[:, NEGATIVE] + costs.false_negative * (positive - above[:, POSITIVE])
    cost = np.where(own, cost - costs.true_positive * above[:, POSITIVE], np.inf)
    return int(np.flatnonzero(cost <= cost.min() + 1e-12 * np.abs(cost[own]).max())[-1]), ""


def _first(chosen: BoolArray) -> int:
    return int(np.flatnonzero(chosen)[0])


def _has_rows(decisions: Decisions) -> BoolArray:
    """Shape (K,): where these rows themselves have a threshold; other rows' lie between them."""
    found = decisions.own.n.sum(axis=1) > 0
    found[0] = True
    return found


def smoothed_precision(decisions: Decisions) -> FloatArray:
    """Shape (K,): precision above each threshold under an isotonic fit of the positive share; NaN above all rows."""
    own = decisions.own.w
    weight = own[:, NEGATIVE] + own[:, POSITIVE]
    fitted = np.nan_to_num(isotonic(weight, own[:, POSITIVE]))
    hits = np.cumsum((fitted * weight)[::-1])[::-1]
    above = np.cumsum(weight[::-1])[::-1]
    top, bottom = np.append(hits[1:], 0.0), np.append(above[1:], 0.0)
    return np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)
