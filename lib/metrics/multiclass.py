"""Several classes: each against the rest, what was answered for which, and the averages over them (H-M9).

A row is answered with the class of its highest score; it is right where its margin is above 0. Precision, recall and F1
of a class are of these answers, as scikit-learn's are; ROC AUC, average precision, log loss and Brier score of a class
are of its score against the rest. The average over classes ("macro") gives each class the same weight, and is undefined
while it is for one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lib.cells import Cells
from lib.metrics.classification import (
    accuracy_counts,
    brier_moments,
    brier_score,
    f_estimates,
    if_probability,
    log_loss,
    log_loss_moments,
    positive_share,
)
from lib.metrics.estimates import (
    NO_SCORES,
    NO_USABLE_ROWS,
    NO_WEIGHT,
    NOT_A_PROBABILITY,
    Estimate,
    Estimates,
    FloatArray,
    IntArray,
    concatenate,
    divide,
    estimates,
    undefined,
)
from lib.metrics.intervals import kish_n, mean_interval
from lib.metrics.parts import Additive, Counts
from lib.metrics.ranking import average_precision, roc_auc
from lib.schema import CLASS, ONE_VS_REST, PREDICTED, ScoreKind

NO_ROWS_OF_CLASS = "no labelled, scored row is of it"
NEVER_ANSWERED = "no labelled row was answered with it"
NOT_ONE_POSITIVE = "there are more than two classes, none of them the positive one"
NOT_BY_THIS = "with several classes it is measured for whole versions and splits"
LARGEST_BRIER = 2.0
"""Of a row that gives all probability to one wrong class."""

PerClass = Callable[["ClassTables", ScoreKind], Estimates]
A = TypeVar("A", bound=Additive)


@dataclass(frozen=True, eq=False)
class ClassTables:
    """The tables of some groups of rows that speak of classes.

    Attributes:
        names: the K classes.
        groups: key values of the G groups, each shape (G,).
        one_vs_rest: the same keys and `one_vs_rest`: each row once for every class.
        by_class: the same keys and `class`.
        crossed: the same keys, `class` and `predicted`; of its rows only counts and weights are read.
    """

    names: tuple[str, ...]
    groups: dict[str, NDArray[np.generic]]
    one_vs_rest: Cells
    by_class: Cells
    crossed: Cells

    @property
    def n_groups(self) -> int:
        """G."""
        return len(next(iter(self.groups.values())))

    @cached_property
    def right(self) -> Counts:
        """Shape (G·K,): right answers among the rows of each class, by group, then class."""
        return _take(accuracy_counts(self.by_class), self._places(self.by_class, CLASS))

    @cached_property
    def answered(self) -> Counts:
        """Shape (G·K,): right answers among the labelled rows that were answered with each class."""
        by_answer = self.crossed.rollup([*self.groups, PREDICTED])
        return _take(accuracy_counts(by_answer), self._places(by_answer, PREDICTED))

    @cached_property
    def taken_for(self) -> list[dict[str, tuple[str, Estimate]]]:
        """For every group the wrong answer that the rows of each class get most, "" for none, and how many get it."""
        sums = self.crossed.margins.over(1)
        keys = (*self.groups, CLASS, PREDICTED)
        wrong: dict[tuple[str, ...], list[int]] = {}
        for at, (*group, name, answer) in enumerate(zip(*(self.crossed.groups[key] for key in keys), strict=True)):
            if name != answer and sums.n[at] > 0:
                wrong.setdefault((*group, name), []).append(at)
        own = list(zip(*self.groups.values(), strict=True))
        most = np.array(
            [
                max(wrong.get((*group, name), []), key=lambda at: float(sums.w[at]), default=-1)
                for group in own
                for name in self.names
            ],
            np.int64,
        )
        n, w, w2 = (np.append(values, 0.0)[most] for values in (sums.n, sums.w, sums.w2))
        shares = replace(self.right, hits=n, w_hits=w, w2_hits=w2).estimates(NO_ROWS_OF_CLASS)
        answers = np.append(self.crossed.groups[PREDICTED], "")[most].tolist()
        return [
            {name: (answers[group * len(self.names) + place], each) for place, (name, each) in enumerate(found.items())}
            for group, found in enumerate(self.by_name(shares))
        ]

    def against_rest(self, found: Estimates) -> Estimates:
        """Shape (G·K,): a number of each group and class, from that of `one_vs_rest`'s groups."""
        whole = concatenate([found, undefined([0.0], NO_SCORES)])
        return whole.take(self._places(self.one_vs_rest, ONE_VS_REST))

    def of_classes(self, found: Estimates) -> Estimates:
        """Shape (G·K,): a number of the rows of each class, from that of `by_class`'s groups."""
        whole = concatenate([found, undefined([0.0], NO_ROWS_OF_CLASS)])
        return whole.take(self._places(self.by_class, CLASS))

    def by_name(self, found: Estimates) -> list[dict[str, Estimate]]:
        """Numbers of shape (G·K,) as those of each class by name, for every group."""
        step = len(self.names)
        return [
            {name: found[group * step + place] for place, name in enumerate(self.names)}
            for group in range(self.n_groups)
        ]

    @cached_property
    def together(self) -> Cells:
        """`one_vs_rest` by group alone: K entries for each scored row, one of them positive where it is labelled."""
        return self.one_vs_rest.rollup(list(self.groups))

    def of_groups(self, found: Estimates) -> Estimates:
        """Shape (G,): from numbers of `together`'s groups."""
        whole = concatenate([found, undefined([0.0], NO_SCORES)])
        return whole.take(self._places(self.together, None))

    def _places(self, cells: Cells, key: str | None) -> IntArray:
        """Of each group, and of each of its classes under a key, the place among the groups of `cells`, −1 for none."""
        held = list(
            zip(*(cells.groups[name].tolist() for name in (*self.groups, *([key] if key else []))), strict=True)
        )
        place = {group: at for at, group in enumerate(held)}
        own = zip(*(values.tolist() for values in self.groups.values()), strict=True)
        ends: Sequence[tuple[str, ...]] = [(name,) for name in self.names] if key else [()]
        return np.array([place.get((*group, *end), -1) for group in own for end in ends], np.int64)


def _take(parts: A, places: IntArray) -> A:
    """Sums at some places, nothing where the place is −1."""
    return replace(parts, **{each.name: np.append(getattr(parts, each.name), 0.0)[places] for each in fields(parts)})


def precision(tables: ClassTables, score_kind: ScoreKind) -> Estimates:
    """Shape (G·K,): share of the answers with a class that are right."""
    del score_kind
    return tables.answered.estimates(NEVER_ANSWERED)


def recall(tables: ClassTables, score_kind: ScoreKind) -> Estimates:
    """Shape (G·K,): share of the rows of a class that are answered with it; its accuracy."""
    del score_kind
    return tables.right.estimates(NO_ROWS_OF_CLASS)


def f1(tables: ClassTables, score_kind: ScoreKind) -> Estimates:
    """Shape (G·K,): the harmonic mean of the two."""
    del score_kind
    right, answered = tables.right, tables.answered
    union = replace(
        right,
        n=right.n + answered.n - right.hits,
        w=right.w + answered.w - right.w_hits,
        w2=right.w2 + answered.w2 - right.w2_hits,
    )
    return f_estimates(union)


def false_positive_rate(tables: ClassTables, score_kind: ScoreKind) -> Estimates:
    """Shape (G·K,): share of the rows of other classes that are answered with a class."""
    del score_kind
    right, answered = tables.right, tables.answered

    def others(values: FloatArray) -> FloatArray:
        by_group = values.reshape(tables.n_groups, -1)
        return (by_group.sum(axis=1, keepdims=True) - by_group).ravel()

    counts = Counts(
        n=others(right.n),
        hits=answered.n - answered.hits,
        w=others(right.w),
        w2=others(right.w2),
        w_hits=np.maximum(answered.w - answered.w_hits, 0.0),
        w2_hits=np.maximum(answered.w2 - answered.w2_hits, 0.0),
        doubt=right.doubt,
    )
    return counts.estimates("no labelled, scored row is of another class")


PER_CLASS: dict[str, PerClass] = {
    "log_loss": lambda tables, kind: tables.against_rest(log_loss(tables.one_vs_rest, kind)),
    "brier_score": lambda tables, kind: tables.against_rest(brier_score(tables.one_vs_rest, kind)),
    "roc_auc": lambda tables, kind: tables.against_rest(roc_auc(tables.one_vs_rest)),
    "average_precision": lambda tables, kind: tables.against_rest(average_precision(tables.one_vs_rest)),
    "precision": precision,
    "recall": recall,
    "f1": f1,
    "false_positive_rate": false_positive_rate,
    "positive_share": lambda tables, kind: tables.against_rest(positive_share(tables.one_vs_rest)),
}
"""The metrics that each class has against the rest: names of `catalogue.METRICS` to numbers of shape (G·K,)."""

AVERAGED = ("roc_auc", "average_precision", "precision", "recall", "f1", "false_positive_rate")
"""Those of which the mean over classes is the number of the whole."""


def whole_estimate(name: str, tables: ClassTables, score_kind: ScoreKind) -> Estimates:
    """Shape (G,): what a metric of two classes is over several; undefined with a reason where it is nothing."""
    if name == "log_loss":
        return cross_entropy(tables, score_kind)
    if name == "brier_score":
        return multiclass_brier(tables, score_kind)
    if name in AVERAGED:
        return average(name, tables, score_kind)
    return undefined(np.zeros(tables.n_groups), NOT_ONE_POSITIVE)


def cross_entropy(tables: ClassTables, score_kind: ScoreKind) -> Estimates:
    """Mean −log of the probability given to the true class, clipped to [ε, 1 − ε]; scikit-learn's `log_loss`.

    Each labelled row is positive once, for its true class, where its logistic loss is just that.
    """
    return tables.of_groups(if_probability(log_loss_moments(tables.together.of_label(1)), score_kind))


def multiclass_brier(tables: ClassTables, score_kind: ScoreKind) -> Estimates:
    """Mean over rows of Σ (p_k − y_k)² over the classes; scikit-learn's `brier_score_loss` of several classes.

    It is the sum of the Brier scores of the classes against the rest. How a row's terms go together is not kept, so the
    interval takes the largest spread that numbers between 0 and 2 of this mean can have (Bhatia and Davis 2000).
    """
    terms, rows = brier_moments(tables.together), tables.together.of_label(1).margins.over(1)
    if not score_kind.is_probabilistic:
        return tables.of_groups(undefined(rows.n, NOT_A_PROBABILITY))
    mean = divide(terms.wx, np.where(rows.w > 0, rows.w, 0.0))
    size = kish_n(rows.w, rows.w2)
    error = np.sqrt(divide(mean * np.maximum(LARGEST_BRIER - mean, 0.0), np.where(size > 1, size - 1, 0.0)))
    lower, upper = mean_interval(mean, error, np.maximum(size - 1, 0.0))
    problems = [(rows.n == 0, NO_USABLE_ROWS), (~(rows.w > 0), NO_WEIGHT)]
    found = estimates(mean, np.maximum(lower, 0.0), np.minimum(upper, LARGEST_BRIER), rows.n, problems)
    return tables.of_groups(found)


def average(name: str, tables: ClassTables, score_kind: ScoreKind, *, weighted: bool = False) -> Estimates:
    """Shape (G,): the mean over classes of a metric that each has; with equal weights, or by how many rows it has.

    The ends of the interval are the means of the classes': right where the classes' errors go together, wide otherwise.
    """
    shape = tables.n_groups, len(tables.names)
    found, right = PER_CLASS[name](tables, score_kind), tables.right
    share = right.w.reshape(shape) if weighted else np.ones(shape)
    total = share.sum(axis=1)
    share = np.divide(share, total[:, None], out=np.zeros(shape), where=total[:, None] > 0)
    # A class without a row has no say in what is weighted by rows.
    reasons = np.where(share.ravel() > 0, np.array(found.reason, dtype=object), "").reshape(shape)
    n = right.n.reshape(shape).sum(axis=1)

    def mean(values: FloatArray) -> FloatArray:
        return (share * np.where(share > 0, values.reshape(shape), 0.0)).sum(axis=1)

    made = estimates(mean(found.value), mean(found.lower), mean(found.upper), n, bound=mean(found.bound))
    texts = [
        NO_USABLE_ROWS
        if not rows
        else next(
            (f"{name} against the rest: {text}" for name, text in zip(tables.names, row, strict=True) if text), ""
        )
        for rows, row in zip(n, reasons.tolist(), strict=True)
    ]
    bad = np.array([bool(text) for text in texts], dtype=np.bool_)
    values = {each: np.where(bad, np.nan, getattr(made, each)) for each in ("value", "lower", "upper", "bound")}
    return replace(made, reason=tuple(texts), **values)
