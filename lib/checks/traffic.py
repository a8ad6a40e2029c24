"""Gaps in the traffic: windows without rows where their like are full."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from lib.checks.blocks import Axes, BoolArray, FloatArray, IntArray
from lib.scan.windows import DAY, WEEK

MOST_LEFT = 0.1
MIN_WINDOWS = 5
SATURDAY, SUNDAY = 2, 3
"""Days since 1970-01-01, a Thursday, modulo 7."""


@dataclass(frozen=True)
class Gap:
    """Windows from `start` to `end` (epoch seconds, end not included) with `n` rows where `expected` were due."""

    start: int
    end: int
    n: int
    expected: float
    p: float


def find_gaps(counts: FloatArray, axes: Axes, alarm_rate: float) -> list[Gap]:
    """Runs of windows that hold at most a tenth of what their like hold, beyond chance.

    What is due in a window is the least of what the nearest windows outside the run hold: the adjoining ones; those
    of the same hour a day before and after, where windows are shorter than a day; of the same weekday a week before
    and after, where they are days. So nights and weekends, empty every time, are no gap. Counts are quasi-Poisson,
    their dispersion the median over such pairs of windows.

    Args:
        counts: shape (W,), rows in each of `axes.windows`.
        axes: the windows.
        alarm_rate: over all windows.
    """
    width = axes.width
    if not width or len(axes.windows) < MIN_WINDOWS:
        return []
    starts = np.arange(axes.windows[0], axes.windows[-1] + width, width)
    n = np.zeros(len(starts))
    n[(axes.windows - starts[0]) // width] = counts
    period = DAY // width if width < DAY else (WEEK // width if width == DAY else 1)
    low = n <= MOST_LEFT * float(np.median(n[n > 0]))
    dispersion = _dispersion(n, low, period)
    result: list[Gap] = []
    for first, last in _runs(low):
        if first == 0 or last == len(n) - 1:
            continue
        if width == DAY and len(n) < 2 * period and _are_weekend(starts[first : last + 1]):
            continue  # There is no other weekend to tell.
        due = _due(n, first, last, period, width)
        observed = float(n[first : last + 1].sum())
        if not due > 0 or observed > MOST_LEFT * due:
            continue
        p = float(special.gammaincc(np.floor(observed / dispersion) + 1, due / dispersion)) * len(n)
        if p <= alarm_rate:
            result.append(Gap(int(starts[first]), int(starts[last]) + width, int(observed), due, min(p, 1.0)))
    return result


def _runs(low: BoolArray) -> list[tuple[int, int]]:
    edges = np.diff(np.concatenate(([0], low.astype(np.int8), [0])))
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))


def _dispersion(n: FloatArray, low: BoolArray, period: int) -> float:
    step = period if len(n) > period + MIN_WINDOWS else 1
    before, after = n[:-step], n[step:]
    filled = ~low[:-step] & ~low[step:]
    if filled.sum() < MIN_WINDOWS:
        return 1.0
    ratio = (after[filled] - before[filled]) ** 2 / (after[filled] + before[filled])
    return max(1.0, float(np.median(ratio)) / 0.455)


def _due(n: FloatArray, first: int, last: int, period: int, width: int) -> float:
    """How many rows the run should hold; 0 where nothing tells."""
    # The gap may begin and end within a window, so the one beyond is looked at too.
    adjoining = min(n[max(0, first - 2) : first].max(), n[last + 1 : last + 3].max())
    due = 0.0
    for place in range(first, last + 1):
        back = place - period * (-(-(place - first + 1) // period))
        ahead = place + period * (-(-(last + 1 - place) // period))
        like = [n[each] for each in (back, ahead) if 0 <= each < len(n)]
        if width < DAY and not like:
            return 0.0
        if width < DAY:
            due += min(like)
            continue
        due += min([adjoining, *like])
    return due


def _are_weekend(starts: IntArray) -> bool:
    """Whether all of these days, in UTC, are Saturdays or Sundays."""
    return bool(np.isin(starts // DAY % 7, (SATURDAY, SUNDAY)).all())
