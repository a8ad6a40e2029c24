"""Prepared rows to cells: one grouping for any keys, value and filter, at the finest resolution that fits a budget."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np

from lib.cells import MOMENTS, UNWEIGHTED, WEIGHTED, Cells, Coded
from lib.grid import COARSE, EXACT, FINE, MEDIUM, RESOLUTIONS, Resolution
from lib.scan.classes import against_the_rest, of_the_answer
from lib.scan.columns import Expression
from lib.scan.hashes import hash_of
from lib.scan.row_bins import coarse_bin, with_losses
from lib.scan.rows import Categories, Gathered, value_key
from lib.scan.windows import WindowGrid
from lib.schema import (
    CLASS,
    LABEL,
    NO_WINDOW,
    ONE_VS_REST,
    SPLIT,
    TOP_LABEL,
    VERSION,
    WINDOW,
    Filter,
    Outside,
    cohort_key,
)

CELL_BUDGET = 250_000
"""How many cells a table may have; the finest resolution that stays below it is used."""

CELLS_SCHEMA_VERSION = 1
"""Changes whenever the meaning of a cell does, so that nothing cached before is taken for it."""

USUAL_BINS = {FINE: 1_500, MEDIUM: 330, COARSE: 60}
"""How many bins a well-filled group has, both labels together, as measured on normal scores of spread 2: a group of
thousands of rows has fewer, so that this errs towards trying."""

PROBE_ROWS = 300_000
"""So many first rows with more distinct scores than the budget settle that exact cells will not fit."""


@dataclass(frozen=True)
class PreparedRows:
    """Where the prepared rows of a dataset lie, and what is needed to group them."""

    path: Path
    n_rows: int
    weighted: bool
    has_time: bool
    has_id: bool
    has_number_ids: bool
    categories: Categories
    gathered: Gathered
    few_scores: bool
    """Whether the scores are few enough that exact cells may fit."""
    class_names: tuple[str, ...] = ()
    """Several classes, in the order of `class_scores`."""

    def code(self, key: str, text: str) -> int:
        """By what number the rows name a version, a split or a cohort value; −1 for one that no row has."""
        return self.categories[key].index(text) if text in self.categories[key] else -1

    def texts(self, key: str, where: Filter) -> tuple[str, ...]:
        """The texts of a categorical key by their number, among the rows of a filter.

        Where the filter is to a value that is gathered with others, that number stands for this value alone.
        """
        texts = self.categories[key]
        chosen = next((value for column, value in where.cohorts if cohort_key(column) == key), None)
        if chosen is None or key not in self.gathered or chosen in texts:
            return texts
        return tuple(chosen if text == self.gathered[key] else text for text in texts)

    def is_value(self, rows: Expression, key: str, text: str) -> Any:
        """Whether a row has that version, split or cohort value."""
        if key in self.gathered and text not in self.categories[key]:
            return rows[value_key(key)] == hash_of(ibis.literal(text, "string"))
        return rows[key] == self.code(key, text)

    def relation(self) -> Expression:
        """The unbound relation `prepared` of `lib.scan.rows.prepared_rows`."""
        fields = {
            "file": "int32",
            "row": "int64",
            "label": "int8",
            "score": "float64",
            "probability": "float64",
            "loss": "float64",
            "score_bin": "int32",
            "probability_bin": "int32",
            "fold": "int8",
            "problem": "string",
            "usable": "boolean",
            **dict.fromkeys((key for key in self.categories if key not in (ONE_VS_REST, TOP_LABEL)), "int32"),
            **dict.fromkeys(map(value_key, self.gathered), "uint64"),
        }
        if self.class_names:
            fields["class_scores"] = "array<float64>"
        if self.has_id:
            fields |= {"id_number": "int64"} if self.has_number_ids else {"id_hash": "uint64"}
        if self.weighted:
            fields["weight"] = "float64"
        if self.has_time:
            fields["time"] = "timestamp(6)"
        return ibis.table(fields, name="prepared")


def compute_cells(
    cursor: duckdb.DuckDBPyConnection,
    prepared: PreparedRows,
    keys: Sequence[str],
    where: Filter,
    windows: WindowGrid | None,
    *,
    finest: Resolution = EXACT,
    budget: int = CELL_BUDGET,
    n_groups: int = 1,
) -> Cells:
    """Cells of the usable rows that pass a filter, by any of the keys.

    The rows are grouped once, at the finest resolution that may fit; when that is over budget, its cells (not the
    rows) are added up at coarser ones until it fits. The coarsest is kept whatever its size.

    Args:
        cursor: an engine cursor on which `prepared` is a view.
        prepared: what is known of those rows.
        keys: key names, label apart.
        where: which rows.
        windows: the grid of the key `window`.
        finest: where to begin.
        budget: how many cells are kept at most.
        n_groups: about how many combinations of key values there are, so that a hopeless resolution is not tried.
    """
    rows = filtered(prepared, where)
    if apart := {ONE_VS_REST, TOP_LABEL} & {*keys}:
        held = [name for name in rows.columns if name in {*keys, "weight", "time"}]
        n_rows = prepared.n_rows
        if ONE_VS_REST in apart:
            rows = against_the_rest(rows, prepared.categories[CLASS], prepared.class_names)
            n_rows *= len(prepared.class_names)
        else:
            rows = of_the_answer(rows)
        rows = with_losses(rows, [*held, *apart])
        # Of few rows few distinct margins say nothing of how few the scores of their classes are.
        few = prepared.few_scores and prepared.n_rows > PROBE_ROWS
        prepared = replace(prepared, n_rows=n_rows, few_scores=few)
    resolution = _begin_at(prepared, n_groups, finest, budget)
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE grouped AS {to_sql(_grouped(rows, keys, windows, resolution))}")
    columns = [*keys, LABEL, "score_bin", "probability_bin", *(["score"] if resolution.is_exact else [])]
    names = WEIGHTED if prepared.weighted else UNWEIGHTED
    try:
        while _count(cursor) > budget and resolution != COARSE:
            coarser = RESOLUTIONS[resolution.order + 1]
            columns = [name for name in columns if name != "score"]
            regrouped = _regrouped(columns, names, resolution, coarser)
            cursor.execute(f"CREATE OR REPLACE TEMP TABLE grouped AS {to_sql(regrouped)}")
            resolution = coarser
        texts = {key: prepared.texts(key, where) for key in keys if key in prepared.categories}
        return _to_cells(cursor.sql("SELECT * FROM grouped").to_arrow_table(), texts, keys, names, resolution)
    finally:
        cursor.execute("DROP TABLE IF EXISTS grouped")


def _begin_at(prepared: PreparedRows, n_groups: int, finest: Resolution, budget: int) -> Resolution:
    """The finest resolution that may fit, from the number of rows and the usual number of bins a group has."""
    resolution = FINE if finest.is_exact and not may_be_exact(prepared, budget) else finest
    while resolution not in (EXACT, COARSE) and prepared.n_rows > budget < n_groups * USUAL_BINS[resolution]:
        resolution = RESOLUTIONS[resolution.order + 1]
    return resolution


def may_be_exact(prepared: PreparedRows, budget: int) -> bool:
    """Whether a table that keeps each distinct score can fit the budget."""
    return prepared.few_scores or prepared.n_rows <= budget


def filtered(prepared: PreparedRows, where: Filter, outside: Outside = ()) -> Expression:
    """The usable prepared rows that pass a filter and are in none of the parts outside."""
    rows = prepared.relation()
    conditions: list[Any] = [rows.usable]
    chosen = [(cohort_key(column), value) for column, value in where.cohorts]
    if where.split is not None:
        chosen.append((SPLIT, where.split))
    conditions += [prepared.is_value(rows, key, value) for key, value in chosen]
    if prepared.has_time:
        seconds = rows.time.epoch_seconds()
        if where.start is not None:
            conditions.append(seconds >= where.start)
        if where.end is not None:
            conditions.append(seconds < where.end)
    rows = rows.filter(conditions)
    for versions, part in outside:
        inside: Any = rows[VERSION].isin([prepared.code(VERSION, each) for each in versions])
        for column, value in part.cohorts:
            inside &= prepared.is_value(rows, cohort_key(column), value)
        if part.start is not None:
            inside &= (rows.time.epoch_seconds() >= part.start).fill_null(False)
        if part.end is not None:
            inside &= (rows.time.epoch_seconds() < part.end).fill_null(False)
        rows = rows.filter(~inside)
    return rows


def window_start(rows: Expression, windows: WindowGrid) -> Any:
    """The epoch second at which the window of each row begins; `NO_WINDOW` without a time."""
    since = rows.time.epoch_seconds() - windows.origin
    start = (since / float(windows.width)).floor().cast("int64") * windows.width + windows.origin
    return start.fill_null(NO_WINDOW)


def key_columns(rows: Expression, keys: Sequence[str], windows: WindowGrid | None) -> dict[str, Any]:
    """The columns by which rows are grouped, in the order of the keys."""
    by: dict[str, Any] = {key: rows[key] for key in keys if key != WINDOW}
    if WINDOW in keys:
        by[WINDOW] = ibis.literal(NO_WINDOW, "int64") if windows is None else window_start(rows, windows)
    return {key: by[key] for key in keys}


def _grouped(rows: Expression, keys: Sequence[str], windows: WindowGrid | None, resolution: Resolution) -> Expression:
    by = key_columns(rows, keys, windows)
    by[LABEL] = rows.label
    by["score_bin"] = coarse_bin(rows.score_bin, resolution.score_factor)
    by["probability_bin"] = coarse_bin(rows.probability_bin, resolution.probability_factor)
    if resolution.is_exact:
        by["score"] = rows.score
    moments = {
        "s": rows.score,
        "ss": rows.score * rows.score,
        "l": rows.loss,
        "ll": rows.loss * rows.loss,
        "p": rows.probability,
        "pp": rows.probability * rows.probability,
    }
    sums: dict[str, Any] = {"n": rows.count()}
    sums |= {name: moments[name].sum() for name in MOMENTS}
    if "weight" in rows.columns:
        w = rows.weight
        sums |= {"w": w.sum(), "w2": (w * w).sum()}
        sums |= {f"w{name}": (w * moments[name]).sum() for name in MOMENTS}
        sums |= {f"w2{name}": (w * w * moments[name]).sum() for name in MOMENTS}
    return rows.aggregate(by=[value.name(name) for name, value in by.items()], **sums)


def _regrouped(columns: list[str], names: tuple[str, ...], resolution: Resolution, coarser: Resolution) -> Expression:
    held = dict.fromkeys(columns, "int64") | dict.fromkeys(names, "float64")
    table: Expression = ibis.table(held, name="grouped")
    by = {name: table[name] for name in columns}
    by["score_bin"] = coarse_bin(table.score_bin, coarser.score_factor // resolution.score_factor)
    by["probability_bin"] = coarse_bin(
        table.probability_bin, coarser.probability_factor // resolution.probability_factor
    )
    return table.aggregate(
        by=[value.name(name) for name, value in by.items()], **{name: table[name].sum() for name in names}
    )


def _to_cells(
    table: Any, texts: Categories, keys: Sequence[str], names: tuple[str, ...], resolution: Resolution
) -> Cells:
    def numbers(name: str) -> np.ndarray[Any, Any]:
        return table[name].to_numpy(zero_copy_only=False)

    def key_column(name: str) -> Coded | np.ndarray[Any, Any]:
        return coded(texts[name], numbers(name)) if name in texts else numbers(name)

    sums = np.stack([np.nan_to_num(numbers(name).astype(np.float64)) for name in names], axis=1)
    score = np.nan_to_num(numbers("score").astype(np.float64)) if resolution.is_exact else None
    return Cells.build(
        {key: key_column(key) for key in keys},
        numbers(LABEL),
        numbers("score_bin"),
        numbers("probability_bin"),
        sums,
        resolution=resolution,
        score=score,
    )


def coded(texts: Sequence[str], numbers: np.ndarray[Any, Any]) -> Coded:
    """A column of the places of texts, in ascending order of the texts."""
    values, places = np.unique(np.asarray(texts, dtype=str), return_inverse=True)
    return Coded(values, places[numbers.astype(np.int64)])


def _count(cursor: duckdb.DuckDBPyConnection) -> int:
    return int(cursor.execute("SELECT count(*) FROM grouped").fetchall()[0][0])


def to_sql(expression: Expression) -> str:
    """The expression in the words of the embedded engine."""
    return _to_sql(expression.op())


@functools.lru_cache(maxsize=128)
def _to_sql(operation: Any) -> str:
    # Up to 60 ms for an expression of the rows of a file; files and filters of one shape ask for the same again.
    return str(ibis.to_sql(operation.to_expr(), dialect="duckdb", pretty=False))
