"""DeLong's test that two ROC AUCs are equal, of two samples of which some rows, all or none are paired.

Placements are exact where cells are. On a grid a placement is known to within what its bin holds of the other class,
and the standard error has a bound accordingly.

Reference: DeLong, DeLong and Clarke-Pearson (1988).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from lib.cells import Cells, PairCells, Sums
from lib.grid import MISSING_BIN
from lib.metrics.estimates import FloatArray, add_up
from lib.metrics.influence import Places, at_pairs, of_terms, variance_of
from lib.metrics.ranking import Terms, auc_terms


@dataclass(frozen=True)
class DeLong:
    """DeLong's test that two ROC AUCs are equal, paired as far as rows are.

    Attributes:
        change: candidate − baseline.
        standard_error: of the change.
        bound: how far the standard error may be from the rows' own because of binning; 0 when exact.
        p: two-sided, normal; NaN where there is no error to go by.
    """

    change: float
    standard_error: float
    bound: float
    p: float


def delong_test(before: Cells, after: Cells, pairs: PairCells | None) -> DeLong:
    """Compare the ROC AUC of two tables of one group, of any two samples of which some rows are paired."""
    terms = auc_terms(before), auc_terms(after)
    change = float(terms[1].value[0] - terms[0].value[0])
    influences = [of_terms(cells, each) for cells, each in zip((before, after), terms, strict=True)]
    variance = variance_of(before, influences[0]) + variance_of(after, influences[1])
    doubt = 0.0
    for cells, influence, each in zip((before, after), influences, terms, strict=True):
        doubt += variance_of(cells, np.abs(influence) + _doubt(cells, each)) - variance_of(cells, influence)
    if pairs is not None:
        first = at_pairs(before, influences[0], pairs, after=False)
        second = at_pairs(after, influences[1], pairs, after=True)
        both = pairs.total("w_both")
        variance -= 2 * float((both * first * second).sum())
        wide = [
            _pair_doubt(cells, each, pairs, after=place)
            for cells, each, place in zip((before, after), terms, (False, True), strict=True)
        ]
        doubt += 2 * float((both * (np.abs(first) * wide[1] + np.abs(second) * wide[0] + wide[0] * wide[1])).sum())
    error = math.sqrt(max(variance, 0.0))
    bound = max(math.sqrt(max(variance, 0.0) + doubt) - error, error - math.sqrt(max(variance - doubt, 0.0)))
    p = float(2 * special.ndtr(-abs(change) / error)) if error > 0 else math.nan
    return DeLong(change, error, bound, p)


def _doubt(cells: Cells, terms: Terms) -> FloatArray:
    """Shape (N,): how far the influence of a row may be from its cell's: half of the other class in its open bin."""
    bins, total = terms.bins, terms.total[0]
    found, label = np.zeros(len(cells.score)), (cells.block[bins.cell] % 3 == 2).astype(np.int64)
    ties = float((bins.w[:, 0] * bins.w[:, 1] * bins.is_open).sum()) / (2 * total[0] * total[1])
    half = bins.w[bins.place, 1 - label] * bins.is_open[bins.place] / 2
    found[bins.cell] = np.nan_to_num((half / total[1 - label] + ties) / total[label])
    return found


def _pair_doubt(cells: Cells, terms: Terms, pairs: PairCells, *, after: bool) -> FloatArray:
    """Shape (M,): the same of a row of a cell of pairs, whose bin may be wider: all of the other class in it."""
    places, total = Places.of(cells, pairs, after=after), terms.total[0]
    if places.is_exact:
        return np.zeros(len(pairs.n))
    weight = np.where(cells.score_bin != MISSING_BIN, Sums(cells.sums, cells.weighted).w, 0.0)
    held = add_up(places.cell, weight, 3 * places.size)
    place, label = places.pair % places.size, places.pair // places.size - 1
    ties = float((terms.bins.w[:, 0] * terms.bins.w[:, 1] * terms.bins.is_open).sum()) / (2 * total[0] * total[1])
    own = (label > 0).astype(np.int64)
    other = held[np.where(label > 0, 0, 2) * places.size + place] / total[1 - own]
    return np.where(label == 0, 0.0, np.nan_to_num((other + ties) / total[own]))
