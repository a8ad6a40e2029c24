"""The change of recall in parts that add up to it: index, duplicates, gallery growth, cohort mix, within cohorts.

The path from baseline to candidate takes away, of either version, what an approximate index loses, then what copies in
the gallery cost, then what rows cost by which the candidate's gallery is larger. What is left is a difference of two
means over queries, which Kitagawa's formula (1955) splits into other cohorts that ask and other answers within them;
cohorts in one version only belong to the mix. Intervals come from Poisson draws of the queries, those of the same id
together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.metrics.estimates import Estimate, FloatArray, IntArray, divide
from lib.metrics.intervals import LEVEL

PARTS = ("ann_loss", "duplicates", "gallery_growth", "cohort_mix", "within_cohorts")
DRAWS = 400
NO_QUERIES = "one of the versions has no query with a right answer in its gallery"


@dataclass(frozen=True, eq=False)
class PartsSide:
    """What became of the queries of one version.

    Attributes:
        found: shape (q,), whether the index that is used finds a right answer; NaN where a query has none to find.
        exact: the same by exact search.
        distinct: the same without copies in the gallery.
        comparable: the same without the rows by which the gallery is larger; the baseline's is `distinct`.
        cohort: shape (q,), the cohort of each query.
        draw: shape (q,), queries of both versions with the same number are drawn together.
    """

    found: FloatArray
    exact: FloatArray
    distinct: FloatArray
    comparable: FloatArray
    cohort: NDArray[np.str_]
    draw: IntArray


@dataclass(frozen=True)
class RecallParts:
    """The change of recall, candidate less baseline, and its parts, which add up to it.

    Attributes:
        change: with its interval; n is the number of queries of the smaller version.
        parts: by name of `PARTS`.
        reason: why there are none; "" where there are.
    """

    change: Estimate
    parts: dict[str, Estimate]
    reason: str = ""


def recall_parts(before: PartsSide, after: PartsSide, *, draws: int = DRAWS, seed: int = 0) -> RecallParts:
    """Split the change of recall.

    Args:
        before: the baseline.
        after: the candidate.
        draws: how many draws of the queries make the intervals.
        seed: of those draws.
    """
    values = np.unique(np.concatenate([before.cohort, after.cohort]))
    sides = [_Sums(each, values) for each in (before, after)]
    whole = [np.ones((1, len(each.found))) for each in (before, after)]
    point = _parts(sides, whole)[0]
    n = float(min(np.isfinite(each.comparable).sum() for each in (before, after)))
    if not np.isfinite(point).all():
        return RecallParts(Estimate(np.nan, np.nan, np.nan, n, NO_QUERIES), {}, NO_QUERIES)
    size = int(max(before.draw.max(initial=-1), after.draw.max(initial=-1))) + 1
    counts = np.random.default_rng(seed).poisson(1.0, (draws, size)).astype(np.float64)
    drawn = _parts(sides, [counts[:, each.draw] for each in (before, after)])
    drawn = np.column_stack([drawn, drawn.sum(axis=1)])
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    total = [*point.tolist(), float(point.sum())]
    made = [
        Estimate(value, *ends, n)
        for value, ends in zip(total, zip(low.tolist(), high.tolist(), strict=True), strict=True)
    ]
    return RecallParts(made[-1], dict(zip(PARTS, made, strict=False)))


class _Sums:
    """The queries of a version, and which cohort each is of."""

    def __init__(self, side: PartsSide, values: NDArray[np.str_]) -> None:
        self.worlds = (side.found, side.exact, side.distinct, side.comparable)
        codes = np.searchsorted(values, side.cohort)
        self.member = (codes[:, None] == np.arange(len(values))).astype(np.float64)

    def mean(self, world: int, counts: FloatArray) -> FloatArray:
        """Shape (D,): the mean of one of the worlds by draw."""
        hit = self.worlds[world]
        there = np.isfinite(hit)
        return divide(counts[:, there] @ hit[there], counts[:, there].sum(axis=1))

    def cohorts(self, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Shape (D, C): of the last world the share of the queries and the mean of each cohort."""
        hit = self.worlds[-1]
        there = np.isfinite(hit)
        weight = counts[:, there] @ self.member[there]
        return divide(weight, weight.sum(axis=1, keepdims=True)), divide(
            counts[:, there] @ (self.member[there] * hit[there, None]), weight
        )


def _parts(sides: list[_Sums], counts: list[FloatArray]) -> FloatArray:
    """Shape (D, 5)."""
    means = [[side.mean(world, own) for world in range(4)] for side, own in zip(sides, counts, strict=True)]
    steps = [(means[1][world] - means[1][world + 1]) - (means[0][world] - means[0][world + 1]) for world in range(3)]
    (share, rate), (new_share, new_rate) = (side.cohorts(own) for side, own in zip(sides, counts, strict=True))
    # A cohort that is in one version only has no change within: its rate there stands for both.
    rate, new_rate = np.where(share > 0, rate, new_rate), np.where(new_share > 0, new_rate, rate)
    rate, new_rate = np.nan_to_num(rate), np.nan_to_num(new_rate)
    mix = ((new_share - share) * (rate + new_rate) / 2).sum(axis=1)
    within = ((new_rate - rate) * (share + new_share) / 2).sum(axis=1)
    return np.column_stack([*steps, mix, within])
