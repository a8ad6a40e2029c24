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
    x, cost = features / scale, np.broadcast_to(ridge, scale.shape) / scale**2
    weight = negative + positive

    def loss(at: FloatArray) -> float:
        odds = x @ at + offset
        terms = positive * np.logaddexp(0.0, -odds) + negative * np.logaddexp(0.0, odds)
        return float(terms.sum() + (cost * at**2).sum() / 2)

    at = np.zeros(x.shape[1])
    now = loss(at)
    for _step in range(STEPS):
        p = special.expit(x @ at + offset)
        slope = x.T @ (weight * p - positive) + cost * at
        curve = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(cost)
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
    p = special.expit(features @ coefficients + offset)
    curve = (features * (w.sum(axis=1) * p * (1 - p))[:, None]).T @ features
    squares = w2[:, 0] * p**2 + w2[:, 1] * (1 - p) ** 2
    inner = (features * squares[:, None]).T @ features
    inverse = np.linalg.pinv(curve)
    return inverse @ inner @ inverse
