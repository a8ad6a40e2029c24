"""Rows with a slice planted in them, and the search of them in one go."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lib.metrics.slice_choice import shortlist
from lib.metrics.slice_sums import CodedRows, Condition, OverlapSums, SearchedColumn, SliceSums
from lib.metrics.slices import SliceSearch, confirm

Rate = Callable[[tuple[NDArray[np.int64], ...]], NDArray[np.float64]]


def columns_of(*sizes: int) -> tuple[SearchedColumn, ...]:
    """Columns c0, c1 … of so many levels, which are texts."""
    return tuple(
        SearchedColumn(f"c{column}", tuple(Condition(f"c{column}", str(level)) for level in range(size)))
        for column, size in enumerate(sizes)
    )


def coded_rows(seed: int, n: int, sizes: tuple[int, ...], rate: Rate, *, weighted: bool = False) -> CodedRows:
    """Rows with independent columns and an outcome of 1 at the rate that their levels have."""
    generator = np.random.default_rng(seed)
    codes = tuple(generator.integers(0, size, n) for size in sizes)
    outcome = (generator.random(n) < rate(codes)).astype(np.float64)
    weight = generator.integers(0, 4, n) / 2 if weighted else None
    return CodedRows(codes, outcome, generator.random(n) < 0.5, weight)


def planted(*cells: tuple[dict[int, int], float], base: float = 0.2) -> Rate:
    """A base rate, and another one where columns have the levels given; later ones win."""

    def rate(codes: tuple[NDArray[np.int64], ...]) -> NDArray[np.float64]:
        found = np.full(len(codes[0]), base)
        for levels, own in cells:
            found[np.all([codes[column] == level for column, level in levels.items()], axis=0)] = own
        return found

    return rate


def search(
    rows: CodedRows, columns: tuple[SearchedColumn, ...], depth: int = 3, *, is_rate: bool = True
) -> SliceSearch:
    """All of a search."""
    weighted = rows.weight is not None
    sums = SliceSums(columns, depth, weighted=weighted)
    sums.add(rows)
    found = shortlist(sums)
    overlaps = OverlapSums(found.places, weighted=weighted)
    overlaps.add(rows)
    return confirm(sums, overlaps, found.n_looked, is_rate=is_rate)


def described(result: SliceSearch) -> list[dict[str, str | None]]:
    """The conditions of each slice."""
    return [{each.column: each.value for each in found.conditions} for found in result.slices]
