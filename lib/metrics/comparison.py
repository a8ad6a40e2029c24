"""A candidate against a baseline: the change of a metric and its interval, paired where rows are the same.

The change is that of the two numbers, whoever is in both; the rows that are in both say how far the two numbers move
together, and their correlation narrows the interval. With no common row it is that of two independent samples.

References: Newcombe (1998b) for paired rates, Zou (2008) for square-and-add with a correlation; McNemar (1947), exact;
DeLong, DeLong and Clarke-Pearson (1988); Benjamini and Hochberg (1995).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lib.cells import Cells, PairCells
from lib.metrics.catalogue import Metric, MetricSettings
from lib.metrics.estimates import BoolArray, Estimate, FloatArray, divide
from lib.metrics.influence import at_pairs, influence_of, variance_of
from lib.metrics.intervals import (
    benjamini_hochberg,
    excess_p_value,
    interval_p_value,
    mcnemar_p_value,
    mover,
    normal_quantile,
    wilson,
)
from lib.metrics.parts import Counts
from lib.metrics.summary import unpaired_change

AUC = "roc_auc"
NO_PAIRS = "no row has the same id in both"


@dataclass(frozen=True)
class Change:
    """A metric's change from baseline to candidate.

    Attributes:
        estimate: candidate − baseline; n is the smaller of the two, bound the sum of both.
        correlation: of the two numbers, in [−1, 1]; NaN where it is not known, and the interval that of two independent
            samples.
    """

    estimate: Estimate
    correlation: float = math.nan

    @property
    def is_paired(self) -> bool:
        """Whether rows that are in both have narrowed the interval."""
        return not math.isnan(self.correlation)


@dataclass(frozen=True)
class Side:
    """One of the two samples: a table of one group, and a metric of it."""

    cells: Cells
    estimate: Estimate


def change_of(metric: Metric, before: Side, after: Side, pairs: PairCells | None, settings: MetricSettings) -> Change:
    """The change of a metric, with the paired interval where there are pairs and its influence is known.

    Rates, means and quantiles have the intervals of both numbers squared and added with their correlation, ROC AUC has
    DeLong's.
    """
    plain = unpaired_change(before.estimate, after.estimate)
    if not plain.is_defined or pairs is None or not pairs.n_pairs:
        return Change(plain)
    if is_identical(pairs, before.cells, after.cells):
        return Change(replace(plain, value=0.0, lower=0.0, upper=0.0, bound=0.0), 1.0)
    first, second = (influence_of(metric, side.cells, settings) for side in (before, after))
    if first is None or second is None:
        return Change(plain)
    variances = variance_of(before.cells, first), variance_of(after.cells, second)
    covariance = _covariance(pairs, (before.cells, first), (after.cells, second))
    spread = math.sqrt(variances[0] * variances[1])
    correlation = covariance / spread if spread > 0 else 0.0
    correlation -= _continuity(metric, before.cells, after.cells, settings, correlation)
    correlation = min(max(correlation, -1.0), 1.0)
    new, old = ((each.estimate.value, each.estimate.lower, each.estimate.upper) for each in (after, before))
    _value, lower, upper = mover(new, old, correlation)
    if metric.name == AUC:
        error = math.sqrt(max(sum(variances) - 2 * covariance, 0.0))
        if error > 0 and all(0 < each.estimate.value < 1 for each in (before, after)):
            half = normal_quantile() * error
            lower, upper = np.array(plain.value - half), np.array(plain.value + half)
    return Change(replace(plain, lower=float(lower), upper=float(upper)), correlation)


def adjusted_p_values(changes: Mapping[str, Estimate]) -> dict[str, tuple[float, float]]:
    """Of each change p, read off its interval, and p adjusted for all of them (Benjamini–Hochberg)."""
    values, lower, upper = ([getattr(each, end) for each in changes.values()] for end in ("value", "lower", "upper"))
    p = interval_p_value(values, lower, upper)
    return {
        name: (float(one), float(adjusted))
        for name, one, adjusted in zip(changes, p, benjamini_hochberg(p), strict=True)
    }


def is_identical(pairs: PairCells, before: Cells, after: Cells) -> bool:
    """Whether the two samples are the same rows with the same scores, labels and weights."""
    same = bool((pairs.label_before == pairs.label_after).all())
    squares = pairs.total("w2_before") + pairs.total("w2_after")
    same = same and bool((np.abs(squares - 2 * pairs.total("w_both")) <= 1e-12 * squares).all())
    n = [float(cells.scored.n.sum() + cells.unscored.n.sum()) for cells in (before, after)]
    return same and not pairs.total("moved").any() and n == [pairs.n_pairs] * 2


def _covariance(pairs: PairCells, before: tuple[Cells, FloatArray], after: tuple[Cells, FloatArray]) -> float:
    first, second = at_pairs(*before, pairs, after=False), at_pairs(*after, pairs, after=True)
    return float((pairs.total("w_both") * first * second).sum())


def _continuity(metric: Metric, before: Cells, after: Cells, settings: MetricSettings, correlation: float) -> float:
    """Newcombe's correction of a positive correlation of two rates: as if half a pair disagreed."""
    if metric.parts is None or correlation <= 0:
        return 0.0
    sides = [metric.parts(cells, settings) for cells in (before, after)]
    if not all(isinstance(each, Counts) for each in sides):
        return 0.0
    rates = [each for each in sides if isinstance(each, Counts)]
    n = math.prod(float(each.n_effective[0]) for each in rates)
    spread = math.prod(float(each.rate[0] * (1 - each.rate[0])) for each in rates)
    size = math.sqrt(n * spread)
    return min(1 / (2 * size), correlation) if size > 0 else correlation


@dataclass(frozen=True)
class Flips:
    """What became of the decisions of pairs; counts are of pairs, whatever their weight.

    Attributes:
        n: pairs of scored rows, labelled or not.
        n_labelled: those of which both rows have the same label.
        n_relabelled: those of which both have a label, but not the same.
        fixed, broken: labelled pairs that only the candidate, or only the baseline, decides rightly.
        both_right, both_wrong: labelled pairs that both decide rightly, or wrongly.
        churned: pairs with another decision, labelled or not.
        moved: pairs with another score.
    """

    n: int
    n_labelled: int
    n_relabelled: int
    fixed: int
    broken: int
    both_right: int
    both_wrong: int
    churned: int
    moved: int

    @classmethod
    def of(cls, pairs: PairCells) -> Flips:
        """From cells of pairs; exact at every resolution."""
        labelled, n = pairs.is_labelled, pairs.n
        first, second = pairs.is_right(after=False), pairs.is_right(after=True)

        def count(keep: BoolArray) -> int:
            return int(n[keep].sum())

        return cls(
            n=pairs.n_pairs,
            n_labelled=count(labelled),
            n_relabelled=count((pairs.label_before * pairs.label_after) < 0),
            fixed=count(labelled & ~first & second),
            broken=count(labelled & first & ~second),
            both_right=count(labelled & first & second),
            both_wrong=count(labelled & ~first & ~second),
            churned=int(pairs.total("changed").sum()),
            moved=int(pairs.total("moved").sum()),
        )

    @property
    def p(self) -> float:
        """McNemar's exact test that as many were fixed as were broken; NaN without labelled pairs."""
        return float(mcnemar_p_value(self.fixed, self.broken)) if self.n_labelled else math.nan

    @property
    def agreement(self) -> Estimate:
        """The share of pairs with the same decision."""
        if not self.n:
            return Estimate(math.nan, math.nan, math.nan, 0, NO_PAIRS)
        share = 1 - self.churned / self.n
        lower, upper = (float(end) for end in wilson(share, self.n))
        return Estimate(share, lower, upper, self.n)


@dataclass(frozen=True, eq=False)
class Disagreement:
    """How often the decisions of pairs differ, by the value of a cohort column in the candidate; surest first.

    Attributes:
        value: C texts.
        flips: C, what became of the pairs of each.
        share: C, the share of pairs with another decision.
        p_adjusted: shape (C,), Fisher's one-sided test that they differ more often than the rest, adjusted for all
            values (Benjamini–Hochberg); NaN without a rest.
    """

    value: tuple[str, ...]
    flips: tuple[Flips, ...]
    share: tuple[Estimate, ...]
    p_adjusted: FloatArray

    @classmethod
    def of(cls, pairs: PairCells) -> Disagreement:
        """From cells of pairs by a cohort column."""
        assert pairs.cohort_after is not None
        values, place = np.unique(pairs.cohort_after, return_inverse=True)
        found = [Flips.of(pairs.where(place == each)) for each in range(len(values))]
        n, changed = (np.array([getattr(each, name) for each in found], np.float64) for name in ("n", "churned"))
        rest = n.sum() - n, changed.sum() - changed
        p = benjamini_hochberg(excess_p_value(changed, n, rest[1], rest[0])) if len(n) else n
        order = np.lexsort((-np.nan_to_num(divide(changed, n)), np.nan_to_num(p, nan=2.0)))
        shares = [replace(each.agreement, value=1 - each.agreement.value) for each in found]
        shares = [replace(each, lower=1 - each.upper, upper=1 - each.lower) for each in shares]
        return cls(
            tuple(str(values[each]) for each in order),
            tuple(found[each] for each in order),
            tuple(shares[each] for each in order),
            p[order],
        )
