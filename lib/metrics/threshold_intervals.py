"""Rules by which thresholds are chosen, and how far a chosen one could be elsewhere.

For recall and flags order statistics. For precision the thresholds, on either side up to the first that is ruled out,
whose Wilson interval of precision holds the target: one of 96.5 %, since any threshold on the way may rule out. For
costs the thresholds at which "flagging pays above and not below" is not ruled out by the likelihood ratio of isotonic
fits with and without that bound: the least cost itself converges with the cube root of n, and neither a normal interval
nor a bootstrap covers. `scripts/coverage.py` prints how often they hold the truth.

References: Wilson (1927); Woodruff (1952); Banerjee and Wellner (2001), likelihood ratio tests for monotone functions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from lib.cells import NEGATIVE, POSITIVE, Sums
from lib.metrics.estimates import FloatArray, IntArray
from lib.metrics.intervals import kish_n, quantile_ranks, wilson
from lib.metrics.reliability import isotonic
from lib.metrics.thresholds import Costs, Decisions

By = Literal["precision", "recall", "flagged_share", "cost"]
LIKELIHOOD_LIMIT = 2.269
"""The 95 % quantile of the likelihood ratio at a point of a monotone curve (Banerjee and Wellner 2001)."""
CHI_SQUARE_LIMIT = 3.841
"""The same where the score has few distinct values, each with many rows."""
RAISED_BY = 40.0
"""In n rows the first limit is raised by 40/n of itself: so that it covers at n = 200 too (simulated)."""
PRECISION_LEVEL = 0.965
"""Of each Wilson interval: any of many thresholds on a side may rule out the right one (simulated)."""
MOST_FITTED = 4_000
"""Into how many bins rows are gathered for the likelihood ratio."""


@dataclass(frozen=True)
class Rule:
    """How a threshold is chosen.

    Attributes:
        by: what is asked for.
        target: the precision or recall to reach, or the share of scored rows that may be flagged, in [0, 1]; of no
            meaning with costs.
        costs: what decisions cost.
    """

    by: By
    target: float = math.nan
    costs: Costs = field(default_factory=Costs)


def threshold_interval(decisions: Decisions, place: int, rule: Rule) -> tuple[float, float]:
    """The 95 % interval of a picked threshold, in decision score; infinite on a side that the rows do not bound."""
    if rule.by == "recall":
        # The threshold lies below the positive row that it has to let through.
        return _order_interval(decisions, decisions.own[:, POSITIVE, :], 1 - rule.target, below=1)
    if rule.by == "flagged_share":
        return _order_interval(decisions, decisions.own.over(1), 1 - rule.target)
    if rule.by == "precision":
        return _precision_interval(decisions, place, rule.target)
    return _cost_interval(decisions, rule.costs.probability)


def _order_interval(decisions: Decisions, rows: Sums, q: float, *, below: int = 0) -> tuple[float, float]:
    """Between which scores the q-quantile of some rows lies; with weights by Kish's n (Woodruff)."""
    total, weighted = float(rows.w.sum()), rows.weighted
    size = float(kish_n(total, rows.w2.sum())) if weighted else float(rows.n.sum())
    low, high = (float(each[0]) for each in quantile_ranks(np.array([size + 1e-9]), q))
    running = np.cumsum(rows.w if weighted else rows.n)
    unit = total / max(math.floor(size + 1e-9), 1) if weighted else 1.0

    def reaching(rank: float) -> int:
        return int(np.searchsorted(running, (rank + 1 - 1e-9) * unit))

    lower = float(decisions.lower[max(reaching(low) - below, 0)]) if low >= 0 else -math.inf
    upper = float(decisions.threshold[reaching(high)]) if high < math.floor(size + 1e-9) else math.inf
    return lower, upper


def _precision_interval(decisions: Decisions, place: int, target: float) -> tuple[float, float]:
    counts = decisions.confusion().precision
    low, high = wilson(counts.rate, counts.n_effective, PRECISION_LEVEL)
    too_low, too_high = np.flatnonzero(high[:place] < target), np.flatnonzero(low[place + 1 :] > target)
    first = int(too_low[-1]) + 1 if len(too_low) else 0
    last = float(decisions.threshold[place + 1 + too_high[0]]) if len(too_high) else math.inf
    return float(decisions.lower[first]), last


def _cost_interval(decisions: Decisions, share: float) -> tuple[float, float]:
    """Between which scores the positive share passes `share`, by the likelihood ratio."""
    if not 0 < share < 1:
        return -math.inf, math.inf
    own = decisions.own
    places, weight, hits, rows = _gathered(own)
    scale = float(kish_n(weight.sum(), own.w2[:, [NEGATIVE, POSITIVE]].sum())) / weight.sum()
    weight, hits = weight * scale, hits * scale
    below, free = _capped(weight, hits, share)
    above, _ = _capped(weight[::-1], (weight - hits)[::-1], 1 - share)
    ratio = 2 * (free - below - above[::-1])
    limit = LIKELIHOOD_LIMIT * (1 + RAISED_BY / weight.sum())
    if _is_discrete(weight, hits, rows, share):
        limit = CHI_SQUARE_LIMIT
    held = np.flatnonzero(ratio <= ratio.min() + limit)
    first, last = int(held[0]), int(held[-1])
    lower = float(decisions.lower[places[first]]) if first > 0 else -math.inf
    upper = float(decisions.threshold[places[last + 1]]) if last + 1 < len(places) else math.inf
    return lower, upper


def _gathered(own: Sums) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Labelled rows in at most `MOST_FITTED` bins: the place each ends at (place 0 before all), weight, hits, rows."""
    n = own.n[:, NEGATIVE] + own.n[:, POSITIVE]
    has = np.flatnonzero(n > 0)
    if len(has) > MOST_FITTED:
        part = (np.cumsum(n[has]) - n[has]) * MOST_FITTED // n.sum()
        has_last = np.append(np.flatnonzero(np.diff(part) > 0), len(has) - 1)
        has = has[has_last]
    first = np.concatenate(([0], has[:-1] + 1))

    def total(values: FloatArray) -> FloatArray:
        return np.add.reduceat(values, first)

    w = own.w
    return np.concatenate(([0], has)), total(w[:, NEGATIVE] + w[:, POSITIVE]), total(w[:, POSITIVE]), total(n)


def _is_discrete(weight: FloatArray, hits: FloatArray, rows: FloatArray, share: float) -> bool:
    """Whether the isotonic fit next to where it passes `share` is of single values of the score."""
    fitted = isotonic(weight, hits)
    at = int(np.searchsorted(fitted, share))
    sides = [side for side in (at - 1, at) if 0 <= side < len(fitted)]
    return all((fitted == fitted[side]).sum() == 1 and rows[side] > 1 for side in sides)


def _capped(weight: FloatArray, hits: FloatArray, cap: float) -> tuple[FloatArray, float]:
    """Log likelihood of isotonic fits to the first k bins, none above `cap`, for k from 0 to M; and of all, uncapped.

    Pool adjacent violators, one bin at a time: what lies before a pool does not change with what comes after it.
    """
    sizes, positives, before = list[float](), list[float](), [0.0]
    found = [0.0]
    for size, positive in zip(weight.tolist(), hits.tolist(), strict=True):
        while sizes and positives[-1] * size >= positive * sizes[-1]:
            size, positive = size + sizes.pop(), positive + positives.pop()
            before.pop()
        sizes.append(size)
        positives.append(positive)
        before.append(before[-1] + _log_likelihood(size, positive, min(positive / size, cap) if size else cap))
        found.append(before[-1])
    free = sum(_log_likelihood(s, h, h / s) for s, h in zip(sizes, positives, strict=True) if s)
    return np.array(found), free


def _log_likelihood(size: float, positive: float, share: float) -> float:
    hit = positive * math.log(share) if positive > 0 else 0.0
    return hit + ((size - positive) * math.log1p(-share) if positive < size else 0.0)
