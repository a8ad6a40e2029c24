"""How much of being a violation a feature explains, each fold predicted from the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.cells import ValueCells
from lib.metrics.estimates import NO_USABLE_ROWS, Estimate, FloatArray, divide
from lib.metrics.intervals import benjamini_hochberg, mean_interval
from lib.metrics.shift import Pair, chi_square_p_value
from lib.metrics.values import pieces_of
from lib.schema import FOLD

LEAST_ROWS = 30


@dataclass(frozen=True, eq=False)
class FoldTable:
    """Labelled, scored rows of one version by fold, piece of a feature, and step of margin: what γ needs.

    Attributes:
        column: the feature.
        n: shape (K, P, steps), running over the steps: rows with a margin below the end of each.
        step: the width of a step of margin.
    """

    column: str
    n: NDArray[np.int32]
    step: float

    @classmethod
    def of(cls, cells: ValueCells) -> FoldTable:
        """From cells by fold, with margins."""
        piece = pieces_of(cells.bins, cells.n.sum(axis=0))
        folds, fold = np.unique(cells.groups[FOLD], return_inverse=True)
        has_margin = cells.step >= -1
        n = np.zeros((len(folds), int(piece[-1]) + 1, int(cells.step.max(initial=-1)) + 2), np.int32)
        place = (fold[cells.group[has_margin]], piece[cells.bin[has_margin]], cells.step[has_margin] + 1)
        np.add.at(n, place, cells.sums[has_margin, 0].astype(np.int32))
        # Half the memory of the usual integers: there may be a table for each of 500 features.
        return cls(cells.bins.column, np.cumsum(n, axis=2, dtype=np.int32), cells.margin_step)

    def violations(self, margin_target: float) -> tuple[FloatArray, FloatArray]:
        """Shape (K, P) each: rows with m < γ (at the step at or below it), and all rows."""
        last = self.n.shape[2] - 1
        below = min(int(np.floor(margin_target / self.step + 1e-9)), last)
        return self.n[..., below].astype(np.float64), self.n[..., last].astype(np.float64)


@dataclass(frozen=True)
class Explained:
    """How much of being a violation a feature explains.

    Attributes:
        column: the feature.
        share: R² of the violation rate by piece of the feature, each fold predicted from the others; near 0, and
            perhaps below, for a feature that says nothing.
        p: chi-square of pieces against violations.
        p_adjusted: Benjamini–Hochberg over the features.
    """

    column: str
    share: Estimate
    p: float
    p_adjusted: float


def explain_violations(tables: Sequence[FoldTable], margin_target: float) -> list[Explained]:
    """How much each feature explains of m < γ, in the order of the tables."""
    found = [_explain(table, margin_target) for table in tables]
    p = benjamini_hochberg(np.array([each for _share, each in found])) if found else []
    return [
        Explained(table.column, share, raw, float(adjusted))
        for table, (share, raw), adjusted in zip(tables, found, p, strict=True)
    ]


def _explain(table: FoldTable, margin_target: float) -> tuple[Estimate, float]:
    hits, n = table.violations(margin_target)
    total = float(n.sum())
    overall = float(hits.sum())
    if total < LEAST_ROWS or len(n) < 2:
        return Estimate(np.nan, np.nan, np.nan, total, NO_USABLE_ROWS if not total else "too few rows"), float("nan")
    if overall in (0.0, total):
        return Estimate(np.nan, np.nan, np.nan, total, "every row is a violation, or none is"), float("nan")
    other_hits, other_n = hits.sum(axis=0) - hits, n.sum(axis=0) - n
    mean = divide(other_hits.sum(axis=1), other_n.sum(axis=1))[:, None]
    rate = np.where(other_n > 0, divide(other_hits, np.where(other_n > 0, other_n, 1.0)), mean)
    left = (hits * (1 - rate) ** 2 + (n - hits) * rate**2).sum(axis=1)
    whole = (hits * (1 - mean) ** 2 + (n - hits) * mean**2).sum(axis=1)
    share = 1 - left.sum() / whole.sum()
    off = (whole - left) - share * whole
    k = len(n)
    error = float(np.sqrt(k / (k - 1) * (off**2).sum()) / whole.sum())
    lower, upper = mean_interval(share, error, k - 1)
    by_piece, all_rows = hits.sum(axis=0), n.sum(axis=0)
    pair = Pair.of(by_piece[None], (all_rows - by_piece)[None])
    return Estimate(float(share), float(lower), float(upper), total), chi_square_p_value(pair)
