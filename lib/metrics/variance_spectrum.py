"""How many dimensions a set of vectors uses, and what their values betray: dead dimensions, quantised, cut short.

References: the participation ratio (Gao et al. 2017); Jing et al. (2022) for collapse of dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lib.metrics.estimates import BoolArray, FloatArray, divide
from lib.metrics.vector_rows import draw_rows, moments, take
from lib.vectors import Distance, Matrix, Rows

SAMPLE_ROWS = 2_000
"""Values are counted, and versions compared, in so many rows."""
LEAST_ROWS = 20
DEAD = 1e-6
"""A dimension whose variance is no more than this share of the median dimension's is dead."""
INTEGER_LEVELS = 256
LEAST_STEPS = 10
"""Equal steps are told from chance where so many gaps are compared with the smallest."""
GRID = 1e-3
"""Values lie on a grid if they are no further from it than this share of its step."""
CUT_TOLERANCE = 1e-4


class Precision(StrEnum):
    """What the values have been, whatever they are stored as."""

    BINARY = "binary"
    INT8 = "int8"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    FLOAT32 = "float32"


@dataclass(frozen=True, eq=False)
class VarianceSpectrum:
    """Variance by dimension and by principal axis.

    Attributes:
        variances: shape (d,), of the dimensions as they are.
        eigenvalues: shape (d,), of their covariance, largest first, not negative.
        share: shape (d,), of all variance in the first 1, 2, …, d principal axes; NaN where there is none.
        participation_ratio: (Σλ)²/Σλ²: d where all axes have the same variance, 1 where one has all.
        is_constant: shape (d,), dimensions with one value.
        is_dead: shape (d,), constant ones, and those that vary by next to nothing.
        n: rows.
        reason: "" where there is variance, else why not.
    """

    variances: FloatArray
    eigenvalues: FloatArray
    share: FloatArray
    participation_ratio: float
    is_constant: BoolArray
    is_dead: BoolArray
    n: int
    reason: str = ""

    def axes_for(self, share: float) -> int:
        """How many principal axes hold that share of the variance; 0 where there is none."""
        return 0 if self.reason else int(np.searchsorted(self.share, share - 1e-12)) + 1


@dataclass(frozen=True)
class Quantisation:
    """What the values of a sample of rows have been rounded to.

    Attributes:
        precision: the coarsest that explains the values; float32 where none does.
        levels: the median number of distinct values of a dimension that varies.
        n: rows that were looked at, drawn with `seed`.
        seed: see `n`.
    """

    precision: Precision
    levels: float
    n: int
    seed: int


@dataclass(frozen=True)
class Truncation:
    """Whether a candidate's vectors are a baseline's, cut short.

    Attributes:
        zeros: how many dimensions at the end are 0 throughout in the candidate and not in the baseline.
        kept: how many leading dimensions of the baseline the candidate is, as it stands or scaled row by row;
            0 where it is not.
        share: of the compared rows that are.
        n: rows that were compared.
    """

    zeros: int
    kept: int
    share: float
    n: int


def variance_spectrum(matrix: Matrix, rows: Rows, distance: Distance = Distance.EUCLIDEAN) -> VarianceSpectrum:
    """Of all rows, in blocks; under the cosine distance of their directions."""
    _, covariance = moments(matrix, rows, distance)
    variances = np.maximum(np.diagonal(covariance), 0.0)
    values = np.maximum(np.linalg.eigvalsh(covariance)[::-1], 0.0)
    values = np.where(values > 1e-12 * values.max(initial=0.0), values, 0.0)
    first = matrix[rows[0]] if len(rows) else np.zeros(matrix.shape[1], np.float32)
    is_constant = variances <= 1e-14 * np.maximum(np.square(first, dtype=np.float64), 1e-280)
    varying = variances[~is_constant]
    is_dead = is_constant | (variances <= DEAD * (float(np.median(varying)) if len(varying) else 0.0))
    reason = "fewer than two rows" if len(rows) < 2 else "" if values.sum() > 0 else "all vectors are equal"
    share = np.full(len(values), np.nan) if reason else np.cumsum(values) / values.sum()
    ratio = np.nan if reason else float(divide(values.sum() ** 2, (values**2).sum()))
    return VarianceSpectrum(variances, values, share, ratio, is_constant, is_dead, len(rows), reason)


def quantisation(matrix: Matrix, rows: Rows, seed: int = 0) -> Quantisation:
    """What values have been rounded to: two levels a dimension, equal steps of at most 256, float16 or bfloat16.

    Rounding that is undone row by row (vectors normalised afterwards) leaves no such trace.
    """
    drawn = draw_rows(rows, SAMPLE_ROWS, seed)
    values = matrix[drawn].astype(np.float32)
    ordered = np.sort(values, axis=0)
    levels = 1 + (np.diff(ordered, axis=0) != 0).sum(axis=0)
    varies = levels > 1
    typical = float(np.median(levels[varies])) if varies.any() else np.nan
    precision = Precision.FLOAT32
    if len(drawn) >= LEAST_ROWS and varies.any():
        if (levels <= 2).all():
            precision = Precision.BINARY
        elif (levels[varies] <= INTEGER_LEVELS).all() and _is_grid(ordered[:, varies]):
            precision = Precision.INT8
        elif not (values.view(np.uint32) & 0xFFFF).any():
            precision = Precision.BFLOAT16
        elif _is_half(values):
            precision = Precision.FLOAT16
    return Quantisation(precision, typical, len(drawn), seed)


def truncation(baseline: Matrix, candidate: Matrix, rows: Rows, other: Rows, seed: int = 0) -> Truncation:
    """Compare a sample of shared rows: `rows[i]` of the baseline is `other[i]` of the candidate."""
    drawn = draw_rows(np.arange(len(rows)), SAMPLE_ROWS, seed)
    x, y = take(baseline, rows[drawn]), take(candidate, other[drawn])
    if len(drawn) < LEAST_ROWS:
        return Truncation(0, 0, np.nan, len(drawn))
    filled = [int(np.flatnonzero(each.any(axis=0)).max(initial=-1)) + 1 for each in (x, y)]
    zeros = y.shape[1] - filled[1] if filled[1] < min(filled[0], y.shape[1]) else 0
    size = min(filled[1], x.shape[1])
    head, left = x[:, :size], y[:, :size]
    scale = divide((head * left).sum(axis=1), (head**2).sum(axis=1))[:, None]
    off = np.linalg.norm(left - np.nan_to_num(scale) * head, axis=1)
    is_cut = (off <= CUT_TOLERANCE * np.linalg.norm(left, axis=1)) & (scale[:, 0] > 0)
    share = float(is_cut.mean())
    return Truncation(zeros, size if size < filled[0] and share > 0.5 else 0, share, len(drawn))


def _is_half(values: np.ndarray) -> bool:
    """Whether values lose nothing in half precision."""
    with np.errstate(over="ignore"):
        return bool((values.astype(np.float16).astype(np.float32) == values).all())


def _is_grid(ordered: np.ndarray) -> bool:
    """Whether the distinct values of each column are whole numbers of its smallest gap apart, of 512 at most."""
    compared = 0
    for column in ordered.T.astype(np.float64):
        distinct = np.unique(column)
        if len(distinct) < 3:
            continue
        gaps = np.diff(distinct)
        steps = gaps / gaps.min()
        # Values in single precision are off by their own rounding.
        allowed = max(GRID, 4e-7 * np.abs(distinct).max() / gaps.min())
        if np.abs(steps - np.rint(steps)).max() > allowed or steps.sum() > 2 * INTEGER_LEVELS:
            return False
        compared += len(steps) - 1
    return compared >= LEAST_STEPS
