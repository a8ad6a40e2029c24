"""A delimited text as columns of texts, and a column of texts as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from lib.errors import DataError
from lib.sources.columns import shorten
from lib.sources.training_order import FloatArray
from lib.sources.training_text import MOST_TABLE, Start

_compute: Any = pc  # Its functions are made when it is imported: no checker of types knows them.
_BLANK: Final = pa.array(["", "NA", "N/A", "null", "None", "none", "-"])
"""What stands for no value; `nan` is one that training gave."""
TIMES: Final = ("wall time", "wall_time", "time", "timestamp", "runtime", "elapsed", "_runtime", "_timestamp")
MOST_BAD: Final = 0.5
"""A column in which a larger share of values is no number holds no metric; in others one is a mistake."""


@dataclass(frozen=True)
class TextTable:
    """A table as texts, its columns by lower-case name and as written."""

    name: str
    columns: dict[str, pa.ChunkedArray]

    def first(self, names: Sequence[str]) -> str:
        """The first column of these lower-case names, as written; "" for none."""
        lower = {each.casefold(): each for each in reversed(self.columns)}
        return next((lower[each] for each in names if each in lower), "")


def read_texts(start: Start, header: list[str], delimiter: str) -> TextTable:
    """The whole table, every value a text."""
    twice = next((each for each in header if header.count(each) > 1), None)
    if twice is not None:
        raise DataError(f"{start.name} has two columns {twice or 'without a name'}. Rename one of them.")
    numbered = [str(place) for place in range(len(header))]
    bad: list[tuple[int, int, int]] = []

    def note(row: Any) -> str:
        bad.append((row.number or 0, row.actual_columns, row.expected_columns))
        return "skip"

    content = start.read_all(MOST_TABLE)
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(content),
            read_options=pa_csv.ReadOptions(use_threads=False, column_names=numbered, skip_rows=1),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, invalid_row_handler=note),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(numbered, pa.string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise DataError(
            f"{start.name} looks like a training history, but cannot be read as a table in UTF-8: "
            f"{str(error).splitlines()[0][:160]}. Export it again."
        ) from error
    if bad:
        line, found, expected = bad[0]
        raise DataError(
            f"{start.name} has {found} values at line {line} where its header names {expected} columns"
            f"{f' ({len(bad):,} such lines)' if len(bad) > 1 else ''}. The columns changed while it was written: "
            "split it there, or export it again."
        )
    return TextTable(start.name, dict(zip(header, table.columns, strict=True)))


def read_numbers(table: TextTable, column: str, *, strict: bool = False) -> tuple[FloatArray, NDArray[np.bool_]] | None:
    """Numbers and where there are any; None for a column that mostly holds other things, unless `strict`."""
    texts: Any = _compute.utf8_trim_whitespace(table.columns[column]).combine_chunks()
    given = np.asarray(_compute.invert(_compute.is_in(texts, _BLANK)).to_numpy(zero_copy_only=False), np.bool_)
    held: Any = _compute.if_else(pa.array(given), texts, pa.scalar(None, pa.string()))
    try:
        values = np.array(held.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except pa.ArrowInvalid:
        values, bad = _one_by_one(held.to_pylist())
        if not strict and len(bad) > MOST_BAD * given.sum():
            return None
        if bad:
            found = shorten(str(held[bad[0]]), 40)
            raise DataError(
                f"{table.name} holds {found!r} in column {column} at line {bad[0] + 2}, where a number is expected. "
                "Write the number, nan for one that is undefined, or nothing where none was logged."
            ) from None
    return values, given


def _one_by_one(texts: list[str | None]) -> tuple[FloatArray, list[int]]:
    values, bad = np.full(len(texts), np.nan), list[int]()
    for place, text in enumerate(texts):
        if text is not None:
            try:
                values[place] = float(text)
            except ValueError:
                bad.append(place)
    return values, bad


def read_place(table: TextTable, column: str) -> FloatArray:
    """A column of steps, epochs or times; NaN where a cell is blank, everywhere without a column."""
    n = len(next(iter(table.columns.values())))
    if not column:
        return np.full(n, np.nan)
    found = read_numbers(table, column, strict=True)
    assert found is not None, "a strict reading gives numbers or raises"
    return np.where(np.isfinite(found[0]), found[0], np.nan)


def read_time(table: TextTable) -> FloatArray:
    """A column of seconds, where there is one that holds numbers."""
    column = table.first(TIMES)
    found = read_numbers(table, column) if column else None
    return read_place(table, "") if found is None else np.where(np.isfinite(found[0]), found[0], np.nan)
