"""Losses over data: the logistic one, its gradient, and the sums of any declared loss by cell (H-M8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.cells import NEGATIVE, POSITIVE, Cells, Parts, Sums
from lib.grid import MISSING_BIN, score_interval
from lib.metrics.estimates import Estimates, FloatArray, IntArray, divide
from lib.metrics.loss_functions import LossFunction
from lib.metrics.parts import Counts, Moments


def logistic_moments(cells: Cells) -> Moments:
    """What the mean of log(1 + e^−m) is made of."""
    whole = cells.margins.over(1)
    return Moments(
        n=whole.n,
        w=whole.w,
        w2=whole.w2,
        wx=whole.total("l"),
        w2x=whole.total_w2("l"),
        w2xx=whole.total_w2("ll"),
        doubt=np.zeros(cells.n_groups),
    )


def average_logistic_loss(cells: Cells) -> Estimates:
    """Mean of log(1 + e^−m): exists for every score, whether σ(s) is a probability or not."""
    return logistic_moments(cells).estimates(least=0.0)


def gradient_counts(cells: Cells) -> Counts:
    """Rows with m > 0 among all, each counting as the size of its logistic gradient, σ(−m)."""
    parts: Parts = cells.at(0.0)
    right = _gradients(parts.below[..., NEGATIVE, :], parts.above[..., POSITIVE, :])
    wrong = _gradients((parts.at + parts.above)[..., NEGATIVE, :], (parts.below + parts.at)[..., POSITIVE, :])
    return Counts(
        n=right[0] + wrong[0],
        hits=right[0],
        w=right[1] + wrong[1],
        w2=right[2] + wrong[2],
        w_hits=right[1],
        w2_hits=right[2],
        doubt=np.zeros(cells.n_groups),
    )


def _gradients(negative: Sums, positive: Sums) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(n, Σwσ(−m), Σw²σ(−m)²), with σ(−m) = p for a negative row and 1 − p for a positive one."""
    total = negative.total("p") + np.maximum(positive.w - positive.total("p"), 0.0)
    squares = positive.w2 - 2 * positive.total_w2("p") + positive.total_w2("pp")
    return negative.n + positive.n, total, negative.total_w2("pp") + np.maximum(squares, 0.0)


@dataclass(frozen=True, eq=False)
class CellLosses:
    """The sum of a loss over the rows of each labelled, scored cell, weighted.

    Attributes:
        cell: shape (C,), places in the table.
        total: shape (C,), the estimate; exact where the three agree.
        lowest, highest: shape (C,), what it can be.
    """

    cell: IntArray
    total: FloatArray
    lowest: FloatArray
    highest: FloatArray


def cell_losses(cells: Cells, loss: LossFunction, margin_target: float = 1.0) -> CellLosses:
    """The sum of a loss over each cell.

    Exact for hinge, squared hinge, logistic, perceptron and zero–one with a target on a step; otherwise the loss at the
    cell's mean margin: at least that by Jensen's inequality and at most the chord where the loss is convex, between the
    ends of the cell where it is not.
    """
    labels = cells.block % 3 - 1
    cell = np.flatnonzero((labels != 0) & (cells.score_bin != MISSING_BIN))
    label, sums = labels[cell], Sums(cells.sums[cell], cells.weighted)
    low, high = (cells.score[cell],) * 2
    if not cells.resolution.is_exact:
        low, high = score_interval(cells.score_bin[cell], cells.resolution)
    lower, upper = np.where(label > 0, low, -high), np.where(label > 0, high, -low)
    weight = sums.w
    mean = np.where(weight > 0, divide(label * sums.total("s"), weight), (lower + upper) / 2)
    mean = np.clip(mean, lower, upper)
    if loss.name == "logistic":
        total = sums.total("l")
        return CellLosses(cell, total, total, total)
    if loss.name == "zero_one":
        total = weight * ((upper <= 0) & ((lower < 0) | (label > 0)))
        return CellLosses(cell, total, total, total)
    at_lower, at_upper = loss.value(lower, margin_target), loss.value(upper, margin_target)
    if loss.name == "squared_hinge":
        whole = margin_target**2 * weight - 2 * margin_target * label * sums.total("s") + sums.total("ss")
        total = np.clip(whole, weight * at_upper, weight * at_lower)
        inside = (lower < margin_target) & (margin_target < upper)
        total = np.where(inside, weight * loss.value(mean, margin_target), total)
        return CellLosses(
            cell, total, np.where(inside, weight * at_upper, total), np.where(inside, weight * at_lower, total)
        )
    total = weight * loss.value(mean, margin_target)
    lowest, highest = weight * at_upper, weight * at_lower
    if loss.is_convex:
        width = upper - lower
        part = np.divide(mean - lower, width, out=np.zeros_like(width), where=width > 0)
        lowest, highest = total, np.maximum(weight * (at_lower + part * (at_upper - at_lower)), total)
    if loss.name in ("hinge", "perceptron"):
        kink = margin_target if loss.name == "hinge" else 0.0
        linear = (upper <= kink) | (lower >= kink)
        highest = np.where(linear, total, highest)
    return CellLosses(cell, total, lowest, highest)
