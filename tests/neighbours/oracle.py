"""Slow and obvious: every distance by itself in float64, every order of ties by its chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lib.vectors import NO_ROW, Distance, Truth, Vectors

IsRight = Callable[[int, int], bool]


def vectors(matrix: object, *, is_query: object = None, is_gallery: object = None, name: str = "v1") -> Vectors:
    """Vectors of a matrix; all rows ask and may be found unless said otherwise."""
    values = np.ascontiguousarray(matrix, dtype=np.float32)
    everything = np.ones(len(values), np.bool_)
    return Vectors(
        version=name,
        matrix=values,
        ids=np.array([f"id{row}" for row in range(len(values))]),
        is_good=np.asarray(np.isfinite(values).all(axis=1), np.bool_),
        is_query=everything if is_query is None else np.asarray(is_query, np.bool_),
        is_gallery=everything if is_gallery is None else np.asarray(is_gallery, np.bool_),
        stored_as="float32",
        sha256=name,
    )


def distance_of(first: np.ndarray, second: np.ndarray, distance: Distance) -> float:
    a, b = first.astype(np.float64), second.astype(np.float64)
    if distance is Distance.EUCLIDEAN:
        return float(np.float32(math.sqrt(((a - b) ** 2).sum())))
    gap = 1 - float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))
    return float(np.rint(gap * 2**23) / 2**23) + 0.0


def found(of: Vectors, query: int, distance: Distance) -> list[tuple[float, int]]:
    """What a query could find, nearest first, of equals the lower row first."""
    usable = of.usable(distance)
    rows = [row for row in range(of.n) if usable[row] and of.is_gallery[row] and row != query]
    return sorted((distance_of(of.matrix[query], of.matrix[row], distance), row) for row in rows)


def queries(of: Vectors, distance: Distance) -> list[int]:
    return [row for row in range(of.n) if of.usable(distance)[row] and of.is_query[row]]


def lists(of: Vectors, distance: Distance, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and distances as a graph holds them."""
    asked = queries(of, distance)
    rows, distances = np.full((len(asked), k), NO_ROW), np.full((len(asked), k), np.inf)
    for line, query in enumerate(asked):
        for column, (gap, row) in enumerate(found(of, query, distance)[:k]):
            rows[line, column], distances[line, column] = row, gap
    return rows, distances


@dataclass(frozen=True)
class Expected:
    """What is expected of one ranking, over all orders of its ties."""

    n_relevant: int
    matches: list[float]
    hit: list[float]
    reciprocal_rank: float
    r_precision: float
    average_precision_at_r: float


def expected(ranking: list[tuple[float, bool]], ks: tuple[int, ...]) -> Expected:
    """Of (distance, is right) of each row, with a right one among them."""
    ordered = sorted(gap for gap, _right in ranking)
    r = sum(right for _gap, right in ranking)

    def at(gap: float) -> tuple[int, int, int, int]:
        """Rows nearer, rows tied, right ones nearer, right ones tied."""
        nearer = [right for other, right in ranking if other < gap]
        tied = [right for other, right in ranking if other == gap]
        return len(nearer), len(tied), sum(nearer), sum(tied)

    chance = [at(gap) for gap in ordered]

    def matches(k: int) -> float:
        return sum(m / t for _b, t, _c, m in chance[:k])

    b, t, _c, m = at(min(gap for gap, right in ranking if right))
    precision = 0.0
    for rank in range(1, r + 1):
        before, tied, matched, matching = chance[rank - 1]
        others = (rank - before - 1) * (matching - 1) / (tied - 1) if tied > 1 else 0.0
        precision += matching / tied * (1 + matched + others) / rank
    return Expected(
        n_relevant=r,
        matches=[matches(k) for k in ks],
        hit=[1 - math.comb(t - m, min(max(k - b, 0), t)) / math.comb(t, min(max(k - b, 0), t)) for k in ks],
        reciprocal_rank=sum(math.comb(t - j, m - 1) / math.comb(t, m) / (b + j) for j in range(1, t - m + 2)),
        r_precision=matches(r) / r,
        average_precision_at_r=precision / r,
    )


def all_expected(of: Vectors, is_right: IsRight, distance: Distance, ks: tuple[int, ...]) -> list[Expected | None]:
    """By query; None for one that cannot be answered."""
    made: list[Expected | None] = []
    for query in queries(of, distance):
        ranking = [(gap, is_right(query, row)) for gap, row in found(of, query, distance)]
        made.append(expected(ranking, ks) if any(right for _gap, right in ranking) else None)
    return made


def pairs(relevant: list[np.ndarray]) -> Truth:
    """The truth of a list of right answers by row."""
    offsets = np.cumsum([0, *(len(each) for each in relevant)]).astype(np.int64)
    return Truth(offsets=offsets, relevant=np.concatenate(relevant).astype(np.int64))


def worlds(seed: int = 0, n: int = 60) -> dict[str, np.ndarray]:
    """Matrices that make exact neighbours hard: ties, copies, far from the origin, tight clusters, huge values."""
    generator = np.random.default_rng(seed)
    normal = generator.normal(size=(n, 8))
    return {
        "normal": normal,
        "whole numbers": generator.integers(-2, 3, (n, 4)),
        "binary": generator.integers(0, 2, (n, 12)),
        "copies": generator.normal(size=(8, 8))[generator.integers(0, 8, n)],
        "one point": np.ones((n, 3)),
        "far away": normal + 1000,
        "tight clusters": normal * 1e-4 + np.repeat([[0.0], [1.0]], n // 2, axis=0),
        "huge": normal * 1e37,
        "an outlier": np.concatenate([normal[:-1], np.full((1, 8), 1e38)]),
        "zeros and gaps": np.where(
            generator.random((n, 1)) < 0.2, 0.0, np.where(generator.random((n, 8)) < 0.02, np.nan, normal)
        ),
    }
