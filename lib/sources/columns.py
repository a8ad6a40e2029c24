"""The columns of several files seen as one: what is known of a column over all files that have it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from lib.schema import ColumnProfile
from lib.sources.notations import THOUSANDS
from lib.sources.sql import NUMBER_KINDS, TEXT
from lib.sources.tables import RawTable

_COMMA_NUMBER: Final = re.compile(r"\s*[+-]?([\d.]*,\d+([eE][+-]?\d+)?|\d{1,3}(,\d{3})+(\.\d+)?)\s*")
_PERCENT: Final = re.compile(r"\s*[+-]?(\d+([.,]\d*)?|[.,]\d+)\s*[%\uff05]\s*")
_THOUSANDS: Final = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_DOUBTFUL: Final = re.compile(THOUSANDS.doubtful)


@dataclass(frozen=True)
class Column:
    """One column over all files that have it.

    `values` are (text, count) united over the files, most frequent first, empty where a file has too many;
    `distinct_share` is the smallest share of distinct values among present ones in any file; `written` is how numbers
    were written where that was not plain, `unread_number` one with a comma or a per cent sign of a file in which most
    are and could not be read, `odd_value` what stood beside them; `absent_from` names the files without the column.
    """

    name: str
    kind: str
    n_rows: int
    n_missing: int
    n_distinct: int
    distinct_share: float
    values: tuple[tuple[str, int], ...]
    examples: tuple[str, ...]
    minimum: float
    maximum: float
    n_numbers: int
    written: str
    unread_number: str
    odd_value: str
    tables: tuple[RawTable, ...]
    absent_from: tuple[str, ...]

    @property
    def n_held(self) -> int:
        """Values that are not missing."""
        return self.n_rows - self.n_missing

    @property
    def is_numeric(self) -> bool:
        """Whether most values are numbers; the others of such a column are bad cells."""
        return self.n_held > 0 and self.n_numbers * 2 >= self.n_held

    @property
    def is_percent(self) -> bool:
        """Whether its numbers are written with a per cent sign, and are text."""
        return _PERCENT.fullmatch(self.unread_number) is not None

    @property
    def is_all_missing(self) -> bool:
        """Whether no file holds a value."""
        return self.n_held == 0


def unite_columns(tables: Sequence[RawTable]) -> dict[str, Column]:
    """Name to column, in the order in which the files name them first."""
    names = dict.fromkeys(name for table in tables for name in table.column_names)
    return {name: _unite(name, tables) for name in names}


def _unite(name: str, tables: Sequence[RawTable]) -> Column:
    holding = tuple(table for table in tables if table.has_column(name))
    profiles = [table.column(name) for table in holding]
    counts: Counter[str] = Counter()
    for profile in profiles:
        counts.update(dict(profile.values))
    unread_number, odd_value = next((found for profile in profiles if (found := _find_unread(profile))[0]), ("", ""))
    listed = all(profile.values or profile.n_missing == profile.n_rows for profile in profiles)
    held = [profile for profile in profiles if profile.n_missing < profile.n_rows]
    return Column(
        name=name,
        kind=_unite_kinds([profile.kind for profile in held or profiles]),
        n_rows=sum(profile.n_rows for profile in profiles),
        n_missing=sum(profile.n_missing for profile in profiles),
        n_distinct=len(counts) if listed else max(profile.n_distinct for profile in profiles),
        distinct_share=min((_distinct_share(profile) for profile in held), default=0.0),
        values=tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))) if listed else (),
        examples=_unite_examples(profiles),
        minimum=min((p.minimum for p in profiles if not math.isnan(p.minimum)), default=math.nan),
        maximum=max((p.maximum for p in profiles if not math.isnan(p.maximum)), default=math.nan),
        n_numbers=sum(_count_numbers(profile) for profile in profiles),
        written=next((profile.written for profile in profiles if profile.written), ""),
        unread_number=unread_number,
        odd_value=odd_value,
        tables=holding,
        absent_from=tuple(table.name for table in tables if not table.has_column(name)),
    )


def _find_unread(profile: ColumnProfile) -> tuple[str, str]:
    """A number with a per cent sign or a comma, where most values of a text column are that, and a value that is none.

    No such value if none was seen. Of commas one that shows the comma to be a decimal one, if there is any.
    """
    pairs = profile.values or tuple((text, 1) for text in profile.examples)
    percents = {text: count for text, count in pairs if _PERCENT.fullmatch(text)}
    if profile.kind == TEXT and sum(percents.values()) * 2 > sum(count for _, count in pairs):
        telling = next((text for text in percents if re.search("[1-9]", text)), next(iter(percents)))
        return telling.strip(), next((text for text, _ in pairs if text not in percents), "")
    numbers = {text: count for text, count in pairs if _COMMA_NUMBER.fullmatch(text)}
    if profile.kind != TEXT or sum(numbers.values()) * 2 <= sum(count for _, count in pairs):
        return "", ""
    telling = next((text.strip() for text in numbers if not _THOUSANDS.fullmatch(text.strip())), "")
    odd = next((text for text, _ in pairs if text not in numbers), "")
    return telling or next(iter(numbers)).strip(), odd


def _unite_kinds(kinds: list[str]) -> str:
    if len(set(kinds)) == 1:
        return kinds[0]
    if set(kinds) <= NUMBER_KINDS:
        return "float"
    return "timestamp" if set(kinds) == {"timestamp", "date"} else TEXT


def _unite_examples(profiles: list[ColumnProfile]) -> tuple[str, ...]:
    """Five examples, taken from the files in turn."""
    longest = max(len(profile.examples) for profile in profiles)
    turns = [p.examples[k] for k in range(longest) for p in profiles if k < len(p.examples)]
    return tuple(dict.fromkeys(turns))[:5]


def _distinct_share(profile: ColumnProfile) -> float:
    return profile.n_distinct / (profile.n_rows - profile.n_missing)


def _count_numbers(profile: ColumnProfile) -> int:
    return profile.n_rows - profile.n_missing if profile.kind in NUMBER_KINDS else profile.n_numbers


def describe_distinct(column: Column) -> str:
    """How many distinct values a column has, said as exactly as they were counted."""
    about = "about " if column.n_distinct > 10_000 else ""
    return about + format_count(column.n_distinct, "distinct value")


def describe_unread(column: Column) -> str:
    """What is wrong with numbers that are written with a comma or a per cent sign, and what to do."""
    example = column.unread_number
    beside = f", and not all are ({shorten(column.odd_value)})" if column.odd_value else ""
    if column.is_percent:
        share = Decimal(example.rstrip("%\uff05 \t\u00a0\u202f").replace(",", ".")) / 100
        return f"its numbers are written with a per cent sign ({example}){beside}; write them as 0 to 1 ({share:f})"
    mended = example.replace(".", "").replace(",", ".")
    if not _THOUSANDS.fullmatch(example):
        return f"its numbers are written with a comma ({example}){beside}; write them with a point ({mended})"
    doubt = (
        f"{example}, which may be {example.replace(',', '')} or {mended}" if _DOUBTFUL.fullmatch(example) else example
    )
    return f"its numbers are written with commas ({doubt}){beside}; write them without, and fractions with a point"


def format_count(number: int, noun: str, nouns: str = "") -> str:
    """A number of things: "1 value", "2,500 values"."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def format_share(part: int, whole: int) -> str:
    """A share in per cent that never reads 0 or 100 unless it is.

    >>> format_share(1, 3), format_share(1, 100_000), format_share(99_999, 100_000), format_share(2, 2)
    ('33.3 %', '< 0.1 %', '> 99.9 %', '100 %')
    """
    if part == 0 or part == whole:
        return "0 %" if part == 0 else "100 %"
    share = 100 * part / whole
    if share < 0.1:
        return "< 0.1 %"
    return "> 99.9 %" if share > 99.9 else f"{share:.1f} %"


def format_values(values: Sequence[tuple[str, int]], most: int = 4) -> str:
    """Values with their shares: "0 (70.1 %), 1 (29.9 %)"."""
    whole = sum(count for _, count in values)
    listed = [f"{shorten(text)} ({format_share(count, whole)})" for text, count in values[:most]]
    return ", ".join(listed) + (" …" if len(values) > most else "")


def shorten(text: str, length: int = 40) -> str:
    """A text short enough for a sentence."""
    return text if len(text) <= length else text[: length - 1] + "…"


def join_names(names: Sequence[str], most: int = 6, last: str = "and") -> str:
    """Names as a list in a sentence."""
    if len(names) > most:
        return ", ".join(shorten(name) for name in names[:most]) + f" {last} {len(names) - most} more"
    if len(names) < 2:
        return "".join(shorten(name) for name in names)
    return ", ".join(shorten(name) for name in names[:-1]) + f" {last} {shorten(names[-1])}"
