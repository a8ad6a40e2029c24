"""A value column by itself and beside the margin: its mean, its quantiles, and the violation rate along it.

Rows are counted, not weighted, except in violation rates, which are weighted as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.cells import ValueBins, ValueCells
from lib.metrics.estimates import Estimates, FloatArray, IntArray, divide
from lib.metrics.ordering import Bins, quantile
from lib.metrics.parts import Counts, Moments

NO_VALUES = "no row has a value"
PIECES = 10
"""Into how many pieces of about equal mass a column is cut where its violation rate is shown or fitted."""


def value_mean(cells: ValueCells) -> Estimates:
    """The mean of the column in each group, exact, with Student's interval."""
    n, v, vv = (cells.whole[:, :-1, place].sum(axis=1) for place in range(3))
    return Moments(n=n, w=n, w2=n, wx=v, w2x=v, w2xx=vv, doubt=np.zeros(len(n))).estimates(NO_VALUES)


def value_quantile(cells: ValueCells, q: float) -> Estimates:
    """The q-quantile of the column in each group, `linear`, with its interval by order statistics and its bound."""
    group, place = np.nonzero(cells.n[:, :-1])
    n = np.stack([cells.n[group, place], np.zeros(len(group))], axis=1)
    none = np.zeros(0, np.int64)
    bins = Bins(
        starts=np.searchsorted(group, np.arange(cells.n_groups + 1)).astype(np.int64),
        group=group,
        lower=cells.bins.lower[place],
        upper=cells.bins.upper[place],
        n=n,
        w=n,
        w2=n,
        cell=none,
        place=none,
        weighted=False,
    )
    return quantile(bins, q)


def missing_share(cells: ValueCells) -> Estimates:
    """The share of rows without a value in each group, with Wilson's interval."""
    n, hits = cells.n.sum(axis=1), cells.n[:, -1]
    return Counts(n=n, hits=hits, w=n, w2=n, w_hits=hits, w2_hits=hits, doubt=np.zeros(len(n))).estimates("no rows")


def pieces_of(bins: ValueBins, n: FloatArray, most: int = PIECES) -> IntArray:
    """Shape (B + 1,): the piece of each bin; missing values are the last piece, of themselves.

    Neighbouring bins make pieces of about equal mass; a bin is never cut. Of categories the largest keep a piece of
    their own, and the others share one.

    Args:
        bins: the cut.
        n: shape (B + 1,), rows by bin.
        most: how many pieces there may be, that of missing values apart.
    """
    held = n[:-1]
    if bins.is_categorical:
        order = np.argsort(-held, kind="stable")
        piece = np.empty(len(held), np.int64)
        piece[order] = np.minimum(np.arange(len(held)), most - 1)
    else:
        before = np.cumsum(held) - held
        raw = np.floor(most * divide(before + held / 2, np.maximum(held.sum(), 1.0))).astype(np.int64)
        piece = np.unique(np.minimum(raw, most - 1), return_inverse=True)[1]
    return np.append(piece, piece.max(initial=-1) + 1)


@dataclass(frozen=True, eq=False)
class AlongValue:
    """The violation rate along a column, piece by piece.

    Attributes:
        names: the categories of each piece, empty for numbers.
        lower, upper: shape (P,), the ends of each piece; NaN for categories and for the piece of missing values.
        is_missing: shape (P,), the piece of missing values.
        n: shape (G, P), rows, labelled or not.
        rate: one estimate for each group and piece, group by group.
    """

    names: tuple[str, ...]
    lower: FloatArray
    upper: FloatArray
    is_missing: np.ndarray
    n: FloatArray
    rate: Estimates


def violation_rate_along(cells: ValueCells, margin_target: float, most: int = PIECES) -> AlongValue:
    """Cut the column into pieces of about equal mass over all groups; the violation rate of each in each group."""
    total = cells.n.sum(axis=0)
    piece = pieces_of(cells.bins, total, most)
    size = int(piece[-1]) + 1
    into = np.zeros((len(piece), size))
    into[np.arange(len(piece)), piece] = 1.0

    def add(sums: FloatArray) -> FloatArray:
        return np.einsum("gbk,bp->gpk", sums, into).reshape(-1, sums.shape[-1])

    hits, doubt = (add(each) for each in cells.below(margin_target))
    usable = add(cells.with_margin)
    w, w2 = (3, 4) if cells.weighted else (0, 0)
    counts = Counts(
        n=usable[:, 0],
        hits=hits[:, 0],
        w=usable[:, w],
        w2=usable[:, w2],
        w_hits=hits[:, w],
        w2_hits=hits[:, w2],
        doubt=doubt[:, w],
    )
    n = np.einsum("gb,bp->gp", cells.n, into)
    kept = n.sum(axis=0) > 0
    bins, names = cells.bins, [""] * size
    lower, upper = np.full(size, np.nan), np.full(size, np.nan)
    for place in range(size - 1):
        inside = np.flatnonzero((piece == place) & (total > 0))
        if len(inside) and bins.is_categorical:
            own = [bins.categories[each] for each in inside]
            names[place] = own[0] if len(own) == 1 else f"{len(own)} others"
        elif len(inside):
            lower[place], upper[place] = bins.lower[inside[0]], bins.upper[inside[-1]]
    places = np.flatnonzero(kept)
    taken = (np.arange(cells.n_groups)[:, None] * size + places).ravel()
    return AlongValue(
        tuple(names[each] for each in places),
        lower[places],
        upper[places],
        places == size - 1,
        n[:, places],
        counts.estimates().take(taken),
    )


FEW = 24
"""So many distinct numbers are drawn one by one."""
BARS = 40
DRAWN = 0.995
"""This share of rows lies within the drawn range at each end."""
DECADES = 100.0
"""A range of positive numbers so many times as wide as its least is cut by ratios."""


@dataclass(frozen=True, eq=False)
class ValueHistogram:
    """How the values of a column are distributed in each group.

    Attributes:
        names: what each bar stands for where values stand one by one; empty where bars are ranges.
        edges: shape (E + 1,) of ranges; empty where values stand one by one.
        is_log: whether ranges grow by ratios.
        share: shape (G, E), of the rows with a value.
        n: shape (G,), those rows.
        outside: share of all rows with a value beyond the ranges.
    """

    names: tuple[str, ...]
    edges: FloatArray
    is_log: bool
    share: FloatArray
    n: FloatArray
    outside: float


def value_histogram(cells: ValueCells) -> ValueHistogram:
    """Shares by value where few are distinct, else by ranges over all but the far tails, rows spread within bins."""
    bins, held = cells.bins, cells.n[:, :-1]
    n, total = held.sum(axis=1), held.sum(axis=0)
    present = np.flatnonzero(total > 0)
    if bins.is_categorical or not len(present) or (bins.is_exact and len(present) <= FEW):
        if bins.is_categorical:
            piece = pieces_of(bins, cells.n.sum(axis=0), FEW)[:-1]
            kept = [np.flatnonzero((piece == place) & (total > 0)) for place in range(int(piece.max(initial=-1)) + 1)]
            kept = [each for each in kept if len(each)]
            names = [bins.categories[each[0]] if len(each) == 1 else f"{len(each)} others" for each in kept]
        else:
            kept = [np.array([each]) for each in present]
            names = [f"{value:g}" for value in bins.lower[present]]
        counts = np.stack([held[:, each].sum(axis=1) for each in kept], axis=1) if kept else held[:, :0]
        share = np.nan_to_num(divide(counts, n[:, None]))
        return ValueHistogram(tuple(names), np.zeros(0), is_log=False, share=share, n=n, outside=0.0)
    running = np.cumsum(total) / max(total.sum(), 1.0)
    low = float(bins.lower[int(np.searchsorted(running, 1 - DRAWN))])
    high = float(bins.upper[min(int(np.searchsorted(running, DRAWN)), len(bins) - 1)])
    is_log = low > 0 and high > DECADES * low
    edges = np.geomspace(low, high, BARS + 1) if is_log else np.linspace(low, high, BARS + 1)
    wide = bins.upper > bins.lower
    into = np.zeros((len(bins), BARS))
    ends = [np.clip(each[:, None], edges[:-1], edges[1:]) for each in (bins.lower, bins.upper)]
    into[wide] = ((ends[1] - ends[0])[wide]) / (bins.upper - bins.lower)[wide, None]
    inside = np.flatnonzero(~wide & (bins.lower >= low) & (bins.lower <= high))
    into[inside, np.minimum(np.searchsorted(edges, bins.lower[inside], side="right") - 1, BARS - 1)] = 1.0
    share = np.nan_to_num(divide(held @ into, n[:, None]))
    outside = 1 - float((total @ into).sum()) / max(float(total.sum()), 1.0)
    return ValueHistogram((), edges, is_log=bool(is_log), share=share, n=n, outside=max(outside, 0.0))
