"""A linear probe: ridge regression of ±1 on vectors, each fold predicted from the others, for many labellings at once.

The fitted weights are linear in the labels, so that one factorisation per fold serves the labels as they are and every
shuffling of them: the noise floor is that of the whole procedure, cross-validation included. Folds do not look at
labels, for a stratified split would not deal shuffled labels as it deals true ones.
The score is that of scikit-learn's RidgeClassifier. Reference: Hastie, Tibshirani and Friedman (2009), 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import linalg

from lib.metrics.estimates import FloatArray, IntArray, divide

FOLDS = 5


def deal_folds(n: int, seed: int) -> IntArray:
    """Shape (n,): the fold of each row, of sizes as equal as can be."""
    return np.random.default_rng(seed).permutation(np.arange(n) % FOLDS)


def standardise(values: FloatArray) -> FloatArray:
    """Columns of mean 0 and variance 1; constant columns are left out."""
    spread = values.std(axis=0)
    varies = spread > 1e-12 * np.maximum(np.abs(values).max(axis=0, initial=0.0), 1e-300)
    return (values[:, varies] - values[:, varies].mean(axis=0)) / spread[varies]


def out_of_fold(
    values: FloatArray, targets: FloatArray, folds: IntArray
) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
    """Per fold its rows and their scores, shape (rows, T), from the other folds' targets; and how well it fits these.

    The penalty is the number of columns: the best one where half of a standardised target can be told.

    Args:
        values: shape (n, d), standardised.
        targets: shape (n, T).
        folds: shape (n,).

    Returns:
        The last is Σ (score − mean)·target of the other folds, shape (T,).
    """
    n, dimension = values.shape
    whole, products = values.T @ values, values.T @ targets
    penalty = max(dimension, 1) * np.eye(dimension)
    for fold in range(FOLDS):
        rows = np.flatnonzero(folds == fold)
        if not len(rows) or len(rows) == n:
            continue
        inside, held_out = values[rows], targets[rows]
        left = n - len(rows)
        mean = -inside.sum(axis=0) / left
        centre = (targets.sum(axis=0) - held_out.sum(axis=0)) / left
        gram = whole - inside.T @ inside - left * np.outer(mean, mean)
        moment = products - inside.T @ held_out - left * np.outer(mean, centre)
        weights = linalg.cho_solve(linalg.cho_factor(gram + penalty), moment)
        yield rows, (inside - mean) @ weights + centre, np.einsum("ij,ij->j", moment, weights)


def areas(score: FloatArray, is_positive: np.ndarray) -> FloatArray:
    """Shape (T,): the ROC AUC of each column of scores, ties by their middle rank; NaN where a class is empty.

    Args:
        score: shape (n, T).
        is_positive: shape (n, T), 0 or 1.
    """
    order = np.argsort(score, axis=0)
    ordered = np.take_along_axis(score, order, axis=0)
    ranks = np.arange(1.0, len(score) + 1)[:, None] + np.zeros_like(score)
    for column in np.flatnonzero((np.diff(ordered, axis=0) == 0).any(axis=0)):
        _, inverse, counts = np.unique(ordered[:, column], return_inverse=True, return_counts=True)
        ranks[:, column] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    flags = np.take_along_axis(np.asarray(is_positive, np.float64), order, axis=0)
    positives = flags.sum(axis=0)
    return divide((ranks * flags).sum(axis=0) - positives * (positives + 1) / 2, positives * (len(score) - positives))
