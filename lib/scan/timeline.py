"""Prepared rows to counts along time: one grouping by version, a cohort column and short buckets.

Saved cells have no rows: theirs is counted from the table over windows, each of which is then a bucket.
"""

from __future__ import annotations

from typing import Any

import duckdb
import ibis
import numpy as np

from lib.cells import COUNTS, NEGATIVE, POSITIVE, Cells, Timeline
from lib.scan.compute import PreparedRows, filtered, key_columns, to_sql
from lib.scan.windows import DAY, FIRST_MONDAY, HOUR, MINUTE, WEEK, WindowGrid
from lib.schema import NO_WINDOW, VERSION, WINDOW, Filter, cohort_key

WIDTHS = (5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, WEEK)
MOST_BUCKETS = 10_000
MOST_ENTRIES = 400_000
"""Of buckets with rows, all versions and cohort values together: 40 MB."""
SNAP = 2e-11
"""How near γ a margin counts as equal to it, as a bin does."""


def choose_buckets(first: int, last: int, n_rows: int, n_groups: int = 1) -> WindowGrid:
    """The finest of `WIDTHS` with at most 10,000 buckets and 400,000 entries; a minute within a day.

    Args:
        first: epoch second of the earliest row.
        last: epoch second of the latest row.
        n_rows: how many rows there are, so how many entries there are at most.
        n_groups: how many combinations of version and cohort value.
    """
    for width in WIDTHS if last - first > DAY else (MINUTE, *WIDTHS):
        grid = WindowGrid(width, FIRST_MONDAY if width >= WEEK else 0)
        count = (grid.start(last) - grid.start(first)) // width + 1
        if count <= MOST_BUCKETS and min(n_rows, count * n_groups) <= MOST_ENTRIES:
            return grid
    return WindowGrid(WIDTHS[-1], FIRST_MONDAY)


def count_timeline(
    cursor: duckdb.DuckDBPyConnection,
    prepared: PreparedRows,
    column: str | None,
    where: Filter,
    grid: WindowGrid,
    margin_target: float,
    *,
    first: int,
    last: int,
    is_calibratable: bool,
) -> Timeline:
    """Counts of the usable rows that pass a filter.

    Args:
        cursor: an engine cursor on which `prepared` is a view.
        prepared: what is known of those rows.
        column: a cohort column, or none.
        where: which rows.
        grid: the buckets.
        margin_target: γ.
        first: epoch second of the earliest row.
        last: epoch second of the latest row.
        is_calibratable: whether p is a probability of one of two classes, so that errors can be expected from it.
    """
    key = None if column is None else cohort_key(column)
    rows = filtered(prepared, where)
    rows = rows.filter(rows.time.notnull())
    by = key_columns(rows, [VERSION, *([] if key is None else [key]), WINDOW], grid)
    grouped = rows.aggregate(
        by=[each.name(name) for name, each in by.items()],
        **_sums(rows, margin_target, is_calibratable=is_calibratable),
    )
    table = cursor.sql(to_sql(grouped)).to_arrow_table()

    def numbers(name: str) -> np.ndarray[Any, Any]:
        return table[name].to_numpy(zero_copy_only=False)

    start = grid.start(first)
    bucket = (numbers(WINDOW).astype(np.int64) - start) // grid.width
    zeros = np.zeros(len(bucket), np.int64)
    return Timeline(
        start,
        grid.width,
        (grid.start(last) - start) // grid.width + 1,
        margin_target,
        prepared.texts(VERSION, where),
        ("",) if key is None else prepared.texts(key, where),
        numbers(VERSION).astype(np.int64),
        zeros if key is None else numbers(key).astype(np.int64),
        bucket,
        np.stack([np.nan_to_num(numbers(name).astype(np.float64)) for name in COUNTS], axis=1),
    )


def _sums(rows: Any, margin_target: float, *, is_calibratable: bool) -> dict[str, Any]:
    """The sums of `COUNTS`, by their names."""

    def count(condition: Any) -> Any:
        return condition.cast("int64").sum()

    scored = rows.score.notnull()
    both = scored & (rows.label != 0)
    gamma = margin_target - SNAP
    sums: dict[str, Any] = {
        "n": rows.count(),
        "scored": count(scored),
        "labelled": count(both),
        "violations": count(both & (rows.label * rows.score < gamma)),
        "positives": count(both & (rows.label > 0)),
        "missed": count((rows.label > 0) & (rows.score <= 0)),
        "false_alarms": count((rows.label < 0) & (rows.score > 0)),
    }
    p: Any = rows.probability
    below: Any = ibis.ifelse(rows.score < gamma, p, 0.0)
    violation = below + ibis.ifelse(-rows.score < gamma, 1 - p, 0.0)
    error: Any = ibis.ifelse(rows.score > 0, 1 - p, p)
    for name, each in (("expected_violations", violation), ("expected_errors", error)):
        among = {name: scored, f"{name}_labelled": both}
        sums |= {called: _expected(each, rows_of, is_known=is_calibratable) for called, rows_of in among.items()}
    return sums


def _expected(each: Any, among: Any, *, is_known: bool) -> Any:
    """The sum of an expectation over some rows; 0 where nothing can be expected."""
    held: Any = ibis.ifelse(among, each if is_known else ibis.literal(0.0), 0.0)
    return held.sum()


def timeline_of_cells(cells: Cells, column: str | None, grid: WindowGrid, margin_target: float) -> Timeline:
    """Counts from cells by version, window and a cohort column, if any; nothing is expected of rows without labels."""
    held = cells.where(cells.groups[WINDOW] != NO_WINDOW)
    versions, version = np.unique(held.groups[VERSION].astype(str), return_inverse=True)
    values, value = np.array([""]), np.zeros(held.n_groups, np.int64)
    if column is not None:
        values, value = np.unique(held.groups[cohort_key(column)].astype(str), return_inverse=True)
    starts = held.groups[WINDOW].astype(np.int64)
    start = int(starts.min()) if len(starts) else 0
    bucket = (starts - start) // grid.width
    scored, decided = held.scored.n, held.at(0.0)
    counts = np.zeros((held.n_groups, len(COUNTS)))
    counts[:, 1] = scored.sum(axis=1)
    counts[:, 0] = counts[:, 1] + held.unscored.n.sum(axis=1)
    counts[:, 2] = held.margins.n.sum(axis=1)
    counts[:, 3] = held.at_margin(margin_target).below.n.sum(axis=1)
    counts[:, 4] = scored[:, POSITIVE]
    counts[:, 5] = (decided.below + decided.at).n[:, POSITIVE]
    counts[:, 6] = decided.above.n[:, NEGATIVE]
    n_buckets = int(bucket.max()) + 1 if len(bucket) else 0
    return Timeline(
        start,
        grid.width,
        n_buckets,
        margin_target,
        tuple(versions.tolist()),
        tuple(values.tolist()),
        version.astype(np.int64),
        value.astype(np.int64),
        bucket,
        counts,
    )
