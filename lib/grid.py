"""The two monotone axes on which scores are binned, and the resolutions at which they are kept.

The score axis is `a = 50·s` up to |s| = 20 and goes on logarithmically in 2 % steps beyond; the probability axis is
`b = 300·p` with p = σ(s). Each is first snapped to an integer within 1e-9, because 0.58 · 50 is not 29 in floating
point. One id per axis: `2·⌊a⌋`, plus 1 when a is not an integer. Even ids are edges, odd ids are open intervals,
so strict and non-strict comparisons are comparisons of integers, and the id of −s is minus the id of s.

Coarser resolutions nest in finer ones, on both axes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

SCORE_STEPS_PER_UNIT = 50
PROBABILITY_STEPS = 300
SNAP = 1e-9
LINEAR_LIMIT = 20.0
LOG_STEP = 1.02
MISSING_BIN = -(2**19)
"""The id, on both axes, of a row without a score. Below every other id: |s| ≤ 1e100 has ids within ±25,000."""

MAX_ABS_SCORE = 1e100
"""Scores beyond this are not usable: their squares would not be numbers."""

EPSILON = sys.float_info.epsilon
"""Probabilities are clipped to [ε, 1 − ε] before a logit, as scikit-learn clips them before a logarithm."""


@dataclass(frozen=True)
class Resolution:
    """How finely scores are kept.

    `step` is the width of a bin in score, 0 for exact; `score_factor` and `probability_factor` say how many of the
    finest steps make one of this resolution's.
    """

    name: str
    step: float
    score_factor: int
    probability_factor: int

    @property
    def is_exact(self) -> bool:
        """Whether each distinct score is a cell of its own."""
        return self.step == 0.0

    @property
    def probability_steps(self) -> int:
        """How many equal steps of probability the edges of this resolution cut [0, 1] into."""
        return PROBABILITY_STEPS // self.probability_factor

    @property
    def order(self) -> int:
        """0 for exact, growing with coarseness."""
        return RESOLUTIONS.index(self)


EXACT = Resolution("exact", 0.0, 1, 1)
FINE = Resolution("0.02", 0.02, 1, 1)
MEDIUM = Resolution("0.1", 0.1, 5, 5)
COARSE = Resolution("0.5", 0.5, 25, 150)
"""Coarse cells have one edge in probability, at one half, which is an edge of the score axis too."""
RESOLUTIONS = (EXACT, FINE, MEDIUM, COARSE)


def resolution_named(name: str) -> Resolution:
    """The resolution called `exact`, `0.02`, `0.1` or `0.5`.

    Raises:
        KeyError: there is none of that name.
    """
    return {resolution.name: resolution for resolution in RESOLUTIONS}[name]


def score_axis(score: ArrayLike) -> NDArray[np.float64]:
    """a(s): 50·s within ±20, then 1 per 2 %; any shape, monotone, odd."""
    s = np.asarray(score, dtype=np.float64)
    magnitude = np.abs(s)
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = LINEAR_LIMIT * SCORE_STEPS_PER_UNIT + np.log(magnitude / LINEAR_LIMIT) / np.log(LOG_STEP)
    return np.sign(s) * np.where(magnitude <= LINEAR_LIMIT, magnitude * SCORE_STEPS_PER_UNIT, beyond)


def axis_id(position: ArrayLike) -> NDArray[np.int64]:
    """Positions on an axis (a or b) to ids: even at an integer (within 1e-9), odd between two."""
    a = np.asarray(position, dtype=np.float64)
    nearest = np.rint(a)
    on_edge = np.abs(a - nearest) <= SNAP
    return np.where(on_edge, 2 * nearest, 2 * np.floor(a) + 1).astype(np.int64)


def score_id(score: ArrayLike) -> NDArray[np.int64]:
    """Scores to ids on the score axis at the finest step."""
    return axis_id(score_axis(score))


def probability_id(probability: ArrayLike) -> NDArray[np.int64]:
    """Probabilities in [0, 1] to ids on the probability axis at the finest step."""
    return axis_id(np.asarray(probability, dtype=np.float64) * PROBABILITY_STEPS)


def coarsen_id(ids: NDArray[np.int64], factor: int) -> NDArray[np.int64]:
    """Ids at the finest step to ids at a step `factor` times as wide; missing stays missing."""
    if factor == 1:
        return ids
    below = ids // (2 * factor)
    return np.where(ids == MISSING_BIN, MISSING_BIN, 2 * below + (below * 2 * factor != ids))


def score_at(position: ArrayLike) -> NDArray[np.float64]:
    """The inverse of `score_axis`: positions at the finest step back to scores."""
    a = np.asarray(position, dtype=np.float64)
    magnitude = np.abs(a)
    limit = LINEAR_LIMIT * SCORE_STEPS_PER_UNIT
    beyond = LINEAR_LIMIT * np.power(LOG_STEP, np.maximum(magnitude - limit, 0.0))
    return np.sign(a) * np.where(magnitude <= limit, magnitude / SCORE_STEPS_PER_UNIT, beyond)


def score_interval(ids: NDArray[np.int64], resolution: Resolution) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lowest and highest score that ids at `resolution` stand for; equal at an edge."""
    floor, is_open = ids >> 1, ids & 1
    factor = resolution.score_factor
    return score_at(floor * factor), score_at((floor + is_open) * factor)
