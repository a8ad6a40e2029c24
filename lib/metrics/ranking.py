"""How well the score orders the classes: ROC AUC and average precision (H-M9).

References: DeLong, DeLong and Clarke-Pearson (1988); Birnbaum and Klose (1957) for the largest variance an AUC can
have; Efron's infinitesimal jackknife for average precision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from lib.cells import Cells
from lib.metrics.estimates import NO_USABLE_ROWS, NO_WEIGHT, BoolArray, Estimates, FloatArray, divide, estimates
from lib.metrics.intervals import kish_n, logit_interval
from lib.metrics.ordering import Bins, ordered_bins

ONE_CLASS = "only one class"


def _problems(rows: FloatArray, weight: FloatArray) -> list[tuple[BoolArray, str]]:
    """Why neither AUC nor average precision is defined, from rows and weight per class, shape (G, 2)."""
    return [
        (rows.sum(axis=1) == 0, NO_USABLE_ROWS),
        ((rows[:, 0] == 0) | (rows[:, 1] == 0), ONE_CLASS),
        ((weight[:, 0] <= 0) | (weight[:, 1] <= 0), NO_WEIGHT),
    ]


def _by_class(bins: Bins, values: FloatArray) -> FloatArray:
    return np.stack([bins.per_group(values[:, 0]), bins.per_group(values[:, 1])], axis=1)


@dataclass(frozen=True, eq=False)
class Terms:
    """What a number of ordered rows is made of, and how much each row moves it.

    Attributes:
        bins: M bins of G groups, in ascending order of the score.
        rows, weight: shape (G, 2), of each class.
        total: shape (G, 2), the weight, NaN where there is none.
        sizes: shape (G, 2), Kish's n of each class.
        value: shape (G,), the number.
        influence: shape (M, 2), by how much a row of unit weight moves it, by bin and class; Σw² of its squares is the
            variance, with the correction of a sample variance.
    """

    bins: Bins
    rows: FloatArray
    weight: FloatArray
    total: FloatArray
    sizes: FloatArray
    value: FloatArray
    influence: FloatArray


def _correction(size: FloatArray) -> FloatArray:
    """√(k/(k − 1)), NaN where one row is all there is."""
    return np.sqrt(divide(size, np.where(size > 1 + 1e-9, size - 1, 0.0)))


def auc_terms(cells: Cells) -> Terms:
    """ROC AUC of each group from placements: how much of the other class each bin beats, ties half (DeLong)."""
    bins = ordered_bins(cells, "score")
    rows, weight, weight2 = (_by_class(bins, values) for values in (bins.n, bins.w, bins.w2))
    group = bins.group
    total = np.where(weight > 0, weight, np.nan)
    below = [bins.running(bins.w[:, label]) - bins.w[:, label] for label in (0, 1)]
    beaten = (below[0] + bins.w[:, 0] / 2) / total[group, 0]
    beaten_by = 1 - (below[1] + bins.w[:, 1] / 2) / total[group, 1]
    auc = bins.per_group(bins.w[:, 1] * beaten) / total[:, 1]
    sizes = kish_n(weight, weight2)
    scale = (_correction(sizes) / total)[group]
    influence = scale * (np.stack([beaten_by, beaten], axis=1) - auc[group][:, None])
    return Terms(bins, rows, weight, total, sizes, auc, influence)


def precision_terms(cells: Cells) -> Terms:
    """Average precision of each group, with the infinitesimal jackknife's derivative in the weight of each row."""
    bins = ordered_bins(cells, "score").negated
    rows, weight, weight2 = (_by_class(bins, values) for values in (bins.n, bins.w, bins.w2))
    group, total = bins.group, np.where(weight > 0, weight, np.nan)
    negative, positive = bins.w[:, 0], bins.w[:, 1]
    false, true = bins.running(negative), bins.running(positive)
    called = np.where(true + false > 0, true + false, 1.0)
    precision = true / called
    value = bins.per_group(positive * precision) / total[:, 1]

    def from_here(terms: FloatArray) -> FloatArray:
        return bins.per_group(terms)[group] - bins.running(terms) + terms

    of_positive = precision + from_here(positive * false / called**2) - value[group]
    of_negative = -from_here(positive * true / called**2)
    sizes = kish_n(weight, weight2)
    scale = (_correction(sizes[:, 1]) / total[:, 1])[group]
    influence = scale[:, None] * np.stack([of_negative, of_positive], axis=1)
    return Terms(bins, rows, weight, total, sizes, value, influence)


def roc_auc(cells: Cells) -> Estimates:
    """The probability that a positive row scores above a negative one, ties half; scikit-learn's `roc_auc_score`.

    DeLong's interval on the logit scale. Where that has no variance to go by (an AUC of 0 or 1, a class of one row),
    Wilson's over the smaller class, which is the widest an AUC can need. Bound: half the ties in open bins.
    """
    found = auc_terms(cells)
    bins, auc, total = found.bins, found.value, found.total
    variance = bins.per_group((bins.w2 * found.influence**2).sum(axis=1))
    ties = bins.per_group(bins.w[:, 0] * bins.w[:, 1] * bins.is_open)
    lower, upper = logit_interval(auc, np.sqrt(variance), found.sizes.min(axis=1))
    bound = ties / (2 * total[:, 0] * total[:, 1])
    return estimates(auc, lower, upper, found.rows.sum(axis=1), _problems(found.rows, found.weight), bound=bound)


def average_precision(cells: Cells) -> Estimates:
    """Σ (recallₖ − recallₖ₋₁)·precisionₖ over falling thresholds; scikit-learn's `average_precision_score`.

    The interval is the infinitesimal jackknife's on the logit scale: the derivative of the sum in the weight of each
    row, squared and added; what a bootstrap of rows converges to, without drawing. Bound: the best and worst order
    that rows can have within open bins.
    """
    found = precision_terms(cells)
    bins, value, total = found.bins, found.value, found.total[:, 1]
    negative, positive = bins.w[:, 0], bins.w[:, 1]
    false, true = bins.running(negative), bins.running(positive)
    squares = bins.per_group((bins.w2 * found.influence**2).sum(axis=1))
    lower, upper = logit_interval(value, np.sqrt(squares), found.sizes[:, 1])
    least, most = _precision_range(bins, true - positive, false - negative)
    least, most = bins.per_group(least) / total, bins.per_group(most) / total
    bound = np.maximum(np.maximum(value - least, most - value), 0.0)
    bound = np.where(bins.per_group(bins.is_open * (positive > 0)) > 0, bound, 0.0)
    return estimates(value, lower, upper, found.rows.sum(axis=1), _problems(found.rows, found.weight), bound=bound)


def _precision_range(bins: Bins, true: FloatArray, false: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The least and most that Σ precision over a bin's positive weight can be, given what lies above the bin.

    Most: its positives tied, above its negatives. Least: its negatives first, then its positives one by one (with
    weights: in parts as small as can be).
    """
    negative, positive, opened = bins.w[:, 0], bins.w[:, 1], bins.is_open
    tied = positive * divide(true + positive, true + false + positive + negative)
    most = positive * divide(true + positive, true + false + positive)
    before, after = true + false + negative, true + false + negative + positive
    wrong = false + negative
    if bins.weighted:
        climb = np.log(np.where(before > 0, after, 1.0) / np.where(before > 0, before, 1.0))
    else:
        climb = special.digamma(after + 1) - special.digamma(before + 1)
    least = positive - wrong * climb
    some = opened & (positive > 0)
    tied = np.where(positive > 0, tied, 0.0)
    return np.where(some, least, tied), np.where(some, most, tied)
