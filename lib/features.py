"""The pass over all features: how each moved between two versions, and what the candidate's violations lie along.

What it gives is remembered for the last few choices of versions and filter. γ does not enter: what it moves is kept by
fold, piece and step of margin.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from lib.metrics.explained import FoldTable
from lib.metrics.feature_counts import FeatureCounts
from lib.metrics.feature_drift import FeatureDrift, adjust, measure_drift
from lib.scan.held import HeldTables
from lib.schema import Filter
from lib.sources import Run

KEPT_FEATURES = 4
RANKED_BINS = 40
"""Into how many bins a feature is cut where all are compared."""
MOST_VALUES = 50_000_000
"""Of so many values, rows times features, all are read where features are compared; of more a sample of rows is."""
ALARM_RATE = 0.01
"""How often anything at all may be said to have moved in a file in which nothing has."""


@dataclass(frozen=True, eq=False)
class FeatureTables:
    """What one pass over the features of two versions gave.

    Attributes:
        drifts: how each moved, in the order of the columns.
        folds: of each the candidate's rows by fold, piece and step of margin.
        one_in: one row in so many was read.
    """

    drifts: tuple[FeatureDrift, ...]
    folds: tuple[FoldTable, ...]
    one_in: int


_HELD: WeakKeyDictionary[HeldTables, dict[tuple[tuple[str, ...], Filter], FeatureTables]] = WeakKeyDictionary()


def held_features(tables: HeldTables, versions: tuple[str, ...], where: Filter) -> FeatureTables | None:
    """What was read of the features of these versions and rows; None before somebody had them read."""
    return _HELD.get(tables, {}).get((versions, where))


def read_features(
    tables: HeldTables,
    columns: Sequence[str],
    versions: tuple[str, ...],
    where: Filter,
    *,
    run: Run | None = None,
    on_progress: Callable[[float, str], None] | None = None,
) -> FeatureTables:
    """Read all features, of very many values those of a sample of rows, and hold what they give for every γ.

    Args:
        tables: the dataset.
        columns: the numeric features, then the cohort columns.
        versions: baseline and candidate, once each, the candidate last.
        where: which rows.
        run: lets its owner cancel.
        on_progress: is told how far it is, and of which column.

    Raises:
        Cancelled: `run` was cancelled; nothing is held.
        SettingsError: there are no rows to ask.
    """
    facts = tables.facts
    one_in = max(1, math.ceil(facts.n_rows * len(columns) / MOST_VALUES))
    width = 0 if facts.windows is None else facts.windows.width

    def report(column: str) -> None:
        if on_progress is not None:
            on_progress(columns.index(column) / len(columns), f"Comparing {column}")

    drifts: list[FeatureDrift] = []
    folds: list[FoldTable] = []
    for cells in tables.feature_cells(
        columns, versions, where, most_bins=RANKED_BINS, one_in=one_in, run=run, on_column=report
    ):
        counts = FeatureCounts.of(cells.moved, versions, facts.splits, width)
        drifts.append(measure_drift(counts, ALARM_RATE / len(columns)))
        folds.append(FoldTable.of(cells.folds))
    made = FeatureTables(tuple(adjust(drifts)), tuple(folds), one_in)
    held = _HELD.setdefault(tables, {})
    while len(held) >= KEPT_FEATURES:
        held.pop(next(iter(held)))
    return held.setdefault((versions, where), made)
