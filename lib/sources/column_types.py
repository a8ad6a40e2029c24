"""Which columns of a text file become numbers: decided on text, so that no id, code or date is ever damaged.

A column becomes a number only if each of its values is written as one and nothing is lost by reading it so: ids
with leading zeros or more digits than a number holds stay text, and so do dates, times, versions and booleans.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lib.sources.notations import N_COUNTS, Notation, count_columns, count_texts, find_notation, read_counts
from lib.sources.sql import MISSING_TEXTS, quote_name, quote_text

_INTEGER: Final = re.compile(r"0|-?[1-9]\d{0,18}")
_FLOAT: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.IGNORECASE)
_LOSSY: Final = r"[+-]?(0[0-9]+|[0-9]{17,})([.][0-9]*)?"
_LOSSY_TEXT: Final = re.compile(_LOSSY)
_KEPT_AS_TEXT: Final = re.compile(r"(^|[^a-z])(version|release|build|revision|tag)([^a-z]|$)", re.IGNORECASE)
"""Columns in which 1.1 and 1.10 are two different things."""


@dataclass(frozen=True)
class Planned:
    """A column of a text file and the type it is read with: `BIGINT`, `DOUBLE` or `VARCHAR`.

    `unsure` marks a column of text that all rows may show to be one of numbers; `notation` is that of numbers which
    are not written plainly, and `example` one of them.
    """

    name: str
    sql_type: str
    unsure: bool = False
    notation: Notation | None = None
    example: str = ""


def plan_columns(names: tuple[str, ...], sample: Iterable[tuple[str, ...]]) -> tuple[Planned, ...]:
    """The type to try for each column, from a sample of its values as text."""
    columns: list[list[str]] = [[] for _ in names]
    missing = frozenset(MISSING_TEXTS)
    for row in sample:
        for values, cell in zip(columns, row, strict=True):
            if cell not in missing:
                values.append(cell)
    return tuple(_plan_column(name, values) for name, values in zip(names, columns, strict=True))


def _plan_column(name: str, values: list[str]) -> Planned:
    if not values:
        return Planned(name, "VARCHAR", unsure=True)
    if all(_INTEGER.fullmatch(value) and abs(int(value)) < 2**63 for value in values):
        return Planned(name, "BIGINT")
    if _KEPT_AS_TEXT.search(name):
        return Planned(name, "VARCHAR")
    stripped = [value.strip() for value in values]
    if all(_FLOAT.fullmatch(value) and not _LOSSY_TEXT.fullmatch(value) for value in stripped):
        return Planned(name, "DOUBLE")
    counts = count_texts(stripped)
    if (notation := find_notation(counts)) is not None:
        example = next(value for value in stripped if re.fullmatch(notation.telling, value))
        return Planned(name, "DOUBLE", notation=notation, example=example)
    # A number column with a bad cell in the sample: whether the rest converts is decided on all rows.
    numbers = sum(_FLOAT.fullmatch(value) is not None for value in stripped)
    return Planned(name, "VARCHAR", unsure=max(numbers, *counts.fits) >= len(values) / 2)


def read_type(column: Planned) -> str:
    """The type with which the reader reads a column: what has to be checked digit by digit arrives as text."""
    return "DOUBLE" if column.sql_type == "DOUBLE" and column.notation is None else "VARCHAR"


def checked_value(column: Planned) -> str:
    """The expression that turns what the reader gives into the planned type, or stops at the first misfit.

    The engine alone would read 1.5 as 2, 007 as 7 and 0x10 as 16.
    """
    name = quote_name(column.name)
    if column.notation is not None:
        failure = quote_text("another notation")
        return (
            f"CASE WHEN {name} IS NULL OR {column.notation.is_certain(column.name)} "
            f"THEN {column.notation.as_number(column.name)} ELSE error({failure}) END AS {name}"
        )
    if column.sql_type != "BIGINT":
        return name
    number = f"TRY_CAST({name} AS BIGINT)"
    failure = quote_text("not a whole number")
    return f"CASE WHEN {name} IS NULL OR {number}::VARCHAR = {name} THEN {number} ELSE error({failure}) END AS {name}"


N_COUNTED: Final = 3 + N_COUNTS
"""How many expressions `count_convertible` has."""


def count_convertible(column: Planned) -> str:
    """Expressions for a column read as text: values, whole numbers, numbers that lose nothing, and by notation."""
    name = quote_name(column.name)
    return (
        f"count({name}), "
        f"count(*) FILTER (TRY_CAST({name} AS BIGINT)::VARCHAR = {name}), "
        f"count(*) FILTER (TRY_CAST({name} AS DOUBLE) IS NOT NULL "
        f"AND NOT regexp_full_match(trim({name}), {quote_text(_LOSSY)})), "
        f"{count_columns(column.name)}"
    )


def settle_type(column: Planned, counts: Sequence[int]) -> Planned:
    """A column with its type from the counts of `count_convertible` over all its rows."""
    values, integers, numbers, *by_notation = counts
    if values == 0:
        return Planned(column.name, "VARCHAR")
    if integers == values:
        return Planned(column.name, "BIGINT")
    if _KEPT_AS_TEXT.search(column.name):
        return Planned(column.name, "VARCHAR")
    if numbers == values:
        return Planned(column.name, "DOUBLE")
    notation = find_notation(read_counts(values, by_notation))
    return Planned(column.name, "VARCHAR" if notation is None else "DOUBLE", notation=notation)
