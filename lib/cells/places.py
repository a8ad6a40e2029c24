"""Where thresholds lie among sorted cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from lib.cells.sums import FloatArray, IntArray
from lib.errors import SettingsError
from lib.grid import MISSING_BIN, SNAP, Resolution, score_axis

Scale = Literal["score", "probability"]

_SPAN = 2**20
_OFFSET = 2**19


@dataclass(frozen=True, eq=False)
class Places:
    """The order of sorted cells, in which thresholds are searched.

    Attributes:
        block: shape (N,), 3·group + label index of each cell, ascending.
        score_bin, probability_bin, score: shape (N,), as in `Cells`, ascending within a block.
        n_groups: G.
        resolution: how finely scores are kept.
    """

    block: IntArray
    score_bin: IntArray
    probability_bin: IntArray
    score: FloatArray
    n_groups: int
    resolution: Resolution

    def around(self, by_label: FloatArray, scale: Scale) -> tuple[IntArray, IntArray]:
        """Where the cells at a threshold begin and end, were there nothing but scored cells in a block.

        Args:
            by_label: shape (…, 3), a threshold for each label.
            scale: what thresholds are on.

        Returns:
            Two arrays of shape (…, 3·G): the first cell that is not below, and the first that is above.

        Raises:
            SettingsError: a threshold lies between the steps and the resolution is not exact.
        """
        positions, resolution = self._axis_positions(by_label, scale), self.resolution
        nearest = np.rint(positions)
        on_grid = np.abs(positions - nearest) <= SNAP
        blocks = np.tile(np.arange(3), self.n_groups) if self.n_groups else np.zeros(0, np.int64)
        base = np.arange(3 * self.n_groups) * _SPAN + _OFFSET
        if on_grid.all():
            ids = (2 * nearest.astype(np.int64))[..., blocks] + base
            keyed = self._keyed_scores if scale == "score" else self._keyed_probabilities
        elif resolution.is_exact and scale == "score":
            low = np.searchsorted(self._distinct_scores, by_label, side="left")
            found = np.searchsorted(self._distinct_scores, by_label, side="right") > low
            # Between two distinct scores there is no cell: odd places stand for them.
            ids = (2 * low - np.where(found, 0, 1))[..., blocks].astype(np.int64)
            ids = ids + np.arange(3 * self.n_groups) * self._rank_span + 2
            keyed = self._keyed_ranks
        else:
            off = by_label[~on_grid].ravel()[0]
            step = resolution.step if scale == "score" else 1 / resolution.probability_steps
            raise SettingsError(
                f"A threshold of {off:g} in {scale} lies between the steps of {step:g} at which these cells are kept;"
                f" choose a multiple of {step:g}."
            )
        return np.searchsorted(keyed, ids, side="left"), np.searchsorted(keyed, ids, side="right")

    def _axis_positions(self, threshold: FloatArray, scale: Scale) -> FloatArray:
        if scale == "score":
            return score_axis(threshold) / self.resolution.score_factor
        return threshold * self.resolution.probability_steps

    @cached_property
    def _keyed_scores(self) -> IntArray:
        return self.block * _SPAN + _OFFSET + self.score_bin

    @cached_property
    def _keyed_probabilities(self) -> IntArray:
        return self.block * _SPAN + _OFFSET + self.probability_bin

    @cached_property
    def _distinct_scores(self) -> FloatArray:
        return np.unique(self.score[self.score_bin != MISSING_BIN])

    @property
    def _rank_span(self) -> int:
        return 2 * len(self._distinct_scores) + 4

    @cached_property
    def _keyed_ranks(self) -> IntArray:
        rank = 2 * np.searchsorted(self._distinct_scores, self.score).astype(np.int64) + 2
        return self.block * self._rank_span + np.where(self.score_bin == MISSING_BIN, 0, rank)
