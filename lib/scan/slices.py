"""Rows for a search of slices: an outcome of each, its half, and its level of some columns as a small number.

Cohort columns by their values, numbers at quantiles of the whole file, a missing value as a level of its own. Rows come
as they are read, and none is held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import ibis
import numpy as np

from lib.cells import ValueBins
from lib.metrics.estimates import IntArray
from lib.metrics.parts import count_usable
from lib.metrics.slice_sums import CodedRows, Condition, SearchedColumn
from lib.scan.columns import Expression
from lib.scan.compute import filtered, to_sql
from lib.scan.hashes import in_sample
from lib.scan.raw import value_columns
from lib.scan.row_bins import is_below
from lib.scan.scan import Scan
from lib.schema import EVERYTHING, FOLD, VERSION, Filter, cohort_key
from lib.sources.engine import Run

Outcome = Literal[
    "violation_rate", "error_rate", "miss_rate", "false_positive_rate", "average_logistic_loss", "average_hinge_loss"
]
"""What may be worse in a slice, by the name of its mean."""
LABEL_OF: dict[Outcome, int] = {"miss_rate": 1, "false_positive_rate": -1}
"""Outcomes that only rows of one label have; those of the other are no rows of the search."""

MOST_BINS = 10
"""Into how many bins a column of numbers is cut at most."""
MOST_VALUES = 15
"""Of so many values of a cohort column, those with most rows, each is a level; the others are none."""
ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class SliceRows:
    """Which rows are searched, and for what.

    Attributes:
        version: whose rows.
        outcome: what may be worse.
        margin_target: γ, of violations and hinge loss.
        where: the filter.
        one_in: only one row in so many.
    """

    version: str
    outcome: Outcome
    margin_target: float = 1.0
    where: Filter = EVERYTHING
    one_in: int = 1


@dataclass(frozen=True, eq=False)
class CodedColumn:
    """How a column becomes levels: numbers by their bins, the values of a cohort column by their place."""

    searched: SearchedColumn
    bins: ValueBins | None = None
    level_of: IntArray | None = None


def code_columns(scan: Scan, rows: SliceRows, columns: Sequence[str], run: Run) -> list[CodedColumn]:
    """How columns become levels, numeric features and cohort columns in any order.

    Raises:
        Cancelled: `run` was cancelled.
        SettingsError: no file has one of the columns.
    """
    numeric = [column for column in columns if column not in scan.facts.cohorts]
    bins = dict(zip(numeric, scan.bins_of(numeric, MOST_BINS, run), strict=True))
    return [_coded_numbers(bins[name]) if name in bins else _coded_values(scan, rows, name) for name in columns]


def _coded_numbers(bins: ValueBins) -> CodedColumn:
    starts, ends = np.concatenate(([-np.inf], bins.edges)), np.concatenate((bins.edges, [np.inf]))
    is_one = bins.lower == bins.upper
    levels = [
        Condition(bins.column, None, float(bins.lower[place] if is_one[place] else starts[place]),
                  float(bins.upper[place] if is_one[place] else ends[place]))
        for place in range(len(bins))
    ]  # fmt: skip
    edges = (-np.inf, *bins.edges.tolist(), np.inf)
    return CodedColumn(SearchedColumn(bins.column, (*levels, Condition(bins.column)), edges), bins=bins)


def _coded_values(scan: Scan, rows: SliceRows, column: str) -> CodedColumn:
    key = cohort_key(column)
    texts, cells = scan.prepared.categories[key], scan.cells((VERSION, key), rows.where)
    label = LABEL_OF.get(rows.outcome)
    cells = cells if label is None else cells.of_label(label)
    n = dict.fromkeys(texts, 0.0)
    held = zip(cells.groups[VERSION].tolist(), cells.groups[key].tolist(), count_usable(cells)[2], strict=True)
    n |= {value: float(count) for version, value, count in held if version == rows.version and value in n}
    told = sorted((text for text in texts if text != scan.prepared.gathered.get(key)), key=lambda text: -n[text])
    kept = sorted(told[:MOST_VALUES])
    level_of = np.array([kept.index(text) if text in kept else len(kept) for text in texts], np.int64)
    levels: list[Condition | None] = [Condition(column, text) for text in kept]
    # The others share a level, which nobody could be told of.
    return CodedColumn(SearchedColumn(column, (*levels, None)), level_of=level_of)


def read_coded(scan: Scan, rows: SliceRows, columns: Sequence[CodedColumn], run: Run) -> Iterator[CodedRows]:
    """The rows that have a score and a label, for some outcomes a certain one; some at a time.

    Raises:
        Cancelled: `run` was cancelled.
    """
    names = [column.searched.name for column in columns]
    for index, table in enumerate(scan.dataset.tables):
        numeric = [column for column in columns if column.bins is not None and table.has_column(column.searched.name)]
        order = [names.index(column.searched.name) for column in numeric]
        with scan.stored.open_raw(run)(table, [names[each] for each in order]) as cursor:
            query = to_sql(_asked(scan, rows, index, columns, order))
            for batch in cursor.sql(query).to_arrow_reader(ROWS_AT_ONCE):
                run.check()
                yield _coded({name: batch[name].to_numpy(zero_copy_only=False) for name in batch.schema.names}, columns)


def _coded(read: dict[str, Any], columns: Sequence[CodedColumn]) -> CodedRows:
    def code(place: int, column: CodedColumn) -> IntArray:
        if column.bins is None:
            assert column.level_of is not None
            return column.level_of[read[f"place_{place}"]]
        value = read.get(f"value_{place}")
        return column.bins.place(np.full(len(read[FOLD]), np.nan) if value is None else value)

    return CodedRows(
        tuple(code(place, column) for place, column in enumerate(columns)),
        read["outcome"].astype(np.float64),
        # The halves are those of an id, whatever its version.
        read[FOLD] % 2 == 0,
        read.get("weight"),
    )


def _asked(
    scan: Scan, rows: SliceRows, index: int, columns: Sequence[CodedColumn], numeric: Sequence[int]
) -> Expression:
    """The rows of a file, with places of cohort values as `place_0` and so on and numbers as `value_0`."""
    prepared = scan.prepared
    held, label = filtered(prepared, rows.where), LABEL_OF.get(rows.outcome)
    held = held.filter(
        held.file == index,
        held[VERSION] == prepared.code(VERSION, rows.version),
        held.label != 0 if label is None else held.label == label,
        held.score.notnull(),
    )
    held = in_sample(held, "row", rows.one_in)
    fields: dict[str, Any] = {FOLD: held[FOLD], "outcome": _outcome(held, rows)}
    fields |= {
        f"place_{place}": held[cohort_key(column.searched.name)]
        for place, column in enumerate(columns)
        if column.bins is None
    }
    if prepared.weighted:
        fields["weight"] = held.weight
    held = held.select(row=held.row, **fields)
    if not numeric:
        return held.drop("row")
    names = [columns[place].searched.name for place in numeric]
    values = value_columns(scan.dataset.tables[index], names)
    values = values.rename(
        {f"value_{place}": f"value_{order}" for order, place in enumerate(numeric) if place != order}
    )
    return held.join(values, held.row == values["at"]).drop("at", "row")


def _outcome(rows: Expression, asked: SliceRows) -> Any:
    if asked.outcome == "violation_rate":
        return is_below(rows, asked.margin_target).cast("float64")
    if asked.outcome in ("error_rate", *LABEL_OF):
        return ibis.ifelse(rows.label > 0, rows.score <= 0, rows.score > 0).cast("float64")
    if asked.outcome == "average_hinge_loss":
        short = asked.margin_target - rows.label * rows.score
        return ibis.ifelse(short > 0, short, 0.0)
    return rows.loss
