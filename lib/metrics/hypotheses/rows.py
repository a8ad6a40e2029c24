"""What became of each row between two versions: re-embedded like the others, stale, misplaced, or of another model.

Rows that hold the same vector as before are set aside. To the others a map is fitted; where two groups of residuals
stand apart, the worse fitting rows are looked for elsewhere (their vector belongs to another id) and, if they are not
there, fitted by a map of their own, which is judged on rows that it has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from lib.metrics.alignment import split_residuals
from lib.metrics.estimates import BoolArray, FloatArray, IntArray
from lib.metrics.hypotheses.shared import SharedRows, fit_map, fit_trimmed, residuals
from lib.vectors import Matrix

LEAST_ROWS, LEAST_SHARE = 20, 0.01
"""So many rows have to share a history, and be so many of all, to be told."""
ROWS_PER_DIMENSION = 4
"""A map is fitted to at least so many rows for each dimension."""
UNPAIRED = 0.85
"""A map fits nothing if its residuals are at least this share of those of rows paired at random."""
OWN_MAP = 0.6
"""Rows are of another model if a map of their own leaves at most this share of the residuals."""
MOVED = 0.1
"""Vectors of length 1 that are farther than this from where they were have moved."""
FOUND = 0.5
"""Share of the worse fitting rows that have to be found elsewhere."""
SPECTRUM = 0.1
"""The singular values of two sets differ by less than this, in sum and relative, if they are one set in another order."""
MOST_SEARCHED = 20_000


class Kind(IntEnum):
    """The history of a row."""

    FITS = 0
    SAME = 1
    MISPLACED = 2
    OTHER_MODEL = 3
    UNEXPLAINED = 4


@dataclass(frozen=True, eq=False)
class RowStates:
    """What became of the rows.

    Attributes:
        kind: shape (m,), of `Kind`.
        rotation: shape (d, d), the map of most rows; None where too few rows moved to fit one.
        other: the map of the rows of another model, None without any.
        partner: shape (m,), of a misplaced row the one that holds its vector, else itself.
        residual: shape (m,), how far each row is from where the map of its own kind takes it.
        moved: median distance between the two vectors of rows that are not the same; NaN without any.
        fitted: median residual of the rows that fit; NaN without any.
        chance: median residual of rows paired at random; NaN without a map.
        own, crossed: where queries and gallery are different rows, the median residual of queries by a map of their
            own and by that of the gallery; else NaN.
        query_map, gallery_map: these maps, None without sides.
        spectrum: relative difference of the singular values of what moved.
        reason: why nothing could be told; "" where it could.
    """

    kind: IntArray
    partner: IntArray
    residual: FloatArray
    rotation: NDArray[np.float32] | None = None
    other: NDArray[np.float32] | None = None
    moved: float = np.nan
    fitted: float = np.nan
    chance: float = np.nan
    own: float = np.nan
    crossed: float = np.nan
    query_map: NDArray[np.float32] | None = None
    gallery_map: NDArray[np.float32] | None = None
    spectrum: float = np.nan
    reason: str = ""
    judged: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))

    @property
    def has_sides(self) -> bool:
        """Whether queries and gallery are different rows, enough of either."""
        return self.query_map is not None

    @property
    def is_mismatch(self) -> bool:
        """Whether queries and gallery were moved by different maps."""
        return self.has_sides and self.crossed > 2 * self.own and self.crossed - self.own > MOVED

    def of(self, kind: Kind) -> BoolArray:
        """Shape (m,): the rows of a kind."""
        return self.kind == kind


def enough(n: int, m: int) -> bool:
    """Whether n of m rows are enough to be told."""
    return n >= LEAST_ROWS and n >= LEAST_SHARE * m


def row_states(rows: SharedRows) -> RowStates:
    """Find out what became of each row that two versions share."""
    m, dimension = rows.before.shape
    least = ROWS_PER_DIMENSION * dimension
    kind, partner, residual = np.full(m, Kind.FITS, np.int64), np.arange(m), np.zeros(m)
    if m < least:
        reason = f"the versions share {m} rows, and a map between {dimension} dimensions takes {least}"
        return RowStates(kind, partner, residual, reason=reason, judged=np.zeros(m, np.bool_))
    own, crossed, query_map, gallery_map = _sides(rows, least)
    states = RowStates(kind, partner, residual, own=own, crossed=crossed, query_map=query_map, gallery_map=gallery_map)
    judged = ~rows.is_query if states.is_mismatch else np.ones(m, np.bool_)
    is_same = rows.is_same & judged
    kind[is_same] = Kind.SAME
    moved = np.flatnonzero(judged & ~is_same)
    unchanged = np.linalg.norm(rows.after - rows.before, axis=1)
    common = {"own": own, "crossed": crossed, "query_map": query_map, "gallery_map": gallery_map, "judged": judged}
    if len(moved) < LEAST_ROWS:
        return RowStates(kind, partner, residual, **common)
    shift = float(np.median(unchanged[moved]))
    spectrum = _spectrum(rows.before[moved], rows.after[moved])
    common |= {"moved": shift, "spectrum": spectrum}
    if len(moved) < least:
        kind[moved] = Kind.UNEXPLAINED
        reason = f"{len(moved)} rows moved, and a map between {dimension} dimensions takes {least}"
        return RowStates(kind, partner, residual, reason=reason, **common)
    a, b = rows.before[moved], rows.after[moved]
    rotation = fit_trimmed(a, b)
    apart = residuals(a, b, rotation)
    residual[moved] = apart
    generator = np.random.default_rng(0)
    dealt = generator.permutation(len(moved))
    chance = float(np.median(residuals(a[dealt], b, fit_map(a[dealt], b))))
    common |= {"rotation": rotation, "chance": chance}
    if np.median(apart) >= UNPAIRED * chance:
        kind[moved] = Kind.UNEXPLAINED
        found, nearest = _elsewhere(a, b, 0.6 * _spacing(a))
        if found.mean() >= FOUND:
            kind[moved[found]] = Kind.MISPLACED
            partner[moved[found]] = moved[nearest[found]]
        return RowStates(kind, partner, residual, **common)
    worse, _split = split_residuals(apart)
    fitted = float(np.median(apart[~worse]))
    common |= {"fitted": fitted}
    if not enough(int(worse.sum()), m):
        return RowStates(kind, partner, residual, **common)
    far = moved[worse]
    kind[far] = Kind.UNEXPLAINED
    found, nearest = _elsewhere(
        rows.before[far] @ rotation, rows.after[far], 1.2 * float(np.quantile(apart[~worse], 0.95))
    )
    other: NDArray[np.float32] | None = None
    if found.mean() >= FOUND:
        kind[far[found]] = Kind.MISPLACED
        partner[far[found]] = far[nearest[found]]
    elif len(far) >= least:
        fit, seen = _halves(len(far))
        tried = fit_trimmed(rows.before[far[fit]], rows.after[far[fit]])
        own_residual = residuals(rows.before[far[seen]], rows.after[far[seen]], tried)
        if np.median(own_residual) <= OWN_MAP * np.median(residual[far]):
            other = fit_trimmed(rows.before[far], rows.after[far])
            kind[far] = Kind.OTHER_MODEL
            residual[far] = residuals(rows.before[far], rows.after[far], other)
    return RowStates(kind, partner, residual, other=other, **common)


def _sides(rows: SharedRows, least: int) -> tuple[float, float, NDArray[np.float32] | None, NDArray[np.float32] | None]:
    """Median residual of queries by their own map and by that of the gallery, and the two maps."""
    queries = np.flatnonzero(rows.is_query & ~rows.is_gallery)
    gallery = np.flatnonzero(rows.is_gallery & ~rows.is_query)
    if len(queries) < least or len(gallery) < least:
        return np.nan, np.nan, None, None
    of_gallery = fit_trimmed(rows.before[gallery], rows.after[gallery])
    of_queries = fit_trimmed(rows.before[queries], rows.after[queries])
    crossed = float(np.median(residuals(rows.before[queries], rows.after[queries], of_gallery)))
    fit, seen = _halves(len(queries))
    tried = fit_trimmed(rows.before[queries[fit]], rows.after[queries[fit]])
    own = float(np.median(residuals(rows.before[queries[seen]], rows.after[queries[seen]], tried)))
    return own, crossed, of_queries, of_gallery


def _halves(n: int) -> tuple[IntArray, IntArray]:
    order = np.random.default_rng(0).permutation(n)
    return order[: n // 2], order[n // 2 :]


def _elsewhere(expected: Matrix, there: Matrix, within: float) -> tuple[BoolArray, IntArray]:
    """Which rows have the vector that is expected of them within a distance, at another row; and at which."""
    n = len(expected)
    if n > MOST_SEARCHED:
        return np.zeros(n, np.bool_), np.arange(n)
    nearest, least = np.zeros(n, np.int64), np.zeros(n)
    for start in range(0, n, 2_000):
        products = expected[start : start + 2_000] @ there.T
        place = np.arange(len(products))
        at = products.argmax(axis=1)
        nearest[start : start + 2_000] = at
        least[start : start + 2_000] = np.sqrt(np.maximum(2 - 2 * products[place, at], 0))
    return (least <= within) & (nearest != np.arange(n)), nearest


def _spacing(vectors: Matrix) -> float:
    """Median distance from a row to the nearest other, of at most 2,000 rows."""
    asked = vectors[:2_000]
    products = asked @ vectors[:MOST_SEARCHED].T
    products[np.arange(len(asked)), np.arange(len(asked))] = -1
    return float(np.median(np.sqrt(np.maximum(2 - 2 * products.max(axis=1), 0))))


def _spectrum(before: Matrix, after: Matrix) -> float:
    """How far the singular values of two sets are apart, in sum, as a share of their sum."""
    first, second = (np.linalg.eigvalsh((each.T @ each).astype(np.float64)) for each in (before, after))
    first, second = (np.sqrt(np.maximum(each, 0)) for each in (first, second))
    return float(np.abs(first - second).sum() / first.sum())
