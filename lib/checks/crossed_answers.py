"""Right and wrong answers of baseline and candidate by each cohort column and each two of them, side by side."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib.cells import WrongAnswers
from lib.checks.answer_counts import LEAST_ROWS, Counts, split_by_class
from lib.checks.blocks import BoolArray, FloatArray, IntArray
from lib.checks.rare import read_rare
from lib.schema import VERSION, Outside, cohort_key

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_EXCESS, LEAST_EXCESS_OF_RATES = 0.05, 0.1
"""So much larger the share of wrong answers is than in the baseline, beyond what the rest is; or the mean of the miss
and the false positive rate, where a class is rare."""
MOST_COUNTED = 100_000_000
"""Of so many rows times crossings all are counted; of more one row in so many."""


@dataclass(frozen=True, eq=False)
class CrossedAnswers:
    """Answers of both versions by the values of one column or two: counts of shape (G, 4), and which may be named."""

    columns: tuple[str, ...]
    values: list[tuple[str, ...]]
    here: FloatArray
    there: FloatArray
    usable: BoolArray


@dataclass(frozen=True)
class Candidate:
    """A part in which the excess matters.

    Attributes:
        cohorts: one or two (column, value) pairs.
        z: the excess in standard errors.
        gain: nats, less what it costs to say which of so many parts it is.
        here, there: answers in the candidate and in the baseline.
    """

    cohorts: tuple[tuple[str, str], ...]
    z: float
    gain: float
    here: Counts
    there: Counts


def read_crossed(diagnosis: Diagnosis, columns: Sequence[str], outside: Outside) -> list[CrossedAnswers]:
    """Answers by each column and each two of them."""
    pairs = list(itertools.combinations(columns, 2)) or [tuple(columns)]
    one_in = max(1, math.ceil(diagnosis.facts.n_rows * len(pairs) / MOST_COUNTED))
    gathered = {each.column: each.others for each in read_rare(diagnosis)}
    keys = {pair: (VERSION, *map(cohort_key, pair)) for pair in pairs}
    crossed = [
        _table(diagnosis, pair, diagnosis.wrong_answers(*keys[pair], outside=outside, one_in=one_in)) for pair in pairs
    ]
    singles = [_summed(next(each for each in crossed if column in each.columns), column) for column in columns]
    tables = [*singles, *(each for each in crossed if len(each.columns) > 1)]
    return [_without_gathered(each, gathered) for each in tables]


def _table(diagnosis: Diagnosis, columns: tuple[str, ...], answers: WrongAnswers) -> CrossedAnswers:
    keys = [answers.keys[cohort_key(column)] for column in columns]
    place = np.ravel_multi_index([key.codes for key in keys], [len(key.values) for key in keys])
    kept, group = np.unique(place, return_inverse=True)
    codes = np.unravel_index(kept, [len(key.values) for key in keys])
    texts = [key.values[code].astype(str).tolist() for key, code in zip(keys, codes, strict=True)]
    version = answers.keys[VERSION]
    of_version = version.values[version.codes].astype(str)
    here, there = (
        _added_up(answers.counts[of_version == name], group[of_version == name], len(kept))
        for name in (diagnosis.settings.candidate, diagnosis.settings.baseline)
    )
    return CrossedAnswers(columns, list(zip(*texts, strict=True)), here, there, _has_rows(here, there))


def _added_up(counts: FloatArray, group: IntArray, n_groups: int) -> FloatArray:
    summed = np.zeros((n_groups, counts.shape[1]))
    np.add.at(summed, group, counts)
    return summed


def _has_rows(here: FloatArray, there: FloatArray) -> BoolArray:
    return np.minimum(here[:, 1], there[:, 1]) >= LEAST_ROWS


def _summed(table: CrossedAnswers, column: str) -> CrossedAnswers:
    """The same by one of its columns alone."""
    at = table.columns.index(column)
    kept, group = np.unique(np.array([value[at] for value in table.values], str), return_inverse=True)
    here, there = (_added_up(counts, group, len(kept)) for counts in (table.here, table.there))
    return CrossedAnswers((column,), [(str(name),) for name in kept], here, there, _has_rows(here, there))


def _without_gathered(table: CrossedAnswers, gathered: dict[str, str]) -> CrossedAnswers:
    """The same, with no value to be named that stands for many."""
    one = [
        all(name != gathered.get(column) for column, name in zip(table.columns, value, strict=True))
        for value in table.values
    ]
    return dataclasses.replace(table, usable=table.usable & np.array(one, np.bool_))


def _excess(here: FloatArray, there: FloatArray, *, balanced: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """How many more answers are wrong than before, how many more than in the rest, and the variance of the latter.

    Class by class, each as heavy as it is among these rows; or both alike, where both have rows enough.

    Args:
        here: shape (G, 4), answers of parts in the candidate.
        there: the same in the baseline.
        balanced: whether both classes are as heavy.
    """
    own = change = variance = np.zeros(len(here))
    sides = [split_by_class(each) for each in (here, there, here.sum(axis=0) - here, there.sum(axis=0) - there)]
    rows = sides[0][1]
    weights = np.full(rows.shape, 0.5) if balanced else rows / np.maximum(rows.sum(axis=0), 1.0)
    for label in (0, 1):
        counts = [(wrong[label], n[label]) for wrong, n in sides]
        able = np.min([n for _wrong, n in counts], axis=0) > 0
        weight = np.where(able, weights[label], 0.0)
        rates = [wrong / np.maximum(n, 1.0) for wrong, n in counts]
        smooth = [(wrong + 0.5) / (n + 1.0) for wrong, n in counts]
        own = own + weight * (rates[0] - rates[1])
        change = change + weight * (rates[0] - rates[1] - rates[2] + rates[3])
        spread = [rate * (1 - rate) / np.maximum(n, 1.0) for rate, (_wrong, n) in zip(smooth, counts, strict=True)]
        variance = variance + weight**2 * np.sum(spread, axis=0)
    return own, change, variance


def candidates_of(table: CrossedAnswers) -> list[Candidate]:
    """The parts of a table in which the excess matters."""
    n_usable = int(table.usable.sum())
    found: list[Candidate] = []
    for balanced in (False, True):
        least = LEAST_EXCESS_OF_RATES if balanced else LEAST_EXCESS
        own, change, variance = _excess(table.here, table.there, balanced=balanced)
        enough = table.usable & (np.minimum(own, change) >= least) & (variance > 0)
        if balanced:
            classes = [each for counts in (table.here, table.there) for each in split_by_class(counts)[1]]
            enough &= np.min(classes, axis=0) >= LEAST_ROWS
        for place in np.flatnonzero(enough):
            z = float(change[place] / np.sqrt(variance[place]))
            cohorts = tuple(zip(table.columns, table.values[place], strict=True))
            counts = Counts.of(table.here[place]), Counts.of(table.there[place])
            found.append(Candidate(cohorts, z, z * z / 2 - math.log(n_usable), *counts))
    return found
