"""How classes may be exchanged in some part: permutations that explain answers that are more frequent there than else.

Either the scores of classes stand in each other's columns, or their labels are each other's. With P(p | c) the share of
answers p among the rows of class c elsewhere, an exchange π of the columns makes Σ n(c, p)·log P(π⁻¹p | c) largest, one
of the labels Σ n(c, p)·log P(p | πc): both are assignment problems. A part may be exchanged for some of its time only,
so what is assigned is what there is too much of in it. These are suspects; whether they hold, and where, is for a
search to say.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.optimize import linear_sum_assignment

from lib.checks.answered import Answered
from lib.checks.blocks import BoolArray, FloatArray, IntArray

MAX_SUSPECTS = 5
MOST_GROUPS = 8
"""Of each way to look at a table, so many groups with the strangest answers."""
STRANGE = 5.0
"""In standard errors, and in rows: answers of one kind too many in a group, or right answers too few."""
LEAST_EXCESS, LEAST_ERRORS = 2.0, 3.0
"""In rows, and in standard errors: what counts as too many of a kind in a group that is strange."""
LEAST_NATS = 10.0
"""By how much a cycle has to explain the answers better than none."""
FEWEST = 5
"""Of a class with fewer rows elsewhere nothing is expected."""


def find_suspects(tables: list[Answered]) -> list[IntArray]:
    """Exchanges to look for, those that explain most first: for each class, by its place, as what it is answered."""
    gains: dict[tuple[int, ...], float] = {}
    for table in tables:
        for crossed, total in _strange_groups(table):
            exchange, gain = best_exchange(crossed, total - crossed)
            if gain > 0:
                key = tuple(exchange.tolist())
                gains[key] = gains.get(key, 0.0) + gain
    return [np.array(each, np.int64) for each in sorted(gains, key=lambda each: -gains[each])[:MAX_SUSPECTS]]


def _strange_groups(table: Answered) -> list[tuple[FloatArray, FloatArray]]:
    """Rows by class and answer, shape (K, K) each, of groups that answer unlike the others, and of all together.

    Groups are by version, value and window, and by any of these alone or two together: a fault that lasts for some
    windows of few rows shows over all time, one of a single window only there.
    """
    total = table.crossed(np.ones(len(table.n), dtype=np.bool_))
    several = [axis for axis in range(3) if table.frame.alive.shape[axis] > 1]
    found: list[tuple[FloatArray, FloatArray]] = []
    for chosen in product((False, True), repeat=len(several)):
        axes = [axis for axis, is_chosen in zip(several, chosen, strict=True) if is_chosen]
        # What does not go by the value of the column is seen in the table of the whole.
        if axes and (table.frame.column is None or 1 in axes):
            group = np.zeros(len(table.n), np.int64)
            for axis in axes:
                group = group * table.frame.alive.shape[axis] + table.at[:, axis]
            found += [(table.crossed(group == each), total) for each in _strangest(table, group, total)]
    return found


def _strangest(table: Answered, group: IntArray, total: FloatArray) -> IntArray:
    """The groups, by their number in `group`, with answers of a kind too many or right ones too few."""
    size = table.size
    kinds, n = added((group * size + table.own) * size + table.answer, table.n)
    classes, rows = added(group * size + table.own, table.n)
    of_class = np.searchsorted(classes, kinds // size)
    own, answer = kinds // size % size, kinds % size
    in_total = total.sum(axis=1)

    def strangeness(n: FloatArray, rows: FloatArray, own: IntArray, answer: IntArray) -> tuple[FloatArray, FloatArray]:
        """Rows beyond what is expected, and the variance of that."""
        elsewhere = in_total[own] - rows
        share = (total[own, answer] - n) / np.maximum(elsewhere, 1.0)
        known = elsewhere >= FEWEST
        return np.where(known, n - rows * share, 0.0), np.where(known, rows * share * (1 - share), 0.0)

    excess, variance = strangeness(n, rows[of_class], own, answer)
    errors = np.where((own != answer) & (excess >= STRANGE), excess / np.sqrt(variance + 1), 0.0)
    right = np.zeros(len(classes))
    right[of_class[own == answer]] = n[own == answer]
    own = classes % size
    surplus, spread = strangeness(right, rows, own, own)
    names, first = np.unique(classes // size, return_index=True)
    lost = -np.add.reduceat(surplus, first) if len(first) else np.zeros(0)
    most = np.zeros(len(names))
    np.maximum.at(most, np.searchsorted(names, kinds // size**2), errors)
    if len(first):
        drop = lost / np.sqrt(np.add.reduceat(spread, first) + 1)
        most = np.maximum(most, np.where(lost >= 2 * STRANGE, drop, 0.0))
    strange = np.flatnonzero(most >= STRANGE)
    return names[strange[np.argsort(-most[strange], kind="stable")[:MOST_GROUPS]]]


def added(key: IntArray, n: FloatArray) -> tuple[IntArray, FloatArray]:
    """The distinct numbers among keys, ascending, and the rows of each."""
    keys, inverse = np.unique(key, return_inverse=True)
    return keys, np.bincount(inverse, n, len(keys)).astype(np.float64)


def best_exchange(crossed: FloatArray, rest: FloatArray) -> tuple[IntArray, float]:
    """The exchange that explains best what a group has more of than the rest, and by how many nats; none has 0.

    Args:
        crossed: shape (K, K), rows of the group by class and answer.
        rest: shape (K, K), those of the rest.
    """
    size, n, of_rest = len(crossed), crossed.sum(axis=1), rest.sum(axis=1)
    share = (rest + 0.5) / (of_rest + 0.5 * size)[:, None]
    expected = n[:, None] * share
    excess = crossed - expected
    counted = (excess >= LEAST_EXCESS) & (excess >= LEAST_ERRORS * np.sqrt(expected * (1 - share)))
    right, of_right = np.diag(crossed), np.diag(expected)
    lost = (of_right - right >= LEAST_ERRORS * np.sqrt(of_right * (1 - np.diag(share)) + 0.25)) & (of_rest >= FEWEST)
    # What nothing speaks for stays as it is: half a row of each class, all of one that is answered right as elsewhere.
    surplus = np.where(lost[:, None], np.where(counted, excess, 0.0) + 0.5 * share, expected)
    logs = np.log(share)
    by_columns, by_labels = logs.T @ surplus, logs @ surplus.T
    options: list[tuple[IntArray, float]] = []
    for gain, is_columns in ((by_columns, True), (by_labels, False)):
        rows, columns = linear_sum_assignment(gain, maximize=True)
        taken = kept_cycles(columns, gain[rows, columns] - np.diag(gain))
        worth = float((gain[rows, taken] - np.diag(gain)).sum())
        # Labels: a true class stands in the rows, the one that its rows are labelled with in the columns.
        options.append((taken if is_columns else np.argsort(taken), worth))
    return max(options, key=lambda each: each[1])


def kept_cycles(exchange: IntArray, gain: FloatArray) -> IntArray:
    """An exchange without those cycles that gain less than `LEAST_NATS`; gain, shape (K,), is of each class."""
    kept = np.arange(len(exchange))
    for cycle in cycles_of(exchange):
        if gain[cycle].sum() >= LEAST_NATS:
            kept[cycle] = exchange[cycle]
    return kept


def cycles_of(exchange: IntArray) -> list[list[int]]:
    """The cycles of an exchange, each from its first class on; classes that stay are in none."""
    left, cycles = set(np.flatnonzero(exchange != np.arange(len(exchange))).tolist()), list[list[int]]()
    while left:
        cycle = [min(left)]
        while int(exchange[cycle[-1]]) != cycle[0]:
            cycle.append(int(exchange[cycle[-1]]))
        left -= set(cycle)
        cycles.append(cycle)
    return cycles


def moved_by(exchange: IntArray) -> BoolArray:
    """Shape (K,): the classes that do not stay."""
    return exchange != np.arange(len(exchange))
