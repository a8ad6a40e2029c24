"""What recall costs: fewer dimensions and coarser values against recall@k, and the smallest setting that keeps it.

Principal axes are those about the origin, so that all of them together are a rotation and lose nothing under either
distance. A setting keeps the recall if the interval of its paired difference to the vectors as they are stays above
−tolerance (non-inferiority). Recall@k at its ceiling cannot tell sizes apart: there R-precision of the same queries is
judged, and where that is at its ceiling too, nothing is. Along one way of making vectors smaller, the next setting is
asked only if the one before it has kept the recall: that needs no correction, and the ways share the error rate
(Bonferroni).

References: Westfall and Krishen (2001) for testing in a fixed order; Newcombe (1998b) for paired rates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lib.metrics.estimates import Estimate, FloatArray
from lib.metrics.intervals import LEVEL, mover, wilson
from lib.metrics.retrieval import CEILING
from lib.metrics.sample_means import rate_of
from lib.metrics.variance_spectrum import Precision
from lib.metrics.vector_rows import blocks, moments
from lib.vectors import Distance, Matrix, Rows

SMALLEST = 4
"""Dimensions are halved until one more would leave fewer."""
GIGABYTE = 1e9
NO_QUERIES = "no query can be answered"

RecallOf = Callable[[Matrix], FloatArray]
"""Recall@k of each query, shape (q,), 0 to 1 and NaN where it cannot be answered, of these vectors for all rows."""
BothOf = Callable[[Matrix], tuple[FloatArray, FloatArray]]
"""The same, and R-precision of each query."""
RECALL, R_PRECISION = "recall_at_k", "r_precision"


class Way(StrEnum):
    """How vectors are made smaller."""

    PCA = "pca"
    TRUNCATION = "truncation"
    PRECISION = "precision"


@dataclass(frozen=True)
class Setting:
    """A size of vectors.

    Attributes:
        way: by which it is reached.
        dimension: values of a vector.
        precision: of a value; bfloat16 is none that is tried.
    """

    way: Way
    dimension: int
    precision: Precision

    @property
    def n_bytes(self) -> int:
        """Bytes of a vector."""
        bits = {Precision.BINARY: 1, Precision.INT8: 8, Precision.FLOAT16: 16, Precision.BFLOAT16: 16}
        return math.ceil(self.dimension * bits.get(self.precision, 32) / 8)


@dataclass(frozen=True)
class Point:
    """One setting of the curve.

    Attributes:
        setting: which.
        recall: with Wilson's interval over queries.
        judged: what is judged, see `Curve.measure`; likewise.
        change: of that, to the vectors as they are, paired by query; with an interval for all ways together.
        keeps: whether it is kept, here and at all larger settings of the same way.
        cost: of 1,000 queries by exact search, which reads every vector of the gallery; NaN without a price.
    """

    setting: Setting
    recall: Estimate
    judged: Estimate
    change: Estimate
    keeps: bool
    cost: float


@dataclass(frozen=True)
class Curve:
    """Recall by size.

    Attributes:
        full: the vectors as they are.
        points: by way, and along each from large to small.
        tolerance: how much may be lost.
        measure: by which sizes are judged: `RECALL`, or `R_PRECISION` where recall@k is at its ceiling.
    """

    full: Point
    points: tuple[Point, ...]
    tolerance: float
    measure: str = RECALL

    @property
    def is_at_ceiling(self) -> bool:
        """Whether what is judged has no room to fall in, so that no size can be told from another."""
        return at_ceiling(self.full.judged)

    @property
    def smallest(self) -> Point:
        """The setting of fewest bytes that keeps the recall, of equals that with more recall; perhaps all of it."""
        kept = [each for each in (self.full, *self.points) if each.keeps]
        return min(kept, key=lambda each: (each.setting.n_bytes, -each.recall.value), default=self.full)


def at_ceiling(measured: Estimate) -> bool:
    """Whether nearly every query is answered in full."""
    return measured.is_defined and measured.value >= CEILING


def trade_off(
    matrix: Matrix,
    rows: Rows,
    recall_of: RecallOf,
    both_of: BothOf,
    tolerance: float = 0.01,
    n_gallery: int = 0,
    price_per_gigabyte: float = math.nan,
) -> Curve:
    """The curve of recall against size.

    Args:
        matrix: shape (N, d).
        rows: usable rows: axes and scales are theirs.
        recall_of: called once for each setting, with a matrix of the same rows.
        both_of: called in its place where recall@k is at its ceiling.
        tolerance: how much recall may be lost, in (0, 1).
        n_gallery: how many vectors a query is compared with.
        price_per_gigabyte: of reading vectors.
    """
    dimension = matrix.shape[1]

    def cost(setting: Setting) -> float:
        return cost_of_queries(setting, n_gallery, price_per_gigabyte)

    whole = Setting(Way.PRECISION, dimension, Precision.FLOAT32)
    before = first = recall_of(matrix)
    n = int(np.isfinite(first).sum())
    same = Estimate(0.0, 0.0, 0.0, n) if n else Estimate(np.nan, np.nan, np.nan, 0, NO_QUERIES)
    is_blunt = at_ceiling(_rate(first))
    if is_blunt:
        first, before = both_of(matrix)
    full = Point(whole, _rate(first), _rate(before), same, bool(n), cost(whole))
    points: list[Point] = []
    # At a ceiling nothing that is seen to be kept says that anything is.
    keeps = dict.fromkeys(Way, bool(n) and not at_ceiling(full.judged))
    for setting, smaller in smaller_vectors(matrix, rows):
        recall, after = both_of(smaller) if is_blunt else (recall_of(smaller),) * 2
        change = paired_change(before, after, 1 - (1 - LEVEL) / len(Way))
        keeps[setting.way] = keeps[setting.way] and change.is_defined and change.lower >= -tolerance
        points.append(Point(setting, _rate(recall), _rate(after), change, keeps[setting.way], cost(setting)))
    return Curve(full, tuple(points), tolerance, R_PRECISION if is_blunt else RECALL)


def _rate(values: FloatArray) -> Estimate:
    return rate_of(values[np.isfinite(values)], NO_QUERIES)


def cost_of_queries(setting: Setting, n_gallery: int, price_per_gigabyte: float) -> float:
    """What 1,000 queries cost by exact search, which reads every one of `n_gallery` vectors; NaN without a price."""
    return 1_000 * n_gallery * setting.n_bytes / GIGABYTE * price_per_gigabyte


def smaller_vectors(matrix: Matrix, rows: Rows) -> Iterator[tuple[Setting, Matrix]]:
    """Every setting with its vectors, one at a time, along each way from large to small."""
    dimension = matrix.shape[1]
    halves = [dimension >> step for step in range(1, dimension.bit_length()) if dimension >> step >= SMALLEST]
    axes = principal_axes(matrix, rows)
    for kept in halves:
        yield Setting(Way.PCA, kept, Precision.FLOAT32), _product(matrix, axes[:, :kept])
    for kept in halves:
        yield Setting(Way.TRUNCATION, kept, Precision.FLOAT32), np.ascontiguousarray(matrix[:, :kept])
    for precision in (Precision.FLOAT16, Precision.INT8, Precision.BINARY):
        yield Setting(Way.PRECISION, dimension, precision), rounded(matrix, rows, precision)


def principal_axes(matrix: Matrix, rows: Rows) -> FloatArray:
    """Shape (d, d): orthonormal columns, the axis of the largest second moment about the origin first."""
    mean, covariance = moments(matrix, rows, Distance.EUCLIDEAN)
    _, axes = np.linalg.eigh(covariance + np.outer(mean, mean))
    return np.ascontiguousarray(axes[:, ::-1])


def rounded(matrix: Matrix, rows: Rows, precision: Precision) -> Matrix:
    """The vectors with values of less precision, as float32.

    int8: in 255 equal steps between ± the largest value of a dimension among `rows`; binary: 1 above 0, else −1.
    """
    result = np.empty(matrix.shape, np.float32)
    largest = np.zeros(matrix.shape[1], np.float32)
    for place in blocks(len(rows), matrix.shape[1]):
        np.maximum(largest, np.abs(matrix[rows[place]]).max(axis=0, initial=0.0), out=largest)
    step = np.where(largest > 0, largest, 1.0).astype(np.float32) / np.float32(127)
    half = np.finfo(np.float16).max
    for place in blocks(*matrix.shape):
        values = matrix[place]
        if precision is Precision.FLOAT16:
            result[place] = np.clip(values, -half, half).astype(np.float16)
        elif precision is Precision.INT8:
            result[place] = np.clip(np.rint(values / step), -127, 127) * step
        elif precision is Precision.BINARY:
            result[place] = np.where(values > 0, 1.0, -1.0)
        else:
            raise ValueError(f"vectors are not rounded to {precision}")
    return result


def paired_change(before: FloatArray, after: FloatArray, level: float = LEVEL) -> Estimate:
    """Mean difference of two recalls of the same queries, with an interval that holds where none or few change.

    Newcombe's hybrid score interval with the correlation of the two; of shares between 0 and 1 it is the wider.
    """
    both = np.isfinite(before) & np.isfinite(after)
    x, y, n = before[both], after[both], int(both.sum())
    if n < 2:
        return Estimate(np.nan, np.nan, np.nan, n, NO_QUERIES if not n else "a single query")
    apart = float(x.std() * y.std())
    correlation = float(((x - x.mean()) * (y - y.mean())).mean()) / apart if apart > 0 else 0.0
    # Without any query that changed, as many as could have gone unseen.
    correlation = min(correlation, 1 - 1 / n)
    sides = [(each.mean(), *wilson(each.mean(), n, level)) for each in (y, x)]
    value, lower, upper = mover(sides[0], sides[1], correlation)
    return Estimate(float(value), float(lower), float(upper), n)


def _product(matrix: Matrix, axes: FloatArray) -> Matrix:
    result = np.empty((matrix.shape[0], axes.shape[1]), np.float32)
    for place in blocks(*matrix.shape):
        result[place] = matrix[place].astype(np.float64) @ axes
    return result
