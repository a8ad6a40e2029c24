"""When a rate changed: change points of counts along time, each with an interval for its time.

A segment of buckets with H hits of N rows, of which E are expected from the hour of day and the day of the week, gains
D = H·log(H/E) + (N − H)·log((N − H)/(N − E)) over what is expected: without seasonality the binomial log-likelihood.
The best division into segments is found exactly over blocks of equal numbers of rows (optimal partitioning; Jackson et
al. 2005), each change costing a penalty under which a course without changes is left whole, and then placed at the
bucket.

The interval of a time holds all places whose likelihood ratio is below Hansen's quantile (2000, Econometrica 68:575),
of the distribution (1 − e^(−x/2))²; it is somewhat wide for large changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import special

from lib.metrics.estimates import Estimate, FloatArray, IntArray, add_up, divide, estimates
from lib.metrics.intervals import LEVEL, wilson

ALARM_RATE = 0.01
"""How often some change is found among all parts of a course that has none."""
MOST_BLOCKS = 400
LEAST_RELATIVE, LEAST_ABSOLUTE = 0.15, 0.01
"""How much a rate has to change, of the lower one and in all, to be told."""
HOURS, DAYS = 24, 7
HOUR, DAY = 3600, 86_400
FIRST_MONDAY = 4 * DAY
"""1970-01-05."""
LEAST_PAIRS = 40
"""Of fewer blocks one cannot tell how much more they scatter than rows do."""
MEDIAN_OF_SQUARE = 0.4549
"""The median of the square of a standard normal number."""
NO_ROWS = "no labelled rows in that time"


@dataclass(frozen=True)
class Change:
    """A time at which a rate changed.

    Attributes:
        at: epoch second from which on the new rate holds, the edge of a bucket.
        lower, upper: epoch seconds, the 95 % interval of that time.
        before, after: the rate from the change before it on, and up to the next one.
        gain: of log-likelihood, by which changes are ranked.
    """

    at: int
    lower: int
    upper: int
    before: Estimate
    after: Estimate
    gain: float

    @property
    def is_rise(self) -> bool:
        """Whether the rate is higher afterwards."""
        return self.after.value > self.before.value


def rate_between(hits: FloatArray, n: FloatArray, edges: IntArray, start: float, end: float) -> Estimate:
    """The rate of the buckets that begin from `start` on and before `end`, both in epoch seconds."""
    inside = (edges[:-1] >= start) & (edges[:-1] < end)
    return rate_of(float(hits[inside].sum()), float(n[inside].sum()))


def rate_of(hits: float, n: float) -> Estimate:
    """A rate with Wilson's interval; undefined without rows."""
    share = divide([hits], [n])
    return estimates(share, *wilson(share, [n]), [n], [(np.array([n <= 0]), NO_ROWS)])[0]


def expected_rate(hits: FloatArray, n: FloatArray, edges: IntArray, until: float = math.inf) -> FloatArray:
    """The rate to expect in each bucket by its hour of day and day of the week (UTC), shape (B,), within (0, 1).

    What hours and days differ by is learnt from buckets before `until`, and shrunk by how much of it chance explains
    (James and Stein): without a pattern the rate is the same everywhere. An hour needs three days of rows, a day of the
    week two weeks. The level is that of all buckets.

    Args:
        hits: shape (B,), rows that count.
        n: shape (B,), rows.
        edges: shape (B + 1,), epoch seconds.
        until: epoch second at which the part to learn from ends.
    """
    starts = edges[:-1]
    level = float(hits.sum() / n.sum()) if n.sum() else 0.5
    factor = np.ones(len(starts))
    known = (starts < until) & (n > 0)
    if known.any() and edges[1] - edges[0] < DAY:
        span = starts[known][-1] - starts[known][0]
        hour = (starts % DAY) // HOUR
        day = ((starts - FIRST_MONDAY) // DAY) % DAYS
        for place, size, least in ((hour, HOURS, 3 * DAY), (day, DAYS, 14 * DAY)):
            if span >= least:
                factor = factor * _shrunk(hits[known], n[known], place[known], size)[place]
    expected = level * factor
    # The level of all rows, whatever the pattern does to their sum.
    expected *= float(divide(hits.sum(), (n * expected).sum())) if (n * expected).sum() else 1.0
    return np.clip(expected, 1e-9, 1 - 1e-9)


def _shrunk(hits: FloatArray, n: FloatArray, place: IntArray, size: int) -> FloatArray:
    """Shape (size,): by how much the rate of each place is above that of all, chance taken off."""
    h, rows = add_up(place, hits, size), add_up(place, n, size)
    rate = hits.sum() / n.sum()
    seen = rows > 0
    if seen.sum() < 2 or not 0 < rate < 1:
        return np.ones(size)
    chi = float(((h[seen] - rows[seen] * rate) ** 2 / (rows[seen] * rate * (1 - rate))).sum())
    keep = max(0.0, 1 - (seen.sum() - 1) / chi) if chi > 0 else 0.0
    ratio = np.where(seen, divide(h, rows) / rate, 1.0)
    return 1 + keep * (ratio - 1)


class _Course:
    """Cumulative sums, so that the gain of any segments costs a few operations."""

    def __init__(self, hits: FloatArray, n: FloatArray, expected: FloatArray) -> None:
        self.hits, self.n, self.expected = (
            np.concatenate([[0.0], np.cumsum(each)]) for each in (hits, n, n * expected)
        )
        self.scatter = 1.0

    def gain(self, start: IntArray | int, end: IntArray | int) -> FloatArray:
        """D of the segments from one bucket up to another, not included."""
        h, n, e = (np.maximum(each[end] - each[start], 0.0) for each in (self.hits, self.n, self.expected))
        miss, unexpected = np.maximum(n - h, 0.0), np.maximum(n - e, 1e-300)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = special.xlogy(h, h / np.maximum(e, 1e-300)) + special.xlogy(miss, miss / unexpected)
        return np.nan_to_num(value) / self.scatter


def find_changes(
    hits: FloatArray, n: FloatArray, edges: IntArray, expected: FloatArray, n_parts: int = 1
) -> tuple[Change, ...]:
    """The changes of a rate, in the order of time; none where there is no clear one.

    Args:
        hits: shape (B,), rows that count.
        n: shape (B,), rows.
        edges: shape (B + 1,), epoch seconds.
        expected: shape (B,), the rate to expect where nothing has changed.
        n_parts: how many courses are looked at together, so that among all of them a change is rarely found by chance.
    """
    total = float(n.sum())
    if total < 2 or not 0 < hits.sum() < total:
        return ()
    course = _Course(hits, n, expected)
    # Blocks of equal numbers of rows: a bound between two of them is one between buckets.
    levels = np.arange(1, MOST_BLOCKS) * total / MOST_BLOCKS
    inner = np.searchsorted(course.n, levels)
    bounds = np.unique(np.concatenate([[0], inner[(inner > 0) & (inner < len(n))], [len(n)]]))
    course.scatter = _scatter(course, bounds)
    penalty = math.log(max(len(bounds) - 1, 2) * n_parts / ALARM_RATE)
    cuts = _refined(course, [int(bounds[each]) for each in _partition(course, bounds, penalty)])
    while cuts:
        ends = [0, *cuts, len(n)]
        rates = [float(divide(*(each[b] - each[a] for each in (course.hits, course.n)))) for a, b in pairwise(ends)]
        effects = [_effect(first, second) for first, second in pairwise(rates)]
        least = int(np.argmin(effects))
        if effects[least] >= 1:
            break
        cuts = _refined(course, [cut for place, cut in enumerate(cuts) if place != least])
    return tuple(_change(course, edges, a, cut, b) for a, cut, b in _triples([0, *cuts, len(n)]))


def _effect(before: float, after: float) -> float:
    """How large a change is, 1 being the least that is told."""
    size = abs(after - before)
    return min(size / LEAST_ABSOLUTE, size / max(LEAST_RELATIVE * min(before, after), 1e-12))


def _triples(values: list[int]) -> list[tuple[int, int, int]]:
    return list(zip(values[:-2], values[1:-1], values[2:], strict=True))


def _scatter(course: _Course, bounds: IntArray) -> float:
    """How much more neighbouring blocks differ than rows do by chance; at least 1. Changes hardly count, being few."""
    held = bounds[np.concatenate([[True], np.diff(course.n[bounds]) > 0])]
    n, hits, expected = (np.diff(each[held]) for each in (course.n, course.hits, course.expected))
    if len(n) <= LEAST_PAIRS:
        return 1.0
    surplus = (hits - expected) / n
    share = np.clip((hits[1:] + hits[:-1] + 0.5) / (n[1:] + n[:-1] + 1.0), 1e-9, 1 - 1e-9)
    variance = share * (1 - share) * (1 / n[1:] + 1 / n[:-1])
    return max(1.0, float(np.median(np.diff(surplus) ** 2 / variance)) / MEDIAN_OF_SQUARE)


def _partition(course: _Course, bounds: IntArray, penalty: float) -> list[int]:
    """The places among `bounds` of the changes of the best division."""
    size = len(bounds)
    best, last = np.full(size, -np.inf), np.zeros(size, np.int64)
    best[0] = 0.0
    gain = course.gain(bounds[:, None], bounds[None, :]) - penalty
    for end in range(1, size):
        value = best[:end] + gain[:end, end]
        last[end] = int(np.argmax(value))
        best[end] = value[last[end]]
    cuts: list[int] = []
    place = int(last[size - 1])
    while place > 0:
        cuts.append(place)
        place = int(last[place])
    return cuts[::-1]


def _profile(course: _Course, start: int, end: int) -> tuple[IntArray, FloatArray]:
    """All places of one change between two others, and the gain of each."""
    places = np.arange(start + 1, end)
    return places, course.gain(start, places) + course.gain(places, end)


def _refined(course: _Course, cuts: list[int]) -> list[int]:
    """Each change moved to its best bucket between its neighbours, twice over."""
    size = len(course.n) - 1
    for _round in range(2):
        for place in range(len(cuts)):
            start, end = ([0, *cuts][place], [*cuts, size][place + 1])
            places, gain = _profile(course, start, end)
            # Where no row lies between, any place is as good: the middle of them.
            top = places[gain >= gain.max() - 1e-9]
            cuts[place] = int(top[len(top) // 2])
    return cuts


def _change(course: _Course, edges: IntArray, start: int, cut: int, end: int) -> Change:
    places, gain = _profile(course, start, end)
    top = float(gain.max())
    within = places[2 * (top - gain) <= hansen_quantile(LEVEL)]
    rates = [
        rate_of(float(course.hits[b] - course.hits[a]), float(course.n[b] - course.n[a]))
        for a, b in ((start, cut), (cut, end))
    ]
    # The change may lie anywhere within the bucket on either side.
    lower, upper = int(edges[max(within[0] - 1, start)]), int(edges[min(within[-1] + 1, end)])
    return Change(int(edges[cut]), lower, upper, rates[0], rates[1], top - float(course.gain(start, end)))


def hansen_quantile(level: float) -> float:
    """The quantile of the likelihood ratio of the time of a change: −2·log(1 − √level), 7.35 at 95 %."""
    return -2 * math.log(1 - math.sqrt(level))
