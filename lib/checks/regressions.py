"""Where the candidate answers worse than the baseline in one cohort, or where two cohorts cross, and not elsewhere.

A fault of a deploy that hits few rows moves neither the version as a whole nor a cohort against the rest by much. So
every cohort value, and every crossing of two, is compared with the same rows of the baseline, class by class, and with
how much the other rows have changed. The part with the largest likelihood ratio is taken first, and the search starts
again without its rows: a crossing that is at fault is not told as two cohorts, nor a cohort as its crossings.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib.cells import Cells
from lib.checks.answer_counts import Counts, Kind, by_class, count_answers, kind_of
from lib.checks.causes import rare_cause_parts
from lib.checks.crossed_answers import Candidate, CrossedAnswers, candidates_of, read_crossed
from lib.checks.crossing import NOTHING_APART, Apart, find_crossing
from lib.checks.dispersion import NO_DISPERSION, STRETCHES, Dispersion, column_dispersion
from lib.checks.memory import once_for_every_margin_target
from lib.checks.result import ALARM_RATE
from lib.checks.reversal import REVERSED_AUC, RIGHT_AUC, find_reversals
from lib.checks.search import widened
from lib.checks.separation import Part, auc_of_cells, cells_of, outside_of, part_in
from lib.checks.worsening import find_worsenings, worse_runs
from lib.errors import SettingsError
from lib.metrics.intervals import excess_p_value
from lib.metrics.summary import unpaired_change
from lib.schema import cohort_key

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

MOST_COLUMNS = 12
"""So many cohort columns are crossed with each other, the first."""
MOST_FOUND = 3
MOST_TRIED = 20
"""So many of the strongest parts are tested in full."""


@dataclass(frozen=True, eq=False)
class Regression:
    """Rows of one cohort, or of two at once, that the candidate answers worse than the baseline.

    Attributes:
        kind: what it is told as.
        part: the candidate's rows.
        apart: values of another column that are left out of the cohort.
        here, there: answers in the candidate and in the baseline.
        rest, rest_there: the same of all other rows.
        auc, auc_there: how scores order these rows, in the two.
        p: adjusted for everything that was looked at.
    """

    kind: Kind
    part: Part
    apart: Apart
    here: Counts
    there: Counts
    rest: Counts
    rest_there: Counts
    auc: float
    auc_there: float
    p: float

    @property
    def cohort(self) -> dict[str, str]:
        """Columns and values."""
        return dict(self.part.cohorts)

    @property
    def is_reversed(self) -> bool:
        """Whether its scores are, while those of the baseline are right."""
        return self.auc <= REVERSED_AUC and self.auc_there >= RIGHT_AUC


@dataclass(frozen=True, eq=False)
class Regressions:
    """All of them, strongest first; how many parts were looked at."""

    found: list[Regression]
    trials: int


@once_for_every_margin_target
def find_regressions(diagnosis: Diagnosis) -> Regressions:
    """Search the cohorts of baseline and candidate, without the parts that other checks name."""
    settings, facts = diagnosis.settings, diagnosis.facts
    versions = (settings.candidate, settings.baseline)
    held = dict(settings.where.cohorts)
    columns = [column for column in facts.cohorts if column not in held][:MOST_COLUMNS]
    reversals = find_reversals(diagnosis)
    nothing = reversals.everything or (reversals.reason and not facts.mapping.is_multiclass)
    if nothing or not columns or not diagnosis.is_compared or not {*versions} <= set(reversals.axes.versions):
        return Regressions([], 0)
    named = [Part(versions, part.cohorts, part.window) for part in _named(diagnosis)]
    found: list[Regression] = []
    trials = 0
    try:
        while len(found) < MOST_FOUND:
            outside = [*named, *(Part(versions, each.part.cohorts) for each in found)]
            tables = read_crossed(diagnosis, columns, outside_of(outside))
            n_looked = sum(int(table.usable.sum()) for table in tables)
            trials = trials or n_looked
            worst = _worst(diagnosis, tables, n_looked)
            if worst is None:
                break
            cohorts, apart = _refined(diagnosis, worst[0].cohorts)
            found.append(_regression(diagnosis, cohorts, apart, worst[1]))
    except SettingsError:  # Saved cells have no rows to count.
        return Regressions([], 0)
    return Regressions(_merged(diagnosis, found), trials)


def _named(diagnosis: Diagnosis) -> list[Part]:
    """The parts that other checks name, whatever γ is."""
    reversals = find_reversals(diagnosis)
    places = [*find_worsenings(diagnosis).named, *worse_runs(diagnosis)]
    widest = [widened(place, len(reversals.axes.windows)) for place in places]
    return [*(part_in(place, reversals.axes, reversals.tables) for place in widest), *rare_cause_parts(diagnosis)]


def _worst(diagnosis: Diagnosis, tables: Sequence[CrossedAnswers], trials: int) -> tuple[Candidate, float] | None:
    """The part with the largest gain that is worse for certain, and its adjusted p."""
    found = sorted((each for table in tables for each in candidates_of(table)), key=lambda each: -each.gain)
    for each in found[:MOST_TRIED]:
        p = _p_of(diagnosis, each, trials)
        if p <= ALARM_RATE / 3:
            return each, p
    return None


def _p_of(diagnosis: Diagnosis, each: Candidate, trials: int) -> float:
    """Of two ways to weigh classes and all parts, by the normal and by the exact test."""
    if NO_DISPERSION.p_beyond(each.z) * 2 * trials > ALARM_RATE:
        return 1.0
    exact = min(float(excess_p_value(*counts)) for counts in by_class(each.here, each.there) if min(counts[1::2]) > 0)
    return min(1.0, 2 * trials * max(2 * exact, _dispersion(diagnosis, each).p_beyond(each.z)))


def _dispersion(diagnosis: Diagnosis, each: Candidate) -> Dispersion:
    """Of the columns of a part the larger, told from all of their values, for as many rows as the part has."""
    found = [column_dispersion(diagnosis, column) for column, _value in each.cohorts]
    return max((of.among(each.there.n / STRETCHES) for of in found), key=lambda of: of.ratio)


def _refined(diagnosis: Diagnosis, cohorts: tuple[tuple[str, str], ...]) -> tuple[tuple[tuple[str, str], ...], Apart]:
    """Of a cohort the crossing, or the values of another column, in which its wrong answers lie."""
    crossing = find_crossing(diagnosis, Part((diagnosis.settings.candidate,), cohorts))
    return (cohorts, NOTHING_APART) if crossing is None else (crossing.part.cohorts, crossing.apart)


def _merged(diagnosis: Diagnosis, found: list[Regression]) -> list[Regression]:
    """The same with crossings of one cohort and most values of another column as that cohort, apart from the others."""
    left = list(found)
    for first, second in itertools.combinations(found, 2):
        if first not in left or second not in left or first.apart.values or second.apart.values:
            continue
        shared = [each for each in first.part.cohorts if each in second.part.cohorts]
        columns = {column for each in (first, second) for column, _value in each.part.cohorts}
        if len(shared) != 1 or len(columns) != 2:
            continue
        (column,) = columns - {shared[0][0]}
        hit = {first.cohort[column], second.cohort[column]}
        alike = [each for each in left if {*each.cohort} == columns and shared[0] in each.part.cohorts]
        hit |= {each.cohort[column] for each in alike}
        cells = cells_of(diagnosis, Part(first.part.versions, (shared[0],)), cohort_key(column))
        sound = tuple(str(each) for each in cells.groups[cohort_key(column)] if str(each) not in hit)
        if not sound or len(sound) > len(hit):
            continue
        place = left.index(alike[0])
        left = [each for each in left if each not in alike]
        left.insert(place, _regression(diagnosis, (shared[0],), Apart(column, sound), max(each.p for each in alike)))
    return left


def _regression(diagnosis: Diagnosis, cohorts: tuple[tuple[str, str], ...], apart: Apart, p: float) -> Regression:
    settings = diagnosis.settings
    versions = settings.candidate, settings.baseline
    sides = [_cells_of(diagnosis, Part((version,), cohorts), apart) for version in versions]
    here, there = (Counts.of(count_answers(each).sum(axis=0)) for each in sides)
    whole = [Counts.of(count_answers(cells_of(diagnosis, Part((version,)))).sum(axis=0)) for version in versions]
    rest, rest_there = (every.without([own]) for every, own in zip(whole, (here, there), strict=True))
    auc, auc_there = (auc_of_cells(each) for each in sides)
    two = not diagnosis.facts.mapping.is_multiclass
    # Of few rows the order is not sure: that is worse only where it is so for certain.
    fall = min(0.0, unpaired_change(auc_there, auc).upper)
    kind = kind_of(here, there, fall) if two else "errors"
    part = Part((settings.candidate,), cohorts)
    return Regression(kind, part, apart, here, there, rest, rest_there, auc.value, auc_there.value, p)


def _cells_of(diagnosis: Diagnosis, part: Part, apart: Apart) -> Cells:
    """The rows of a part without the values of another column that are left out."""
    if not apart.values:
        return cells_of(diagnosis, part)
    cells = cells_of(diagnosis, part, cohort_key(apart.column))
    return cells.where(~np.isin(cells.groups[cohort_key(apart.column)], apart.values)).rollup([])
