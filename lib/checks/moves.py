"""How far the scores of some rows have moved from those of others, and whether only the mix of the classes has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.cells import Cells
from lib.checks.blocks import BoolArray, FloatArray
from lib.grid import MISSING_BIN
from lib.metrics.ranks import Ranks

LEAST_ROWS = 30
LEAST_PSI = 0.2
"""The population stability index at which a distribution is usually said to have moved."""
BINS, FINE_BINS = 10, 40


@dataclass(frozen=True)
class Move:
    """How a distribution of scores differs from a reference.

    Attributes:
        n: rows with a score.
        shift: difference of the mean ranks.
        psi: the population stability index over ten bins of equal rank.
        psi_by_chance: what it is on average where nothing has moved.
        ks: largest difference of the distribution functions, at forty quantiles of the version.
        wasserstein: mean distance that rows have moved, in standard deviations of the reference.
        positive_share: of the labelled rows, here and in the reference; NaN without any.
        mix: the part of the shift of labelled rows that another mix of the classes accounts for; NaN likewise.
    """

    n: float
    shift: float
    psi: float
    psi_by_chance: float
    ks: float
    wasserstein: float
    positive_share: tuple[float, float]
    mix: float

    @classmethod
    def of(cls, cells: Cells, here: BoolArray, there: BoolArray, ranks: Ranks) -> Move:
        """Of the rows of some groups of a table, shape (G,), against those of others."""
        middle, below, above = ranks.places(cells)
        rank, score, label = middle, cells.score, cells.block % 3 - 1
        group, rows = cells.block // 3, np.where(cells.score_bin == MISSING_BIN, 0.0, cells.sums[:, 0])
        both = [np.where(keep[group], rows, 0.0) for keep in (here, there)]
        n, other = (max(float(each.sum()), 1.0) for each in both)
        means = [float((each * rank).sum() / max(each.sum(), 1.0)) for each in both]
        half = np.maximum(np.minimum(middle - below, above - middle), 0.0)
        fine = [_histogram(middle, half, each) for each in both]
        apart = np.abs(np.cumsum(fine[0]) / n - np.cumsum(fine[1]) / other)
        shares = [(each.reshape(BINS, -1).sum(axis=1) + 0.5) / (each.sum() + 0.5 * BINS) for each in fine]
        order = np.argsort(score, kind="stable")
        distance = np.abs(np.cumsum(both[0][order]) / n - np.cumsum(both[1][order]) / other)[:-1] * np.diff(
            score[order]
        )
        centre = (both[1] * score).sum() / other
        spread = float(np.sqrt(max((both[1] * (score - centre) ** 2).sum() / other, 1e-300)))
        shares_positive, mix = _mix(label, rank, both)
        return cls(
            n=n,
            shift=means[0] - means[1],
            psi=float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum()),
            psi_by_chance=(BINS - 1) * (1 / n + 1 / other),
            ks=float(apart.max()),
            wasserstein=float(distance.sum()) / spread,
            positive_share=shares_positive,
            mix=mix,
        )

    @property
    def is_large(self) -> bool:
        """Whether it matters."""
        return self.psi - self.psi_by_chance >= LEAST_PSI

    @property
    def is_mix(self) -> bool:
        """Whether most of it is that one class has become more frequent."""
        return self.mix >= 0.5


def _histogram(middle: FloatArray, half: FloatArray, rows: FloatArray) -> FloatArray:
    """Rows by `FINE_BINS` bins of rank, those of a cell spread evenly over its rank ± half."""
    sharp = half <= 0
    place = np.minimum((middle * FINE_BINS).astype(np.int64), FINE_BINS - 1)
    counts = np.bincount(place[sharp], rows[sharp], FINE_BINS)
    wide = ~sharp & (rows > 0)
    edges = np.linspace(0, 1, FINE_BINS + 1)[:, None]
    reach = np.clip((edges - (middle - half)[wide]) / (2 * half[wide]), 0.0, 1.0)
    return counts + (np.diff(reach, axis=0) * rows[wide]).sum(axis=1)


def _mix(label: Any, rank: FloatArray, both: list[FloatArray]) -> tuple[tuple[float, float], float]:
    """Positive shares, and how much of the difference of the mean ranks they account for."""
    n = [[float(each[label == of].sum()) for of in (-1, 1)] for each in both]
    if min(sum(each) for each in n) < LEAST_ROWS or min(n[0][0] + n[1][0], n[0][1] + n[1][1]) < 1:
        return (float("nan"), float("nan")), float("nan")
    share = [each[1] / sum(each) for each in n]
    pooled = both[0] + both[1]
    gap = [float((pooled * rank)[label == of].sum() / pooled[label == of].sum()) for of in (-1, 1)]
    means = [float((each * rank)[label != 0].sum() / each[label != 0].sum()) for each in both]
    shift = means[0] - means[1]
    return (share[0], share[1]), (share[0] - share[1]) * (gap[1] - gap[0]) / shift if shift else 0.0
