"""Counts of answers by any keys, without scores: of several classes what each was answered with; right and wrong."""

from __future__ import annotations

from dataclasses import dataclass

from lib.cells.sums import Coded, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class AnswerCounts:
    """Labelled, scored rows by key values, true class and answer; only combinations that some row has.

    Attributes:
        names: the K classes.
        keys: for each key its value in each of the N entries.
        own: shape (N,), the place of the true class among `names`.
        answer: shape (N,), that of the class with the highest score, the first of several alike.
        n: shape (N,), rows.
    """

    names: tuple[str, ...]
    keys: dict[str, Coded]
    own: IntArray
    answer: IntArray
    n: FloatArray


@dataclass(frozen=True, eq=False)
class WrongAnswers:
    """Labelled, scored rows by key values; only combinations that some row has.

    An answer is the side of s = 0 on which a score lies, positive where s > 0; of several classes, whose score is the
    margin, every row counts as positive.

    Attributes:
        keys: for each key its value in each of the N entries.
        counts: shape (N, 4): rows that are answered wrongly, rows, false positives, and negatives.
    """

    keys: dict[str, Coded]
    counts: FloatArray
