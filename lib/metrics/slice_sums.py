"""What a search for slices adds up: an outcome by combinations of levels of columns, and by which slices hold a row.

A slice is a set of rows that have one level of each of up to three columns. All sums are additive: those of a slice of
one or two columns are sums over a table of three, and those of two parts of the rows are the sum of both.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lib.metrics.estimates import FloatArray, IntArray
from lib.metrics.parts import Moments

EXPLORE, CONFIRM = 0, 1
"""The two halves of the rows: in one slices are looked for, in the other they are tested."""
MOST_OVERLAPPING = 63
"""So many slices can be told apart in one whole number; its last bit is that of the half."""

SUMS, WEIGHTED_SUMS = 3, 6
"""How many sums there are: n, Σwx, Σw²x²; with weights also Σw, Σw², Σw²x."""


@dataclass(frozen=True)
class Condition:
    """One level of a column.

    Attributes:
        column: its name.
        value: the text of a cohort column, "" where it is missing; None for numbers.
        lower, upper: of numbers lower ≤ v < upper, or v = lower where both are equal; infinite where a side is open;
            NaN for texts and where a number is missing.
    """

    column: str
    value: str | None = None
    lower: float = math.nan
    upper: float = math.nan

    @property
    def is_missing(self) -> bool:
        """Whether it holds the rows without a value."""
        return self.value == "" or (self.value is None and math.isnan(self.lower))


@dataclass(frozen=True)
class SearchedColumn:
    """A column as it is searched.

    Attributes:
        name: its name.
        levels: what each code stands for; None for one that is no slice, such as the values that are too many.
        edges: of numbers where the first level begins, where it ends and the next begins, and so on; missing values are
            a level behind those. Empty where levels have no order.
    """

    name: str
    levels: tuple[Condition | None, ...]
    edges: tuple[float, ...] = ()

    @property
    def n_ordered(self) -> int:
        """How many levels, the first ones, are in an order and may be joined."""
        return max(len(self.edges) - 1, 0)

    def condition(self, first: int, last: int) -> Condition | None:
        """What one level, or those from `first` to `last`, stand for."""
        return (
            self.levels[first] if first == last else Condition(self.name, None, self.edges[first], self.edges[last + 1])
        )


@dataclass(frozen=True, eq=False)
class CodedRows:
    """Some rows.

    Attributes:
        codes: one array of shape (n,) per column, the place of each row's level.
        outcome: shape (n,), what is looked for: 1 or 0, or a loss.
        explored: shape (n,), whether a row is of the half in which slices are looked for.
        weight: shape (n,); None where each row counts once.
    """

    codes: tuple[IntArray, ...]
    outcome: FloatArray
    explored: NDArray[np.bool_]
    weight: FloatArray | None = None

    @property
    def terms(self) -> list[FloatArray | None]:
        """What is added up, in the order of the sums; None stands for 1."""
        x, w = self.outcome, self.weight
        return [None, x, x * x] if w is None else [None, w * x, w * w * x * x, w, w * w, w * w * x]


Place: TypeAlias = tuple[tuple[int, int, int], ...]
"""A slice by (column, first level, last level) in ascending order of columns."""


class SliceSums:
    """Sums by half and level for every combination of so many columns, while they grow.

    Attributes:
        columns: what is searched.
        depth: of how many columns at once, at most as many as there are.
    """

    def __init__(self, columns: Sequence[SearchedColumn], depth: int, *, weighted: bool) -> None:
        """Without rows yet.

        Raises:
            ValueError: there are no columns, or the depth is not 1, 2 or 3.
        """
        if not columns or depth not in (1, 2, 3):
            raise ValueError(f"{len(columns)} columns cannot be searched {depth} at a time")
        self.columns = tuple(columns)
        self.depth = min(depth, len(columns))
        self._sizes = [len(column.levels) for column in columns]
        self._n_sums = WEIGHTED_SUMS if weighted else SUMS
        self._tables = {
            chosen: np.zeros((self._n_sums, 2 * math.prod(self._sizes[each] for each in chosen)))
            for chosen in itertools.combinations(range(len(columns)), self.depth)
        }

    def add(self, rows: CodedRows) -> None:
        """Add rows."""
        terms, half = rows.terms, np.where(rows.explored, EXPLORE, CONFIRM)
        for chosen, table in self._tables.items():
            at = half
            for each in chosen:
                at = at * self._sizes[each] + rows.codes[each]
            for place, term in enumerate(terms):
                table[place] += np.bincount(at, term, minlength=table.shape[1])

    def of(self, chosen: Sequence[int]) -> FloatArray:
        """Sums by half and level of some of the columns, in ascending order: shape (2, L₁, …, sums)."""
        whole = next(each for each in self._tables if set(chosen) <= set(each))
        shape = [self._n_sums, 2, *(self._sizes[each] for each in whole)]
        table = self._tables[whole].reshape(shape)
        others = tuple(axis for axis, each in enumerate(whole, start=2) if each not in chosen)
        return np.moveaxis(table.sum(axis=others), 0, -1)

    @property
    def whole(self) -> FloatArray:
        """Shape (2, sums): of all rows of each half."""
        return self.of(()).reshape(2, self._n_sums)

    def at(self, place: Place) -> FloatArray:
        """Shape (2, sums): of one slice; of the slice of no column, all rows."""
        table = self.of([column for column, _first, _last in place])
        inside = table[(slice(None), *(slice(first, last + 1) for _column, first, last in place))]
        return inside.sum(axis=tuple(range(1, len(place) + 1)))


class OverlapSums:
    """Sums by half and by which of some slices hold a row, while they grow: from it any union and rest can be told."""

    def __init__(self, places: Sequence[Place], *, weighted: bool) -> None:
        """Without rows yet.

        Raises:
            ValueError: there are more slices than can be told apart.
        """
        if len(places) > MOST_OVERLAPPING:
            raise ValueError(f"{len(places)} slices are more than the {MOST_OVERLAPPING} that can be told apart")
        self.places = tuple(places)
        self._held = np.zeros(0, np.uint64)
        self._sums = np.zeros((0, WEIGHTED_SUMS if weighted else SUMS))

    def add(self, rows: CodedRows) -> None:
        """Add rows."""
        held = np.where(rows.explored, np.uint64(0), np.uint64(1) << np.uint64(MOST_OVERLAPPING))
        is_level: dict[tuple[int, int, int], NDArray[np.bool_]] = {}
        for bit, place in enumerate(self.places):
            inside = np.ones(len(held), np.bool_)
            for column, first, last in place:
                if (column, first, last) not in is_level:
                    codes = rows.codes[column]
                    is_level[column, first, last] = (codes >= first) & (codes <= last)
                inside &= is_level[column, first, last]
            held |= inside.astype(np.uint64) << np.uint64(bit)
        seen, at = np.unique(held, return_inverse=True)
        new = np.stack([np.bincount(at, term, minlength=len(seen)) for term in rows.terms], axis=1)
        kept, at = np.unique(np.concatenate((self._held, seen)), return_inverse=True)
        sums = np.zeros((len(kept), self._sums.shape[1]))
        np.add.at(sums, at, np.concatenate((self._sums, new)))
        self._held, self._sums = kept, sums

    def of(self, half: int) -> tuple[NDArray[np.bool_], FloatArray]:
        """Of a half the kinds of rows: shape (K, M), which slices hold each, and shape (M, sums)."""
        last = np.uint64(MOST_OVERLAPPING)
        here = np.flatnonzero((self._held >> last) == np.uint64(half))
        bits = np.arange(len(self.places), dtype=np.uint64)
        return ((self._held[here] >> bits[:, None]) & np.uint64(1)) == 1, self._sums[here]


def moments_of(sums: FloatArray) -> Moments:
    """Sums, shape (…, sums), as those of a mean, each of shape (…)."""
    n, wx, w2xx = sums[..., 0], sums[..., 1], sums[..., 2]
    w, w2, w2x = (n, n, wx) if sums.shape[-1] == SUMS else (sums[..., 3], sums[..., 4], sums[..., 5])
    return Moments(n=n, w=w, w2=w2, wx=wx, w2x=w2x, w2xx=w2xx, doubt=np.zeros_like(n))
