"""From where to where training curves go: levels free of the noise of batches, their noise, fall, rise after the best.

Of all curves here less is better. Values that are not finite are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from lib.metrics.estimates import FloatArray, IntArray

MOST_LEVELS = 50
"""So many pieces a curve is cut into at most before it is judged: the noise of batches averages out within a piece."""
FEWEST_LEVELS = 6
"""With fewer values neither noise nor a trend can be told."""
TO_SIGMA = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""


def noise(values: FloatArray) -> float:
    """The standard deviation of what differs from one value to the next without a trend; NaN for under four values.

    1.4826 · median |vᵢ₋₁ − 2vᵢ + vᵢ₊₁| / √6: a straight line gives 0, white noise its standard deviation, and single
    outliers and bends hardly enter.
    """
    known = values[np.isfinite(values)]
    if len(known) < 4:
        return math.nan
    return float(TO_SIGMA * np.median(np.abs(np.diff(known, 2))) / math.sqrt(6.0))


def levels(values: FloatArray, most: int = MOST_LEVELS) -> FloatArray:
    """The means of at most `most` pieces of equal length, of the finite values; the values themselves where few."""
    known = values[np.isfinite(values)]
    if len(known) <= most:
        return known
    ends = np.linspace(0, len(known), most + 1).astype(np.int64)
    return np.asarray(np.add.reduceat(known, ends[:-1]) / np.diff(ends), np.float64)


@dataclass(frozen=True)
class Course:
    """From where to where a curve went, by its levels, of which there are `n`.

    Attributes:
        start: the mean of the first eighth of levels, two at least.
        lowest: the lowest mean of an eighth in a row.
        end: the mean of the last eighth.
        swing: the standard deviation of the second half of levels around their own straight line.
        noise: of one level.
    """

    n: int
    start: float
    lowest: float
    end: float
    swing: float
    noise: float

    @property
    def error(self) -> float:
        """The standard error of a difference between two such means, by the noise of levels."""
        return self.noise * math.sqrt(2.0 / window_of(self.n))

    @property
    def fall(self) -> float:
        """The share of its start that the curve has lost; NaN where it starts at 0."""
        return (self.start - self.end) / abs(self.start) if self.start else math.nan

    @property
    def given_back(self) -> float:
        """Which share of what was gained at the lowest is lost again at the end; above 1 it ends above its start."""
        gained, lost = self.start - self.lowest, self.end - self.lowest
        return lost / gained if gained > 0 else math.inf if lost > 0 else 0.0


def window_of(n: int) -> int:
    """How many of `n` levels are averaged where a curve is judged."""
    return max(2, n // 8)


def running_means(values: FloatArray, width: int) -> FloatArray:
    """The means of every `width` values in a row; shape (n − width + 1,)."""
    running = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray((running[width:] - running[:-width]) / width, np.float64)


def course(values: FloatArray) -> Course | None:
    """The course of a curve of which less is better; None with fewer than `FEWEST_LEVELS` finite values."""
    found = levels(values)
    n = len(found)
    if n < FEWEST_LEVELS:
        return None
    width = window_of(n)
    means = running_means(found, width)
    late = found[n // 2 :]
    line = np.polyval(np.polyfit(np.arange(len(late)), late, 1), np.arange(len(late)))
    return Course(
        n,
        float(means[0]),
        float(means.min()),
        float(means[-1]),
        float(np.std(late - line, ddof=2)) if len(late) > 2 else 0.0,
        noise(found),
    )


@dataclass(frozen=True)
class Rise:
    """How far a curve is above its best at its end, and what another did meanwhile, both of levels in a row.

    Attributes:
        place: where the best levels end, as a place in the values.
        best, end: their mean, and that of the last ones.
        p: of so high an end by the noise of the curve alone, corrected for the choice of the best.
        lasting: the share of levels after the best that are above it.
        other_fall: by which share of itself the other curve fell from there to the end; NaN without one.
    """

    place: int
    best: float
    end: float
    p: float
    lasting: float
    other_fall: float


def rise_after_best(values: FloatArray, other: FloatArray) -> Rise | None:
    """How a curve of which less is better rises after its best; None with fewer than `FEWEST_LEVELS` values of both.

    The end and the best are means of an eighth of the levels. Their difference is compared with the noise of single
    levels by Student's t with half as many degrees of freedom as there are second differences, times the number of
    places at which the best could have been.

    Args:
        values: shape (n,), such as a validation loss.
        other: shape (n,), such as the training loss at the same epochs.
    """
    both = np.isfinite(values) & np.isfinite(other)
    own, beside = levels(values[both]), levels(other[both])
    n = len(own)
    if n < FEWEST_LEVELS:
        return None
    width = window_of(n)
    means, others = running_means(own, width), running_means(beside, width)
    best = int(np.argmin(means[: n - 2 * width + 1]))
    difference = float(means[-1] - means[best])
    error = noise(own) * math.sqrt(2.0 / width)
    if difference <= 0:
        p = 1.0
    else:
        t = difference / error if error > 0 else math.inf
        p = min(1.0, float(stats.t.sf(t, max(1, (n - 2) // 2))) * (n - 2 * width + 1))
    after = own[best + width :]
    places: IntArray = np.flatnonzero(both)
    last = min(int((best + width) * len(places) / n), len(places)) - 1
    return Rise(
        int(places[last]),
        float(means[best]),
        float(means[-1]),
        p,
        float((after > means[best]).mean()),
        float((others[best] - others[-1]) / abs(others[best])) if others[best] else 0.0,
    )
