"""What is true of all rows that a filter leaves, and not of all rows: a part, though nothing else is in view."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lib.checks.result import Where
from lib.schema import EVERYTHING

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEFT = " in all rows that the filter leaves"


def is_of_filter_alone(diagnosis: Diagnosis, is_so: Callable[[Diagnosis], bool]) -> bool:
    """Whether something that is so under the filter is not so without it."""
    if diagnosis.settings.where.is_everything:
        return False
    return not is_so(diagnosis.with_settings(where=EVERYTHING))


def filter_as_place(diagnosis: Diagnosis) -> Where:
    """The filter as the part that a finding is about."""
    where = diagnosis.settings.where
    window = None if where.start is None or where.end is None else (where.start, where.end)
    return Where(dict(where.cohorts), window)
