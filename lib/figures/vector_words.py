"""How measures of vectors are named, explained and written in tables."""

from __future__ import annotations

from dataclasses import dataclass

from lib.figures.format import UNDEFINED, format_interval, format_value
from lib.metrics.catalogue import Unit
from lib.metrics.estimates import Estimate

Words = tuple[str, str]
"""A number, and what stands beneath it."""


@dataclass(frozen=True)
class Term:
    """A measure: its name on screen and what it means."""

    name: str
    meaning: str


def estimate_words(estimate: Estimate, unit: Unit) -> Words:
    """A number, and its interval or why there is none."""
    if not estimate.is_defined:
        return UNDEFINED, estimate.reason
    return format_value(estimate.value, unit), format_interval(estimate.lower, estimate.upper, unit)
