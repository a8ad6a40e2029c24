"""A table with one more column, which marks rows by their id: a selection as a cohort column beside the file's own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.sources.engine import Run
from lib.sources.profile import compute_profiles
from lib.sources.sql import TEXT, quote_name, quote_text, run_watched, table_of
from lib.sources.tables import Progress, RawTable

SELECTED, OTHERS = "selected", "others"
LONGEST_NAME = 60
_PLACE = "file_row_number"


@dataclass(frozen=True, eq=False)
class Marks:
    """Which rows are marked, by their ids as texts.

    Attributes:
        column: what the new column is called.
        selected: ids of the rows that are `SELECTED`.
        others: ids of those that are `OTHERS`; a row with neither has nothing there.
        origin: where the selection was made, in words that end a sentence.
    """

    column: str
    selected: NDArray[np.object_]
    others: NDArray[np.object_]
    origin: str

    @property
    def sha256(self) -> str:
        """Of everything that the column depends on, in hex."""
        parts = [self.column, "\0".join(self.selected), "\0".join(self.others)]
        return hashlib.sha256("\1".join(parts).encode("utf-8", "replace")).hexdigest()


def find_name_trouble(name: str, tables: Sequence[RawTable]) -> str:
    """Why a new column of these tables cannot be called so, in a sentence; "" if it can."""
    if not name.strip():
        return "Give the column a name."
    if len(name) > LONGEST_NAME:
        return f"The name has {len(name)} characters, and {LONGEST_NAME} at most are shown. Choose a shorter one."
    if not name.isprintable():
        return "The name holds a line break or another character that cannot be seen. Leave it out."
    for table in tables:
        for held in (*table.column_names, *table.unusable, _PLACE):
            if held.casefold() == name.casefold():
                return f"{table.name} has a column {held} already. Choose another name."
    return ""


def mark_rows(
    table: RawTable,
    id_column: str,
    marks: Marks,
    folder: Path,
    run: Run,
    on_progress: Progress = lambda _share, _words: None,
) -> RawTable:
    """The same rows in the same order with one more column, as a table of its own.

    Args:
        table: what is marked; it stays as it is.
        id_column: by whose values, as texts; a table without it has no marked row.
        marks: which rows, and what the column is called.
        folder: where the new file goes.
        run: what may cancel it.
        on_progress: is told how far it is.

    Raises:
        Cancelled: the run was cancelled; nothing is left behind.
        LimitError: memory or disk are at their bounds.
    """
    made_of = (table.sha256, *(each for _name, each in table.marks), marks.sha256)
    target = folder / f"{hashlib.sha256(' '.join(made_of).encode()).hexdigest()}.parquet"
    partial = target.with_suffix(".partial")
    has_id = table.has_column(id_column)
    column, words = quote_name(marks.column), f"Marking the rows of {table.name}"
    value = f"marks.value AS {column}" if has_id else f"NULL::VARCHAR AS {column}"
    join = f"LEFT JOIN marks ON raw.{quote_name(id_column)}::VARCHAR = marks.id" if has_id else ""
    rows = table_of(table.parquet).removesuffix(")") + ", file_row_number = true)"
    try:
        with run.cursor() as cursor:
            ids = pa.array([*marks.selected, *marks.others], pa.string())
            values = [SELECTED] * len(marks.selected) + [OTHERS] * len(marks.others)
            cursor.register("marks", pa.table({"id": ids, "value": pa.array(values, pa.string())}))
            run_watched(
                run,
                cursor,
                f"COPY (SELECT raw.* EXCLUDE ({_PLACE}), {value} FROM {rows} AS raw {join} ORDER BY raw.{_PLACE}) "
                f"TO {quote_text(str(partial))} (FORMAT parquet)",
                lambda done: on_progress(0.9 * done, words),
            )
            _n, (profile,) = compute_profiles(cursor, table_of(partial), {marks.column: TEXT}, lambda _done: None)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    note = (
        f"{marks.column} is not a column of the file: it was made of {len(marks.selected):,} ids that were selected "
        f"{marks.origin}, and {len(marks.others):,} that were not. A row without a vector has nothing there."
    )
    return replace(
        table,
        parquet=target,
        columns=(*table.columns, profile),
        notes=(*table.notes, note),
        marks=(*table.marks, (marks.column, marks.sha256)),
    )
