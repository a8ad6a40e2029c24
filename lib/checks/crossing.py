"""Whether a fault that is found in a cohort lies in its crossing with values of another column: one, or all but some.

Searches look at one cohort column at a time, so that a fault confined to Spanish on one platform is found as Spanish,
diluted by the other platforms. A cohort that was found is looked at once more, by every other column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.cells import Cells
from lib.checks import words
from lib.checks.answer_counts import count_answers
from lib.checks.blocks import Axes, BoolArray, FloatArray, Place
from lib.checks.result import ALARM_RATE
from lib.checks.reversal import REVERSED_AUC, RIGHT_AUC
from lib.checks.search import Found
from lib.checks.separation import Part, auc_of_cells, cells_of, part_of
from lib.errors import SettingsError
from lib.metrics.intervals import excess_p_value
from lib.schema import VERSION, cohort_key

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_ROWS, LEAST_EXCESS = 30, 0.1
WHOLE = 0.9
"""A time with so many of a cohort's rows is all of its time."""
MOST_LEFT = 0.25
"""Of the excess of wrong answers, at most so much may be left in the rest of either of the two cohorts."""


@dataclass(frozen=True)
class Apart:
    """Values of another column that are sound, and so left out of a cohort; none where nothing is."""

    column: str = ""
    values: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """In a sentence: " apart from client = ios"."""
        said = [value or "(none)" for value in self.values]
        return f" apart from {self.column} = {words.listing(said)}" if said else ""

    @property
    def evidence(self) -> dict[str, Any]:
        """For JSON; nothing where none are left out."""
        return {"apart": {"column": self.column, "values": list(self.values)}} if self.values else {}


NOTHING_APART = Apart()


@dataclass(frozen=True, eq=False)
class Crossing:
    """The value of another column in which a cohort's fault lies, or all of its values but some.

    Attributes:
        part: the rows of both; where some values are left out, of the cohort.
        cells: of these, by version.
        rest: cells of the other rows of the cohort, by version.
        n: labelled, scored rows of the crossing.
        share, share_rest: wrong answers of these, and of the other rows of the cohort.
        p: adjusted for the values that were looked at.
        apart: the sound values of another column, where several are not.
    """

    part: Part
    cells: Cells
    rest: Cells
    n: float
    share: float
    share_rest: float
    p: float
    apart: Apart = NOTHING_APART

    @property
    def cohort(self) -> dict[str, str]:
        """Both columns and values; that of the cohort where values of another column are left out."""
        return dict(self.part.cohorts)

    @property
    def is_reversed(self) -> bool:
        """Whether its scores are, while those of the rest of the cohort are right."""
        here, rest = (auc_of_cells(each.rollup([])).value for each in (self.cells, self.rest))
        return bool(here <= REVERSED_AUC and rest >= RIGHT_AUC)


def find_crossing(diagnosis: Diagnosis, part: Part) -> Crossing | None:
    """The crossing of a cohort that holds what is wrong with it; None where the cohort as a whole is wrong."""
    if len(part.cohorts) != 1:
        return None
    ((own, _value),) = part.cohorts
    held = dict(diagnosis.settings.where.cohorts)
    columns = [column for column in diagnosis.facts.cohorts if column != own and column not in held]
    try:
        return _best(diagnosis, part, columns)
    except SettingsError:  # Saved cells do not cross two columns.
        return None


@dataclass(frozen=True, eq=False)
class _Candidate:
    """Values of a column that may hold the fault: which groups of its table, wrong answers and rows, and p."""

    column: str
    inside: BoolArray
    here: FloatArray
    rest: FloatArray
    p: float


def _best(diagnosis: Diagnosis, part: Part, columns: list[str]) -> Crossing | None:
    everything = _answers(cells_of(diagnosis, Part(part.versions, (), part.window))).sum(axis=0)
    tables = {column: cells_of(diagnosis, part, VERSION, cohort_key(column)) for column in columns}
    by_value = {column: table.rollup([cohort_key(column)]) for column, table in tables.items()}
    trials = sum(each.n_groups for each in by_value.values())
    found: list[_Candidate] = []
    for column, table in by_value.items():
        counts = _answers(table)
        usual = _share(everything - counts.sum(axis=0))
        for inside in _divisions(counts):
            here, rest = counts[inside].sum(axis=0), counts[~inside].sum(axis=0)
            if min(here[1], rest[1]) < LEAST_ROWS or _share(here) - _share(rest) < LEAST_EXCESS:
                continue
            if _share(rest) - usual > MOST_LEFT * (_share(here) - usual):
                continue
            # As many divisions again leave out some values as one.
            p = float(excess_p_value(here[0], here[1], rest[0], rest[1])) * 2 * trials
            if p <= ALARM_RATE:
                found.append(_Candidate(column, inside, here, rest, min(p, 1.0)))
    # One value says more than all but some.
    for each in sorted(found, key=lambda each: (each.inside.sum() > 1, _share(each.rest) - _share(each.here))):
        crossing = _crossing(diagnosis, part, tables[each.column], by_value[each.column], each, everything)
        if crossing is not None:
            return crossing
    return None


def _divisions(counts: FloatArray) -> list[BoolArray]:
    """Each value against the others; and two or more, in which most is wrong, against those in which least is."""
    n = len(counts)
    order = np.argsort([-_share(each) for each in counts], kind="stable")
    return [*np.eye(n, dtype=np.bool_), *(np.isin(np.arange(n), order[:size]) for size in range(2, n))]


def _crossing(
    diagnosis: Diagnosis, part: Part, table: Cells, by_value: Cells, each: _Candidate, everything: FloatArray
) -> Crossing | None:
    """The crossing; None where what is wrong with the values is wrong everywhere, which is no matter of it."""
    key = cohort_key(each.column)
    values = by_value.groups[key][each.inside]
    wide = cells_of(diagnosis, Part(part.versions, (), part.window), key)
    elsewhere = _answers(wide)[np.isin(wide.groups[key], values)].sum(axis=0) - each.here
    usual = _share(everything - each.here - each.rest - elsewhere)
    if elsewhere[1] >= LEAST_ROWS and _share(elsewhere) - usual > MOST_LEFT * (_share(each.here) - usual):
        return None
    inside = np.isin(table.groups[key], values)
    cells, other = (table.where(keep).rollup([VERSION]) for keep in (inside, ~inside))
    shares = float(each.here[1]), _share(each.here), _share(each.rest), each.p
    if len(values) == 1:
        both = Part(part.versions, (*part.cohorts, (each.column, str(values[0]))), part.window)
        return Crossing(both, cells, other, *shares)
    apart = tuple(str(value) for value in by_value.groups[key][~each.inside])
    return Crossing(part, cells, other, *shares, Apart(each.column, apart))


def _answers(cells: Cells) -> FloatArray:
    """Wrong answers and rows of each group, shape (G, 2)."""
    counts, group = count_answers(cells), cells.block // 3
    return np.stack([np.bincount(group, counts[:, each], cells.n_groups).astype(np.float64) for each in (0, 1)], axis=1)


def _share(counts: FloatArray) -> float:
    return float(counts[0] / max(counts[1], 1.0))


def part_found(found: Found, axes: Axes) -> Part:
    """The rows of a part, of the versions that have any; all time where it has the whole of their time."""
    part = part_of(found.place, found.block, axes)
    versions = tuple(axes.versions[each] for each in found.versions)
    here = found.block.inside(found.place)
    same = found.block.inside(Place(None, found.place.column, found.place.value))
    same &= np.isin(found.block.group[:, 0], found.versions)
    n = [found.block.cells.scored.n.sum(axis=1)[keep].sum() for keep in (here, same)]
    return Part(versions, part.cohorts, part.window if n[0] < WHOLE * n[1] else None)
