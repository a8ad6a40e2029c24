"""Additive statistics: their names, their sums, and key columns in coded form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOMENTS = ("s", "ss", "l", "ll", "p", "pp")
UNWEIGHTED = ("n", *MOMENTS)
WEIGHTED = (*UNWEIGHTED, "w", "w2", *(f"w{m}" for m in MOMENTS), *(f"w2{m}" for m in MOMENTS))
"""Names of the statistics, in the order of the columns of `Cells.sums`."""

LABELS = (-1, 0, 1)
"""The values of the label key; 0 stands for a row without a label."""
NEGATIVE, UNLABELLED, POSITIVE = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Coded:
    """A key column as its distinct values in ascending order, and for each cell the place of its value among them."""

    values: NDArray[np.generic]
    codes: IntArray

    @classmethod
    def of(cls, column: ArrayLike | Coded) -> Coded:
        """Any column, coded; values that no cell has are dropped."""
        if isinstance(column, Coded):
            present, codes = np.unique(column.codes, return_inverse=True)
            return cls(column.values[present], codes.astype(np.int64))
        values, codes = np.unique(np.asarray(column), return_inverse=True)
        return cls(values, codes.astype(np.int64))


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums of additive statistics, of any leading shape; the last axis is that of the statistics.

    Every accessor but `n` is weighted when the data has weights, and equal to the raw sum when it has none.
    """

    values: FloatArray
    weighted: bool

    @property
    def n(self) -> FloatArray:
        """Number of rows, unweighted."""
        return self.values[..., 0]

    @property
    def w(self) -> FloatArray:
        """Σw (n without weights)."""
        return self.values[..., WEIGHTED.index("w") if self.weighted else 0]

    @property
    def w2(self) -> FloatArray:
        """Σw² (n without weights)."""
        return self.values[..., WEIGHTED.index("w2") if self.weighted else 0]

    def total(self, moment: str) -> FloatArray:
        """Σw·x for x one of s, ss, l, ll, p, pp."""
        return self.values[..., WEIGHTED.index(f"w{moment}" if self.weighted else moment)]

    def total_w2(self, moment: str) -> FloatArray:
        """Σw²·x for x one of s, ss, l, ll, p, pp."""
        return self.values[..., WEIGHTED.index(f"w2{moment}" if self.weighted else moment)]

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.values + other.values, self.weighted)

    def __sub__(self, other: Sums) -> Sums:
        return Sums(self.values - other.values, self.weighted)

    def over(self, axis: int) -> Sums:
        """Summed over one leading axis."""
        return Sums(self.values.sum(axis=axis), self.weighted)

    def __getitem__(self, index: object) -> Sums:
        """A part, by an index into the leading axes."""
        return Sums(self.values[index], self.weighted)  # type: ignore[index]


@dataclass(frozen=True, eq=False)
class Parts:
    """The sums of the rows below, at and above a threshold."""

    below: Sums
    at: Sums
    above: Sums
