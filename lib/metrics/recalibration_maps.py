"""Maps from a score to a probability, fitted on labelled rows: Platt, temperature, beta and isotonic.

All maps rise (or stay level) with the score, so none changes which of two rows is the surer one. References: Platt
(1999), with his targets away from 0 and 1; Guo et al. (2017) for temperature; Kull, Silva Filho and Flach (2017) for
beta; Zadrozny and Elkan (2002) for isotonic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize, special

from lib.grid import EPSILON
from lib.metrics.estimates import FloatArray
from lib.metrics.log_odds import fit_log_odds
from lib.metrics.reliability import isotonic

MapName = Literal["platt", "temperature", "beta", "isotonic"]
MAP_NAMES: tuple[MapName, ...] = ("platt", "temperature", "beta", "isotonic")
MAP_LABELS: dict[MapName, str] = {
    "platt": "Platt",
    "temperature": "temperature",
    "beta": "beta",
    "isotonic": "isotonic",
}
MAP_FORMULAS: dict[MapName, str] = {
    "platt": "σ(a·s + b), fitted to targets a little away from 0 and 1.",
    "temperature": "σ(s/T): one number, which moves no decision.",
    "beta": "σ(a·ln p − b·ln(1 − p) + c): bends each end of the scale by itself.",
    "isotonic": "The rising steps that fit best, joined by lines: any shape, but it needs many rows.",
}
"""What each map is, s being the decision score (of a probability p its log odds)."""

RIDGE = 1e-11
"""How much a beta map's squared slopes cost: next to nothing, but without it separable classes have no finite fit."""
LARGEST_LOG_TEMPERATURE = 10.0


@dataclass(frozen=True, eq=False)
class RecalibrationMap:
    """A fitted map.

    Attributes:
        name: which of `MAP_NAMES`.
        parameters: what it is made of; of an isotonic map none.
        scores, probabilities: shape (K,), of an isotonic map: between them it is linear, beyond the ends level.
    """

    name: MapName
    parameters: dict[str, float]
    scores: FloatArray
    probabilities: FloatArray

    def __call__(self, score: FloatArray) -> FloatArray:
        """Scores, any shape, to probabilities in [0, 1]."""
        at = self.parameters
        if self.name == "platt":
            return special.expit(at["slope"] * score + at["intercept"])
        if self.name == "temperature":
            return special.expit(score / at["temperature"])
        if self.name == "beta":
            return special.expit(_beta_log_odds(score, at["a"], at["b"], at["c"]))
        return np.interp(score, self.scores, self.probabilities)


def fit_map(name: MapName, score: FloatArray, negative: FloatArray, positive: FloatArray) -> RecalibrationMap:
    """Fit a map by maximum likelihood (Platt: with his targets; isotonic: least squares).

    Args:
        name: which.
        score: shape (M,), ascending; finite.
        negative: shape (M,), weight of the negative rows at each score.
        positive: shape (M,), of the positive ones. Both classes have weight.
    """
    nothing = np.zeros(0)
    if name == "isotonic":
        return RecalibrationMap(name, {}, *_isotonic_knots(score, isotonic(negative + positive, positive)))
    if name == "platt":
        slope, intercept = _fit_platt(score, negative, positive)
        return RecalibrationMap(name, {"slope": slope, "intercept": intercept}, nothing, nothing)
    if name == "temperature":
        return RecalibrationMap(name, {"temperature": _fit_temperature(score, negative, positive)}, nothing, nothing)
    a, b, c = _fit_beta(score, negative, positive)
    return RecalibrationMap(name, {"a": a, "b": b, "c": c}, nothing, nothing)


def _fit_platt(score: FloatArray, negative: FloatArray, positive: FloatArray) -> tuple[float, float]:
    """Slope and intercept of σ(slope·s + intercept), never falling."""
    targets = (positive.sum() + 1) / (positive.sum() + 2), 1 / (negative.sum() + 2)
    toward = targets[0] * positive + targets[1] * negative
    away = positive + negative - toward
    slope, intercept = fit_log_odds(np.stack([score, np.ones_like(score)], axis=1), away, toward)
    if slope < 0:
        return 0.0, float(special.logit(toward.sum() / (toward.sum() + away.sum())))
    return float(slope), float(intercept)


def _fit_temperature(score: FloatArray, negative: FloatArray, positive: FloatArray) -> float:
    """T of σ(s/T), between e^−10 and e^10."""

    def slope(log_temperature: float) -> float:
        p = special.expit(score * math.exp(-log_temperature))
        return float((((negative + positive) * p - positive) * score).sum())

    low, high = -LARGEST_LOG_TEMPERATURE, LARGEST_LOG_TEMPERATURE
    # The loss is convex in 1/T, so the sign of its slope tells on which side the least is.
    if slope(high) >= 0:
        return math.exp(high)
    if slope(low) <= 0:
        return math.exp(low)
    return math.exp(float(optimize.brentq(slope, low, high, xtol=1e-14)))  # type: ignore[arg-type]


def _fit_beta(score: FloatArray, negative: FloatArray, positive: FloatArray) -> tuple[float, float, float]:
    """a, b ≥ 0 and c of σ(a·ln p − b·ln(1 − p) + c)."""
    first, second = _beta_features(score)
    one = np.ones_like(score)
    ridge = np.array([RIDGE, RIDGE, 0.0])
    a, b, c = fit_log_odds(np.stack([first, second, one], axis=1), negative, positive, ridge)
    if a < 0 or b < 0:
        # The better of the two edges; where both slopes would fall, the level map.
        kept = second if a < 0 else first
        only, c = fit_log_odds(np.stack([kept, one], axis=1), negative, positive, ridge[1:])
        if only < 0:
            return 0.0, 0.0, float(special.logit(positive.sum() / (positive.sum() + negative.sum())))
        a, b = (0.0, only) if a < 0 else (only, 0.0)
    return float(a), float(b), float(c)


def _beta_features(score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The two features: ln p and −ln(1 − p) of p = σ(s), p within [ε, 1 − ε]."""
    most = float(special.logit(1 - EPSILON))
    s = np.clip(score, -most, most)
    return -np.logaddexp(0.0, -s), np.logaddexp(0.0, s)


def _beta_log_odds(score: FloatArray, a: float, b: float, c: float) -> FloatArray:
    first, second = _beta_features(score)
    return a * first + b * second + c


def _isotonic_knots(score: FloatArray, fitted: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The ends of the level pieces of an isotonic fit."""
    keep = np.ones(len(score), dtype=np.bool_)
    keep[1:-1] = (fitted[1:-1] != fitted[:-2]) | (fitted[1:-1] != fitted[2:])
    return score[keep], fitted[keep]


def recalibrated_words(name: MapName) -> str:
    """How numbers of recalibrated probabilities are marked."""
    return f"recalibrated ({MAP_LABELS[name]}, cross-fitted)"


def as_json(fitted: RecalibrationMap, *, takes_probability: bool = False) -> dict[str, object]:
    """A map as plain values, with what it takes: a decision score, or the log odds of a probability."""
    taken = "log odds of the probability" if takes_probability else "decision score"
    knots = {"scores": fitted.scores.tolist(), "probabilities": fitted.probabilities.tolist()}
    return {"map": fitted.name, "input": taken, **(fitted.parameters if fitted.parameters else knots)}


def as_python(fitted: RecalibrationMap, *, takes_probability: bool = False, comment: str = "") -> str:
    """A map as the text of a Python function without dependencies.

    Args:
        fitted: the map.
        takes_probability: whether the function takes a probability, whose log odds the map is of, or a decision score.
        comment: what stands above it; line breaks and what is no printable ASCII are made harmless.
    """
    taken = "probability" if takes_probability else "decision_score"
    lines = [f"# {line}" for line in [_harmless(comment)] if comment]
    lines += ["import bisect", "import math", "", ""] if fitted.name == "isotonic" else ["import math", "", ""]
    if fitted.name == "isotonic":
        lines += [f"SCORES = {fitted.scores.tolist()!r}", f"PROBABILITIES = {fitted.probabilities.tolist()!r}", "", ""]
    lines += [
        f"def recalibrate({taken}):",
        f'    """The probability of the positive class, by the {fitted.name} map of a {taken.replace("_", " ")}."""',
    ]
    if takes_probability:
        lines.append(f"    p = min(max({taken}, {EPSILON!r}), 1 - {EPSILON!r})")
        lines.append("    s = math.log(p / (1 - p))")
    else:
        lines.append(f"    s = {taken}")
    return "\n".join([*lines, *(f"    {line}" for line in _body(fitted))]) + "\n"


def _body(fitted: RecalibrationMap) -> list[str]:
    """The lines from `s` to the probability."""
    at = fitted.parameters
    if fitted.name == "isotonic":
        return [
            "if math.isnan(s):",
            "    return s",
            "if s <= SCORES[0]:",
            "    return PROBABILITIES[0]",
            "if s >= SCORES[-1]:",
            "    return PROBABILITIES[-1]",
            "k = bisect.bisect_right(SCORES, s)",
            "part = (s - SCORES[k - 1]) / (SCORES[k] - SCORES[k - 1])",
            "return PROBABILITIES[k - 1] + part * (PROBABILITIES[k] - PROBABILITIES[k - 1])",
        ]
    if fitted.name == "platt":
        odds = [f"z = {at['slope']!r} * s + {at['intercept']!r}"]
    elif fitted.name == "temperature":
        odds = [f"z = s / {at['temperature']!r}"]
    else:
        most = float(special.logit(1 - EPSILON))
        odds = [
            f"s = min(max(s, {-most!r}), {most!r})",
            "softplus = max(s, 0.0) + math.log1p(math.exp(-abs(s)))",
            f"z = {at['a']!r} * (s - softplus) + {at['b']!r} * softplus + {at['c']!r}",
        ]
    return [*odds, "e = math.exp(-abs(z))", "return 1 / (1 + e) if z >= 0 else e / (1 + e)"]


def _harmless(text: str) -> str:
    return "".join(each if " " <= each <= "~" else " " for each in text)
