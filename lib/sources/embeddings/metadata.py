"""The file of metadata beside vectors: any table, and a projector's, which may come without a header."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lib.errors import DataError
from lib.sources import files
from lib.sources.arrow import stored_type
from lib.sources.embeddings.raw import take_rows
from lib.sources.engine import Run
from lib.sources.inputs import Input
from lib.sources.layout import HEAD_BYTES, choose_delimiter
from lib.sources.tables import Progress, RawTable, read_table

ONE_COLUMN: Final = "label"
"""What the projector calls the column of a file that has only one and, by its convention, no header."""


@dataclass(frozen=True, eq=False)
class Metadata:
    """A file of metadata: as it was read, its rows as a pyarrow table, and what was done to read it."""

    raw: RawTable
    table: Any
    notes: tuple[str, ...]


def read_metadata(
    source: Input, store: Path, rows: int | None, has_counted: bool, run: Run, report: Progress
) -> Metadata:
    """Read a file of metadata.

    Args:
        source: the file.
        store: the folder for what is made of it.
        rows: how many rows it has if it is joined by row order: a text file with one row less than that has no header;
            None where it is joined by id, or that is not known.
        has_counted: whether the number of vectors is known: of raw bytes it is not.
        run: what may cancel it.
        report: is told how far it is.

    Raises:
        DataError: it cannot be read as a table.
    """
    is_text = files.recognise(source.path, source.name).content == "text"
    try:
        raw = read_table(source.path, source.name, store, run=run, on_progress=report)
    except DataError:
        if not is_text or not _is_one_column(source):
            raise
        return _without_header(source, store, run, report)
    if is_text and rows is not None and raw.n_rows + raw.n_rejected == rows - 1:
        return _without_header(source, store, run, report)
    # A projector's file of one column has no header; where the count of rows is not known, that is its convention.
    if is_text and not has_counted and _is_one_column(source):
        return _without_header(source, store, run, report)
    return Metadata(raw, _read_rows(raw), ())


def _is_one_column(source: Input) -> bool:
    first = _read_first(source)
    return len(next(csv.reader(io.StringIO(first), delimiter=choose_delimiter(first)), [])) <= 1


def _read_first(source: Input) -> str:
    _head, compression = files.read_head(source.path, source.name)
    with files.open_plain(source.path, source.name, compression) as file:
        return file.read(HEAD_BYTES).decode("utf-8-sig", "replace").lstrip("\r\n").split("\n")[0].rstrip("\r")


def _without_header(source: Input, store: Path, run: Run, report: Progress) -> Metadata:
    """Read a text file whose first line is data."""
    first = _read_first(source)
    delimiter = choose_delimiter(first)
    width = max(1, len(next(csv.reader(io.StringIO(first), delimiter=delimiter), [])))
    names = [ONE_COLUMN] if width == 1 else [f"column_{place}" for place in range(1, width + 1)]
    _head, compression = files.read_head(source.path, source.name)
    named = store / f"named-{files.compute_sha256(source.path)}.{'tsv' if delimiter == chr(9) else 'csv'}"
    with files.open_plain(source.path, source.name, compression) as plain, named.open("wb") as sink:
        sink.write((delimiter.join(names) + "\n").encode())
        while block := plain.read(files.BLOCK):
            run.check()
            sink.write(block)
    raw = read_table(named, source.name, store, run=run, on_progress=report)
    called = f"its column is called {names[0]}" if width == 1 else f"its columns are called {names[0]} to {names[-1]}"
    return Metadata(raw, _read_rows(raw), (f"{source.name} has no header: {called}.",))


def _read_rows(raw: RawTable) -> Any:
    """The rows of a table by record: a line that could not be read keeps its place, with nothing in it."""
    schema = pq.read_schema(raw.parquet)
    table = pq.read_table(raw.parquet, columns=[each.name for each in schema if stored_type(each.type)])
    if not raw.n_rejected:
        return table
    rows = np.full(raw.n_rows + raw.n_rejected, -1, np.int64)
    rows[np.delete(np.arange(len(rows)), np.asarray(raw.rejected_records, np.int64) - 1)] = np.arange(raw.n_rows)
    return take_rows(table, rows)


def as_raw_table(table: Any, name: str, store: Path, key: str, run: Run) -> RawTable | None:
    """A table of metadata with its columns described; None where it has none."""
    if table is None or not table.num_columns:
        return None
    path = store / f"metadata-{key}.parquet"
    if not path.is_file():
        partial = path.with_suffix(".partial")
        plain = pa.table({each: _plain(table.column(each)) for each in table.column_names})
        pq.write_table(plain, partial)
        partial.replace(path)
    return read_table(path, name, store, run=run)


def _plain(column: Any) -> Any:
    kind = stored_type(column.type)
    return column if kind == column.type else column.cast(kind)
