"""Numbers as bars: edges that several groups share, on round steps, and how many numbers each bar holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.metrics.estimates import FloatArray, IntArray

MOST_BARS = 48
TAIL = 0.002
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
NARROWEST = 1e-3
"""A bar is at least so wide, as a share of the largest number: numbers that are closer are equal but for rounding."""


@dataclass(frozen=True, eq=False)
class CountedBars:
    """One group of numbers on bars.

    Attributes:
        edges: shape (b + 1,), ascending.
        n: shape (b,), how many numbers each bar holds; those beyond the edges are in the end bars.
        total: how many there are.
        beyond: share of them beyond the edges.
    """

    edges: FloatArray
    n: IntArray
    total: int
    beyond: float

    @property
    def share(self) -> FloatArray:
        """Shape (b,): the share of the numbers that each bar holds; NaN without numbers."""
        return self.n / self.total if self.total else np.full(len(self.n), np.nan)


def round_edges(groups: Sequence[FloatArray], most: int = MOST_BARS) -> FloatArray:
    """Edges on a round step that hold all but the outermost `TAIL` of each group; at least three bars.

    Args:
        groups: shape (n,) each; numbers that are not finite are left out.
        most: bars at most.
    """
    known = [each[np.isfinite(each)] for each in groups]
    ends = [np.quantile(each, [TAIL, 1 - TAIL]) for each in known if len(each)]
    if not ends:
        return np.array([0.0, 0.5, 1.0])
    low, high = float(np.min(ends)), float(np.max(ends))
    # Two bars fewer than may be: the ends are moved out to whole steps.
    width = max((high - low) / max(most - 2, 1), NARROWEST * max(abs(low), abs(high)), 1e-12)
    power = 10.0 ** math.floor(math.log10(width))
    step = next(each * power for each in STEPS if each * power >= width * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if last - first < 3:
        first, last = first - 2, last + 2
    return np.asarray(np.arange(first, last + 1) * step, np.float64)


def count_bars(values: FloatArray, edges: FloatArray) -> CountedBars:
    """Count finite numbers, shape (n,), in bars that hold their lower edge; the last holds its upper one too."""
    known = values[np.isfinite(values)]
    inside = np.clip(known, edges[0], edges[-1])
    beyond = float((inside != known).mean()) if len(known) else 0.0
    return CountedBars(edges, np.histogram(inside, edges)[0].astype(np.int64), len(known), beyond)
