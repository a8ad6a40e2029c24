"""Several classes of which some are exchanged: what reversed scores are to two.

Of an exchange π the rows of the classes that it moves count. A row is right where its class is answered, swapped where
π of its class is. A part is exchanged where far more rows are swapped than right, while elsewhere it is the other way
round. The answers of its classes must also be likelier as those of an exchange than as those of the rest, and not by
the doing of one class alone: a class that is lost to another, which stays what it was, is no exchange.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special
from scipy.optimize import linear_sum_assignment

from lib.cells import Cells
from lib.checks import words
from lib.checks.answered import Answered, read_answers
from lib.checks.blocks import Axes, Block, BoolArray, FloatArray, IntArray, Place, read_tables
from lib.checks.memory import once_for_every_margin_target
from lib.checks.permutations import cycles_of, find_suspects, moved_by
from lib.checks.result import ALARM_RATE
from lib.checks.search import MIN_ROWS, Found, count_trials, find_parts
from lib.errors import SettingsError
from lib.metrics.intervals import excess_p_value

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

SWAPPED, RIGHT, ROWS = range(3)
LEAST_SWAPPED, LEAST_RIGHT = 0.2, 0.1
"""How many more of its rows must be swapped than right in the part, and right than swapped elsewhere."""
NATS = 2.2
"""Gain of a row that is swapped and not right: log of 75 % right answers against 8 % of one wrong kind."""
MOST_NATS = 690.0
"""Of which the exponential is a number."""
FEWEST_OF_CLASS = 8
"""A class with so many rows must not contradict."""
LEAST_BEYOND_ONE = float(np.log(1 / ALARM_RATE))
"""In nats: what must speak for an exchange without the class that speaks for it most."""


@dataclass(frozen=True)
class Exchanged:
    """The rule: more rows are answered with `there` of their class than with `usual` of it, unlike in the rest.

    Attributes:
        there: shape (K,), what each class is answered with in a part that is looked for.
        usual: shape (K,), what it is answered with in the rest.
        tables: the answers by cohort column, None for the whole.
        within: as any rule's.
    """

    there: IntArray
    usual: IntArray
    tables: dict[str | None, Answered]
    within: bool = False

    @property
    def moved(self) -> BoolArray:
        """Shape (K,): the classes that are exchanged."""
        return self.there != self.usual

    @property
    def alternatives(self) -> float:
        """Among how many exchanges one of L classes was chosen, those of fewer included: K!/(K − L)!·2^(L − 1)."""
        size, moved = len(self.there), int(self.moved.sum())
        nats = special.gammaln(size + 1) - special.gammaln(size - moved + 1) + (moved - 1) * np.log(2.0)
        return float(np.exp(min(nats, MOST_NATS)))

    def blocks(self) -> list[Block]:
        """The blocks to search, of moments (swapped, right, rows)."""
        return [table.block(self.features(table)) for table in self.tables.values()]

    def features(self, table: Answered) -> FloatArray:
        """Per entry the rows that are swapped, right, and all, of classes that are moved; shape (N, 3)."""
        rows = np.where(self.moved[table.own], table.n, 0.0)
        swapped, right = (table.answer == each[table.own] for each in (self.there, self.usual))
        return np.stack([rows * swapped, rows * right, rows], axis=1)

    def size(self, moments: FloatArray) -> FloatArray:
        """Rows of classes that are moved."""
        return moments[..., ROWS]

    def gain(self, moments: FloatArray) -> FloatArray:
        """Swapped rows less right ones, in nats."""
        return NATS * (moments[..., SWAPPED] - moments[..., RIGHT])

    def total_gain(self, unit: FloatArray, rest: FloatArray) -> FloatArray:
        """The same of the part as one sample."""
        del rest
        return self.gain(unit)

    def p_value(self, unit: FloatArray, rest: FloatArray, runs: FloatArray, trials: float) -> FloatArray:
        """Two tests, both of which a part must pass, as of two classes.

        Of its rows that are swapped or right more are swapped than of the rest (Fisher), over all parts and exchanges;
        and more than half are, over those parts that are unlike the rest and the runs scanned within them.
        """
        here, there = (
            (each[..., SWAPPED] - each[..., RIGHT]) / np.maximum(each[..., ROWS], 1.0) for each in (unit, rest)
        )
        matters = (here >= LEAST_SWAPPED) & (there <= -LEAST_RIGHT)
        matters &= (unit[..., ROWS] >= MIN_ROWS) & (rest[..., ROWS] >= MIN_ROWS)
        p = np.ones(len(unit))
        if not matters.any():
            return p
        swapped = [each[matters, SWAPPED] for each in (unit, rest)]
        decided = [each[matters, SWAPPED] + each[matters, RIGHT] for each in (unit, rest)]
        unlike = excess_p_value(swapped[0], decided[0], swapped[1], decided[1])
        unlike = np.nan_to_num(unlike, nan=1.0) * trials * self.alternatives
        worse = sign_test(swapped[0], decided[0])
        selected = max(1, int((unlike <= ALARM_RATE).sum()))
        p[matters] = np.minimum(np.maximum(unlike, worse * runs[matters] * selected), 1.0)
        return p

    def confirm(self, block: Block, place: Place) -> bool:
        """The answers of each class are likelier exchanged than as in the rest, and not those of one class alone."""
        table = self.tables[block.column]
        left = block.alive[tuple(table.at.T)]
        inside = table.inside(place)
        # In terms of what is usual, where the rest is right.
        usual = np.argsort(self.usual)
        here, rest = table.crossed(inside & left)[:, self.usual], table.crossed(~inside & left)[:, self.usual]
        return is_exchanged(here, rest, usual[self.there])


def sign_test(swapped: FloatArray, decided: FloatArray) -> FloatArray:
    """P(X ≥ swapped) for X binomial with ½ of those that are decided; counts need not be whole."""
    return special.betainc(np.maximum(swapped, 1e-9), decided - swapped + 1, 0.5)


def is_exchanged(here: FloatArray, rest: FloatArray, exchange: IntArray) -> bool:
    """Whether the rows of a part, shape (K, K) by class and answer, are likelier an exchange of the rest's than alike.

    An exchange of scores or of labels: of the two the one that explains more.
    """
    (moved,) = np.nonzero(moved_by(exchange))
    share = (rest + 0.5) / (rest.sum(axis=1) + 0.5 * len(rest))[:, None]
    back, to = np.argsort(exchange)[moved], exchange[moved]
    n = here[moved].sum(axis=1)
    seen = np.stack([here[moved, to], here[moved, moved]], axis=1)
    alike = np.stack([share[moved, to], share[moved, moved]], axis=1)
    of_scores = np.stack([share[moved, moved], share[moved, back]], axis=1)
    of_labels = np.stack([share[to, to], share[to, moved]], axis=1)
    both = [_likelier(seen, n, each, alike) for each in (of_scores, of_labels)]
    nats = max(both, key=lambda each: float(each.sum()))
    contradicts = (n >= FEWEST_OF_CLASS) & (nats <= 0)
    return not contradicts.any() and float(nats.sum() - nats.max()) >= LEAST_BEYOND_ONE


def _likelier(seen: FloatArray, n: FloatArray, one: FloatArray, other: FloatArray) -> FloatArray:
    """By how many nats two kinds of n answers, shape (L, 2), are likelier under one pair of shares than another."""
    left = n - seen.sum(axis=1)
    outside = [np.maximum(1 - each.sum(axis=1), 1e-9) for each in (one, other)]
    return (seen * np.log(one / other)).sum(axis=1) + left * np.log(outside[0] / outside[1])


@dataclass(frozen=True, eq=False)
class Exchange:
    """A part in which classes are exchanged: for each, by its place among the names, as what it is answered."""

    found: Found
    to: IntArray


@dataclass(frozen=True, eq=False)
class Exchanges:
    """What is exchanged.

    Attributes:
        axes: versions and windows.
        tables: those of the margins, that give parts their names.
        answered: the answers, the whole first; of saved cells that one alone.
        reason: why nothing can be said; "" otherwise.
        found: exchanged parts; empty when everything is.
        everything: how all classes are exchanged everywhere; None where they are not.
        n: labelled rows with scores.
        trials: how many parts were looked at.
    """

    axes: Axes
    tables: list[Cells]
    answered: list[Answered]
    reason: str
    found: list[Exchange]
    everything: IntArray | None
    n: int
    trials: float


@once_for_every_margin_target
def find_exchanges(diagnosis: Diagnosis) -> Exchanges:
    """Search all versions, cohorts and windows for exchanged classes."""
    axes, tables = read_tables(diagnosis)
    try:
        answered = read_answers(diagnosis, axes, tables)
    except SettingsError as error:
        return Exchanges(axes, tables, [], str(error), [], None, 0, 0.0)
    whole = answered[0]
    n = int(whole.n.sum())
    reason = ""
    if diagnosis.facts.mapping.label is None:
        reason = "there is no label column"
    elif n == 0:
        reason = "no row has both a label and a score"
    elif n < MIN_ROWS:
        reason = f"{words.plural(n, 'labelled row')} with a score {'is' if n == 1 else 'are'} too few"
    elif len(np.unique(whole.own)) == 1:
        reason = "all labelled rows are of one class"
    if reason:
        return Exchanges(axes, tables, answered, reason, [], None, n, 0.0)
    held: dict[str | None, Answered] = {each.frame.column: each for each in answered}
    stays = np.arange(whole.size)
    trials = count_trials(
        [each.block(np.tile(each.n[:, None], 3)) for each in answered], axes, Exchanged(stays, stays, held)
    )
    to = exchanged_everywhere(whole.crossed(np.ones(len(whole.n), dtype=np.bool_)))
    if to is not None:
        right = Exchanged(stays, to, held)
        if not find_parts(right.blocks(), axes, right, ALARM_RATE, []):
            return Exchanges(axes, tables, answered, "", [], to, n, trials)
    found: list[Exchange] = []
    for suspect in find_suspects(answered):
        rule = Exchanged(suspect, stays, held)
        taken = [each.found.place for each in found]
        found += [Exchange(each, suspect) for each in find_parts(rule.blocks(), axes, rule, ALARM_RATE, taken)]
    return Exchanges(axes, tables, answered, "", found, None, n, trials)


def exchanged_everywhere(crossed: FloatArray) -> IntArray | None:
    """The exchange under which far more of all rows, shape (K, K) by class and answer, are right; None if none is."""
    stays = np.arange(len(crossed))
    _rows, to = linear_sum_assignment(crossed, maximize=True)
    for cycle in cycles_of(to):
        of_class = crossed[cycle].sum(axis=1)
        if ((crossed[cycle, to[cycle]] <= crossed[cycle, cycle]) & (of_class >= FEWEST_OF_CLASS)).any():
            to[cycle] = cycle
    moved = moved_by(to)
    rule = Exchanged(to, stays, {})
    swapped, right = float(crossed[stays, to][moved].sum()), float(np.diag(crossed)[moved].sum())
    n = float(crossed[moved].sum())
    if n < MIN_ROWS or swapped - right < LEAST_SWAPPED * n:
        return None
    p = sign_test(np.array([swapped]), np.array([swapped + right])) * rule.alternatives
    return to if p[0] <= ALARM_RATE else None
