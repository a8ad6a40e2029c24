"""Matrices handed to a worker: by the file that they lie in, never through the pipe."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

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
def handed(vectors: Vectors, folder: Path) -> Iterator[HandedVectors]:
    """Vectors for a worker, within a block; a matrix that lies in no file is written to one for as long."""
    matrix = vectors.matrix
    rest = replace(vectors, matrix=np.empty((0, matrix.shape[1]), np.float32), ids=np.empty(0, np.str_))
    shape = (matrix.shape[0], matrix.shape[1])
    if _is_file(matrix):
        yield HandedVectors(rest, str(matrix.filename), matrix.offset, shape)
        return
    with tempfile.NamedTemporaryFile(prefix="matrix-", dir=folder) as file:
        # An empty file cannot be mapped.
        file.write(np.ascontiguousarray(matrix).data if matrix.size else bytes(4))
        file.flush()
        yield HandedVectors(rest, file.name, 0, shape)


def _is_file(matrix: Matrix) -> bool:
    """Whether a matrix is a whole mapped file that is still there: a part of one does not know where it begins."""
    return (
        isinstance(matrix, np.memmap)
        and isinstance(matrix.base, mmap.mmap)
        and matrix.flags.c_contiguous
        and matrix.filename is not None
        and Path(matrix.filename).is_file()
    )
