"""How a time column is written: format and zone, decided on the whole column, asked where two readings fit."""

from __future__ import annotations

import datetime
import functools
import re
import zoneinfo
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from lib.errors import DataError
from lib.schema import (
    EPOCHS,
    ISO,
    MAX_EPOCH_SECONDS,
    NATIVE,
    TIME_FORMAT_NAMES,
    Evidence,
    Question,
    TimeFormat,
)
from lib.sources.columns import Column, format_count, join_names
from lib.sources.engine import Run
from lib.sources.sql import NUMBER_KINDS, TEXT, fetch, number_of, quote_text, table_of, value_of

_FIRST: Final = 946_684_800  # 2000-01-01
_LAST: Final = 4_102_444_800  # 2100-01-01
_HEAD: Final = 2_000
_ISO: Final = re.compile(r"\s*\d{4}-\d{1,2}-\d{1,2}([T ].*)?")
_OFFSET: Final = re.compile(r".*\d\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?|UTC)\s*", re.IGNORECASE)
_DATE: Final = re.compile(
    r"\s*(?P<a>\d{1,4})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<c>\d{1,4})"
    r"(?:(?P<gap>,? |T)(?P<hour>\d{1,2}):\d\d(?P<second>:\d\d)?(?P<fraction>\.\d{1,6})?(?P<half> ?[AaPp][Mm])?)?\s*"
)
_COMPACT: Final = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True)
class TimeReading:
    """How a time column is read and why; no format where the column holds no times, or while a question is open."""

    time_format: TimeFormat | None
    evidence: tuple[Evidence, ...] = ()
    question: Question | None = None


def infer_time_format(column: Column, pattern: str | None, timezone: str | None) -> TimeReading:
    """The format of a time column from all its values, or the question that would settle it.

    A reading without format and without question says that these are no times that can be read here.
    """
    zone = validate_timezone(timezone)
    if column.is_all_missing:
        sentence = "Every time is missing."
        return TimeReading(TimeFormat(pattern or ISO, zone), (Evidence("time_format", pattern or ISO, sentence),))
    if pattern is not None:
        return _read_answer(column, pattern, zone, timezone is not None)
    if column.kind in ("timestamp", "date"):
        return _settle(column, NATIVE, zone, timezone is not None, f"The file declares it as {column.kind}s.")
    if column.kind in NUMBER_KINDS:
        return _read_numbers(column, zone, timezone is not None)
    if column.kind != TEXT:
        return TimeReading(None)
    head = _read_head(column)
    if sum(_ISO.fullmatch(text) is not None for text in head) * 2 > len(head):
        if count_readable(column, ISO) * 2 < column.n_held:
            return TimeReading(None)
        sentence = "Year, month and day in this order (ISO 8601)"
        return _settle(column, ISO, zone, timezone is not None, sentence + _say_unread(column, ISO))
    candidates = _find_patterns(head)
    if not candidates:
        return TimeReading(None)
    return _choose(column, candidates, zone, timezone is not None)


def ask_for_format(column: Column) -> Question:
    """The question for a column that cannot be read as the time as it is; its options are what reads some values."""
    if column.is_numeric:
        options = [
            (pattern, f"the latest is {_date_of(column.maximum / scale)}")
            for pattern, scale in EPOCHS.items()
            if _FIRST * scale <= column.maximum <= _LAST * scale
        ]
    else:
        head = _read_head(column)
        found = _find_patterns([text for text in head if _DATE.fullmatch(text) and not _ISO.fullmatch(text)])
        found += [ISO] if any(_ISO.fullmatch(text) for text in head) else []
        counts = {pattern: count_readable(column, pattern) for pattern in found}
        options = [
            (pattern, f"{format_count(count, 'value')} of {column.n_held:,} can be read so")
            for pattern, count in sorted(counts.items(), key=lambda each: -each[1])
            if count
        ]
    sentence = (
        f"{column.name} cannot be read as the time, for example {join_names(column.examples[:2])}: in which pattern "
        "are its times written?"
    )
    return Question("date_format", sentence, tuple(options))


def validate_timezone(timezone: str | None) -> str:
    """The name of the time zone, UTC if none was given; `DataError` if there is none of this name."""
    if timezone is None:
        return "UTC"
    try:
        zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DataError(f"There is no time zone {timezone}: use a name such as UTC or Europe/Berlin.") from error
    return timezone


def _settle(column: Column, pattern: str, zone: str, declared: bool, sentence: str) -> TimeReading:
    evidence = Evidence("time_format", pattern, sentence.rstrip(".") + ".", column.examples)
    return TimeReading(TimeFormat(pattern, zone), (evidence, _explain_zone(column, pattern, zone, declared)))


def _explain_zone(column: Column, pattern: str, zone: str, declared: bool) -> Evidence:
    if pattern in EPOCHS:
        return Evidence("timezone", "UTC", "Seconds since 1970 are UTC by definition.", column.examples)
    if pattern == NATIVE and all(table.column(column.name).zoned for table in column.tables):
        return Evidence("timezone", "UTC", "Times carry their own zone and are shown in UTC.", column.examples)
    if pattern == ISO and any(_OFFSET.fullmatch(text) for text in column.examples):
        return Evidence(
            "timezone", zone, f"Times carry their own offset; those without one are {zone}.", column.examples
        )
    if declared:
        return Evidence("timezone", zone, f"Declared: times without a zone are {zone}.", column.examples)
    return Evidence("timezone", zone, f"Times carry no zone and are read as {zone}.", column.examples)


def _read_numbers(column: Column, zone: str, declared: bool) -> TimeReading:
    for pattern, scale in EPOCHS.items():
        if column.minimum >= _FIRST * scale and column.maximum <= _LAST * scale:
            first, last = (_date_of(value / scale) for value in (column.minimum, column.maximum))
            unit = pattern.removeprefix("epoch_").capitalize()
            return _settle(column, pattern, zone, declared, f"{unit} since 1970: {first} to {last}.")
    if column.kind == "integer" and all(_COMPACT.fullmatch(text) for text in column.examples):
        sentence = "Year, month and day as eight digits" + _say_unread(column, "%Y%m%d")
        return _settle(column, "%Y%m%d", zone, declared, sentence)
    return TimeReading(None)


def _read_answer(column: Column, pattern: str, zone: str, declared: bool) -> TimeReading:
    if pattern not in TIME_FORMAT_NAMES and "%" not in pattern:
        return _ask_again(
            f"{pattern} is no date format: use {join_names(TIME_FORMAT_NAMES)} or a pattern such as %d/%m/%Y %H:%M."
        )
    if pattern == NATIVE and column.kind not in ("timestamp", "date"):
        return _ask_again(f"{column.name} holds {column.kind} values, no native times: choose another date format.")
    if column.kind in ("timestamp", "date"):
        return _settle(column, NATIVE, zone, declared, f"The file declares it as {column.kind}s.")
    if pattern in EPOCHS and not column.is_numeric:
        return _ask_again(f"{column.name} holds no numbers, for example {join_names(column.examples[:2])}.")
    try:
        readable = count_readable(column, pattern)
    except duckdb.InvalidInputException:
        return _ask_again(f"{pattern} is no date format: the engine cannot read it. An example is %d/%m/%Y %H:%M.")
    if readable == 0:
        return _ask_again(
            f"No value of {column.name} can be read as {pattern}, for example {join_names(column.examples[:2])}."
        )
    return _settle(column, pattern, zone, declared, "Declared" + _say_unread(column, pattern))


def _ask_again(sentence: str) -> TimeReading:
    return TimeReading(None, (), Question("date_format", sentence))


def _choose(column: Column, candidates: list[str], zone: str, declared: bool) -> TimeReading:
    counts = {pattern: count_readable(column, pattern) for pattern in candidates}
    best = max(counts.values())
    if best * 2 < column.n_held:
        return TimeReading(None)
    fitting = [pattern for pattern in candidates if counts[pattern] == best]
    if len(fitting) == 1:
        order = _name_order(fitting[0])
        sentence = f"{order}: {format_count(best, 'value')} of {column.n_held:,} can be read so"
        others = [counts[pattern] for pattern in candidates if pattern != fitting[0]]
        if others:
            sentence += f", {max(others):,} the other way round"
        return _settle(column, fitting[0], zone, declared, sentence)
    example = _find_telling(column) or column.examples[0]
    options = tuple((pattern, f"{example} is {_spell(example, pattern)}") for pattern in fitting)
    sentence = f"The dates of {column.name} can be read in two ways: no value settles which number is the day."
    return TimeReading(None, (), Question("date_format", sentence, options))


def _find_patterns(head: list[str]) -> list[str]:
    """The patterns in which the most common shape of date among these texts may be read."""
    shapes: Counter[tuple[str, ...]] = Counter()
    for text in head:
        if (match := _DATE.fullmatch(text)) is not None:
            rest = match["second"], match["fraction"], match["half"]
            shape = (match["sep"], match["gap"] or "", *("1" if part else "" for part in rest))
            widths = ("4" if len(match["a"]) > 2 else "2", "4" if len(match["c"]) > 2 else "2")
            shapes[(*shape, *widths)] += 1
    if not shapes or sum(shapes.values()) * 2 < len(head):
        return ["%Y%m%d"] if head and all(_COMPACT.fullmatch(text) for text in head) else []
    (sep, gap, second, fraction, half, first, last), _ = shapes.most_common(1)[0]
    clock = ""
    if gap:
        clock = gap + ("%I" if half else "%H") + ":%M" + (":%S" if second else "") + (".%f" if fraction else "")
        clock += " %p" if half else ""
    if first == "4":
        orders = [("%Y", "%m", "%d")]
    elif last == "4":
        orders = [("%d", "%m", "%Y"), ("%m", "%d", "%Y")]
    else:
        orders = [("%d", "%m", "%y"), ("%m", "%d", "%y")] + [("%y", "%m", "%d")] * (sep == "-")
    return [sep.join(order) + clock for order in orders]


def _name_order(pattern: str) -> str:
    first = pattern[:2]
    return {"%d": "Day before month", "%m": "Month before day"}.get(first, "Year, month, day")


def _spell(example: str, pattern: str) -> str:
    try:
        # %I, %p and fractions mean the same to Python as to the engine.
        time = datetime.datetime.strptime(example.strip(), pattern).replace(tzinfo=datetime.UTC)
    except ValueError:
        return f"read as {pattern}"
    return f"{time.day} {time:%B %Y}"


def _find_telling(column: Column) -> str | None:
    """A value whose first two numbers differ, so that the two readings of it do."""
    for text in (*column.examples, *_read_head(column)):
        match = _DATE.fullmatch(text)
        if match is not None and int(match["a"]) != int(match["b"]):
            return text.strip()
    return None


def _date_of(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC).date().isoformat()


def _say_unread(column: Column, pattern: str) -> str:
    unread = column.n_held - count_readable(column, pattern)
    return f"; {format_count(unread, 'value')} of {column.n_held:,} cannot be read so." if unread else ""


def _read_head(column: Column) -> list[str]:
    heads = (_head(t.parquet, t.sha256, column.name, t.column(column.name).kind) for t in column.tables)
    return [text for head in heads for text in head]


@functools.lru_cache(maxsize=256)
def _head(parquet: Path, sha256: str, name: str, kind: str) -> tuple[str, ...]:
    value = value_of(name, kind)
    query = f"SELECT v FROM (SELECT ({value})::VARCHAR AS v FROM {table_of(parquet)}) WHERE v IS NOT NULL LIMIT {_HEAD}"
    with Run().cursor() as cursor:
        return tuple(str(row[0]) for row in fetch(cursor, query))


def count_readable(column: Column, pattern: str) -> int:
    """How many values of a column, over all files, can be read with a pattern."""
    return sum(
        _count_readable(table.parquet, table.sha256, column.name, table.column(column.name).kind, pattern)
        for table in column.tables
    )


@functools.lru_cache(maxsize=1024)
def _count_readable(parquet: Path, sha256: str, name: str, kind: str, pattern: str) -> int:
    value = f"({value_of(name, kind)})::VARCHAR"
    if kind in ("timestamp", "date"):
        read = value
    elif pattern == ISO:
        # Only texts that begin with a full date: the engine would also read "epoch" and "infinity".
        read = f"CASE WHEN {value} ^@ 'e' OR {value} ^@ 'i' THEN NULL ELSE TRY_CAST({value} AS TIMESTAMPTZ) END"
    elif pattern in EPOCHS:
        number = number_of(name, kind)
        read = f"CASE WHEN abs({number}) <= {MAX_EPOCH_SECONDS * EPOCHS[pattern]} THEN 1 END"
    else:
        read = f"try_strptime(trim({value}), {quote_text(pattern)})"
    with Run().cursor() as cursor:
        return int(str(fetch(cursor, f"SELECT count({read}) FROM {table_of(parquet)}")[0][0]))
