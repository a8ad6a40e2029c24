"""Hubness: whether few rows stand in most lists of neighbours.

The k-occurrence of a row is how many queries have it among their k nearest. Its skewness is 0 where all rows are found
alike and grows with the dimension (Radovanović, Nanopoulos and Ivanović, Hubs in Space, JMLR 2010). It depends on the
number of rows: compare it at the same number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lib.errors import SettingsError
from lib.metrics.estimates import Estimate, FloatArray, IntArray
from lib.metrics.intervals import LEVEL, wilson
from lib.vectors import NO_ROW, NeighbourGraph

DRAWS, SEED = 1_000, 0
HUB_SHARE = 0.01
ALL_ALIKE = "every row is found equally often"
NO_GALLERY = "no row can be found"


@dataclass(frozen=True, eq=False)
class Hubness:
    """How the places in lists are shared among the rows of the gallery.

    Attributes:
        k: the length of the lists.
        rows: shape (g,), the rows that can be found, ascending.
        k_occurrence: shape (g,), how many queries have each among their k nearest.
        skewness: of k_occurrence, 0 where found alike, without an upper end; interval by bootstrap over rows.
        hub_share: share of all places that the most frequent 1 % of rows have (rounded up), in [0, 1].
        n_hubs: how many rows that is.
        antihub_share: share of rows that are in no list, with Wilson's interval.
    """

    k: int
    rows: IntArray
    k_occurrence: IntArray
    skewness: Estimate
    hub_share: float
    n_hubs: int
    antihub_share: Estimate


def hubness(graph: NeighbourGraph, gallery: IntArray, k: int) -> Hubness:
    """Count in how many lists each row is.

    Args:
        graph: lists of k rows at least.
        gallery: shape (g,), the rows that can be found, ascending.
        k: how much of each list is looked at.

    Raises:
        SettingsError: k is below 1 or above the length of the lists.
    """
    if not 1 <= k <= graph.k:
        raise SettingsError(f"Lists of {k} cannot be counted: they hold {graph.k}. Choose a k from 1 to {graph.k}.")
    found = graph.rows[:, :k].ravel()
    counts = np.bincount(np.searchsorted(gallery, found[found != NO_ROW]), minlength=len(gallery)).astype(np.int64)
    n_hubs = math.ceil(HUB_SHARE * len(gallery))
    total = int(counts.sum())
    never = float((counts == 0).mean()) if len(gallery) else math.nan
    low, high = wilson([never], [len(gallery)])
    return Hubness(
        k=k,
        rows=gallery,
        k_occurrence=counts,
        skewness=_skewness(counts),
        hub_share=float(np.sort(counts)[::-1][:n_hubs].sum()) / total if total else math.nan,
        n_hubs=n_hubs,
        antihub_share=Estimate(never, float(low[0]), float(high[0]), len(gallery), "" if len(gallery) else NO_GALLERY),
    )


def occurrence_bins(k_occurrence: IntArray) -> tuple[IntArray, IntArray]:
    """How many rows are in so many lists, in steps that double: 0, 1, 2 to 3, 4 to 7, and so on.

    Returns:
        Shape (b,), the smallest number of lists of each step, up to that which holds the greatest; and shape (b,), how
        many rows it holds.
    """
    step = np.frexp(k_occurrence.astype(np.float64))[1].astype(np.int64)
    counts = np.bincount(step, minlength=1).astype(np.int64)
    return np.concatenate([[0], 2 ** np.arange(len(counts) - 1)]).astype(np.int64), counts


def _skewness(counts: IntArray) -> Estimate:
    value, times = np.unique(counts, return_counts=True)
    n = len(counts)
    if len(value) < 2:
        return Estimate(math.nan, math.nan, math.nan, n, ALL_ALIKE if n else NO_GALLERY)
    drawn = np.random.default_rng(SEED).multinomial(n, times / n, DRAWS)
    of_draws = _skewness_of(value.astype(np.float64), drawn)
    low, high = np.nanquantile(of_draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(_skewness_of(value.astype(np.float64), times[None])[0]), float(low), float(high), n)


def _skewness_of(value: FloatArray, times: IntArray) -> FloatArray:
    """m₃/m₂^1.5 of values that are there so many times, shape (draws, values); NaN where all are the same."""
    share = times / times.sum(axis=1, keepdims=True)
    from_mean = value - (share @ value)[:, None]
    second, third = ((share * from_mean**power).sum(axis=1) for power in (2, 3))
    return np.where(second > 0, third / np.where(second > 0, second, 1.0) ** 1.5, np.nan)
