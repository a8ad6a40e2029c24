"""What the Features page shows: the ranking of all features, and one of them in full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.cells import ValueCells
from lib.diagnose import Diagnosis
from lib.figures.format import (
    format_change,
    format_plural,
    format_score,
    format_share,
    format_span,
    format_time,
)
from lib.figures.text import MISSING
from lib.metrics.estimates import Estimates
from lib.metrics.explained import Explained
from lib.metrics.feature_drift import FeatureDrift
from lib.metrics.feature_moves import Move
from lib.metrics.values import (
    AlongValue,
    ValueHistogram,
    missing_share,
    value_histogram,
    value_quantile,
    violation_rate_along,
)
from lib.schema import NO_WINDOW, SPLIT, VERSION, WINDOW

By = Literal["version", "split"]
MOVED, EXPLAINS = "moved", "explains"
MOST_ROWS = 15
LEVEL = 0.01


@dataclass(frozen=True, eq=False)
class FeatureRow:
    """One feature of the ranking."""

    drift: FeatureDrift
    explained: Explained

    @property
    def column(self) -> str:
        """Its name."""
        return self.drift.column

    @property
    def has_moved(self) -> bool:
        """Whether it moved beyond chance, and far enough to matter, in anything that was compared."""
        return bool(self.drift.causes)

    @property
    def does_explain(self) -> bool:
        """Whether it explains something of the violations beyond chance."""
        return self.explained.share.is_defined and self.explained.share.lower > 0 and self.explained.p_adjusted < LEVEL

    @property
    def farthest(self) -> float:
        """How far it moved beyond noise at most, of all comparisons."""
        return max((abs(move.distance) - move.distance_floor for move in self.drift.moves), default=-np.inf)


@dataclass(frozen=True, eq=False)
class RankingView:
    """All features, ranked.

    Attributes:
        rows: in order.
        candidate: whose violations are explained.
        one_in: one row in so many was read.
        n: rows that were read.
    """

    rows: tuple[FeatureRow, ...]
    candidate: str
    one_in: int
    n: int

    @classmethod
    def of(cls, diagnosis: Diagnosis, rank: str = MOVED) -> RankingView:
        """The view of a diagnosis whose features are read, by how far they moved or by what they explain."""
        features = diagnosis.features
        assert features is not None
        rows = [FeatureRow(*each) for each in zip(features.drifts, diagnosis.explained(), strict=True)]

        def order(row: FeatureRow) -> tuple[float, ...]:
            share = row.explained.share.value if row.explained.share.is_defined else -np.inf
            # How far something moved that did not move beyond chance says nothing.
            return (-float(row.has_moved and rank == MOVED), -row.farthest * (row.has_moved and rank == MOVED), -share)

        n = max((row.drift.n for row in rows), default=0)
        return cls(tuple(sorted(rows, key=order)), diagnosis.settings.candidate, features.one_in, n)

    def answer(self) -> str:
        """What the ranking says, in one sentence (plain text)."""
        moved = [row.column for row in self.rows if row.has_moved]
        explaining = sorted((row for row in self.rows if row.does_explain), key=lambda row: -row.explained.share.value)
        first = (
            f"{len(moved)} of {format_plural(len(self.rows), 'feature')} moved: {_listed(moved)}"
            if moved
            else f"None of {format_plural(len(self.rows), 'feature')} moved"
        )
        if not any(row.explained.share.is_defined for row in self.rows):
            return f"{first}; too few rows to tell what explains violations of {self.candidate}."
        if not explaining:
            return f"{first}; none explains violations of {self.candidate} beyond chance."
        best = explaining[0]
        share = format_share(best.explained.share.value)
        return f"{first}; {best.column} explains {share} of being a violation in {self.candidate}, the most of all."

    def frame(self) -> pd.DataFrame:
        """One row per feature and comparison."""
        return pd.DataFrame(
            [
                {
                    "feature": row.column,
                    "missing": row.drift.missing,
                    "explained": row.explained.share.value,
                    "explained_lower": row.explained.share.lower,
                    "explained_upper": row.explained.share.upper,
                    "explained_p_adjusted": row.explained.p_adjusted,
                    "against": move.against,
                    "version": move.version,
                    "split": move.split or "",
                    "from": "" if move.window is None else format_time(move.window[0]),
                    "to": "" if move.window is None else format_time(move.window[1]),
                    "distance": move.distance,
                    "distance_bound": move.distance_bound,
                    "distance_floor": move.distance_floor,
                    "p_adjusted": move.p_adjusted,
                    "stability_index": move.stability_index,
                    "wasserstein": move.wasserstein,
                    "n": move.n,
                    "n_reference": move.n_reference,
                }
                for row in self.rows
                for move in row.drift.moves
            ]
        )


def _listed(names: list[str]) -> str:
    shown = names[:3]
    return ", ".join(shown) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def distance_words(move: Move) -> str:
    """How far a feature moved: "0.21", or "+4.2 points of new" for a category."""
    if not move.category:
        return format_score(move.distance)
    return f"{format_change(move.distance, 'share')} of {move.category}"


def floor_words(move: Move) -> str:
    """How far chance would have moved it: "0.03", "1.9 points"."""
    if not move.category:
        return format_score(move.distance_floor)
    return format_change(move.distance_floor, "share").removeprefix("+")


def place_words(move: Move, width: int) -> str:
    """Where a feature moved: a version, a split of it, or a time."""
    if move.window is not None:
        return format_span(*move.window, width)
    return move.split or move.version


@dataclass(frozen=True, eq=False)
class ValuesOverTime:
    """One version's values over time: windows, and quartiles of numbers; the missing share."""

    version: str
    starts: NDArray[np.int64]
    quartiles: tuple[Estimates, Estimates, Estimates]
    missing: Estimates


@dataclass(frozen=True, eq=False)
class FeatureView:
    """One feature in full.

    Attributes:
        column: its name.
        is_categorical: whether it is a cohort column.
        baseline: the baseline's name.
        versions: those that have rows, baseline first.
        groups: names of the groups of the histogram, versions or splits.
        by: what the groups are.
        histogram: how its values are distributed.
        missing: share of rows without a value, by group.
        along: the violation rate along it, version by version.
        over_time: per version; empty without times, and for categories.
        width: of a window in seconds, 0 without times.
        width_words: that as one says it.
        margin_target: γ.
    """

    column: str
    is_categorical: bool
    baseline: str
    versions: tuple[str, ...]
    groups: tuple[str, ...]
    by: By
    histogram: ValueHistogram
    missing: Estimates
    along: AlongValue
    over_time: tuple[ValuesOverTime, ...]
    width: int
    width_words: str
    margin_target: float

    @classmethod
    def of(cls, diagnosis: Diagnosis, column: str, by: By = "version") -> FeatureView:
        """The view of a diagnosis."""
        settings, grid = diagnosis.settings, diagnosis.facts.windows
        cells = diagnosis.value_cells(column, VERSION, SPLIT, margins=True)
        by_version = cells.rollup([VERSION])
        present = by_version.groups[VERSION].tolist()
        versions = tuple(str(each) for each in diagnosis.shown_versions if each in present)
        order = [present.index(each) for each in versions]
        shown = by_version
        names = [str(each) for each in present]
        wanted = list(versions)
        if by == "split":
            shown = cells.where(cells.groups[VERSION] == settings.candidate).rollup([SPLIT])
            names = [str(each) for each in shown.groups[SPLIT]]
            wanted = [each for each in (*diagnosis.facts.splits, "") if each in names]
        places = [names.index(each) for each in wanted]
        histogram, missing = value_histogram(shown), missing_share(shown)
        along = violation_rate_along(by_version, settings.margin_target)
        pieces = len(along.lower)
        rate = along.rate.take(np.array([place * pieces + each for place in order for each in range(pieces)], np.int64))
        return cls(
            column=column,
            is_categorical=cells.bins.is_categorical,
            baseline=settings.baseline,
            versions=versions,
            groups=tuple(each or MISSING for each in wanted),
            by=by,
            histogram=ValueHistogram(
                histogram.names,
                histogram.edges,
                histogram.is_log,
                histogram.share[places],
                histogram.n[places],
                histogram.outside,
            ),
            missing=missing.take(np.array(places, np.int64)),
            along=AlongValue(along.names, along.lower, along.upper, along.is_missing, along.n[order], rate),
            over_time=() if grid is None else _over_time(diagnosis.value_cells(column, VERSION, WINDOW), versions),
            width=0 if grid is None else grid.width,
            width_words="" if grid is None else grid.words,
            margin_target=settings.margin_target,
        )

    @property
    def has_course(self) -> bool:
        """Whether there is something to show over time: of categories only where values are missing."""
        is_missing = any((each.missing.value > 0).any() for each in self.over_time)
        return len(self.over_time) > 0 and (is_missing or not self.is_categorical)

    def piece_name(self, place: int) -> str:
        """What a piece of the violation rate stands for."""
        along = self.along
        if along.is_missing[place]:
            return "missing"
        if self.is_categorical:
            return along.names[place]
        low, high = format_score(along.lower[place]), format_score(along.upper[place])
        return low if low == high else f"{low} to {high}"

    def peak(self) -> int | None:
        """The piece in which the candidate's violation rate is surely highest; None where it is nowhere defined."""
        pieces = len(self.along.lower)
        rates = [self.along.rate[(len(self.versions) - 1) * pieces + place] for place in range(pieces)]
        told = [(each.lower, place) for place, each in enumerate(rates) if each.is_defined]
        return max(told)[1] if told else None

    def missing_words(self) -> str:
        """Who lacks how much, in a sentence."""
        if not (self.missing.value > 0).any():
            return "No value is missing."
        parts = [f"{format_share(each.value)} of {name}" for name, each in zip(self.groups, self.missing, strict=True)]
        return f"Missing: {', '.join(parts)}."

    def distribution_frame(self) -> pd.DataFrame:
        """One row per group and bar."""
        held = self.histogram
        bars = held.share.shape[1]
        ranges: dict[str, object] = (
            {"value": [name for _ in self.groups for name in held.names]}
            if not len(held.edges)
            else {
                "from": np.tile(held.edges[:-1], len(self.groups)),
                "to": np.tile(held.edges[1:], len(self.groups)),
            }
        )
        return pd.DataFrame(
            {
                "feature": self.column,
                self.by: np.repeat(np.array(self.groups, dtype=object), bars),
                **ranges,
                "share": held.share.ravel(),
                "n": np.repeat(held.n, bars),
            }
        )

    def along_frame(self) -> pd.DataFrame:
        """One row per version and piece."""
        pieces = len(self.along.lower)
        return pd.DataFrame(
            {
                "feature": self.column,
                "version": np.repeat(np.array(self.versions, dtype=object), pieces),
                "values": [self.piece_name(place) for _ in self.versions for place in range(pieces)],
                "n": self.along.n.ravel(),
                "violation_rate": self.along.rate.value,
                "lower": self.along.rate.lower,
                "upper": self.along.rate.upper,
                "n_labelled": self.along.rate.n,
                "reason": list(self.along.rate.reason),
            }
        )

    def time_frame(self) -> pd.DataFrame:
        """One row per version and window."""
        return pd.concat(
            [
                pd.DataFrame(
                    {
                        "feature": self.column,
                        "version": each.version,
                        "window": [format_time(int(start)) for start in each.starts],
                        "lower_quartile": each.quartiles[0].value,
                        "median": each.quartiles[1].value,
                        "upper_quartile": each.quartiles[2].value,
                        "missing": each.missing.value,
                        "n": each.missing.n,
                    }
                )
                for each in self.over_time
            ],
            ignore_index=True,
        )


def _over_time(cells: ValueCells, versions: tuple[str, ...]) -> tuple[ValuesOverTime, ...]:
    quartiles = [value_quantile(cells, q) for q in (0.25, 0.5, 0.75)]
    missing = missing_share(cells)
    result: list[ValuesOverTime] = []
    for version in versions:
        here = np.flatnonzero((cells.groups[VERSION] == version) & (cells.groups[WINDOW] != NO_WINDOW))
        if len(here):
            low, middle, high = (each.take(here) for each in quartiles)
            starts = cells.groups[WINDOW][here].astype(np.int64)
            result.append(ValuesOverTime(version, starts, (low, middle, high), missing.take(here)))
    return tuple(result)
