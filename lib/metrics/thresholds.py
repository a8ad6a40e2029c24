"""What each threshold does: the rows above it by label, and rates, costs and net benefit with their intervals.

A row is flagged where its score is above the threshold, strict. Rates have Wilson's interval, F-beta that of
`classification.f_estimates`, costs and net benefit square-and-add over Wilson's (Zou and Donner 2008). Net benefit:
Vickers and Elkin (2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import add
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from lib.cells import NEGATIVE, POSITIVE, WEIGHTED, Cells, Sums
from lib.grid import MISSING_BIN, Resolution
from lib.metrics import classification
from lib.metrics.classification import Confusion, f_estimates
from lib.metrics.estimates import NO_SCORES, NO_USABLE_ROWS, Estimates, FloatArray, IntArray, divide, estimates
from lib.metrics.intervals import mover_sum, rate_n, wilson
from lib.metrics.ordering import cell_interval
from lib.metrics.parts import Counts

MeasureName = Literal[
    "precision", "recall", "f_beta", "false_positive_rate", "flagged_share", "expected_cost", "net_benefit"
]
MEASURES: tuple[MeasureName, ...] = (
    "precision",
    "recall",
    "f_beta",
    "false_positive_rate",
    "flagged_share",
    "expected_cost",
    "net_benefit",
)
NO_PROBABILITY = "net benefit needs a score that is a probability"
SNAP = 1e-9
_COLUMNS = WEIGHTED.index("w2") + 1


@dataclass(frozen=True)
class Costs:
    """What decisions cost, in any unit: at least 0 each, and not all of them nothing.

    Attributes:
        false_positive: of a flagged row that is negative.
        false_negative: of a positive row that is not flagged.
        true_positive: what a flagged positive row gains.
    """

    false_positive: float = 1.0
    false_negative: float = 1.0
    true_positive: float = 0.0

    @property
    def probability(self) -> float:
        """How likely positive a row has to be for flagging it to pay."""
        return self.false_positive / (self.false_positive + self.false_negative + self.true_positive)


@dataclass(frozen=True, eq=False)
class Decisions:
    """The rows of one group above each of K rising thresholds.

    Attributes:
        threshold: shape (K,), in decision score: −inf first, which flags every scored row; then each distinct score, or
            each edge of the grid below which there are rows. Between two of them no decision changes.
        lower: shape (K,), the least score that a row between the threshold before and this one can have: the threshold
            itself at exact resolution.
        above: shape (K, 3), sums of the rows above it by label −1, 0, +1: rows, Σw and Σw².
        resolution: how finely scores are kept.
    """

    threshold: FloatArray
    lower: FloatArray
    above: Sums
    resolution: Resolution

    @classmethod
    def of(cls, cells: Cells, group: int = 0) -> Decisions:
        """The scored rows of one group of a table; without groups, of none."""
        columns = _COLUMNS if cells.weighted else 1
        lows, highs, sums = [], [], []
        for label in range(3):
            block = 3 * group + label
            first, last = (int(cells.starts[at]) for at in (block, block + 1)) if cells.n_groups else (0, 0)
            cell = np.arange(first, last)
            cell = cell[cells.score_bin[cell] != MISSING_BIN]
            low, high = cell_interval(cells, cell, np.ones(len(cell), np.int64))
            lows.append(low)
            highs.append(high)
            sums.append(cells.sums[cell, :columns])
        low, high = np.concatenate(lows), np.concatenate(highs)
        distinct, place = np.unique(high, return_inverse=True)
        least = np.full(len(distinct), np.inf)
        np.minimum.at(least, place, low)
        above = np.zeros((len(distinct) + 1, 3, columns))
        for label in range(3):
            upward = np.zeros((len(highs[label]) + 1, columns))
            np.cumsum(sums[label][::-1], axis=0, out=upward[1:])
            above[0, label] = upward[-1]
            above[1:, label] = upward[len(highs[label]) - np.searchsorted(highs[label], distinct, side="right")]
        bottom = np.array([-np.inf])
        return cls(
            np.concatenate([bottom, distinct]),
            np.concatenate([bottom, least]),
            Sums(above, cells.weighted),
            cells.resolution,
        )

    @property
    def whole(self) -> Sums:
        """Shape (3,): all scored rows by label."""
        return self.above[0]

    @cached_property
    def own(self) -> Sums:
        """Shape (K, 3): the rows at or below each threshold and above the one before; none of the first."""
        values = self.above.values
        return Sums(np.concatenate([np.zeros_like(values[:1]), values[:-1] - values[1:]]), self.above.weighted)

    def without(self, part: Decisions) -> Decisions:
        """The rows that are not in `part`, which has the same thresholds and some of these rows."""
        return replace(self, above=self.above - part.above)

    def over(self, threshold: FloatArray) -> Decisions:
        """The same rows at other thresholds, shape (L,), rising, of the same grid, among which all of these are."""
        return replace(self, threshold=threshold, lower=threshold, above=self.above[self.place(threshold)])

    def place(self, threshold: ArrayLike) -> IntArray:
        """Places whose decisions are those of "score > threshold"; between two edges of the grid those of the lower."""
        t = np.asarray(threshold, np.float64)
        slack = SNAP * np.maximum(1.0, np.where(np.isfinite(t), np.abs(t), 1.0))
        return (np.searchsorted(self.threshold, t + slack, side="right") - 1).astype(np.int64)

    def confusion(self, places: IntArray | slice = slice(None)) -> Confusion:
        """Right and wrong decisions at some of the thresholds, sums of shape (L,)."""
        flagged = self.above[places]
        kept = self.whole - flagged
        return Confusion(
            groups={},
            true_positive=flagged[..., POSITIVE, :],
            false_positive=flagged[..., NEGATIVE, :],
            false_negative=kept[..., POSITIVE, :],
            true_negative=kept[..., NEGATIVE, :],
        )

    def flagged(self, places: IntArray | slice = slice(None)) -> Counts:
        """Flagged rows among all scored rows, labelled or not, at some of the thresholds."""
        above = self.above[places].over(-2)
        whole = Sums(np.broadcast_to(self.whole.over(-2).values, above.values.shape), above.weighted)
        return Counts.of(above, whole)


def add_decisions(parts: Sequence[Decisions]) -> Decisions:
    """The rows of several, at least one, which have the same thresholds."""
    return replace(parts[0], above=reduce(add, (part.above for part in parts)))


def measure(
    table: Confusion, flagged: Counts, costs: Costs, beta: float = 1.0, probability: FloatArray | None = None
) -> dict[MeasureName, Estimates]:
    """Every one of `MEASURES` for L thresholds.

    Args:
        table: sums of shape (L,).
        flagged: of shape (L,), over all scored rows.
        costs: of the expected cost per labelled row, gains taken off.
        beta: how many times as much recall counts as precision.
        probability: shape (L,), the thresholds as probabilities; None where the score is none.
    """
    found: dict[MeasureName, Estimates] = {
        "precision": table.precision.estimates(classification.NO_POSITIVE_PREDICTIONS),
        "recall": table.recall.estimates(classification.NO_POSITIVES),
        "f_beta": f_estimates(table.jaccard(beta)),
        "false_positive_rate": table.false_positive_rate.estimates(classification.NO_NEGATIVES),
        "flagged_share": flagged.estimates(NO_SCORES),
        "expected_cost": _per_row(table, costs.false_positive, costs.false_negative, -costs.true_positive),
    }
    n = found["expected_cost"].n
    if probability is None:
        nothing = np.ones(len(n), np.bool_)
        found["net_benefit"] = estimates(np.nan, np.nan, np.nan, n, [(nothing, NO_PROBABILITY)])
    else:
        odds = divide(probability, 1 - probability)
        found["net_benefit"] = _per_row(table, -odds, 0.0, 1.0)
    return found


def net_benefit_of_all(whole: Sums, probability: FloatArray) -> FloatArray:
    """Net benefit of flagging every row, at threshold probabilities; flagging none has 0.

    Args:
        whole: shape (3,), all scored rows by label.
        probability: shape (L,), below 1.
    """
    positive, negative = whole.w[POSITIVE], whole.w[NEGATIVE]
    share = divide(positive, positive + negative)
    return share - (1 - share) * divide(probability, 1 - probability)


def _per_row(
    table: Confusion, false_positive: FloatArray | float, false_negative: float, true_positive: float
) -> Estimates:
    """The mean over labelled rows of what each of its decision is worth."""
    whole = table.whole
    parts = [(false_positive, table.false_positive), (false_negative, table.false_negative)]
    parts.append((true_positive, table.true_positive))
    counts = [Counts.of(part, whole) for _worth, part in parts]
    rates = np.stack([each.rate for each in counts])
    sizes = np.stack([rate_n(each.rate, each.n, each.w, each.w2, each.w2_hits) for each in counts])
    lower, upper = wilson(rates, sizes)
    worth = np.stack([np.broadcast_to(np.asarray(each, np.float64), rates[0].shape) for each, _part in parts])
    value, low, high = mover_sum(worth, rates, lower, upper)
    return estimates(value, low, high, whole.n, [(~(whole.w > 0), NO_USABLE_ROWS)])
