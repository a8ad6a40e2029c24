"""How often intervals of chosen thresholds hold the truth, and those of what they do to rows that did not choose them.

The truth of a threshold is that of the world itself, on a fine grid of scores; where probabilities are rounded, the
thresholds are those that are left. The truth of precision and recall is what the threshold that a file chooses has in
the world: another one in each file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from scipy import special

from lib.cells import cells_of_rows
from lib.grid import EPSILON
from lib.metrics.estimates import FloatArray, IntArray
from lib.metrics.threshold_choice import choose, pick
from lib.metrics.threshold_intervals import Rule, threshold_interval
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

SLACK = 1e-9
"""How far a score may be from itself."""

Held = dict[str, bool]
"""Whether each interval of a file holds the truth."""
Row = tuple[str, str, list[str]]
"""A row of the table: what, in which world, and how often at each size."""


@dataclass(frozen=True)
class World:
    """Scores, and how likely each row is to be positive.

    Attributes:
        name: what the table calls it.
        truth: how likely a row with such a score is to be positive, rising; scores have a spread of `SPREAD`.
        digits: to how many digits probabilities are rounded before they are written; None where they are not.
    """

    name: str
    truth: Callable[[FloatArray], FloatArray]
    digits: int | None = None

    def written(self, score: FloatArray) -> FloatArray:
        """The scores as a file has them."""
        if self.digits is None:
            return score
        return special.logit(np.clip(np.round(special.expit(score), self.digits), EPSILON, 1 - EPSILON))


OfFile = Callable[[World, int, int], Held]
"""Of a world, a number of rows and a seed."""


@dataclass(frozen=True, eq=False)
class Population:
    """A world: its distinct scores, and what lies above each of them.

    Attributes:
        score: shape (K,), rising, −inf first.
        share: shape (K,), how likely a row with that score is to be positive; 0 of the first.
        above, hits: shape (K,), rows above it and positive rows above it, as shares of all rows.
    """

    score: FloatArray
    share: FloatArray
    above: FloatArray
    hits: FloatArray

    def threshold(self, rule: Rule) -> float:
        """The threshold of a rule."""
        if rule.by == "precision":
            place = np.flatnonzero(self.hits[:-1] >= rule.target * self.above[:-1])[0]
        elif rule.by == "recall":
            place = np.flatnonzero(self.hits >= rule.target * self.hits[0])[-1]
        elif rule.by == "flagged_share":
            place = np.flatnonzero(self.above <= rule.target)[0]
        else:
            place = np.flatnonzero(self.share < rule.costs.probability)[-1]
        return float(self.score[place])

    def at(self, threshold: float) -> tuple[float, float]:
        """Precision and recall above a threshold."""
        place = int(np.searchsorted(self.score, threshold + SLACK, side="right")) - 1
        return float(self.hits[place] / self.above[place]), float(self.hits[place] / self.hits[0])


@cache
def population(world: World) -> Population:
    """The world of a fine grid of scores."""
    weight = np.exp(-(GRID**2) / (2 * SPREAD**2))
    weight, share = weight / weight.sum(), world.truth(GRID)
    score, first = np.unique(world.written(GRID), return_index=True)
    own, positive = (np.add.reduceat(each, first) for each in (weight, weight * share))

    def above(values: FloatArray) -> FloatArray:
        return np.append(np.cumsum(values[::-1])[::-1], 0.0)

    return Population(np.append(-np.inf, score), np.append(0.0, positive / own), above(own), above(positive))


def once(world: World, n: int, seed: int) -> Held:
    """For one file, whether the interval of each threshold holds the truth; nothing of a rule that none fulfils."""
    score, y, _fold = _file(world, n, seed)
    true, whole = population(world), decisions_of(score, y)
    found: Held = {}
    for name, rule in RULES.items():
        place, reason = pick(whole, rule)
        if not reason:
            lower, upper = threshold_interval(whole, place, rule)
            found[f"threshold, {name}"] = lower - SLACK <= true.threshold(rule) <= upper + SLACK
    return found


def once_held_out(world: World, n: int, seed: int) -> Held:
    """For one file, whether the intervals of what thresholds do to other rows hold it; those that are told."""
    score, y, fold = _file(world, n, seed)
    folds = [decisions_of(score[fold == k], y[fold == k]) for k in range(10)]
    true, whole = population(world), decisions_of(score, y)
    found: Held = {}
    for name, rule in RULES.items():
        choice = choose(whole, folds, rule)
        if choice.held_out is None or not choice.is_steady:
            continue
        for what, counts, value in zip(
            ("precision", "recall"),
            (choice.held_out.precision, choice.held_out.recall),
            true.at(choice.threshold.value),
            strict=True,
        ):
            each = counts.estimates()[0]
            if each.is_defined:
                found[f"held-out {what}, {name}"] = each.lower <= value <= each.upper
    return found


def decisions_of(score: FloatArray, y: FloatArray) -> Decisions:
    """What each threshold does to rows."""
    return Decisions.of(cells_of_rows(np.where(y > 0, 1, -1), score))


def _file(world: World, n: int, seed: int) -> tuple[FloatArray, FloatArray, IntArray]:
    """Scores as they are written, labels in {0, 1} and folds."""
    rng = np.random.default_rng([seed, n])
    score = rng.normal(0.0, SPREAD, n)
    return world.written(score), (rng.random(n) < world.truth(score)).astype(np.float64), rng.integers(0, 10, n)


def rows_of_table(
    pool: Executor,
    worlds: Iterable[World],
    of_file: OfFile,
    sizes: Iterable[int],
    simulations: int,
) -> Iterable[Row]:
    """The rows of the table; in brackets in how many files the interval is told, where not in all."""
    for world in worlds:
        shares: dict[str, list[str]] = {}
        for place, n in enumerate(sizes):
            made = list(pool.map(partial(of_file, world, n), range(simulations), chunksize=10))
            for name in sorted({each for found in made for each in found}):
                held = [found[name] for found in made if name in found]
                told = "" if len(held) == simulations else f" ({len(held) / simulations:.0%})"
                shares.setdefault(name, [""] * place).append(f"{np.mean(held):.1%}{told}")
        for name, of_sizes in shares.items():
            yield name, world.name, of_sizes
