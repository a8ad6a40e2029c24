"""Two samples of vectors: has the distribution moved? Four measures, each against what chance does, and one verdict.

Rows that are not paired are dealt to the two sides at random. Of two versions of the same ids, whose rows depend on
one another, the two vectors of an id swap sides: dealing all rows at random would take what ids share for noise.
Coordinates are compared as they stand. A rotation of one version moves all of them and changes nothing that
neighbours show; `alignment` tells that apart.

References: Gretton et al. (2012) for MMD, unbiased, with the median heuristic; Rahimi and Recht (2007) for random
features; Lopez-Paz and Oquab (2017) for the domain classifier; Stephens (1970) and Holm (1979) for KS by dimension.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy import special

from lib.metrics.drift_statistics import (
    centroid_shifts,
    domain_areas,
    ks_distances,
    paired_ks_distances,
    squared_mmd,
)
from lib.metrics.estimates import FloatArray
from lib.metrics.intervals import holm
from lib.metrics.permutations import NOISE_LEVEL, deal_sides, deal_swaps, noise_floor, permutation_p_value
from lib.metrics.probe import deal_folds
from lib.metrics.vector_rows import draw_rows, take
from lib.vectors import Distance, Matrix, Rows

Report = Callable[[float, str], None]

MOST_ROWS = 5_000
"""Rows of a side that are looked at; of more so many are drawn."""
EXACT_ROWS = 1_000
"""Rows of a side up to which MMD is exact; above, its kernel is made of random features."""
LEAST_ROWS = 20
TOO_FEW = f"fewer than {LEAST_ROWS} rows on a side"
NO_SPREAD = "all vectors are equal"
NO_SPREAD_WITHIN = "on either side all vectors are equal"


class Measure(StrEnum):
    """What is compared of two samples."""

    CENTROID_SHIFT = "centroid_shift"
    MAX_KS = "max_ks"
    MMD = "mmd"
    DOMAIN_AUC = "domain_auc"


LEAST_EFFECTS = {
    Measure.CENTROID_SHIFT: 0.15,
    Measure.MAX_KS: 0.1,
    Measure.MMD: 0.05,
    Measure.DOMAIN_AUC: 0.55,
}
"""Below these a change is too small to matter, however certain it is."""


@dataclass(frozen=True)
class DriftMeasure:
    """One measure of two samples.

    Attributes:
        measure: which.
        value: centroid shift: distance of the means in units of the root mean square distance from the mean, ≥ 0;
            KS: of the dimension in which it is largest, 0 to 1; MMD: the root of its unbiased square, 0 where that
            is negative; domain classifier: its ROC AUC in held-out folds. NaN where undefined.
        floor: the value that chance exceeds with `NOISE_LEVEL`.
        p: how often chance does as much.
        p_adjusted: Holm over the four measures, and over all parts that were compared together.
        reason: "" where there is a number, else why not.
    """

    measure: Measure
    value: float
    floor: float
    p: float
    p_adjusted: float
    reason: str = ""

    @property
    def is_drift(self) -> bool:
        """Whether it is beyond chance, and large enough to matter."""
        return self.p_adjusted <= NOISE_LEVEL and self.value >= LEAST_EFFECTS[self.measure]

    @property
    def effect(self) -> float:
        """The value in units of the least that matters: 1 there, 0 where nothing moved."""
        chance = 0.5 if self.measure is Measure.DOMAIN_AUC else 0.0
        return (self.value - chance) / (LEAST_EFFECTS[self.measure] - chance)


@dataclass(frozen=True, eq=False)
class Drift:
    """How far a candidate's vectors are from a baseline's.

    Attributes:
        measures: the four, in the order of `Measure`.
        ks: shape (d,), the Kolmogorov–Smirnov distance by dimension.
        ks_p_adjusted: shape (d,), corrected for the dimensions (Holm; of paired rows by the largest of each draw).
        n, m: rows of the baseline and of the candidate that there are.
        n_used, m_used: how many of them were drawn, with `seed`.
        is_paired: whether the rows are pairs of the same ids.
        is_exact: whether MMD is exact, not by random features.
        seed: of what was drawn and dealt.
    """

    measures: tuple[DriftMeasure, ...]
    ks: FloatArray
    ks_p_adjusted: FloatArray
    n: int
    m: int
    n_used: int
    m_used: int
    is_paired: bool
    is_exact: bool
    seed: int

    @property
    def has_drifted(self) -> bool:
        """The one verdict: some measure is beyond chance at `NOISE_LEVEL` for all together, and large enough."""
        return any(each.is_drift for each in self.measures)

    def __getitem__(self, measure: Measure) -> DriftMeasure:
        """One of the four."""
        return next(each for each in self.measures if each.measure is measure)


def compare_samples(
    baseline: Matrix, candidate: Matrix, rows: Rows, other: Rows, distance: Distance, seed: int = 0
) -> Drift:
    """Compare rows of two matrices, or of one, that are not the same ids.

    Args:
        baseline: shape (N, d).
        candidate: shape (M, d), perhaps the same matrix.
        rows: of the baseline; usable ones.
        other: of the candidate.
        distance: under the cosine distance, directions are compared.
        seed: of what is drawn and dealt.
    """
    _check(baseline, candidate)
    drawn = draw_rows(rows, MOST_ROWS, seed), draw_rows(other, MOST_ROWS, seed + 1)
    x, y = take(baseline, drawn[0], distance), take(candidate, drawn[1], distance)
    return _compare(x, y, len(rows), len(other), seed, is_paired=False)


def compare_pairs(
    baseline: Matrix, candidate: Matrix, rows: Rows, other: Rows, distance: Distance, seed: int = 0
) -> Drift:
    """Compare two versions on the ids that they share: `rows[i]` of the baseline is `other[i]` of the candidate."""
    _check(baseline, candidate)
    if len(rows) != len(other):
        raise ValueError(f"pairs need as many rows in both versions, not {len(rows)} and {len(other)}")
    drawn = draw_rows(np.arange(len(rows)), MOST_ROWS, seed)
    x, y = take(baseline, rows[drawn], distance), take(candidate, other[drawn], distance)
    return _compare(x, y, len(rows), len(other), seed, is_paired=True)


def compare_parts(
    baseline: Matrix,
    candidate: Matrix,
    parts: Sequence[tuple[Rows, Rows]],
    distance: Distance,
    report: Report = lambda _share, _words: None,
    seed: int = 0,
) -> list[Drift]:
    """Each part (window, cohort) of a candidate against what it is compared with, corrected for all parts.

    Args:
        baseline: shape (N, d).
        candidate: shape (M, d), perhaps the same matrix.
        parts: of each the rows of the baseline, and those of the candidate.
        distance: under the cosine distance, directions are compared.
        report: told between parts.
        seed: of what is drawn and dealt.
    """
    found: list[Drift] = []
    for place, (rows, other) in enumerate(parts):
        report(place / len(parts), f"Comparing part {place + 1} of {len(parts)}")
        found.append(compare_samples(baseline, candidate, rows, other, distance, seed))
    return _adjust_together(found)


def _adjust_together(found: Sequence[Drift]) -> list[Drift]:
    """The same comparisons, corrected for all of them; perhaps none."""
    if not found:
        return []
    adjusted = holm(np.array([[each.p for each in drift.measures] for drift in found]).ravel()).reshape(len(found), -1)
    return [
        replace(
            drift,
            measures=tuple(replace(each, p_adjusted=float(p)) for each, p in zip(drift.measures, row, strict=True)),
        )
        for drift, row in zip(found, adjusted, strict=True)
    ]


def _check(baseline: Matrix, candidate: Matrix) -> None:
    if baseline.shape[1] != candidate.shape[1]:
        raise ValueError(f"vectors of {baseline.shape[1]} and {candidate.shape[1]} values cannot be compared by value")


def _compare(x: FloatArray, y: FloatArray, n: int, m: int, seed: int, *, is_paired: bool) -> Drift:
    dimension, is_exact = x.shape[1], max(len(x), len(y)) <= EXACT_ROWS
    pooled = np.concatenate([x, y])
    reason = TOO_FEW if min(len(x), len(y)) < LEAST_ROWS else "" if (pooled != pooled[0]).any() else NO_SPREAD
    if reason:
        nothing = tuple(DriftMeasure(each, math.nan, math.nan, math.nan, math.nan, reason) for each in Measure)
        none = np.full(dimension, np.nan)
        return Drift(nothing, none, none, n, m, len(x), len(y), is_paired, is_exact, seed)
    pooled -= pooled.mean(axis=0)
    sides = deal_swaps(len(x), seed) if is_paired else deal_sides(len(x), len(y), seed)
    if is_paired:
        dealt = paired_ks_distances(pooled, sides)
        ks, most = dealt[0], dealt[1:].max(axis=1)
        ks_p_adjusted, ks_floor = np.array([permutation_p_value(each, most) for each in ks]), noise_floor(most)
    else:
        ks = ks_distances(x, y)
        root = math.sqrt(len(x) * len(y) / (len(x) + len(y)))
        ks_p_adjusted = holm(special.kolmogorov((root + 0.12 + 0.11 / root) * ks))
        ks_floor = min(float(special.kolmogi(NOISE_LEVEL / dimension)) / root, 1.0)
    folds = np.tile(deal_folds(len(x), seed), 2) if is_paired else deal_folds(len(pooled), seed)
    values = {
        Measure.CENTROID_SHIFT: centroid_shifts(pooled, sides),
        Measure.MMD: squared_mmd(pooled, sides, seed, is_paired=is_paired, is_exact=is_exact),
        Measure.DOMAIN_AUC: domain_areas(pooled, sides, folds),
    }
    found = {
        each: (float(v[0]), noise_floor(v[1:]), permutation_p_value(float(v[0]), v[1:])) for each, v in values.items()
    }
    found[Measure.MAX_KS] = (float(ks.max()), ks_floor, float(ks_p_adjusted.min()))
    squared, floor, p = found[Measure.MMD]
    found[Measure.MMD] = (math.sqrt(max(squared, 0.0)), math.sqrt(max(floor, 0.0)), p)
    reasons = dict.fromkeys(Measure, "")
    if not (x != x[0]).any() and not (y != y[0]).any():
        found[Measure.CENTROID_SHIFT] = math.nan, math.nan, math.nan
        reasons[Measure.CENTROID_SHIFT] = NO_SPREAD_WITHIN
    adjusted = holm(np.array([found[each][2] for each in Measure]))
    measures = tuple(
        DriftMeasure(each, *found[each], float(one), reasons[each]) for each, one in zip(Measure, adjusted, strict=True)
    )
    return Drift(measures, ks, ks_p_adjusted, n, m, len(x), len(y), is_paired, is_exact, seed)
