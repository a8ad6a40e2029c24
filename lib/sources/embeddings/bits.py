"""Vectors of one bit a value, packed eight to a byte: known by a name that declares them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lib.sources.names import normalise_name

_BINARY: Final = frozenset({"binary", "ubinary", "packed", "bits"})


def declares_bits(name: str) -> bool:
    """Whether a name says that bytes are packed bits: one of its words is binary, ubinary, packed or bits.

    >>> declares_bits("embeddings_ubinary.npy"), declares_bits("embeddings.npy")
    (True, False)
    """
    return bool(_BINARY & set(normalise_name(name).split("_")))


def unpack_bits(block: NDArray[Any]) -> NDArray[np.float32]:
    """Eight values, −1 or +1, of each byte, the highest bit first.

    Signed bytes are the unsigned ones less 128, as sentence-transformers writes them.
    """
    plain = block if block.dtype.kind == "u" else (block.astype(np.int16) + 128).astype(np.uint8)
    return 2.0 * np.unpackbits(np.ascontiguousarray(plain), axis=1).astype(np.float32) - 1.0
