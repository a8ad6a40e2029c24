"""Labelled, scored rows in order of margin or of score: both classes merged into bins, and quantiles over them.

Score bins and probability bins are two monotone cuts of the same line, so a bin here is one piece of both: never wider
than either. Margins of the two classes fall into the same bins, because both axes are symmetric.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike

from lib.cells import Cells, Sums
from lib.grid import MISSING_BIN, PROBABILITY_STEPS, SNAP, Resolution, score_interval
from lib.metrics.estimates import (
    NO_USABLE_ROWS,
    NO_WEIGHT,
    BoolArray,
    Estimates,
    FloatArray,
    IntArray,
    add_up,
    estimates,
)
from lib.metrics.intervals import kish_n, quantile_ranks

_FAR = float(np.log(PROBABILITY_STEPS / SNAP - 1))
_SCORE_SPAN, _PROBABILITY_SPAN = 2**20, 2**10
Transform = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Bins:
    """Bins in ascending order within each group.

    Attributes:
        starts: shape (G + 1,), where each group begins.
        group: shape (M,), the group of each bin.
        lower, upper: shape (M,), the smallest and largest value a row of the bin can have; equal where all are equal.
        n, w, w2: shape (M, 2), rows, Σw and Σw² by label, −1 and +1.
        cell: shape (C,), places in the table of the cells that are in the bins.
        place: shape (C,), the bin of each of those cells.
        weighted: whether rows had weights.
    """

    starts: IntArray
    group: IntArray
    lower: FloatArray
    upper: FloatArray
    n: FloatArray
    w: FloatArray
    w2: FloatArray
    cell: IntArray
    place: IntArray
    weighted: bool

    @property
    def n_groups(self) -> int:
        """G."""
        return len(self.starts) - 1

    @cached_property
    def rows(self) -> FloatArray:
        """Shape (M,): rows of both classes."""
        return self.n[:, 0] + self.n[:, 1]

    @cached_property
    def weight(self) -> FloatArray:
        """Shape (M,): weight of both classes."""
        return self.w[:, 0] + self.w[:, 1] if self.weighted else self.rows

    @cached_property
    def weight2(self) -> FloatArray:
        """Shape (M,): Σw² of both classes."""
        return self.w2[:, 0] + self.w2[:, 1] if self.weighted else self.rows

    @cached_property
    def running_rows(self) -> FloatArray:
        """Shape (M + 1,): rows before each bin, over all groups; counts are whole, so this is exact."""
        return np.concatenate(([0.0], np.cumsum(self.rows)))

    @cached_property
    def running_weight(self) -> FloatArray:
        """Shape (M,): inclusive cumulative weight, anew in each group."""
        return self.running(self.weight)

    @cached_property
    def is_open(self) -> BoolArray:
        """Shape (M,): whether rows of the bin may differ."""
        return self.upper > self.lower

    def per_group(self, values: FloatArray | BoolArray) -> FloatArray:
        """Shape (G,): sums over the bins of each group."""
        return add_up(self.group, values, self.n_groups)

    def per_bin(self, cell_values: FloatArray) -> FloatArray:
        """Shape (M,): sums over the cells of each bin, of one value per cell (shape (C,))."""
        return add_up(self.place, cell_values, len(self.group))

    def running(self, values: FloatArray) -> FloatArray:
        """Shape (M,): inclusive cumulative sums that start anew in each group: small groups keep their digits."""
        result = np.empty_like(values)
        for low, high in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            np.cumsum(values[low:high], out=result[low:high])
        return result

    def first_reaching(self, running: FloatArray, level: FloatArray) -> IntArray:
        """Shape (G,): the first bin of each group at which `running` is at least `level`; the last if none is."""
        low, high = self.starts[:-1].copy(), np.maximum(self.starts[1:] - 1, self.starts[:-1])
        while (low < high).any():
            middle = (low + high) // 2
            reached = running[middle] >= level
            high = np.where((low < high) & reached, middle, high)
            low = np.where((low < high) & ~reached, middle + 1, low)
        return low

    @cached_property
    def negated(self) -> Bins:
        """The same rows by minus the value, in ascending order of that."""
        turned = (self.starts[:-1] + self.starts[1:])[self.group] - 1 - np.arange(len(self.group))
        return Bins(
            starts=self.starts,
            group=self.group,
            lower=-self.upper[turned],
            upper=-self.lower[turned],
            n=self.n[turned],
            w=self.w[turned],
            w2=self.w2[turned],
            cell=self.cell,
            place=turned[self.place],
            weighted=self.weighted,
        )


_kept: dict[str, WeakKeyDictionary[Cells, Bins]] = {"margin": WeakKeyDictionary(), "score": WeakKeyDictionary()}


def ordered_bins(cells: Cells, by: Literal["margin", "score"]) -> Bins:
    """The labelled, scored rows of both classes in order of margin or score; kept as long as the cells are."""
    found = _kept[by].get(cells)
    if found is None:
        found = _merge(cells, by)
        _kept[by][cells] = found
    return found


def _merge(cells: Cells, by: Literal["margin", "score"]) -> Bins:
    labels = cells.block % 3 - 1
    cell = np.flatnonzero((labels != 0) & (cells.score_bin != MISSING_BIN))
    label, group = labels[cell], cells.block[cell] // 3
    sign = label if by == "margin" else np.ones_like(label)
    if cells.resolution.is_exact:
        value = sign * cells.score[cell] + 0.0
        order = np.lexsort((value, group))
        changed = (np.diff(value[order]) != 0) | (np.diff(group[order]) != 0)
    else:
        value = sign * cells.score_bin[cell]
        half = 2 * cells.resolution.probability_steps
        part = np.where(sign > 0, cells.probability_bin[cell], half - cells.probability_bin[cell])
        key = (group * _SCORE_SPAN + value + _SCORE_SPAN // 2) * _PROBABILITY_SPAN + part
        order = np.argsort(key, kind="stable")
        changed = np.diff(key[order]) != 0
    first = np.concatenate(([True], changed)) if len(order) else np.zeros(0, np.bool_)
    place = np.empty(len(order), np.int64)
    place[order] = np.cumsum(first) - 1
    leading = order[first]
    lower, upper = cell_interval(cells, cell[leading], sign[leading])
    size, sums = len(leading), Sums(cells.sums[cell], cells.weighted)

    def by_label(values: FloatArray) -> FloatArray:
        return add_up(2 * place + (label > 0), values, 2 * size).reshape(size, 2)

    n = by_label(sums.n)
    return Bins(
        starts=np.searchsorted(group[leading], np.arange(cells.n_groups + 1)).astype(np.int64),
        group=group[leading],
        lower=lower,
        upper=upper,
        n=n,
        w=by_label(sums.w) if cells.weighted else n,
        w2=by_label(sums.w2) if cells.weighted else n,
        cell=cell,
        place=place,
        weighted=cells.weighted,
    )


def cell_interval(cells: Cells, cell: IntArray, sign: IntArray) -> tuple[FloatArray, FloatArray]:
    """What the rows of a cell can be: where its interval of scores and that of probabilities meet, times the sign."""
    if cells.resolution.is_exact:
        exact = sign * cells.score[cell] + 0.0
        return exact, exact
    low, high = score_interval(cells.score_bin[cell], cells.resolution)
    p_low, p_high = _probability_interval(cells.probability_bin[cell], cells.resolution)
    low = np.clip(p_low, low, high)
    high = np.clip(p_high, low, high)
    return np.where(sign > 0, low, -high) + 0.0, np.where(sign > 0, high, -low) + 0.0


def _probability_interval(ids: IntArray, resolution: Resolution) -> tuple[FloatArray, FloatArray]:
    """The lowest and highest score of a probability bin.

    The edges 0 and 1 stand for all scores so far out that p is snapped to them, beyond ±26.4; where that begins is
    known only to within the rounding of p.
    """
    steps = resolution.probability_steps
    edges = np.concatenate(([-_FAR - 0.01], np.log(np.arange(1, steps) / (steps - np.arange(1, steps))), [_FAR + 0.01]))
    floor = ids >> 1
    low, high = np.clip(floor, 0, steps), np.clip(floor + (ids & 1), 0, steps)
    far_low, far_high = ids <= 0, ids >= 2 * steps
    lowest = np.where(far_high, _FAR - 0.01, np.where(far_low, -np.inf, edges[low]))
    return lowest, np.where(far_low, 0.01 - _FAR, np.where(far_high, np.inf, edges[high]))


def _as_is(values: FloatArray) -> FloatArray:
    return values


def order_statistic(bins: Bins, rank: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The value at a 0-based rank in each group: (estimate, lowest, highest) it can be, NaN beyond the rows.

    Within an open bin rows are taken as spread evenly.
    """
    ranks = np.asarray(rank, np.float64)
    # One running sum over all groups is monotone, so one search finds the rank of every group.
    running = bins.running_rows
    begin, end = running[bins.starts[:-1]], running[bins.starts[1:]]
    inside = (ranks >= 0) & (ranks < end - begin)
    if not inside.any():
        nothing = np.full(bins.n_groups, np.nan)
        return nothing, nothing, nothing
    target = np.where(inside, begin + ranks, 0.0)
    place = np.minimum(np.searchsorted(running[1:], target, side="right"), len(bins.group) - 1)
    low, high = bins.lower[place], bins.upper[place]
    estimate = low + (target - running[place] + 0.5) / bins.rows[place] * (high - low)
    return (
        np.where(inside, estimate, np.nan),
        np.where(inside, low, np.nan),
        np.where(inside, high, np.nan),
    )


def quantile(bins: Bins, q: float, transform: Transform = _as_is, no_rows: str = NO_USABLE_ROWS) -> Estimates:
    """The q-quantile of a non-decreasing function of the value, per group.

    Without weights numpy's `linear`, and the order-statistic interval (binomial ranks); with weights numpy's
    `inverted_cdf`, and Woodruff's interval: binomial ranks of Kish's n, read off the weighted distribution.

    Args:
        bins: what is in order.
        q: in [0, 1].
        transform: non-decreasing, elementwise.
        no_rows: the reason where a group has no rows.
    """
    n = np.diff(bins.running_rows[bins.starts])
    w = bins.per_group(bins.weight) if bins.weighted else n
    problems = [(n == 0, no_rows), (~(w > 0), NO_WEIGHT)]
    if not len(bins.group):
        return estimates(np.nan, np.nan, np.nan, n, problems)
    size = kish_n(w, bins.per_group(bins.weight2)) if bins.weighted else n
    low_rank, high_rank = quantile_ranks(size + 1e-9, q)
    if bins.weighted:
        whole = np.maximum(np.floor(size + 1e-9), 1.0)
        running = bins.running_weight

        def at(share: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
            place = bins.first_reaching(running, (share - 1e-12) * w)
            low, high = transform(bins.lower[place]), transform(bins.upper[place])
            return transform((bins.lower[place] + bins.upper[place]) / 2), low, high

        value, lowest, highest = at(np.full(len(n), q))
        lower = np.where(low_rank >= 0, at((low_rank + 1) / whole)[1], np.nan)
        upper = np.where(high_rank < whole, at((high_rank + 1) / whole)[2], np.nan)
    else:
        position = np.maximum(n - 1, 0.0) * q
        below = np.floor(position)
        part = position - below
        first = [transform(each) for each in order_statistic(bins, below)]
        second = [transform(each) for each in order_statistic(bins, np.minimum(below + 1, n - 1))]
        value, lowest, highest = (a + (b - a) * part for a, b in zip(first, second, strict=True))
        lower = transform(order_statistic(bins, low_rank)[1])
        upper = transform(order_statistic(bins, high_rank)[2])
    return estimates(value, lower, upper, n, problems, bound=np.maximum(value - lowest, highest - value))
