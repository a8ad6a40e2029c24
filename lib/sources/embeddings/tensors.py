"""The tensors of a safetensors file as arrays."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from safetensors import SafetensorError, safe_open

from lib.errors import DataError
from lib.sources.embeddings.arrays import DAMAGED, StoredArray

MOST_HEADER: Final = 100_000_000
"""Bytes of a safetensors header: its own bound."""
_TENSORS: Final = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip


def list_safetensors(path: Path, name: str) -> list[StoredArray]:
    """The tensors of a safetensors file; the library itself checks that its offsets are those of its content.

    Raises:
        DataError: the header is damaged, or its offsets are wrong.
    """
    try:
        with safe_open(str(path), framework="np"):
            pass
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, MOST_HEADER)))
        found: list[StoredArray] = []
        for key, entry in header.items():
            if key == "__metadata__":
                continue
            kind, shape, begin = entry["dtype"], tuple(entry["shape"]), int(entry["data_offsets"][0])

            def opener(at: int = 8 + length + begin) -> BinaryIO:
                stream = path.open("rb")
                stream.seek(at)
                return stream

            trouble = "" if kind in _TENSORS else f"{key} of {name} has the type {kind}, which is not read here."
            dtype = np.dtype(_TENSORS.get(kind, "u1"))
            found.append(StoredArray(key, shape, dtype, False, opener, kind == "BF16", trouble))
        return found
    except (SafetensorError, struct.error, OSError, *DAMAGED) as error:
        raise DataError(
            f"{name} is a damaged or incomplete safetensors file: its header does not fit its content. Save it again."
        ) from error
