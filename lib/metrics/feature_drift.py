"""Which features moved: between versions, between splits, and over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib.metrics.estimates import FloatArray
from lib.metrics.feature_counts import FeatureCounts
from lib.metrics.feature_moves import Against, Move, What
from lib.metrics.intervals import benjamini_hochberg

MOST_RUNS = 3
"""How many runs of windows one feature may have moved in, in one version."""


@dataclass(frozen=True, eq=False)
class FeatureDrift:
    """How one feature moved.

    Attributes:
        column: the feature.
        is_categorical: whether it is a cohort column.
        n: rows, with a value or without.
        missing: share of rows without one.
        moves: of each comparison the one with the largest distance beyond noise: versions, splits, times.
        causes: what moved beyond chance over everything that was compared, each once: a run of windows first, then a
            split, then a version, every later one without the rows of those before it.
    """

    column: str
    is_categorical: bool
    n: int
    missing: float
    moves: tuple[Move, ...]
    causes: tuple[tuple[What, Move], ...]

    def move(self, against: Against) -> Move | None:
        """The move under one comparison."""
        return next((each for each in self.moves if each.against == against), None)


def measure_drift(counts: FeatureCounts, level: float) -> FeatureDrift:
    """Compare a feature between versions, between splits and over time.

    Args:
        counts: its table.
        level: how often anything may be said to have moved in a feature in which nothing has.
    """
    versions = range(len(counts.versions))
    whole = counts.between_versions()
    splits = [counts.between_splits(version) for version in versions]
    runs = [counts.over_time(version) for version in versions]
    moves = [] if whole is None else [whole]
    among = [move for own in splits for move in own], [move for move in runs if move is not None]
    moves += [max(found, key=lambda each: abs(each.distance) - each.distance_floor) for found in among if found]
    total = counts.n.sum(axis=(0, 1, 2))
    n = float(total.sum())
    whats: tuple[What, ...] = ("distribution", "missing")
    # Three comparisons of each of the two.
    level /= 6
    causes: list[tuple[What, Move]] = []
    for what in whats:
        causes.extend((what, cause) for cause in _find_causes(counts, what, level, whole, splits, runs))
    missing = float(total[-1]) / n if n else float("nan")
    return FeatureDrift(counts.bins.column, counts.bins.is_categorical, int(n), missing, tuple(moves), tuple(causes))


def _find_causes(
    counts: FeatureCounts,
    what: What,
    level: float,
    whole: Move | None,
    splits: Sequence[Sequence[Move]],
    runs: Sequence[Move | None],
) -> list[Move]:
    """What moved, each cause without the rows of those before it; from the comparisons of all rows where none are."""
    if what == "missing" and not counts.n[..., -1].any():
        return []
    left: FloatArray | None = None
    causes: list[Move] = []
    taken: list[tuple[int, int]] = []
    for version in range(len(counts.versions)):
        for _ in range(MOST_RUNS):
            known = left is None and what == "distribution"
            move = runs[version] if known else counts.over_time(version, what, left)
            if move is None or move.window is None or not move.is_moved(what, level):
                break
            causes.append(move)
            first, end = np.searchsorted(counts.windows, move.window)
            left = counts.n.copy() if left is None else left
            left[version, :, first:end] = 0.0
        for move in splits[version] if left is None else counts.between_splits(version, left):
            if move.is_moved(what, level):
                causes.append(move)
                taken.append((version, counts.splits.index(str(move.split))))
    for version, split in taken:
        if {(each, split) for each in range(len(counts.versions))} - set(taken):
            left = counts.n.copy() if left is None else left
            left[version, split] = 0.0
    move = whole if left is None else counts.between_versions(left)
    return [*causes, move] if move is not None and move.is_moved(what, level) else causes


def adjust(drifts: Sequence[FeatureDrift]) -> list[FeatureDrift]:
    """The same with p adjusted over the features, comparison by comparison."""
    adjusted = [list(each.moves) for each in drifts]
    for against in ("baseline", "other splits", "other times"):
        places = [
            (row, column)
            for row, moves in enumerate(adjusted)
            for column, move in enumerate(moves)
            if move.against == against
        ]
        p = benjamini_hochberg(np.array([adjusted[row][column].p for row, column in places]))
        for (row, column), each in zip(places, p.tolist(), strict=True):
            adjusted[row][column] = replace(adjusted[row][column], p_adjusted=each)
    return [replace(each, moves=tuple(moves)) for each, moves in zip(drifts, adjusted, strict=True)]
