"""Training histories as checks, figures and reports look at them: run by run, training beside validation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lib.metrics.estimates import FloatArray
from lib.metrics.training import align, constant_loss, gap, is_higher_better
from lib.metrics.training_course import FEWEST_LEVELS
from lib.schema import VERSION
from lib.sources.training import Curve, Training
from lib.sources.training_names import TRAIN, VALIDATION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LOG_LOSSES = ("loss", "log_loss")
"""Words of losses that are a log loss, or most often are."""
_FIRST = ("loss", "log_loss")
"""Which losses are a run's main one, if it has several."""


@dataclass(frozen=True, eq=False)
class Pair:
    """A training curve and one of validation, where the second was measured.

    Attributes:
        train, validation: the curves.
        levels: shape (n,), the training curve at the places of the validation curve.
        gap: shape (n,), how much worse the validation split is; None where the two are different metrics.
    """

    train: Curve
    validation: Curve
    levels: FloatArray
    gap: FloatArray | None

    @property
    def higher(self) -> bool:
        """Whether more is better on validation."""
        return bool(is_higher_better(self.validation.metric))

    @property
    def lower_is_better(self) -> FloatArray:
        """The validation curve turned so that less is better: of shares the share that is wrong."""
        values = self.validation.value
        if not self.higher:
            return values
        finite = values[np.isfinite(values)]
        is_share = bool(len(finite)) and finite.min() >= 0 and finite.max() <= 1
        return 1 - values if is_share else -values


def pair(train: Curve, validation: Curve) -> Pair | None:
    """Two curves side by side; None where nothing says at which steps or epochs both were measured."""
    if train.is_by_step == validation.is_by_step:
        x, at = train.x, validation.x
    elif train.has_epochs and validation.has_epochs:
        x, at = train.epoch, validation.epoch
    else:
        return None
    beside = align(x, train.value, at)
    same = train.metric == validation.metric
    higher = bool(is_higher_better(validation.metric))
    return Pair(train, validation, beside, gap(beside, validation.value, higher=higher) if same else None)


@dataclass(frozen=True, eq=False)
class Run:
    """One run.

    Attributes:
        name: what it is called.
        curves: at least one.
    """

    name: str
    curves: tuple[Curve, ...]

    def of(self, split: str, metric: str | None = None) -> list[Curve]:
        """Its curves of a split, and of a metric; of one metric those of epochs before those of batches."""
        order = {"epoch": 0, "": 1, "step": 2}
        found = [each for each in self.curves if each.split == split and metric in (None, each.metric)]
        return sorted(found, key=lambda each: (len(each.value) < FEWEST_LEVELS, order[each.per]))

    @cached_property
    def loss(self) -> Curve | None:
        """The main training loss: `loss`, else `log_loss`, else the first of which less is better."""
        return self._main(TRAIN)

    @cached_property
    def validation_loss(self) -> Curve | None:
        """The main loss of validation, chosen as that of training is."""
        return self._main(VALIDATION)

    @cached_property
    def losses(self) -> list[Curve]:
        """Every curve of training or validation of which less is better."""
        return [each for each in self.curves if is_higher_better(each.metric) is False]

    def _main(self, split: str) -> Curve | None:
        found = [each for each in self.of(split) if is_higher_better(each.metric) is False]
        ranked = sorted(found, key=lambda each: _FIRST.index(each.metric) if each.metric in _FIRST else len(_FIRST))
        return ranked[0] if ranked else None

    @cached_property
    def main(self) -> Curve:
        """The curve that says how good the run is: the validation loss, else a validation metric, else the first."""
        validation = [each for each in self.of(VALIDATION) if is_higher_better(each.metric) is not None]
        return self.validation_loss or (validation or [self.loss or self.curves[0]])[0]

    @cached_property
    def pairs(self) -> list[Pair]:
        """The main training loss with each validation curve of it, else with each other validation metric."""
        if self.loss is None:
            return []
        same = self.of(VALIDATION, self.loss.metric)
        others = [each for each in self.of(VALIDATION) if is_higher_better(each.metric) is not None]
        found = [pair(self.loss, each) for each in same or others]
        return [each for each in found if each is not None]


@dataclass(frozen=True, eq=False)
class TrainingLook:
    """What the checks of training look at.

    Attributes:
        training: the histories.
        constant_loss: the log loss of one answer for every row at the class balance of the predictions; NaN without.
    """

    training: Training
    constant_loss: float = math.nan

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The runs, in the order of the files."""
        return tuple(Run(name, self.training.of_run(name)) for name in self.training.runs)


def place_words(curve: Curve, place: int) -> str:
    """Where a value was measured: "epoch 12", "step 4,200"."""
    if curve.has_epochs and not (curve.is_by_step and np.ptp(curve.epoch) < len(curve.epoch) / 2):
        return f"epoch {curve.epoch[place]:g}"
    return f"step {curve.x[place]:,.0f}" if curve.is_by_step else f"epoch {curve.x[place]:g}"


def is_from_the_start(curve: Curve) -> bool:
    """Whether a curve begins with the training, rather than where an earlier one was resumed."""
    x = curve.x
    return bool(x[0] <= 1 or x[0] <= (x[-1] - x[0]) / max(1, len(x) - 1))


def least_constant_loss(diagnosis: Diagnosis) -> float:
    """The log loss of one answer for every row at the class balance of all labelled rows; NaN of several classes."""
    if diagnosis.facts.mapping.is_multiclass:
        return math.nan
    cells = diagnosis.tables.cells((VERSION,))
    return constant_loss(np.array([float(cells.of_label(label).sums[:, 0].sum()) for label in (-1, 1)]))
