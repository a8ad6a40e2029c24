"""Text file to Parquet, by the engine: fast when the file is clean, careful when it is not, never losing a cell.

The fast way reads with the types that a sample suggests and stops at the first value or line that does not fit.
Then the careful way reads everything as text, collects the lines that cannot be split into columns, and gives a
number type to the columns in which every single value is a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb

from lib.errors import DataError
from lib.sources.column_types import (
    N_COUNTED,
    Planned,
    checked_value,
    count_convertible,
    plan_columns,
    read_type,
    settle_type,
)
from lib.sources.encoding import describe_foreign_byte
from lib.sources.engine import Run
from lib.sources.layout import MAX_LINE_BYTES, Layout
from lib.sources.profile import MAX_LISTED_VALUES
from lib.sources.quotes import blot_bad_quotes
from lib.sources.rejects import NOT_UTF8, RejectedLine, read_rejects
from lib.sources.sql import MISSING_TEXTS, explain, fetch, quote_name, quote_text, run_watched, table_of

Tick = Callable[[float], None]

_WRITTEN: Final = f"FORMAT parquet, COMPRESSION snappy, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT {MAX_LISTED_VALUES}"
"""Trying for a dictionary in columns of many values, such as ids, costs a seventh of the whole."""

_REJECTS: Final = "marginalia_rejects"
_SCANS: Final = "marginalia_reject_scans"
_QUOTE_TROUBLE: Final = "('UNQUOTED VALUE', 'LINE SIZE OVER MAXIMUM')"
MOST_UNDECODABLE: Final = 0.01
"""The largest share of lines that may be undecodable before the whole file counts as written in another encoding."""


@dataclass(frozen=True)
class Converted:
    """What became of a file: the lines that are not in the Parquet, by record number, and what to say.

    `unusable` are the columns that are not in it because no role can have their type; `written` are the columns of
    numbers that are not written plainly, each with how: "a decimal comma (0,87)".
    """

    rejected: tuple[RejectedLine, ...] = ()
    rejected_records: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    written: tuple[tuple[str, str], ...] = ()


def convert_text(path: Path, name: str, layout: Layout, target: Path, run: Run, tick: Tick) -> Converted:
    """Write the rows of a text file, in its order, to the Parquet file `target`."""
    columns = plan_columns(layout.names, layout.sample)
    with run.cursor() as cursor:
        source = _reader(path, layout, [read_type(column) for column in columns])
        picked = ", ".join(checked_value(column) for column in columns)
        try:
            run_watched(run, cursor, copy_to(f"SELECT {picked} FROM {source}", target), tick)
        except duckdb.InterruptException:
            raise
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            raise explain(error, name) from error
        except duckdb.Error:
            return _convert_carefully(path, name, layout, columns, target, run, cursor, tick)
    return Converted(notes=layout.notes, written=_describe_notations(columns))


def _convert_carefully(
    path: Path,
    name: str,
    layout: Layout,
    columns: Sequence[Planned],
    target: Path,
    run: Run,
    cursor: duckdb.DuckDBPyConnection,
    tick: Tick,
) -> Converted:
    texts = target.with_suffix(".texts")
    notes = layout.notes
    try:
        source = path
        try:
            _copy_texts(source, layout, texts, run, cursor, lambda done: tick(0.6 * done))
        except duckdb.InvalidInputException as error:
            if isinstance(error, duckdb.InterruptException):
                raise
            # Line ends of more than one kind in one file bring the reader to a halt.
            source = path.with_suffix(".lines")
            _unify_line_ends(path, source, run)
            notes = (*notes, "Line ends of more than one kind were made alike.")
            _copy_texts(source, layout, texts, run, cursor, lambda done: tick(0.6 * done))
        blotted: dict[int, bytes] = {}
        if _count(cursor, f"SELECT count(*) FROM {_REJECTS} WHERE error_type IN {_QUOTE_TROUBLE}"):
            # Around an open quotation mark the engine's own count of lines cannot be trusted.
            clean = path.with_suffix(".clean")
            blotted = blot_bad_quotes(source, clean, layout.delimiter, len(layout.names), run.check)
            if blotted:
                source = clean
                _copy_texts(source, layout, texts, run, cursor, lambda done: tick(0.6 * done))
        rejected, records = read_rejects(cursor, _REJECTS, source, layout, blotted)
        undecodable = _count(
            cursor, f"SELECT count(DISTINCT line) FROM {_REJECTS} WHERE error_type = 'INVALID ENCODING'"
        )
        _drop_rejects(cursor)
        n_rows = _count(cursor, f"SELECT count(*) FROM {table_of(texts)}")
        _refuse_misfits(path, name, rejected, len(records), undecodable, n_rows)
        written = write_typed(texts, columns, target, run, cursor, lambda done: tick(0.7 + 0.3 * done))
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise explain(error, name) from error
    finally:
        texts.unlink(missing_ok=True)
    return Converted(rejected, records, notes, written=written)


def write_typed(
    texts: Path, columns: Sequence[Planned], target: Path, run: Run, cursor: duckdb.DuckDBPyConnection, tick: Tick
) -> tuple[tuple[str, str], ...]:
    """Give the columns of a Parquet file of texts the types that all their values fit, and move it to `target`.

    Returns the columns of numbers that are not written plainly, each with how.
    """
    typed = _settle_types(texts, columns, cursor)
    if all(column.sql_type == "VARCHAR" for column in typed):
        texts.replace(target)
        return ()
    picked = ", ".join(f"{_typed_value(column)} AS {quote_name(column.name)}" for column in typed)
    run_watched(run, cursor, copy_to(f"SELECT {picked} FROM {table_of(texts)}", target), tick)
    return _describe_notations(typed)


def _typed_value(column: Planned) -> str:
    if column.notation is not None:
        return column.notation.as_number(column.name)
    return f"CAST({quote_name(column.name)} AS {column.sql_type})"


def _describe_notations(columns: Sequence[Planned]) -> tuple[tuple[str, str], ...]:
    return tuple((each.name, each.notation.describe(each.example)) for each in columns if each.notation is not None)


def refuse_encoding(path: Path, name: str, first: RejectedLine, undecodable: int, whole: int) -> DataError:
    """The sentence for a file too many of whose lines cannot be decoded."""
    return DataError(
        f"{name} is not UTF-8 text: {undecodable:,} of {whole:,} lines cannot be decoded, the first is "
        f"record {first.record} ({describe_foreign_byte(path)}). Save it as UTF-8."
    )


def _refuse_misfits(
    path: Path, name: str, rejected: Sequence[RejectedLine], n_rejected: int, undecodable: int, n_rows: int
) -> None:
    """A file most of whose lines do not fit, or whose text is in another encoding, is no table with some bad lines."""
    whole = n_rejected + n_rows
    if undecodable > MOST_UNDECODABLE * whole:
        first = next(line for line in rejected if line.reason == NOT_UTF8)
        raise refuse_encoding(path, name, first, undecodable, whole)
    if n_rejected >= max(1, n_rows):
        first = rejected[0]
        raise DataError(
            f"{name} cannot be read as a table: {n_rejected:,} of {whole:,} lines do not fit its header. "
            f"Record {first.record}: {first.reason}. Found: {first.found[:80]}"
        )


def _count(cursor: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(str(fetch(cursor, query)[0][0]))


def _settle_types(texts: Path, columns: Sequence[Planned], cursor: duckdb.DuckDBPyConnection) -> list[Planned]:
    tried = [column for column in columns if column.sql_type != "VARCHAR" or column.unsure]
    if not tried:
        return list(columns)
    counts = fetch(cursor, f"SELECT {', '.join(count_convertible(c) for c in tried)} FROM {table_of(texts)}")[0]
    numbers = [int(str(count)) for count in counts]
    settled = {
        column.name: settle_type(column, numbers[N_COUNTED * k : N_COUNTED * (k + 1)]) for k, column in enumerate(tried)
    }
    return [
        _with_example(settled.get(column.name, Planned(column.name, "VARCHAR")), texts, cursor) for column in columns
    ]


def _with_example(column: Planned, texts: Path, cursor: duckdb.DuckDBPyConnection) -> Planned:
    if column.notation is None:
        return column
    name = quote_name(column.name)
    telling = f"regexp_full_match(trim({name}), {quote_text(column.notation.telling)})"
    return replace(
        column, example=str(fetch(cursor, f"SELECT {name} FROM {table_of(texts)} WHERE {telling} LIMIT 1")[0][0])
    )


def _copy_texts(
    path: Path, layout: Layout, target: Path, run: Run, cursor: duckdb.DuckDBPyConnection, tick: Tick
) -> None:
    _drop_rejects(cursor)
    extra = f", store_rejects=true, rejects_table='{_REJECTS}', rejects_scan='{_SCANS}'"
    source = _reader(path, layout, ["VARCHAR"] * len(layout.names), extra)
    run_watched(run, cursor, copy_to(f"SELECT * FROM {source}", target), tick)


def _drop_rejects(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(f"DROP TABLE IF EXISTS {_REJECTS}")
    cursor.execute(f"DROP TABLE IF EXISTS {_SCANS}")


def _reader(path: Path, layout: Layout, types: Sequence[str], extra: str = "") -> str:
    columns = ", ".join(
        f"{quote_text(name)}: {quote_text(kind)}" for name, kind in zip(layout.names, types, strict=True)
    )
    nulls = ", ".join(quote_text(text) for text in MISSING_TEXTS)
    return (
        f"read_csv({quote_text(str(path))}, auto_detect=false, header=true, skip={layout.skip_lines}, "
        f"delim={quote_text(layout.delimiter)}, quote='\"', escape='\"', columns={{{columns}}}, "
        f"nullstr=[{nulls}], max_line_size={MAX_LINE_BYTES}, compression='none'{extra})"
    )


def copy_to(query: str, target: Path) -> str:
    """The statement that writes a query to a Parquet file of the store."""
    return f"COPY ({query}) TO {quote_text(str(target))} ({_WRITTEN})"


def _unify_line_ends(path: Path, target: Path, run: Run) -> None:
    with path.open("rb") as source, target.open("wb") as sink:
        carried = b""
        while block := source.read(4 * 1024**2):
            run.check()
            block = carried + block
            carried = b"\r" if block.endswith(b"\r") else b""
            block = block.removesuffix(b"\r") if carried else block
            sink.write(block.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        sink.write(carried.replace(b"\r", b"\n"))
