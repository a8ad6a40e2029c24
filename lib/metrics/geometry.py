"""The shape of a set of vectors: lengths, directions, how many dimensions are in use, and how labels lie in it.

Sums over pairs are exact where they can be had from sums over rows (mean cosine, alignment), else over a stated sample.

References: Ethayarajh (2019) for anisotropy; Facco et al. (2017) and Denti et al. (2022) for TwoNN; Wang and Isola
(2020) for alignment and uniformity; Rousseeuw (1987) for the silhouette; Hoeffding (1948) for the errors of sums over
pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from lib.metrics.estimates import Estimate, FloatArray, IntArray, add_up
from lib.metrics.intervals import normal_quantile
from lib.metrics.permutations import NOISE_LEVEL
from lib.metrics.sample_means import mean_of, rate_of
from lib.metrics.vector_rows import blocks, draw_rows, moments, squared_distances, take
from lib.vectors import NO_LABEL, NO_ROW, Distance, Matrix, NeighbourGraph, Rows

PAIR_ROWS = 2_000
"""Sums over pairs that must be sampled are over all pairs of so many rows."""
UNIT_TOLERANCE = 1e-3
"""A length within this of 1 is that of a normalised vector: float16 is."""
QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
NO_ROWS = "no rows"
TOO_FEW = "fewer than three rows"
NO_PAIRS = "no two rows have the same label"


@dataclass(frozen=True, eq=False)
class Norms:
    """Lengths of vectors.

    Attributes:
        length: shape (n,), of each row.
        quantiles: shape (9,), at `QUANTILES`; NaN without rows.
        mean: of all.
        not_unit: share of rows whose length is not 1 within `UNIT_TOLERANCE`.
        zero: share of rows of length 0.
    """

    length: FloatArray
    quantiles: FloatArray
    mean: Estimate
    not_unit: Estimate
    zero: Estimate


@dataclass(frozen=True)
class Anisotropy:
    """Whether vectors point the same way.

    Attributes:
        mean_cosine: of all pairs of rows, exactly; 0 where they point everywhere alike, 1 where all point one way.
        floor: what as many directions, spread evenly over a sphere of that dimension, exceed with `NOISE_LEVEL`.
    """

    mean_cosine: Estimate
    floor: float


def norms(matrix: Matrix, rows: Rows) -> Norms:
    """Lengths of rows, in blocks."""
    length = np.zeros(len(rows))
    for place in blocks(len(rows), matrix.shape[1]):
        length[place] = np.linalg.norm(take(matrix, rows[place]), axis=1)
    n = len(rows)
    none = np.full(len(QUANTILES), np.nan)
    return Norms(
        length,
        np.quantile(length, QUANTILES) if n else none,
        mean_of(length, NO_ROWS),
        rate_of(np.abs(length - 1) > UNIT_TOLERANCE, NO_ROWS),
        rate_of(length == 0, NO_ROWS),
    )


def anisotropy(matrix: Matrix, rows: Rows) -> Anisotropy:
    """Mean cosine of all pairs of rows: from the sum of their directions, for Σ cos = ‖Σu‖² − n."""
    n, dimension = len(rows), matrix.shape[1]
    mean, covariance = moments(matrix, rows, Distance.COSINE)
    if n < 3:
        return Anisotropy(Estimate(np.nan, np.nan, np.nan, n, TOO_FEW), np.nan)
    # A row of zeros has cosine 0 with every other, and is no part of the n that are taken off.
    squares = n * float(np.trace(covariance) + mean @ mean)
    value = (n**2 * float(mean @ mean) - squares) / (n * (n - 1))
    half = normal_quantile() * 2 * np.sqrt(max(float(mean @ covariance @ mean), 0.0) / n)
    floor = (float(special.chdtri(dimension, NOISE_LEVEL)) / dimension - 1) / (n - 1)
    return Anisotropy(Estimate(value, max(value - half, -1.0), min(value + half, 1.0), n), floor)


def two_nn_dimension(graph: NeighbourGraph) -> Estimate:
    """Intrinsic dimension by TwoNN: (n − 1)/Σ ln(r₂/r₁) over the queries whose two nearest rows are not at distance 0.

    The maximum likelihood estimate without its bias, with the exact interval: n/dimension is a gamma variate. Cosine
    distances count as the chords that they belong to. Low where rows have near duplicates.
    """
    if graph.k < 2:
        return Estimate(np.nan, np.nan, np.nan, len(graph.queries), "the graph has fewer than two neighbours")
    first, second = graph.distances[:, 0].astype(np.float64), graph.distances[:, 1].astype(np.float64)
    usable = (first > 0) & np.isfinite(second) & (graph.rows[:, 1] != NO_ROW)
    n = int(usable.sum())
    total = float(np.log(second[usable] / first[usable]).sum()) / (2 if graph.distance is Distance.COSINE else 1)
    if n < 3 or total <= 0:
        return Estimate(np.nan, np.nan, np.nan, n, TOO_FEW if n < 3 else "the two nearest rows are at one distance")
    lower, upper = special.gammaincinv(n, [0.025, 0.975]) / total
    return Estimate((n - 1) / total, float(lower), float(upper), n)


def alignment_of_labels(matrix: Matrix, rows: Rows, labels: IntArray, n_labels: int) -> Estimate:
    """Mean squared distance of the directions of two rows with the same label, over all such pairs: 0 to 4.

    Wang and Isola's alignment with exponent 2; from sums by label, for ‖u − v‖² = 2 − 2 cos.

    Args:
        matrix: shape (N, d).
        rows: usable rows.
        labels: shape (len(rows),), codes from 0, `NO_LABEL` where there is none.
        n_labels: how many labels there are.
    """
    kept = np.flatnonzero(labels != NO_LABEL)
    code, sums, n = labels[kept], np.zeros((n_labels, matrix.shape[1])), np.zeros(n_labels)
    for place in blocks(len(kept), matrix.shape[1]):
        np.add.at(sums, code[place], take(matrix, rows[kept[place]], Distance.COSINE))
        n += add_up(code[place], np.ones(len(code[place])), n_labels)
    pairs, own = n[code] - 1, np.zeros(len(kept))
    for place in blocks(len(kept), matrix.shape[1]):
        u = take(matrix, rows[kept[place]], Distance.COSINE)
        own[place] = np.einsum("ij,ij->i", u, sums[code[place]] - u)
    total, count = float((2 * pairs - 2 * own).sum()), float(pairs.sum())
    if count <= 0:
        return Estimate(np.nan, np.nan, np.nan, len(kept), NO_PAIRS)
    value = total / count
    error = 2 * float(np.sqrt(((2 * pairs - 2 * own - value * pairs) ** 2).sum())) / count
    half = normal_quantile() * error
    return Estimate(value, max(value - half, 0.0), min(value + half, 4.0), int((pairs > 0).sum()))


def uniformity(matrix: Matrix, rows: Rows, seed: int = 0) -> Estimate:
    """Logarithm of the mean of exp(−2‖u − v‖²) over all pairs of at most `PAIR_ROWS` rows that are drawn; n is theirs.

    At most 0, where all point one way; least where directions are spread evenly, about −4 in many dimensions.
    """
    drawn = draw_rows(rows, PAIR_ROWS, seed)
    n = len(drawn)
    if n < 3:
        return Estimate(np.nan, np.nan, np.nan, n, TOO_FEW)
    u = take(matrix, drawn, Distance.COSINE)
    kernel = np.exp(-2 * squared_distances(u, u))
    np.fill_diagonal(kernel, 0.0)
    by_row = kernel.sum(axis=1) / (n - 1)
    value = float(by_row.mean())
    half = normal_quantile() * 2 * float(by_row.std(ddof=1)) / np.sqrt(n) / value
    return Estimate(float(np.log(value)), float(np.log(value)) - half, min(float(np.log(value)) + half, 0.0), n)


def silhouette(
    matrix: Matrix, rows: Rows, labels: IntArray, distance: Distance, seed: int = 0
) -> tuple[Estimate, FloatArray, Rows]:
    """Mean silhouette by label of at most `PAIR_ROWS` labelled rows, drawn with `seed`, −1 to 1.

    (b − a)/max(a, b), with a the mean distance to the rows of the same label and b that to the nearest other label;
    0 for a row that is alone with its label. scikit-learn's `silhouette_score` of the same rows.

    Returns:
        The mean; the silhouette of each row that was drawn, and which rows these are.
    """
    drawn = draw_rows(np.flatnonzero(labels != NO_LABEL), PAIR_ROWS, seed)
    names, code = np.unique(labels[drawn], return_inverse=True)
    n = len(drawn)
    if len(names) < 2 or len(names) >= n:
        reason = "fewer than two labels" if len(names) < 2 else NO_PAIRS
        return Estimate(np.nan, np.nan, np.nan, n, reason), np.full(n, np.nan), rows[drawn]
    x = take(matrix, rows[drawn], distance)
    squares = squared_distances(x, x)
    # Directions differ by √(2·(1 − cosine)).
    apart = squares / 2 if distance is Distance.COSINE else np.sqrt(squares)
    np.fill_diagonal(apart, 0.0)
    size = np.bincount(code)
    to_label = np.stack([apart[:, code == each].sum(axis=1) for each in range(len(names))], axis=1)
    own, each = size[code] - 1, np.arange(n)
    inside = to_label[each, code] / np.maximum(own, 1)
    outside = to_label / size
    outside[each, code] = np.inf
    nearest, largest = outside.min(axis=1), np.maximum(inside, outside.min(axis=1))
    value = np.where((own > 0) & (largest > 0), (nearest - inside) / np.where(largest > 0, largest, 1.0), 0.0)
    return mean_of(value, TOO_FEW), value, rows[drawn]
