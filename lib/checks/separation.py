"""How well scores order the classes in a part and in what is left without it: the product's own AUC of these rows.

A search runs over coarse tables; what a finding says is computed anew from the finest cells of its rows. Cells add up,
so what is left without a part is the whole minus the part.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib.cells import Cells
from lib.checks.blocks import Axes, Block, Place
from lib.metrics.estimates import NO_USABLE_ROWS, Estimate
from lib.metrics.ranking import roc_auc
from lib.schema import EVERYTHING, VERSION, Filter, Outside, cohort_key

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

UNDEFINED = Estimate(math.nan, math.nan, math.nan, 0, NO_USABLE_ROWS)


@dataclass(frozen=True)
class Part:
    """The rows of some versions, cohorts and a time range, as one sample: those that are in all of these.

    `cohorts` are (column, value) pairs, `window` is (start, end) in epoch seconds, None for all rows, dated or not.
    """

    versions: tuple[str, ...]
    cohorts: tuple[tuple[str, str], ...] = ()
    window: tuple[int, int] | None = None

    def intersect(self, other: Part) -> Part | None:
        """The rows that both hold; None where there can be none."""
        versions = tuple(version for version in self.versions if version in other.versions)
        cohorts = tuple(dict.fromkeys((*self.cohorts, *other.cohorts)))
        windows = [each.window for each in (self, other) if each.window is not None]
        window = (max(start for start, _ in windows), min(end for _, end in windows)) if windows else None
        crossed = len(dict(cohorts)) < len(cohorts) or (window is not None and window[0] >= window[1])
        return None if crossed or not versions else Part(versions, cohorts, window)

    def within(self, where: Filter) -> Filter:
        """The filter to those rows of a filter that are of these cohorts and this time, in any version."""
        start, end = self.window or (None, None)
        starts, ends = (
            [each for each in pair if each is not None] for pair in ((where.start, start), (where.end, end))
        )
        return dataclasses.replace(
            where,
            cohorts=tuple(dict.fromkeys((*where.cohorts, *self.cohorts))),
            start=max(starts, default=None),
            end=min(ends, default=None),
        )


def outside_of(parts: Sequence[Part]) -> Outside:
    """Parts as the scan leaves them out."""
    return tuple((part.versions, part.within(EVERYTHING)) for part in parts)


def part_of(place: Place, block: Block, axes: Axes) -> Part:
    """The rows of a place that a search has found."""
    versions = axes.versions if place.version is None else (axes.versions[place.version],)
    cohorts: tuple[tuple[str, str], ...] = ()
    if place.column is not None and place.value is not None:
        cohorts = ((place.column, block.values[place.value]),)
    if place.run is None:
        return Part(versions, cohorts)
    first, last = place.run
    return Part(versions, cohorts, (int(axes.windows[first]), int(axes.windows[last]) + axes.width))


def part_in(place: Place, axes: Axes, tables: Sequence[Cells]) -> Part:
    """The rows of a place that a search over these tables has found."""
    versions = axes.versions if place.version is None else (axes.versions[place.version],)
    window = None
    if place.run is not None:
        first, last = place.run
        window = (int(axes.windows[first]), int(axes.windows[last]) + axes.width)
    if place.column is None or place.value is None:
        return Part(versions, (), window)
    key = cohort_key(place.column)
    values = np.unique(next(table for table in tables if key in table.keys).groups[key])
    return Part(versions, ((place.column, str(values[place.value])),), window)


def cells_of(diagnosis: Diagnosis, part: Part, *keys: str) -> Cells:
    """Cells of a part by these keys, from a table that is there for all to see, or else from one more scan."""
    values = {cohort_key(column): value for column, value in part.cohorts}
    names = tuple(dict.fromkeys((VERSION, *values, *keys)))
    if part.window is None and len(names) <= 2 and not _is_rare(diagnosis, part):
        cells = diagnosis.cells(*names)
        cells = cells.select(**values) if values else cells
    else:
        cells = diagnosis.tables.cells(tuple(dict.fromkeys((VERSION, *keys))), part.within(diagnosis.settings.where))
    return cells.where(np.isin(cells.groups[VERSION], part.versions)).rollup(keys)


def _is_rare(diagnosis: Diagnosis, part: Part) -> bool:
    """Whether tables gather the part's cohort with others."""
    gathered = [(cohort_key(column), value) for column, value in part.cohorts if column in diagnosis.facts.gathered]
    return any(value not in diagnosis.cells(VERSION, key).groups[key] for key, value in gathered)


def cells_outside(diagnosis: Diagnosis, scope: Part, parts: Sequence[Part]) -> Cells:
    """Cells of the rows of a scope that are in none of the parts, which may overlap."""
    left = cells_of(diagnosis, scope)
    for number, part in enumerate(parts):
        inside = scope.intersect(part)
        if inside is not None:
            left = left.without(cells_outside(diagnosis, inside, parts[:number]))
    return left


def auc_of_cells(cells: Cells) -> Estimate:
    """The AUC of cells without keys."""
    if not cells.n_groups:
        return UNDEFINED
    return roc_auc(cells)[0]
