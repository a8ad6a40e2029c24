"""Additive statistics by version, value and window as dense arrays: what a search for faulty parts runs over.

One block is over the whole, one over each cohort column. Where there are times, cohort blocks come from the coarse
cohort × window tables.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lib.cells import Cells
from lib.checks.result import Where
from lib.scan.facts import Facts
from lib.schema import NO_WINDOW, VERSION, WINDOW, cohort_column, cohort_key

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

SAME_ROWS = 0.3

Features = Callable[[Cells], FloatArray]
"""Cells to shape (N, F): what each cell adds to the statistics of its part."""


@dataclass(frozen=True)
class Place:
    """A part of the data: a version, a cohort value, a run of windows, or any of these together.

    `version` is a place among the versions, None for all of them. `column` and `value` name a cohort, None for all
    rows. `run` is the first and last window, both included; None for all rows, dated or not.
    """

    version: int | None = None
    column: str | None = None
    value: int | None = None
    run: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Axes:
    """What the versions and windows of every block are.

    Attributes:
        versions: in the order of the facts.
        windows: shape (W,), the epoch seconds at which windows begin, ascending; those without rows left out.
        facts: the frame of the dataset.
        copies: how many versions scored each row: 1 where each row has one version, as many as there are versions
            where all score the same rows. Those rows share their fate, so together they count once.
    """

    versions: tuple[str, ...]
    windows: IntArray
    facts: Facts
    copies: float = 1.0

    @property
    def width(self) -> int:
        """The width of a window in seconds; 0 without times."""
        return 0 if self.facts.windows is None else self.facts.windows.width


@dataclass(eq=False)
class Block:
    """Statistics by version, value of one cohort column, and window.

    Attributes:
        column: the cohort column; None for the block over the whole, whose only value is "".
        values: the K values.
        cells: the table they were added up from.
        group: shape (G, 3), the version, value and window of each group of `cells`; window W holds undated rows.
        moments: shape (V, K, W + 1, F). A search takes out what it has found.
        alive: shape (V, K, W + 1), false where something was taken out.
    """

    column: str | None
    values: tuple[str, ...]
    cells: Cells
    group: IntArray
    moments: FloatArray
    alive: BoolArray

    def slices(self, place: Place) -> tuple[slice, slice, slice]:
        """The index of a place; the block over the whole has all values of every column as one."""
        one = slice(None) if place.version is None else slice(place.version, place.version + 1)
        value = slice(None)
        if self.column is not None and place.value is not None:
            value = slice(place.value, place.value + 1)
        run = slice(None) if place.run is None else slice(place.run[0], place.run[1] + 1)
        return one, value, run

    def inside(self, place: Place) -> BoolArray:
        """Shape (G,): the groups of the table that belong to a place."""
        version, value, window = self.group.T
        inside = np.ones(len(version), dtype=np.bool_)
        if place.version is not None:
            inside &= version == place.version
        if place.column is not None:
            inside &= value == place.value
        if place.run is not None:
            inside &= (window >= place.run[0]) & (window <= place.run[1])
        return inside

    def is_left(self) -> BoolArray:
        """Shape (G,): the groups of the table that were not taken out."""
        return self.alive[tuple(self.group.T)]


def _codes(values: NDArray[np.generic], known: tuple[str, ...]) -> IntArray:
    place = {value: index for index, value in enumerate(known)}
    names, inverse = np.unique(values, return_inverse=True)
    return np.array([place[str(name)] for name in names], dtype=np.int64)[inverse]


def read_tables(diagnosis: Diagnosis) -> tuple[Axes, list[Cells]]:
    """The tables that a search runs over, the whole first, and what their axes are."""
    facts = diagnosis.facts
    timed = (WINDOW,) if facts.windows is not None else ()
    tables = [diagnosis.cells(VERSION, *timed)]
    for column in facts.cohorts:
        by_cohort = diagnosis.cohort_windows(column) if timed else diagnosis.cells(VERSION, cohort_key(column))
        tables.append(by_cohort)
    versions = dict.fromkeys(facts.versions)
    windows: set[int] = set()
    for table in tables:
        versions |= dict.fromkeys(str(each) for each in np.unique(table.groups[VERSION]))
        if timed:
            windows |= {int(each) for each in np.unique(table.groups[WINDOW])}
    present = {str(each) for each in np.unique(tables[0].groups[VERSION])}
    ordered = tuple(version for version in versions if version in present or version not in facts.versions)
    axes = Axes(ordered, np.array(sorted(windows - {NO_WINDOW}), dtype=np.int64), facts)
    counted = make_block(tables[-1], axes, lambda cells: cells.sums[:, :1])
    return dataclasses.replace(axes, copies=count_copies(counted.moments[..., 0])), tables


def count_copies(counts: FloatArray) -> float:
    """How many versions scored each row, told from rows by version, value and window, shape (V, …).

    Versions that get their rows independently differ in every cell by chance: Σ(n − n̄)²/n̄ has mean V − 1. Versions
    that score the same rows differ by next to nothing.
    """
    counts = counts.reshape(len(counts), -1)
    present = counts[counts.sum(axis=1) > 0]
    mean = present.mean(axis=0) if len(present) else np.zeros(0)
    cells = mean >= 1
    if len(present) < 2 or cells.sum() < 2:
        return 1.0
    spread = ((present[:, cells] - mean[cells]) ** 2).sum(axis=0) / mean[cells] / (len(present) - 1)
    return float(len(present)) if spread.mean() < SAME_ROWS else 1.0


def make_block(cells: Cells, axes: Axes, features: Features) -> Block:
    """Add the features of cells up by version, cohort value and window."""
    keys = [key for key in cells.keys if cohort_column(key) is not None]
    column = cohort_column(keys[0]) if keys else None
    n_groups = cells.n_groups
    version = _codes(cells.groups[VERSION], axes.versions)
    values: tuple[str, ...] = ("",)
    value = np.zeros(n_groups, dtype=np.int64)
    if keys:
        names, inverse = np.unique(cells.groups[keys[0]], return_inverse=True)
        values, value = tuple(str(name) for name in names), inverse.astype(np.int64)
    n_windows = len(axes.windows)
    window = np.full(n_groups, n_windows, dtype=np.int64)
    if WINDOW in cells.keys:
        starts = cells.groups[WINDOW].astype(np.int64)
        window = np.where(starts == NO_WINDOW, n_windows, np.searchsorted(axes.windows, starts))
    per_cell = features(cells)
    shape = (len(axes.versions), len(values), n_windows + 1)
    moments = np.zeros((*shape, per_cell.shape[1]))
    bounds = cells.starts[::3]
    filled = np.flatnonzero(bounds[1:] > bounds[:-1])
    if len(filled):
        added = np.add.reduceat(per_cell, bounds[:-1][filled], axis=0)
        moments[version[filled], value[filled], window[filled]] = added
    group = np.stack([version, value, window], axis=1)
    return Block(column, values, cells, group, moments, np.ones(shape, dtype=np.bool_))


def where_of(place: Place, block: Block, axes: Axes, extent: tuple[int, int] | None) -> Where:
    """A place in the words of a result.

    Args:
        place: the part.
        block: the block it is of.
        axes: versions and windows.
        extent: the first and last window that the part has rows in, for a place without a run.
    """
    cohort: dict[str, str] = {}
    if place.column is not None and place.value is not None:
        cohort = {place.column: block.values[place.value]}
    run = extent if place.run is None else place.run
    whole = (0, len(axes.windows) - 1)
    if run is None or (place.run is None and run == whole) or not axes.width:
        return Where(cohort, None)
    return Where(cohort, (int(axes.windows[run[0]]), int(axes.windows[run[1]]) + axes.width))
