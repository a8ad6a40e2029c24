"""Which of several versions nothing else beats: cheaper and better at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lib.metrics.estimates import BoolArray


def on_front(cost: ArrayLike, quality: ArrayLike) -> BoolArray:
    """Shape (V,): whether no other has a cost as low and a quality as high, and one of the two better.

    Args:
        cost: shape (V,), lower is better; NaN is on no front.
        quality: shape (V,), higher is better; likewise.
    """
    x, y = np.asarray(cost, np.float64), np.asarray(quality, np.float64)
    beats = (x[:, None] <= x) & (y[:, None] >= y) & ((x[:, None] < x) | (y[:, None] > y))
    return ~beats.any(axis=0) & ~np.isnan(x) & ~np.isnan(y)
