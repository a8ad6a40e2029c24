"""Which slices are tried: the strongest of the explored half, and of those the fewest that account for all of them.

References: Chung et al. (2019), "Slice Finder", for slices of few columns and their search by strength; Mantel and
Haenszel (1959) for one difference over strata, which other slices cut.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.metrics.estimates import BoolArray, FloatArray, IntArray, add_up, divide
from lib.metrics.intervals import kish_n
from lib.metrics.slice_sums import CONFIRM, EXPLORE, OverlapSums, Place, SliceSums, moments_of

LEAST_ROWS = 30
"""Rows that a slice, and its rest, have in each half at least."""
LEAST_EFFECT = 0.1
"""An excess that matters, in spreads (standard deviations) of the outcome over all rows: 4 points of a rate of 20 %."""
LEAST_STRENGTH = 3.0
"""By how many standard errors a slice is beyond the rest, and beyond what holds it, in the half that is explored."""
MOST_TRIED = 48
"""So many slices, the strongest, are held against each other."""
MOST_SLICES = 20
"""So many are tried on the other half."""
MERGED = 0.5
"""A slice that was left out belongs to the one that holds more than this share of its rows."""


@dataclass(frozen=True)
class Shortlist:
    """The slices of the explored half that are held against each other, strongest first, of so many looked at."""

    places: tuple[Place, ...]
    n_looked: int


def strength(group: FloatArray, rest: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The difference of two means over strata, and by how many standard errors it is beyond 0; NaN without both.

    Each stratum weighs n₁n₂/(n₁ + n₂), the rows that tell its difference, as Mantel and Haenszel's do. Its variance is
    the largest of the group's, the rest's and both together: few rows that are alike are no evidence by themselves.

    Args:
        group: sums, shape (…, S, sums).
        rest: the same of the other rows.
    """
    first, second, both = moments_of(group), moments_of(rest), moments_of(group + rest)
    sizes = [np.where(each.n > 0, kish_n(each.w, each.w2), 0.0) for each in (first, second, both)]
    spreads = [each.standard_error**2 * size for each, size in zip((first, second, both), sizes, strict=True)]
    variance = np.fmax(np.fmax(spreads[0], spreads[1]), spreads[2])
    worth = np.nan_to_num(divide(sizes[0] * sizes[1], sizes[0] + sizes[1]))
    worth = np.where((sizes[0] > 0) & (sizes[1] > 0) & np.isfinite(variance), worth, 0.0)
    excess = (worth * np.nan_to_num(first.mean - second.mean)).sum(axis=-1)
    error = np.sqrt((worth * np.nan_to_num(variance)).sum(axis=-1))
    return divide(excess, worth.sum(axis=-1)), divide(excess, error)


def shortlist(sums: SliceSums) -> Shortlist:
    """The strongest slices of the explored half, each beyond the rest and beyond every slice that holds it."""
    whole = sums.whole
    least = LEAST_EFFECT * spread_of(whole[EXPLORE])
    found: list[tuple[float, int, Place]] = []
    n_looked = 0
    for size in range(1, sums.depth + 1):
        for chosen in itertools.combinations(range(len(sums.columns)), size):
            table = sums.of(chosen)
            enough = ((table[..., 0] >= LEAST_ROWS) & (whole[:, 0].reshape(2, *[1] * size) - table[..., 0] > 0)).all(0)
            for axis, column in enumerate(chosen):
                is_slice = np.array([level is not None for level in sums.columns[column].levels])
                enough &= is_slice.reshape([-1 if each == axis else 1 for each in range(size)])
            at = np.nonzero(enough)
            n_looked += len(at[0])
            own = table[EXPLORE][at]
            effect, strongest = strength(own[:, None], (whole[EXPLORE] - own)[:, None])
            kept = np.flatnonzero((effect >= least) & (strongest >= LEAST_STRENGTH))
            for axis in range(size) if size > 1 else ():
                inside = tuple(each[kept] for each in at)
                holding = table[EXPLORE].sum(axis=axis)[tuple(np.delete(inside, axis, axis=0))]
                beyond = strength(own[kept][:, None], (holding - own[kept])[:, None])[1] >= LEAST_STRENGTH
                kept = kept[beyond]
            for place in kept:
                levels = ((column, int(each[place]), int(each[place])) for column, each in zip(chosen, at, strict=True))
                found.append((-round(float(strongest[place]), 9), size, tuple(levels)))
    joined = {_join(sums, place): None for _strength, _size, place in sorted(found)[: 4 * MOST_TRIED]}
    order = sorted((-_beyond_rest(sums, place), len(place), place) for place in joined)
    return Shortlist(tuple(place for _strength, _size, place in order[:MOST_TRIED]), n_looked)


def _beyond_rest(sums: SliceSums, place: Place) -> float:
    """By how many standard errors a slice of the explored half is beyond the rest; −∞ without one."""
    own = sums.at(place)[EXPLORE]
    found = float(strength(own[None], without(sums.whole[EXPLORE], own)[None])[1])
    return -math.inf if math.isnan(found) else round(found, 9)


def _join(sums: SliceSums, place: Place) -> Place:
    """The slice with neighbouring levels of its numbers, one after the other, as long as it grows stronger."""
    found = _beyond_rest(sums, place)
    while True:
        wider = [
            (*place[:at], (column, *ends), *place[at + 1 :])
            for at, (column, first, last) in enumerate(place)
            for ends in ((first - 1, last), (first, last + 1))
            if ends[0] >= 0 and max(last, ends[1]) < sums.columns[column].n_ordered
        ]
        best, grown = max(((_beyond_rest(sums, each), each) for each in wider), default=(-math.inf, place))
        if best <= found:
            return place
        found, place = best, grown


def spread_of(sums: FloatArray) -> float:
    """The standard deviation of the outcome; 0 where there is none."""
    moments = moments_of(sums)
    return float(np.nan_to_num(moments.standard_error * np.sqrt(kish_n(moments.w, moments.w2))))


def without(whole: FloatArray, own: FloatArray) -> FloatArray:
    """What is left of sums without some of their rows; nothing where no row is left, whatever rounding says."""
    rest = whole - own
    return np.where(rest[..., :1] > 0, rest, 0.0)


def choose(overlaps: OverlapSums, least: float) -> list[int]:
    """The fewest slices of the explored half beside which no other is strong, strongest first."""
    member, sums = overlaps.of(EXPLORE)
    chosen: list[int] = []
    left = list(range(len(overlaps.places)))
    while left and len(chosen) < MOST_SLICES:
        strata = strata_of(member, chosen)
        found = [strength_within(member[each], sums, strata, least) for each in left]
        best = int(np.argmax(found))
        if found[best] < LEAST_STRENGTH:
            break
        chosen.append(left.pop(best))
    while len(chosen) > 1:
        found = [
            strength_within(member[each], sums, strata_of(member, others_of(chosen, each)), least) for each in chosen
        ]
        worst = int(np.argmin(found))
        if found[worst] >= LEAST_STRENGTH:
            break
        chosen.pop(worst)
    return chosen


def others_of(chosen: Sequence[int], one: int) -> list[int]:
    """Those chosen but one."""
    return [each for each in chosen if each != one]


def strata_of(member: BoolArray, cuts: Sequence[int]) -> IntArray:
    """Shape (M,): the number of the stratum of each kind of rows, those alike in all slices that cut."""
    if not cuts:
        return np.zeros(member.shape[1], np.int64)
    return np.unique(member[list(cuts)], axis=1, return_inverse=True)[1].reshape(-1)


def strength_within(inside: BoolArray, sums: FloatArray, strata: IntArray, least: float) -> float:
    """By how many standard errors a slice is beyond the rest of each stratum; −∞ where that does not matter."""
    size = int(strata.max(initial=0)) + 1
    both = np.stack([add_up(strata, each, size) for each in sums.T], axis=-1)
    own = np.stack([add_up(strata[inside], each[inside], size) for each in sums.T], axis=-1)
    effect, found = strength(own, without(both, own))
    return round(float(found), 9) if effect >= least else -math.inf


def merge(overlaps: OverlapSums, kept: Sequence[int], tried: set[int]) -> dict[int, list[int]]:
    """For each slice that is kept those that were never tried and lie in it for more than half."""
    merged: dict[int, list[int]] = {each: [] for each in kept}
    halves = [overlaps.of(half) for half in (EXPLORE, CONFIRM)]
    for one in range(len(overlaps.places)):
        if one in tried or not kept:
            continue
        shared = [sum(float(sums[member[one] & member[each], 0].sum()) for member, sums in halves) for each in kept]
        n = sum(float(sums[member[one], 0].sum()) for member, sums in halves)
        best = int(np.argmax(shared))
        if shared[best] > MERGED * n:
            merged[kept[best]].append(one)
    return merged
