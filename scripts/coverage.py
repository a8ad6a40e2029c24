"""How often 95 % intervals hold the truth, in simulated files of 200, 2,000 and 20,000 rows.

Run with `.venv/bin/python -m scripts.coverage` (`--simulations 1000`, `--workers 2`): it prints a table for
docs/intervals.md. The truth of an error of calibration is what 400,000 rows of the same world have, labels taken by
their expectation. Wilson's interval of a rate is not simulated but enumerated. `--only thresholds` prints those of
chosen thresholds alone, `--only calibration` the others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
from scipy import special, stats

from lib.cells import cells_of_rows
from lib.metrics.calibration import STATISTICS, compute_calibration
from lib.metrics.calibration_errors import Outcomes
from lib.metrics.estimates import FloatArray
from lib.metrics.forecasts import Forecasts
from lib.metrics.intervals import wilson
from lib.metrics.ranking import roc_auc
from lib.metrics.thresholds import Decisions
from scripts import threshold_coverage

SIZES = (200, 2_000, 20_000)
RATES = (0.02, 0.05, 0.2, 0.5)
POPULATION = 400_000


@dataclass(frozen=True)
class World:
    """Scores are normal with a spread of 1.5; `truth` makes of them how likely each row is to be positive."""

    name: str
    truth: Callable[[FloatArray], FloatArray]

    def draw(self, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Scores, and how likely each row is to be positive."""
        score = rng.normal(0.0, 1.5, n)
        return score, self.truth(score)


def _cooled(score: FloatArray, temperature: float, shift: float) -> FloatArray:
    return special.expit((score - shift) / temperature)


def _wave(score: FloatArray) -> FloatArray:
    p = special.expit(score)
    return np.clip(p + 0.12 * np.sin(2 * np.pi * p), 0.0, 1.0)


WORLDS = (
    World("calibrated", partial(_cooled, temperature=1.0, shift=0.0)),
    World("temperature 1.2", partial(_cooled, temperature=1.2, shift=0.0)),
    World("temperature 1.5", partial(_cooled, temperature=1.5, shift=0.0)),
    World("shift 0.4", partial(_cooled, temperature=1.0, shift=0.4)),
    World("shift 1", partial(_cooled, temperature=1.0, shift=1.0)),
    World("wave", _wave),
)


def truths(world: World) -> dict[str, float]:
    """What very many rows have."""
    score, share = world.draw(POPULATION, np.random.default_rng(0))
    order = np.argsort(score)
    score, share = score[order], share[order]
    forecasts = Forecasts.of(cells_of_rows(np.ones_like(score), score))
    outcomes = Outcomes.expected(forecasts, share)
    found = {name: float(statistic(outcomes)[0]) for name, statistic in STATISTICS.items()}
    below = np.concatenate(([0.0], np.cumsum(1 - share)[:-1]))
    found["roc_auc"] = float((share * (below + (1 - share) / 2)).sum() / (share.sum() * (1 - share).sum()))
    return found


def once(world: World, n: int, seed: int) -> dict[str, tuple[float, float]]:
    """The intervals of one file."""
    rng = np.random.default_rng([seed, n])
    score, share = world.draw(n, rng)
    cells = cells_of_rows(np.where(rng.random(n) < share, 1, -1), score)
    errors = compute_calibration(Forecasts.of(cells)).errors
    found = {name: (each.estimate.lower, each.estimate.upper) for name, each in errors.items()}
    auc = roc_auc(cells)
    return {**found, "roc_auc": (float(auc.lower[0]), float(auc.upper[0]))}


def coverage_of_wilson(rate: float, n: int) -> float:
    """How often Wilson's interval holds the rate, exactly: over all counts, by their binomial probability."""
    hits = np.arange(n + 1)
    lower, upper = wilson(hits / n, np.full(n + 1, float(n)))
    return float(stats.binom.pmf(hits, n, rate)[(lower <= rate) & (rate <= upper)].sum())


def rows_of_table(simulations: int, workers: int, worlds: Iterable[World]) -> Iterable[tuple[str, str, list[float]]]:
    """(what, world, share of intervals that hold the truth at each size)."""
    for rate in RATES:
        yield "violation_rate", f"rate {rate:g}", [coverage_of_wilson(rate, n) for n in SIZES]
    with ProcessPoolExecutor(workers) as pool:
        for world in worlds:
            truth = truths(world)
            held: dict[str, list[float]] = {name: [] for name in truth}
            for n in SIZES:
                made = list(pool.map(partial(once, world, n), range(simulations), chunksize=10))
                for name, value in truth.items():
                    ends = np.array([each[name] for each in made])
                    held[name].append(float(((ends[:, 0] <= value) & (value <= ends[:, 1])).mean()))
            for name, shares in held.items():
                yield name, world.name, shares


def decisions_of(score: FloatArray, y: FloatArray) -> Decisions:
    """What each threshold does to rows."""
    return Decisions.of(cells_of_rows(np.where(y > 0, 1, -1), score))


def rows_of_thresholds(simulations: int, workers: int) -> Iterable[tuple[str, str, list[float]]]:
    """The same of chosen thresholds, in the worlds that are furthest apart."""
    worlds = [(each.name, each.draw, each.truth) for each in WORLDS if each.name in ("calibrated", "shift 1", "wave")]
    with ProcessPoolExecutor(workers) as pool:
        yield from threshold_coverage.rows_of_table(pool, worlds, decisions_of, SIZES, simulations)


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--simulations", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=("calibration", "thresholds"))
    chosen = parser.parse_args(arguments)
    print(f"| Number | World | {' | '.join(f'n = {n:,}' for n in SIZES)} |")
    print(f"|---|---|{'---:|' * len(SIZES)}")
    tables: list[Iterable[tuple[str, str, list[float]]]] = []
    if chosen.only != "thresholds":
        tables.append(rows_of_table(chosen.simulations, chosen.workers, WORLDS))
    if chosen.only != "calibration":
        tables.append(rows_of_thresholds(chosen.simulations, chosen.workers))
    for name, world, shares in chain.from_iterable(tables):
        print(f"| `{name}` | {world} | {' | '.join(f'{share:.1%}' for share in shares)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
