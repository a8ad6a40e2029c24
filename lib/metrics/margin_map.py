"""Where margins lay before and lie after, of pairs: a map of both, and counts by side of 0 and of γ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.cells import PairCells
from lib.grid import SNAP
from lib.metrics.estimates import FloatArray, add_up

KINDS = ("wrong", "short", "clear")
"""The decision is wrong; it is right, but m < γ; m ≥ γ. At γ = 0 no row is short."""
MOST_BINS = 40
LEAST_WIDTH = 0.02
COVERED = 0.995


@dataclass(frozen=True, eq=False)
class MarginMap:
    """Labelled pairs by margin before and after.

    Attributes:
        edges: shape (B + 1,); bin i holds edges[i] ≤ m < edges[i + 1], the first and the last also what lies beyond.
        n: shape (B, B), pairs, before by rows and after by columns.
    """

    edges: FloatArray
    n: FloatArray

    def frame(self) -> pd.DataFrame:
        """One row per bin that has pairs: where its margins before and after begin, its width, and pairs."""
        before, after = np.nonzero(self.n)
        width = float(self.edges[1] - self.edges[0])
        return pd.DataFrame(
            {"before": self.edges[before], "after": self.edges[after], "width": width, "n": self.n[before, after]}
        )


def margin_map(pairs: PairCells) -> MarginMap | None:
    """At most 40 × 40 bins that hold all but 0.5 % of the margins; None without labelled pairs.

    Bins are no narrower than those of the cells.
    """
    held = pairs.where(pairs.is_labelled)
    if not held.n_pairs:
        return None
    margins = [held.margin(after=after) for after in (False, True)]
    size, n = np.abs(np.concatenate(margins)), np.tile(held.n, 2)
    order = np.argsort(size)
    reach = size[order][np.searchsorted(np.cumsum(n[order]), COVERED * n.sum())]
    ends = max(min(m.min() for m in margins), -reach), min(max(m.max() for m in margins), reach)
    span = max(ends[1] - ends[0], held.resolution.step, LEAST_WIDTH)
    times = 10.0 ** np.floor(np.log10(span / MOST_BINS))
    wide_enough = (times * each for each in (1, 2, 5, 10, 20, 50))
    width = next(each for each in wide_enough if each + SNAP >= held.resolution.step and span / each <= MOST_BINS - 2)
    low, high = float(np.floor(ends[0] / width)), float(np.floor(ends[1] / width) + 1)
    edges = np.arange(low, high + 1) * width
    bins = len(edges) - 1
    places = [np.clip(np.floor(m / width + SNAP) - low, 0, bins - 1).astype(np.int64) for m in margins]
    return MarginMap(edges, add_up(places[0] * bins + places[1], held.n, bins * bins).reshape(bins, bins))


@dataclass(frozen=True, eq=False)
class Sides:
    """Labelled pairs by what their margins are before and after.

    Attributes:
        n: shape (3, 3), pairs by kind before and after, in the order of `KINDS`.
        doubt: pairs of which the bins do not tell on which side of γ they are.
    """

    n: FloatArray
    doubt: int


def count_sides(pairs: PairCells, margin_target: float) -> Sides:
    """Count pairs by the sides of 0 and of γ on which their margins lie."""
    held = pairs.where(pairs.is_labelled)
    kinds, open_ = [], np.zeros(len(held.n), np.bool_)
    for after in (False, True):
        short, doubtful = held.is_short(margin_target, after=after)
        kinds.append(np.where(~held.is_right(after=after), 0, np.where(short, 1, 2)))
        open_ |= doubtful
    n = add_up(kinds[0] * len(KINDS) + kinds[1], held.n, len(KINDS) ** 2)
    return Sides(n.reshape(len(KINDS), len(KINDS)), int(held.n[open_].sum()))
