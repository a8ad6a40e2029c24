"""Arrow IPC to Parquet: the file format (Feather 2 is one) and the stream format, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import ipc

from lib.errors import DataError, LimitError
from lib.sources.convert import Converted, Tick
from lib.sources.engine import Run
from lib.sources.layout import MAX_COLUMNS, name_columns, refuse_width

FILE_MAGIC: Final = b"ARROW1"
STREAM_MAGIC: Final = b"\xff\xff\xff\xff"
BATCH_LIMIT: Final = 1024**3
"""How large the batches of a file may be on average, in bytes: one at a time is in memory."""

_ROWS: Final = 65_536


def convert_arrow(path: Path, name: str, target: Path, run: Run, tick: Tick) -> Converted:
    """Write the rows of an Arrow file or stream, in its order, to the Parquet file `target`.

    Columns that no role can have (lists, structures, bytes) are left out and named. Raises `DataError` for a file that
    is damaged, `LimitError` for one with too many columns or too large batches.
    """
    with open_batches(path, name) as source:
        if len(source.schema) > MAX_COLUMNS:
            raise refuse_width(name, source.schema.names)
        names, notes = name_columns(source.schema.names)
        kinds = [stored_type(each.type) for each in source.schema]
        if not any(kinds):
            raise DataError(f"{name} has no column that can be used: only lists, structures or bytes.")
        source.write(target, list(zip(names, kinds, strict=True)), run, tick, rows=_ROWS, compression="snappy")
    unusable = tuple(column for column, kind in zip(names, kinds, strict=True) if not kind)
    return Converted(notes=notes, unusable=unusable)


@dataclass(frozen=True)
class Batches:
    """An Arrow file that is open: its schema, and its batches, which can be gone through once."""

    schema: Any
    batches: Iterator[Any]
    read: Callable[[], float]
    """Which share of the file has been read."""

    def write(
        self,
        target: Path,
        columns: Sequence[tuple[str, Any]],
        run: Run,
        tick: Tick,
        *,
        rows: int,
        compression: Literal["snappy", "none"],
    ) -> None:
        """Write the columns as Parquet.

        Args:
            target: the file.
            columns: name and type of each column of the schema; those without a type are left out.
            run: stops it.
            tick: is told which share was read.
            rows: of a row group, at most.
            compression: of the file.
        """
        kept = [(place, name, kind) for place, (name, kind) in enumerate(columns) if kind]
        written = pa.schema([(name, kind) for _, name, kind in kept])
        with pq.ParquetWriter(target, written, compression=compression, use_dictionary=False) as writer:
            for batch in self.batches:
                table = pa.table([stored_column(batch.column(place), kind) for place, _, kind in kept], schema=written)
                for first in range(0, table.num_rows, rows):
                    run.check()
                    writer.write_table(table.slice(first, rows))
                    tick(self.read())


@contextmanager
def open_batches(path: Path, name: str) -> Generator[Batches]:
    """An Arrow file or stream, open.

    Raises:
        DataError: it is damaged; found out when it is opened or while it is read.
        LimitError: its batches are too large.
    """
    size = max(1, path.stat().st_size)
    try:
        with pa.OSFile(str(path), "rb") as source:
            yield Batches(*_schema_and_batches(source, name, size), lambda: source.tell() / size)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{name} is a damaged or incomplete Arrow file: it cannot be read to its end. Copy or export it again."
        ) from error


def _schema_and_batches(source: Any, name: str, size: int) -> tuple[Any, Iterator[Any]]:
    head = source.read(len(FILE_MAGIC))
    source.seek(0)
    if head != FILE_MAGIC:
        stream = ipc.open_stream(source)
        return stream.schema, (batch for batch in stream)
    file = ipc.open_file(source)
    count = file.num_record_batches
    if size > BATCH_LIMIT * max(1, count):
        raise LimitError(
            f"{name} holds its rows in {count:,} batches of more than {BATCH_LIMIT // 1024**3} GB, which are read "
            "whole. Write it as Parquet, or in smaller batches."
        )
    return file.schema, (file.get_batch(k) for k in range(count))


def stored_type(kind: Any) -> Any:
    """The type that a column is written with; None for one that no role can have."""
    if isinstance(kind, pa.BaseExtensionType):
        return stored_type(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return stored_type(kind.value_type)
    if pa.types.is_null(kind):
        return pa.string()
    unusable = pa.types.is_nested(kind) or pa.types.is_interval(kind) or _holds_bytes(kind)
    return None if unusable else kind


def _holds_bytes(kind: Any) -> bool:
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view)
    return any(test(kind) for test in tests)


def stored_column(column: Any, kind: Any) -> Any:
    """A column of a batch in the type that it is written with; what is damaged inside is found before it is read."""
    column.validate(full=True)
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_run_end_encoded(column.type):
        column = pc.call_function("run_end_decode", [column])
    return column if column.type == kind else column.cast(kind)
