"""How often 95 % intervals hold the truth, in simulated files of 200, 2,000 and 20,000 rows.

Run with `.venv/bin/python -m scripts.coverage` (`--simulations 1000`, `--workers 2`): it prints the tables of
docs/intervals.md, a part of them with `--only`. The truth of an error of calibration is what 400,000 rows evenly along
the same world have, labels taken by their expectation; where there is an upper end alone it holds what is below, and
in brackets is in how many files there are both. Wilson's interval of a rate is not simulated but enumerated.
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
from lib.metrics.calibration import STATISTICS, error_intervals
from lib.metrics.calibration_errors import Outcomes
from lib.metrics.estimates import FloatArray
from lib.metrics.forecasts import Forecasts
from lib.metrics.intervals import wilson
from lib.metrics.ranking import roc_auc
from scripts import threshold_coverage
from scripts.threshold_coverage import SPREAD, OfFile, Row

SIZES = (200, 2_000, 20_000)
RATES = (0.02, 0.05, 0.2, 0.5)
POPULATION = 400_000


@dataclass(frozen=True)
class World:
    """Scores are normal with a spread of `SPREAD`; `truth` makes of them how likely each row is to be positive."""

    name: str
    truth: Callable[[FloatArray], FloatArray]

    def draw(self, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Scores, and how likely each row is to be positive."""
        score = rng.normal(0.0, SPREAD, n)
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
    score = SPREAD * special.ndtri((np.arange(POPULATION) + 0.5) / POPULATION)
    share = world.truth(score)
    outcomes = Outcomes.expected(Forecasts.of(cells_of_rows(np.ones_like(score), score)), share)
    found = {name: float(statistic(outcomes)[0]) for name, statistic in STATISTICS.items()}
    below = np.concatenate(([0.0], np.cumsum(1 - share)[:-1]))
    found["roc_auc"] = float((share * (below + (1 - share) / 2)).sum() / (share.sum() * (1 - share).sum()))
    return found


def once(world: World, n: int, seed: int) -> dict[str, tuple[float, float]]:
    """The intervals of one file."""
    rng = np.random.default_rng([seed, n, *world.name.encode()])
    score, share = world.draw(n, rng)
    cells = cells_of_rows(np.where(rng.random(n) < share, 1, -1), score)
    auc = roc_auc(cells)
    return {**error_intervals(Forecasts.of(cells)), "roc_auc": (float(auc.lower[0]), float(auc.upper[0]))}


def coverage_of_wilson(rate: float, n: int) -> float:
    """How often Wilson's interval holds the rate, exactly: over all counts, by their binomial probability."""
    hits = np.arange(n + 1)
    lower, upper = wilson(hits / n, np.full(n + 1, float(n)))
    return float(stats.binom.pmf(hits, n, rate)[(lower <= rate) & (rate <= upper)].sum())


def rows_of_rates() -> Iterable[Row]:
    """Of violation rates."""
    for rate in RATES:
        yield "violation_rate", f"rate {rate:g}", [f"{coverage_of_wilson(rate, n):.1%}" for n in SIZES]


def rows_of_calibration(simulations: int, workers: int) -> Iterable[Row]:
    """Of errors of calibration and ROC AUC."""
    with ProcessPoolExecutor(workers) as pool:
        for world in WORLDS:
            truth = truths(world)
            cells: dict[str, list[str]] = {name: [] for name in truth}
            for n in SIZES:
                made = list(pool.map(partial(once, world, n), range(simulations), chunksize=10))
                for name, value in truth.items():
                    lower, upper = np.array([each[name] for each in made]).T
                    held = (np.isnan(lower) | (lower <= value)) & (value <= upper)
                    both = "" if name == "roc_auc" else f" ({np.isfinite(lower).mean():.0%})"
                    cells[name].append(f"{held.mean():.1%}{both}")
            for name, shares in cells.items():
                yield name, world.name, shares


def rows_of_thresholds(simulations: int, workers: int, of_file: OfFile) -> Iterable[Row]:
    """Of chosen thresholds, in the worlds that are furthest apart and where probabilities are rounded."""
    far = {each.name: each.truth for each in WORLDS if each.name in ("calibrated", "shift 1", "wave")}
    worlds = [threshold_coverage.World(name, truth) for name, truth in far.items()]
    for digits in (2, 1):
        for name in ("calibrated", "shift 1"):
            words = f"{name}, p to {digits} digit{'s' if digits > 1 else ''}"
            worlds.append(threshold_coverage.World(words, far[name], digits))
    with ProcessPoolExecutor(workers) as pool:
        yield from threshold_coverage.rows_of_table(pool, worlds, of_file, SIZES, simulations)


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--simulations", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=("rates", "calibration", "thresholds", "held-out"))
    chosen = parser.parse_args(arguments)
    much = chosen.simulations, chosen.workers
    tables: dict[str, Iterable[Row]] = {
        "rates": rows_of_rates(),
        "calibration": rows_of_calibration(*much),
        "thresholds": rows_of_thresholds(*much, threshold_coverage.once),
        "held-out": rows_of_thresholds(*much, threshold_coverage.once_held_out),
    }
    print(f"| Number | World | {' | '.join(f'n = {n:,}' for n in SIZES)} |")
    print(f"|---|---|{'---:|' * len(SIZES)}")
    for name, world, shares in chain.from_iterable([tables[chosen.only]] if chosen.only else tables.values()):
        print(f"| `{name}` | {world} | {' | '.join(shares)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
