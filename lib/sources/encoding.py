"""In what other encoding a text may be that is not UTF-8, told by its first byte that shows it."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Final

_BLOCK: Final = 4 * 1024**2
_AROUND: Final = 24
"""So many bytes of the same line are told before and after the byte."""


def describe_foreign_byte(path: Path) -> str:
    """The first byte that UTF-8 does not have there with the text around it, and in which encoding that can be read.

    Windows-1252 has all letters of Latin-1, so that both are told; where it has no such character, neither is.

    Returns:
        Part of a sentence, such as "byte FC in “Zürich,web” if it is Windows-1252 (Latin-1)"; empty where the whole
        file is UTF-8.
    """
    place = _find_foreign_byte(path)
    if place < 0:
        return ""
    with path.open("rb") as file:
        start = max(0, place - _AROUND)
        file.seek(start)
        before, after = file.read(place - start), file.read(_AROUND + 1)
    line = before.splitlines(keepends=True)[-1:]
    before = b"" if not line or line[0].endswith((b"\n", b"\r")) else line[0]
    shown = before + after.splitlines()[0]
    try:
        text, words = shown.decode("cp1252"), "if it is Windows-1252 (Latin-1)"
    except UnicodeDecodeError:
        text, words = shown.decode(errors="replace"), "in an encoding that is not known"
    return f"byte {after[0]:02X} in “{text.strip()}” {words}"


def _find_foreign_byte(path: Path) -> int:
    """Where UTF-8 ends in a file, in bytes from its start; −1 where it holds to the end."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    read = 0
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            carried = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return read - carried + error.start
            if not block:
                return -1
            read += len(block)
