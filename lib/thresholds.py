"""Thresholds of the versions of a dataset under a filter: what depends on no other setting.

What is read from cells is kept as long as they are; the margin target plays no part in it.
"""

from __future__ import annotations

import numpy as np

from lib.cells import Cells, once
from lib.metrics.threshold_choice import Choice, choose, fold_decisions
from lib.metrics.threshold_cohorts import EqualRecall, equalise_recall
from lib.metrics.threshold_intervals import Rule
from lib.metrics.thresholds import Costs, Decisions
from lib.scan.held import HeldTables
from lib.scan.windows import DAY
from lib.schema import FOLD, NO_WINDOW, ONE_VS_REST, VERSION, WINDOW, Filter, cohort_key

DECLARED = (
    Rule("precision", 0.9),
    Rule("recall", 0.9),
    Rule("flagged_share", 0.05),
    Rule("cost", costs=Costs(false_positive=1.0, false_negative=5.0)),
)
"""What a report chooses thresholds by."""


class Thresholds:
    """Decisions of each version at every threshold, and thresholds that are chosen for it."""

    def __init__(self, tables: HeldTables, where: Filter, of_class: str = "") -> None:
        """Of the rows that pass a filter; of several classes, of one against the rest."""
        self.tables, self.where, self.of_class = tables, where, of_class
        mapping = tables.facts.mapping
        self.is_probability = mapping.score_kind.is_probabilistic
        self._keys = (VERSION, ONE_VS_REST) if mapping.is_multiclass else (VERSION,)

    def decisions(self, version: str) -> Decisions:
        """The scored rows of a version above each threshold."""
        cells = self._cells()
        return once(cells, ("thresholds", version, self.of_class), lambda: Decisions.of(self._part(cells, version)))

    def choice(self, version: str, rule: Rule) -> Choice:
        """A threshold for a version, judged on other rows; reads the table by fold if it is not held."""
        cells = self._cells(FOLD)

        def compute() -> Choice:
            return choose(self.decisions(version), fold_decisions(self._part(cells, version)), rule)

        return once(cells, ("thresholds", version, self.of_class, rule), compute)

    def equal_recall(self, version: str, column: str, recall: float) -> EqualRecall:
        """A threshold for each value of a cohort column; reads the table by cohort and fold if it is not held."""
        key = cohort_key(column)
        by_fold, whole = self._cells(key, FOLD), self._cells(key)

        def compute() -> EqualRecall:
            cells, apart = self._part(whole, version), self._part(by_fold, version)
            folds: list[int] = np.unique(apart.groups[FOLD]).tolist()
            values: list[str] = cells.groups[key].tolist()
            pairs = zip(apart.groups[key].tolist(), apart.groups[FOLD].tolist(), strict=True)
            group = {pair: at for at, pair in enumerate(pairs)}
            none = Decisions.of(apart.where(np.zeros(apart.n_groups, np.bool_)))

            def part(value: str, fold: int) -> Decisions:
                return Decisions.of(apart, group[value, fold]) if (value, fold) in group else none

            return equalise_recall(
                self.decisions(version),
                {value: Decisions.of(cells, at) for at, value in enumerate(values)},
                {value: [part(value, fold) for fold in folds] for value in values},
                recall,
            )

        return once(by_fold, ("equal recall", version, self.of_class, recall), compute)

    def share_of_flags(self, version: str, a_day: float) -> float:
        """The share of scored rows that so many flags a day are, over the days in which the version has rows."""
        n = float(self.decisions(version).whole.n.sum())
        grid = self.tables.facts.windows
        if grid is None or not n:
            return 0.0
        groups = self.tables.cells((VERSION, WINDOW), self.where).groups
        windows = int(((groups[VERSION] == version) & (groups[WINDOW] != NO_WINDOW)).sum())
        return min(a_day * windows * grid.width / DAY / n, 1.0)

    def fold_tables(self, column: str = "") -> tuple[tuple[str, ...], ...]:
        """The keys of the tables that choices read, and equal recall over a cohort column: they are read on demand."""
        return (*self._keys, FOLD), *([(*self._keys, cohort_key(column), FOLD)] if column else [])

    def _cells(self, *keys: str) -> Cells:
        return self.tables.cells((*self._keys, *keys), self.where)

    def _part(self, cells: Cells, version: str) -> Cells:
        keep = cells.groups[VERSION] == version
        if ONE_VS_REST in self._keys:
            keep = keep & (cells.groups[ONE_VS_REST] == self.of_class)
        return cells.where(keep)
