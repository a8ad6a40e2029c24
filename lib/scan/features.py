"""Many numeric columns at once: of each the cells that a comparison of two versions and an explanation of one need.

A query for each column would be put into words and planned for each, which costs more than its rows do. So the rows are
read with several columns beside them, and cut and added up as they come: no row is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np

from lib.cells import FINEST_STEPS, NO_MARGIN, VALUE_SUMS, WEIGHTED_VALUE_SUMS, Coded, ValueBins, ValueCells
from lib.scan.columns import Expression
from lib.scan.compute import PreparedRows, coded, filtered, to_sql, window_start
from lib.scan.hashes import in_sample
from lib.scan.raw import value_columns
from lib.scan.row_ids import N_FOLDS
from lib.scan.values import RawCursor, margin_bin, margin_factor
from lib.scan.windows import WindowGrid
from lib.schema import FOLD, NO_WINDOW, SPLIT, VERSION, WINDOW, Filter
from lib.sources import Dataset, RawTable
from lib.sources.engine import Run

COLUMNS_AT_ONCE = 30
"""So many columns are read with one query: wider rows cost more memory than a query costs time."""
ROWS_AT_ONCE = 100_000
MOST_SUMS = 4_000_000
"""Of all columns that are read at once: of many windows, splits and bins there are fewer."""


@dataclass(frozen=True, eq=False)
class FeatureCells:
    """Of one column: rows of two versions by version, split and window; those of the candidate by fold and margin."""

    moved: ValueCells
    folds: ValueCells


@dataclass(frozen=True, eq=False)
class FeatureRows:
    """Whose rows are read, and which of them.

    Attributes:
        dataset: whose columns.
        prepared: what is known of its prepared rows.
        open_raw: gives a cursor on those and on a file.
        where: the filter.
        windows: the grid of windows; None without times.
        first, last: epoch seconds of the earliest and latest row; None without times.
        versions: baseline and candidate, once each; the candidate last.
        one_in: only one row in so many.
    """

    dataset: Dataset
    prepared: PreparedRows
    open_raw: RawCursor
    where: Filter
    windows: WindowGrid | None
    first: int | None
    last: int | None
    versions: tuple[str, ...]
    one_in: int

    @property
    def starts(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Where windows begin, behind the place of rows without a time."""
        if self.windows is None or self.first is None or self.last is None:
            return np.array([NO_WINDOW])
        begin, width = self.windows.start(self.first), self.windows.width
        return np.concatenate(([NO_WINDOW], np.arange(begin, self.windows.start(self.last) + 1, width)))

    @property
    def n_groups(self) -> int:
        """How many combinations of version, split and window there may be."""
        return len(self.versions) * len(self.prepared.categories[SPLIT]) * len(self.starts)

    def batches(self, columns: Sequence[str], most_bins: int) -> Iterator[Sequence[str]]:
        """The columns that are read at once."""
        size = (most_bins + 1) * (self.n_groups + N_FOLDS * FINEST_STEPS)
        step = max(1, min(COLUMNS_AT_ONCE, MOST_SUMS // size))
        return (columns[begin : begin + step] for begin in range(0, len(columns), step))


def compute_feature_cells(rows: FeatureRows, bins: Sequence[ValueBins], run: Run) -> list[FeatureCells]:
    """The cells of numeric columns that are read at once.

    Args:
        rows: which.
        bins: how each column is cut.
        run: lets its owner cancel.

    Raises:
        Cancelled: `run` was cancelled.
    """
    sums = [_Sums(rows, each) for each in bins]
    for index, table in enumerate(rows.dataset.tables):
        present = [each for each in sums if table.has_column(each.bins.column)]
        names = [each.bins.column for each in present]
        with rows.open_raw(table, names) as cursor:
            for batch in cursor.sql(to_sql(_rows_with(rows, index, table, names))).to_arrow_reader(ROWS_AT_ONCE):
                run.check()
                read = {name: batch[name].to_numpy(zero_copy_only=False) for name in batch.schema.names}
                keys = _Keys.of(rows, read)
                for each in sums:
                    each.add(keys, read[f"value_{present.index(each)}"] if each in present else None)
    return [each.cells() for each in sums]


def _rows_with(rows: FeatureRows, index: int, table: RawTable, columns: Sequence[str]) -> Expression:
    """The rows of a file by what tells them apart, with some of its columns as `value_0` and so on."""
    prepared = rows.prepared
    held = filtered(prepared, rows.where)
    held = held.filter(held.file == index, held[VERSION].isin([prepared.code(VERSION, each) for each in rows.versions]))
    held = in_sample(held, "row", rows.one_in)
    window: Expression = ibis.literal(NO_WINDOW, "int64") if rows.windows is None else window_start(held, rows.windows)
    fields = {VERSION: held[VERSION], SPLIT: held[SPLIT], FOLD: held[FOLD], WINDOW: window, "margin": margin_bin(held)}
    if prepared.weighted:
        fields["weight"] = held.weight
    held = held.select(row=held.row, **fields)
    if not columns:
        return held
    values = value_columns(table, columns)
    return held.join(values, held.row == values["at"]).drop("at")


@dataclass(frozen=True, eq=False)
class _Keys:
    """Of a batch of rows: where each counts in the tables, and by what."""

    moved: np.ndarray[Any, np.dtype[np.int64]]
    is_candidate: np.ndarray[Any, np.dtype[np.bool_]]
    fold: np.ndarray[Any, np.dtype[np.int64]]
    margin: np.ndarray[Any, np.dtype[np.int64]]
    weight: np.ndarray[Any, np.dtype[np.float64]] | None

    @classmethod
    def of(cls, rows: FeatureRows, read: dict[str, Any]) -> _Keys:
        codes = [rows.prepared.code(VERSION, each) for each in rows.versions]
        version = np.argmax(read[VERSION][:, None] == np.array(codes), axis=1)
        window = np.searchsorted(rows.starts, read[WINDOW])
        splits = len(rows.prepared.categories[SPLIT])
        return cls(
            (version * splits + read[SPLIT]) * len(rows.starts) + window,
            version == len(codes) - 1,
            read[FOLD].astype(np.int64),
            read["margin"].astype(np.int64),
            read.get("weight"),
        )


class _Sums:
    """The two tables of one column while they grow."""

    def __init__(self, rows: FeatureRows, bins: ValueBins) -> None:
        self.bins, self._rows = bins, rows
        self._factor = margin_factor(rows.prepared, N_FOLDS, bins)
        self._steps = FINEST_STEPS // self._factor + 3
        names = WEIGHTED_VALUE_SUMS if rows.prepared.weighted else VALUE_SUMS
        self._moved = np.zeros((len(names), rows.n_groups * (len(bins) + 1)))
        self._folds = np.zeros((len(names), N_FOLDS * (len(bins) + 1) * self._steps))

    def add(self, keys: _Keys, value: np.ndarray[Any, Any] | None) -> None:
        """Add rows with their values; without any where the file has no such column."""
        number = np.full(len(keys.moved), np.nan) if value is None else value
        place = self.bins.place(number)
        number = np.nan_to_num(number)
        self._add(self._moved, keys.moved * (len(self.bins) + 1) + place, number, keys.weight)
        use = keys.is_candidate
        step = np.where(keys.margin[use] < -1, NO_MARGIN, keys.margin[use] // (2 * self._factor)) - NO_MARGIN
        at = (keys.fold[use] * (len(self.bins) + 1) + place[use]) * self._steps + step
        self._add(self._folds, at, number[use], None if keys.weight is None else keys.weight[use])

    @staticmethod
    def _add(sums: np.ndarray[Any, Any], at: np.ndarray[Any, Any], value: np.ndarray[Any, Any], weight: Any) -> None:
        sums[0] += np.bincount(at, minlength=sums.shape[1])
        sums[1] += np.bincount(at, value, minlength=sums.shape[1])
        sums[2] += np.bincount(at, value * value, minlength=sums.shape[1])
        if weight is not None:
            sums[3] += np.bincount(at, weight, minlength=sums.shape[1])
            sums[4] += np.bincount(at, weight * weight, minlength=sums.shape[1])

    def cells(self) -> FeatureCells:
        """What was added up."""
        rows, size = self._rows, len(self.bins) + 1
        at = np.flatnonzero(self._moved[0])
        group, place = np.divmod(at, size)
        group, window = np.divmod(group, len(rows.starts))
        version, split = np.divmod(group, len(rows.prepared.categories[SPLIT]))
        keys: dict[str, Any] = {
            VERSION: coded(rows.versions, version) if len(at) else Coded.of(np.zeros(0, str)),
            SPLIT: coded(rows.prepared.texts(SPLIT, rows.where), split),
            WINDOW: rows.starts[window],
        }
        none = np.full(len(at), NO_MARGIN)
        moved = ValueCells.build(keys, self.bins, place, none, self._moved[:, at].T, factor=0)
        at = np.flatnonzero(self._folds[0])
        group, step = np.divmod(at, self._steps)
        fold, place = np.divmod(group, size)
        folds = ValueCells.build(
            {FOLD: fold}, self.bins, place, step + NO_MARGIN, self._folds[:, at].T, factor=self._factor
        )
        return FeatureCells(moved, folds)
