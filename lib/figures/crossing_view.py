"""Two cohort columns crossed: a metric for each pair of their values in the candidate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.diagnose import Diagnosis
from lib.figures.format import format_count, format_estimate
from lib.metrics.catalogue import Metric, metric_named
from lib.metrics.cohorts import SMALL
from lib.metrics.estimates import Estimate
from lib.metrics.summary import Summary, compute_summary
from lib.schema import VERSION, cohort_key

MOST_VALUES = 25
"""The largest values of each column are drawn."""


@dataclass(frozen=True, eq=False)
class CrossingView:
    """A metric by two cohort columns.

    Attributes:
        down, across: the columns.
        version: whose rows.
        metric: what is shown.
        rows, columns: values drawn, those with most labelled rows first.
        n_values: how many values each column has in all.
        places: by (value down, value across), the place in the estimates.
        summary: the numbers of every pair and version.
    """

    down: str
    across: str
    version: str
    metric: Metric
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    n_values: tuple[int, int]
    places: dict[tuple[str, str], int]
    summary: Summary

    @classmethod
    def of(cls, diagnosis: Diagnosis, down: str, across: str, metric: str) -> CrossingView:
        """The view of a diagnosis; one more pass over the rows the first time a pair of columns is asked for."""
        keys = (cohort_key(down), cohort_key(across))
        summary = compute_summary(diagnosis.cells(VERSION, *keys), diagnosis.metric_settings, [metric])
        version = diagnosis.settings.candidate
        own = np.flatnonzero(summary.groups[VERSION] == version)
        first, second = (summary.groups[key] for key in keys)
        rows, columns = (_largest(values[own], summary.n_labelled[own]) for values in (first, second))
        return cls(
            down,
            across,
            version,
            metric_named(metric),
            rows[:MOST_VALUES],
            columns[:MOST_VALUES],
            (len(rows), len(columns)),
            {(str(first[place]), str(second[place])): int(place) for place in own},
            summary,
        )

    def estimate(self, row: str, column: str) -> Estimate:
        """The number of a pair; undefined where it has no rows."""
        place = self.places.get((row, column))
        if place is None:
            return Estimate(math.nan, math.nan, math.nan, 0, "no rows")
        return self.summary[self.metric.name][place]

    def n_labelled(self, row: str, column: str) -> float:
        """Labelled rows of a pair."""
        place = self.places.get((row, column))
        return 0.0 if place is None else float(self.summary.n_labelled[place])

    def is_small(self, row: str, column: str) -> bool:
        """Whether a pair has too few labelled rows to be read."""
        return self.n_labelled(row, column) < SMALL

    @property
    def leader(self) -> tuple[str, str] | None:
        """The pair that is surely worst: by the end of its interval, small pairs apart; None without any."""
        sign = -1.0 if self.metric.direction == "higher" else 1.0
        best: tuple[float, tuple[str, str]] | None = None
        for pair in self.places:
            each = self.estimate(*pair)
            end = -each.upper if sign < 0 else each.lower
            if self.is_small(*pair) or not math.isfinite(end):
                continue
            if best is None or end > best[0]:
                best = (end, pair)
        return None if best is None else best[1]

    def sentence(self, call: Callable[[str], str]) -> str:
        """What the view says, without a full stop; `call` writes a name from data."""
        if self.leader is None:
            return f"No pair of {call(self.down)} and {call(self.across)} has {SMALL} labelled rows"
        row, column = self.leader
        each = format_estimate(self.estimate(row, column), self.metric.unit)
        side = "lowest" if self.metric.direction == "higher" else "highest"
        pair = f"{call(self.down)} {call(row)} with {call(self.across)} {call(column)}"
        n = format_count(self.n_labelled(row, column))
        return f"{self.metric.label} of {call(self.version)} is {side} for {pair}: {each}, n = {n}"

    @property
    def by_words(self) -> str:
        """By what the pair of the sentence was chosen."""
        side, end = ("Lowest", "upper") if self.metric.direction == "higher" else ("Highest", "lower")
        return f"{side} by the {end} end of the 95 % interval."

    def frame(self) -> pd.DataFrame:
        """One row per version and pair."""
        return self.summary.frame()


def _largest(values: NDArray[np.generic], n: NDArray[np.float64]) -> tuple[str, ...]:
    names, place = np.unique(values, return_inverse=True)
    return tuple(str(names[each]) for each in np.argsort(-np.bincount(place, weights=n), kind="stable"))
