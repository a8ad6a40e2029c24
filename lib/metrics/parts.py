"""What rates and means are made of: additive sums per group, so that "the rest" is the whole minus the group."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from lib.cells import Cells, Sums
from lib.metrics.estimates import (
    NO_LABELS,
    NO_SCORES,
    NO_USABLE_ROWS,
    NO_WEIGHT,
    BoolArray,
    Estimates,
    FloatArray,
    IntArray,
    add_up,
    divide,
    estimates,
)
from lib.metrics.intervals import kish_n, mean_interval, rate_n, wilson


def count_rows(cells: Cells) -> FloatArray:
    """Shape (G, 3): raw number of rows by label −1, 0, +1, with a score or without."""
    return add_up(cells.block, cells.sums[:, 0], 3 * cells.n_groups).reshape(cells.n_groups, 3)


def count_usable(cells: Cells) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Shape (G,) each: raw number of rows with a label, with a score, and with both."""
    rows = count_rows(cells)
    return rows[:, 0] + rows[:, 2], cells.scored.n.sum(axis=1), cells.margins.n.sum(axis=1)


def family_of(cells: Cells, keys: list[str]) -> IntArray:
    """Shape (G,): the same number for groups that agree in the given keys, counted from 0."""
    number = np.zeros(cells.n_groups, np.int64)
    for key in keys:
        values, codes = np.unique(cells.groups[key], return_inverse=True)
        number = np.unique(number * len(values) + codes, return_inverse=True)[1]
    return number.astype(np.int64)


def others_of(values: FloatArray, family: IntArray) -> FloatArray:
    """Shape (G,): for each group the sum over all other groups of its family, whose number `family` is."""
    size = int(family.max()) + 1 if len(family) else 0
    return add_up(family, values, size)[family] - values


def say_what_is_missing(found: Estimates, labelled: FloatArray, scored: FloatArray, both: FloatArray) -> Estimates:
    """The reasons of groups in which no row has both a label and a score: whether labels, scores or pairs are missing.

    Args:
        found: one number per group.
        labelled: shape (G,), rows with a label, scored or not.
        scored: shape (G,), rows with a score, labelled or not.
        both: shape (G,), rows with both.
    """
    missing = np.where(scored == 0, NO_SCORES, np.where(labelled == 0, NO_LABELS, NO_USABLE_ROWS))
    return replace(
        found,
        reason=tuple(
            str(what) if reason and none else reason
            for reason, what, none in zip(found.reason, missing, both == 0, strict=True)
        ),
    )


@dataclass(frozen=True, eq=False)
class Additive:
    """Arrays of shape (G,) that add up over groups; `n` is the raw number of rows."""

    n: FloatArray

    def __add__(self, other: Self) -> Self:
        return type(self)(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})

    def rest_of(self, family: IntArray) -> Self:
        """For each group the sums of all other groups of its family.

        Args:
            family: shape (G,), the number of the family of each group.
        """
        empty = others_of(self.n, family) == 0
        # What subtraction leaves of the group's own share is rounding, never less than nothing where sums of squares
        # and weights are concerned; where no row is left nothing is.
        rest = {each.name: np.where(empty, 0.0, others_of(getattr(self, each.name), family)) for each in fields(self)}
        return type(self)(**rest)


@dataclass(frozen=True, eq=False)
class Counts(Additive):
    """What a rate is made of: x in {0, 1} over the rows of each group.

    Attributes:
        hits: raw number of rows with x = 1.
        w, w2: Σw and Σw² over all rows of the group.
        w_hits, w2_hits: the same over rows with x = 1.
        doubt: Σw of the rows that binning may have put on the wrong side.
    """

    hits: FloatArray
    w: FloatArray
    w2: FloatArray
    w_hits: FloatArray
    w2_hits: FloatArray
    doubt: FloatArray

    @classmethod
    def of(cls, hits: Sums, whole: Sums, doubt: ArrayLike = 0.0) -> Counts:
        """From the sums, shape (G,), of the rows that count and of all rows."""
        return cls(
            n=whole.n,
            hits=hits.n,
            w=whole.w,
            w2=whole.w2,
            w_hits=hits.w,
            w2_hits=hits.w2,
            doubt=np.broadcast_to(np.asarray(doubt, np.float64), whole.n.shape),
        )

    def rest_of(self, family: IntArray) -> Counts:
        """As `Additive.rest_of`; without hits, or with nothing but hits, its weights say so to the last digit."""
        rest = super().rest_of(family)
        none, every = rest.hits == 0, rest.hits == rest.n
        return replace(
            rest,
            w_hits=np.where(none, 0.0, np.where(every, rest.w, rest.w_hits)),
            w2_hits=np.where(none, 0.0, np.where(every, rest.w2, rest.w2_hits)),
        )

    @property
    def rate(self) -> FloatArray:
        """Shape (G,): Σwx/Σw, NaN without rows or weight."""
        positive = self.w > 0
        return np.where(positive, np.clip(divide(self.w_hits, np.where(positive, self.w, 1.0)), 0.0, 1.0), np.nan)

    @property
    def n_effective(self) -> FloatArray:
        """Shape (G,): the number of unweighted rows that would tell as much; n without weights."""
        return rate_n(self.rate, self.n, self.w, self.w2, self.w2_hits)

    def estimates(self, no_rows: str = NO_USABLE_ROWS) -> Estimates:
        """The rate with Wilson's interval; `no_rows` is the reason where there is none."""
        lower, upper = wilson(self.rate, self.n_effective)
        problems = [(self.n == 0, no_rows), (~(self.w > 0), NO_WEIGHT)]
        return estimates(self.rate, lower, upper, self.n, problems, bound=np.nan_to_num(divide(self.doubt, self.w)))


@dataclass(frozen=True, eq=False)
class Moments(Additive):
    """What a mean is made of.

    Attributes:
        w, w2: Σw and Σw².
        wx: Σwx.
        w2x, w2xx: Σw²x and Σw²x².
        doubt: how far Σwx may be from the rows' own because of binning.
    """

    w: FloatArray
    w2: FloatArray
    wx: FloatArray
    w2x: FloatArray
    w2xx: FloatArray
    doubt: FloatArray

    @classmethod
    def of_cells(
        cls,
        cells: Cells,
        cell: IntArray,
        x: FloatArray,
        total: FloatArray,
    ) -> Moments:
        """From one value per cell: exact where rows of a cell are equal, to bin precision elsewhere.

        Args:
            cells: the table.
            cell: shape (C,), places of the cells that count.
            x: shape (C,), the value of each.
            total: shape (C,), Σwx of each, which may be known better than as w·x.
        """
        sums, group = Sums(cells.sums[cell], cells.weighted), cells.block[cell] // 3

        def add(values: FloatArray) -> FloatArray:
            return add_up(group, values, cells.n_groups)

        return cls(
            n=add(sums.n),
            w=add(sums.w),
            w2=add(sums.w2),
            wx=add(total),
            w2x=add(sums.w2 * x),
            w2xx=add(sums.w2 * x**2),
            doubt=np.zeros(cells.n_groups),
        )

    @property
    def mean(self) -> FloatArray:
        """Shape (G,): Σwx/Σw, NaN without rows or weight."""
        positive = self.w > 0
        return np.where(positive, divide(self.wx, np.where(positive, self.w, 1.0)), np.nan)

    @property
    def standard_error(self) -> FloatArray:
        """Shape (G,): √(Σw²(x − μ)²)/Σw · √(k/(k − 1)), k Kish's n; s/√n without weights. NaN for one row."""
        mean, k = self.mean, kish_n(self.w, self.w2)
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.maximum(self.w2xx - 2 * mean * self.w2x + mean**2 * self.w2, 0.0)
            squares = np.where(np.isfinite(squares), squares, np.nan)
        # Sums of squares cancel: what is below their rounding is a column of equal values.
        squares = np.where(squares <= 1e-14 * np.abs(self.w2xx), 0.0, squares)
        correction = divide(k, np.where(self._has_spread, k - 1, 0.0))
        return np.sqrt(divide(squares, np.where(self.w > 0, self.w, 0.0) ** 2) * correction)

    @property
    def _has_spread(self) -> BoolArray:
        return (self.n > 1) & (kish_n(self.w, self.w2) > 1 + 1e-9)

    def estimates(self, no_rows: str = NO_USABLE_ROWS, *, least: float = -np.inf) -> Estimates:
        """The mean with Student's interval, no lower than `least`; `no_rows` is the reason where there is none."""
        df = np.where(self._has_spread, np.maximum(kish_n(self.w, self.w2) - 1, 1.0), 0.0)
        lower, upper = mean_interval(self.mean, self.standard_error, df)
        problems = [(self.n == 0, no_rows), (~(self.w > 0), NO_WEIGHT)]
        bound = np.nan_to_num(divide(self.doubt, self.w))
        return estimates(self.mean, np.maximum(lower, least), upper, self.n, problems, bound=bound)
