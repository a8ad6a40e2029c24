"""How much each row moves a metric: what its sampling error is made of, and what two samples of the same rows share.

The influence ψ of a row is the derivative of the number in the row's weight, so that the variance is Σw²ψ² and the
covariance of two numbers of paired rows is Σwwψψ. Of rates and means it follows from their additive parts, of ROC AUC
it is the placement value (DeLong), of average precision the infinitesimal jackknife's, of a quantile the indicator of
the rows below it (whose scale, the density, a correlation does not need).

References: Hampel (1974); DeLong, DeLong and Clarke-Pearson (1988).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.cells import Cells, PairCells, Sums
from lib.grid import MISSING_BIN, coarsen_id
from lib.metrics.catalogue import Metric, MetricSettings
from lib.metrics.estimates import FloatArray, IntArray, add_up, divide
from lib.metrics.ordering import ordered_bins
from lib.metrics.parts import Additive, Counts, Moments
from lib.metrics.ranking import Terms, auc_terms, precision_terms

OF_PROBABILITIES = ("log_loss", "brier_score")
QUANTILES = {"median_margin": 0.5, "hinge_loss_p90": 0.1}
"""Of which quantile of the margin a metric is."""


def influence_of(metric: Metric, cells: Cells, settings: MetricSettings) -> FloatArray | None:
    """ψ of a row of unit weight, for each cell of a table of one group, shape (N,); 0 of rows that do not take part.

    None where there is none to be had: means over several classes, and probabilities that a map has made.
    """
    if not metric.is_of(settings) or (settings.is_recalibrated and metric.name in OF_PROBABILITIES):
        return None
    if metric.parts is not None:
        return _of_ratio(metric.parts(cells, settings), metric.parts(cells.apart(), settings), cells)
    if metric.name in QUANTILES:
        return _of_quantile(cells, QUANTILES[metric.name])
    terms = {"roc_auc": auc_terms, "average_precision": precision_terms}.get(metric.name)
    return None if terms is None else of_terms(cells, terms(cells))


def of_terms(cells: Cells, terms: Terms) -> FloatArray:
    """The influence of ordered rows, by cell."""
    found, bins = np.zeros(len(cells.score)), terms.bins
    label = cells.block[bins.cell] % 3 - 1
    found[bins.cell] = np.nan_to_num(terms.influence[bins.place, (label > 0).astype(np.int64)])
    return found


def fraction(parts: Additive) -> tuple[FloatArray, FloatArray]:
    """Numerator and denominator of a rate or a mean, shape (G,) each."""
    assert isinstance(parts, Counts | Moments)
    return (parts.w_hits if isinstance(parts, Counts) else parts.wx), parts.w


def _of_ratio(whole: Additive, apart: Additive, cells: Cells) -> FloatArray:
    (numerator, denominator), (top, bottom) = fraction(whole), fraction(apart)
    weight = Sums(cells.sums, cells.weighted).w
    ratio = divide(numerator, denominator)[0] if len(numerator) else np.nan
    return np.nan_to_num(divide(divide(top - ratio * bottom, weight), denominator[0] if len(denominator) else 0.0))


def _of_quantile(cells: Cells, q: float) -> FloatArray:
    bins = ordered_bins(cells, "margin")
    found, total = np.zeros(len(cells.score)), bins.weight.sum()
    if total > 0:
        # Of the bin that the quantile lies in, the share that is below it.
        before = bins.running_weight - bins.weight
        below = np.clip(divide(q * total - before, bins.weight), 0.0, 1.0)
        found[bins.cell] = (np.nan_to_num(below) - q)[bins.place] / total
    return found


def variance_of(cells: Cells, influence: FloatArray) -> float:
    """Σw²ψ²: the sampling variance of the number."""
    return float((Sums(cells.sums, cells.weighted).w2 * influence**2).sum())


@dataclass(frozen=True, eq=False)
class Places:
    """Where the rows of a table and those of one side of its pairs lie, on one axis of places.

    Attributes:
        cell: shape (N,), of each cell of the table.
        pair: shape (M,), of each cell of pairs.
        size: how many places there are for each label; label ℓ's begin at (ℓ + 1)·size.
        is_exact: whether all rows of a place have one score.
    """

    cell: IntArray
    pair: IntArray
    size: int
    is_exact: bool

    @classmethod
    def of(cls, cells: Cells, pairs: PairCells, *, after: bool) -> Places:
        """At the coarser of the two resolutions. Cells without a score lie at place 0 and have to be left out."""
        label = cells.block % 3 - 1
        own = pairs.label_after if after else pairs.label_before
        scored, is_exact = cells.score_bin != MISSING_BIN, cells.resolution.is_exact and pairs.resolution.is_exact
        if is_exact:
            ids, held = cells.score, pairs.score_after if after else pairs.score_before
        else:
            factor = max(cells.resolution.score_factor, pairs.resolution.score_factor)
            place = pairs.bin_after if after else pairs.bin_before
            ids = coarsen_id(cells.score_bin, factor // cells.resolution.score_factor)
            held = coarsen_id(place, factor // pairs.resolution.score_factor)
        distinct = np.unique(np.concatenate((ids[scored], held)))
        size = len(distinct)
        cell = np.where(scored, np.searchsorted(distinct, ids), 0)
        return cls((label + 1) * size + cell, (own + 1) * size + np.searchsorted(distinct, held), size, is_exact)


def at_pairs(cells: Cells, influence: FloatArray, pairs: PairCells, *, after: bool) -> FloatArray:
    """Shape (M,): the influence of one row of each cell of pairs, from a table of all rows of its side.

    At a coarser resolution the mean over the rows of a bin.
    """
    places = Places.of(cells, pairs, after=after)
    weight = np.where(cells.score_bin != MISSING_BIN, Sums(cells.sums, cells.weighted).w, 0.0)
    whole = add_up(places.cell, weight, 3 * places.size)
    return np.nan_to_num(divide(add_up(places.cell, weight * influence, 3 * places.size), whole))[places.pair]
