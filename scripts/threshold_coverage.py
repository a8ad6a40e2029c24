"""How often intervals of chosen thresholds hold the truth, and those of what they do to rows that did not choose them.

The truth of a threshold is that of the world itself, on a fine grid of scores. The truth of precision and recall is
what the threshold that a file chooses has in the world: another one in each file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from lib.metrics.estimates import FloatArray
from lib.metrics.threshold_choice import choose
from lib.metrics.threshold_intervals import Rule
from lib.metrics.thresholds import Costs, Decisions

RULES = {
    "precision 0.8": Rule("precision", 0.8),
    "precision 0.9": Rule("precision", 0.9),
    "recall 0.8": Rule("recall", 0.8),
    "recall 0.9": Rule("recall", 0.9),
    "flags 0.05": Rule("flagged_share", 0.05),
    "flags 0.2": Rule("flagged_share", 0.2),
    "costs 1 : 1": Rule("cost", costs=Costs(1.0, 1.0)),
    "costs 1 : 5": Rule("cost", costs=Costs(1.0, 5.0)),
    "costs 4 : 1": Rule("cost", costs=Costs(4.0, 1.0)),
}
SPREAD = 1.5
GRID = np.linspace(-6 * SPREAD, 6 * SPREAD, 200_001)

Truth = Callable[[FloatArray], FloatArray]
Held = dict[str, bool]


@dataclass(frozen=True, eq=False)
class Population:
    """A world on the grid of scores: how many rows lie above each, and how many of them are positive, as shares."""

    positive_share: FloatArray
    above: FloatArray
    hits: FloatArray

    def threshold(self, rule: Rule) -> float:
        """The threshold of a rule."""
        if rule.by == "precision":
            reached = np.flatnonzero(self.hits >= rule.target * self.above)
            return float(GRID[reached[0]])
        if rule.by == "recall":
            return float(GRID[np.flatnonzero(self.hits >= rule.target * self.hits[0])[-1]])
        if rule.by == "flagged_share":
            return float(GRID[np.flatnonzero(self.above > rule.target)[-1]])
        return float(GRID[np.searchsorted(self.positive_share, rule.costs.probability)])

    def at(self, threshold: float) -> tuple[float, float]:
        """Precision and recall above a threshold."""
        place = int(np.searchsorted(GRID, threshold))
        return float(self.hits[place] / self.above[place]), float(self.hits[place] / self.hits[0])


@cache
def population(truth: Truth) -> Population:
    """The world of scores that are normal with a spread of `SPREAD`."""
    weight = np.exp(-(GRID**2) / (2 * SPREAD**2))
    weight, share = weight / weight.sum(), truth(GRID)
    return Population(share, *(np.cumsum(each[::-1])[::-1] for each in (weight, weight * share)))


def once(
    draw: Callable[[int, np.random.Generator], tuple[FloatArray, FloatArray]],
    truth: Truth,
    make: Callable[[FloatArray, FloatArray], Decisions],
    n: int,
    seed: int,
) -> Held:
    """For one file, whether each interval holds the truth; nothing of a rule that no threshold fulfils."""
    rng = np.random.default_rng([seed, n])
    score, share = draw(n, rng)
    y, fold = (rng.random(n) < share).astype(np.float64), rng.integers(0, 10, n)
    world, whole = population(truth), make(score, y)
    folds = [make(score[fold == k], y[fold == k]) for k in range(10)]
    found: Held = {}
    for name, rule in RULES.items():
        choice = choose(whole, folds, rule)
        if not np.isfinite(choice.threshold.value):
            continue
        found[f"threshold, {name}"] = choice.threshold.lower <= world.threshold(rule) <= choice.threshold.upper
        if choice.held_out is None:
            continue
        for what, counts, true in zip(
            ("precision", "recall"),
            (choice.held_out.precision, choice.held_out.recall),
            world.at(choice.threshold.value),
            strict=True,
        ):
            each = counts.estimates()[0]
            if each.is_defined:
                found[f"held-out {what}, {name}"] = each.lower <= true <= each.upper
    return found


def rows_of_table(
    pool: Executor,
    worlds: Iterable[tuple[str, Callable[[int, np.random.Generator], tuple[FloatArray, FloatArray]], Truth]],
    make: Callable[[FloatArray, FloatArray], Decisions],
    sizes: Iterable[int],
    simulations: int,
) -> Iterable[tuple[str, str, list[float]]]:
    """(what, world, share of intervals that hold the truth at each size)."""
    for world, draw, truth in worlds:
        shares: dict[str, list[float]] = {}
        for place, n in enumerate(sizes):
            made = list(pool.map(partial(once, draw, truth, make, n), range(simulations), chunksize=10))
            for name in sorted({each for found in made for each in found}):
                held = [found[name] for found in made if name in found]
                shares.setdefault(name, [float("nan")] * place).append(float(np.mean(held)))
        for name, of_sizes in shares.items():
            yield name, world, of_sizes
