"""A rate of one part in windows, and how wide these are: as a person says, or as many rows as there are allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.cells import COUNTS, Timeline
from lib.metrics.burn_rate import RateName
from lib.metrics.estimates import Estimates, FloatArray, IntArray, add_up, divide, estimates
from lib.metrics.expected import EXPECTED, can_expect, expected_course
from lib.metrics.incidents import SLIS, Part
from lib.metrics.intervals import wilson
from lib.metrics.onset import NO_ROWS
from lib.monitoring import ALL, Monitoring
from lib.scan.windows import DAY, HOUR, MINUTE, WEEK, WindowGrid

WIDTHS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, WEEK)
MOST_WINDOWS = 200
ROWS_PER_WINDOW, ROWS_OF_PART = 200, 30
"""Labelled rows that a typical window has to hold of all rows, and of the part beside them: of 30 a rate of 25 % is
known to within 15 points, of 200 to within 6."""
MOST_DRAWN = 3_000


@dataclass(frozen=True, eq=False)
class Line:
    """A rate of one part per window.

    Attributes:
        part: whose rows.
        starts: shape (W,), epoch seconds at which its windows with rows begin, ascending.
        rate: of the labelled rows.
        n: shape (W,), scored rows.
        unlabelled: shape (W,), the share of them without a label.
        expected: the rate with what scores expect of unlabelled rows; None where they cannot be asked.
    """

    part: Part
    starts: IntArray
    rate: Estimates
    n: FloatArray
    unlabelled: FloatArray
    expected: Estimates | None

    @property
    def typical_rows(self) -> float:
        """The median of the labelled rows of windows that have any; 0 where none has."""
        held = self.rate.n[self.rate.n > 0]
        return float(np.median(held)) if len(held) else 0.0


def offered_widths(timeline: Timeline) -> tuple[int, ...]:
    """The widths of windows that can be drawn: at least a bucket, at most 3,000 of them."""
    span = timeline.width * timeline.n_buckets
    fitting = [each for each in WIDTHS if each >= timeline.width and span / each <= MOST_DRAWN and each < 2 * span]
    return tuple(fitting) or (timeline.width,)


def usual_width(watched: Monitoring, metric: RateName, part: Part = ALL) -> int:
    """The finest width with at most 200 windows, a typical one of which says something; the widest where none does.

    That is one with 200 labelled rows of all, and with 30 of the part beside them.
    """
    timeline = watched.timeline()
    span, offered = timeline.width * timeline.n_buckets, offered_widths(timeline)
    for width in offered:
        if span / width <= MOST_WINDOWS and all(
            line_of(watched, metric, each, width).typical_rows >= rows_wanted(each) for each in {ALL, part}
        ):
            return width
    return offered[-1]


def rows_wanted(part: Part) -> int:
    """How many labelled rows a typical window has to hold of a part."""
    return ROWS_PER_WINDOW if part == ALL else ROWS_OF_PART


def line_of(watched: Monitoring, metric: RateName, part: Part, width: int) -> Line:
    """A rate of one part in windows of a width, with what its unlabelled rows are expected to add."""
    held, counts = watched.counts_of(part)
    grid = WindowGrid(width, 4 * DAY if width >= WEEK else 0)
    window = ((held.edges[:-1] - grid.origin) // width) * width + grid.origin
    starts, place = np.unique(window, return_inverse=True)
    summed = np.stack([add_up(place, each, len(starts)) for each in counts])
    scored, labelled = (summed[COUNTS.index(name)] for name in ("scored", "labelled"))
    keep = scored > 0
    hits, n = (each[keep] for each in SLIS[metric].counts(summed))
    share = divide(hits, n)
    rate = estimates(share, *wilson(share, n), n, [(n <= 0, NO_ROWS)])
    expected = None
    if can_expect(held, metric):
        names = [COUNTS.index(name) for name in EXPECTED[metric]]
        expected = expected_course(
            hits, labelled[keep], scored[keep], summed[names[0]][keep], summed[names[1]][keep]
        ).estimates
    return Line(part, starts[keep], rate, scored[keep], 1 - divide(labelled, scored)[keep], expected)
