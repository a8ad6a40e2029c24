"""How often drift of vectors and leakage are told where there are none, and how often where there are.

`python scripts/drift_rates.py [PAIRS] [SHIFTED_PAIRS]` (200 and 20; half an hour, most of it 5,000 rows of 384 values)
prints tables and exits with 1 where false alarms exceed what 1 % can give.
One thread per process is faster here: set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import special

# Started as a file, Python looks for modules beside it, not in the project.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.metrics.drift import Measure, compare_pairs, compare_samples
from lib.metrics.estimates import FloatArray
from lib.metrics.leakage import probe_column
from lib.metrics.permutations import NOISE_LEVEL
from lib.vectors import Distance, Matrix

SIZES = ((150, 16), (150, 384), (5_000, 16), (5_000, 384))
CLUSTERS = 10
Change = Callable[[FloatArray, np.random.Generator], FloatArray]


class World:
    """Clusters of unequal size about a mean that is not 0, with variances that fall from dimension to dimension."""

    def __init__(self, dimension: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self.spread = 1 / np.sqrt(np.arange(1, dimension + 1))
        self.centres = (1 + rng.normal(size=(CLUSTERS, dimension))) * self.spread
        self.shares = rng.dirichlet(np.full(CLUSTERS, 3.0))

    def draw(self, n: int) -> FloatArray:
        """Rows of the world."""
        cluster = self.rng.choice(CLUSTERS, n, p=self.shares)
        return self.centres[cluster] + self.rng.normal(size=(n, len(self.spread))) * self.spread

    @property
    def total_spread(self) -> float:
        """Root mean square distance from the mean."""
        mean = self.shares @ self.centres
        return float(np.sqrt((self.shares @ (self.centres - mean) ** 2 + self.spread**2).sum()))


def as_matrix(values: FloatArray) -> Matrix:
    return np.ascontiguousarray(values, np.float32)


def null_pairs(n: int, dimension: int, pairs: int, *, is_paired: bool) -> list[str]:
    """One line: how often p is below 5 % for each measure, and the verdict below 1 % with any effect and as given."""
    below, alarms, verdicts = dict.fromkeys(Measure, 0), 0, 0
    rows = np.arange(n)
    for seed in range(pairs):
        rng = np.random.default_rng(10_000 + seed)
        world = World(dimension, rng)
        noise = world.spread / 2
        if is_paired:
            shared = world.draw(n)
            x, y = (as_matrix(shared + noise * rng.normal(size=shared.shape)) for _ in range(2))
            drift = compare_pairs(x, y, rows, rows, Distance.COSINE, seed)
        else:
            drift = compare_samples(
                as_matrix(world.draw(n)), as_matrix(world.draw(n)), rows, rows, Distance.COSINE, seed
            )
        for each in drift.measures:
            below[each.measure] += each.p <= 0.05
        alarms += any(each.p_adjusted <= NOISE_LEVEL for each in drift.measures)
        verdicts += drift.has_drifted
    rates = [f"{100 * below[each] / pairs:.1f} %" for each in Measure]
    return [f"{n:,}", str(dimension), "pairs" if is_paired else "samples", *rates, str(alarms), str(verdicts)]


def shifted(world: World, kind: str, values: FloatArray) -> FloatArray:
    """The candidate's rows with a fault of a stated size."""
    moved = values.copy()
    if kind == "mean by 0.2":
        direction = world.rng.normal(size=values.shape[1])
        moved += 0.2 * world.total_spread * direction / np.linalg.norm(direction)
    elif kind == "scale by 1.3":
        moved *= 1.3
    elif kind == "fifth by 1":
        direction = world.rng.normal(size=values.shape[1])
        moved[: len(moved) // 5] += world.total_spread * direction / np.linalg.norm(direction)
    elif kind == "dimension by 1 sd":
        moved[:, -1] += moved[:, -1].std()
    return moved


def power(n: int, dimension: int, kind: str, pairs: int) -> list[str]:
    """One line: how often a fault is told, by which measure."""
    hits, verdicts, rows = dict.fromkeys(Measure, 0), 0, np.arange(n)
    values: dict[Measure, list[float]] = {each: [] for each in Measure}
    for seed in range(pairs):
        world = World(dimension, np.random.default_rng(20_000 + seed))
        x, y = as_matrix(world.draw(n)), as_matrix(shifted(world, kind, world.draw(n)))
        drift = compare_samples(x, y, rows, rows, Distance.EUCLIDEAN, seed)
        for each in drift.measures:
            hits[each.measure] += each.is_drift
            values[each.measure].append(each.value)
        verdicts += drift.has_drifted
    told = [f"{hits[each]} ({np.median(values[each]):.2f})" for each in Measure]
    return [f"{n:,}", str(dimension), kind, *told, f"{verdicts} of {pairs}"]


def leakage(n: int, dimension: int, pairs: int, strength: float) -> list[str]:
    """One line: how often a column of three unequal groups is told to leak, and the AUC that is found."""
    alarms, verdicts, found = 0, 0, []
    for seed in range(pairs):
        rng = np.random.default_rng(30_000 + seed)
        values = World(dimension, rng).draw(n)
        groups = rng.choice(3, n, p=[0.6, 0.3, 0.1])
        values[:, 0] += strength * values[:, 0].std() * (groups == 1)
        result = probe_column(as_matrix(values), np.arange(n), groups, 3, Distance.COSINE, seed)
        alarms += result.p <= NOISE_LEVEL
        verdicts += result.leaks
        found.append(result.area)
    return [f"{n:,}", str(dimension), f"{strength:g} sd", str(alarms), str(verdicts), f"{np.median(found):.3f}"]


def line(cells: list[str]) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> int:
    """Print the tables; 1 if a null has more alarms than 1 % gives in 999 of 1,000 runs."""
    pairs, few = (int(sys.argv[place]) if len(sys.argv) > place else default for place, default in ((1, 200), (2, 20)))
    most = int(special.bdtrik(0.999, pairs, NOISE_LEVEL)) + 1
    worst = 0
    line(["n", "d", "null", *(f"p ≤ 5 %: {each}" for each in Measure), "p ≤ 1 % for all", "told"])
    for n, dimension in SIZES:
        for is_paired in (False, True):
            row = null_pairs(n, dimension, pairs, is_paired=is_paired)
            worst = max(worst, int(row[-2]))
            line(row)
    line(["n", "d", "fault", *(f"by {each} (median)" for each in Measure), "told"])
    for n, dimension in SIZES:
        for kind in ("mean by 0.2", "scale by 1.3", "fifth by 1", "dimension by 1 sd"):
            line(power(n, dimension, kind, few))
    line(["n", "d", "leak", "p ≤ 1 %", "told", "median AUC"])
    for n, dimension in SIZES:
        for strength, runs in ((0.0, pairs), (1.0, few)):
            row = leakage(n, dimension, runs, strength)
            worst = max(worst, int(row[-3]) if strength == 0 else 0)
            line(row)
    return int(worst > most)


if __name__ == "__main__":
    sys.exit(main())
