"""What the Training page shows: a row for each curve, the curves of one metric on one axis, the batches of epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd

from lib.checks.training_runs import Pair, Run, TrainingLook, pair, place_words
from lib.figures.format import format_loss
from lib.metrics.estimates import FloatArray
from lib.metrics.training import Batches, CurveSummary, batch_distributions, is_higher_better, smooth, summarise_curve
from lib.sources.training import Curve
from lib.sources.training_names import LEARNING_RATE, SPLITS, TRAIN, VALIDATION

Axis = Literal["epoch", "step", "time"]
AXES: tuple[Axis, ...] = ("epoch", "step", "time")
DRAWN = 1_000
"""Of a longer curve the least and the greatest value of each of half as many pieces are drawn."""
MOST_EPOCHS = 12


@dataclass(frozen=True, eq=False)
class CurveRow:
    """One curve in numbers.

    Attributes:
        curve: which.
        summary: of it alone.
        pair: with the training curve of the same metric, for one of validation.
    """

    curve: Curve
    summary: CurveSummary
    pair: Pair | None

    @property
    def best_words(self) -> str:
        """The best value and where: "0.123 at epoch 12"."""
        place = self.summary.best_place
        if place is None:
            return ""
        return f"{format_loss(self.summary.best)} at {place_words(self.curve, place)}"

    @property
    def gaps(self) -> tuple[float, float]:
        """The train–validation gap at the best value and at the last one; NaN without one."""
        return self.gap_at(self.summary.best_place), self.gap_at(len(self.curve.value) - 1)

    def gap_at(self, place: int | None) -> float:
        """The train–validation gap at a place of the curve; NaN without one."""
        return math.nan if place is None or self.pair is None or self.pair.gap is None else float(self.pair.gap[place])


@lru_cache(maxsize=4)
def curve_rows(look: TrainingLook) -> tuple[CurveRow, ...]:
    """All curves, run by run."""
    return tuple(_row(run, curve) for run in look.runs for curve in run.curves)


def _row(run: Run, curve: Curve) -> CurveRow:
    beside = None
    if curve.split == VALIDATION and is_higher_better(curve.metric) is not None:
        beside = next((made for each in run.of(TRAIN, curve.metric) if (made := pair(each, curve))), None)
    return CurveRow(curve, summarise_curve(curve.value, curve.metric), beside)


def runs_frame(rows: Sequence[CurveRow]) -> pd.DataFrame:
    """One row per curve."""
    return pd.DataFrame(
        [
            {
                "run": row.curve.run,
                "split": row.curve.split,
                "metric": row.curve.metric,
                "written": row.curve.written,
                "n": row.summary.n,
                "n_undefined": row.summary.n_undefined,
                "first": row.summary.first,
                "last": row.summary.last,
                "best": row.summary.best,
                "best_at": "" if row.summary.best_place is None else place_words(row.curve, row.summary.best_place),
                "final_versus_best": row.summary.final_versus_best,
                "since_best": row.summary.since_best,
                "since_improvement": row.summary.since_improvement,
                "gap_at_best": row.gaps[0],
                "gap_at_end": row.gaps[1],
                "noise": row.summary.noise,
                "oscillation": row.summary.oscillation,
            }
            for row in rows
        ]
    )


def metrics_of(look: TrainingLook) -> list[str]:
    """The metrics, those first that most is said about: losses, what has a direction, and others."""
    found = dict.fromkeys(curve.metric for curve in look.training.curves)

    def rank(metric: str) -> tuple[int, int]:
        higher = is_higher_better(metric)
        return (2 if higher is None else int(higher), int(metric == LEARNING_RATE))

    return sorted(found, key=rank)


def splits_of(look: TrainingLook, metric: str) -> list[str]:
    """The splits on which a metric was measured."""
    found = {curve.split for curve in look.training.curves if curve.metric == metric}
    return [split for split in SPLITS if split in found]


def axes_of(look: TrainingLook, metric: str) -> list[Axis]:
    """What the curves of a metric can be drawn along; the first is the one that most of them have."""
    curves = [curve for curve in look.training.curves if curve.metric == metric]
    counted = {axis: sum(_along(curve, axis) is not None for curve in curves) for axis in AXES}
    return sorted((axis for axis in AXES if counted[axis]), key=lambda axis: (axis == "time", -counted[axis]))


def _along(curve: Curve, axis: Axis) -> FloatArray | None:
    """Where the values of a curve stand on an axis; None where nothing says."""
    if axis == "epoch":
        return _spread(curve.epoch) if curve.has_epochs else None
    x = curve.step if axis == "step" else curve.time
    return x if np.isfinite(x).all() else None


def _spread(epoch: FloatArray) -> FloatArray:
    """Several values of one whole epoch evenly over it, in their order."""
    starts = np.flatnonzero(np.append(True, np.diff(epoch) > 0))
    sizes = np.diff(np.append(starts, len(epoch)))
    if not (sizes > 1).any():
        return epoch
    within = np.arange(len(epoch)) - np.repeat(starts, sizes)
    return epoch + within / np.repeat(sizes, sizes)


@dataclass(frozen=True, eq=False)
class Line:
    """One curve as it is drawn.

    Attributes:
        run, split, written: which.
        x, y: all values.
        average: shape of y, the moving average; y itself without one.
        best: the place of the best value; None where there is none.
        best_words: that value and where it is.
        gap: as in `Pair`, for a validation curve.
    """

    run: str
    split: str
    written: str
    x: FloatArray
    y: FloatArray
    average: FloatArray
    best: int | None
    best_words: str
    gap: FloatArray | None


@dataclass(frozen=True, eq=False)
class TrainingView:
    """The curves of one metric.

    Attributes:
        metric: the standard word.
        axis: along which.
        unit: of the axis, as "min"; "" for epochs and steps.
        lines: at least one unless `left_out` names them all.
        runs: all runs that have a line, in the order of the files.
        weight: of the moving average, 0 for none.
        log: whether the axis of values is logarithmic.
        left_out: curves that nothing places on this axis.
        hidden: values that a logarithmic axis cannot show.
    """

    metric: str
    axis: Axis
    unit: str
    lines: tuple[Line, ...]
    runs: tuple[str, ...]
    weight: float
    log: bool
    left_out: tuple[str, ...]
    hidden: int

    @classmethod
    def of(
        cls,
        look: TrainingLook,
        metric: str,
        splits: Sequence[str],
        axis: Axis,
        *,
        runs: Sequence[str] | None = None,
        weight: float = 0.0,
        log: bool = False,
    ) -> TrainingView:
        """The view of some histories; of all runs without `runs`."""
        lines, left_out = list[Line](), list[str]()
        for row in curve_rows(look):
            curve = row.curve
            if curve.metric != metric or curve.split not in splits or not (runs is None or curve.run in runs):
                continue
            x = _along(curve, axis)
            if x is None:
                left_out.append(f"{curve.written} of {curve.run}")
                continue
            average = smooth(curve.value, weight) if weight else curve.value
            gaps = None if row.pair is None else row.pair.gap
            lines.append(
                Line(
                    curve.run,
                    curve.split,
                    curve.written,
                    x,
                    curve.value,
                    average,
                    row.summary.best_place,
                    row.best_words,
                    gaps,
                )
            )
        unit, per_unit = _time_unit(lines) if axis == "time" else ("", 1.0)
        lines = [_scaled(line, per_unit) for line in lines]
        hidden = sum(int((line.y <= 0).sum()) for line in lines) if log else 0
        drawn = tuple(dict.fromkeys(line.run for line in lines))
        return cls(metric, axis, unit, tuple(lines), drawn, weight, log, tuple(left_out), hidden)

    @property
    def x_title(self) -> str:
        """What the axis is."""
        return f"time since the first value ({self.unit})" if self.axis == "time" else self.axis

    @property
    def is_lower_better(self) -> bool:
        """Whether less is better, or nothing says."""
        return not is_higher_better(self.metric)

    @property
    def n_values(self) -> int:
        """All values that are drawn."""
        return sum(len(line.y) for line in self.lines)

    @property
    def has_gaps(self) -> bool:
        """Whether training and validation are both drawn, of a run that has both."""
        return any(line.gap is not None for line in self.lines) and any(line.split == TRAIN for line in self.lines)

    def frame(self) -> pd.DataFrame:
        """One row per value."""
        parts = [
            pd.DataFrame(
                {
                    "run": line.run,
                    "split": line.split,
                    "metric": self.metric,
                    "written": line.written,
                    self.axis: line.x,
                    "value": line.y,
                    "moving_average": line.average if self.weight else np.nan,
                    "gap": np.nan if line.gap is None else line.gap,
                }
            )
            for line in self.lines
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _scaled(line: Line, per_unit: float) -> Line:
    return line if per_unit == 1 else replace(line, x=line.x / per_unit)


def _time_unit(lines: Sequence[Line]) -> tuple[str, float]:
    longest = max((float(line.x[-1]) for line in lines), default=0.0)
    return next(((unit, size) for unit, size in (("h", 3600.0), ("min", 60.0)) if longest >= 3 * size), ("s", 1.0))


def thin_out(x: FloatArray, y: FloatArray, most: int = DRAWN) -> tuple[FloatArray, FloatArray]:
    """A long curve as its least and greatest value in each of half as many pieces, in their order; else itself."""
    if len(x) <= most:
        return x, y
    ends = np.linspace(0, len(x), most // 2 + 1).astype(np.int64)
    low = np.where(np.isfinite(y), y, np.inf)
    high = np.where(np.isfinite(y), y, -np.inf)
    kept = [
        np.array([start + int(np.argmin(low[start:end])), start + int(np.argmax(high[start:end]))])
        for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]
    places = np.unique(np.concatenate([[0], *kept, [len(x) - 1]]))
    return x[places], y[places]


@dataclass(frozen=True, eq=False)
class BatchView:
    """The batches of one curve, by epoch; of many epochs some, evenly chosen."""

    run: str
    written: str
    batches: Batches
    shown: tuple[int, ...]

    @classmethod
    def all_of(cls, look: TrainingLook, metric: str, runs: Sequence[str], splits: Sequence[str]) -> list[BatchView]:
        """One view for each curve of the metric that has the batches of two epochs at least."""
        found: list[BatchView] = []
        for curve in look.training.curves:
            if curve.metric != metric or curve.run not in runs or curve.split not in splits:
                continue
            made = batch_distributions(curve.epoch, curve.value)
            if made is not None:
                n = len(made.epochs)
                shown = np.unique(np.linspace(0, n - 1, min(n, MOST_EPOCHS)).round().astype(int))
                found.append(cls(curve.run, curve.written, made, tuple(shown.tolist())))
        return found

    def frame(self) -> pd.DataFrame:
        """One row per epoch and bin, of all epochs."""
        n_epochs, n_bins = self.batches.share.shape
        return pd.DataFrame(
            {
                "run": self.run,
                "written": self.written,
                "epoch": np.repeat(self.batches.epochs, n_bins),
                "n": np.repeat(self.batches.n, n_bins),
                "from": np.tile(self.batches.edges[:-1], n_epochs),
                "to": np.tile(self.batches.edges[1:], n_epochs),
                "share": self.batches.share.ravel(),
            }
        )
