"""What became of each row between two versions: re-embedded like the others, stale, misplaced, or of another model.

Rows whose direction is the same as before are set aside. To the others a map is fitted; where two groups of residuals
stand apart, the worse fitting rows are looked for elsewhere (their vector belongs to another id) and, if they are not
there, fitted by a map of their own, which is judged on rows that it has not seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from lib.metrics.alignment import LEAST_GAP, MOVED, TWO_DIRECTIONS, split_residuals
from lib.metrics.estimates import BoolArray, FloatArray, IntArray
from lib.metrics.hypotheses.shared import SharedRows, fit_trimmed, residuals
from lib.vectors import Matrix

LEAST_ROWS, LEAST_SHARE = 20, 0.01
"""So many rows have to share a history, and be so many of all, to be told."""
ROWS_PER_DIMENSION = 4
"""A map is fitted to at least so many rows for each dimension."""
UNPAIRED = 0.95
"""A map fits nothing if its residuals are at least this share of those of rows paired at random."""
OWN_MAP = 0.6
"""Rows are of another model if a map of their own leaves at most this share of the residuals."""
FOUND = 0.5
"""Share of the worse fitting rows that have to be found elsewhere."""
SPECTRUM = 0.1
"""The singular values of one set in another order differ by less than this share, in sum."""
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
        judged: shape (m,), the rows that are looked at: without the queries where these are of another version.
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
    judged: BoolArray
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

    @property
    def has_sides(self) -> bool:
        """Whether queries and gallery are different rows, enough of either."""
        return self.query_map is not None

    @property
    def is_mismatch(self) -> bool:
        """Whether queries and gallery were moved by different maps."""
        return self.has_sides and self.crossed > 2 * self.own and self.crossed - self.own > MOVED

    @property
    def is_blurred(self) -> bool:
        """Whether the map leaves so much that rows with another history would not stand out."""
        return bool(LEAST_GAP * self.fitted > self.chance)

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
    states = RowStates(np.full(m, Kind.FITS, np.int64), np.arange(m), np.zeros(m), np.ones(m, np.bool_))
    if m < least:
        return replace(
            states, reason=f"the versions share {m} rows, and a map between {dimension} dimensions takes {least}"
        )
    if min(rows.dimensions) == 1:
        return replace(states, reason=TWO_DIRECTIONS)
    states = _sides(rows, states, least)
    if states.is_mismatch:
        states = replace(states, judged=~rows.is_query)
    is_same = rows.is_same & states.judged
    states.kind[is_same] = Kind.SAME
    moved = np.flatnonzero(states.judged & ~is_same)
    if len(moved) < LEAST_ROWS:
        return states
    a, b = rows.before[moved], rows.after[moved]
    shift = float(np.median(np.linalg.norm(b - a, axis=1)))
    states = replace(states, moved=shift, spectrum=_spectrum(a, b))
    if len(moved) < least:
        states.kind[moved] = Kind.UNEXPLAINED
        return replace(
            states, reason=f"{len(moved)} rows moved, and a map between {dimension} dimensions takes {least}"
        )
    rotation = fit_trimmed(a, b)
    apart = residuals(a, b, rotation)
    states.residual[moved] = apart
    dealt = np.random.default_rng(0).permutation(len(moved))
    chance = float(np.median(residuals(a[dealt], b, fit_trimmed(a[dealt], b))))
    states = replace(states, rotation=rotation, chance=chance)
    if np.median(apart) >= UNPAIRED * chance:
        _look_elsewhere(states, moved, a, b, 0.6 * _spacing(a))
        return states
    worse, _split = split_residuals(apart)
    states = replace(states, fitted=float(np.median(apart[~worse])))
    if not enough(int(worse.sum()), m):
        return states
    far = moved[worse]
    within = 1.2 * float(np.quantile(apart[~worse], 0.95))
    if _look_elsewhere(states, far, rows.before[far] @ rotation, rows.after[far], within) or len(far) < least:
        return states
    return _of_other_model(rows, states, far)


def _of_other_model(rows: SharedRows, states: RowStates, far: IntArray) -> RowStates:
    """Rows that do not fit have a map of their own, if it fits those of them that it has not seen."""
    a, b = rows.before[far], rows.after[far]
    fit, seen = _halves(len(far))
    unseen = residuals(a[seen], b[seen], fit_trimmed(a[fit], b[fit]))
    if np.median(unseen) > OWN_MAP * np.median(states.residual[far]):
        return states
    other = fit_trimmed(a, b)
    states.kind[far] = Kind.OTHER_MODEL
    states.residual[far] = residuals(a, b, other)
    return replace(states, other=other)


def _look_elsewhere(states: RowStates, rows: IntArray, expected: Matrix, there: Matrix, within: float) -> bool:
    """Mark rows as misplaced if enough of them are at another row, the others as unexplained; whether enough are."""
    states.kind[rows] = Kind.UNEXPLAINED
    found, nearest = _elsewhere(expected, there, within)
    if found.mean() < FOUND:
        return False
    states.kind[rows[found]] = Kind.MISPLACED
    states.partner[rows[found]] = rows[nearest[found]]
    return True


def _sides(rows: SharedRows, states: RowStates, least: int) -> RowStates:
    """Compare the maps of queries and of the gallery, where these are different rows and enough."""
    queries = np.flatnonzero(rows.is_query & ~rows.is_gallery)
    gallery = np.flatnonzero(rows.is_gallery & ~rows.is_query)
    if len(queries) < least or len(gallery) < least:
        return states
    a, b = rows.before[queries], rows.after[queries]
    of_gallery = fit_trimmed(rows.before[gallery], rows.after[gallery])
    fit, seen = _halves(len(queries))
    return replace(
        states,
        own=float(np.median(residuals(a[seen], b[seen], fit_trimmed(a[fit], b[fit])))),
        crossed=float(np.median(residuals(a, b, of_gallery))),
        query_map=fit_trimmed(a, b),
        gallery_map=of_gallery,
    )


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
