"""What several classes were answered with, by version, value of a cohort column and window.

The entries are sparse: a class, an answer, a part, and how many rows. Where they lie is told by the blocks of the
margins' tables, so that a search over answers names the same parts as one over margins.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib.cells import AnswerCounts, Cells
from lib.checks.blocks import Axes, Block, BoolArray, FloatArray, IntArray, Place, make_block
from lib.errors import SettingsError
from lib.schema import NO_WINDOW, VERSION, WINDOW, cohort_key

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

NOWHERE = -1


@dataclass(frozen=True, eq=False)
class Answered:
    """The answers of all rows, of the whole or by the values of one cohort column.

    Attributes:
        frame: the block of the margins' table, that gives the entries their places.
        at: shape (N, 3), version, value and window of each entry.
        own, answer: shape (N,), the places of its class and its answer among the K classes.
        n: shape (N,), rows.
        size: K.
    """

    frame: Block
    at: IntArray
    own: IntArray
    answer: IntArray
    n: FloatArray
    size: int

    def block(self, features: FloatArray) -> Block:
        """Features of the entries, shape (N, F), added up by version, value and window; its groups are the entries."""
        shape = self.frame.alive.shape
        flat = np.ravel_multi_index(tuple(self.at.T), shape)
        length = self.frame.alive.size
        moments = np.stack([np.bincount(flat, each, length) for each in features.T], axis=1)
        return dataclasses.replace(
            self.frame,
            group=self.at,
            moments=moments.reshape(*shape, features.shape[1]).astype(np.float64),
            alive=np.ones(shape, dtype=np.bool_),
        )

    def crossed(self, kept: BoolArray) -> FloatArray:
        """Shape (K, K): rows by class and answer of the entries that are kept."""
        flat = (self.own * self.size + self.answer)[kept]
        return np.bincount(flat, self.n[kept], self.size**2).reshape(self.size, self.size).astype(np.float64)

    def inside(self, place: Place) -> BoolArray:
        """Shape (N,): the entries of a place."""
        return dataclasses.replace(self.frame, group=self.at).inside(place)


def read_answers(diagnosis: Diagnosis, axes: Axes, tables: list[Cells]) -> list[Answered]:
    """The answers by the keys of each table, the whole first.

    Saved cells hold answers by version alone: there the whole has no time, and cohort columns are left out.

    Raises:
        SettingsError: not even that is held.
    """
    result: list[Answered] = []
    for table in tables:
        frame = make_block(table, axes, lambda cells: cells.sums[:, :1])
        try:
            counts = diagnosis.answers(*table.keys)
        except SettingsError:
            if frame.column is not None:
                continue
            counts = diagnosis.answers(VERSION)
        result.append(_placed(counts, frame, axes))
    return result


def _placed(counts: AnswerCounts, frame: Block, axes: Axes) -> Answered:
    n = len(counts.n)

    def codes(key: str, known: tuple[str, ...]) -> IntArray:
        place = {value: index for index, value in enumerate(known)}
        column = counts.keys[key]
        # A filter may leave no row of a value that the column has: no entry has it either.
        return np.array([place.get(str(value), NOWHERE) for value in column.values], np.int64)[column.codes]

    version = codes(VERSION, axes.versions)
    value = np.zeros(n, np.int64) if frame.column is None else codes(cohort_key(frame.column), frame.values)
    window = np.full(n, len(axes.windows), np.int64)
    if WINDOW in counts.keys:
        starts = counts.keys[WINDOW].values.astype(np.int64)
        place = np.where(starts == NO_WINDOW, len(axes.windows), np.searchsorted(axes.windows, starts))
        window = place[counts.keys[WINDOW].codes]
    at = np.stack([version, value, window], axis=1)
    return Answered(frame, at, counts.own, counts.answer, counts.n, len(counts.names))
