"""Tables with vectors, of whatever format, as Parquet: found out by their schema and a sample of their rows."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from lib.errors import DataError
from lib.sources.arrow import open_batches, stored_type
from lib.sources.convert import convert_text
from lib.sources.embeddings.bare import convert_bare, count_bare
from lib.sources.embeddings.columns import Candidate, find_families
from lib.sources.engine import Run
from lib.sources.jsonl import IS_OBJECT, convert_jsonl, cut_lines
from lib.sources.layout import MAX_COLUMNS, MAX_LINE_BYTES, name_columns, read_layout, refuse_width, transcode_utf16
from lib.sources.sql import MISSING_TEXTS, explain, fetch, quote_name, quote_text, run_watched, table_of

Tick = Callable[[float], None]
_SAMPLE: Final = 200
_ROW_GROUP: Final = 2_048
"""Rows of lists that are written at a time: of thousands of values more would not fit the engine's memory."""
_LIST_TEXT: Final = re.compile(r"\s*\[\s*[-+.\d\s,eEnaifNIty]*[\].]*\s*")


@dataclass(frozen=True)
class TableParts:
    """A table with vectors as Parquet: `vectors` has the candidates' columns, `meta` the others, rows aligned.

    `meta` is None where there are none. `rejected` are the 1-based records of lines that are in no row.
    """

    vectors: Path
    meta: Path | None
    candidates: tuple[Candidate, ...]
    rejected: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = field(default=())


def open_table(path: Path, name: str, content: str, work: Path, run: Run, tick: Tick) -> TableParts:
    """A file of rows as Parquet, with what may hold its vectors.

    Args:
        path: its plain bytes.
        name: what it is called on screen.
        content: "parquet", "arrow", "text" or "jsonl".
        work: a folder for what is made on the way.
        run: what may cancel it.
        tick: is told the fraction done.
    """
    if content == "parquet":
        return _of_parquet(path, path, name)
    table = work / "table.parquet"
    if content == "arrow":
        return _of_parquet(_write_arrow(path, name, table, run, tick), table, name)
    if content == "jsonl":
        return _of_jsonl(path, name, work, run, tick)
    notes: list[str] = []
    if transcode_utf16(path, name, work / "utf8", lambda _read: run.check()):
        path, notes = work / "utf8", ["The text was UTF-16 and was decoded."]
    if count_bare(path):
        rejected = convert_bare(path, name, table, run, tick)
        parts, said = _of_parquet(table, table, name), ()
    else:
        layout = read_layout(path, name)
        link = work / "input"
        link.symlink_to(path.resolve())
        converted = convert_text(link, name, layout, table, run, tick)
        rejected, said = converted.rejected_records, converted.notes
        parts = _of_parquet(table, table, name)
    return TableParts(parts.vectors, parts.meta, parts.candidates, tuple(rejected), (*notes, *said), parts.columns)


def _of_parquet(vectors: Path, meta: Path, name: str) -> TableParts:
    try:
        file = pq.ParquetFile(vectors)
        schema = file.schema_arrow
        candidates = find_candidates(schema, _read_sample(file))
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{name} is a damaged or incomplete Parquet file: it cannot be read to its end. Copy or export it again."
        ) from error
    if len(schema) > MAX_COLUMNS and not any(each.kind == "columns" for each in candidates):
        raise refuse_width(name, schema.names)
    return TableParts(vectors, meta, tuple(candidates), columns=tuple(schema.names))


def _read_sample(file: Any) -> dict[str, list[Any]]:
    """The first values of the columns of text and of lists."""
    wanted = [each.name for each in file.schema_arrow if is_list(each.type) or _is_text(each.type)]
    for batch in file.iter_batches(batch_size=_SAMPLE, columns=wanted):
        return {column: batch.column(place).to_pylist() for place, column in enumerate(batch.schema.names)}
    return {}


def find_candidates(schema: Any, sample: dict[str, list[Any]]) -> list[Candidate]:
    """What may hold vectors: columns of lists of numbers, of texts that are such lists, and numbered columns."""
    found: list[Candidate] = []
    for each in schema:
        if is_list(each.type):
            found.append(Candidate(each.name, (each.name,), "list"))
        elif _is_text(each.type) and _are_mostly_lists(sample.get(each.name, [])):
            found.append(Candidate(each.name, (each.name,), "text"))
    numeric = [each.name for each in schema if pa.types.is_integer(each.type) or pa.types.is_floating(each.type)]
    return found + find_families(numeric)


def find_text_candidates(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Candidate]:
    """What may hold vectors in a delimited text file, by its names and some of its rows."""
    columns = {
        name: [row[place] for row in rows if row[place] not in MISSING_TEXTS] for place, name in enumerate(names)
    }
    lists = [Candidate(name, (name,), "text") for name, held in columns.items() if _are_mostly_lists(held)]
    return lists + find_families([name for name, held in columns.items() if held and all(map(is_number, held))])


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _are_mostly_lists(texts: Sequence[str]) -> bool:
    held = [text for text in texts if text]
    return bool(held) and sum(map(looks_like_list, held)) * 2 > len(held)


def sample_jsonl(path: Path) -> tuple[list[str], list[Candidate]]:
    """The keys of the first JSON objects, and those that mostly hold lists of numbers."""
    held: dict[str, list[object]] = {}
    with path.open("rb") as file:
        for line in itertools.islice(iter(lambda: file.readline(MAX_LINE_BYTES), b""), _SAMPLE):
            with contextlib.suppress(ValueError, RecursionError):
                found = json.loads(line)
                if isinstance(found, dict):
                    for key, value in found.items():
                        held.setdefault(str(key), []).append(value)
    lists = [key for key, values in held.items() if 2 * sum(map(_is_vector, values)) > len(values)]
    # Values that are objects and lists of other things have no role.
    plain = [key for key, values in held.items() if any(not isinstance(each, list | dict) for each in values)]
    names = [key for key in held if key in lists or key in plain]
    return names, [Candidate(key, (key,), "list") for key in lists]


def _is_vector(value: object) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(each, int | float) for each in value)


def looks_like_list(text: str) -> bool:
    """Whether a text begins as a list of two numbers or more does."""
    return (
        text.lstrip()[:1] == "[" and len(text.split(None, 2)) > 1 - ("," in text) and bool(_LIST_TEXT.fullmatch(text))
    )


def is_list(kind: Any) -> bool:
    """Whether a type is that of lists of numbers."""
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(test(kind) for test in tests):
        return False
    value = kind.value_type
    return pa.types.is_integer(value) or pa.types.is_floating(value)


def _is_text(kind: Any) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _write_arrow(path: Path, name: str, target: Path, run: Run, tick: Tick) -> Path:
    """The columns of an Arrow file that hold vectors or can have a role, as Parquet."""
    with open_batches(path, name) as source:
        names, _notes = name_columns(source.schema.names)
        kinds = [_list_type(each.type) if is_list(each.type) else stored_type(each.type) for each in source.schema]
        source.write(target, list(zip(names, kinds, strict=True)), run, tick, rows=_ROW_GROUP, compression="none")
    return target


def _list_type(kind: Any) -> Any:
    """A list without its extension, in a type that Parquet holds."""
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _of_jsonl(path: Path, name: str, work: Path, run: Run, tick: Tick) -> TableParts:
    """The fields of JSON lines that are lists of numbers in one Parquet file, the others in another."""
    lines, vectors = work / "lines.parquet", work / "vectors.parquet"
    names, candidates = sample_jsonl(path)
    keys = [each.label for each in candidates]
    others = [each for each in names if each not in keys]
    _, n_lines = cut_lines(path, lines, run, lambda done: tick(0.2 * done))
    with run.cursor() as cursor:
        try:
            objects = f"(SELECT line FROM {table_of(lines)} WHERE {IS_OBJECT})"
            picked = ", ".join(f"{_as_list(key)} AS {quote_name(key)}" for key in keys)
            if keys:
                query = (
                    f"COPY (SELECT {picked} FROM {objects}) TO {quote_text(str(vectors))} "
                    f"(FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE {_ROW_GROUP})"
                )
                run_watched(run, cursor, query, lambda done: tick(0.2 + 0.5 * done))
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise explain(error, name) from error
    meta, converted = None, None
    if others:
        meta = work / "meta.parquet"
        converted = convert_jsonl(path, name, meta, run, lambda done: tick(0.7 + 0.3 * done))
    rejected = converted.rejected_records if converted else _find_rejected(run, lines, n_lines)
    return TableParts(vectors, meta, tuple(candidates), rejected, converted.notes if converted else (), tuple(names))


def _as_list(key: str) -> str:
    pointer = "/" + key.replace("~", "~0").replace("/", "~1")
    return f"TRY_CAST(json_extract(line, {quote_text(pointer)}) AS DOUBLE[])"


def _find_rejected(run: Run, lines: Path, n: int) -> tuple[int, ...]:
    """The records that are no objects, or could not be cut to lines."""
    with run.cursor() as cursor:
        held = {int(str(row[0])) for row in fetch(cursor, f"SELECT record FROM {table_of(lines)} WHERE {IS_OBJECT}")}
    return tuple(record for record in range(1, n + 1) if record not in held)
