"""A threshold for each cohort, so that all have the same recall, and what that would change.

Both sides are judged on rows that they were not picked on: the one threshold for all, and the cohorts' own, each picked
on nine folds of the id and applied to the tenth. Equal recall is also called equal opportunity (Hardt et al. 2016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from lib.metrics.classification import Confusion
from lib.metrics.parts import Counts
from lib.metrics.threshold_choice import Choice, choose, judge
from lib.metrics.threshold_intervals import Rule
from lib.metrics.thresholds import Decisions, add_decisions

SMALL_POSITIVES = 30
"""Positive rows below which a cohort keeps the threshold of all."""


@dataclass(frozen=True, eq=False)
class CohortThreshold:
    """One cohort.

    Attributes:
        value: of the cohort column.
        choice: its own threshold, and what that does to its rows, held out.
        now, now_flagged: what the one threshold for all does to them, held out; shapes (1,).
        keeps: whether it has too few positive rows for a threshold of its own, and keeps that of all.
    """

    value: str
    choice: Choice
    now: Confusion
    now_flagged: Counts
    keeps: bool

    @property
    def then(self) -> tuple[Confusion, Counts]:
        """Decisions and flags, held out, once each cohort has its threshold."""
        if self.keeps or self.choice.held_out is None or self.choice.flagged is None:
            return self.now, self.now_flagged
        return self.choice.held_out, self.choice.flagged


@dataclass(frozen=True, eq=False)
class EqualRecall:
    """All cohorts of a column.

    Attributes:
        common: the one threshold for all that has this recall.
        cohorts: in the order given; none where `reason` says why.
        reason: why nothing can be compared.
    """

    common: Choice
    cohorts: tuple[CohortThreshold, ...]
    reason: str = ""

    @property
    def now(self) -> tuple[Confusion, Counts]:
        """Decisions and flags of all rows under the one threshold, held out."""
        return reduce(add, (each.now for each in self.cohorts)), reduce(
            add, (each.now_flagged for each in self.cohorts)
        )

    @property
    def then(self) -> tuple[Confusion, Counts]:
        """The same once each cohort has its own."""
        parts = [each.then for each in self.cohorts]
        return reduce(add, (part[0] for part in parts)), reduce(add, (part[1] for part in parts))


def equalise_recall(
    whole: Decisions,
    cohorts: Mapping[str, Decisions],
    folds: Mapping[str, Sequence[Decisions]],
    recall: float,
) -> EqualRecall:
    """The threshold that each cohort needs for a recall, beside the one that all rows need.

    Args:
        whole: all rows.
        cohorts: the rows of each value of the column, as finely as they are kept.
        folds: the same by fold, the same folds for each value, some perhaps without rows.
        recall: the target, in [0, 1].
    """
    rule = Rule("recall", recall)
    grid = np.unique(np.concatenate([fold.threshold for each in folds.values() for fold in each]))
    every = [add_decisions([fold.over(grid) for fold in same]) for same in zip(*folds.values(), strict=True)]
    common = choose(whole, every, rule)
    if common.reason:
        return EqualRecall(common, (), common.reason)
    made: list[CohortThreshold] = []
    for value, decisions in cohorts.items():
        now, now_flagged = judge(folds[value], common.picked)
        positives = float(now.true_positive.n[0] + now.false_negative.n[0])
        choice = choose(decisions, folds[value], rule)
        keeps = positives < SMALL_POSITIVES or bool(choice.reason)
        made.append(CohortThreshold(value, choice, now, now_flagged, keeps))
    return EqualRecall(common, tuple(made))
