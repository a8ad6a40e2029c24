"""Worst slices: where an outcome is worse than in the rest, found on one half of the rows and confirmed on the other.

The half that is explored says which slices are tried: those that are beyond the rest and beyond each slice that holds
them (a pair beyond each of its columns), neighbouring bins joined as far as that is stronger, and of those that overlap
the fewest that account for all of them. The other
half says which of these are there: each against the rest, against each slice that holds it, and within and without the
other slices, the largest p of these corrected for all that are tried (Benjamini and Hochberg 1995). Neither half sees
the other's outcomes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special

from lib.metrics.estimates import NO_USABLE_ROWS, Estimate, Estimates, FloatArray, estimates
from lib.metrics.intervals import benjamini_hochberg, excess_p_value, kish_n, mover
from lib.metrics.parts import Counts, Moments
from lib.metrics.slice_choice import (
    LEAST_EFFECT,
    LEAST_ROWS,
    choose,
    merge,
    others_of,
    spread_of,
    strata_of,
    strength,
    strength_within,
    without,
)
from lib.metrics.slice_sums import (
    CONFIRM,
    EXPLORE,
    Condition,
    OverlapSums,
    Place,
    SliceSums,
    moments_of,
)

LEVEL = 0.01
"""A slice is confirmed where its adjusted p is below this."""


@dataclass(frozen=True, eq=False)
class Slice:
    """One slice that was confirmed. Numbers are of the confirming half, which did not choose it, unless said.

    Attributes:
        conditions: what its rows have in common, one to three.
        n: rows of both halves.
        share: of all rows, both halves.
        value, rest: the mean outcome of the slice and of all other rows.
        excess: value − rest.
        explored: the same in the half in which it was found, where it is likely too large.
        explained: the share of the whole outcome that would be gone if the slice were as the rest is.
        p: the largest of the tests that it had to pass.
        p_adjusted: Benjamini–Hochberg over all that were tried.
        merged: other slices that have more than half of their rows in this one, and nothing beyond it.
        place: where it lies among the columns that were searched.
        before: the excess in the baseline, both halves, which it was not chosen by; None without a baseline.
        change: excess − before, as of two independent samples.
    """

    conditions: tuple[Condition, ...]
    n: int
    share: float
    value: Estimate
    rest: Estimate
    excess: Estimate
    explored: Estimate
    explained: float
    p: float
    p_adjusted: float
    merged: tuple[tuple[Condition, ...], ...]
    place: Place
    before: Estimate | None = None
    change: Estimate | None = None


@dataclass(frozen=True, eq=False)
class SliceSearch:
    """What a search found.

    Attributes:
        slices: those that were confirmed, those that explain most first.
        overall: the mean outcome of all rows, both halves.
        n: rows of each half with an outcome.
        n_looked: slices with rows enough.
        n_tried: slices that were tested on the other half.
        reason: why nothing could be searched; "" where it could.
    """

    slices: tuple[Slice, ...]
    overall: Estimate
    n: tuple[int, int]
    n_looked: int
    n_tried: int
    reason: str = ""

    def frame(self) -> pd.DataFrame:
        """One row per slice, with three columns for each condition that any may have."""
        rows: list[dict[str, object]] = []
        for each in self.slices:
            row: dict[str, object] = {}
            for place in range(3):
                held = each.conditions[place] if place < len(each.conditions) else None
                row[f"column_{place + 1}"] = held.column if held else ""
                is_text = held is not None and held.value is not None
                row[f"value_{place + 1}"] = held.value if held is not None and is_text else ""
                row[f"from_{place + 1}"] = held.lower if held else math.nan
                row[f"to_{place + 1}"] = held.upper if held else math.nan
            row |= {"n": each.n, "share": each.share, "value": each.value.value, "rest": each.rest.value}
            for name, estimate in (("excess", each.excess), ("explored_excess", each.explored)):
                row |= {name: estimate.value, f"{name}_lower": estimate.lower, f"{name}_upper": estimate.upper}
            for name, estimate in (("before", each.before), ("change", each.change)):
                if estimate is not None:
                    row |= {name: estimate.value, f"{name}_lower": estimate.lower, f"{name}_upper": estimate.upper}
            row |= {"explained": each.explained, "p": each.p, "p_adjusted": each.p_adjusted}
            rows.append(row)
        return pd.DataFrame(rows)


def confirm(sums: SliceSums, overlaps: OverlapSums, n_looked: int, *, is_rate: bool) -> SliceSearch:
    """Of the slices of a shortlist the fewest that account for the others, tested on the other half.

    Args:
        sums: what they were found in.
        overlaps: of the same rows and the shortlist.
        n_looked: of how many slices the shortlist is.
        is_rate: whether the outcome is 0 or 1 in every row, so that Fisher's and Wilson's exact ways hold.
    """
    whole = sums.whole
    n = int(whole[EXPLORE, 0]), int(whole[CONFIRM, 0])
    overall = _estimates((whole[EXPLORE] + whole[CONFIRM])[None], is_rate=is_rate)[0]
    reason = reason_of(whole)
    tried = choose(overlaps, LEAST_EFFECT * spread_of(whole[EXPLORE])) if not reason else []
    if not tried:
        return SliceSearch((), overall, n, n_looked, 0, reason)
    own = np.stack([sums.at(overlaps.places[each]) for each in tried])
    rest = np.stack([without(whole, each) for each in own])
    p = np.array([_p_value(sums, overlaps, tried, each, is_rate=is_rate) for each in tried])
    adjusted = benjamini_hochberg(p)
    values, others = (_estimates(each[:, CONFIRM], is_rate=is_rate) for each in (own, rest))
    excess = _difference(values, others)
    explored = _difference(*(_estimates(each[:, EXPLORE], is_rate=is_rate) for each in (own, rest)))
    told = moments_of(own[:, CONFIRM])
    explained = told.w * excess.value / moments_of(whole[CONFIRM]).wx
    there = (adjusted < LEVEL) & (excess.value >= LEAST_EFFECT * spread_of(whole[CONFIRM]))
    order = sorted(np.flatnonzero(there).tolist(), key=lambda place: (-explained[place], place))
    merged = merge(overlaps, [tried[place] for place in order], set(tried))
    slices = tuple(
        Slice(
            conditions=_conditions(sums, overlaps.places[tried[place]]),
            n=int(own[place, :, 0].sum()),
            share=float(moments_of(own[place].sum(axis=0)).w / moments_of(whole.sum(axis=0)).w),
            value=values[place],
            rest=others[place],
            excess=excess[place],
            explored=explored[place],
            explained=float(explained[place]),
            p=float(p[place]),
            p_adjusted=float(adjusted[place]),
            merged=tuple(_conditions(sums, overlaps.places[each]) for each in merged[tried[place]]),
            place=overlaps.places[tried[place]],
        )
        for place in order
    )
    return SliceSearch(slices, overall, n, n_looked, len(tried))


def compare_with(search: SliceSearch, baseline: OverlapSums, *, is_rate: bool) -> SliceSearch:
    """What the excess of each slice was in a baseline, and by how much it changed: a difference of differences.

    Args:
        search: what was found in the candidate.
        baseline: sums of the baseline's rows over exactly these slices, in their order.
        is_rate: as for `confirm`.
    """
    if not search.slices:
        return search
    halves = [baseline.of(half) for half in (EXPLORE, CONFIRM)]
    own = np.stack(
        [sum(sums[member[each]].sum(axis=0) for member, sums in halves) for each in range(len(search.slices))]
    )
    whole = np.sum([sums.sum(axis=0) for _member, sums in halves], axis=0)
    rest = without(whole, own)
    before = _difference(*(_estimates(each, is_rate=is_rate) for each in (own, rest)))
    few = np.minimum(own[:, 0], rest[:, 0]) < LEAST_ROWS
    found = [(each.excess.value, each.excess.lower, each.excess.upper) for each in search.slices]
    change, lower, upper = mover(tuple(np.array(found).T), (before.value, before.lower, before.upper))
    problem = [(few, f"fewer than {LEAST_ROWS} rows of it in the baseline")]
    before = estimates(before.value, before.lower, before.upper, before.n, problem)
    changes = estimates(change, lower, upper, before.n, problem)
    slices = (replace(each, before=before[place], change=changes[place]) for place, each in enumerate(search.slices))
    return replace(search, slices=tuple(slices))


def reason_of(whole: FloatArray) -> str:
    """Why nothing can be searched in rows with these sums, shape (2, sums); "" where it can."""
    if not whole[:, 0].any():
        return NO_USABLE_ROWS
    if whole[:, 0].min() < 2 * LEAST_ROWS:
        return f"too few rows: each half needs {2 * LEAST_ROWS} that have a label and a score"
    if not (moments_of(whole).w > 0).all():
        return "the weights add up to zero"
    return "" if spread_of(whole.sum(axis=0)) > 0 else "every row has the same outcome"


def _conditions(sums: SliceSums, place: Place) -> tuple[Condition, ...]:
    levels = (sums.columns[column].condition(first, last) for column, first, last in place)
    return tuple(level for level in levels if level is not None)


# --- tests and intervals of the other half ---------------------------------------------------------------------------


def _p_value(sums: SliceSums, overlaps: OverlapSums, tried: Sequence[int], one: int, *, is_rate: bool) -> float:
    """The largest p that a slice is no worse: than the rest, than what holds it, and beside the others tried."""
    place = overlaps.places[one]
    own = sums.at(place)[CONFIRM]
    holding = [sums.whole] + [sums.at(each) for each in itertools.combinations(place, len(place) - 1) if each]
    found = [_excess_p_value(own, without(each[CONFIRM], own), is_rate=is_rate) for each in holding]
    others = others_of(tried, one)
    if others:
        member, all_sums = overlaps.of(CONFIRM)
        beside = strength_within(member[one], all_sums, strata_of(member, others), -math.inf)
        found.append(float(special.ndtr(-beside)))
    # A test that cannot be made, where nothing is left to compare with, is not passed.
    return 1.0 if np.isnan(found).any() else max(found)


def _excess_p_value(own: FloatArray, rest: FloatArray, *, is_rate: bool) -> float:
    """One-sided p: Fisher's exact test of rates, else Student's with the rows of the slice."""
    first, second = moments_of(own), moments_of(rest)
    if is_rate:
        counts = [_counts(each) for each in (first, second)]
        hits = [np.nan_to_num(each.rate) * each.n_effective for each in counts]
        return float(excess_p_value(hits[0], counts[0].n_effective, hits[1], counts[1].n_effective))
    _effect, found = strength(own[None], rest[None])
    df = float(kish_n(first.w, first.w2)) - 1
    return float(special.stdtr(df, -found)) if df > 0 else math.nan


def _counts(moments: Moments) -> Counts:
    return Counts(moments.n, moments.wx, moments.w, moments.w2, moments.wx, moments.w2x, moments.doubt)


def _estimates(sums: FloatArray, *, is_rate: bool) -> Estimates:
    """The mean outcome of each of several sums, shape (G, sums), with its interval."""
    moments = moments_of(sums)
    return _counts(moments).estimates() if is_rate else moments.estimates(least=0.0)


def _difference(value: Estimates, rest: Estimates) -> Estimates:
    difference, lower, upper = mover((value.value, value.lower, value.upper), (rest.value, rest.lower, rest.upper))
    return estimates(difference, lower, upper, value.n)
