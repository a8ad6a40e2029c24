"""Logistic regression on bins of rows: Newton's method, to the last digits, with weights."""

from __future__ import annotations

import numpy as np
from scipy import special

from lib.metrics.estimates import FloatArray

STEPS = 100
SMALLEST_STEP = 1e-10
LEAST_GAIN = 1e-14
"""The share of the loss that a step has to promise."""


def fit_log_odds(
    features: FloatArray,
    negative: FloatArray,
    positive: FloatArray,
    ridge: FloatArray | float = 0.0,
    offset: FloatArray | float = 0.0,
) -> FloatArray:
    """Coefficients β, shape (K,), of P(positive) = σ(Xβ + offset), by maximum likelihood.

    Where the classes are separable there is no finite maximum: without a ridge the fit stops where no step gains
    anything, with slopes that are large but arbitrary.

    Args:
        features: X, shape (M, K).
        negative: shape (M,), weight of the negative rows of each bin.
        positive: shape (M,), of the positive ones.
        ridge: shape (K,) or a number: what half of each squared coefficient costs.
        offset: shape (M,) or a number.
    """
    scale = np.abs(features).max(axis=0, initial=0.0)
    scale = np.where(scale > 0, scale, 1.0)
    # Column by column in memory, along which sums are fastest.
    x, cost = np.asfortranarray(features / scale), np.broadcast_to(ridge, scale.shape) / scale**2
    weight = negative + positive

    def loss(at: FloatArray) -> float:
        odds = along(x, at) + offset
        # log(1 + e^o) is max(o, 0) + log(1 + e^−|o|): the dear part is the same for both classes.
        short = np.where(odds < 0, positive, negative) * np.abs(odds)
        return float((weight * np.log1p(np.exp(-np.abs(odds))) + short).sum() + (cost * at**2).sum() / 2)

    at = np.zeros(x.shape[1])
    now = loss(at)
    for _step in range(STEPS):
        p = special.expit(along(x, at) + offset)
        slope = along(x.T, weight * p - positive) + cost * at
        curve = _products(x, weight * p * (1 - p)) + np.diag(cost)
        # Where nothing is left to learn the matrix is all but singular.
        step = np.linalg.lstsq(curve, slope, rcond=1e-15)[0]
        if float(slope @ step) <= LEAST_GAIN * now:
            # So near the end the loss itself no longer tells which of two points is better.
            at = at - step
            break
        size = 1.0
        while size > SMALLEST_STEP and not loss(at - size * step) <= now:
            size /= 2
        if size <= SMALLEST_STEP:
            break
        at = at - size * step
        now = loss(at)
    return at / scale


def log_odds_covariance(
    features: FloatArray,
    coefficients: FloatArray,
    w: FloatArray,
    w2: FloatArray,
    offset: FloatArray | float = 0.0,
) -> FloatArray:
    """Covariance of fitted coefficients, shape (K, K), right whatever the model is (White 1982; Huber's sandwich).

    Args:
        features: X, shape (M, K).
        coefficients: shape (K,).
        w: shape (M, 2), Σw by label, negative and positive.
        w2: shape (M, 2), Σw².
        offset: as in the fit.
    """
    p = special.expit(along(features, coefficients) + offset)
    curve = _products(features, w.sum(axis=1) * p * (1 - p))
    inner = _products(features, w2[:, 0] * p**2 + w2[:, 1] * (1 - p) ** 2)
    inverse = np.linalg.pinv(curve)
    return inverse @ inner @ inverse


# Sums over rows of a few columns, not as products of matrices: the threads of linear algebra wait for each other longer
# than there is to do, many times as long on a busy machine.


def along(x: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Xβ, shape (M,)."""
    return np.einsum("mk,k->m", x, coefficients)


def _products(x: FloatArray, weight: FloatArray) -> FloatArray:
    """X'diag(w)X, shape (K, K)."""
    return np.einsum("mk,ml->kl", x * weight[:, None], x)
