"""Cells of pairs that are at hand as arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lib.cells import PairCells
from lib.grid import EXACT, score_id


def pair_rows(
    label: tuple[ArrayLike, ArrayLike],
    score: tuple[ArrayLike, ArrayLike],
    weight: tuple[ArrayLike, ArrayLike] | None = None,
) -> PairCells:
    """A cell for each pair, each array of shape (M,), before and after."""
    first, second = (np.asarray(each, np.float64) for each in score)
    columns = [np.ones(len(first)), (first > 0) != (second > 0), first != second]
    if weight is not None:
        w, v = (np.asarray(each, np.float64) for each in weight)
        columns += [w, v, w * w, v * v, w * v]
    return PairCells(
        np.asarray(label[0], np.int64),
        np.asarray(label[1], np.int64),
        score_id(first),
        score_id(second),
        first,
        second,
        np.stack([np.asarray(each, np.float64) for each in columns], axis=1),
        EXACT,
    )
