"""Embeddings as everything above the files sees them: a matrix, which rows ask and which answer, and who is near whom.

Numpy only. Rows are numbered from 0 in the order of the matrix; whatever belongs to a row (ids, labels, metadata) is
aligned with it. Queries and gallery are rows of the same matrix, marked, also where they came in two files.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

NO_ROW = -1
"""Stands in a list of rows where there is none."""
NO_LABEL = -1
"""Stands among label codes where a row has no label."""

Matrix = NDArray[np.float32]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Distance(StrEnum):
    """How far apart two vectors are: 1 − cosine of their angle (0 to 2), or the Euclidean distance."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"


@dataclass(frozen=True, eq=False)
class Vectors:
    """The vectors of one version.

    Attributes:
        version: its name.
        matrix: shape (n, d), float32, C-contiguous, read-only, usually memory-mapped. As it was stored: not normalised.
        ids: shape (n,), texts. May repeat: what repeats is told by the index check and never paired.
        is_good: shape (n,), whether the row can be used at all: every value finite. A row of zeros is good, but has no
            direction: under the cosine distance it is neither a query nor in the gallery.
        is_query, is_gallery: shape (n,), which rows ask and which may be found. In one set of vectors all
            rows are both, and none finds itself.
        stored_as: how the file held the values: "float16", "float32", "float64", "int8", "uint8", "binary" (packed
            bits, here −1 and +1), "bfloat16" or another whole number such as "int32"; decimal text is "float64".
        sha256: of the content that the matrix was made from, in hex: what is computed from it is kept under this.
    """

    version: str
    matrix: Matrix
    ids: NDArray[np.str_] | NDArray[np.object_]
    is_good: Flags
    is_query: Flags
    is_gallery: Flags
    stored_as: str
    sha256: str

    @property
    def n(self) -> int:
        """How many rows there are."""
        return self.matrix.shape[0]

    @property
    def dimension(self) -> int:
        """How many values a vector has."""
        return self.matrix.shape[1]

    def usable(self, distance: Distance) -> Flags:
        """Which rows have a place under that distance, shape (n,)."""
        if distance is Distance.EUCLIDEAN:
            return self.is_good
        return self.is_good & self.matrix.any(axis=1)


@dataclass(frozen=True, eq=False)
class Truth:
    """Which rows are right answers to which: rows with the same label, or the pairs of a list.

    Attributes:
        labels: shape (n,), codes from 0, `NO_LABEL` where a row has none; None if the truth is a list of pairs.
        offsets, relevant: the pairs by query, as in a CSR matrix: right answers to row i are
            `relevant[offsets[i]:offsets[i + 1]]`, sorted, without i. None if the truth is labels.
    """

    labels: Rows | None = None
    offsets: Rows | None = None
    relevant: Rows | None = None


@dataclass(frozen=True, eq=False)
class NeighbourGraph:
    """The nearest gallery rows of each query, itself left out.

    Attributes:
        distance: what near means.
        queries: shape (q,), the rows that asked, ascending.
        rows: shape (q, k), the rows found, nearest first, of equals the lower row first; `NO_ROW` where the gallery has
            no more.
        distances: shape (q, k), float32, ascending along a row; inf where there is no row.
        recall: share of the nearest rows that the lists hold: 1 where the search was exact, else as measured.
        n_measured: by exact lists of how many queries, drawn at random; 0 where the search was exact.
    """

    distance: Distance
    queries: Rows
    rows: NDArray[np.int32]
    distances: NDArray[np.float32]
    recall: float = 1.0
    n_measured: int = 0

    @property
    def k(self) -> int:
        """How many neighbours each query has at most."""
        return self.rows.shape[1]
