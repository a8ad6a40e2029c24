"""Values in the order of a file to values in the order of training: restarts, repeated and unsorted steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MOST_RESTARTS = 20
RESTART_SHARE = 0.2
"""A file whose steps go back more often than this was not written in the order of training: it is sorted."""


@dataclass(frozen=True, eq=False)
class Series:
    """The values of one metric in the order of the file; what is not said of a value is NaN. All of shape (n,).

    Attributes:
        run: which run logged it; "" for the file's only one.
        written: the name as it stands in the file.
        step, epoch: where in training; epochs may be fractions.
        time: seconds on any clock.
        value: as logged, NaN and infinities included.
        split: that of the place it was found in; "" where only the name can say it.
    """

    run: str
    written: str
    step: FloatArray
    epoch: FloatArray
    time: FloatArray
    value: FloatArray
    split: str = ""

    def take(self, places: NDArray[np.int64]) -> Series:
        """Some of the values."""
        step, epoch, time, value = (each[places] for each in (self.step, self.epoch, self.time, self.value))
        return Series(self.run, self.written, step, epoch, time, value, self.split)


@dataclass
class Disorder:
    """What was out of order, counted over a file.

    What goes back or begins anew counts once, not once for each of the curves that are logged together.
    """

    lost: int = 0
    repeated: int = 0
    resumed: int = 0
    begun_anew: int = 0
    unsorted: int = 0

    def sentences(self) -> list[str]:
        """What was done about it."""

        def times(n: int) -> str:
            return "once" if n == 1 else f"{n:,} times"

        said: list[str] = []
        if self.lost:
            said.append(f"{self.lost:,} values without a step or epoch were left out")
        if self.repeated:
            said.append(f"{self.repeated:,} values were logged again at the same step: the last one counts")
        if self.resumed:
            said.append(f"steps go back {times(self.resumed)}, as after a restart: what was logged last counts")
        if self.begun_anew:
            said.append(f"steps begin anew {times(self.begun_anew)}: that is another run")
        if self.unsorted:
            said.append("steps are not in order and were sorted")
        return said


def in_order(series: Series, disorder: Disorder) -> list[Series]:
    """The runs in a series, each in ascending order of steps (epochs, where there are none), one value at each.

    Several values of one epoch without steps are its batches: their steps are counted.
    """
    x = series.step if np.isfinite(series.step).any() else series.epoch
    if not np.isfinite(x).any():
        # Nothing says where: values follow one another.
        return [_with_steps(series)]
    said = np.isfinite(x)
    disorder.lost += int((~said).sum())
    series = series.take(np.flatnonzero(said))
    x = x[said]
    by_epoch = not np.isfinite(series.step).any()
    parts = _runs(x, disorder)
    found: list[Series] = []
    for number, places in enumerate(parts):
        part = series.take(places)
        if number:
            part = Series(
                f"{series.run} ({number + 1})", part.written, part.step, part.epoch, part.time, part.value, part.split
            )
        found.append(_once_each(part, x[places], disorder, by_epoch=by_epoch))
    return found


def _runs(x: FloatArray, disorder: Disorder) -> list[NDArray[np.int64]]:
    """Places of each run, in order; restarts replace what they log again."""
    everything = np.arange(len(x))
    back = np.flatnonzero(np.diff(x) < 0) + 1
    if not len(back):
        return [everything]
    if len(back) > max(1, min(MOST_RESTARTS, RESTART_SHARE * len(x))):
        disorder.unsorted += 1
        return [np.argsort(x, kind="stable")]
    runs: list[NDArray[np.int64]] = []
    resumed = 0
    for part in np.split(everything, back):
        if runs and x[part[0]] > x[runs[-1][0]]:
            resumed += 1
            runs[-1] = np.concatenate([runs[-1][: int(np.searchsorted(x[runs[-1]], x[part[0]]))], part])
        else:
            runs.append(part)
    disorder.resumed = max(disorder.resumed, resumed)
    disorder.begun_anew = max(disorder.begun_anew, len(runs) - 1)
    return runs


def _once_each(part: Series, x: FloatArray, disorder: Disorder, *, by_epoch: bool) -> Series:
    last = np.append(np.diff(x) > 0, [True])
    if last.all():
        return part
    if by_epoch and len(x) >= 2 * last.sum():
        return _with_steps(part)
    disorder.repeated += int((~last).sum())
    return part.take(np.flatnonzero(last))


def _with_steps(part: Series) -> Series:
    steps = np.arange(1, len(part.value) + 1, dtype=np.float64)
    return Series(part.run, part.written, steps, part.epoch, part.time, part.value, part.split)
