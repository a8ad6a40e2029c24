"""Answers, right and wrong, by class, and how those of a part differ from those it is compared with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from lib.cells import Cells
from lib.checks.blocks import FloatArray
from lib.checks.result import ALARM_RATE
from lib.grid import MISSING_BIN
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import excess_p_value, interval_p_value
from lib.metrics.summary import unpaired_change

Kind = Literal["threshold", "false positives", "errors"]
"""What more wrong answers are told as."""

LEAST_ERRORS, LEAST_AUC = 0.02, 0.02
"""By how much a version must be worse than the baseline, in the share of wrong answers or in AUC."""
LEAST_FALSE_POSITIVES, LEAST_RISE = 0.05, 0.2
"""By how much the false positive rate must be higher, absolute and as a share of what it was."""
LEAST_MOVE, LEAST_COST = 0.1, 0.02
"""By how much a moved threshold flags more or fewer of one class, and what that costs, in the mean of both rates."""
MOSTLY = 2 / 3
"""Of the errors that there are more of, so many are false positives where these are what is told."""
LARGE_FALL = 0.2
LEAST_ROWS = 30
"""Labelled, scored rows of a version or of a class in it; fewer say nothing."""


@dataclass(frozen=True)
class Counts:
    """Answers: rows of the positive and the negative class with label and score, and those of each that are wrong."""

    positives: float
    negatives: float
    false_negatives: float
    false_positives: float

    @classmethod
    def of(cls, moments: FloatArray) -> Counts:
        """Of statistics (wrong, rows, false positives, negatives)."""
        wrong, rows, false_positives, negatives = (float(each) for each in moments)
        return cls(rows - negatives, negatives, wrong - false_positives, false_positives)

    def without(self, parts: Iterable[Counts]) -> Counts:
        """The answers that are in none of some parts, which have no rows in common."""
        left = self
        for part in parts:
            both = zip(dataclasses.astuple(left), dataclasses.astuple(part), strict=True)
            left = Counts(*(max(0.0, mine - other) for mine, other in both))
        return left

    @property
    def n(self) -> float:
        """Rows."""
        return self.positives + self.negatives

    @property
    def wrong(self) -> float:
        """Rows that are answered wrongly."""
        return self.false_negatives + self.false_positives

    @property
    def accuracy(self) -> float:
        """Share of right answers; NaN without rows."""
        return 1 - self.wrong / self.n if self.n else float("nan")

    @property
    def rates(self) -> tuple[float, float]:
        """Share of positives and of negatives that are flagged; NaN for a class without rows."""
        found = 1 - self.false_negatives / self.positives if self.positives else float("nan")
        return found, self.false_positives / self.negatives if self.negatives else float("nan")

    @property
    def has_both(self) -> bool:
        """Whether there are rows enough of both classes."""
        return min(self.positives, self.negatives) >= LEAST_ROWS


def count_answers(cells: Cells) -> FloatArray:
    """Wrong answers, rows, false positives and negatives of each cell, shape (N, 4)."""
    label = cells.block % 3 - 1
    rows = np.where((cells.score_bin != MISSING_BIN) & (label != 0), cells.sums[:, 0], 0.0)
    flagged, negative = cells.score > 0, label < 0
    wrong = np.where(flagged == negative, rows, 0.0)
    return np.stack([wrong, rows, np.where(negative, wrong, 0.0), np.where(negative, rows, 0.0)], axis=1)


def split_by_class(counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Wrong answers and rows of positives and of negatives, shape (2, N) each, of counts of `count_answers`."""
    wrong, n, false_positives, negatives = counts.T
    return np.stack([wrong - false_positives, false_positives]), np.stack([n - negatives, negatives])


def by_class(here: Counts, there: Counts) -> list[tuple[float, float, float, float]]:
    """Of positives, then of negatives: wrong and all rows here, and there."""
    return [
        (here.false_negatives, here.positives, there.false_negatives, there.positives),
        (here.false_positives, here.negatives, there.false_positives, there.negatives),
    ]


def is_rise(here: Counts, there: Counts) -> bool:
    """Whether the false positive rate is so much higher that it matters."""
    rate, before = here.rates[1], there.rates[1]
    return rate - before >= max(LEAST_FALSE_POSITIVES, LEAST_RISE * before)


def is_large_fall(here: Counts, there: Counts) -> bool:
    """Whether a fifth more of all, of positives or of negatives are answered wrongly."""
    falls = [there.accuracy - here.accuracy]
    if here.has_both and there.has_both:
        (found, flagged), (found_before, flagged_before) = here.rates, there.rates
        falls += [found_before - found, flagged - flagged_before]
    return max(falls) >= LARGE_FALL


def is_mostly_false_positives(here: Counts, there: Counts) -> bool:
    """Whether most of the errors that there are more of are false positives."""
    (found, flagged), (found_before, flagged_before) = here.rates, there.rates
    more, missed = (flagged - flagged_before) * here.negatives, max(found_before - found, 0.0) * here.positives
    return more >= MOSTLY * (more + missed)


def is_moved(here: Counts, there: Counts, auc_change: float) -> bool:
    """Whether the threshold flags more, or fewer, of both classes beyond chance, and orders them no worse."""
    moves = [rate - before for rate, before in zip(here.rates, there.rates, strict=True)]
    if max(map(abs, moves)) < LEAST_MOVE or moves[0] * moves[1] <= 0 or auc_change <= -LEAST_AUC:
        return False
    return p_of_moves(here, there) <= ALARM_RATE


def kind_of(here: Counts, there: Counts, auc_change: float) -> Kind:
    """What more wrong answers of a part are told as."""
    if here.has_both and there.has_both:
        if is_moved(here, there, auc_change):
            return "threshold"
        if is_rise(here, there) and is_mostly_false_positives(here, there):
            return "false positives"
    return "errors"


def p_of_moves(here: Counts, there: Counts) -> float:
    """That not both rates have moved the way they seem to: the larger p of the two, of two ways."""
    p: list[float] = []
    for side in (0, 1):
        n, other = (each.positives if side == 0 else each.negatives for each in (here, there))
        flagged, before = (round(each.rates[side] * rows) for each, rows in ((here, n), (there, other)))
        up = here.rates[side] > there.rates[side]
        hits, rest = (flagged, before) if up else (n - flagged, other - before)
        p.append(float(excess_p_value(hits, n, rest, other)))
    return 2 * max(p)


def _weighted(here: Counts, there: Counts, share: float) -> tuple[float, float]:
    """How much larger the mean of the two error rates is, and its standard error; positives count by their share."""
    change = variance = 0.0
    for weight, (k, n, rest, other) in zip((share, 1 - share), by_class(here, there), strict=True):
        for sign, wrong, rows in ((1.0, k, n), (-1.0, rest, other)):
            if weight > 0 and rows > 0:
                rate = (wrong + 0.5) / (rows + 1)
                change += sign * weight * wrong / rows
                variance += weight**2 * rate * (1 - rate) / rows
    return change, float(np.sqrt(variance))


def _p_of(change: float, error: float, least: float, p_beyond: Callable[[float], float] | None = None) -> float:
    """One-sided; 1 where the change is too small to matter."""
    if change < least or error <= 0:
        return 1.0
    return float(special.ndtr(-change / error)) if p_beyond is None else p_beyond(change / error)


def p_of_errors(here: Counts, there: Counts, p_beyond: Callable[[float], float] | None = None) -> float:
    """That there are no more errors where both versions have one mix of the classes.

    `p_beyond` says the p of a difference in standard errors; the normal one without it.
    """
    if (here.positives > 0) != (there.positives > 0) or (here.negatives > 0) != (there.negatives > 0):
        return 1.0
    share = (here.positives + there.positives) / (here.n + there.n)
    return _p_of(*_weighted(here, there, share), LEAST_ERRORS, p_beyond)


def p_of_cost(here: Counts, there: Counts) -> float:
    """That a moved threshold is no worse: neither by the errors nor, as with rare classes, by the mean of both."""
    return 2 * min(p_of_errors(here, there), _p_of(*_weighted(here, there, 0.5), LEAST_COST))


def p_of_auc(auc: tuple[Estimate, Estimate]) -> float:
    """That classes are ordered no worse; 1 where the change is too small to matter."""
    change = unpaired_change(auc[1], auc[0])
    if not change.is_defined or change.value > -LEAST_AUC:
        return 1.0
    return float(interval_p_value(change.value, change.lower, change.upper)) / 2
