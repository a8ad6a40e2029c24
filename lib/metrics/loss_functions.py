"""Losses as functions of the margin, with their gradients: the declared table and curves of it.

Every loss here falls, or stays, as the margin grows, so the worst rows are the same for all: those of least margin.
Formulas are the stable ones; only the exponential loss can leave the range of numbers, and is held at e^300.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lib.errors import SettingsError
from lib.metrics.estimates import FloatArray

FOCAL_GAMMA = 2.0
LARGEST_EXPONENT = 300.0
Pointwise = Callable[[FloatArray, float], FloatArray]


@dataclass(frozen=True)
class LossFunction:
    """A loss of the margin m.

    Attributes:
        name: as in code, JSON and links.
        label: as on an axis.
        description: what it does, in one sentence.
        formula: as text.
        is_convex: whether it is convex in m: the sum over a bin is then at most that of its chord.
    """

    name: str
    label: str
    description: str
    formula: str
    is_convex: bool
    _value: Pointwise
    _gradient: Pointwise

    def value(self, margins: ArrayLike, margin_target: float = 1.0) -> FloatArray:
        """The loss at each margin; any shape, never negative, never NaN."""
        return self._value(np.asarray(margins, np.float64), margin_target)

    def gradient(self, margins: ArrayLike, margin_target: float = 1.0) -> FloatArray:
        """Its derivative in m, never positive; at a kink the one from the right, which is the one nearer to zero."""
        return self._gradient(np.asarray(margins, np.float64), margin_target)


def _exponential(m: FloatArray) -> FloatArray:
    return np.exp(np.minimum(-m, LARGEST_EXPONENT))


def _smoothed(slack: FloatArray) -> FloatArray:
    inner = np.clip(slack, 0.0, 1.0)
    return inner**2 / 2 + np.maximum(slack - 1, 0.0)


def _softplus(m: FloatArray) -> FloatArray:
    return np.logaddexp(0.0, -m)


def _focal_gradient(m: FloatArray) -> FloatArray:
    q = special.expit(-m)
    return -(q**FOCAL_GAMMA) * (FOCAL_GAMMA * special.expit(m) * _softplus(m) + q)


LOSSES: tuple[LossFunction, ...] = (
    LossFunction(
        "hinge",
        "Hinge",
        "Linear below the margin target and zero beyond it, so that confident correct rows teach nothing.",
        "max(0, γ − m)",
        True,
        lambda m, target: np.maximum(target - m, 0.0),
        lambda m, target: np.where(m < target, -1.0, 0.0),
    ),
    LossFunction(
        "logistic",
        "Logistic",
        "Never quite zero: every row keeps pushing, confident correct ones ever more weakly.",
        "log(1 + e^−m)",
        True,
        lambda m, target: _softplus(m),
        lambda m, target: -special.expit(-m),
    ),
    LossFunction(
        "squared_hinge",
        "Squared hinge",
        "Hinge squared: smooth at the margin target, and much harsher on rows far on the wrong side.",
        "max(0, γ − m)²",
        True,
        lambda m, target: np.maximum(target - m, 0.0) ** 2,
        lambda m, target: -2 * np.maximum(target - m, 0.0),
    ),
    LossFunction(
        "smoothed_hinge",
        "Smoothed hinge",
        "Hinge with its corner replaced by a parabola one unit wide.",
        "0 if m ≥ γ; (γ − m)²/2 if γ − 1 < m < γ; γ − m − ½ otherwise",
        True,
        lambda m, target: _smoothed(target - m),
        lambda m, target: -np.clip(target - m, 0.0, 1.0),
    ),
    LossFunction(
        "perceptron",
        "Perceptron",
        "Hinge with no margin: only rows on the wrong side count, by how far they are.",
        "max(0, −m)",
        True,
        lambda m, target: np.maximum(-m, 0.0),
        lambda m, target: np.where(m < 0, -1.0, 0.0),
    ),
    LossFunction(
        "exponential",
        "Exponential",
        "AdaBoost's: a few rows far on the wrong side outweigh all others.",
        "e^−m",
        True,
        lambda m, target: _exponential(m),
        lambda m, target: -_exponential(m),
    ),
    LossFunction(
        "zero_one",
        "Zero–one",
        "One for each wrong decision; what accuracy counts, and what no gradient can follow.",
        "1 if m < 0, else 0; at m = 0 a positive row is wrong, because a positive prediction is s > 0",
        False,
        lambda m, target: np.where(m < 0, 1.0, 0.0),
        lambda m, target: np.zeros_like(m),
    ),
    LossFunction(
        "focal",
        "Focal",
        "Logistic loss times (1 − p)², p being the probability given to the true class: easy rows fade out faster.",
        "(1 − p)²·log(1 + e^−m), p = 1/(1 + e^−m)",
        False,
        lambda m, target: special.expit(-m) ** FOCAL_GAMMA * _softplus(m),
        lambda m, target: _focal_gradient(m),
    ),
)


def loss_named(name: str) -> LossFunction:
    """The loss of that name.

    Raises:
        SettingsError: there is none.
    """
    for loss in LOSSES:
        if loss.name == name:
            return loss
    raise SettingsError(f"There is no loss called {name!r}; there are {', '.join(loss.name for loss in LOSSES)}.")


@dataclass(frozen=True, eq=False)
class LossCurves:
    """Losses and their gradients over margins.

    Attributes:
        margins: shape (K,).
        names: L names of losses.
        values, gradients: shape (L, K).
    """

    margins: FloatArray
    names: tuple[str, ...]
    values: FloatArray
    gradients: FloatArray


def loss_curve(margins: ArrayLike, losses: Sequence[LossFunction] = LOSSES, margin_target: float = 1.0) -> LossCurves:
    """Losses and gradients at the given margins, for drawing."""
    at = np.asarray(margins, np.float64)
    shape = (len(losses), len(at))
    return LossCurves(
        margins=at,
        names=tuple(loss.name for loss in losses),
        values=np.array([loss.value(at, margin_target) for loss in losses]).reshape(shape),
        gradients=np.array([loss.gradient(at, margin_target) for loss in losses]).reshape(shape),
    )
