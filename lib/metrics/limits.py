"""Whether a number keeps a limit: yes, no, or its interval reaches over it, and how many more rows would tell.

Decided is on the ends of the interval, widened by what binning may have moved. Of several numbers that are judged at
once intervals are at the level 1 − α/m each (Bonferroni), so that all of them hold together at 1 − α.

An interval at another level follows from the one at 95 %. Wilson's is symmetric on the scale of log odds, with the
half width 2·asinh(z/(2·√(n·p·(1 − p)))) (Newcombe 2001), and for p = 0 its end has odds z²/n. Those of other numbers
between 0 and 1 are widened on the same scale in proportion to z, the rest plainly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from scipy import special

from lib.metrics.catalogue import Unit
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import LEVEL, normal_quantile

Outcome = Literal["pass", "fail", "cannot tell"]
Shape = Literal["wilson", "log odds", "plain"]
"""How an interval follows from the number of rows."""

MOST_TIMES = 100
"""With more than so many times the rows there are, what is asked cannot be told with data of this kind."""
ROUNDING = 1e-12
"""An end that lies on the limit but for rounding lies on it."""
NO_SIDE = "so few rows do not bound it"


@dataclass(frozen=True)
class Held:
    """A number held against a limit.

    Attributes:
        outcome: whether it keeps it.
        estimate: the number with the interval that decided.
        more_rows: where it cannot be told, how many more rows like these would tell, if the number is what it seems;
            NaN where it is undefined or no number of rows tells (`rows_to_tell`); 0 where it can be told.
        reason: why nothing can be told of it at all; "" otherwise.
    """

    outcome: Outcome
    estimate: Estimate
    more_rows: float = 0.0
    reason: str = ""


def rows_to_tell(n: float, times: float) -> float:
    """How many more rows would tell what an interval does not, which narrows with the root of the rows.

    Args:
        n: rows there are, at least 0.
        times: how many times as wide the interval is as it may be, above 1; infinite where no width would do.

    Returns:
        At least 1; NaN where it is more than a hundred times the rows there are.
    """
    more = n * (times**2 - 1)
    return float(max(math.ceil(more), 1)) if more <= MOST_TIMES * n else math.nan


def shape_of(unit: Unit) -> Shape:
    """How intervals of metrics of a unit follow from the number of rows."""
    return "wilson" if unit == "share" else "log odds" if unit == "index" else "plain"


def times_for(judged: int, level: float = LEVEL) -> float:
    """How many times as many standard errors an interval takes in where so many are judged at once."""
    return normal_quantile(1 - (1 - level) / max(judged, 1)) / normal_quantile(level)


def stretch(estimate: Estimate, times: float, shape: Shape) -> Estimate:
    """A number with the interval of `times` as many standard errors; a side without an end keeps none."""
    if times == 1 or not estimate.is_defined:
        return estimate
    lower, upper = (_end(estimate.value, end, times, shape) for end in (estimate.lower, estimate.upper))
    return replace(estimate, lower=lower, upper=upper)


def hold(estimate: Estimate, limit: float, *, most: bool, shape: Shape, judged: int = 1) -> Held:
    """Hold a number against a limit.

    Args:
        estimate: the number, its interval at 95 %.
        limit: in its unit.
        most: whether it must not be above the limit; below otherwise. On the limit it keeps it.
        shape: how its interval follows from the number of rows.
        judged: how many numbers are judged at once, this one included.
    """
    if not estimate.is_defined:
        return Held("cannot tell", estimate, math.nan, estimate.reason)
    times = times_for(judged)
    shown = stretch(estimate, times, shape)
    low, high = shown.lower - estimate.bound, shown.upper + estimate.bound
    worse, better = (high, low) if most else (low, high)
    sign = 1.0 if most else -1.0
    slack = ROUNDING * max(1.0, abs(limit))
    if sign * (worse - limit) <= slack:
        return Held("pass", shown)
    if sign * (better - limit) > slack:
        return Held("fail", shown)
    inside = sign * estimate.value <= sign * limit
    facing = worse if inside else better
    if math.isnan(facing):
        return Held("cannot tell", shown, math.nan, NO_SIDE)
    # On the side of the limit the interval has to end before it.
    end = estimate.upper if limit > estimate.value else estimate.lower
    toward = estimate.bound if limit > estimate.value else -estimate.bound
    room = limit - toward
    if (room - estimate.value) * (limit - estimate.value) <= 0:
        return Held("cannot tell", shown, math.nan)
    away = _errors(estimate.value, end, room, shape)
    return Held("cannot tell", shown, rows_to_tell(estimate.n, times / away if away > 0 else math.inf))


def _end(value: float, end: float, times: float, shape: Shape) -> float:
    """The end of the interval of `times` as many standard errors."""
    if math.isnan(end) or end == value:
        return end
    if shape == "plain" or not 0 <= value <= 1:
        return value + times * (end - value)
    if value in (0.0, 1.0):
        return float(special.expit(special.logit(end) + (1 - 2 * value) * 2 * math.log(times)))
    half = float(special.logit(end) - special.logit(value))
    if not math.isfinite(half):
        return end
    longer = times * half if shape == "log odds" else 2 * math.asinh(times * math.sinh(half / 2))
    return float(special.expit(special.logit(value) + longer))


def _errors(value: float, end: float, limit: float, shape: Shape) -> float:
    """How many times as many standard errors as `end` a limit on the same side lies from the number."""
    if shape == "plain" or not 0 <= value <= 1:
        return (limit - value) / (end - value) if end != value else math.inf
    if value in (0.0, 1.0):
        return math.exp(float(special.logit(limit) - special.logit(end)) * (0.5 - value))
    half, room = (float(special.logit(each) - special.logit(value)) for each in (end, limit))
    if not math.isfinite(half) or half == 0:
        return math.inf
    return room / half if shape == "log odds" else math.sinh(room / 2) / math.sinh(half / 2)
