"""How wide the windows over time are: chosen from the data, few enough to read and full enough to say something."""

from __future__ import annotations

from dataclasses import dataclass

MINUTE, HOUR, DAY = 60, 3600, 86_400
WEEK = 7 * DAY
FIRST_MONDAY = 4 * DAY
"""1970-01-05, so that weeks begin on Mondays."""

WIDTHS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, WEEK, 4 * WEEK, 52 * WEEK)
MAX_WINDOWS = 200
READABLE_WINDOWS = 31
ROWS_PER_WINDOW = 1_000


@dataclass(frozen=True)
class WindowGrid:
    """Windows of equal width in UTC: each begins at `origin` plus a whole number of widths, in epoch seconds."""

    width: int
    origin: int = 0

    def start(self, second: float) -> int:
        """The epoch second at which the window holding `second` begins."""
        return int((second - self.origin) // self.width) * self.width + self.origin

    @property
    def words(self) -> str:
        """The width as one says it: "6 hours", "day", "week"."""
        for unit, name in ((WEEK, "week"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
            if self.width % unit == 0:
                count = self.width // unit
                return name if count == 1 else f"{count} {name}s"
        return f"{self.width} seconds"


def choose_windows(first: float, last: float, n_rows: int) -> WindowGrid:
    """The finest of `WIDTHS` with at most 200 windows that either average 1,000 rows or are at most 31.

    Args:
        first: epoch second of the earliest row.
        last: epoch second of the latest row.
        n_rows: how many rows have a time.
    """
    for width in WIDTHS:
        grid = WindowGrid(width, FIRST_MONDAY if width >= WEEK else 0)
        count = (grid.start(last) - grid.start(first)) // width + 1
        if count <= READABLE_WINDOWS or (count <= MAX_WINDOWS and n_rows / count >= ROWS_PER_WINDOW):
            return grid
    return WindowGrid(WIDTHS[-1], FIRST_MONDAY)
