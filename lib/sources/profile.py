"""What each column of a Parquet file holds: kind, missing values, distinct values, examples, range."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import duckdb

from lib.schema import ColumnProfile
from lib.sources.sql import (
    MISSING_TEXTS,
    NUMBER_KINDS,
    TEXT,
    fetch,
    missing_texts,
    number_of,
    quote_name,
    quote_text,
    value_of,
)

MAX_LISTED_VALUES: Final = 1_000
_COUNTED_EXACTLY: Final = 10_000
_EXAMPLES: Final = 5
_COLUMNS_AT_ONCE: Final = 50
"""A query reads a row group of all its columns: of five hundred that is more than the engine may hold."""
_SPOTS: Final = 16
_SPOT_ROWS: Final = 64

_KINDS: Final = {
    "BOOLEAN": "boolean",
    "FLOAT": "float32",
    "DOUBLE": "float",
    "DECIMAL": "float",
    "DATE": "date",
    "VARCHAR": TEXT,
    "ENUM": TEXT,
    "UUID": TEXT,
    "TIME": TEXT,
    "TIME_NS": TEXT,
    '"NULL"': TEXT,
} | dict.fromkeys(
    ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
    "integer",
)


@dataclass(frozen=True)
class Kinds:
    """Column to kind, in the order of the file; the times that carry a zone; the columns that cannot be used."""

    usable: dict[str, str]
    zoned: frozenset[str]
    unusable: tuple[str, ...]


def read_kinds(cursor: duckdb.DuckDBPyConnection, table: str) -> Kinds:
    """The kinds of the columns, by the types that the engine sees."""
    kinds: dict[str, str] = {}
    zoned: set[str] = set()
    unusable: list[str] = []
    for row in fetch(cursor, f"DESCRIBE SELECT * FROM {table}"):
        name, sql_type = str(row[0]), str(row[1]).upper()
        if sql_type.endswith("]"):
            unusable.append(name)
        elif sql_type.startswith("TIMESTAMP"):
            kinds[name] = "timestamp"
            if "TIME ZONE" in sql_type or "TZ" in sql_type:
                zoned.add(name)
        elif (kind := _KINDS.get(sql_type.split("(")[0])) is not None:
            kinds[name] = kind
        else:
            unusable.append(name)
    return Kinds(kinds, frozenset(zoned), tuple(unusable))


def compute_profiles(
    cursor: duckdb.DuckDBPyConnection, table: str, kinds: dict[str, str], tick: Callable[[float], None]
) -> tuple[int, tuple[ColumnProfile, ...]]:
    """The number of rows, and the profile of each column, in the order of `kinds`.

    One query over some columns at once, then one for each column with few distinct values.
    """
    n_rows, profiles, names = 0, list[ColumnProfile](), list(kinds)
    for begin in range(0, len(names), _COLUMNS_AT_ONCE):
        some = {name: kinds[name] for name in names[begin : begin + _COLUMNS_AT_ONCE]}
        n_rows, drafts = _count_columns(cursor, table, some)
        samples = _read_samples(cursor, table, some, n_rows)
        for draft in drafts:
            profile = replace(draft, examples=_choose_examples(samples[draft.name]))
            profile = _count_values(cursor, table, profile)
            if profile.kind == TEXT:
                profile = _count_numbers(cursor, table, profile, samples[profile.name])
            profiles.append(profile)
            tick(len(profiles) / len(kinds))
    return n_rows, tuple(profiles)


def _count_columns(
    cursor: duckdb.DuckDBPyConnection, table: str, kinds: dict[str, str]
) -> tuple[int, list[ColumnProfile]]:
    """The number of rows, and profiles with what one query over all of these columns tells."""
    parts = ["count(*)"]
    for name, kind in kinds.items():
        value = quote_name(name) if kind == TEXT else value_of(name, kind)
        parts += [f"count({value})", f"approx_count_distinct({value})"]
        if kind in NUMBER_KINDS:
            number = quote_name(name)
            finite = f"FILTER (isfinite({number}::DOUBLE))" if kind != "integer" else ""
            parts += [f"min({number}) {finite}", f"max({number}) {finite}"]
        else:
            parts += ["NULL", "NULL"]
    counts = fetch(cursor, f"SELECT {', '.join(parts)} FROM {table}")[0]
    n_rows = _whole(counts[0])
    profiles: list[ColumnProfile] = []
    for k, (name, kind) in enumerate(kinds.items()):
        held, distinct, low, high = counts[1 + 4 * k : 5 + 4 * k]
        profiles.append(
            ColumnProfile(
                name=name,
                kind=kind,
                n_rows=n_rows,
                n_missing=n_rows - _whole(held),
                n_distinct=min(_whole(distinct), _whole(held)),
                examples=(),
                minimum=_number(low),
                maximum=_number(high),
            )
        )
    return n_rows, profiles


def _count_values(cursor: duckdb.DuckDBPyConnection, table: str, profile: ColumnProfile) -> ColumnProfile:
    """The profile with exact counts where there are few distinct values, and with texts such as NA as missing."""
    column, is_text = quote_name(profile.name), profile.kind == TEXT
    if profile.n_distinct > MAX_LISTED_VALUES * 1.2:
        if is_text and _may_hold_missing_texts(cursor, table, column):
            query = f"SELECT count(*) FILTER ({column}::VARCHAR IN ({missing_texts()})) FROM {table}"
            missing = profile.n_missing + _whole(fetch(cursor, query)[0][0])
            profile = replace(profile, n_missing=missing)
        if profile.n_distinct <= _COUNTED_EXACTLY * 1.2:
            value = value_of(profile.name, profile.kind)
            exact = _whole(fetch(cursor, f"SELECT count(DISTINCT {value}) FROM {table}")[0][0])
            profile = replace(profile, n_distinct=exact)
        return replace(profile, n_distinct=min(profile.n_distinct, profile.n_rows - profile.n_missing))
    value = column if is_text else value_of(profile.name, profile.kind)
    rows = fetch(
        cursor,
        f"SELECT {_as_text('v', profile.kind)}, n FROM (SELECT {value} AS v, count(*) AS n FROM {table} GROUP BY ALL) "
        "WHERE v IS NOT NULL ORDER BY n DESC, v",
    )
    counts = [(str(text), _whole(count)) for text, count in rows]
    values = [pair for pair in counts if not is_text or pair[0] not in MISSING_TEXTS]
    return replace(
        profile,
        n_missing=profile.n_rows - sum(count for _, count in values),
        n_distinct=len(values),
        values=tuple(values) if len(values) <= MAX_LISTED_VALUES else (),
    )


def _may_hold_missing_texts(cursor: duckdb.DuckDBPyConnection, table: str, column: str) -> bool:
    """Whether any missing text lies between the first and the last value: the statistics of the file tell, for free."""
    first, last = fetch(cursor, f"SELECT min({column})::VARCHAR, max({column})::VARCHAR FROM {table}")[0]
    return any(str(first) <= text <= str(last) for text in MISSING_TEXTS)


def _count_numbers(
    cursor: duckdb.DuckDBPyConnection, table: str, profile: ColumnProfile, sample: list[str]
) -> ColumnProfile:
    """How many of a text column's values are numbers, and their range: a number column with bad cells is text."""
    numeric = sum(_is_number(text) for text in sample)
    if not sample or numeric < len(sample) / 10:
        return profile
    number = number_of(profile.name, profile.kind)
    row = fetch(
        cursor,
        f"SELECT count(v), min(v) FILTER (isfinite(v)), max(v) FILTER (isfinite(v)) "
        f"FROM (SELECT {number} AS v FROM {table})",
    )[0]
    return replace(profile, n_numbers=_whole(row[0]), minimum=_number(row[1]), maximum=_number(row[2]))


def _read_samples(
    cursor: duckdb.DuckDBPyConnection, table: str, kinds: dict[str, str], n_rows: int
) -> dict[str, list[str]]:
    """Values as text from places spread over the file, missing ones left out."""
    texts = ", ".join(_as_text(value_of(name, kind), kind) for name, kind in kinds.items())
    where = ""
    if n_rows > _SPOTS * _SPOT_ROWS:
        # The engine skips the row groups between the spots; a step of rows would make it read everything.
        starts = (n_rows * k // _SPOTS for k in range(_SPOTS))
        ranges = (f"file_row_number BETWEEN {start} AND {start + _SPOT_ROWS - 1}" for start in starts)
        where = f"WHERE {' OR '.join(ranges)}"
    numbered = table.removesuffix(")") + ", file_row_number=true)"
    rows = fetch(cursor, f"SELECT {texts} FROM {numbered} {where} ORDER BY file_row_number")
    return {name: [str(row[k]) for row in rows if row[k] is not None] for k, name in enumerate(kinds)}


def _choose_examples(sample: list[str]) -> tuple[str, ...]:
    """Up to five values spread over the sample, distinct ones first."""
    distinct = list(dict.fromkeys(sample))
    if len(distinct) <= _EXAMPLES:
        return tuple(text[:200] for text in distinct)
    return tuple(distinct[k * (len(distinct) - 1) // (_EXAMPLES - 1)][:200] for k in range(_EXAMPLES))


def _as_text(value: str, kind: str) -> str:
    """A value as a person writes it: 1 rather than 1.0."""
    if kind in ("float", "float32"):
        return f"regexp_replace(({value})::VARCHAR, {quote_text('[.]0+$')}, '')"
    return f"({value})::VARCHAR"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int) else int(str(value))


def _number(value: object) -> float:
    # One NaN object for all, so that equal profiles compare equal.
    return math.nan if value is None else float(str(value))
