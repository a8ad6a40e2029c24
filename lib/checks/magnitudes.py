"""How large the scores of rows are, and below what they are small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.cells import Cells
from lib.checks.blocks import BoolArray, FloatArray, IntArray
from lib.checks.search import MIN_ROWS
from lib.grid import MISSING_BIN
from lib.metrics.ranks import score_bounds
from lib.schema import VERSION, WINDOW

REFERENCE_SHARE = 0.25
LEAST_SHRINK = 0.5
"""Where scores are much alike, as those that saturate are, a quarter lies below what is hardly less than usual. Small
is only what is below this share of the reference's median too."""


@dataclass(frozen=True, eq=False)
class Magnitudes:
    """|s| of the rows of each cell: it lies within `middle` ± `half`, and counts in `classes` (−1, 0 or +1)."""

    middle: FloatArray
    half: FloatArray
    n: FloatArray
    classes: IntArray

    @classmethod
    def of(cls, cells: Cells, *, labelled: bool) -> Magnitudes:
        """Labelled rows by class, or all rows as one class where there are no labels."""
        label = (cells.block % 3 - 1).astype(np.int64)
        scored = cells.score_bin != MISSING_BIN
        usable = scored & (label != 0) if labelled else scored
        middle, half = np.abs(cells.score), np.zeros(len(label))
        if not cells.resolution.is_exact:
            low, high = score_bounds(cells)
            # Open bins do not straddle zero. Rows are spread evenly around their mean, as far as the bin allows.
            half = np.maximum(np.minimum(np.abs(cells.score - low), np.abs(high - cells.score)), 0.0)
            half = np.where(scored, half, 0.0)
        n = np.where(usable, cells.sums[:, 0], 0.0)
        return cls(middle, half, n, label if labelled else np.zeros_like(label))

    def below(self, cut: FloatArray) -> FloatArray:
        """Expected rows of each cell with |s| < cut, shape (N,) like the cells."""
        spread = np.where(self.half > 0, self.half, 1.0)
        share = np.where(self.half > 0, (cut - self.middle + self.half) / (2 * spread), self.middle < cut)
        return self.n * np.clip(share, 0.0, 1.0)

    def quantile(self, keep: BoolArray, share: float) -> float:
        """The |s| below which `share` of the rows of the kept cells lie; NaN without rows."""
        n = self.n[keep]
        if n.sum() <= 0:
            return float("nan")
        order = np.argsort(self.middle[keep], kind="stable")
        reach = np.cumsum(n[order])
        return float(self.middle[keep][order][np.searchsorted(reach, share * reach[-1])])


def reference_cuts(
    windows: Cells, magnitudes: Magnitudes, version: str, classes: tuple[int, ...], left: BoolArray
) -> dict[int, float]:
    """Below what |s| is small, by class: the 25 % quantile in the sound windows of a version, or half their median.

    Sound is a window whose own quantile is at least half of what the better quarter of windows have, so that a
    collapse that lasted for half the time does not become the reference. `left`, shape (G,), are the windows that no
    other check names.
    """
    group = windows.block // 3
    of_version = windows.groups[VERSION] == version
    mine = (of_version & left if (of_version & left).any() else of_version)[group]
    cuts: dict[int, float] = {}
    for each in classes:
        here = mine & (magnitudes.classes == each) & (magnitudes.n > 0)
        if WINDOW in windows.keys:
            here = _sound(group, magnitudes, here)
        quarter, median = (magnitudes.quantile(here, share) for share in (REFERENCE_SHARE, 0.5))
        cuts[each] = min(quarter, LEAST_SHRINK * median)
    return cuts


def _sound(group: IntArray, magnitudes: Magnitudes, here: BoolArray) -> BoolArray:
    own: dict[int, float] = {}
    for window in np.unique(group[here]):
        at = here & (group == window)
        if magnitudes.n[at].sum() >= MIN_ROWS:
            own[int(window)] = magnitudes.quantile(at, REFERENCE_SHARE)
    if not own:
        return here
    least = 0.5 * float(np.quantile(list(own.values()), 0.75))
    bad = np.array([window for window, value in own.items() if value < least], dtype=np.int64)
    return here & ~np.isin(group, bad)
