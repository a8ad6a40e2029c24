"""Cells of pairs: rows of two samples that are one thing, counted by where each of the two scores lies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lib.cells.sums import FloatArray, IntArray
from lib.grid import SNAP, Resolution

PAIR_SUMS = ("n", "changed", "moved")
WEIGHTED_PAIR_SUMS = (*PAIR_SUMS, "w_before", "w_after", "w2_before", "w2_after", "w_both")
"""Names of the columns of `PairCells.sums`: pairs, those with another decision, those with another score; Σ of the
weights before and after, of their squares, and of their products."""


@dataclass(frozen=True, eq=False)
class PairCells:
    """Pairs of scored rows by (score before, score after, label before, label after).

    Attributes:
        label_before, label_after: shape (M,), −1, 0 (none) or +1.
        bin_before, bin_after: shape (M,), ids of `lib.grid` at the steps of `resolution`; of the finest, where exact.
        score_before, score_after: shape (M,), the score at exact resolution, the mean of the pairs otherwise.
        sums: shape (M, 3) or, with weights, (M, 8), columns as in `WEIGHTED_PAIR_SUMS`.
        resolution: how finely scores are kept.
        cohort_before, cohort_after: shape (M,), the value of a cohort column; None where pairs are not told apart by
            one.
    """

    label_before: IntArray
    label_after: IntArray
    bin_before: IntArray
    bin_after: IntArray
    score_before: FloatArray
    score_after: FloatArray
    sums: FloatArray
    resolution: Resolution
    cohort_before: NDArray[np.str_] | None = None
    cohort_after: NDArray[np.str_] | None = None

    @property
    def weighted(self) -> bool:
        """Whether rows have weights."""
        return self.sums.shape[1] == len(WEIGHTED_PAIR_SUMS)

    def total(self, name: str) -> FloatArray:
        """Shape (M,): one of the sums; of weights that there are none, n."""
        return self.sums[:, WEIGHTED_PAIR_SUMS.index(name) if self.weighted or name in PAIR_SUMS else 0]

    @property
    def n(self) -> FloatArray:
        """Shape (M,): pairs."""
        return self.sums[:, 0]

    @property
    def n_pairs(self) -> int:
        """All pairs, labelled or not."""
        return int(self.n.sum())

    @property
    def is_labelled(self) -> NDArray[np.bool_]:
        """Shape (M,): whether both rows have a label, and the same."""
        return (self.label_before != 0) & (self.label_before == self.label_after)

    def margin(self, *, after: bool) -> FloatArray:
        """Shape (M,): the margins before or after; at a coarser resolution their mean. 0 without a label."""
        return self.label_after * self.score_after if after else self.label_before * self.score_before

    def is_right(self, *, after: bool) -> NDArray[np.bool_]:
        """Shape (M,): whether the decision is the label's, a positive one being s > 0; exact at every resolution."""
        label, place = (self.label_after, self.bin_after) if after else (self.label_before, self.bin_before)
        # At exact resolution a score next to 0 has the bin of 0.
        above = (self.score_after if after else self.score_before) > 0 if self.resolution.is_exact else place > 0
        return above == (label > 0)

    def is_short(self, margin_target: float, *, after: bool) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Shape (M,) each: whether m < γ, and whether the bin leaves that open, its mean then deciding."""
        margin = self.margin(after=after)
        if self.resolution.is_exact:
            return margin < margin_target, np.zeros(len(margin), np.bool_)
        label, place = (self.label_after, self.bin_after) if after else (self.label_before, self.bin_before)
        edge = margin_target / self.resolution.step
        if abs(edge - round(edge)) <= SNAP:
            return label * place < 2 * round(edge), np.zeros(len(margin), np.bool_)
        return margin < margin_target, label * place == 2 * int(np.floor(edge)) + 1

    def where(self, keep: NDArray[np.bool_]) -> PairCells:
        """The cells for which `keep`, shape (M,), is true."""
        cohorts = [None if each is None else each[keep] for each in (self.cohort_before, self.cohort_after)]
        return replace(
            self,
            label_before=self.label_before[keep],
            label_after=self.label_after[keep],
            bin_before=self.bin_before[keep],
            bin_after=self.bin_after[keep],
            score_before=self.score_before[keep],
            score_after=self.score_after[keep],
            sums=self.sums[keep],
            cohort_before=cohorts[0],
            cohort_after=cohorts[1],
        )
