"""Means over queries, with intervals by bootstrap over queries: the gallery is taken as it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.metrics.estimates import Estimates, FloatArray, IntArray, add_up, divide, estimates
from lib.metrics.intervals import LEVEL, wilson

NO_ANSWER = "no query has a right answer in the gallery"
NO_PAIR = "no query with this id is in both"
DRAWS = 1_000
LARGEST_SUPPORT = 256
"""Values of more kinds are put into so many groups of equal size, each at its mean, before they are drawn from."""
SEED = 0


@dataclass(frozen=True, eq=False)
class QueryValues:
    """One number per query.

    Attributes:
        name: as in JSON, such as `recall_at_k`.
        k: the length of the list, None where none plays a part.
        values: shape (q,), NaN for queries that are left out.
        lowest, highest: between which values lie.
        is_rate: whether each is 0 or 1, or the probability of 1 over ties.
    """

    name: str
    k: int | None
    values: FloatArray
    lowest: float = 0.0
    highest: float = 1.0
    is_rate: bool = False


def mean_of_queries(
    one: QueryValues, group: IntArray | None = None, n_groups: int = 1, reason: str = NO_ANSWER
) -> Estimates:
    """The mean by group, with a 95 % interval: Wilson's of a rate, else percentiles of a seeded bootstrap.

    Where all values are the same, which a bootstrap takes for certain, the interval is what Wilson's says of how many
    could be elsewhere, at worst at an end of the range.

    Args:
        one: values of q queries.
        group: shape (q,), codes from 0 to `n_groups` − 1, negative for queries of none; None for one group of all.
        n_groups: how many groups.
        reason: why a group without values has no number.

    Returns:
        G estimates; n counts the queries that have a value.
    """
    codes = np.zeros(len(one.values), np.int64) if group is None else group
    kept = np.isfinite(one.values) & (codes >= 0)
    codes, values = codes[kept], one.values[kept]
    n = np.bincount(codes, minlength=n_groups).astype(np.float64)
    mean = divide(add_up(codes, values, n_groups), n)
    if one.is_rate:
        lower, upper = wilson(mean, n)
    else:
        order = np.argsort(codes, kind="stable")
        parts = np.split(values[order], np.cumsum(n[:-1]).astype(np.int64))
        lower, upper = np.array([_interval(part, one.lowest, one.highest) for part in parts]).T
    return estimates(mean, lower, upper, n, [(n == 0, reason)])


def _interval(values: FloatArray, lowest: float, highest: float) -> tuple[float, float]:
    if not len(values):
        return np.nan, np.nan
    support, counts = _support(values)
    n = len(values)
    if len(support) == 1:
        elsewhere = float(wilson(0.0, n)[1])
        value = float(support[0])
        return value - elsewhere * (value - lowest), value + elsewhere * (highest - value)
    drawn = np.random.default_rng(SEED).multinomial(n, counts / n, DRAWS) @ support / n
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _support(values: FloatArray) -> tuple[FloatArray, IntArray]:
    """Distinct values and how often each is there."""
    support, counts = np.unique(values, return_counts=True)
    if len(support) <= LARGEST_SUPPORT:
        return support, counts
    parts = np.array_split(np.sort(values), LARGEST_SUPPORT)
    return np.array([part.mean() for part in parts]), np.array([len(part) for part in parts])
