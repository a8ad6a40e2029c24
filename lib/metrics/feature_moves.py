"""One feature in one sample against its reference: how far it moved, and whether that is beyond chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Against = Literal["baseline", "other splits", "other times"]
What = Literal["distribution", "missing"]

LEAST_DISTANCE = 0.10
"""A Kolmogorov–Smirnov distance that matters: a mean that moves by a quarter of the spread."""
LEAST_CHANGE = 0.03
"""A change of a category's share that matters."""
LEAST_MISSING = 0.05
"""A change of the share of missing values that matters."""


@dataclass(frozen=True)
class Move:
    """One feature in one sample against its reference.

    Attributes:
        against: what the reference is: the baseline, the version's other splits, or its other times.
        version, split, window: of the sample; the window as epoch seconds, its end not included.
        n_rows: rows of the sample, with a value or without.
        n, n_reference: rows of each that have a value.
        distance: Kolmogorov–Smirnov's of numbers; else the change of the share of the category that stands out most.
        distance_bound: by how much that of the rows may exceed it.
        distance_floor: what chance exceeds once in a hundred times.
        p: of Kolmogorov–Smirnov, or of Fisher over the categories (few rows of some are to be expected, and there
            chi-square does not hold so far out); corrected for the choice of this split or run among all.
        p_adjusted: Benjamini–Hochberg over the features under the same comparison; NaN until they are together.
        stability_index, stability_floor: PSI and what chance exceeds once in a hundred times.
        wasserstein, wasserstein_bound, wasserstein_floor: in spreads (standard deviations) of the reference; NaN for
            categories and for a reference without spread, the floor also where this was chosen among many.
        category, share, share_reference: the category that stands out most, and its shares; empty and NaN for
            numbers.
        missing, missing_reference: shares of rows without a value.
        missing_p: Fisher's exact test of those, corrected likewise.
    """

    against: Against
    version: str
    split: str | None
    window: tuple[int, int] | None
    n_rows: int
    n: int
    n_reference: int
    distance: float
    distance_bound: float
    distance_floor: float
    p: float
    p_adjusted: float
    stability_index: float
    stability_floor: float
    wasserstein: float
    wasserstein_bound: float
    wasserstein_floor: float
    category: str
    share: float
    share_reference: float
    missing: float
    missing_reference: float
    missing_p: float

    @property
    def is_beyond_noise(self) -> bool:
        """Whether the distance exceeds what chance would make of two samples of one population."""
        return self.distance > self.distance_floor

    def is_moved(self, what: What, level: float) -> bool:
        """Whether the distribution, or the share of missing values, moved beyond chance and far enough to matter."""
        if what == "missing":
            return self.missing_p <= level and abs(self.missing - self.missing_reference) >= LEAST_MISSING
        least = LEAST_CHANGE if self.category else LEAST_DISTANCE
        return self.p <= level and abs(self.distance) >= least
