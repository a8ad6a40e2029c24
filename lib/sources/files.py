"""What a file is, by its content: format, compression, hash, and the plain bytes behind a compressed one."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

import pyarrow as pa

from lib.errors import DataError, LimitError
from lib.sources.arrow import FILE_MAGIC, STREAM_MAGIC

ACCEPTED: Final = "CSV, TSV, JSONL, Parquet and Arrow files are accepted, plain or compressed with gzip or zstd"

UNPACKED_LIMIT: Final = 64 * 1024**3
"""How large a compressed file may become, in bytes, before it is refused: a guard against decompression bombs."""

BLOCK: Final = 4 * 1024**2

_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"PK\x03\x04", "a ZIP archive (an Excel workbook and an NPZ file are ones too)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Office file"),
    (b"%PDF", "a PDF document"),
    (b"FEA1", "a Feather file of version 1, which is no longer read; write it as version 2"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x04\x22\x4d\x18", "an LZ4 file"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"\x7fELF", "a program"),
)
_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\r\f\x1a\x1b"))
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_OBJECT: Final = re.compile(r"\{\s*[\"'}]")
"""How a JSON object begins, or what was meant to be one."""
_SUFFIXES: Final = frozenset(
    {".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq", ".parq", ".jsonl", ".ndjson", ".json", ".arrow", ".arrows"}
    | {".feather", ".ipc", ".gz", ".gzip", ".zst", ".zstd"}
)
_VECTOR_SUFFIXES: Final = frozenset({".npy", ".npz", ".safetensors", ".bytes"})


@dataclass(frozen=True)
class Recognised:
    """A readable file: `content` is `text`, `jsonl`, `parquet` or `arrow`; `compression` `none`, `gzip` or `zstd`."""

    content: str
    compression: str


def compute_stem(name: str) -> str:
    """The name of a file without its folder and all the suffixes that say how it is stored.

    >>> compute_stem("runs/model-1.2.csv.gz")
    'model-1.2'
    """
    path = Path(name.replace("\\", "/"))
    while path.suffix.lower() in _SUFFIXES | _VECTOR_SUFFIXES and path.stem:
        path = Path(path.stem)
    return path.name or name


def has_known_suffix(name: str) -> bool:
    """Whether a name ends like that of a file of rows."""
    return Path(name).suffix.lower() in _SUFFIXES


def compute_sha256(path: Path, cancelled: Callable[[], bool] = lambda: False) -> str:
    """The sha256 of a file's bytes, in hexadecimal; empty if `cancelled` said so on the way."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if cancelled():
                return ""
            digest.update(block)
    return digest.hexdigest()


def read_stamp(path: Path) -> tuple[int, int, int]:
    """What changes when a file is written to or replaced: size, time of the last change, and which file it is."""
    state = path.stat()
    return state.st_size, state.st_mtime_ns, state.st_ino


def refuse_change(path: Path, name: str, stamp: tuple[int, int, int]) -> None:
    """Refuse what was read of a file that is no longer what it was when reading began; `DataError` says so."""
    try:
        same = read_stamp(path) == stamp
    except OSError:
        same = False
    if not same:
        raise DataError(f"{name} changed while it was read. Read it again when nothing writes to it.")


def read_head(path: Path, name: str) -> tuple[bytes, str]:
    """The first 4,096 plain bytes of a file, and how it is compressed; `DataError` if there are none."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}.") from error
    if not head:
        raise DataError(f"{name} is empty (0 bytes). {ACCEPTED}.")
    compression = "none"
    if head.startswith(b"\x1f\x8b"):
        compression = "gzip"
    elif head.startswith(b"\x28\xb5\x2f\xfd"):
        compression = "zstd"
    if compression != "none":
        with open_plain(path, name, compression) as file:
            head = file.read(4096)
        if not head:
            raise DataError(f"{name} is a {compression} file with nothing inside. {ACCEPTED}.")
    return head, compression


def recognise(path: Path, name: str) -> Recognised:
    """What the file holds, judged by its first bytes; `DataError` says what was found if it cannot be read."""
    head, compression = read_head(path, name)
    if head.startswith(b"PAR1"):
        return Recognised("parquet", compression)
    if head.startswith((FILE_MAGIC, STREAM_MAGIC)):
        return Recognised("arrow", compression)
    if found := _describe_foreign(head):
        inside = "" if compression == "none" else f", inside {compression},"
        raise DataError(f"{name}{inside} is {found}, not a table that can be read here. {ACCEPTED}.")
    return Recognised("jsonl" if _OBJECT.match(_as_text(head)) else "text", compression)


def _describe_foreign(head: bytes) -> str:
    """What else the first bytes are, in words; empty if they may be delimited text."""
    for magic, description in _MAGIC:
        if head.startswith(magic):
            return description
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a Python pickle, which is never opened because it can run code"
    text = _as_text(head)
    lowered = text[:200].lower()
    if lowered.startswith(("<!doctype html", "<html")):
        return "a web page (HTML), perhaps an error page saved under this name"
    if lowered.startswith(("<?xml", "<svg")):
        return "an XML document"
    if text[:1] == "[" and text[1:].lstrip()[:1] in ("{", "[", "]"):
        return "a JSON array (JSONL, one object a line without brackets and commas between, can be read)"
    if not text:
        return "blank: it holds white space only"
    if not head.startswith(_UTF16) and len(head.translate(None, _CONTROLS)) < 0.95 * len(head):
        return "a binary file"
    return ""


def _as_text(head: bytes) -> str:
    """The first bytes as text, without what may stand before its first word."""
    encoding = "utf-16" if head.startswith(_UTF16) else "utf-8-sig"
    return head.decode(encoding, errors="replace").lstrip()


def open_plain(path: Path, name: str, compression: str) -> BinaryIO:
    """The uncompressed bytes of a file, as a stream whose damage is a `DataError`."""
    if compression == "gzip":
        # One wrapper for both: reading raises the same sentence wherever the damage is found.
        return cast("BinaryIO", _Guarded(cast("BinaryIO", gzip.open(path, "rb")), name, compression))
    if compression == "zstd":
        stream = pa.CompressedInputStream(pa.OSFile(str(path), "rb"), "zstd")
        return cast("BinaryIO", _Guarded(cast("BinaryIO", stream), name, compression))
    return path.open("rb")


class _Guarded:
    """A decompressing stream whose errors are sentences."""

    def __init__(self, stream: BinaryIO, name: str, compression: str) -> None:
        self._stream, self._name, self._compression = stream, name, compression

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except (OSError, EOFError, zlib.error, pa.ArrowInvalid) as error:
            raise DataError(
                f"{self._name} is a damaged or incomplete {self._compression} file: it cannot be unpacked to its "
                "end. Copy or export it again."
            ) from error

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> _Guarded:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def unpack(path: Path, name: str, compression: str, target: Path, on_block: Callable[[int], None]) -> str:
    """Write the plain bytes of a compressed file to `target` and return their sha256.

    `on_block(bytes written)` may raise to stop it.

    Raises `LimitError` above `UNPACKED_LIMIT`, or when the disk would be left with less than 1 GB.
    """
    written, digest = 0, hashlib.sha256()
    with open_plain(path, name, compression) as source, target.open("wb") as sink:
        while block := source.read(BLOCK):
            written += len(block)
            if written > UNPACKED_LIMIT:
                raise LimitError(
                    f"{name} unpacks to more than {UNPACKED_LIMIT // 1024**3} GB, the bound for compressed files. "
                    "Split it, or convert it to Parquet."
                )
            if written % (64 * BLOCK) < BLOCK and shutil.disk_usage(target.parent).free < 1024**3:
                raise LimitError(f"Unpacking {name} would fill the disk: less than 1 GB is left.")
            sink.write(block)
            digest.update(block)
            on_block(written)
    return digest.hexdigest()
