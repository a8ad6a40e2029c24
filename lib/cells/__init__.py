"""Cells: the small additive table from which every number and picture is drawn.

A cell is one combination of key values, a label and one score bin, with additive statistics. `Cells` keeps them
sorted by key, label and score with cumulative sums, so that the sums below, at and above a threshold cost two binary
searches a group, whatever the number of rows was. Only numpy: no file, no engine, no screen.

Statistics of a cell, with s the decision score, ℓ = log(1 + e^(−y·s)) the logistic loss of a labelled row (0 without
a label) and p = σ(s) always: raw `n` and the sums of s, s², ℓ, ℓ², p, p²; with weights w also Σw, Σw² and the same six
sums weighted by w and by w², so that standard errors and effective sample sizes are right.
"""

from lib.cells.answers import AnswerCounts, WrongAnswers
from lib.cells.once import kept, once
from lib.cells.pairs import PAIR_SUMS, WEIGHTED_PAIR_SUMS, PairCells
from lib.cells.rows import bin_ids, cells_of_rows
from lib.cells.sums import LABELS, MOMENTS, NEGATIVE, POSITIVE, UNLABELLED, UNWEIGHTED, WEIGHTED, Coded, Parts, Sums
from lib.cells.table import Cells, merge
from lib.cells.timeline import COUNTS, Timeline
from lib.cells.values import (
    FINEST_STEPS,
    MOST_MARGIN,
    NO_MARGIN,
    VALUE_SUMS,
    WEIGHTED_VALUE_SUMS,
    ValueBins,
    ValueCells,
)

__all__ = [
    "COUNTS",
    "FINEST_STEPS",
    "LABELS",
    "MOMENTS",
    "MOST_MARGIN",
    "NEGATIVE",
    "NO_MARGIN",
    "PAIR_SUMS",
    "POSITIVE",
    "UNLABELLED",
    "UNWEIGHTED",
    "VALUE_SUMS",
    "WEIGHTED",
    "WEIGHTED_PAIR_SUMS",
    "WEIGHTED_VALUE_SUMS",
    "AnswerCounts",
    "Cells",
    "Coded",
    "PairCells",
    "Parts",
    "Sums",
    "Timeline",
    "ValueBins",
    "ValueCells",
    "WrongAnswers",
    "bin_ids",
    "cells_of_rows",
    "kept",
    "merge",
    "once",
]
