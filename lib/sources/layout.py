"""How a delimited text file is laid out: encoding, delimiter, header, and a sample of its rows as text.

Everything here works on samples of bounded size; nothing is converted and no type is decided by the engine.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.errors import DataError, LimitError
from lib.sources.encoding import describe_foreign_byte

HEAD_BYTES: Final = 1024**2
SPOT_BYTES: Final = 16 * 1024
SPOTS: Final = 16
MAX_LINE_BYTES: Final = 2 * 1024**2
MAX_COLUMNS: Final = 2_000
DELIMITERS: Final = (",", "\t", ";", "|")
_NUMBER: Final = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_SEPARATOR: Final = re.compile(r"(?i)\"?sep=[,;|\t]\"?(\r\n|\r|\n)+")
_COMMENTS: Final = re.compile(r"(#[^\r\n]*(\r\n|\r|\n)+)+")
_FRACTION: Final = re.compile(r"\s*[+-]?\d*\.\d+([eE][+-]?\d+)?\s*")


@dataclass(frozen=True)
class Layout:
    """The layout of a text file; `sample` holds rows of the right width from all over it, as text."""

    delimiter: str
    names: tuple[str, ...]
    skip_lines: int
    sample: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def transcode_utf16(path: Path, name: str, target: Path, on_block: Callable[[int], None]) -> bool:
    """Write a UTF-16 file (recognised by its byte order mark) as UTF-8; false if it is not one."""
    with path.open("rb") as source:
        mark = source.read(2)
        if mark not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return False
        decoder = codecs.getincrementaldecoder("utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be")()
        with target.open("wb") as sink:
            try:
                while block := source.read(4 * HEAD_BYTES):
                    sink.write(decoder.decode(block).encode())
                    on_block(source.tell())
                decoder.decode(b"", final=True)
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{name} begins as UTF-16 text but cannot be decoded to its end. Save it as UTF-8."
                ) from error
    return True


def read_layout(path: Path, name: str) -> Layout:
    """The layout of a text file in UTF-8; `DataError` if it has no header row or no data."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if size > len(head):
            cut = max(head.rfind(b"\n"), head.rfind(b"\r"))
            if cut < 0:
                raise LimitError(
                    f"{name} has a first line longer than {HEAD_BYTES // 1024**2} MB: it is no table of columns, or "
                    "its line ends are missing."
                )
            head = head[: cut + 1]
        spots = [_read_spot(file, size, k) for k in range(1, SPOTS + 1)] if size > 4 * HEAD_BYTES else []
    text = head.decode("utf-8-sig", errors="replace")
    before, said = _find_preamble(text)
    stripped = text[len(before) :]
    delimiter = choose_delimiter(stripped)
    rows = _parse(stripped, delimiter)
    if not rows:
        raise DataError(f"{name} holds no rows.")
    header, data = rows[0], [row for row in rows[1:] if row]
    if "".join(header).count("\ufffd") > head.count("\ufffd".encode()):
        raise DataError(
            f"{name} is not UTF-8 text: its header cannot be decoded ({describe_foreign_byte(path)}). Save it as UTF-8."
        )
    if header and all(_NUMBER.fullmatch(cell) for cell in header):
        raise DataError(
            f"{name} has no header: its first line holds numbers only ({', '.join(header[:5])}). Add a first line "
            "with the names of the columns."
        )
    if (cell := _find_stray_number(header, data)) is not None:
        raise DataError(
            f"{name} has no header: its first line holds a value ({cell}) where a column name is expected. Add a "
            "first line with the names of the columns."
        )
    if len(header) > MAX_COLUMNS:
        raise refuse_width(name, header)
    if not data:
        raise DataError(f"{name} has a header ({', '.join(header[:5])}) but no rows beneath it.")
    names, notes = name_columns(header)
    for spot in spots:
        data += _parse(spot, delimiter)
    sample = tuple(tuple(row) for row in data if len(row) == len(names))
    return Layout(delimiter, names, len(_LINE_END.findall(before)), sample, (*said, *notes))


def refuse_width(name: str, columns: Sequence[str]) -> LimitError:
    """The sentence for a table of too many columns; it says how vectors are saved where most columns are numbered."""
    said = f"{name} has {len(columns):,} columns; at most {MAX_COLUMNS:,} can be read."
    if sum(column.strip()[-1:].isdecimal() for column in columns) > len(columns) / 2:
        said += " Vectors of more dimensions can be saved as NPY, NPZ or Parquet with a column of lists."
    return LimitError(said)


def _find_preamble(text: str) -> tuple[str, tuple[str, ...]]:
    """What stands before the header (blank lines, the separator as Excel notes it, comments) and what to say of it.

    A line that begins with # is the header where it is the only one and has the width of the next.
    """
    before = text[: len(text) - len(text.lstrip("\r\n"))]
    if separator := _SEPARATOR.match(text, len(before)):
        note = f"The line {separator[0].strip()} before the header was left out."
        return before + separator[0], (note,)
    comments = _COMMENTS.match(text, len(before))
    if comments is None:
        return before, ()
    number = len([line for line in comments[0].splitlines() if line])
    following = text[comments.end() :]
    delimiter = choose_delimiter(following)
    widths = [len(row) for row in _parse(comments[0] + following, delimiter, number + 1) if row]
    if not following or (number == 1 and len(widths) == 2 and widths[0] == widths[1] > 1):
        return before, ()
    lines = "1 line" if number == 1 else f"{number} lines"
    begins, was = ("begins", "was") if number == 1 else ("begin", "were")
    return before + comments[0], (f"{lines} before the header that {begins} with # {was} left out.",)


def name_columns(header: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Unique names for the columns, and a sentence for each that had to be made up.

    Names are compared without regard to case, as the engine does.
    """
    names: list[str] = []
    notes: list[str] = []
    taken = {cell.strip().casefold() for cell in header}
    seen: set[str] = set()
    for position, cell in enumerate(header, start=1):
        name = cell.strip()[:200]
        if not name:
            name = _free_name(f"column_{position}", taken | seen)
            notes.append(f"Column {position} has no name and is called {name} here.")
        elif name.casefold() in seen:
            new = _free_name(name, taken | seen)
            notes.append(f"Column {position} is named {name} like an earlier one and is called {new} here.")
            name = new
        seen.add(name.casefold())
        names.append(name)
    return tuple(names), tuple(notes)


def _find_stray_number(header: list[str], data: list[list[str]]) -> str | None:
    """A decimal fraction in the first line above a column of numbers: a value, hardly the name of a column."""
    for position, cell in enumerate(header):
        if _FRACTION.fullmatch(cell):
            below = [row[position] for row in data[:200] if len(row) == len(header) and row[position]]
            if below and all(_NUMBER.fullmatch(value) for value in below):
                return cell
    return None


def _free_name(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name.casefold() in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name


def _read_spot(file: io.BufferedReader, size: int, number: int) -> str:
    file.seek(size * number // (SPOTS + 1))
    block = file.read(SPOT_BYTES)
    lines = block.splitlines(keepends=True)[1:-1]
    return b"".join(lines).decode(errors="replace")


def _parse(text: str, delimiter: str, rows: int = 5_000) -> list[list[str]]:
    """Up to `rows` records; a record that cannot be parsed ends the sample."""
    found: list[list[str]] = []
    # The default bound of the csv module, 128 kB a field, is below the bound on lines here.
    csv.field_size_limit(2 * MAX_LINE_BYTES)
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            found.append(record)
            if len(found) >= rows:
                break
    except csv.Error:
        pass
    return found


def choose_delimiter(text: str) -> str:
    """The delimiter under which most records have as many fields as the header; then the one with most fields."""
    best, best_rank = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        rows = [row for row in _parse(text, delimiter, 500) if row]
        width = len(rows[0]) if rows else 0
        if width < 2:
            continue
        # A file whose rows all have another width than its header is still delimited; it is refused later.
        share = sum(len(row) == width for row in rows) / len(rows)
        rank = (round(share, 2), width)
        if rank > best_rank:
            best, best_rank = delimiter, rank
    return best
