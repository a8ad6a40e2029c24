"""JSON lines to Parquet: one object a line, each of its keys a column, nested values left out.

Lines are cut here, in blocks, so that neither a broken line nor one of megabytes costs more than itself; the engine
parses them and finds the keys over all records. Values become text first and are given types as a text file's are.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from lib.errors import DataError, LimitError
from lib.sources.column_types import Planned
from lib.sources.convert import MOST_UNDECODABLE, Converted, Tick, copy_to, refuse_encoding, write_typed
from lib.sources.engine import Run
from lib.sources.layout import MAX_COLUMNS, MAX_LINE_BYTES, name_columns
from lib.sources.rejects import FOUND_LENGTH, LINE_TOO_LONG, MAX_LISTED, NOT_UTF8, RejectedLine
from lib.sources.sql import MISSING_TEXTS, explain, fetch, quote_name, quote_text, run_watched, table_of

NOT_AN_OBJECT: Final = "not a JSON object"
_BLOCK: Final = 8 * 1024**2
_LINES: Final = pa.schema([("record", pa.int64()), ("line", pa.string())])
IS_OBJECT: Final = "CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END"
"""A CASE, because the engine may look at the type of what is no JSON where the two are joined by AND."""


@dataclass(frozen=True)
class _Rejected:
    """A line that is in no row, and whether it could not be decoded."""

    record: int
    reason: str
    found: str

    @property
    def line(self) -> RejectedLine:
        return RejectedLine(self.record, "", self.reason, self.found)


def convert_jsonl(path: Path, name: str, target: Path, run: Run, tick: Tick) -> Converted:
    """Write the records of a file of JSON lines, in its order, to the Parquet file `target`.

    Raises `DataError` where most lines are no JSON objects, `LimitError` where they have too many different keys.
    """
    lines, texts = target.with_suffix(".lines"), target.with_suffix(".texts")
    try:
        rejected, n_lines = cut_lines(path, lines, run, lambda done: tick(0.3 * done))
        with run.cursor() as cursor:
            try:
                keys, n_bad = _find_keys(cursor, lines)
                if n_bad:
                    rejected = sorted([*rejected, *_find_bad_lines(cursor, lines)], key=lambda each: each.record)
                _refuse_misfits(path, name, rejected, n_lines)
                if len(keys) > MAX_COLUMNS:
                    raise LimitError(
                        f"{name} has {len(keys):,} different keys; at most {MAX_COLUMNS:,} columns can be read."
                    )
                names, notes = name_columns(keys)
                tick(0.4)
                nested = _find_nested(cursor, lines, keys)
                unusable = tuple(column for column, is_nested in zip(names, nested, strict=True) if is_nested)
                kept = {key: column for key, column in zip(keys, names, strict=True) if column not in unusable}
                if not kept:
                    raise DataError(f"{name} has no column that can be used: only lists and objects, or no key at all.")
                query = copy_to(_as_texts(kept, lines), texts)
                run_watched(run, cursor, query, lambda done: tick(0.45 + 0.35 * done))
                planned = [Planned(column, "VARCHAR", unsure=True) for column in kept.values()]
                written = write_typed(texts, planned, target, run, cursor, lambda done: tick(0.8 + 0.2 * done))
            except duckdb.InterruptException:
                raise
            except duckdb.Error as error:
                raise explain(error, name) from error
    finally:
        lines.unlink(missing_ok=True)
        texts.unlink(missing_ok=True)
    return Converted(
        rejected=tuple(each.line for each in rejected[:MAX_LISTED]),
        rejected_records=tuple(each.record for each in rejected),
        notes=notes,
        unusable=unusable,
        written=written,
    )


def cut_lines(path: Path, target: Path, run: Run, tick: Tick) -> tuple[list[_Rejected], int]:
    """Write the lines of a file with their record numbers; those that are no text or too long are given back."""
    rejected: list[_Rejected] = []
    size, record = max(1, path.stat().st_size), 0
    with pq.ParquetWriter(target, _LINES, compression="snappy", use_dictionary=False) as writer:
        for read, block in _blocks(path):
            run.check()
            records: list[int] = []
            lines: list[bytes] = []
            for line in block.splitlines():
                if not line.strip():
                    continue
                record += 1
                if reason := _find_fault(line):
                    rejected.append(_Rejected(record, reason, line[:FOUND_LENGTH].decode(errors="replace")))
                else:
                    records.append(record)
                    lines.append(line)
            writer.write_table(pa.table([pa.array(records, pa.int64()), pa.array(lines, pa.string())], schema=_LINES))
            tick(read / size)
    return rejected, record


def _blocks(path: Path) -> Generator[tuple[int, bytes]]:
    """Whole lines in blocks, with the bytes read so far; of a line that is too long only the beginning is kept."""
    with path.open("rb") as file:
        carried = file.read(3).removeprefix(b"\xef\xbb\xbf")
        while block := file.read(_BLOCK):
            cut = max(block.rfind(b"\n"), block.rfind(b"\r")) + 1
            if cut:
                yield file.tell(), carried + block[:cut]
                carried = block[cut:]
            elif len(carried) <= MAX_LINE_BYTES:
                carried += block
        yield file.tell(), carried


def _find_fault(line: bytes) -> str:
    if len(line) > MAX_LINE_BYTES:
        return LINE_TOO_LONG
    try:
        line.decode()
    except UnicodeDecodeError:
        return NOT_UTF8
    return ""


def _find_keys(cursor: duckdb.DuckDBPyConnection, lines: Path) -> tuple[list[str], int]:
    """The keys of all objects, in the order of the first record that has each, and the number of lines that are none.

    Most files have one list of keys, so that lists are told apart before keys are.
    """
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE key_lists AS SELECT CASE WHEN {IS_OBJECT} THEN json_keys(line) END AS keys, "
        f"min(record) AS record, count(*) AS n FROM {table_of(lines)} GROUP BY 1"
    )
    try:
        bad = fetch(cursor, "SELECT coalesce(sum(n), 0) FROM key_lists WHERE keys IS NULL")[0][0]
        rows = fetch(
            cursor,
            "SELECT key FROM (SELECT record, unnest(keys) AS key, generate_subscripts(keys, 1) AS place "
            "FROM key_lists) GROUP BY key ORDER BY min(record), arg_min(place, record)",
        )
    finally:
        cursor.execute("DROP TABLE key_lists")
    return [str(row[0]) for row in rows], int(str(bad))


def _find_bad_lines(cursor: duckdb.DuckDBPyConnection, lines: Path) -> list[_Rejected]:
    query = f"SELECT record, left(line, {FOUND_LENGTH}) FROM {table_of(lines)} WHERE NOT {IS_OBJECT}"
    return [_Rejected(int(str(record)), NOT_AN_OBJECT, str(found)) for record, found in fetch(cursor, query)]


def _refuse_misfits(path: Path, name: str, rejected: list[_Rejected], n_lines: int) -> None:
    """A file most of whose lines are no objects is no table with some bad lines."""
    undecodable = [each for each in rejected if each.reason == NOT_UTF8]
    if len(undecodable) > MOST_UNDECODABLE * n_lines:
        raise refuse_encoding(path, name, undecodable[0].line, len(undecodable), n_lines)
    if len(rejected) * 2 >= n_lines:
        first = rejected[0]
        raise DataError(
            f"{name} begins like JSON, but {len(rejected):,} of {n_lines:,} lines are not one whole object each. "
            f"Record {first.record}: {first.reason}. Write one object a line (JSONL). Found: {first.found[:80]}"
        )


def _find_nested(cursor: duckdb.DuckDBPyConnection, lines: Path, keys: list[str]) -> list[bool]:
    """For each key whether at least half of its values are objects or lists."""
    counts = ", ".join(
        f"count(*) FILTER (kinds[{place}] IN ('OBJECT', 'ARRAY')), count(*) FILTER (kinds[{place}] <> 'NULL')"
        for place in range(1, len(keys) + 1)
    )
    query = f"SELECT {counts} FROM (SELECT {_pick('json_type', keys)} AS kinds FROM {_objects(lines)})"
    numbers = [int(str(count)) for count in fetch(cursor, query)[0]] if keys else []
    return [nested > 0 and nested * 2 >= held for nested, held in zip(numbers[::2], numbers[1::2], strict=True)]


def _as_texts(columns: dict[str, str], lines: Path) -> str:
    """The query that gives the value of each key as text, null where it is missing, in the order of the records.

    A list of so many missing texts would become a join, and a join keeps no order: they are one pattern.
    """
    missing = quote_text("|".join(re.escape(text) for text in MISSING_TEXTS))
    picked = ", ".join(
        f"CASE WHEN regexp_full_match(texts[{place}], {missing}) THEN NULL ELSE texts[{place}] END "
        f"AS {quote_name(column)}"
        for place, column in enumerate(columns.values(), start=1)
    )
    return (
        f"SELECT {picked} FROM (SELECT {_pick('json_extract_string', list(columns))} AS texts FROM {_objects(lines)})"
    )


def _objects(lines: Path) -> str:
    return f"(SELECT line FROM {table_of(lines)} WHERE {IS_OBJECT})"


def _pick(function: str, keys: list[str]) -> str:
    """A function of the values of several keys: the line is parsed once for all of them."""
    pointers = ", ".join(quote_text("/" + key.replace("~", "~0").replace("/", "~1")) for key in keys)
    return f"{function}(line, [{pointers}])"
