"""A matrix on its way to disk: cast to float32 block by block, bounded before it is begun, never whole in memory."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lib.errors import DataError, LimitError

MOST_BYTES: Final = 64 * 1024**3
"""What a matrix may need as float32."""
MOST_DIMENSIONS: Final = 65_536
LEAST_FREE: Final = 1024**3
"""What is left free on the disk, in bytes."""
BLOCK_BYTES: Final = 8 * 1024**2


def check_size(name: str, n: int, dimension: int, folder: Path) -> None:
    """Refuse a matrix that is empty or too large before anything of it is written.

    Raises:
        DataError: it has no rows or no columns.
        LimitError: it has too many dimensions, needs more than `MOST_BYTES`, or would fill the disk.
    """
    if n <= 0 or dimension <= 0:
        raise DataError(f"{name} holds no vectors: its matrix has {n:,} rows and {dimension:,} columns.")
    if dimension > MOST_DIMENSIONS:
        raise LimitError(
            f"{name} has vectors of {dimension:,} values; at most {MOST_DIMENSIONS:,} are read. If rows and columns "
            "are exchanged, transpose the matrix."
        )
    need = 4 * n * dimension
    if need > MOST_BYTES:
        raise LimitError(
            f"{name} has {n:,} vectors of {dimension:,} values, which need {need / 1024**3:,.0f} GB as float32; the "
            f"bound is {MOST_BYTES // 1024**3} GB. Take a sample of the rows."
        )
    if shutil.disk_usage(folder).free - need < LEAST_FREE:
        raise LimitError(f"Reading {name} needs {need / 1024**3:,.1f} GB on the disk, which would fill it.")


def rows_per_block(dimension: int) -> int:
    """How many rows are handled at a time: about `BLOCK_BYTES` as float64."""
    return max(1, BLOCK_BYTES // (8 * dimension))


def write_header(path: Path, n: int, dimension: int) -> int:
    """Begin a .npy file of float32 in C order; where its values begin, in bytes."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (n, dimension)})
        return file.tell()


class MatrixWriter:
    """Writes a .npy file of float32 from the first row to the last; `is_good` tells which rows are finite.

    Raises `DataError` on leaving the block if fewer rows came than were announced.
    """

    def __init__(self, path: Path, name: str, n: int, dimension: int) -> None:
        check_size(name, n, dimension, path.parent)
        self.is_good = np.zeros(n, bool)
        self._path, self._name, self._shape, self._row = path, name, (n, dimension), 0

    def __enter__(self) -> MatrixWriter:
        write_header(self._path, *self._shape)
        self._file = self._path.open("ab")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._file.close()
        if kind is None and self._row != self._shape[0]:
            raise DataError(f"{self._name} ends after {self._row:,} of {self._shape[0]:,} vectors. Copy it again.")

    def append(self, block: NDArray[Any]) -> None:
        """The next rows, shape (m, d); what float32 cannot hold becomes infinite."""
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.ascontiguousarray(block, np.float32)
        self.is_good[self._row : self._row + len(values)] = np.isfinite(values).all(axis=1)
        self._file.write(values.tobytes() if values.size else b"")
        self._row += len(values)

    def skip(self, count: int) -> None:
        """The next rows hold no vector: NaN throughout."""
        step = rows_per_block(self._shape[1])
        for first in range(0, count, step):
            self.append(np.full((min(step, count - first), self._shape[1]), math.nan, np.float32))


def open_matrix(path: Path) -> NDArray[np.float32]:
    """A matrix that was written here, mapped read-only."""
    return np.load(path, mmap_mode="r", allow_pickle=False)


def find_good(matrix: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which rows are finite throughout, shape (n,), block by block."""
    step = rows_per_block(matrix.shape[1])
    return np.concatenate([np.isfinite(matrix[k : k + step]).all(axis=1) for k in range(0, len(matrix), step)])
