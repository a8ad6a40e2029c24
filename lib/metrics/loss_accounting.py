"""Which rows carry a loss: the share of it that falls on the worst rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.cells import Cells
from lib.metrics.estimates import NO_USABLE_ROWS, NO_WEIGHT, Estimates, FloatArray, divide, estimates
from lib.metrics.intervals import kish_n, logit_interval
from lib.metrics.loss_functions import LOSSES, LossFunction
from lib.metrics.losses import cell_losses
from lib.metrics.ordering import Bins, ordered_bins


@dataclass(frozen=True, eq=False)
class LossAccounting:
    """How much of each loss the worst rows carry.

    Attributes:
        groups: key values, each shape (G,).
        share: the share of rows (of weight) that is called the worst.
        carried: for each loss the share of its sum that they carry.
    """

    groups: dict[str, NDArray[np.generic]]
    share: float
    carried: dict[str, Estimates]

    def frame(self) -> pd.DataFrame:
        """One row per group and loss."""
        parts = [
            pd.DataFrame(
                {
                    **self.groups,
                    "loss": name,
                    "carried": each.value,
                    "lower": each.lower,
                    "upper": each.upper,
                    "n": each.n.astype(np.int64),
                    "reason": each.reason,
                    "bound": each.bound,
                }
            )
            for name, each in self.carried.items()
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def loss_accounting(
    cells: Cells, losses: Sequence[LossFunction] = LOSSES, share: float = 0.01, margin_target: float = 1.0
) -> LossAccounting:
    """The share of each loss that the worst `share` of rows carry: those of least margin, the last of them in part.

    Args:
        cells: the table.
        losses: which losses.
        share: in (0, 1].
        margin_target: any value.
    """
    bins = ordered_bins(cells, "margin")
    n, w = bins.per_group(bins.rows), bins.per_group(bins.weight)
    weight = bins.weight
    # How much of each bin's weight is among the worst.
    before = bins.running_weight - weight
    taken = np.clip(share * w[bins.group] - before, 0.0, weight)
    part = np.divide(taken, weight, out=np.zeros_like(weight), where=weight > 0)
    carried = {loss.name: _carried(cells, bins, loss, margin_target, share, n, w, part) for loss in losses}
    return LossAccounting(cells.groups, share, carried)


def _carried(
    cells: Cells,
    bins: Bins,
    loss: LossFunction,
    margin_target: float,
    share: float,
    n: FloatArray,
    w: FloatArray,
    part: FloatArray,
) -> Estimates:
    weight, weight2 = bins.weight, bins.weight2
    if bins.is_open.any():
        each = cell_losses(cells, loss, margin_target)
        total, lowest, highest = (bins.per_bin(values) for values in (each.total, each.lowest, each.highest))
        whole = bins.per_group(total)
        value = divide(bins.per_group(part * total), whole)
        most = part * weight * loss.value(bins.lower, margin_target)
        bound = _bound(bins, part, value, lowest, highest, most)
    else:
        total = weight * loss.value(bins.lower, margin_target)
        if loss.name == "zero_one":
            total = total + np.where(bins.lower == 0, bins.w[:, 1], 0.0)
        whole = bins.per_group(total)
        value, bound = divide(bins.per_group(part * total), whole), np.zeros(bins.n_groups)

    # Linearised: d(value) for one more row of loss f is ((f − f_cut)·worst + share·f_cut − value·f) / mean loss.
    mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    edge = np.zeros(bins.n_groups)
    marked = np.flatnonzero(part > 0)
    edge[bins.group[marked]] = mean[marked]  # ascending: the last bin of the worst stays
    at_edge = edge[bins.group]
    influence = (mean - at_edge) * part + share * at_edge - value[bins.group] * mean
    with np.errstate(over="ignore"):
        squares = bins.per_group(np.nan_to_num(weight2 * influence**2))
    size = kish_n(w, bins.per_group(weight2))
    error = np.sqrt(divide(squares, np.square(whole)) * divide(size, np.where(size > 1 + 1e-9, size - 1, 0.0)))
    lower, upper = logit_interval(value, error, size)
    problems = [
        (n == 0, NO_USABLE_ROWS),
        (~(w > 0), NO_WEIGHT),
        (~(whole > 0), "the loss is zero on every row"),
    ]
    return estimates(value, lower, upper, n, problems, bound=bound)


def _bound(
    bins: Bins, part: FloatArray, value: FloatArray, lowest: FloatArray, highest: FloatArray, most: FloatArray
) -> FloatArray:
    """How far the carried share can be off, the loss of each bin lying between `lowest` and `highest`.

    The worst part of a bin that is cut carries at least its share of the bin, and at most `most`: what it would if all
    of it were at the bin's lowest margin.
    """
    cut = (part > 0) & (part < 1) & bins.is_open
    most = np.where(cut, np.minimum(highest, most), part * highest)
    low_worst, high_worst = bins.per_group(part * lowest), bins.per_group(most)
    low_rest = bins.per_group(np.maximum(lowest - np.where(cut, most, part * lowest), 0.0))
    high_rest = bins.per_group((1 - part) * highest)
    least = divide(low_worst, low_worst + high_rest)
    greatest = divide(high_worst, high_worst + low_rest)
    return np.nan_to_num(np.maximum(np.maximum(value - least, greatest - value), 0.0))
