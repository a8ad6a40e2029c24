"""How often a planted slice is found and described, and how often anything is told where nothing is planted.

Run with `.venv/bin/python -m scripts.slice_rates` (`--seeds 50`): it prints the table of docs/decisions.md. Files have
100,000 rows and 8 columns of 10 levels; of those with numbers the levels are tenths of a column. A slice counts as
found where exactly its columns and levels are told, and as alone where nothing else is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lib.metrics.estimates import FloatArray, IntArray
from lib.metrics.slice_choice import shortlist
from lib.metrics.slice_sums import CodedRows, Condition, OverlapSums, Place, SearchedColumn, SliceSums
from lib.metrics.slices import SliceSearch, confirm

ROWS, COLUMNS, LEVELS = 100_000, 8, 10
Codes = tuple[IntArray, ...]


@dataclass(frozen=True)
class World:
    """What is planted: `place` is the slice, none for nothing, and `outcome` what rows in and outside of it have."""

    name: str
    place: Place
    outcome: Callable[[np.random.Generator, FloatArray], FloatArray]
    is_rate: bool = True
    are_numbers: bool = False
    levels_alike: bool = True

    def draw(self, seed: int) -> CodedRows:
        """The rows of one file."""
        rng = np.random.default_rng(seed)
        share = None if self.levels_alike else np.arange(1, LEVELS + 1) / (LEVELS * (LEVELS + 1) / 2)
        codes = tuple(rng.choice(LEVELS, ROWS, p=share).astype(np.int64) for _ in range(COLUMNS))
        inside = np.ones(ROWS, np.bool_) if self.place else np.zeros(ROWS, np.bool_)
        for column, first, last in self.place:
            inside &= (codes[column] >= first) & (codes[column] <= last)
        return CodedRows(codes, self.outcome(rng, inside.astype(np.float64)), rng.random(ROWS) < 0.5)

    @property
    def columns(self) -> list[SearchedColumn]:
        """Texts, or numbers cut at 1 to 9."""
        edges = (-np.inf, *range(1, LEVELS), np.inf) if self.are_numbers else ()
        return [
            SearchedColumn(
                f"c{column}",
                tuple(
                    Condition(f"c{column}", None, edges[level], edges[level + 1])
                    if edges
                    else Condition(f"c{column}", str(level))
                    for level in range(LEVELS)
                ),
                edges,
            )
            for column in range(COLUMNS)
        ]

    def search(self, seed: int) -> SliceSearch:
        """What is told of one file."""
        rows = self.draw(seed)
        sums = SliceSums(self.columns, 3, weighted=False)
        sums.add(rows)
        found = shortlist(sums)
        overlaps = OverlapSums(found.places, weighted=False)
        overlaps.add(rows)
        return confirm(sums, overlaps, found.n_looked, is_rate=self.is_rate)


def rate(base: float, within: float) -> Callable[[np.random.Generator, FloatArray], FloatArray]:
    """Errors at two rates."""
    return lambda rng, inside: (rng.random(len(inside)) < base + (within - base) * inside).astype(np.float64)


def loss(times: float) -> Callable[[np.random.Generator, FloatArray], FloatArray]:
    """A loss with a long tail, so many times as large within."""
    return lambda rng, inside: rng.lognormal(0.0, 1.2, len(inside)) * (1 + (times - 1) * inside)


PAIR, TRIPLE, RANGE = ((2, 3, 3), (5, 7, 7)), ((1, 9, 9), (3, 9, 9), (6, 9, 9)), ((2, 3, 3), (5, 6, 8))
WORLDS = (
    World("48 % errors against 20 %, two columns, 1 % of rows", PAIR, rate(0.2, 0.48)),
    World("30 % against 20 %, two columns, 1 % of rows", PAIR, rate(0.2, 0.30)),
    World("48 % against 20 %, three columns, 0.6 % of rows", TRIPLE, rate(0.2, 0.48), levels_alike=False),
    World("35 % against 20 %, a value and three bins, 3 % of rows", RANGE, rate(0.2, 0.35), are_numbers=True),
    World("a loss twice as large, two columns, 1 % of rows", PAIR, loss(2.0), is_rate=False),
    World("nothing, 20 % errors", (), rate(0.2, 0.2)),
    World("nothing, 1 % errors", (), rate(0.01, 0.01)),
    World("nothing, numbers", (), rate(0.2, 0.2), are_numbers=True),
    World("nothing, a loss with a long tail", (), loss(1.0), is_rate=False),
)


def main(arguments: list[str]) -> int:
    """Print the table; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.slice_rates", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    seeds = parser.parse_args(arguments).seeds
    print(f"| Planted, {seeds} files | Found | Nothing else told | Nothing told |")
    print("|---|---:|---:|---:|")
    for world in WORLDS:
        found = alone = silent = 0
        columns = world.columns
        planted = tuple(columns[column].condition(first, last) for column, first, last in world.place)
        for seed in range(seeds):
            told = [each.conditions for each in world.search(seed).slices]
            found += planted in told
            alone += told == [planted]
            silent += not told
        told_of = [f"{100 * each / seeds:.0f} %" for each in (found, alone, silent)]
        print(f"| {' | '.join([world.name, *(told_of[:2] if world.place else ('', '')), told_of[2]])} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
