"""Prepared rows to cells of another value column: a feature, a latency or a cost; a cohort column by its values.

The prepared rows hold no features. Those of the column that is looked at are joined to them from its file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import duckdb
import ibis
import numpy as np

from lib.cells import MOST_MARGIN, NO_MARGIN, VALUE_SUMS, WEIGHTED_VALUE_SUMS, Coded, ValueBins, ValueCells
from lib.errors import SettingsError
from lib.grid import MISSING_BIN, SCORE_STEPS_PER_UNIT
from lib.scan.columns import Expression
from lib.scan.compute import CELL_BUDGET, PreparedRows, coded, filtered, to_sql, window_start
from lib.scan.hashes import in_sample
from lib.scan.raw import value_columns, value_rows
from lib.scan.windows import WindowGrid
from lib.schema import FOLD, NO_WINDOW, VERSION, WINDOW, Filter, cohort_key
from lib.sources import Dataset, RawTable

EDGE_ROWS = 100_000
"""So many rows, of all files together, settle where a column is cut."""

TAILS = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015)
"""Where the tails of a column are cut beside the even cuts, so that a 99th percentile is told closely."""

FACTORS = (1, 5, 25)
"""Steps of margin of 0.02, 0.1 and 0.5; the finest is taken that fits the budget."""

RawCursor: TypeAlias = Callable[[RawTable, Sequence[str]], AbstractContextManager[duckdb.DuckDBPyConnection]]
"""Gives a cursor on which `prepared` and, of one file, `raw` with some of its columns are views."""


def choose_bins(dataset: Dataset, prepared: PreparedRows, open_raw: RawCursor, column: str, most: int) -> ValueBins:
    """Cut a column once for all its rows: by value where few are distinct, else at quantiles, tails finer.

    Raises:
        SettingsError: no file has the column.
    """
    if column in dataset.mapping.cohorts:
        return ValueBins.of_categories(column, prepared.categories[cohort_key(column)])
    return choose_all_bins(dataset, open_raw, [column], most)[0]


def choose_all_bins(dataset: Dataset, open_raw: RawCursor, columns: Sequence[str], most: int) -> list[ValueBins]:
    """The same of several numeric columns, which are read together.

    Raises:
        SettingsError: no file has one of the columns.
    """
    made: dict[str, ValueBins] = {}
    for column in columns:
        tables = [table for table in dataset.tables if table.has_column(column)]
        if not tables:
            raise SettingsError(f"There is no column {column}.")
        listed = [_listed(table, column) for table in tables]
        few = {value for values in listed for value in values or ()}
        if None not in listed and 0 < len(few) <= most:
            made[column] = ValueBins.of_values(column, sorted(few))
    many = [column for column in columns if column not in made]
    seen: dict[str, list[np.ndarray[Any, Any]]] = {column: [] for column in many}
    ends: dict[str, list[float]] = {column: [] for column in many}
    n_rows = {column: sum(table.n_rows for table in dataset.tables if table.has_column(column)) for column in many}
    for table in dataset.tables:
        # Columns that are in the same files are sampled alike.
        for one_in in sorted({math.ceil(n_rows[column] / EDGE_ROWS) for column in many}):
            own = [c for c in many if table.has_column(c) and math.ceil(n_rows[c] / EDGE_ROWS) == one_in]
            if own:
                _look_at_values(table, open_raw, own, one_in, seen, ends)
    for column in many:
        if not ends[column]:
            made[column] = ValueBins.of_values(column, [])
            continue
        sample = np.concatenate(seen[column])
        edges = np.quantile(sample, levels(most)) if len(sample) else []
        made[column] = ValueBins.of_edges(column, edges, min(ends[column]), max(ends[column]))
    return [made[column] for column in columns]


def _look_at_values(
    table: RawTable,
    open_raw: RawCursor,
    columns: list[str],
    one_in: int,
    seen: dict[str, list[np.ndarray[Any, Any]]],
    ends: dict[str, list[float]],
) -> None:
    """Add to what was seen the values of a sample of rows, and the least and greatest of all."""
    with open_raw(table, columns) as cursor:
        values = value_columns(table, columns)
        names = [f"value_{place}" for place in range(len(columns))]
        found = cursor.sql(to_sql(in_sample(values, "at", one_in).select(*names))).to_arrow_table()
        extremes: dict[str, Any] = {f"least_{name}": values[name].min() for name in names}
        extremes |= {f"greatest_{name}": values[name].max() for name in names}
        row = cursor.execute(to_sql(values.aggregate(**extremes))).fetchall()[0]
    for place, column in enumerate(columns):
        seen[column].append(found[names[place]].drop_null().to_numpy())
        ends[column] += [end for end in (row[place], row[place + len(columns)]) if end is not None]


def _listed(table: RawTable, column: str) -> list[float] | None:
    """The distinct numbers of a column where the file's profile lists all of its values; None where it does not."""
    profile = table.column(column)
    if profile.kind not in ("integer", "float", "float32") or profile.n_distinct != len(profile.values):
        return None
    values = [float(text) for text, _count in profile.values]
    return [value for value in values if math.isfinite(value)]


def levels(most: int) -> list[float]:
    """Levels of the inner edges: even ones, and those of both tails where there are bins enough."""
    tails = TAILS if most > 4 * len(TAILS) else ()
    even = np.linspace(0, 1, most - 2 * len(tails) + 1)[1:-1].tolist()
    return sorted({*tails, *even, *(1 - level for level in tails)})


def compute_value_cells(
    dataset: Dataset,
    prepared: PreparedRows,
    open_raw: RawCursor,
    bins: ValueBins,
    keys: Sequence[str],
    where: Filter,
    windows: WindowGrid | None,
    *,
    versions: Sequence[str] = (),
    margins: bool = False,
    n_groups: int = 1,
    one_in: int = 1,
) -> ValueCells:
    """Cells of the usable rows that pass a filter, by any of the keys and the bins of a column, file by file.

    Args:
        dataset: whose column it is.
        prepared: what is known of its prepared rows.
        open_raw: gives a cursor on those and on a file.
        bins: how the column is cut.
        keys: key names; `fold` among them.
        where: which rows.
        windows: the grid of the key `window`.
        versions: only rows of these; of all where there are none.
        margins: whether to cross with steps of margin.
        n_groups: about how many combinations of key values there are.
        one_in: only one row in so many.
    """
    factor = margin_factor(prepared, n_groups, bins) if margins else 0
    names = WEIGHTED_VALUE_SUMS if prepared.weighted else VALUE_SUMS
    rows = filtered(prepared, where)
    if versions:
        rows = rows.filter(rows[VERSION].isin([prepared.code(VERSION, version) for version in versions]))
    rows = in_sample(rows, "row", one_in)
    parts: list[Any] = []
    for index, table in enumerate(dataset.tables):
        own = [bins.column] if not bins.is_categorical and table.has_column(bins.column) else []
        with open_raw(table, own) as cursor:
            if own:
                cursor.execute(f"CREATE OR REPLACE TEMP VIEW binned AS {_binned(table, bins)}")
            here = _with_value(rows.filter(rows.file == index), bins, joined=bool(own))
            grouped = _grouped(here, keys, windows, bins, factor, names)
            parts.append(cursor.sql(to_sql(grouped)).to_arrow_table())

    def column(name: str) -> np.ndarray[Any, Any]:
        return np.concatenate([part[name].to_numpy(zero_copy_only=False) for part in parts])

    def key_column(name: str) -> Coded | np.ndarray[Any, Any]:
        if name not in prepared.categories:
            return column(name).astype(np.int64)
        return coded(prepared.texts(name, where), column(name))

    sums = np.stack([np.nan_to_num(column(name).astype(np.float64)) for name in names], axis=1)
    return ValueCells.build(
        {key: key_column(key) for key in keys}, bins, column("bin"), column("step"), sums, factor=factor
    )


def margin_factor(prepared: PreparedRows, n_groups: int, bins: ValueBins) -> int:
    """How many of the finest steps of margin make one of a table by so many groups."""
    if prepared.n_rows <= CELL_BUDGET:
        return 1
    fitting = [f for f in FACTORS if n_groups * (len(bins) + 1) * MOST_MARGIN * SCORE_STEPS_PER_UNIT / f <= CELL_BUDGET]
    return min(fitting, default=FACTORS[-1])


def _with_value(rows: Expression, bins: ValueBins, *, joined: bool) -> Expression:
    """The rows with their `value` and its `bin`."""
    missing = len(bins)
    if bins.is_categorical:
        code = rows[cohort_key(bins.column)]
        none = bins.categories.index("") if "" in bins.categories else -1
        return rows.mutate(value=code.cast("float64"), bin=ibis.ifelse(code == none, missing, code).cast("int16"))
    if not joined:
        return rows.mutate(value=ibis.null("float64"), bin=ibis.literal(missing, "int16"))
    values: Expression = ibis.table({"at": "int64", "value": "float64", "bin": "int16"}, name="binned")
    return rows.join(values, rows.row == values["at"])


def _binned(table: RawTable, bins: ValueBins) -> str:
    """The query of the values of a column of a file and their bins."""
    place = f"CASE WHEN value IS NULL THEN {len(bins)} ELSE {_place(bins.edges.tolist(), 0)} END"
    return f"SELECT *, CAST({place} AS SMALLINT) AS bin FROM ({to_sql(value_rows(table, bins.column))}) AS numbers"


def _place(edges: list[float], first: int) -> str:
    """The bin of `value` by halving: as many comparisons as the logarithm of the bins.

    Standard SQL, as Ibis makes of nested cases in a hundred times the time. With an exponent an edge is a double to the
    engine and no decimal number.
    """
    if not edges:
        return str(first)
    middle = len(edges) // 2
    below, above = _place(edges[:middle], first), _place(edges[middle + 1 :], first + middle + 1)
    return f"CASE WHEN value < {edges[middle]:.16e} THEN {below} ELSE {above} END"


def _grouped(
    rows: Expression,
    keys: Sequence[str],
    windows: WindowGrid | None,
    bins: ValueBins,
    factor: int,
    names: Sequence[str],
) -> Expression:
    by: dict[str, Any] = {key: rows[key] for key in keys if key != WINDOW}
    if FOLD in keys:
        by[FOLD] = rows[FOLD].cast("int64")
    if WINDOW in keys:
        by[WINDOW] = ibis.literal(NO_WINDOW, "int64") if windows is None else window_start(rows, windows)
    by["bin"], by["step"] = rows["bin"], _step(rows, factor)
    value = rows["value"]
    sums: dict[str, Any] = {"n": rows.count(), "v": value.sum(), "vv": (value * value).sum()}
    if "w" in names:
        sums |= {"w": rows["weight"].sum(), "w2": (rows["weight"] * rows["weight"]).sum()}
    return rows.aggregate(by=[each.name(name) for name, each in by.items()], **sums)


def _step(rows: Expression, factor: int) -> Any:
    """⌊m / width⌋ within −1 and the last step, from the bin of the score; ids of edges are even, of intervals odd."""
    if not factor:
        return ibis.literal(NO_MARGIN, "int16")
    margin = margin_bin(rows)
    step = (margin / (2.0 * factor)).floor().cast("int16")
    return ibis.ifelse(margin == NO_MARGIN, NO_MARGIN, step).cast("int16")


def margin_bin(rows: Expression) -> Any:
    """The id of the bin of a row's margin, −1 for all below 0, at most `MOST_MARGIN`; `NO_MARGIN` without one."""
    ids = (rows["label"] * rows["score_bin"]).cast("int32").clip(-1, 2 * int(MOST_MARGIN * SCORE_STEPS_PER_UNIT))
    usable = (rows["label"] != 0) & (rows["score_bin"] != MISSING_BIN)
    return ibis.ifelse(usable, ids, NO_MARGIN).cast("int16")
