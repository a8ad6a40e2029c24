"""Arrays of NPY, NPZ, safetensors and raw bytes: headers distrusted, values streamed, no pickle ever opened."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import numpy as np
from numpy.typing import NDArray

from lib.errors import DataError, LimitError
from lib.sources.embeddings.bits import declares_bits, unpack_bits
from lib.sources.embeddings.matrix import (
    BLOCK_BYTES,
    MatrixWriter,
    check_size,
    find_good,
    open_matrix,
    rows_per_block,
    write_header,
)
from lib.sources.engine import Run
from lib.sources.files import UNPACKED_LIMIT

NO_PICKLE: Final = "A pickle can run anything when it is read, so none is opened here"
MOST_PARTS: Final = 1_000
_FLOATS: Final = frozenset({"float16", "float32", "float64"})
DAMAGED: Final = (
    ValueError,
    TypeError,
    SyntaxError,
    tokenize.TokenError,
    EOFError,
    OverflowError,
    RecursionError,
    MemoryError,
    KeyError,
    zlib.error,
    zipfile.BadZipFile,
)
"""What is raised on the way through a header that was not written by NumPy."""


@dataclass(frozen=True, eq=False)
class StoredArray:
    """An array within a file: what its header says, found to need no more bytes than are there.

    `open` gives a stream at its first value. `trouble` is why its values cannot be read, empty where they can;
    `is_bfloat16` says that the 16 bits of `dtype` are the upper half of a float32.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_fortran: bool
    open: Callable[[], BinaryIO]
    is_bfloat16: bool = False
    trouble: str = ""

    @property
    def is_matrix(self) -> bool:
        """Whether it can hold vectors: numbers in two dimensions."""
        return len(self.shape) == 2 and not self.trouble and self.dtype.kind in "iufb"

    def is_column_of(self, n: int) -> bool:
        """Whether it has one value for each of n rows."""
        return self.shape in ((n,), (n, 1)) and not self.trouble and self.dtype.kind in "iufbU" and not self.is_bfloat16

    def stored_as(self, named: str) -> str:
        """How the values are held: the name of the type, or "binary" where a name declares packed bits."""
        if self.is_bfloat16:
            return "bfloat16"
        if self.dtype.kind == "b" or (self.dtype.itemsize == 1 and declares_bits(f"{self.name} {named}")):
            return "binary"
        return self.dtype.name

    def read(self) -> NDArray[Any]:
        """The whole of it, for columns."""
        with self.open() as stream:
            content = _read_exactly(stream, math.prod(self.shape) * self.dtype.itemsize, self.name)
        return np.frombuffer(content, self.dtype).reshape(-1)


def list_npy(path: Path, name: str) -> list[StoredArray]:
    """The one array of an NPY file."""
    return [_read_header(lambda: path.open("rb"), name, name, path.stat().st_size)]


def list_npz(path: Path, name: str) -> list[StoredArray]:
    """The arrays of an NPZ file.

    Raises:
        DataError: it is damaged, locked, or an array says that it is larger than it is.
        LimitError: it has too many parts, or would unpack to too much.
    """
    try:
        archive = zipfile.ZipFile(path)
        parts = [part for part in archive.infolist() if part.filename.endswith(".npy")]
        whole = sum(part.file_size for part in parts)
        if len(parts) > MOST_PARTS or whole > UNPACKED_LIMIT:
            raise LimitError(
                f"{name} has {len(parts):,} arrays of {whole:,} bytes unpacked; at most {MOST_PARTS:,} arrays of "
                f"{UNPACKED_LIMIT // 1024**3} GB together are read."
            )
        found: list[StoredArray] = []
        for part in parts:

            def opener(part: zipfile.ZipInfo = part) -> BinaryIO:
                return cast("BinaryIO", archive.open(part))

            place = part.filename.removesuffix(".npy")
            found.append(_read_header(opener, place, f"{place} of {name}", part.file_size))
        return found
    except (NotImplementedError, RuntimeError, OSError, *DAMAGED) as error:
        raise DataError(f"{name} cannot be read as an NPZ file: it is damaged or locked. Save it again.") from error


def _read_header(opener: Callable[[], BinaryIO], name: str, place: str, size: int) -> StoredArray:
    """What the header of an NPY stream of `size` bytes says, where that can be true."""
    try:
        with opener() as stream:
            version = np.lib.format.read_magic(stream)
            if version == (3, 0):
                raise DataError(f"{place} is a structured array, not a matrix of numbers. Save its fields one by one.")
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, is_fortran, dtype = read(stream)
            offset = stream.tell()
    except DAMAGED as error:
        raise DataError(f"{place} has a damaged header: it is no array as NumPy writes them. Save it again.") from error
    if any(each < 0 for each in shape):
        raise DataError(f"{place} says that its shape is {_shown(shape)}, which no array has. Save it again.")
    trouble = _find_trouble(dtype, place)
    need = math.prod(shape) * dtype.itemsize
    if not trouble and need > size - offset:
        raise DataError(
            f"{place} says that its shape is {_shown(shape)}, which takes {need:,} bytes, but it holds "
            f"{size - offset:,}: it is damaged or incomplete. Save it again."
        )

    def at_values() -> BinaryIO:
        stream = opener()
        _read_exactly(stream, offset, place)
        return stream

    return StoredArray(name, shape, dtype, is_fortran, at_values, trouble=trouble)


def _find_trouble(dtype: np.dtype[Any], place: str) -> str:
    if dtype.hasobject:
        return f"{place} holds Python objects. {NO_PICKLE}; save numbers or texts."
    if dtype.names is not None or dtype.subdtype is not None:
        return f"{place} is a structured array, not a matrix of numbers. Save its fields one by one."
    return ""


def as_raw_bytes(path: Path, name: str, n: int | None) -> StoredArray:
    """Float32 values without a header, as TensorBoard's projector reads them: n says how many rows they are.

    Raises:
        DataError: n is not known, or the bytes cannot be divided so.
    """
    size = path.stat().st_size
    if not n:
        raise DataError(
            f"{name} holds raw values and does not say how long a vector is: give its metadata beside it, which has "
            "one row for each vector."
        )
    if size == 0 or size % (4 * n):
        raise DataError(
            f"{name} holds {size:,} bytes, which cannot be {n:,} vectors of float32 of one length: its metadata, which "
            f"has {n:,} rows, is not of this file, or either is incomplete."
        )
    return StoredArray(name, (n, size // (4 * n)), np.dtype("<f4"), False, lambda: path.open("rb"))


def write_array(
    array: StoredArray, target: Path, name: str, stored_as: str, run: Run, tick: Callable[[float], None]
) -> tuple[int, NDArray[np.bool_]]:
    """Write a matrix as float32 to the .npy file `target`; its dimension, and which rows are finite throughout.

    Packed bits become −1 and +1.

    Raises:
        DataError: it is no matrix of numbers, or ends too early.
        LimitError: it is too large.
    """
    _require_matrix(array, name)
    n, width = array.shape
    packed = stored_as == "binary" and array.dtype.kind != "b"
    dimension = 8 * width if packed else width
    if array.is_fortran and n > 1 and width > 1:
        _write_columns(array, target, name, packed, run, tick)
        return dimension, find_good(open_matrix(target))
    check_size(name, n, dimension, target.parent)
    step = rows_per_block(dimension)
    with MatrixWriter(target, name, n, dimension) as writer, array.open() as stream:
        for first in range(0, n, step):
            run.check()
            rows = min(step, n - first)
            content = _read_exactly(stream, rows * width * array.dtype.itemsize, name)
            writer.append(_decode(array, np.frombuffer(content, array.dtype).reshape(rows, width), packed))
            tick((first + rows) / n)
    return dimension, writer.is_good


def _write_columns(
    array: StoredArray, target: Path, name: str, packed: bool, run: Run, tick: Callable[[float], None]
) -> None:
    """Of a matrix in Fortran order some columns at a time are put where they belong."""
    n, width = array.shape
    each = 8 if packed else 1
    check_size(name, n, width * each, target.parent)
    offset = write_header(target, n, width * each)
    with target.open("r+b") as file:
        file.truncate(offset + 4 * n * width * each)
    out = np.load(target, mmap_mode="r+", allow_pickle=False)
    step = max(1, BLOCK_BYTES // (8 * n))
    with array.open() as stream:
        for first in range(0, width, step):
            run.check()
            columns = min(step, width - first)
            content = _read_exactly(stream, columns * n * array.dtype.itemsize, name)
            block = _decode(array, np.frombuffer(content, array.dtype).reshape(columns, n).T, packed)
            with np.errstate(over="ignore", invalid="ignore"):
                out[:, each * first : each * (first + columns)] = block.astype(np.float32)
            tick((first + columns) / width)
    out.flush()


def _decode(array: StoredArray, block: NDArray[Any], packed: bool) -> NDArray[Any]:
    """Values as numbers: packed bits and booleans as −1 and +1, which makes both distances that of Hamming."""
    if array.is_bfloat16:
        return (block.astype(np.uint32) << 16).view(np.float32)
    if packed:
        return unpack_bits(block)
    return 2.0 * block.astype(np.float32) - 1.0 if array.dtype.kind == "b" else block


def _require_matrix(array: StoredArray, name: str) -> None:
    if array.trouble:
        raise DataError(array.trouble)
    place = name if array.name == name else f"{array.name} of {name}"
    if array.dtype.kind not in "iufb" or (array.dtype.kind == "f" and array.dtype.name not in _FLOATS):
        raise DataError(f"{place} holds values of the type {array.dtype.name}; a matrix of real numbers is expected.")
    if len(array.shape) != 2:
        how = "one number a row" if len(array.shape) == 1 else f"{len(array.shape)} dimensions"
        raise DataError(
            f"{place} has the shape {_shown(array.shape)}, {how}; a matrix with one vector a row is expected: (n, d)."
        )


def _read_exactly(stream: BinaryIO, count: int, name: str) -> bytes:
    parts: list[bytes] = []
    try:
        while count > 0 and (part := stream.read(min(count, 4 * BLOCK_BYTES))):
            parts.append(part)
            count -= len(part)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
        raise DataError(f"{name} is damaged: its values cannot be unpacked. Save it again.") from error
    if count:
        raise DataError(f"{name} ends before its last value: it is damaged or incomplete. Save it again.")
    return b"".join(parts)


def _shown(shape: tuple[int, ...]) -> str:
    return f"({', '.join(f'{each:,}' for each in shape)}{',' if len(shape) == 1 else ''})"
