"""The numbers of each window, as a report holds them."""

from __future__ import annotations

from dataclasses import dataclass

from lib.diagnose import Diagnosis
from lib.reports.numbers import Numbers, numbers_of
from lib.schema import NO_WINDOW, VERSION, WINDOW


@dataclass(frozen=True)
class WindowNumbers:
    """One window of one version, from `start` to `end` (not included) in epoch seconds; None without a time."""

    version: str
    start: int | None
    end: int | None
    numbers: Numbers


def windows_of(diagnosis: Diagnosis) -> tuple[WindowNumbers, ...]:
    """Each window, by version and time, rows without a time first; none where there is no time column."""
    grid = diagnosis.facts.windows
    if grid is None:
        return ()
    places = {version: place for place, version in enumerate(diagnosis.facts.versions)}
    found: list[WindowNumbers] = []
    for (version, text), numbers in numbers_of(diagnosis, VERSION, WINDOW):
        start = None if int(text) == NO_WINDOW else int(text)
        found.append(WindowNumbers(version, start, None if start is None else start + grid.width, numbers))
    return tuple(sorted(found, key=lambda row: (places[row.version], row.start is not None, row.start or 0)))
