"""Two versions of the same ids: is one a rotation of the other, what is left after turning, which rows are stale.

A rotation moves every coordinate and no neighbour: the vectors are to be made again on both sides, and the model is
fine. The candidate is turned onto the baseline (orthogonal Procrustes about the origin, which leaves cosines alone),
each half of the rows by the rotation that fits the other half: a rotation has so many values that it would follow the
noise of its own rows. Rows of the same direction in both versions say nothing of the rotation, and of the others the
half that fits best decides it: a part that is stale or from another model then stands out instead of bending it.
Where rows are few and vectors wide, a rotation knows nothing of a class that only the other half holds: rows of such
directions are not told to be far.

References: Schönemann (1966); Rousseeuw (1984) for least trimmed squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lib.metrics.estimates import BoolArray, Estimate, FloatArray, IntArray
from lib.metrics.sample_means import rate_of
from lib.metrics.vector_rows import SAME_DIRECTION, blocks, directions, draw_rows, moments, same_directions, take
from lib.vectors import Distance, Matrix, Rows

FIT_ROWS = 50_000
"""Rotations are fitted to so many rows of a half."""
ROUNDS = 8
CLOSEST = 0.5
"""Share of the rows that decide a rotation."""
TOLERANCE = 1e-5
"""Vectors whose difference is no longer than this share of their length are the same but for rounding."""
ROTATED = 2e-3
"""Residuals of no more, in units of the spread, of all rows but `LEAST_SHARE` are those of a pure rotation: float16 has
less."""
LEAST_ROWS = 20
LEAST_SHARE = 0.01
"""Of two groups of rows the smaller has at least this share."""
LEAST_GAP = 3.0
"""How many times larger the median residual of the second group is."""
LEAST_SPLIT = 0.85
"""How much of the variance of log residuals two groups explain; of one normal group they explain 2/π, 0.64."""
UNKNOWN = 2.0
"""A row is no farther off than so many times the part of it that the rows of a rotation do not know: that part is
turned anywhere."""
FINEST = 1e-4
MOVED = 0.1
"""Directions, vectors of length 1, that are farther than this from where they were have moved."""
ELSEWHERE = 1.5
"""Vectors lie in other coordinates if they moved so many times as far as a map leaves; a map follows noise too."""
NO_IDS = "no id is in both versions"
TOO_FEW = f"fewer than {LEAST_ROWS} ids are in both versions"
NO_SPREAD = "all vectors of the baseline are equal, so that there is no spread to measure by"
TWO_DIRECTIONS = "a vector of one value has one of two directions, which tell nothing of the model"


class Space(StrEnum):
    """What a candidate's vectors are, next to a baseline's."""

    SAME = "same"
    ROTATION = "rotation"
    MIXED = "mixed"
    CHANGED = "changed"
    UNDEFINED = "undefined"


@dataclass(frozen=True, eq=False)
class Alignment:
    """Two versions of the same n ids, row by row.

    Lengths are in units of the baseline's spread: the root mean square distance of its rows from their mean.

    Attributes:
        space: same: all rows are equal but for rounding; rotation: they are after turning; mixed: some rows fit and
            some do not, or `LEAST_SHARE` are unchanged where others have moved; changed: neither.
        displacement: shape (n,), how far each row has moved as it stands; NaN where the dimensions differ, or rows
            were not turned.
        residual: shape (n,), how far each row is after turning, by a rotation that was fitted to other rows.
        total_displacement, total_residual: root mean square of these. The residual of versions that have nothing to
            do with one another is about √2.
        scale: the factor by which the candidate would have to be stretched to fit best, after turning.
        identical: share of rows that are equal bit by bit; `is_identical`, shape (n,), which.
        unchanged: share of rows whose direction is the same, however long they are; `is_unchanged`, shape (n,), which.
        is_stale: shape (n,), the unchanged rows, if the others lie in other coordinates; else none.
        is_far: shape (n,), the rows that do not fit, if there are two groups of residuals, lengths left aside; else
            none.
        split: how much of the variance of the log residuals two groups explain, 0 to 1; NaN where all are equal.
        n: ids in both versions.
        reason: "" where rows were turned, else why not.
    """

    space: Space
    displacement: FloatArray
    residual: FloatArray
    total_displacement: float
    total_residual: float
    scale: float
    identical: Estimate
    is_identical: BoolArray
    unchanged: Estimate
    is_unchanged: BoolArray
    is_stale: BoolArray
    is_far: BoolArray
    split: float
    n: int
    reason: str = ""

    @property
    def is_strange(self) -> BoolArray:
        """Shape (n,): the rows that neither fit nor are unchanged, if they are `LEAST_SHARE` of all; else none."""
        strange = self.is_far & ~self.is_unchanged
        return strange if self.n and strange.mean() >= LEAST_SHARE else np.zeros_like(strange)


def align(baseline: Matrix, candidate: Matrix, rows: Rows, other: Rows, distance: Distance, seed: int = 0) -> Alignment:
    """Turn the candidate onto the baseline and see what is left: `rows[i]` of one is `other[i]` of the other.

    Args:
        baseline: shape (N, d).
        candidate: shape (M, e); of different dimensions only residuals are defined.
        rows: usable rows of the baseline, each id once.
        other: the same ids in the candidate.
        distance: under the cosine distance directions are compared.
        seed: of the halves.
    """
    if len(rows) != len(other):
        raise ValueError(f"pairs need as many rows in both versions, not {len(rows)} and {len(other)}")
    n, none, no_rows = len(rows), np.full(len(rows), np.nan), np.zeros(len(rows), np.bool_)
    displacement, shift, is_identical, is_equal, is_unchanged = _compare(baseline, candidate, rows, other, distance)
    shares = rate_of(is_identical, NO_IDS), rate_of(is_unchanged, NO_IDS)
    spread = _spread(baseline, rows, distance) if n >= LEAST_ROWS else 0.0
    reason = TOO_FEW if n < LEAST_ROWS else ""
    if not reason and not is_equal.all():
        is_line = distance is Distance.COSINE and min(baseline.shape[1], candidate.shape[1]) == 1
        reason = TWO_DIRECTIONS if is_line else NO_SPREAD if spread == 0 else ""
    if reason:
        parts = (shares[0], is_identical, shares[1], is_unchanged, no_rows, no_rows)
        return Alignment(Space.UNDEFINED, none, none, np.nan, np.nan, np.nan, *parts, np.nan, n, reason)
    spread = spread or 1.0  # where all rows are equal nothing moved, in any unit
    residual, angular, scale = np.zeros(n), np.zeros(n), []
    fitted: list[tuple[IntArray, IntArray]] = []
    half = np.random.default_rng(seed).permutation(np.arange(n) % 2)
    for side in (0, 1):
        fit, place = np.flatnonzero(half != side), np.flatnonzero(half == side)
        moved = fit[~is_unchanged[fit]]
        # A rotation of few rows is that of the rows alike; where nearly nothing moved, of all.
        chosen = draw_rows(moved if len(moved) >= LEAST_ROWS // 2 else fit, FIT_ROWS, seed)
        turn = _rotation(baseline, candidate, rows[chosen], other[chosen], distance)
        scale.append(turn[1])
        fitted.append((place, rows[chosen]))
        residual[place] = _lengths(baseline, candidate, rows[place], other[place], distance, turn[0])
        angular[place] = _lengths(baseline, candidate, rows[place], other[place], Distance.COSINE, turn[0])
    displacement, residual = displacement / spread, residual / spread
    # Of one value there are two directions, and rows are told apart by their lengths alone.
    one_value = max(baseline.shape[1], candidate.shape[1]) == 1
    is_far, split = split_residuals(residual if one_value else angular * _norms(baseline, rows, distance) / spread)
    is_far &= not is_unchanged.all()
    for place, known in fitted if is_far.any() else ():
        far = place[is_far[place]]
        is_far[far] = angular[far] > UNKNOWN * _unknown(baseline, known, rows[far])
    fresh = ~is_unchanged & ~is_far if (~is_unchanged & ~is_far).any() else ~is_unchanged
    shifted, left = (float(np.median(each[fresh])) if fresh.any() else 0.0 for each in (shift, angular))
    are_told = LEAST_ROWS <= is_unchanged.sum() >= LEAST_SHARE * n
    is_stale = is_unchanged & (are_told and lies_elsewhere(shifted, left))
    if is_equal.all():
        space = Space.SAME
    elif is_far.any() or (is_unchanged.mean() >= LEAST_SHARE and shifted > 10 * SAME_DIRECTION):
        space = Space.MIXED
    else:
        # A direction in which next to no row varies may be missing from the half that a rotation is fitted to.
        space = Space.ROTATION if (residual > ROTATED).mean() < LEAST_SHARE else Space.CHANGED
    return Alignment(
        space=space,
        displacement=displacement,
        residual=residual,
        total_displacement=_root_mean_square(displacement),
        total_residual=_root_mean_square(residual),
        scale=float(np.mean(scale)),
        identical=shares[0],
        is_identical=is_identical,
        unchanged=shares[1],
        is_unchanged=is_unchanged,
        is_stale=is_stale,
        is_far=is_far,
        split=split,
        n=n,
    )


def lies_elsewhere(shift: float, left: float) -> bool:
    """Whether rows lie in other coordinates: they moved, and farther than a map leaves of it.

    Args:
        shift: median distance of their directions from where they were.
        left: the same once a map has taken them there.
    """
    return shift > MOVED and shift > ELSEWHERE * left


def procrustes(cross: FloatArray) -> FloatArray:
    """The rotation (or reflection) R, shape (e, d), that makes ‖YR − X‖ smallest, of YᵀX, shape (e, d).

    If e and d differ, the smaller space is laid into the larger, or the larger onto the smaller.
    """
    left, _, right = np.linalg.svd(cross, full_matrices=False)
    return left @ right


def split_residuals(residual: FloatArray) -> tuple[BoolArray, float]:
    """Which residuals are of a second, larger group, and how much of the variance of their logarithms two explain.

    The cut is the one that explains most (two means in one dimension, exactly). There is a second group only if each
    has `LEAST_SHARE` of the rows, two groups explain `LEAST_SPLIT`, and the medians are `LEAST_GAP` times apart.
    """
    values = np.log(np.maximum(residual, FINEST))
    order = np.argsort(values, kind="stable")
    ordered = values[order] - values.mean()
    n, total = len(values), float((ordered**2).sum())
    if n < 2 or total <= 1e-12 * n:
        return np.zeros(n, np.bool_), float("nan")
    count = np.arange(1, n)
    # The two groups' sums about the common mean are opposite.
    between = np.cumsum(ordered)[:-1] ** 2 * (1 / count + 1 / (n - count))
    cut = int(np.argmax(between))
    split, far = float(between[cut]) / total, order[cut + 1 :]
    gap = np.exp(np.median(ordered[cut + 1 :]) - np.median(ordered[: cut + 1]))
    is_far = np.zeros(n, np.bool_)
    if min(len(far), n - len(far)) >= max(LEAST_SHARE * n, 2) and split >= LEAST_SPLIT and gap >= LEAST_GAP:
        is_far[far] = True
    return is_far, split


def _compare(
    baseline: Matrix, candidate: Matrix, rows: Rows, other: Rows, distance: Distance
) -> tuple[FloatArray, FloatArray, BoolArray, BoolArray, BoolArray]:
    """How far each row and its direction moved; whether it is equal bit by bit, but for rounding, in direction."""
    n = len(rows)
    moved, shift = np.full(n, np.nan), np.full(n, np.nan)
    identical, equal, unchanged = (np.zeros(n, np.bool_) for _ in range(3))
    if baseline.shape[1] != candidate.shape[1]:
        return moved, shift, identical, equal, unchanged
    for place in blocks(n, baseline.shape[1]):
        x, y = baseline[rows[place]], candidate[other[place]]
        identical[place] = (x == y).all(axis=1)
        x, y = x.astype(np.float64), y.astype(np.float64)
        apart = np.linalg.norm(x - y, axis=1)
        equal[place] = apart <= TOLERANCE * np.linalg.norm(x, axis=1)
        ways = directions(x), directions(y)
        shift[place] = np.linalg.norm(ways[1] - ways[0], axis=1)
        unchanged[place] = same_directions(*ways) if baseline.shape[1] > 1 else equal[place]
        moved[place] = shift[place] if distance is Distance.COSINE else apart
    return moved, shift, identical, equal, unchanged


def _norms(matrix: Matrix, rows: Rows, distance: Distance) -> FloatArray:
    """Shape (n,): how long rows are; 1 under the cosine distance."""
    found = np.ones(len(rows))
    for place in blocks(len(rows), matrix.shape[1]) if distance is Distance.EUCLIDEAN else ():
        found[place] = np.linalg.norm(take(matrix, rows[place]), axis=1)
    return found


def _rotation(
    baseline: Matrix, candidate: Matrix, rows: Rows, other: Rows, distance: Distance
) -> tuple[NDArray[np.float64], float]:
    """The rotation that the closest rows agree on, and the scale that would fit them best."""
    kept = np.arange(len(rows))
    turn, scale = np.zeros((0, 0)), 1.0
    # Too few rows to leave half of them out: they could all be turned onto each other.
    can_trim = CLOSEST * len(rows) > 2 * min(baseline.shape[1], candidate.shape[1])
    for _ in range(ROUNDS):
        cross = np.zeros((candidate.shape[1], baseline.shape[1]))
        square = 0.0
        for place in blocks(len(kept), sum(cross.shape)):
            x, y = take(baseline, rows[kept[place]], distance), take(candidate, other[kept[place]], distance)
            cross += y.T @ x
            square += float(np.einsum("ij,ij->", y, y))
        turn = procrustes(cross)
        scale = float((cross * turn).sum()) / square if square > 0 else 1.0
        if not can_trim:
            break
        before, lengths = kept, _lengths(baseline, candidate, rows, other, distance, turn)
        kept = np.sort(np.argpartition(lengths, int(CLOSEST * len(rows)))[: int(CLOSEST * len(rows))])
        if len(before) == len(kept) and (before == kept).all():
            break
    return turn, scale


def _lengths(
    baseline: Matrix, candidate: Matrix, rows: Rows, other: Rows, distance: Distance, turn: FloatArray
) -> FloatArray:
    """Shape (n,): the distance of each row from its partner after turning."""
    found = np.zeros(len(rows))
    for place in blocks(len(rows), sum(turn.shape)):
        x, y = take(baseline, rows[place], distance), take(candidate, other[place], distance)
        found[place] = np.linalg.norm(y @ turn - x, axis=1)
    return found


def _unknown(matrix: Matrix, known: Rows, rows: Rows) -> FloatArray:
    """Shape (n,): how much of each row's direction other rows do not hold: directions that make up less than a row."""
    mean, covariance = moments(matrix, known, Distance.COSINE)
    energy, axes = np.linalg.eigh(len(known) * (covariance + np.outer(mean, mean)))
    return np.linalg.norm(take(matrix, rows, Distance.COSINE) @ axes / (np.maximum(energy, 0.0) + 1), axis=1)


def _spread(matrix: Matrix, rows: Rows, distance: Distance) -> float:
    """The root mean square distance of rows from their mean; 0 where that is no more than rounding."""
    mean, covariance = moments(matrix, draw_rows(rows, FIT_ROWS, 0), distance)
    spread = float(np.sqrt(max(float(np.trace(covariance)), 0.0)))
    return spread if spread > TOLERANCE * float(np.linalg.norm(mean)) else 0.0


def _root_mean_square(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2)))
