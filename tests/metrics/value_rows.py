"""Value cells from rows, for the tests of features."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from lib.cells import NO_MARGIN, ValueBins, ValueCells

MISSING = np.nan


def build_values(
    values: ArrayLike,
    keys: Mapping[str, ArrayLike],
    *,
    margins: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    bins: ValueBins | None = None,
) -> ValueCells:
    """Cells of rows: values with NaN where missing, margins with NaN where there is no label or score."""
    v = np.asarray(values, np.float64)
    cut = bins or ValueBins.of_values("x", v[~np.isnan(v)])
    step = np.full(len(v), NO_MARGIN)
    if margins is not None:
        m = np.asarray(margins, np.float64)
        scaled = np.round(np.nan_to_num(m) * 50, 6)
        step = np.where(np.isnan(m), NO_MARGIN, np.clip(np.floor(scaled), -1, 150))
    plain = np.nan_to_num(v)
    sums = [np.ones(len(v)), plain, plain**2]
    if weights is not None:
        w = np.asarray(weights, np.float64)
        sums += [w, w**2]
    return ValueCells.build(keys, cut, cut.place(v), step, np.stack(sums, axis=1), factor=0 if margins is None else 1)


def quantile_bins(values: ArrayLike, most: int) -> ValueBins:
    """Bins between quantiles of the values."""
    v = np.asarray(values, np.float64)
    v = v[~np.isnan(v)]
    return ValueBins.of_edges("x", np.quantile(v, np.linspace(0, 1, most + 1)[1:-1]), v.min(), v.max())
