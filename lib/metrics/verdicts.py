"""Whether a change is for the better: better, worse, or cannot be told yet, and against what is still tolerable.

A change is better or worse where its interval lies on one side of 0. It is tolerable where the whole interval is no
worse than a non-inferiority margin δ, whatever else it is. Where neither can be told, how many more labelled rows would
tell follows from the interval, which narrows with the root of the rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from lib.metrics.catalogue import Direction, Unit
from lib.metrics.estimates import Estimate

Word = Literal["better", "worse", "cannot tell yet"]
POINTS, PER_CENT = 1.0, 2.0
"""The margin unless another is chosen: so many points of a share or an index, so many per cent of a loss or a score."""
MOST_ROWS = 1e9


@dataclass(frozen=True)
class Judgement:
    """What a change is.

    Attributes:
        word: the verdict.
        tolerance: δ, at least 0, in the unit of the metric.
        is_tolerable: whether the candidate is surely no worse than by δ.
        more_rows: how many more labelled rows like these would tell better from worse, or that it is tolerable,
            if the change is what it seems; 0 where it can be told, NaN where no number of rows below a milliard would.
    """

    word: Word
    tolerance: float
    is_tolerable: bool
    more_rows: float


def tolerance_of(unit: Unit, baseline: float, points: float = POINTS, per_cent: float = PER_CENT) -> float:
    """δ of a metric: so many points of a share or an index, so many per cent of the baseline of a loss or a score."""
    return points / 100 if unit in ("share", "index") else per_cent / 100 * abs(baseline)


def judge(change: Estimate, direction: Direction, tolerance: float) -> Judgement | None:
    """The verdict on a change; None where it is undefined, or neither way is better."""
    if direction == "neutral" or not change.is_defined or math.isnan(change.lower + change.upper):
        return None
    sign = 1.0 if direction == "higher" else -1.0
    gain = sign * change.value
    low, high = sorted((sign * change.lower, sign * change.upper))
    word: Word = "better" if low > 0 else "worse" if high < 0 else "cannot tell yet"
    is_tolerable = low >= -tolerance
    if word != "cannot tell yet" or is_tolerable:
        return Judgement(word, tolerance, is_tolerable, 0.0)
    # The side of the interval that has to shrink, and to what.
    needed = [
        (gain - low, gain + tolerance if gain > -tolerance else math.nan),
        (gain - low, gain) if gain > 0 else (high - gain, -gain),
    ]
    times = [(half / room) ** 2 for half, room in needed if room > 0]
    more = math.ceil(change.n * (min(times) - 1)) if times else math.inf
    return Judgement(word, tolerance, is_tolerable, float(more) if more < MOST_ROWS else math.nan)
