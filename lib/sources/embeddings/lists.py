"""Vectors out of Parquet: lists, lists written as text, or a column per dimension; ragged rows are kept and told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lib.errors import DataError
from lib.sources.embeddings.bits import declares_bits, unpack_bits
from lib.sources.embeddings.columns import Candidate
from lib.sources.embeddings.matrix import MatrixWriter, rows_per_block
from lib.sources.embeddings.tables import TableParts
from lib.sources.engine import Run
from lib.sources.sql import explain, quote_name, quote_text, run_watched, table_of

Tick = Callable[[float], None]
NO_LINE: Final = -1
"""Stands as the length of a vector where its line could not be read at all."""
_LENGTHS_AT_ONCE: Final = 8_192


@dataclass(frozen=True, eq=False)
class Written:
    """What became of a column of vectors.

    Attributes:
        n, dimension: the shape of the matrix.
        is_good: shape (n,), which rows are finite throughout.
        odd_rows, odd_lengths: shape (o,), the rows whose vector has another length, and which; 0 where there is none,
            `NO_LINE` where the line could not be read. They are NaN in the matrix.
        stored_as: the name of the type in the file.
    """

    n: int
    dimension: int
    is_good: NDArray[np.bool_]
    odd_rows: NDArray[np.int64]
    odd_lengths: NDArray[np.int64]
    stored_as: str


def write_vectors(parts: TableParts, chosen: Candidate, target: Path, name: str, run: Run, tick: Tick) -> Written:
    """Write the vectors of a table as float32 to the .npy file `target`, a row for each record, unreadable ones too.

    Raises:
        DataError: there is no vector, or the file is damaged.
        LimitError: the matrix would be too large.
    """
    source = parts.vectors
    try:
        if chosen.kind == "text":
            source = _parse_texts(parts.vectors, chosen.columns[0], target.with_suffix(".lists"), run)
        file = pq.ParquetFile(source)
        if chosen.kind == "columns":
            return _write_columns(file, chosen.columns, parts.rejected, target, name, run, tick)
        return _write_lists(file, chosen.columns[0], parts.rejected, target, name, run, tick)
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise explain(error, name) from error
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{name} is a damaged or incomplete Parquet file: it cannot be read to its end. Copy or export it again."
        ) from error


def _parse_texts(source: Path, column: str, target: Path, run: Run) -> Path:
    """Texts such as [0.1, 0.2], or [0.1 0.2] as NumPy prints them, as lists."""
    text = quote_name(column)
    spaced = f"regexp_replace(regexp_replace(trim({text}), '^\\[\\s*|\\s*\\]$', '', 'g'), '\\s+', ', ', 'g')"
    plain = f"CASE WHEN contains({text}, ',') THEN {text} ELSE '[' || {spaced} || ']' END"
    query = f"SELECT TRY_CAST({plain} AS DOUBLE[]) AS {text} FROM {table_of(source)}"
    with run.cursor() as cursor:
        written = "FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 2048"
        copy = f"COPY ({query}) TO {quote_text(str(target))} ({written})"
        run_watched(run, cursor, copy)
    return target


def _write_columns(
    file: Any, columns: Sequence[str], rejected: Sequence[int], target: Path, name: str, run: Run, tick: Tick
) -> Written:
    n, dimension = int(file.metadata.num_rows) + len(rejected), len(columns)
    kinds = {file.schema_arrow.field(column).type for column in columns}
    stored_as = _type_name(kinds.pop()) if len(kinds) == 1 else "float64"
    if not file.metadata.num_rows:
        raise DataError(f"{name} has columns for vectors but no rows.")
    with MatrixWriter(target, name, n, dimension) as writer:
        gaps = _Gaps(writer, rejected)
        for batch in file.iter_batches(batch_size=rows_per_block(dimension), columns=list(columns)):
            run.check()
            place = {each: batch.column(k) for k, each in enumerate(batch.schema.names)}
            gaps.append(np.column_stack([_numbers(place[column]) for column in columns]))
            tick(gaps.row / n)
        gaps.finish()
    odd = np.asarray(rejected, np.int64) - 1
    return Written(n, dimension, writer.is_good, odd, np.full(len(odd), NO_LINE, np.int64), stored_as)


def _write_lists(
    file: Any, column: str, rejected: Sequence[int], target: Path, name: str, run: Run, tick: Tick
) -> Written:
    held_lengths = [_lengths(each) for each in _batches(file, column, run, _LENGTHS_AT_ONCE)]
    lengths = np.concatenate([np.zeros(0, np.int64), *held_lengths])
    held = Counter(lengths[lengths > 0].tolist())
    if not held:
        raise DataError(f"{name} has no row with a vector in {column}.")
    # Of lengths equally frequent the longer one: a vector is cut short more easily than made longer.
    width = max(held, key=lambda length: (held[length], length))
    fits = lengths == width
    stored_as = _type_name(_value_type(file.schema_arrow.field(column).type))
    packed = stored_as in ("int8", "uint8") and declares_bits(f"{column} {name}")
    n, dimension = len(lengths) + len(rejected), width * (8 if packed else 1)
    start = 0
    with MatrixWriter(target, name, n, dimension) as writer:
        gaps = _Gaps(writer, rejected)
        for values in _batches(file, column, run, rows_per_block(width)):
            good = fits[start : start + len(values)]
            start += len(values)
            block = _numbers(values.filter(pa.array(good)).flatten()).reshape(-1, width)
            block = unpack_bits(block) if packed else block
            whole = np.full((len(values), dimension), np.nan, np.result_type(block.dtype, np.float32))
            whole[good] = block
            gaps.append(whole)
            tick(gaps.row / n)
        gaps.finish()
    places = np.delete(np.arange(n), np.asarray(rejected, np.int64) - 1)
    odd_rows = np.concatenate([places[~fits], np.asarray(rejected, np.int64) - 1])
    odd_lengths = np.concatenate([lengths[~fits], np.full(len(rejected), NO_LINE, np.int64)])
    order = np.argsort(odd_rows, kind="stable")
    return Written(n, dimension, writer.is_good, odd_rows[order], odd_lengths[order], "binary" if packed else stored_as)


class _Gaps:
    """Writes rows of a table where their records stood: lines that are in no row keep their place, as NaN."""

    def __init__(self, writer: MatrixWriter, rejected: Sequence[int]) -> None:
        self._writer, self._left, self.row = writer, [record - 1 for record in rejected], 0

    def append(self, block: NDArray[Any]) -> None:
        while len(block):
            while self._left and self._left[0] == self.row:
                self._writer.skip(1)
                self._left.pop(0)
                self.row += 1
            count = min(len(block), self._left[0] - self.row) if self._left else len(block)
            self._writer.append(block[:count])
            self.row += count
            block = block[count:]

    def finish(self) -> None:
        self._writer.skip(len(self._left))


def _batches(file: Any, column: str, run: Run, rows: int) -> Iterator[Any]:
    for batch in file.iter_batches(batch_size=min(rows, _LENGTHS_AT_ONCE), columns=[column]):
        run.check()
        values = batch.column(0)
        yield values.storage if isinstance(values, pa.ExtensionArray) else values


def _lengths(values: Any) -> NDArray[np.int64]:
    """How many values each list has; 0 where there is none."""
    if pa.types.is_fixed_size_list(values.type):
        held = np.asarray(values.is_valid().to_numpy(zero_copy_only=False), bool)
        return np.where(held, values.type.list_size, 0).astype(np.int64)
    return np.asarray(values.value_lengths().fill_null(0).to_numpy(zero_copy_only=False), np.int64)


def _numbers(values: Any) -> NDArray[Any]:
    """Values as NumPy has them; missing ones NaN."""
    return np.asarray(values.to_numpy(zero_copy_only=False))


def _value_type(kind: Any) -> Any:
    return (kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind).value_type


def _type_name(kind: Any) -> str:
    return np.dtype(kind.to_pandas_dtype()).name
