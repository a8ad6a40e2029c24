"""H-F9: a cohort's violation rate is higher than that of the rest of its version."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.cells import Cells
from lib.checks.blocks import Axes, Block, BoolArray, Place, make_block
from lib.checks.causes import cause_places, rare_cause_parts
from lib.checks.memory import once
from lib.checks.noisy_labels import noisy_places
from lib.checks.rare import read_rare
from lib.checks.rare_rates import RareRates
from lib.checks.regressions import find_regressions
from lib.checks.result import ALARM_RATE
from lib.checks.reversal import find_reversals
from lib.checks.search import widened
from lib.checks.separation import Part, cells_of, cells_outside, part_in
from lib.checks.worsening import worse_runs
from lib.errors import SettingsError
from lib.metrics.cohorts import CohortContrast, contrast_cohorts
from lib.metrics.intervals import holm
from lib.schema import VERSION, cohort_column, cohort_key

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_EXCESS, LEAST_ROWS = 0.05, 30
LISTED = 20


@dataclass(frozen=True)
class Worse:
    """One cohort value that is worse than the rest of its version."""

    value: str
    n: int
    rate: float
    interval: tuple[float, float]
    rest: float
    excess: tuple[float, float, float]
    p_adjusted: float


@dataclass(frozen=True)
class Disparity:
    """One column in one version; `explained` when another finding's rows account for it."""

    version: str
    column: str
    values: tuple[Worse, ...]
    explained: bool


@dataclass(frozen=True)
class Disparities:
    """All of them, how many cohorts were tested, and how many by column of those that tables gather."""

    found: tuple[Disparity, ...]
    n_tested: int
    n_rare: dict[str, int]


def _worse(contrast: CohortContrast, p_adjusted: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> BoolArray:
    """Significant and large enough to matter."""
    with np.errstate(invalid="ignore"):
        return (p_adjusted <= ALARM_RATE) & (contrast.excess.value >= LEAST_EXCESS)


def _tested(contrast: CohortContrast, versions: tuple[str, ...]) -> BoolArray:
    return np.isin(contrast.groups[VERSION], versions) & (contrast.estimate.n >= LEAST_ROWS) & ~np.isnan(contrast.p)


@once
def find_disparities(diagnosis: Diagnosis) -> Disparities:
    """Contrast every cohort of baseline and candidate with the rest; then again without what other checks name."""
    columns = diagnosis.facts.cohorts
    contrasts = {column: diagnosis.cohorts(column) for column in columns}
    tested = {column: _tested(contrasts[column], diagnosis.shown_versions) for column in columns}
    rare = RareRates.of(diagnosis)
    p = [np.where(tested[column], contrasts[column].p, np.nan) for column in columns] + [each.p for each in rare]
    adjusted = np.split(holm(np.concatenate(p)), np.cumsum([len(each) for each in p])[:-1])
    trials = int(sum(each.sum() for each in tested.values())) + sum(each.n_tested for each in rare)
    found: list[Disparity] = []
    for column, p_adjusted in zip(columns, adjusted, strict=False):
        contrast = contrasts[column]
        worse = _worse(contrast, p_adjusted)
        for version in diagnosis.shown_versions:
            values = _values(contrast, p_adjusted, np.flatnonzero(worse & (contrast.groups[VERSION] == version)))
            for each, p_of_rare in zip(rare, adjusted[len(columns) :], strict=True):
                if (each.column, each.version) == (column, version):
                    values += _rare_values(diagnosis, each, p_of_rare, trials)
            if not values:
                continue
            left = _left_without(diagnosis, column, version, values, trials)
            still = values if left is None else tuple(each for each in left if each.value in {v.value for v in values})
            ranked = sorted(still or values, key=lambda each: -np.nan_to_num(each.excess[1], nan=-1.0))
            found.append(Disparity(version, column, tuple(ranked), not still))
    n_rare = {
        column: max((each.n_tested for each in rare if each.column == column), default=0)
        for column in diagnosis.facts.gathered
    }
    return Disparities(tuple(found), trials, n_rare)


def _rare_values(
    diagnosis: Diagnosis, rates: RareRates, p_adjusted: np.ndarray[Any, np.dtype[np.float64]], trials: int
) -> tuple[Worse, ...]:
    """The values that tables gather and that are worse than the rest, in numbers of their own rows."""
    with np.errstate(invalid="ignore"):
        worse = np.flatnonzero((p_adjusted <= ALARM_RATE) & (rates.excess >= LEAST_EXCESS))
    found: list[Worse] = []
    for place in worse[np.argsort(-rates.excess[worse], kind="stable")][:LISTED]:
        contrast = diagnosis.cohort(rates.column, rates.values[place])
        p = np.minimum(contrast.p * trials, 1.0)
        own = (contrast.groups[VERSION] == rates.version) & (contrast.groups[contrast.key] == rates.values[place])
        found += _values(contrast, p, np.flatnonzero(own & _worse(contrast, p)))
    return tuple(found)


def _values(
    contrast: CohortContrast, p_adjusted: np.ndarray[tuple[int, ...], np.dtype[np.float64]], at: Iterable[int]
) -> tuple[Worse, ...]:
    names = contrast.groups[contrast.key]
    excess, estimate = contrast.excess, contrast.estimate
    return tuple(
        Worse(
            str(names[each]),
            int(estimate.n[each]),
            float(estimate.value[each]),
            (float(estimate.lower[each]), float(estimate.upper[each])),
            float(contrast.rest.value[each]),
            (float(excess.value[each]), float(excess.lower[each]), float(excess.upper[each])),
            float(p_adjusted[each]),
        )
        for each in sorted(at, key=lambda group: -np.nan_to_num(excess.lower[group], nan=-1.0))
    )


def _left_without(
    diagnosis: Diagnosis, column: str, version: str, values: tuple[Worse, ...], trials: int
) -> tuple[Worse, ...] | None:
    """The values that are still worse without the parts that other checks name; None when there are none of those."""
    reversals = find_reversals(diagnosis)
    axes = reversals.axes
    causes = [*cause_places(diagnosis), *noisy_places(diagnosis), *worse_runs(diagnosis)]
    places = [widened(place, len(axes.windows)) for place in causes]
    own = [place for place in places if place.version is None or axes.versions[place.version] == version]
    rare = [part for part in rare_cause_parts(diagnosis) if version in part.versions]
    worse_parts = [each.part for each in find_regressions(diagnosis).found if version in each.part.versions]
    if not own and not rare and not worse_parts:
        return None
    tables = {cohort_column(key): table for table in reversals.tables for key in table.keys if cohort_column(key)}
    parts = tuple(part_in(place, axes, reversals.tables) for place in own)
    keys = (VERSION, cohort_key(column))
    cells = _without(diagnosis, column, own, axes, tables) if own else tables[column].rollup(keys)
    for part in worse_parts:
        cells = cells.without(cells_of(diagnosis, part, *keys))
    others = {each.column: each.others for each in read_rare(diagnosis)}
    for part in rare:
        if part.cohorts[0][0] == column:
            inside = cells_outside(diagnosis, Part((version,), part.cohorts), parts)
            cells = cells.without(inside.keyed(VERSION, version).keyed(cohort_key(column), others[column]))
    rates = [
        each for each in RareRates.of(diagnosis, (*parts, *rare)) if (each.column, each.version) == (column, version)
    ]
    worse = {
        each.values[place]
        for each in rates
        for place in np.flatnonzero((each.p * trials <= ALARM_RATE) & (each.excess >= LEAST_EXCESS))
    }
    settings = diagnosis.metric_settings
    if not cells.resolution.is_exact:
        # Coarse tables know the nearest of their steps only: near enough to tell whether a finding explains this one.
        step = cells.resolution.step
        settings = dataclasses.replace(settings, margin_target=round(settings.margin_target / step) * step)
    contrast = contrast_cohorts(cells, diagnosis.cohorts(column).metric, settings, cohort_key(column))
    tested = _tested(contrast, (version,))
    p_adjusted = np.where(tested, np.minimum(contrast.p * trials, 1.0), np.nan)
    left = _values(contrast, p_adjusted, np.flatnonzero(_worse(contrast, p_adjusted)))
    return left + tuple(each for each in values if each.value in worse)


def _without(
    diagnosis: Diagnosis, column: str, places: list[Place], axes: Axes, tables: dict[str | None, Cells]
) -> Cells:
    """Cells by version and cohort of a column without the rows of some parts.

    A part in another column is left out for all time, by the crossing of the two columns; where there is no such
    table (saved cells), its version and time are left out for everybody.
    """
    crossed = {place.column for place in places if place.column not in (None, column)}
    if len(crossed) == 1:
        other = str(next(iter(crossed)))
        try:
            table = diagnosis.cells(VERSION, cohort_key(other), cohort_key(column))
        except SettingsError:
            pass
        else:
            kept = np.ones(table.n_groups, dtype=np.bool_)
            names = _names(tables[other], other)
            for place in places:
                inside = _in_versions(table, place, axes)
                if place.column == other:
                    inside &= table.groups[cohort_key(other)] == names[place.value or 0]
                elif place.column == column:
                    inside &= table.groups[cohort_key(column)] == _names(tables[column], column)[place.value or 0]
                elif place.run is not None:
                    inside &= False
                kept &= ~inside
            return table.where(kept).rollup([VERSION, cohort_key(column)])
    block = make_block(tables[column], axes, lambda cells: cells.sums[:, :1])
    kept = np.ones(len(block.group), dtype=np.bool_)
    for place in places:
        kept &= ~_inside(block, place)
    return block.cells.where(kept).rollup([VERSION, cohort_key(column)])


def _names(table: Cells, column: str) -> list[str]:
    return [str(name) for name in np.unique(table.groups[cohort_key(column)])]


def _in_versions(table: Cells, place: Place, axes: Axes) -> BoolArray:
    if place.version is None:
        return np.ones(table.n_groups, dtype=np.bool_)
    return table.groups[VERSION] == axes.versions[place.version]


def _inside(block: Block, place: Place) -> BoolArray:
    if place.column in (None, block.column):
        return block.inside(place)
    return block.inside(Place(place.version, None, None, place.run))
