"""Where vectors lie under a distance: what faiss searches among, and exact distances.

An exact distance is worked out in float64 from the stored values and then rounded to what float32 can tell: Euclidean
distances to the nearest float32, cosine distances to multiples of 2⁻²³. Whatever is equal up to that is a tie. Rows
that are identical bit by bit are one point, found once: that they tie does not rest on arithmetic, and ten thousand
copies of a row cost no more than one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lib.vectors import Distance, Matrix, Rows, Vectors

COSINE_STEP = 2.0**-23
"""Cosine distances are multiples of this."""
ROWS_AT_ONCE = 8_192
VALUES_AT_ONCE = 250_000
"""Of float64: what is worked on lies near the processor."""
CANCELLED = 1e-4
"""A squared distance that is smaller than this share of the squared norms is worked out from the differences."""

Floats = NDArray[np.float64]


class Space:
    """The usable rows of some vectors under a distance.

    Attributes:
        queries: shape (q,), the rows that ask, ascending.
        gallery: shape (g,), the rows that may be found, ascending.
        firsts: shape (p,), the lowest row of each distinct point of the gallery, ascending.
        point: shape (g,), the point that each row of the gallery lies at.
    """

    def __init__(self, vectors: Vectors, distance: Distance) -> None:
        """Look through the rows: norms or centre, and which are identical."""
        usable = vectors.usable(distance)
        self.distance, self._matrix = distance, vectors.matrix
        self.queries: Rows = np.flatnonzero(usable & vectors.is_query)
        self.gallery: Rows = np.flatnonzero(usable & vectors.is_gallery)
        self.firsts, self.point = _distinct(vectors.matrix, self.gallery)
        if distance is Distance.COSINE:
            self._centre = np.zeros(vectors.dimension)
        else:
            self._centre = _centre(vectors.matrix, self.gallery)
        self._norm = np.zeros(vectors.n)
        for rows in blocks(np.flatnonzero(usable), ROWS_AT_ONCE):
            values = self._values(rows)
            self._norm[rows] = np.sqrt(np.einsum("rd,rd->r", values, values))
        largest = float(self._norm.max(initial=0.0))
        self.scale = 1.0 if distance is Distance.COSINE or largest == 0 else largest
        """What `coordinates` are divided by, so that no square is beyond float32."""

    @property
    def dimension(self) -> int:
        """How many values a vector has."""
        return self._matrix.shape[1]

    def norm(self, rows: Rows) -> Floats:
        """Shape (r,): the norms of rows, from the centre under the Euclidean distance."""
        return self._norm[rows]

    def coordinates(self, rows: Rows) -> Matrix:
        """Shape (r, d): rows as faiss is to have them: of norm 1, or from the centre in units of `scale`."""
        made = np.empty((len(rows), self._matrix.shape[1]), np.float32)
        for places in blocks(np.arange(len(rows)), ROWS_AT_ONCE):
            values = self._values(rows[places])
            if self.distance is Distance.COSINE:
                values /= self._norm[rows[places], None]
            made[places] = values / self.scale
        return made

    def between(self, rows: Rows, others: Rows) -> NDArray[np.float32]:
        """Exact distances from each row to others of its own.

        Args:
            rows: shape (r,).
            others: shape (r, m).

        Returns:
            Shape (r, m).
        """
        made = np.empty(others.shape, np.float32)
        step = max(1, VALUES_AT_ONCE // max(1, others.shape[1] * self._matrix.shape[1]))
        for places in blocks(np.arange(len(rows)), step):
            one, many = rows[places], others[places]
            here, there = self._values(one), self._values(many)
            if self.distance is Distance.COSINE:
                cosine = np.einsum("rmd,rd->rm", there, here) / (self._norm[one, None] * self._norm[many])
                made[places] = _rounded_cosine(cosine)
            else:
                there -= here[:, None, :]
                made[places] = np.sqrt(np.einsum("rmd,rmd->rm", there, there))
        return made

    def to_points(self, rows: Rows) -> NDArray[np.float32]:
        """Exact distances from rows to every point, shape (r, p)."""
        made = np.empty((len(rows), len(self.firsts)), np.float32)
        here, size = self._values(rows), self._norm[rows, None]
        for places in blocks(np.arange(len(self.firsts)), max(256, VALUES_AT_ONCE // max(1, len(rows)))):
            others = self.firsts[places]
            there, other_size = self._values(others), self._norm[others]
            products = here @ there.T
            if self.distance is Distance.COSINE:
                products /= size
                products /= other_size
                made[:, places] = _rounded_cosine(products)
                continue
            norms = size**2 + other_size**2
            squares = norms - 2 * products
            first, second = np.nonzero(squares < CANCELLED * norms)
            for some in blocks(np.arange(len(first)), max(1, VALUES_AT_ONCE // max(1, here.shape[1]))):
                differences = here[first[some]] - there[second[some]]
                squares[first[some], second[some]] = np.einsum("rd,rd->r", differences, differences)
            made[:, places] = np.sqrt(squares)
        return made

    def _values(self, rows: Rows) -> Floats:
        values = self._matrix[rows].astype(np.float64)
        if self.distance is Distance.EUCLIDEAN:
            values -= self._centre
        return values


def blocks(rows: Rows, size: int) -> Iterator[Rows]:
    """Rows, so many at a time."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _rounded_cosine(cosine: Floats) -> Floats:
    """Distances of cosines, in their place."""
    gap: Floats = np.subtract(1, cosine, out=cosine)
    gap *= 1 / COSINE_STEP
    np.rint(gap, out=gap)
    gap *= COSINE_STEP
    gap += 0.0  # makes −0 into 0
    return gap


def _centre(matrix: Matrix, gallery: Rows) -> Floats:
    """The mean of the gallery, rounded to a power of two below the spread: differences of whole numbers stay exact."""
    total, squares = np.zeros(matrix.shape[1]), np.zeros(matrix.shape[1])
    for rows in blocks(gallery, ROWS_AT_ONCE):
        total += matrix[rows].sum(axis=0, dtype=np.float64)
    mean = total / max(len(gallery), 1)
    for rows in blocks(gallery, ROWS_AT_ONCE):
        squares += ((matrix[rows] - mean) ** 2).sum(axis=0)
    spread = float(np.sqrt(squares / max(len(gallery), 1)).max(initial=0.0))
    if spread == 0:
        return mean
    step = 2.0 ** np.floor(np.log2(spread))
    return np.rint(mean / step) * step


def _distinct(matrix: Matrix, gallery: Rows) -> tuple[Rows, Rows]:
    """The lowest row of each distinct point, ascending, and the point of each row of the gallery."""
    factors = np.random.default_rng(0).integers(0, 2**63, matrix.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(
        1
    )
    sums = np.empty(len(gallery), np.uint64)
    for places in blocks(np.arange(len(gallery)), ROWS_AT_ONCE):
        # Adding 0 makes −0 into 0; sums of integers wrap around.
        bits = (matrix[gallery[places]] + np.float32(0)).view(np.uint32)
        sums[places] = (bits.astype(np.uint64) * factors).sum(axis=1, dtype=np.uint64)
    _kept, first, point = np.unique(sums, return_index=True, return_inverse=True)
    is_own = np.zeros(len(gallery), np.bool_)
    for places in blocks(np.flatnonzero(first[point] != np.arange(len(gallery))), ROWS_AT_ONCE):
        same = (matrix[gallery[places]] == matrix[gallery[first[point[places]]]]).all(axis=1)
        is_own[places[~same]] = True  # another row with the same sum, which hardly ever happens
    lowest = np.where(is_own, np.arange(len(gallery)), first[point])
    firsts, point = np.unique(lowest, return_inverse=True)
    return gallery[firsts], point.astype(np.int64)
