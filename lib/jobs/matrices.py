"""Matrices handed to a worker: by the file that they lie in, never through the pipe."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lib.vectors import Matrix, Vectors


@dataclass(frozen=True, eq=False)
class HandedVectors:
    """Vectors without their matrix and ids, and where the matrix lies: float32, rows one after the other."""

    rest: Vectors
    path: str
    offset: int
    shape: tuple[int, int]

    def vectors(self) -> Vectors:
        """The vectors again, their matrix memory-mapped, their ids left behind."""
        matrix: Matrix = np.memmap(self.path, np.float32, "r", self.offset, self.shape)
        return replace(self.rest, matrix=matrix)


@contextmanager
def handed(vectors: Vectors, folder: Path) -> Generator[HandedVectors]:
    """Vectors for a worker, within a block; a matrix that lies in no file is written to one for as long."""
    matrix = vectors.matrix
    rest = replace(vectors, matrix=np.empty((0, matrix.shape[1]), np.float32), ids=np.empty(0, np.str_))
    shape = (matrix.shape[0], matrix.shape[1])
    lies_in = _file_of(matrix)
    if lies_in is not None:
        yield HandedVectors(rest, *lies_in, shape)
        return
    with tempfile.NamedTemporaryFile(prefix="matrix-", dir=folder) as file:
        # An empty file cannot be mapped.
        file.write(np.ascontiguousarray(matrix).data if matrix.size else bytes(4))
        file.flush()
        yield HandedVectors(rest, file.name, 0, shape)


def _file_of(matrix: Matrix) -> tuple[str, int] | None:
    """File and offset of a matrix that is a whole mapping of one that is still there.

    A part of a mapping still names the offset of the whole.
    """
    if not isinstance(matrix, np.memmap) or not isinstance(matrix.base, mmap.mmap) or not matrix.flags.c_contiguous:
        return None
    mapped: Any = matrix
    return (str(mapped.filename), int(mapped.offset)) if mapped.filename and Path(mapped.filename).is_file() else None
