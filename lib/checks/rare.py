"""The values of a cohort column that its tables gather as one, for a search to look at one by one, over all time.

Each has a few sums of its rows (`lib.scan.rare`). They compete with the parts that tables hold: the part with the
largest gain is taken first, whichever it is, and its rows are left out of both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib.cells import Cells
from lib.checks.blocks import Axes, Block, Features, FloatArray, Place, make_block
from lib.checks.separation import Part, outside_of, part_of
from lib.grid import COARSE, EXACT
from lib.scan.rare import LEAST_ROWS, RareValues
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.checks.search import Rule
    from lib.diagnose import Diagnosis

MOST_REFUSED = 100
"""After so many values whose rows did not confirm what their sums say, a search is content."""

RareFeatures = Callable[[RareValues], FloatArray]
"""Sums of K values to shape (V, K, F): the statistics of each."""


def read_rare(diagnosis: Diagnosis, parts: tuple[Part, ...] = ()) -> list[RareValues]:
    """The sums of each column that gathers values, without the rows of some parts; none of saved cells."""
    outside = outside_of(parts)
    read = [diagnosis.rare_values(column, outside) for column in diagnosis.facts.gathered]
    return [each for each in read if each is not None and each.values]


@dataclass(frozen=True, eq=False)
class Rare:
    """A value that a search has found.

    Attributes:
        place: where; the value's place is that in its block.
        block: of its column.
        unit, rest: shape (F,), statistics of the part and of what it is compared with.
        p: adjusted p.
        gain: nats.
        versions: places of the versions that it has rows of.
    """

    place: Place
    block: Block
    unit: FloatArray
    rest: FloatArray
    p: float
    gain: float
    versions: tuple[int, ...] = ()


class RareSearch:
    """What a search knows of values that tables gather.

    Attributes:
        blocks: one for each column, over all time: moments of shape (V, K, 1, F).
    """

    def __init__(
        self,
        diagnosis: Diagnosis,
        axes: Axes,
        of_cells: Features,
        of_values: RareFeatures,
        confirm: Callable[[Part, tuple[Part, ...]], bool] = lambda _part, _outside: True,
    ) -> None:
        """Read the sums of all values.

        Args:
            diagnosis: whose rows.
            axes: of the search.
            of_cells: the statistics of cells, by which a value that was found is taken out of tables.
            of_values: the same statistics of sums of values.
            confirm: a last look at the rows of a part that are in none of the parts outside.
        """
        self._diagnosis, self._axes = diagnosis, axes
        self._of_cells, self._of_values, self._confirm = of_cells, of_values, confirm
        self._outside: tuple[Part, ...] = ()
        self._refused: set[tuple[str, int, int | None]] = set()
        self._read()

    def _read(self) -> None:
        nothing = self._diagnosis.cells(VERSION)
        nothing = nothing.where(np.zeros(nothing.n_groups, np.bool_))
        self._tables = read_rare(self._diagnosis, self._outside)
        self.blocks: list[Block] = []
        for table in self._tables:
            here = [table.versions.index(version) for version in self._axes.versions]
            moments = self._of_values(table)[here][:, :, None]
            group, alive = np.zeros((0, 3), np.int64), np.ones(moments.shape[:3], np.bool_)
            self.blocks.append(Block(table.column, table.values, nothing, group, moments, alive))

    def count_trials(self, rule: Rule) -> float:
        """How many values are looked at, in each version and in all."""
        return float(sum((rule.size(each) >= LEAST_ROWS).sum() for block in self.blocks for each in _series(block)))

    def count_values(self, rule: Rule, least: int = LEAST_ROWS) -> dict[str, int]:
        """Of each column how many values have rows enough to be looked at."""
        return {
            str(block.column): int((rule.size(block.moments.sum(axis=(0, 2))) >= least).sum()) for block in self.blocks
        }

    def best(self, rule: Rule, whole: FloatArray, alarm_rate: float, trials: float) -> Rare | None:
        """The value with the largest gain that passes the rule's test; None where there is none.

        Args:
            rule: what makes a part faulty.
            whole: shape (V, F), all rows that are left.
            alarm_rate: of the test.
            trials: how many parts are looked at in all.
        """
        found = [
            each
            for block in self.blocks
            for version in (None, *range(len(whole)))[: len(_series(block))]
            for each in self._candidates(block, version, rule, whole, trials)
            if each.p <= alarm_rate and each.gain > 0
        ]
        for each in sorted(found, key=lambda each: -each.gain):
            key = str(each.block.column), each.place.value or 0, each.place.version
            if key in self._refused or len(self._refused) >= MOST_REFUSED:
                continue
            if self._confirm(part_of(each.place, each.block, self._axes), self._outside):
                return _settled(each, rule)
            self._refused.add(key)
        return None

    def _candidates(
        self, block: Block, version: int | None, rule: Rule, whole: FloatArray, trials: float
    ) -> Iterator[Rare]:
        moments = block.moments[:, :, 0]
        unit = moments.sum(axis=0) if version is None else moments[version]
        use = np.flatnonzero(rule.size(unit) >= LEAST_ROWS)
        unit = unit[use]
        rest = np.maximum((whole.sum(axis=0) if version is None else whole[version]) - unit, 0.0)
        share = 1 / self._axes.copies if version is None else 1.0
        p = rule.p_value(unit * share, rest * share, np.ones(len(use)), trials)
        cost = np.log(len(block.values)) + (0.0 if version is None else np.log(len(moments)))
        gain = rule.total_gain(unit, rest) - cost
        for at in np.flatnonzero(p < 1):
            place = Place(version, block.column, int(use[at]))
            yield Rare(place, block, unit[at], rest[at], float(p[at]), float(gain[at]))

    def leave_out(self, part: Part) -> None:
        """Read the sums again, without the rows of a part that was found in tables."""
        if self.blocks:
            self._outside = (*self._outside, part)
            self._read()

    def take_out(self, found: Rare, blocks: list[Block]) -> None:
        """Take the rows of a value out of everything, exactly: each table of its rows alone is read."""
        part = part_of(found.place, found.block, self._axes)
        others = next(table.others for table in self._tables if table.column == found.block.column)
        for block in blocks:
            own = make_block(self._cells_like(block.cells, part), self._axes, self._of_cells)
            # In its own column the value stands for what it was gathered under.
            names = [others if block.column == found.block.column else value for value in own.values]
            at = [block.values.index(name) for name in names]
            block.moments[:, at] = np.maximum(block.moments[:, at] - own.moments, 0.0)
        versions = slice(None) if found.place.version is None else found.place.version
        found.block.moments[versions, found.place.value] = 0.0
        self._outside = (*self._outside, part)
        if len(self.blocks) > 1:
            self._read()

    def _cells_like(self, table: Cells, part: Part) -> Cells:
        """Cells of a part by the keys of a table."""
        diagnosis = self._diagnosis
        finest = COARSE if len(table.keys) > 2 else EXACT
        cells = diagnosis.tables.cells(table.keys, part.within(diagnosis.settings.where), finest=finest)
        return cells.where(np.isin(cells.groups[VERSION], part.versions))


def _series(block: Block) -> list[FloatArray]:
    """Shape (K, F) each: all versions, and where there are several each."""
    moments = block.moments[:, :, 0]
    return [moments.sum(axis=0), *(moments if len(moments) > 1 else ())]


def _settled(found: Rare, rule: Rule) -> Rare:
    """With the versions that it really has rows in; a value in all versions may be in one only."""
    size = rule.size(found.block.moments[:, found.place.value or 0, 0])
    place = found.place
    versions = (place.version,) if place.version is not None else tuple(np.flatnonzero(size > 0.02 * size.sum()))
    if len(versions) == 1 and len(size) > 1:
        place = dataclasses.replace(place, version=int(versions[0]))
    return dataclasses.replace(found, place=place, versions=tuple(int(each) for each in versions))
