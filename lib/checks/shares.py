"""The rule of checks that look for parts in which a share of rows is higher than in the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from lib.checks.blocks import Block, BoolArray, FloatArray, Place
from lib.metrics.intervals import excess_p_value

HITS, ROWS = 0, 1


def divergence(p: FloatArray, q: FloatArray) -> FloatArray:
    """Kullback–Leibler divergence of two Bernoullis in nats."""
    return special.rel_entr(p, q) + special.rel_entr(1 - p, 1 - q)


def usual_share(block: Block) -> float:
    """The share of hits in the middle one of the versions and windows, or overall where that is less."""
    hits, rows = block.moments[..., HITS].ravel(), block.moments[..., ROWS].ravel()
    full = rows > 0
    if not full.any():
        return 0.0
    order = np.argsort(hits[full] / rows[full])
    reach = np.cumsum(rows[full][order])
    middle = order[int(np.searchsorted(reach, reach[-1] / 2))]
    return float(min(hits[full][middle] / rows[full][middle], hits.sum() / rows.sum()))


@dataclass(frozen=True)
class HigherShare:
    """The rule: of n rows, more are hits than in the rest. Moments are (hits, rows).

    Attributes:
        usual: the share in sound parts.
        effect: the least excess over the rest, absolute, that matters.
        least: the least share that matters.
        least_rows: fewer rows than this are not looked at.
    """

    usual: float
    effect: float
    least: float
    least_rows: int = 30
    within: bool = True

    def size(self, moments: FloatArray) -> FloatArray:
        """Rows."""
        return moments[..., ROWS]

    def gain(self, moments: FloatArray) -> FloatArray:
        """Log likelihood ratio of a share that is as much above the usual one as twice what matters."""
        p0 = min(max(self.usual, 0.005), 0.9)
        p1 = min(max(p0 + 2 * self.effect, self.least), 0.98)
        k, n = moments[..., HITS], moments[..., ROWS]
        return k * np.log(p1 / p0) + (n - k) * np.log((1 - p1) / (1 - p0))

    def total_gain(self, unit: FloatArray, rest: FloatArray) -> FloatArray:
        """N times the divergence of the part's own share from the usual one."""
        del rest
        p0 = np.full(len(unit), min(max(self.usual, 0.005), 0.9))
        p = np.clip(unit[..., HITS] / np.maximum(unit[..., ROWS], 1.0), 0.0, 1.0)
        return np.where(p > p0, unit[..., ROWS] * divergence(p, p0), 0.0)

    def shares(self, unit: FloatArray, rest: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Share in the part, share in the rest, and whether there are rows enough and the excess matters."""
        n, other = unit[..., ROWS], rest[..., ROWS]
        enough = (n >= self.least_rows) & (other >= self.least_rows)
        here = unit[..., HITS] / np.maximum(n, 1.0)
        there = rest[..., HITS] / np.maximum(other, 1.0)
        return here, there, enough & (here - there >= self.effect - 1e-12) & (here >= self.least)

    def p_value(self, unit: FloatArray, rest: FloatArray, runs: FloatArray, trials: float) -> FloatArray:
        """Fisher's exact test of the part against the rest, over everything scanned."""
        del runs
        _here, _there, matters = self.shares(unit, rest)
        p = np.ones(len(unit))
        if matters.any():
            u, r = unit[matters], rest[matters]
            p[matters] = excess_p_value(np.rint(u[:, HITS]), u[:, ROWS], np.rint(r[:, HITS]), r[:, ROWS])
        return np.minimum(np.nan_to_num(p, nan=1.0) * trials, 1.0)

    def confirm(self, block: Block, place: Place) -> bool:
        """Nothing more to look at."""
        del block, place
        return True
