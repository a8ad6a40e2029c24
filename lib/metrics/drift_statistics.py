"""The statistics that compare two samples of vectors, for the sides as they are and for sides dealt by chance.

Every function takes the pooled rows, shape (N, d), and the sides, shape (draws + 1, N), −1 or 1, the first as observed,
and returns a number for each. References: see `drift`.
"""

from __future__ import annotations

import math

import numpy as np

from lib.metrics.estimates import FloatArray, IntArray
from lib.metrics.probe import areas, out_of_fold, standardise
from lib.metrics.vector_rows import draw_rows, squared_distances

FEATURES = 512
"""Random features that stand for the kernel of many rows."""
BANDWIDTH_ROWS = 500
"""The median distance is that of so many rows."""
SQUARES_DIMENSION = 128
"""Up to this dimension the domain classifier sees the squares of the values, too."""
EDGES = 15
"""Of paired rows, KS is taken at so many quantiles."""


def centroid_shifts(pooled: FloatArray, sides: FloatArray) -> FloatArray:
    """Shape (draws + 1,): distance of the means in units of the root mean square distance from them, as observed."""
    weights = np.where(sides > 0, 1 / (sides[0] > 0).sum(), -1 / (sides[0] < 0).sum())
    shifts = weights @ pooled
    squared = np.einsum("ij,ij->i", shifts, shifts)
    total = np.einsum("ij,ij->", pooled, pooled) / len(pooled)
    # The distance of the two means is no part of the spread about them.
    within = total - (sides[0] < 0).mean() * (sides[0] > 0).mean() * squared[0]
    return np.sqrt(squared / max(float(within), 1e-12 * float(total)))


def squared_mmd(pooled: FloatArray, sides: FloatArray, seed: int, *, is_paired: bool, is_exact: bool) -> FloatArray:
    """Shape (draws + 1,): unbiased squared MMD of a Gaussian kernel as wide as the median distance.

    A vector is compared neither with itself nor, of pairs, with its partner.
    """
    some = pooled[draw_rows(np.arange(len(pooled)), BANDWIDTH_ROWS, seed)]
    distances = squared_distances(some, some)[np.triu_indices(len(some), 1)]
    width = float(np.median(distances)) or float(distances.mean())
    n, m = int((sides[0] < 0).sum()), int((sides[0] > 0).sum())
    second = np.where(sides > 0, 1.0, 0.0)
    if is_exact:
        kernel = np.exp(-squared_distances(pooled, pooled) / (2 * width))
        np.fill_diagonal(kernel, 0.0)
        product = second @ kernel
        within = np.einsum("ij,ij->i", product, second)
        between = product.sum(axis=1) - within
        rest = kernel.sum() - within - 2 * between
        partners = float(np.diagonal(kernel, n).sum()) if is_paired else 0.0
    else:
        features = _random_features(pooled / math.sqrt(width), seed)
        sums = (second.astype(np.float32) @ features).astype(np.float64)
        others = features.sum(axis=0, dtype=np.float64) - sums
        between = np.einsum("ij,ij->i", others, sums)
        within, rest = (np.einsum("ij,ij->i", each, each) - size for each, size in ((sums, m), (others, n)))
        partners = float(np.einsum("ij,ij->", features[:n], features[n:])) if is_paired else 0.0
    crossed = n * (n - 1) if is_paired else n * m
    return rest / (n * (n - 1)) + within / (m * (m - 1)) - 2 * (between - partners) / crossed


def _random_features(values: FloatArray, seed: int) -> np.ndarray:
    """Shape (N, FEATURES), float32: vectors of length 1 whose products are about exp(−½ squared distance)."""
    frequencies = np.random.default_rng(seed).normal(size=(values.shape[1], FEATURES // 2))
    phase = values.astype(np.float32) @ frequencies.astype(np.float32)
    return np.concatenate([np.cos(phase), np.sin(phase)], axis=1) / np.float32(math.sqrt(FEATURES // 2))


def domain_areas(pooled: FloatArray, sides: FloatArray, folds: IntArray) -> FloatArray:
    """Shape (draws + 1,): ROC AUC, mean over held-out folds, of a linear probe that tells the sides apart."""
    values = np.concatenate([pooled, pooled**2], axis=1) if pooled.shape[1] <= SQUARES_DIMENSION else pooled
    found = [areas(score, sides[:, rows].T > 0) for rows, score, _ in out_of_fold(standardise(values), sides.T, folds)]
    return np.nanmean(np.stack([*found]), axis=0)


def ks_distances(x: FloatArray, y: FloatArray) -> FloatArray:
    """Shape (d,): the Kolmogorov–Smirnov distance of each dimension of two samples, shapes (n, d) and (m, d)."""
    both = np.concatenate([x, y])
    order = np.argsort(both, axis=0)
    ordered = np.take_along_axis(both, order, axis=0)
    steps = np.where(order < len(x), 1 / len(x), -1 / len(y)).cumsum(axis=0)
    # Between equal values there is no step.
    ends = np.concatenate([ordered[1:] != ordered[:-1], np.ones((1, x.shape[1]), np.bool_)])
    return np.abs(np.where(ends, steps, 0.0)).max(axis=0)


def paired_ks_distances(pooled: FloatArray, sides: FloatArray) -> FloatArray:
    """Shape (draws + 1, d): the distance at the `EDGES` quantiles of each dimension, of n pairs."""
    n = len(pooled) // 2
    swaps = sides[:, n:].astype(np.float32)
    found = np.zeros((len(sides), pooled.shape[1]), np.float32)
    for edge in np.quantile(pooled, np.arange(1, EDGES + 1) / (EDGES + 1), axis=0):
        below = pooled <= edge
        change = below[:n].astype(np.float32) - below[n:]
        np.maximum(found, np.abs(swaps @ change) / n, out=found)
    return found.astype(np.float64)
