"""The bytes of a file that may be a training history: how much is read, what it begins with, and what was found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.errors import DataError, LimitError
from lib.sources.files import open_plain, recognise
from lib.sources.training_order import Series

MOST_JSON: Final = 64 * 1024**2
MOST_TABLE: Final = 256 * 1024**2
_HEAD: Final = 256 * 1024


@dataclass(frozen=True)
class Found:
    """A history as it stands in a file: who wrote it, by what that shows, and its series."""

    format: str
    evidence: str
    series: tuple[Series, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Start:
    """The beginning of a file, from which it is seen whether the rest is worth reading.

    Attributes:
        path, name: the file.
        compression: none, gzip or zstd.
        head: its first bytes, unpacked, without a byte order mark.
        is_json: whether it is one JSON document, as far as its beginning shows; else it may be a table.
    """

    path: Path
    name: str
    compression: str
    head: bytes
    is_json: bool

    def read_all(self, most: int) -> bytes:
        """Everything, unpacked.

        Raises:
            LimitError: that is more than `most` bytes.
        """
        with open_plain(self.path, self.name, self.compression) as file:
            parts: list[bytes] = []
            size = 0
            while block := file.read(_HEAD):
                size += len(block)
                if size > most:
                    raise LimitError(
                        f"{self.name} looks like a training history and is larger than {most // 1024**2} MB, the most "
                        "that is read of one. Export fewer runs, metrics or steps."
                    )
                parts.append(block)
        return b"".join(parts).removeprefix(b"\xef\xbb\xbf")


def read_start(path: Path, name: str) -> Start | None:
    """The beginning of a file of text; None for other files, and for one that cannot be read at all."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        compression = "gzip" if magic[:2] == b"\x1f\x8b" else "zstd" if magic == b"\x28\xb5\x2f\xfd" else "none"
        with open_plain(path, name, compression) as file:
            head = file.read(_HEAD)
    except (OSError, DataError):
        return None  # What is wrong with it is said by whoever reads it as predictions.
    head = head.removeprefix(b"\xef\xbb\xbf")
    begins = head.lstrip()[:1]
    if begins in (b"{", b"["):
        return None if _is_json_lines(head) else Start(path, name, compression, head, is_json=True)
    try:
        if recognise(path, name).content != "text":
            return None
    except DataError:
        return None
    return Start(path, name, compression, head, is_json=False)


def _is_json_lines(head: bytes) -> bool:
    """Whether the first line is a whole object and another one follows."""
    first, _, rest = head.lstrip().partition(b"\n")
    if not rest.lstrip().startswith((b"{", b"[")):
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True
