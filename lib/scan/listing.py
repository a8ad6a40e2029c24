"""The few questions that need rows: the worst or most telling samples, those behind a bar, and what was rejected."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import duckdb
import ibis
import pandas as pd

from lib.grid import MISSING_BIN
from lib.metrics.slice_sums import Condition
from lib.scan.columns import Expression
from lib.scan.compute import filtered, to_sql, window_start
from lib.scan.masking import mask_rows, mask_text
from lib.scan.raw import ROW_INDEX, value_columns
from lib.scan.row_bins import is_below
from lib.scan.row_problems import PROBLEMS
from lib.scan.scan import Scan
from lib.schema import CLASS, EVERYTHING, PREDICTED, VERSION, Filter, Mapping
from lib.sources.engine import Run
from lib.sources.sql import quote_text

PAGE_ROWS = 200
EXPORT_ROWS = 100_000
LEFT_OUT, COUNTED = "left out", "counted"


class Order(StrEnum):
    """By what rows are listed, most telling first."""

    LOSS = "loss"
    MARGIN = "margin"
    UNCERTAINTY = "uncertainty"
    PLACE = "place"


@dataclass(frozen=True)
class RowQuery:
    """Which rows, in which order.

    Margins are half-open, `margin_from` included and `margin_to` not. On multiples of 0.02 it is the same comparison as
    the bars of a histogram, so that the rows behind a bar are as many as the bar says. `label` is −1, 0 or +1; with
    several classes a row with a label has +1, and `of_class` is the true one. `numbers` are ranges of numeric columns
    that must all hold, for slices that are cut by them.
    """

    where: Filter = EVERYTHING
    version: str | None = None
    label: int | None = None
    margin_from: float | None = None
    margin_to: float | None = None
    window: int | None = None
    order: Order = Order.LOSS
    limit: int = PAGE_ROWS
    offset: int = 0
    of_class: str | None = None
    numbers: tuple[Condition, ...] = ()


def count_rows(scan: Scan, query: RowQuery, run: Run | None = None) -> int:
    """How many rows a query finds, on all pages."""
    return sum(
        int(cursor.execute(to_sql(rows.count().name("n").as_table())).fetchall()[0][0])
        for cursor, rows in _relations(scan, query, run)
    )


def list_rows(scan: Scan, query: RowQuery, run: Run | None = None) -> pd.DataFrame:
    """One page of the rows that a query asks for, as they stand in the file, with what was made of them.

    The frame has `file`, `record`, `version`, `label`, `score`, `margin`, `loss`, then the file's own columns; with
    several classes `class` and `predicted` in place of `label` and `score`. A row without a label has no `label`,
    `margin` or `loss`.
    """
    named = [CLASS, PREDICTED] if scan.facts.mapping.is_multiclass else ["label", "score"]
    parts: list[pd.DataFrame] = []
    for cursor, rows in _relations(scan, query, run):
        first = rows.mutate(first=_first(rows, query.order))
        ordered = first.order_by(first["first"].asc(nulls_first=False), first.file, first.row)
        # Of several files each gives what the page could need of it.
        last, skipped = (query.offset + query.limit, 0) if query.numbers else (query.limit, query.offset)
        kept = ordered.limit(last, offset=skipped).select("file", "row", "version", *named, "margin", "loss", "first")
        parts.append(cursor.execute(to_sql(kept)).df())
    found = pd.concat(parts).sort_values(["first", "file", "row"], ignore_index=True).drop(columns="first")
    if query.numbers:
        found = found.iloc[query.offset : query.offset + query.limit].reset_index(drop=True)
    with scan.stored.rows(run) as cursor:
        if "label" in named:
            # Whole numbers, with nothing where there is no label: a 0 would read as one.
            found["label"] = found["label"].astype("Int8").where(found["label"] != 0)
        for key in (VERSION, *(name for name in named if name in scan.prepared.categories)):
            found[key] = [scan.prepared.categories[key][code] for code in found[key]]
        return with_own_columns(scan, cursor, found)


def list_rejected(scan: Scan, limit: int = EXPORT_ROWS, run: Run | None = None) -> pd.DataFrame:
    """Records with a problem: `file`, `record`, `column`, `found`, `problem` in words, `outcome`."""
    mapping, tables = scan.dataset.mapping, scan.dataset.tables
    column_of = {
        "score-unreadable": mapping.score,
        "score-infinite": mapping.score,
        "score-not-a-probability": mapping.score,
        "probabilities-sum": mapping.score,
        "label-unknown": mapping.label or "",
        "class-unknown": mapping.label or "",
        "weight-invalid": mapping.weight or "",
        "time-unreadable": mapping.time or "",
    }
    structural = [
        {
            "file": table.name,
            "record": line.record,
            "column": line.column,
            "found": mask_text(line.found),
            "problem": line.reason,
            "outcome": LEFT_OUT,
        }
        for table in tables
        for line in table.rejected
    ]
    with scan.stored.rows(run) as cursor:
        rows = scan.prepared.relation()
        rows = rows.filter(rows.problem.notnull()).order_by("file", "row").limit(limit).select("file", "row", "problem")
        found = cursor.execute(to_sql(rows)).df()
        own = with_own_columns(scan, cursor, found)
    listed = [
        {
            "file": row["file"],
            "record": row["record"],
            "column": column_of[row["problem"]],
            "found": _found(row, column_of[row["problem"]], mapping),
            "problem": PROBLEMS[row["problem"]][1],
            "outcome": COUNTED if PROBLEMS[row["problem"]][0] else LEFT_OUT,
        }
        for row in own.to_dict("records")
    ]
    frame = pd.DataFrame([*structural, *listed], columns=["file", "record", "column", "found", "problem", "outcome"])
    return frame.sort_values(["file", "record"], kind="stable", ignore_index=True).head(limit)


def _asked(scan: Scan, query: RowQuery) -> Expression:
    rows = filtered(scan.prepared, query.where)
    none, unlabelled = ibis.null("float64"), rows.label == 0
    rows = rows.mutate(
        margin=ibis.ifelse(unlabelled, none, rows.label * rows.score), loss=ibis.ifelse(unlabelled, none, rows.loss)
    )
    conditions: list[Any] = []
    if query.version is not None:
        conditions.append(rows.version == scan.prepared.code(VERSION, query.version))
    if query.label is not None:
        conditions.append(rows.label == query.label)
    if query.of_class is not None:
        conditions.append(rows[CLASS] == scan.prepared.code(CLASS, query.of_class))
    if query.margin_from is not None or query.margin_to is not None:
        conditions += [rows.label != 0, rows.score_bin != MISSING_BIN]
        if query.margin_from is not None:
            conditions.append(~is_below(rows, query.margin_from))
        if query.margin_to is not None:
            conditions.append(is_below(rows, query.margin_to))
    if query.window is not None and scan.facts.windows is not None:
        conditions.append(window_start(rows, scan.facts.windows) == query.window)
    return rows.filter(conditions) if conditions else rows


def _relations(scan: Scan, query: RowQuery, run: Run | None) -> Iterator[tuple[duckdb.DuckDBPyConnection, Expression]]:
    """The rows that a query asks for, with a cursor for them: file by file where they are cut by numbers of these."""
    if not query.numbers:
        with scan.stored.rows(run) as cursor:
            yield cursor, _asked(scan, query)
        return
    for index, table in enumerate(scan.dataset.tables):
        present = [each for each in query.numbers if table.has_column(each.column)]
        if not all(each.is_missing for each in query.numbers if each not in present):
            continue
        rows = _asked(scan, query)
        rows = rows.filter(rows.file == index)
        with scan.stored.open_raw(run or Run())(table, [each.column for each in present]) as cursor:
            if present:
                values = value_columns(table, [each.column for each in present])
                joined = rows.join(values, rows.row == values["at"])
                rows = joined.filter([_is_within(joined[f"value_{at}"], each) for at, each in enumerate(present)])
            yield cursor, rows


def _is_within(value: Any, condition: Condition) -> Any:
    """Whether a number lies in a range."""
    if condition.is_missing:
        return value.isnull()
    if condition.lower == condition.upper:
        return value == condition.lower
    inside: Any = value.notnull()
    if math.isfinite(condition.lower):
        inside &= value >= condition.lower
    return inside & (value < condition.upper) if math.isfinite(condition.upper) else inside


def _first(rows: Expression, order: Order) -> Any:
    """What is least in the rows that come first."""
    return {
        Order.LOSS: -rows.loss,
        Order.MARGIN: rows.margin,
        Order.UNCERTAINTY: rows.score.abs(),
        Order.PLACE: ibis.literal(0.0),
    }[order]


def with_own_columns(scan: Scan, cursor: duckdb.DuckDBPyConnection, found: pd.DataFrame) -> pd.DataFrame:
    """The found rows with record numbers and the columns of their files, in the order found."""
    parts: list[pd.DataFrame] = []
    for index, table in enumerate(scan.dataset.tables):
        here = found[found["file"] == index]
        if here.empty:
            continue
        wanted = ", ".join(str(int(row)) for row in here["row"])
        own = cursor.execute(
            f"SELECT * FROM read_parquet({quote_text(str(table.parquet))}, file_row_number = true) "
            f"WHERE {ROW_INDEX} IN ({wanted})"
        ).df()
        own = own.set_index(ROW_INDEX).loc[here["row"].to_numpy()]
        own.index = here.index
        own = own[[name for name in own.columns if name not in here.columns]]
        part = here.join(own)
        part.insert(1, "record", [table.record_number(int(row)) for row in here["row"]])
        parts.append(part.assign(file=table.name).drop(columns="row"))
    if not parts:
        return found.drop(columns="row").assign(record=pd.Series(dtype="int64"))
    listed = pd.concat(parts).loc[found.index].reset_index(drop=True)
    return mask_rows(listed, kept=[*found.columns, "record"])


def _found(row: dict[Any, Any], column: str, mapping: Mapping) -> str:
    """What stood in the column of a problem; of the scores of several classes all of them."""
    if mapping.is_multiclass and column == mapping.score:
        return ", ".join(_as_text(row.get(name)) or "(missing)" for name in mapping.score_columns)
    return _as_text(row.get(column))


def _as_text(value: object) -> str:
    return "" if value is None or value != value else str(value)
