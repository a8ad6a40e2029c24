"""Arrays on their way to a worker: one that lies in a file is opened there again, and does not go down the line."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Mapped:
    """An array as it lies in a file."""

    path: str
    offset: int
    dtype: str
    shape: tuple[int, ...]


def sent(array: NDArray[Any]) -> NDArray[Any] | Mapped:
    """What is sent for an array: where it lies, if it is the whole of a map of a file, else itself."""
    if isinstance(array, np.memmap) and isinstance(array.base, mmap.mmap) and array.flags.c_contiguous:
        return Mapped(str(array.filename), int(array.offset), array.dtype.str, array.shape)
    # A part of a map would otherwise be sent as one, whose place in the file nobody knows.
    return np.ascontiguousarray(array)


def opened(array: NDArray[Any] | Mapped) -> NDArray[Any]:
    """The array that was sent."""
    if isinstance(array, Mapped):
        return np.memmap(array.path, np.dtype(array.dtype), "r", array.offset, array.shape)
    return array
