"""The sorted table of cells, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lib.cells.places import Places, Scale
from lib.cells.sums import NEGATIVE, POSITIVE, UNWEIGHTED, WEIGHTED, Coded, FloatArray, IntArray, Parts, Sums
from lib.grid import MISSING_BIN, Resolution, coarsen_id


@dataclass(frozen=True, eq=False)
class Cells:
    """Sorted additive cells.

    Attributes:
        groups: for each key (label apart) the value of each of the G groups, shape (G,): text ("" where the row had
            none) or int64 (windows, folds). Groups are in ascending order of the keys.
        starts: shape (3·G + 1,), where the cells of each (group, label in −1, 0, +1) begin.
        score_bin, probability_bin: shape (N,), ids of `lib.grid` at this resolution's steps; `MISSING_BIN` for rows
            without a score, first in their block.
        score: shape (N,), the score of the cell at exact resolution, the mean score of its rows otherwise.
        sums: shape (N, 7) or, with weights, (N, 21), columns as in `WEIGHTED`.
        resolution: how finely scores are kept.
        weighted: whether rows had weights.
    """

    groups: dict[str, NDArray[np.generic]]
    starts: IntArray
    score_bin: IntArray
    probability_bin: IntArray
    score: FloatArray
    sums: FloatArray
    resolution: Resolution
    weighted: bool

    @classmethod
    def build(
        cls,
        keys: Mapping[str, ArrayLike | Coded],
        label: ArrayLike,
        score_bin: ArrayLike,
        probability_bin: ArrayLike,
        sums: ArrayLike,
        *,
        resolution: Resolution,
        score: ArrayLike | None = None,
    ) -> Cells:
        """Sort cells and add up those of equal keys, label and score.

        Args:
            keys: each shape (N,), text or integers, plain or already coded.
            label: shape (N,), −1, 0 or +1.
            score_bin: shape (N,), ids at the steps of `resolution`.
            probability_bin: shape (N,), likewise.
            sums: shape (N, 7), or (N, 21) with weights.
            resolution: what the ids are at.
            score: shape (N,), the scores themselves; needed and used at exact resolution.
        """
        statistics = np.asarray(sums, dtype=np.float64)
        bins, probability_bins = np.asarray(score_bin, np.int64), np.asarray(probability_bin, np.int64)
        labels = np.asarray(label, np.int64)
        scores = np.asarray(score, np.float64) if resolution.is_exact else np.zeros(len(bins))
        scores = np.where(bins == MISSING_BIN, 0.0, scores)
        uniques: list[NDArray[np.generic]] = []
        group = np.zeros(len(bins), dtype=np.int64)
        for column in keys.values():
            coded = Coded.of(column)
            uniques.append(coded.values)
            group = group * max(1, len(coded.values)) + coded.codes
        order = np.lexsort((scores, probability_bins, bins, labels, group))
        columns = [array[order] for array in (group, labels, bins, probability_bins)]
        group, labels, bins, probability_bins = columns
        scores, statistics = scores[order], statistics[order]
        if len(order):
            changed = np.zeros(len(order) - 1, dtype=bool)
            for array in (group, labels, bins, probability_bins, scores):
                changed |= array[1:] != array[:-1]
            first = np.concatenate(([0], np.flatnonzero(changed) + 1))
            if len(first) < len(order):
                statistics = np.add.reduceat(statistics, first, axis=0)
                group, labels, bins = group[first], labels[first], bins[first]
                probability_bins, scores = probability_bins[first], scores[first]
        present = np.unique(group)
        block = np.searchsorted(present, group) * 3 + (labels + 1)
        starts = np.searchsorted(block, np.arange(3 * len(present) + 1))
        remaining, group_values = present, []
        for unique in reversed(uniques):
            group_values.append(unique[remaining % max(1, len(unique))])
            remaining = remaining // max(1, len(unique))
        if not resolution.is_exact:
            with np.errstate(invalid="ignore", divide="ignore"):
                scores = np.where(bins == MISSING_BIN, 0.0, statistics[:, 1] / statistics[:, 0])
        return cls(
            groups=dict(zip(keys, reversed(group_values), strict=True)),
            starts=starts.astype(np.int64),
            score_bin=bins,
            probability_bin=probability_bins,
            score=scores,
            sums=statistics,
            resolution=resolution,
            weighted=statistics.shape[1] == len(WEIGHTED),
        )

    # --- what is there -------------------------------------------------------------------------------------------

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the keys, label apart."""
        return tuple(self.groups)

    @property
    def n_groups(self) -> int:
        """G, the number of distinct key combinations."""
        return (len(self.starts) - 1) // 3

    @cached_property
    def block(self) -> IntArray:
        """Shape (N,): 3·group + label index of each cell."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    @cached_property
    def _first_scored(self) -> IntArray:
        """Where the cells that have a score begin in each block."""
        low, high = self.starts[:-1], self.starts[1:]
        is_missing = np.zeros(len(low), dtype=np.int64)
        filled = high > low
        is_missing[filled] = self.score_bin[low[filled]] == MISSING_BIN
        return low + is_missing

    @cached_property
    def _cumulative(self) -> FloatArray:
        """Inclusive cumulative sums that start anew in each block, so that small groups keep their digits."""
        if (np.diff(self.starts) <= 1).all():
            return self.sums
        cumulative = np.empty_like(self.sums)
        for low, high in zip(self._first_scored, self.starts[1:], strict=True):
            np.cumsum(self.sums[low:high], axis=0, out=cumulative[low:high])
        return cumulative

    def _between(self, low: IntArray, high: IntArray) -> Sums:
        """Sums of the cells from each block's `low` up to, not including, `high`; shape (…, G, 3)."""
        begin = self._first_scored

        def upto(position: IntArray) -> FloatArray:
            filled = position > begin
            values = np.zeros((*position.shape, self.sums.shape[1]))
            values[filled] = self._cumulative[position[filled] - 1]
            return values

        values = upto(high) - upto(low)
        return Sums(values.reshape(*values.shape[:-2], self.n_groups, 3, values.shape[-1]), self.weighted)

    @cached_property
    def scored(self) -> Sums:
        """Shape (G, 3): sums over the rows that have a score, per group and label."""
        return self._between(self._first_scored, self.starts[1:])

    @cached_property
    def unscored(self) -> Sums:
        """Shape (G, 3): n and weights of the rows without a score; their other sums are 0."""
        has = self._first_scored > self.starts[:-1]
        values = np.zeros((len(has), self.sums.shape[1]))
        values[has] = self.sums[self.starts[:-1][has]]
        return Sums(values.reshape(self.n_groups, 3, self.sums.shape[1]), self.weighted)

    # --- thresholds ----------------------------------------------------------------------------------------------

    def at(self, threshold: ArrayLike, scale: Scale = "score") -> Parts:
        """Sums of the rows whose score is below, at and above a threshold.

        Args:
            threshold: a scalar or shape (T,), on the steps of this resolution; any value at exact resolution.
            scale: what the threshold is on.

        Returns:
            Parts with sums of shape (G, 3) for a scalar, (T, G, 3) for an array.

        Raises:
            SettingsError: a threshold lies between the steps and the resolution is not exact.
        """
        thresholds = np.asarray(threshold, dtype=np.float64)
        return self._parts(np.broadcast_to(thresholds[..., None], (*thresholds.shape, 3)), scale)

    def at_margin(self, threshold: ArrayLike) -> Parts:
        """Sums of the labelled rows whose margin m = y·s is below, at and above a threshold.

        Args:
            threshold: a scalar or shape (T,), on the steps of this resolution; any value at exact resolution.

        Returns:
            Parts with sums of shape (…, G, 2), labels −1 and +1, in which the moment `s` is the margin's: Σw·m.

        Raises:
            SettingsError: as `at`.
        """
        thresholds = np.asarray(threshold, dtype=np.float64)
        by_label = np.stack([-thresholds, np.zeros_like(thresholds), thresholds], axis=-1)
        parts = self._parts(by_label, "score")
        return Parts(
            below=self._as_margins(parts.above, parts.below),
            at=self._as_margins(parts.at, parts.at),
            above=self._as_margins(parts.below, parts.above),
        )

    @cached_property
    def margins(self) -> Sums:
        """Shape (G, 2): sums over the rows with a score and a label, the moment `s` being the margin's."""
        return self._as_margins(self.scored, self.scored)

    def _as_margins(self, negative: Sums, positive: Sums) -> Sums:
        values = np.stack([negative.values[..., NEGATIVE, :], positive.values[..., POSITIVE, :]], axis=-2)
        for name in ("s", "ws", "w2s") if self.weighted else ("s",):
            values[..., 0, WEIGHTED.index(name)] *= -1.0
        return Sums(values, self.weighted)

    def _parts(self, by_label: FloatArray, scale: Scale) -> Parts:
        low, high = self._places.around(by_label, scale)
        begin, end = self._first_scored, self.starts[1:]
        low, high = np.maximum(low, begin), np.maximum(high, begin)
        ends = np.broadcast_to(end, low.shape)
        return Parts(
            below=self._between(np.broadcast_to(begin, low.shape), low),
            at=self._between(low, high),
            above=self._between(high, ends),
        )

    @cached_property
    def _places(self) -> Places:
        return Places(self.block, self.score_bin, self.probability_bin, self.score, self.n_groups, self.resolution)

    # --- other tables from this one ------------------------------------------------------------------------------

    def rollup(self, keys: Sequence[str]) -> Cells:
        """The same rows by fewer keys.

        Raises:
            KeyError: a key is not among this table's.
        """
        dropped = [values for key, values in self.groups.items() if key not in keys]
        if [key for key in self.keys if key in keys] == list(keys) and all(is_constant(each) for each in dropped):
            # Nothing falls together: the arrays are shared, not copied.
            return replace(self, groups={key: self.groups[key] for key in keys})
        return self._rebuilt(keys, slice(None))

    def select(self, **values: object) -> Cells:
        """The groups whose keys have the given values, all keys kept; no group when none has."""
        return self.where(np.logical_and.reduce([self.groups[key] == value for key, value in values.items()], axis=0))

    def where(self, keep: NDArray[np.bool_]) -> Cells:
        """The groups for which `keep`, shape (G,), is true."""
        if keep.all():
            return self
        return self._rebuilt(self.keys, keep[self.block // 3])

    def without(self, part: Cells) -> Cells:
        """The rows that are not in `part`, which has the same keys and some of these rows.

        At the coarser of the two resolutions; counts subtract exactly, sums to rounding.
        """
        if not len(part.score):
            return self
        left = merge([self, replace(part, sums=-part.sums)])
        return left._rebuilt(left.keys, left.sums[:, 0] > 0)

    def among(self, key: str, values: Sequence[str]) -> Cells:
        """The groups whose key has one of the values; made once for the same values."""
        wanted = (key, *values)
        if wanted not in self._parts_made:
            self._parts_made[wanted] = self.where(np.isin(self.groups[key], values))
        return self._parts_made[wanted]

    def keyed(self, key: str, value: str) -> Cells:
        """The same groups with one key more, last, that is the same in all."""
        return replace(self, groups={**self.groups, key: np.full(self.n_groups, value)})

    def apart(self) -> Cells:
        """Each cell as a group of its own, under one key more, `cell`, in their order; made once."""
        if ("cell",) not in self._parts_made:
            group, cell = self.block // 3, np.arange(len(self.block))
            ends = np.searchsorted(3 * cell + self.block % 3, np.arange(3 * len(cell) + 1))
            groups = {**{key: values[group] for key, values in self.groups.items()}, "cell": cell}
            self._parts_made["cell",] = replace(self, groups=groups, starts=ends.astype(np.int64))
        return self._parts_made["cell",]

    def of_label(self, label: int) -> Cells:
        """The rows of one label, −1, 0 or +1, in the same groups: those of the others count nothing; made once."""
        wanted = (str(label),)
        if wanted not in self._parts_made:
            other = self.block % 3 - 1 != label
            self._parts_made[wanted] = replace(self, sums=np.where(other[:, None], 0.0, self.sums))
        return self._parts_made[wanted]

    @cached_property
    def _parts_made(self) -> dict[tuple[str, ...], Cells]:
        return {}

    def coarsen(self, resolution: Resolution) -> Cells:
        """The same rows at a coarser resolution.

        Raises:
            ValueError: `resolution` is finer than what is kept.
        """
        if resolution == self.resolution:
            return self
        if resolution.order < self.resolution.order:
            raise ValueError(f"cells at {self.resolution.name} cannot give {resolution.name}")
        return Cells.build(
            {key: self._coded(key) for key in self.keys},
            self.block % 3 - 1,
            coarsen_id(self.score_bin, resolution.score_factor // self.resolution.score_factor),
            coarsen_id(self.probability_bin, resolution.probability_factor // self.resolution.probability_factor),
            self.sums,
            resolution=resolution,
        )

    def columns(self) -> dict[str, NDArray[Any]]:
        """The cells as columns of equal length, keys first: what `Cells.build` takes and a file keeps."""
        group = self.block // 3
        names = WEIGHTED if self.weighted else UNWEIGHTED
        return {
            **{key: values[group] for key, values in self.groups.items()},
            "label": (self.block % 3 - 1).astype(np.int8),
            "score_bin": self.score_bin,
            "probability_bin": self.probability_bin,
            "score": self.score,
            **{name: self.sums[:, index] for index, name in enumerate(names)},
        }

    def _coded(self, key: str) -> Coded:
        by_group = Coded.of(self.groups[key])
        return Coded(by_group.values, by_group.codes[self.block // 3])

    def _rebuilt(self, keys: Sequence[str], kept: slice | NDArray[np.bool_]) -> Cells:
        coded = {key: self._coded(key) for key in keys}
        return Cells.build(
            {key: Coded(column.values, column.codes[kept]) for key, column in coded.items()},
            (self.block % 3 - 1)[kept],
            self.score_bin[kept],
            self.probability_bin[kept],
            self.sums[kept],
            resolution=self.resolution,
            score=self.score[kept],
        )


def is_constant(values: NDArray[Any]) -> bool:
    """Whether all are the same, as of none."""
    return bool((values == values[:1]).all())


def merge(tables: Iterable[Cells]) -> Cells:
    """Cells of several files, machines or days added up, at the coarsest of their resolutions.

    Counts add exactly, sums to rounding.

    Raises:
        ValueError: no table, or tables that differ in their keys or in having weights.
    """
    parts = list(tables)
    if not parts:
        raise ValueError("nothing to merge")
    if len({part.keys for part in parts}) > 1 or len({part.weighted for part in parts}) > 1:
        raise ValueError("cells with different keys, or with and without weights, cannot be merged")
    resolution = max((part.resolution for part in parts), key=lambda each: each.order)
    columns = [part.coarsen(resolution).columns() for part in parts]
    joined = {name: np.concatenate([each[name] for each in columns]) for name in columns[0]}
    names = WEIGHTED if parts[0].weighted else UNWEIGHTED
    return Cells.build(
        {key: joined[key] for key in parts[0].keys},
        joined["label"],
        joined["score_bin"],
        joined["probability_bin"],
        np.stack([joined[name] for name in names], axis=1),
        resolution=resolution,
        score=joined["score"] if resolution.is_exact else None,
    )
