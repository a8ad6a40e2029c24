"""The few questions that need rows: the worst or most telling samples, those behind a bar, and what was rejected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import duckdb
import ibis
import pandas as pd

from lib.grid import MISSING_BIN
from lib.scan.columns import Expression
from lib.scan.compute import filtered, to_sql, window_start
from lib.scan.masking import mask_rows, mask_text
from lib.scan.rows import PROBLEMS, ROW_INDEX, is_below
from lib.scan.scan import Scan, quoted
from lib.schema import CLASS, EVERYTHING, PREDICTED, VERSION, Filter, Mapping
from lib.sources.engine import Run

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
    several classes a row with a label has +1, and `of_class` is the true one.
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


def count_rows(scan: Scan, query: RowQuery, run: Run | None = None) -> int:
    """How many rows a query finds, on all pages."""
    with scan.rows(run) as cursor:
        return int(cursor.execute(to_sql(_asked(scan, query).count().name("n").as_table())).fetchall()[0][0])


def list_rows(scan: Scan, query: RowQuery, run: Run | None = None) -> pd.DataFrame:
    """One page of the rows that a query asks for, as they stand in the file, with what was made of them.

    The frame has `file`, `record`, `version`, `label`, `score`, `margin`, `loss`, then the file's own columns; with
    several classes `class` and `predicted` in place of `label` and `score`. A row without a label has no `label`,
    `margin` or `loss`.
    """
    with scan.rows(run) as cursor:
        rows = _asked(scan, query)
        ordered = rows.order_by(*_ordering(rows, query.order)).limit(query.limit, offset=query.offset)
        named = [CLASS, PREDICTED] if scan.facts.mapping.is_multiclass else ["label", "score"]
        kept = ordered.select("file", "row", "version", *named, "margin", "loss")
        found = cursor.execute(to_sql(kept)).df()
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
    with scan.rows(run) as cursor:
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


def _ordering(rows: Expression, order: Order) -> list[Any]:
    first = {
        Order.LOSS: [rows.loss.desc(nulls_first=False)],
        Order.MARGIN: [rows.margin.asc(nulls_first=False)],
        Order.UNCERTAINTY: [rows.score.abs().asc(nulls_first=False)],
        Order.PLACE: [],
    }[order]
    return [*first, rows.file, rows.row]


def with_own_columns(scan: Scan, cursor: duckdb.DuckDBPyConnection, found: pd.DataFrame) -> pd.DataFrame:
    """The found rows with record numbers and the columns of their files, in the order found."""
    parts: list[pd.DataFrame] = []
    for index, table in enumerate(scan.dataset.tables):
        here = found[found["file"] == index]
        if here.empty:
            continue
        wanted = ", ".join(str(int(row)) for row in here["row"])
        own = cursor.execute(
            f"SELECT * FROM read_parquet({quoted(table.parquet)}, file_row_number = true) "
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
