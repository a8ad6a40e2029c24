"""Whether a change is for the better: better, worse, or cannot be told yet, and against what is still tolerable.

A change is better or worse where its interval lies on one side of 0, and unchanged where it is 0 without any doubt. It
is tolerable where the whole interval is no worse than a non-inferiority margin δ, whatever else it is. Where neither
can be told, how many more labelled rows would tell follows from the interval, which narrows with the root of the rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy import special

from lib.metrics.catalogue import Direction, Unit
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import LEVEL, normal_quantile
from lib.metrics.limits import rows_to_tell

Word = Literal["better", "worse", "unchanged", "cannot tell yet"]
POINTS, PER_CENT = 1.0, 2.0
"""The margin unless another is chosen: so many points of a share or an index, so many per cent of a loss or a score."""


@dataclass(frozen=True)
class Judgement:
    """What a change is.

    Attributes:
        word: the verdict.
        tolerance: δ, at least 0, in the unit of the metric.
        is_tolerable: whether the candidate is surely no worse than by δ.
        more_rows: how many more labelled rows like these would tell better from worse, or that it is tolerable,
            if the change is what it seems; 0 where it can be told, NaN where no number of rows tells (`rows_to_tell`).
    """

    word: Word
    tolerance: float
    is_tolerable: bool
    more_rows: float


def tolerance_of(unit: Unit, baseline: float, points: float = POINTS, per_cent: float = PER_CENT) -> float:
    """δ of a metric: so many points of a share or an index, so many per cent of the baseline of a loss or a score."""
    return points / 100 if unit in ("share", "index") else per_cent / 100 * abs(baseline)


def stretch_of(p: float, p_adjusted: float) -> float:
    """How many times as wide an interval has to be so that it excludes 0 where the adjusted p is below 1 − level.

    1 where p is not adjusted, or so small that the ratio of the two is not known.
    """
    share = (1 - LEVEL) * p / p_adjusted if p_adjusted > 0 and p > 0 else 1 - LEVEL
    return float(-special.ndtri(min(share, 1 - LEVEL) / 2)) / normal_quantile()


def judge(change: Estimate, direction: Direction, tolerance: float, stretch: float = 1.0) -> Judgement | None:
    """The verdict on a change; None where it is undefined, or neither way is better.

    Args:
        change: candidate − baseline, with its interval.
        direction: which way is better.
        tolerance: δ, at least 0.
        stretch: how many times as wide the interval has to be to tell better from worse, for one of several numbers.
    """
    if direction == "neutral" or not change.is_defined or math.isnan(change.lower + change.upper):
        return None
    if change.lower == change.value == change.upper == 0:
        return Judgement("unchanged", tolerance, True, 0.0)
    sign = 1.0 if direction == "higher" else -1.0
    gain = sign * change.value
    low, high = sorted((sign * change.lower, sign * change.upper))
    below, above = gain - low, high - gain
    word: Word = "better" if gain > stretch * below else "worse" if -gain > stretch * above else "cannot tell yet"
    is_tolerable = low >= -tolerance
    if word != "cannot tell yet" or is_tolerable:
        return Judgement(word, tolerance, is_tolerable, 0.0)
    # The sides of the interval that have to shrink, and to what: that it is tolerable, or that the sign is sure.
    needed = [(below, gain + tolerance), (stretch * below, gain), (stretch * above, -gain)]
    times = min((half / room for half, room in needed if room > 0), default=math.inf)
    return Judgement(word, tolerance, is_tolerable, rows_to_tell(change.n, times))
