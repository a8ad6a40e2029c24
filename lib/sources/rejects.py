"""Lines that cannot be split into columns: which record of the file, why, and what stood there."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from lib.sources.layout import MAX_LINE_BYTES, Layout
from lib.sources.sql import fetch

MAX_LISTED: Final = 1_000
FOUND_LENGTH: Final = 200
NOT_UTF8: Final = "the text is not UTF-8"
LINE_TOO_LONG: Final = f"the line is longer than {MAX_LINE_BYTES // 1024**2} MB"
_BLOCK: Final = 8 * 1024**2
_BLANK: Final = re.compile(rb"^\r?\n", re.MULTILINE)


@dataclass(frozen=True)
class RejectedLine:
    """A line of a text file that is in no table: 1-based data record (the header not counted), and why.

    `column` is empty where the fault is not in one column; `found` is the start of the line.
    """

    record: int
    column: str
    reason: str
    found: str


def read_rejects(
    cursor: duckdb.DuckDBPyConnection, table: str, path: Path, layout: Layout, blotted: dict[int, bytes]
) -> tuple[tuple[RejectedLine, ...], tuple[int, ...]]:
    """The first 1,000 rejected lines, and the record numbers of all of them, ascending.

    The engine numbers lines by record (a quoted line break does not count) but counts blank lines, which are no
    records: they are found in the file itself and taken off. `blotted` holds, by byte position, the lines that were
    overwritten for the engine because their quotation marks are wrong.
    """
    rows = fetch(
        cursor,
        f"""SELECT line, any_value(line_byte_position), arg_min(coalesce(column_name, ''), column_idx),
            arg_min(error_type::VARCHAR, coalesce(column_idx, 0)), arg_min(error_message, coalesce(column_idx, 0)),
            left(any_value(csv_line), {FOUND_LENGTH})
            FROM {table} GROUP BY line ORDER BY line""",
    )
    width = len(layout.names)
    positions = [int(str(row[1] or 0)) for row in rows]
    blanks = _count_blank_lines_before(path, positions, layout.skip_lines) if rows and width > 1 else [0] * len(rows)
    records = [int(str(row[0])) - 1 - layout.skip_lines - blank for row, blank in zip(rows, blanks, strict=True)]
    listed: list[RejectedLine] = []
    for record, row, position in zip(records[:MAX_LISTED], rows, positions, strict=False):
        kind, message, found = str(row[3]), str(row[4]), str(row[5] or "")
        if (original := blotted.get(position - 1)) is not None:
            kind, found = "UNQUOTED VALUE", original[:FOUND_LENGTH].decode(errors="replace")
        column = "" if row[2] is None or "COLUMNS" in kind or original is not None else str(row[2])
        listed.append(RejectedLine(record, column, _describe(kind, message, width), found.strip("\r\n")))
    return tuple(listed), tuple(records)


def _describe(kind: str, message: str, width: int) -> str:
    found = re.search(r"Found: (\d+)", message)
    if kind in ("MISSING COLUMNS", "TOO MANY COLUMNS") and found:
        number = int(found[1])
        return f"{number:,} {'field' if number == 1 else 'fields'} where the header has {width:,}"
    if kind == "UNQUOTED VALUE":
        return "a quotation mark opens or closes in the wrong place"
    if kind == "INVALID ENCODING":
        return NOT_UTF8
    if kind == "LINE SIZE OVER MAXIMUM":
        return LINE_TOO_LONG
    return kind.lower() if kind else message.splitlines()[0]


def _count_blank_lines_before(path: Path, positions: list[int], skip_lines: int) -> list[int]:
    """For each byte position, how many blank lines outside quotes stand between the header and it."""
    blanks: list[int] = []
    end, quotes = max(positions), 0
    with path.open("rb") as file:
        start = sum(len(file.readline()) for _ in range(skip_lines))
        while start < end and (block := file.read(_BLOCK) + file.readline(MAX_LINE_BYTES)):
            counted = 0
            for match in _BLANK.finditer(block):
                quotes += block.count(b'"', counted, match.start())
                counted = match.start()
                if quotes % 2 == 0:
                    blanks.append(start + match.start())
            quotes += block.count(b'"', counted)
            start += len(block)
    return [bisect.bisect_left(blanks, position) for position in positions]
