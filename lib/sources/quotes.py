"""Lines whose quotation marks are wrong, found and blotted out before the engine reads the file.

A quotation mark that opens and never closes takes everything up to the next one for a single value; the engine then
loses thousands of good lines around it and says so of one. Here only the line itself is lost: a record may span
lines if it closes within `MAX_SPAN` of them and has the width of the header; otherwise its first line is at fault.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

MAX_SPAN: Final = 200
_BLOCK: Final = 8 * 1024**2
_MOST_BYTES: Final = 1024**2


def blot_bad_quotes(
    path: Path, target: Path, delimiter: str, width: int, check: Callable[[], None]
) -> dict[int, bytes]:
    """Copy a file with its badly quoted lines overwritten by what has too few or too many fields.

    Returns the start of each overwritten line by its byte position; all positions and line numbers stay as they were.
    """
    shutil.copyfile(path, target)
    whole, opened = _record_patterns(delimiter)
    bad: dict[int, bytes] = {}
    with path.open("rb") as source, target.open("r+b") as sink:
        position = 0
        while block := source.read(_BLOCK) + source.readline(_MOST_BYTES):
            check()
            if b'"' not in block:
                position += len(block)
                continue
            lines = block.splitlines(keepends=True)
            number = 0
            while number < len(lines):
                line = lines[number]
                span = 1
                if b'"' in line and not whole.fullmatch(line.rstrip(b"\r\n")):
                    if opened.fullmatch(line.rstrip(b"\r\n")):
                        if number + MAX_SPAN >= len(lines):
                            lines += [more for _ in range(MAX_SPAN) if (more := source.readline(_MOST_BYTES))]
                        span = _find_span(lines[number : number + MAX_SPAN], whole, delimiter, width)
                    else:
                        span = 0
                    if span == 0:
                        bad[position] = line[:1_000]
                        sink.seek(position)
                        sink.write((b"x" if width > 1 else delimiter.encode()) * len(line.rstrip(b"\r\n")))
                        span = 1
                position += sum(len(taken) for taken in lines[number : number + span])
                number += span
    return bad


def _record_patterns(delimiter: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """A whole record, and a line in which a quoted value is still open."""
    sep = re.escape(delimiter.encode())
    field = rb'(?:"(?:[^"]|"")*+"|[^"\r\n' + sep + rb"][^\r\n" + sep + rb"]*+|)"
    begun = rb"(?:" + field + sep + rb")*+"
    return re.compile(begun + field), re.compile(begun + rb'"(?:[^"]|"")*+')


def _find_span(lines: list[bytes], whole: re.Pattern[bytes], delimiter: str, width: int) -> int:
    """How many lines the record at the start of these takes; 0 if it does not close in time or in shape."""
    text = b""
    for count, line in enumerate(lines, start=1):
        text += line
        if len(text) > _MOST_BYTES:
            return 0
        # Only a line with a quotation mark can close the value.
        if count > 1 and b'"' in line and whole.fullmatch(record := text.rstrip(b"\r\n")):
            bare = re.sub(rb'"(?:[^"]|"")*+"', b"", record)
            return count if bare.count(delimiter.encode()) + 1 == width else 0
    return 0
