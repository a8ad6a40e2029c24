"""In which order versions and splits are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lib.scan.ids import HELD_OUT_SPLITS, TRAIN_SPLITS
from lib.sources.natural import natural

TOGETHER = 0.05
"""Versions whose first rows are less than this share of the time of all rows apart may have begun together."""

SPLIT_ORDER = (*TRAIN_SPLITS, *HELD_OUT_SPLITS, "production")


def order_versions(versions: Iterable[str], starts: dict[str, float], ends: dict[str, float]) -> tuple[str, ...]:
    """Versions of a column by their first time where times tell; those without one after them, in natural order.

    Versions that began together, within `TOGETHER` of all time, and ran side by side are in natural order: which of
    them happened to answer first says nothing.
    """
    within = TOGETHER * (max(ends.values(), default=0.0) - min(starts.values(), default=0.0))
    timed = sorted(starts, key=lambda version: (starts[version], natural(version)))
    began: dict[str, float] = {}
    begin, first_end = -math.inf, -math.inf
    for version in timed:
        if starts[version] > begin + within or starts[version] > first_end:
            begin, first_end = starts[version], ends[version]
        began[version], first_end = begin, min(first_end, ends[version])
    return tuple(sorted(versions, key=lambda version: (began.get(version, math.inf), natural(version))))


def order_splits(splits: Iterable[str]) -> tuple[str, ...]:
    """Splits in the order in which a model meets them, then the others by name."""

    def key(name: str) -> tuple[int, list[tuple[int, int, str]]]:
        known = name.lower() in SPLIT_ORDER
        return SPLIT_ORDER.index(name.lower()) if known else len(SPLIT_ORDER), natural(name)

    return tuple(sorted(splits, key=key))
