"""Cells of rows that are at hand as arrays: scores that were computed here, not read by the engine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from lib.cells.sums import IntArray
from lib.cells.table import Cells
from lib.grid import EXACT, MISSING_BIN, PROBABILITY_STEPS, Resolution, axis_id, coarsen_id, score_axis


def cells_of_rows(label: ArrayLike, score: ArrayLike, keys: Mapping[str, ArrayLike] | None = None) -> Cells:
    """Exact cells of labelled, scored rows without weights.

    Args:
        label: shape (n,), −1 or +1.
        score: shape (n,), finite decision scores or log odds.
        keys: each shape (n,), text or integers.
    """
    y, s = np.asarray(label, np.int64), np.asarray(score, np.float64)
    decay = np.exp(-np.abs(s))
    p = np.where(s >= 0, 1.0, decay) / (1.0 + decay)
    loss = np.logaddexp(0.0, -y * s)
    sums = np.stack([np.ones_like(s), s, s**2, loss, loss**2, p, p**2], axis=1)
    return Cells.build(keys or {}, y, *bin_ids(s, p, EXACT), sums, resolution=EXACT, score=s)


def bin_ids(score: ArrayLike, probability: ArrayLike, resolution: Resolution) -> tuple[IntArray, IntArray]:
    """Ids on both axes at a resolution, NaN scores as missing: the scan's bins in numpy, for tests and small data."""
    s, p = np.asarray(score, np.float64), np.asarray(probability, np.float64)
    missing = np.isnan(s)
    scores = axis_id(np.where(missing, 0.0, score_axis(np.where(missing, 0.0, s))))
    probabilities = axis_id(np.where(missing, 0.0, p) * PROBABILITY_STEPS)
    return (
        np.where(missing, MISSING_BIN, coarsen_id(scores, resolution.score_factor)),
        np.where(missing, MISSING_BIN, coarsen_id(probabilities, resolution.probability_factor)),
    )
