"""Cells of another value column: rows by key values, bin of the value, and step of margin.

What `Cells` is for the score this is for a feature, a latency or a cost: a small additive table from which
distributions, means, quantiles and the violation rate along the column come, for any margin target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lib.cells.sums import Coded, FloatArray, IntArray
from lib.grid import SCORE_STEPS_PER_UNIT, SNAP

VALUE_SUMS = ("n", "v", "vv")
WEIGHTED_VALUE_SUMS = (*VALUE_SUMS, "w", "w2")

MOST_MARGIN = 3.0
"""Margins from here on are one step: as far as the slider of γ goes."""
FINEST_STEPS = int(MOST_MARGIN * SCORE_STEPS_PER_UNIT)
NO_MARGIN = -2
"""The step of a row without a label or a score, and of all rows of a table without margins. −1 is a margin below 0."""


@dataclass(frozen=True, eq=False)
class ValueBins:
    """A fixed, monotone cut of a column, chosen once from the whole file.

    Attributes:
        column: whose values.
        edges: shape (B − 1,), ascending; bin i holds edges[i − 1] ≤ v < edges[i]. Empty for categories.
        lower, upper: shape (B,), the smallest and largest value that a row of a bin can have; equal in exact bins.
        categories: B texts of a categorical column; empty for numbers.
    """

    column: str
    edges: FloatArray
    lower: FloatArray
    upper: FloatArray
    categories: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lower)

    @property
    def is_categorical(self) -> bool:
        """Whether the values are texts without an order."""
        return bool(self.categories)

    @property
    def is_exact(self) -> bool:
        """Whether each distinct value has a bin of its own."""
        return bool((self.lower == self.upper).all())

    @classmethod
    def of_categories(cls, column: str, categories: Sequence[str]) -> ValueBins:
        """A bin for each text."""
        places = np.arange(len(categories), dtype=np.float64)
        return cls(column, places[1:], places, places, tuple(categories))

    @classmethod
    def of_values(cls, column: str, values: ArrayLike) -> ValueBins:
        """A bin for each of a few distinct numbers."""
        distinct = np.unique(np.asarray(values, np.float64))
        return cls(column, distinct[1:], distinct, distinct)

    @classmethod
    def of_edges(cls, column: str, edges: ArrayLike, least: float, most: float) -> ValueBins:
        """Bins between inner edges; `least` and `most` are the extremes of the column.

        A value that is an edge more than once is so frequent that it gets a bin of its own.
        """
        inner, times = np.unique(np.asarray(edges, np.float64), return_counts=True)
        behind = np.nextafter(inner[times > 1], np.inf)
        inner = np.union1d(inner, behind)
        inner = inner[(inner > least) & (inner <= most)]
        lower, upper = np.concatenate(([least], inner)), np.concatenate((inner, [most]))
        upper = np.where(upper == np.nextafter(lower, np.inf), lower, upper)
        return cls(column, inner, np.where(np.isin(lower, behind), np.nextafter(lower, -np.inf), lower), upper)

    def place(self, values: ArrayLike) -> IntArray:
        """The bin of each number, B where it is missing: the scan's bins in numpy, for tests and small data."""
        v = np.asarray(values, np.float64)
        return np.where(np.isnan(v), len(self), np.searchsorted(self.edges, v, side="right")).astype(np.int64)


@dataclass(frozen=True, eq=False)
class ValueCells:
    """Sorted additive cells of a value column.

    Attributes:
        groups: for each key the value of each of the G groups, shape (G,), in ascending order of the keys.
        bins: the cut, B bins; place B stands for rows without a value.
        group, bin, step: shape (N,), of each cell. `step` is ⌊m / width⌋ of the margin, −1 below 0, `NO_MARGIN` for
            rows without one.
        sums: shape (N, 3) or, with weights, (N, 5), columns as in `WEIGHTED_VALUE_SUMS`.
        factor: how many of the finest steps of margin (0.02) make one of this table's; 0 for a table without margins.
    """

    groups: dict[str, NDArray[np.generic]]
    bins: ValueBins
    group: IntArray
    bin: IntArray
    step: IntArray
    sums: FloatArray
    factor: int

    @classmethod
    def build(
        cls,
        keys: Mapping[str, ArrayLike | Coded],
        bins: ValueBins,
        place: ArrayLike,
        step: ArrayLike,
        sums: ArrayLike,
        *,
        factor: int,
    ) -> ValueCells:
        """Sort cells and add up those of equal keys, bin and step.

        Args:
            keys: each shape (N,), text or integers, plain or already coded.
            bins: the cut.
            place: shape (N,), the bin of each cell, B where there is no value.
            step: shape (N,), the step of margin of each cell.
            sums: shape (N, 3), or (N, 5) with weights.
            factor: what the steps are at.
        """
        places, steps = np.asarray(place, np.int64), np.asarray(step, np.int64)
        statistics = np.asarray(sums, np.float64)
        coded = {key: Coded.of(column) for key, column in keys.items()}
        group = np.zeros(len(places), np.int64)
        for column in coded.values():
            group = group * max(1, len(column.values)) + column.codes
        order = np.lexsort((steps, places, group))
        group, places, steps, statistics = group[order], places[order], steps[order], statistics[order]
        if len(order):
            first = np.concatenate(
                ([True], (np.diff(group) != 0) | (np.diff(places) != 0) | (np.diff(steps) != 0))
            ).nonzero()[0]
            statistics = np.add.reduceat(statistics, first, axis=0)
            group, places, steps = group[first], places[first], steps[first]
        present, number = np.unique(group, return_inverse=True)
        values: dict[str, NDArray[np.generic]] = {}
        remaining = present
        for key, column in reversed(coded.items()):
            values[key] = column.values[remaining % max(1, len(column.values))]
            remaining = remaining // max(1, len(column.values))
        groups = {key: values[key] for key in coded}
        return cls(groups, bins, number.astype(np.int64), places, steps, statistics, factor)

    @property
    def n_groups(self) -> int:
        """G, the number of distinct key combinations."""
        return len(next(iter(self.groups.values()))) if self.groups else min(1, len(self.group))

    @property
    def weighted(self) -> bool:
        """Whether rows had weights."""
        return self.sums.shape[1] == len(WEIGHTED_VALUE_SUMS)

    @property
    def margin_step(self) -> float:
        """The width of a step of margin."""
        return self.factor / SCORE_STEPS_PER_UNIT

    def spread_out(self, kept: slice | NDArray[np.bool_] = slice(None)) -> FloatArray:
        """Shape (G, B + 1, 3 or 5): sums of the cells that are kept, by group and bin."""
        size = len(self.bins) + 1
        index = (self.group * size + self.bin)[kept]
        columns = [np.bincount(index, weights=column[kept], minlength=self.n_groups * size) for column in self.sums.T]
        return (
            np.stack(columns, axis=-1).reshape(self.n_groups, size, self.sums.shape[1]).astype(np.float64, copy=False)
        )

    @cached_property
    def whole(self) -> FloatArray:
        """Shape (G, B + 1, 3 or 5): sums over all rows, by group and bin."""
        return self.spread_out()

    @cached_property
    def with_margin(self) -> FloatArray:
        """Shape (G, B + 1, 3 or 5): sums over the rows with a label and a score."""
        return self.spread_out(self.step != NO_MARGIN)

    @property
    def n(self) -> FloatArray:
        """Shape (G, B + 1): rows by group and bin."""
        return self.whole[..., 0]

    def below(self, margin_target: float) -> tuple[FloatArray, FloatArray]:
        """Sums of the rows with m < γ, and of those of which the steps do not tell; shape (G, B + 1, 3 or 5) each.

        Raises:
            ValueError: the table has no margins.
        """
        if not self.factor:
            raise ValueError("these cells were made without margins")
        position = margin_target / self.margin_step
        nearest = round(position)
        on_step = abs(position - nearest) <= SNAP and nearest <= FINEST_STEPS // self.factor
        reached = min(nearest if on_step else int(np.floor(position)), FINEST_STEPS // self.factor)
        has_margin = self.step != NO_MARGIN
        doubtful = has_margin & (self.step == reached) & (not on_step)
        return self.spread_out(has_margin & (self.step < reached)), self.spread_out(doubtful)

    def rollup(self, keys: Sequence[str]) -> ValueCells:
        """The same rows by fewer keys."""
        return self._rebuilt({key: self.groups[key] for key in keys}, slice(None))

    def without(self, other: ValueCells) -> ValueCells:
        """The rows that are not among those of other cells, all of which are among these; of the same keys and cut."""
        keys = {
            key: np.concatenate([values[self.group], other.groups[key][other.group]])
            for key, values in self.groups.items()
        }
        return ValueCells.build(
            keys,
            self.bins,
            np.concatenate([self.bin, other.bin]),
            np.concatenate([self.step, other.step]),
            np.concatenate([self.sums, -other.sums]),
            factor=self.factor,
        )

    def where(self, keep: NDArray[np.bool_]) -> ValueCells:
        """The groups for which `keep`, shape (G,), is true."""
        return self._rebuilt(self.groups, keep[self.group])

    def _rebuilt(self, groups: dict[str, NDArray[np.generic]], kept: slice | NDArray[np.bool_]) -> ValueCells:
        return ValueCells.build(
            {key: values[self.group][kept] for key, values in groups.items()},
            self.bins,
            self.bin[kept],
            self.step[kept],
            self.sums[kept],
            factor=self.factor,
        )
