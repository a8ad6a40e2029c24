"""What the Cohorts page shows: rows per cohort and version, ranked, those that are small apart, and its sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.diagnose import Diagnosis
from lib.figures.format import (
    format_change,
    format_value,
)
from lib.figures.nothing import nothing_words
from lib.figures.text import MISSING
from lib.metrics.catalogue import Unit
from lib.metrics.cohorts import CohortContrast
from lib.metrics.estimates import Estimate, Estimates
from lib.metrics.margins import violation_rate, violation_rate_by_class
from lib.schema import VERSION, cohort_key

MOST_ROWS = 30
LEVEL = 0.01
"""A cohort is marked where its adjusted p is below this."""

AXES: dict[Unit, str] = {
    "share": "per cent",
    "index": "from 0 to 1",
    "loss": "loss per row",
    "score": "units of the score",
}


@dataclass(frozen=True, eq=False)
class CohortRow:
    """One cohort of one version, against the rest of that version; `violation` is its rate, then that of each class."""

    version: str
    value: str
    n_labelled: float
    estimate: Estimate
    rest: Estimate
    excess: Estimate
    p_adjusted: float
    rank: int
    small: bool
    violation: Estimate
    negative: Estimate
    positive: Estimate

    def is_worse(self, direction: str) -> bool:
        """Whether it is worse than the rest beyond chance, among all cohorts of its version."""
        return bool(self.p_adjusted < LEVEL) and self.trails(direction)

    def trails(self, direction: str) -> bool:
        """Whether its value is worse than that of the rest, beyond chance or not; never where one is undefined."""
        return (-self.excess.value if direction == "higher" else self.excess.value) > 0


@dataclass(frozen=True, eq=False)
class CohortsView:
    """A metric by cohort.

    Attributes:
        column: the cohort column.
        baseline, candidate: versions; the same where there is one.
        contrast: the numbers.
        ranked: values in the figure's order, small ones apart.
        small: values with fewer than `SMALL` labelled rows in every version shown.
        rows: by (version, value).
        nothing: why there is nothing to rank, if no row has a margin.
    """

    column: str
    baseline: str
    candidate: str
    contrast: CohortContrast
    ranked: tuple[str, ...]
    small: tuple[str, ...]
    rows: dict[tuple[str, str], CohortRow]
    nothing: str

    @classmethod
    def of(cls, diagnosis: Diagnosis, column: str, metric: str = "violation_rate") -> CohortsView:
        """The view of a diagnosis: order by the candidate's rank, then the baseline's."""
        contrast = diagnosis.cohorts(column, metric)
        gamma = diagnosis.settings.margin_target
        cells = diagnosis.cells(VERSION, cohort_key(column))
        by_class = {0: violation_rate(cells, gamma), **violation_rate_by_class(cells, gamma)}
        rows: dict[tuple[str, str], CohortRow] = {}
        for place, row in enumerate(_rows(contrast, by_class)):
            if str(contrast.groups[VERSION][place]) in diagnosis.shown_versions:
                rows[row.version, row.value] = row
        focus = diagnosis.settings.candidate
        other = diagnosis.settings.baseline

        def order(value: str) -> tuple[int, int]:
            own, first = rows.get((focus, value)), rows.get((other, value))
            return (own.rank if own else 10**6, first.rank if first else 10**6)

        values = sorted(dict.fromkeys(value for _, value in rows), key=order)
        small = {value for value in values if all(row.small for (_, name), row in rows.items() if name == value)}
        return cls(
            column,
            other,
            focus,
            contrast,
            tuple(v for v in values if v not in small),
            tuple(v for v in values if v in small),
            rows,
            nothing_words(diagnosis),
        )

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that have rows, baseline first."""
        present = {version for version, _ in self.rows}
        return tuple(name for name in dict.fromkeys((self.baseline, self.candidate)) if name in present)

    @property
    def values(self) -> tuple[str, ...]:
        """Every value that has rows: the ranked ones, then the small."""
        return self.ranked + self.small

    @property
    def drawn(self) -> tuple[str, ...]:
        """The values in the figure."""
        return self.ranked[:MOST_ROWS]

    @property
    def folded(self) -> tuple[str, ...]:
        """The values that the figure leaves out: small ones, and those ranked beyond its length."""
        return self.ranked[MOST_ROWS:] + self.small

    @property
    def leader(self) -> CohortRow | None:
        """The candidate's cohort that is worse than the rest beyond chance by most; None where none is."""
        found = [row for value in self.ranked if (row := self.rows.get((self.candidate, value))) is not None]
        direction = self.contrast.metric.direction
        return next((row for row in sorted(found, key=lambda each: each.rank) if row.is_worse(direction)), None)

    def answer(self) -> str:
        """What the page says, in one sentence (plain text)."""
        return sentence_of(self, lambda value: value or MISSING) + "."

    def frame(self) -> pd.DataFrame:
        """One row per version and cohort, ranked."""
        return self.contrast.frame()


@dataclass(frozen=True)
class OneCohort:
    """One cohort of one version, whatever its rank or size, against the rest of that version."""

    version: str
    estimate: Estimate
    rest: Estimate
    excess: Estimate


def one_cohort(diagnosis: Diagnosis, column: str, value: str, metric: str = "violation_rate") -> list[OneCohort]:
    """A metric of one cohort in each of the shown versions that have rows of it, baseline first."""
    contrast = diagnosis.cohort(column, value, metric)
    places = {
        str(version): place
        for place, version in enumerate(contrast.groups[VERSION])
        if contrast.groups[contrast.key][place] == value
    }
    return [
        OneCohort(version, contrast.estimate[place], contrast.rest[place], contrast.excess[place])
        for version in diagnosis.shown_versions
        if (place := places.get(version)) is not None
    ]


def _rows(contrast: CohortContrast, by_class: dict[int, Estimates]) -> list[CohortRow]:
    return [
        CohortRow(
            version=str(contrast.groups[VERSION][place]),
            value=str(contrast.groups[contrast.key][place]),
            n_labelled=float(contrast.n_labelled[place]),
            estimate=contrast.estimate[place],
            rest=contrast.rest[place],
            excess=contrast.excess[place],
            p_adjusted=float(contrast.p_adjusted[place]),
            rank=int(contrast.rank[place]),
            small=bool(contrast.small[place]),
            violation=by_class[0][place],
            negative=by_class[-1][place],
            positive=by_class[1][place],
        )
        for place in range(len(contrast.n_labelled))
    ]


def sentence_of(view: CohortsView, call: Callable[[str], str]) -> str:
    """What the view says, without a full stop; `call` writes a name from data."""
    column = call(view.column)
    metric, leader = view.contrast.metric, view.leader
    label = metric.label if metric.label[1:2].isupper() else metric.label[0].lower() + metric.label[1:]
    if view.nothing:
        return f"{view.nothing}: there is nothing to rank"
    if len(view.values) == 1:
        return f"Only {column} {call(view.values[0])} is left: there are no others to compare it with"
    if not any(row.estimate.is_defined for row in view.rows.values()):
        reasons = dict.fromkeys(row.estimate.reason for row in view.rows.values())
        return f"{metric.label} is undefined for every {column}: {', '.join(reasons)}"
    if leader is None:
        if np.isnan(view.contrast.p).all():
            said = f"{metric.label} by {column} of {call(view.candidate)}, the surest to trail the rest on top"
            top = view.rows.get((view.candidate, view.ranked[0])) if view.ranked else None
            if top is None or not top.trails(metric.direction):
                return said
            here, rest = (format_value(each.value, metric.unit) for each in (top.estimate, top.rest))
            return f"{said}: {call(top.value)} with {here}, the rest with {rest}"
        if not any(version == view.candidate for version, _value in view.rows):
            return f"No row of {call(view.candidate)} passes the filter: there is nothing to rank in it"
        return f"No {column} of {call(view.candidate)} has a {label} worse than the rest beyond chance"
    away = format_change(leader.excess.value, metric.unit)
    return (
        f"{column[:1].upper()}{column[1:]} {call(leader.value)} stands out in {call(leader.version)}: {label} "
        f"{format_value(leader.estimate.value, metric.unit)}, {away} against the rest"
    )
