"""Counts of answers by class: what several classes were answered with, by any keys, without their scores."""

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
