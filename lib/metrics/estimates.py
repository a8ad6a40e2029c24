"""A number with what is needed to believe it: n, a 95 % interval, a bound on binning, or why there is no number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

NO_LABELS = "no labelled rows"
NO_SCORES = "no scored rows"
NO_USABLE_ROWS = "no row has both a label and a score"
NO_WEIGHT = "the weights add up to zero"
NOT_A_PROBABILITY = "the score is a raw decision score, not a probability"


@dataclass(frozen=True)
class Estimate:
    """One number; the scalar form of `Estimates`, with the same fields."""

    value: float
    lower: float
    upper: float
    n: float
    reason: str = ""
    bound: float = 0.0

    @property
    def is_defined(self) -> bool:
        """Whether there is a number."""
        return not self.reason

    def row(self) -> dict[str, float | str]:
        """Value, interval, n and reason, as one row of a table has them."""
        return {"value": self.value, "lower": self.lower, "upper": self.upper, "n": self.n, "reason": self.reason}


@dataclass(frozen=True, eq=False)
class Estimates:
    """One number per group.

    Attributes:
        value: shape (G,), NaN where undefined.
        lower, upper: shape (G,), the 95 % interval. NaN where undefined, and on a side on which so few rows bound
            nothing (one row has a mean but no interval; the median of five rows has no 95 % interval).
        n: shape (G,), the rows that the number is over: a raw count, whatever the weights.
        reason: G texts, "" where the number is defined, else why it is not.
        bound: shape (G,), how far the value may be from the rows' own number because of binning; 0 when exact.
    """

    value: FloatArray
    lower: FloatArray
    upper: FloatArray
    n: FloatArray
    reason: tuple[str, ...]
    bound: FloatArray

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, group: int) -> Estimate:
        """The number of one group."""
        return Estimate(
            value=float(self.value[group]),
            lower=float(self.lower[group]),
            upper=float(self.upper[group]),
            n=float(self.n[group]),
            reason=self.reason[group],
            bound=float(self.bound[group]),
        )

    def __iter__(self) -> Iterator[Estimate]:
        return (self[group] for group in range(len(self)))

    @property
    def is_defined(self) -> BoolArray:
        """Shape (G,): where there is a number."""
        return np.array([not text for text in self.reason], dtype=np.bool_)

    def columns(self) -> dict[str, FloatArray | IntArray | list[str]]:
        """Values, intervals, n and reasons, as a table with a row per group has them."""
        return {
            "value": self.value,
            "lower": self.lower,
            "upper": self.upper,
            "n": self.n.astype(np.int64),
            "reason": list(self.reason),
        }

    def take(self, groups: IntArray) -> Estimates:
        """The numbers of some groups, in the order given."""
        return Estimates(
            value=self.value[groups],
            lower=self.lower[groups],
            upper=self.upper[groups],
            n=self.n[groups],
            reason=tuple(self.reason[int(group)] for group in groups),
            bound=self.bound[groups],
        )


def estimates(
    value: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    n: ArrayLike,
    problems: Sequence[tuple[BoolArray, str]] = (),
    bound: ArrayLike = 0.0,
) -> Estimates:
    """Put numbers together, with NaN and a reason where a problem is true; the first of several problems is named.

    Args:
        value: shape (G,), and so are `lower`, `upper` and `n`; anything may stand where a problem is true.
        lower: lower end of the interval.
        upper: upper end of the interval.
        n: raw number of rows.
        problems: (shape (G,) mask, reason).
        bound: shape (G,) or a scalar.
    """
    rows = np.array(n, dtype=np.float64)
    texts = np.full(len(rows), "", dtype=object)
    for mask, text in reversed(problems):
        texts[mask] = text
    bad = np.logical_or.reduce([mask for mask, _ in problems]) if problems else np.zeros(len(rows), dtype=np.bool_)

    def put(values: ArrayLike) -> FloatArray:
        return np.where(bad, np.nan, np.broadcast_to(np.asarray(values, dtype=np.float64), rows.shape))

    return Estimates(
        value=put(value),
        lower=put(lower),
        upper=put(upper),
        n=rows,
        reason=tuple(texts.tolist()),
        bound=put(bound),
    )


def undefined(n: ArrayLike, reason: str) -> Estimates:
    """No number in any group, for one reason."""
    rows = np.array(n, dtype=np.float64)
    return estimates(np.nan, np.nan, np.nan, rows, [(np.ones(len(rows), dtype=np.bool_), reason)])


def concatenate(parts: Sequence[Estimates]) -> Estimates:
    """The numbers of several tables, one after the other."""
    return Estimates(
        value=np.concatenate([part.value for part in parts]),
        lower=np.concatenate([part.lower for part in parts]),
        upper=np.concatenate([part.upper for part in parts]),
        n=np.concatenate([part.n for part in parts]),
        reason=tuple(text for part in parts for text in part.reason),
        bound=np.concatenate([part.bound for part in parts]),
    )


def add_up(index: IntArray, values: ArrayLike, size: int) -> FloatArray:
    """Shape (size,): the sum of the values that share an index."""
    return np.bincount(index, weights=np.asarray(values, np.float64), minlength=size).astype(np.float64, copy=False)


def divide(numerator: ArrayLike, denominator: ArrayLike) -> FloatArray:
    """Elementwise division, NaN (and no warning) where the denominator is zero."""
    top, bottom = np.broadcast_arrays(np.asarray(numerator, np.float64), np.asarray(denominator, np.float64))
    return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)
