"""Recalibration: maps from score to probability that are judged on rows they were not fitted on (H-M6).

Each map is fitted ten times, on the rows of nine folds of the id, and judged on those of the tenth; no reported number
is on rows that its map has seen. Folds share most of the rows that they are fitted on: the intervals take them as
independent, as cross-validated intervals do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lib.grid import EPSILON
from lib.metrics.estimates import NO_USABLE_ROWS, Estimate, FloatArray
from lib.metrics.forecasts import Forecasts, losses_at, together
from lib.metrics.parts import Moments
from lib.metrics.recalibration_maps import MAP_NAMES, MapName, RecalibrationMap, fit_map

ONE_CLASS_OF_FOLDS = "outside one of the ten folds all labelled rows are of one class"
MOST_FITTED = 20_000
"""Of more distinct scores, neighbours are fitted together."""
ENOUGH_FOR_ISOTONIC = 1_000
"""Labelled rows below which an isotonic map is not recommended (Niculescu-Mizil and Caruana 2005)."""
LOSSES = ("log_loss", "brier_score")


@dataclass(frozen=True, eq=False)
class CrossFitted:
    """One map, fitted on nine folds at a time and applied to the tenth.

    Attributes:
        name: which map.
        forecasts: all rows under the probabilities that maps gave which had not seen them.
        fitted: the map of all rows: the one to use.
        losses: log loss and Brier score of these probabilities; and, where the score is a probability already, their
            change against it, row by row (`log_loss_change`, `brier_score_change`).
        per_row: log loss of each fold's bins, shape (B, 2) by label, for comparing one map with another.
    """

    name: MapName
    forecasts: Forecasts
    fitted: RecalibrationMap
    losses: dict[str, Estimate]
    per_row: FloatArray


@dataclass(frozen=True, eq=False)
class Recalibration:
    """All maps over the same folds.

    Attributes:
        folds: labelled rows of each fold.
        is_probability: whether the score may be called a probability as it is.
        maps: those that could be fitted, in the order of `MAP_NAMES`.
        reason: why there is none.
    """

    folds: tuple[Forecasts, ...]
    is_probability: bool
    maps: tuple[CrossFitted, ...]
    reason: str = ""

    @property
    def n(self) -> float:
        """Labelled rows."""
        return sum(fold.n_rows for fold in self.folds)

    def before(self, loss: str) -> float:
        """Log loss or Brier score of the score as it is; NaN where that is no probability."""
        if not self.is_probability or not self.folds:
            return float("nan")
        name = {"log_loss": "logs", "brier_score": "squares"}[loss]
        return float(sum(getattr(fold, name).sum() for fold in self.folds) / sum(fold.w.sum() for fold in self.folds))

    @cached_property
    def against_best(self) -> dict[MapName, Estimate]:
        """Of each map how much its log loss is above that of the best, row by row; the best one's is 0."""
        best = self.best
        if best is None:
            return {}
        return {each.name: _mean_of(self.folds, each.per_row - best.per_row) for each in self.maps}

    @property
    def best(self) -> CrossFitted | None:
        """The map of least log loss; isotonic only where there are enough rows for it."""
        able = [each for each in self.maps if each.name != "isotonic" or self.n >= ENOUGH_FOR_ISOTONIC]
        return min(able, key=lambda each: each.losses["log_loss"].value, default=None)

    @property
    def recommended(self) -> CrossFitted | None:
        """The plainest map that is not worse than the best beyond chance; None where none makes the score better.

        Maps are plainer the fewer parameters they have. Of a score that is a probability the log loss has to fall
        beyond chance, or nothing is recommended.
        """
        if self.best is None:
            return None
        order: tuple[MapName, ...] = ("temperature", "platt", "beta", "isotonic")
        by_name = {each.name: each for each in self.maps}
        for name in order:
            each = by_name.get(name)
            if each is None or (name == "isotonic" and self.best.name != name):
                continue
            if self.is_probability and not each.losses["log_loss_change"].upper < 0:
                continue
            if each is self.best or not self.against_best[name].lower > 0:
                return each
        return None


def recalibrate(
    folds: Sequence[Forecasts], *, is_probability: bool, names: Sequence[MapName] = MAP_NAMES
) -> Recalibration:
    """Fit and judge maps over folds.

    Args:
        folds: labelled rows of each of at least two folds; empty ones are left out.
        is_probability: whether the score may be called a probability as it is.
        names: which maps.
    """
    held = tuple(fold for fold in folds if fold.n_rows > 0)
    if not held:
        return Recalibration((), is_probability, (), NO_USABLE_ROWS)
    others = [together([fold for fold in held if fold is not own]) for own in held] if len(held) > 1 else []
    if not others or any(other.n_classes < 2 for other in others):
        return Recalibration(held, is_probability, (), ONE_CLASS_OF_FOLDS)
    whole, *others = (each.gathered(MOST_FITTED) for each in (together(held), *others))
    made: list[CrossFitted] = []
    for name in names:
        given = [_fit(name, other)(own.score) for own, other in zip(held, others, strict=True)]
        p = np.clip(np.concatenate(given), EPSILON, 1 - EPSILON)
        squares, logs = losses_at(p)
        losses = {"log_loss": _mean_of(held, logs, least=0.0), "brier_score": _mean_of(held, squares, least=0.0)}
        if is_probability:
            losses["log_loss_change"] = _mean_of(held, logs - _own(held, "logs"))
            losses["brier_score_change"] = _mean_of(held, squares - _own(held, "squares"))
        moved = together([fold.with_probability(each) for fold, each in zip(held, given, strict=True)])
        made.append(CrossFitted(name, moved, _fit(name, whole), losses, logs))
    return Recalibration(held, is_probability, tuple(made))


def _fit(name: MapName, forecasts: Forecasts) -> RecalibrationMap:
    return fit_map(name, forecasts.score, forecasts.w[:, 0], forecasts.w[:, 1])


def _own(folds: Sequence[Forecasts], name: str) -> FloatArray:
    """A loss per row of each bin of the folds as they are, by label, shape (B, 2); 0 without rows."""
    total, w = (np.concatenate([getattr(fold, each) for fold in folds]) for each in (name, "w"))
    return np.divide(total, w, out=np.zeros_like(w), where=w > 0)


def _mean_of(folds: Sequence[Forecasts], values: FloatArray, *, least: float = -np.inf) -> Estimate:
    """The mean over rows of a number of each bin and label, shape (B, 2), with Student's interval."""
    n, w, w2 = (np.concatenate([getattr(fold, each) for fold in folds]) for each in ("n", "w", "w2"))
    sums = [np.array([each.sum()]) for each in (n, w, w2, w * values, w2 * values, w2 * values**2)]
    return Moments(*sums, doubt=np.zeros(1)).estimates(least=least)[0]
