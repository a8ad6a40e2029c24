"""Tables of cells that are held once made, whoever asks: a scan of rows and a file of saved cells answer alike."""

from __future__ import annotations

import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lib.cells import AnswerCounts, Cells, Coded, Timeline, ValueCells, WrongAnswers
from lib.errors import SettingsError
from lib.grid import COARSE, EXACT, Resolution
from lib.scan.facts import Facts
from lib.scan.features import FeatureCells
from lib.scan.rare import RareValues
from lib.scan.timeline import timeline_of_cells
from lib.schema import CLASS, EVERYTHING, FOLD, PREDICTED, SPLIT, VERSION, WINDOW, Filter, Outside, cohort_key
from lib.sources.engine import Run

MOST_BYTES = 1_200_000_000
"""What the tables of all datasets may take; beyond it those of the filter that was asked for longest ago are let go."""
MOST_BINS = 200
"""Into how many bins a value column is cut at most."""
KEPT_TIMELINES = 2
"""Of one column and filter, those of so many margin targets: a slider passes by many."""


@dataclass(frozen=True)
class ValueQuery:
    """What a table of a value column is of; the fields are the arguments of `HeldTables.value_cells`."""

    column: str
    keys: tuple[str, ...]
    where: Filter
    versions: tuple[str, ...] = ()
    margins: bool = False
    most_bins: int = MOST_BINS
    one_in: int = 1


class HeldTables(ABC):
    """Cells by any keys under any filter, each computed once. Safe to use from several threads."""

    facts: Facts

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._held: dict[tuple[tuple[str, ...], Filter, str], Cells] = {}
        self._values: dict[ValueQuery, ValueCells] = {}
        self._rare: dict[tuple[str, Filter, Outside], RareValues | None] = {}
        self._timelines: dict[tuple[str | None, Filter, float], Timeline | None] = {}
        # The run of the thread that reads, so that its owner can cancel it and nobody else's work.
        self._working = threading.local()

    def n_bytes(self, where: Filter) -> int:
        """What the tables of a filter take, arrays that several share counted once."""
        with self._lock:
            tables: list[object] = [made for (_keys, of, _finest), made in self._held.items() if of == where]
            tables += [made for query, made in self._values.items() if query.where == where]
            tables += [made for (_column, of, _outside), made in self._rare.items() if of == where and made is not None]
            tables += [made for (_column, of, _gamma), made in self._timelines.items() if of == where and made]
        counted: dict[int, int] = {}
        while tables:
            table = tables.pop()
            if id(table) in counted:
                continue
            counted[id(table)] = 0
            for value in list(vars(table).values()):
                if isinstance(value, np.ndarray):
                    counted[id(value)] = value.nbytes
                elif isinstance(value, dict):
                    tables += [part for part in list(value.values()) if isinstance(part, Cells)]
        return sum(counted.values())

    def forget(self, keys: Sequence[str], where: Filter, finest: Resolution = EXACT) -> None:
        """Let go of one table, if it is there."""
        with self._lock:
            self._held.pop((tuple(keys), where, finest.name), None)

    def let_go(self, where: Filter) -> None:
        """Forget the tables of a filter; they are made again when asked for."""
        with self._lock:
            self._held = {key: made for key, made in self._held.items() if key[1] != where}
            self._values = {query: made for query, made in self._values.items() if query.where != where}
            self._rare = {key: made for key, made in self._rare.items() if key[1] != where}
            self._timelines = {key: made for key, made in self._timelines.items() if key[1] != where}

    def cells(self, keys: Sequence[str], where: Filter = EVERYTHING, *, finest: Resolution = EXACT) -> Cells:
        """Cells by `keys` (label apart) of the usable rows that pass `where`.

        What is made from rows always has version and split among its keys; fewer keys are added up from that.
        """
        wanted = (tuple(keys), where, finest.name)
        _use.touch(self, where)
        with self._lock:
            held = self._held.get(wanted)
        if held is not None:
            return held
        whole = tuple(dict.fromkeys((VERSION, SPLIT, *keys)))
        if whole == tuple(keys):
            made = self._make(whole, where, finest)
        else:
            made = self.cells(whole, where, finest=finest).rollup(list(keys))
        with self._lock:
            made = self._held.setdefault(wanted, made)
        _use.bound()
        return made

    def holds(self, keys: Sequence[str], where: Filter, finest: Resolution = EXACT) -> bool:
        """Whether that table is there already; asking keeps it from being let go before others."""
        _use.touch(self, where)
        with self._lock:
            return (tuple(keys), where, finest.name) in self._held

    def answers(self, keys: Sequence[str], where: Filter = EVERYTHING) -> AnswerCounts:
        """What the rows of each of several classes were answered with, by `keys`; counted anew each time.

        Raises:
            SettingsError: no rows can be asked, and no table has these keys.
        """
        cells = self.cells((*keys, CLASS, PREDICTED), where, finest=COARSE)
        n = cells.margins.n.sum(axis=1)
        names = np.array(self.facts.mapping.class_names, dtype=str)
        held = (n > 0) & np.isin(cells.groups[PREDICTED], names)
        own, answer = (np.searchsorted(names, cells.groups[key][held]) for key in (CLASS, PREDICTED))
        coded = {key: Coded.of(cells.groups[key][held]) for key in keys}
        return AnswerCounts(self.facts.mapping.class_names, coded, own, answer, n[held])

    def wrong_answers(
        self, keys: Sequence[str], where: Filter = EVERYTHING, outside: Outside = (), one_in: int = 1
    ) -> WrongAnswers:
        """How many labelled, scored rows are answered wrongly, by any keys; counted anew each time.

        Args:
            keys: any of version, split, window and cohorts, several cohorts too.
            where: which rows.
            outside: parts of them to leave out.
            one_in: only one row in so many.

        Raises:
            SettingsError: no rows can be asked.
        """
        del where, outside, one_in
        raise SettingsError(f"Saved cells have no rows to count by {', '.join(keys)}: open the rows themselves.")

    def read(self, keys: Sequence[str], where: Filter, *, finest: Resolution = EXACT, run: Run | None = None) -> None:
        """Make one table of cells, if it is not there, in a run that its owner can cancel.

        Raises:
            Cancelled: `run` was cancelled.
        """
        self._working.run = run
        try:
            self.cells(keys, where, finest=finest)
        finally:
            self._working.run = None

    @abstractmethod
    def _make(self, keys: tuple[str, ...], where: Filter, finest: Resolution) -> Cells:
        """Cells by keys that include version and split."""

    def value_cells(
        self,
        column: str,
        keys: Sequence[str],
        where: Filter = EVERYTHING,
        *,
        versions: Sequence[str] = (),
        margins: bool = False,
        most_bins: int = MOST_BINS,
        one_in: int = 1,
        run: Run | None = None,
        keep: bool = True,
    ) -> ValueCells:
        """Cells of another value column (a feature, latency or cost; a cohort column by its values) by `keys`.

        Made from rows when first asked for, and held.

        Args:
            column: whose values.
            keys: any of version, split, window, fold and cohorts.
            where: which rows.
            versions: only rows of these; of all where there are none.
            margins: whether to cross with steps of margin, for violation rates at any γ.
            most_bins: into how many bins numbers are cut at most.
            one_in: only one row in so many, for a pass over many columns.
            run: lets its owner cancel.
            keep: whether to hold the table; a pass over many columns keeps what it needs itself.

        Raises:
            SettingsError: no rows can be asked, or there is no such column.
            Cancelled: `run` was cancelled.
        """
        wanted = ValueQuery(column, tuple(keys), where, tuple(versions), margins, most_bins, one_in)
        _use.touch(self, where)
        with self._lock:
            held = self._values.get(wanted)
        if held is not None:
            return held
        made = self._make_values(wanted, run)
        if not keep:
            return made
        with self._lock:
            made = self._values.setdefault(wanted, made)
        _use.bound()
        return made

    def feature_cells(
        self,
        columns: Sequence[str],
        versions: tuple[str, ...],
        where: Filter = EVERYTHING,
        *,
        most_bins: int,
        one_in: int,
        run: Run | None = None,
        on_column: Callable[[str], None] = lambda _column: None,
    ) -> Iterator[FeatureCells]:
        """What a pass over many columns needs of each, in their order; nothing of it is held.

        Args:
            columns: numeric columns, then cohort columns.
            versions: only rows of these; the candidate last.
            where: which rows.
            most_bins: into how many bins numbers are cut at most.
            one_in: only one row in so many.
            run: lets its owner cancel.
            on_column: is told of columns before they are read.

        Raises:
            SettingsError: no rows can be asked, or there is no such column.
            Cancelled: `run` was cancelled.
        """
        for column in columns:
            on_column(column)

            def read(of: tuple[str, ...], keys: tuple[str, ...], *, margins: bool, column: str = column) -> ValueCells:
                return self.value_cells(
                    column,
                    keys,
                    where,
                    versions=of,
                    margins=margins,
                    most_bins=most_bins,
                    one_in=one_in,
                    run=run,
                    keep=False,
                )

            moved = read(versions, (VERSION, SPLIT, WINDOW), margins=False)
            yield FeatureCells(moved, read(versions[-1:], (FOLD,), margins=True))

    def timeline(
        self,
        column: str | None = None,
        where: Filter = EVERYTHING,
        margin_target: float = 1.0,
        *,
        run: Run | None = None,
    ) -> Timeline | None:
        """Counts in short buckets of time, by version and a cohort column, if any; None where no row has a time.

        Made from rows when first asked for, and anew for another margin target: so short a bucket has no table of
        scores. Of saved cells, buckets are as wide as their windows.

        Raises:
            Cancelled: `run` was cancelled.
            SettingsError: saved cells have no table for the filter.
        """
        wanted = column, where, margin_target
        _use.touch(self, where)
        with self._lock:
            if wanted in self._timelines:
                return self._timelines[wanted]
        made = None if self.facts.windows is None else self._make_timeline(column, where, margin_target, run)
        with self._lock:
            others = [key for key in self._timelines if key[:2] == wanted[:2]]
            for key in others[: max(0, len(others) + 1 - KEPT_TIMELINES)]:
                del self._timelines[key]
            made = self._timelines.setdefault(wanted, made)
        _use.bound()
        return made

    def holds_timeline(self, column: str | None, where: Filter, margin_target: float) -> bool:
        """Whether those counts are there already."""
        with self._lock:
            return (column, where, margin_target) in self._timelines

    def _make_timeline(self, column: str | None, where: Filter, margin_target: float, run: Run | None) -> Timeline:
        """Those counts, from the table over windows."""
        del run
        assert self.facts.windows is not None
        keys = (VERSION, *([] if column is None else [cohort_key(column)]), WINDOW)
        cells = self.cells(keys, where, finest=EXACT if column is None else COARSE)
        return timeline_of_cells(cells, column, self.facts.windows, margin_target)

    def holds_values(
        self,
        column: str,
        keys: Sequence[str],
        where: Filter = EVERYTHING,
        *,
        versions: Sequence[str] = (),
        margins: bool = False,
    ) -> bool:
        """Whether that table of a value column is there already."""
        with self._lock:
            return ValueQuery(column, tuple(keys), where, tuple(versions), margins) in self._values

    def rare_values(self, column: str, where: Filter = EVERYTHING, outside: Outside = ()) -> RareValues | None:
        """Sums over each value of a cohort column that its tables gather as one; None where there is no telling apart.

        That is where tables gather nothing, no rows can be asked, or the filter is to one value of the column.

        Args:
            column: the cohort column.
            where: which rows.
            outside: parts of them to leave out.
        """
        wanted = column, where, outside
        _use.touch(self, where)
        with self._lock:
            if wanted in self._rare:
                return self._rare[wanted]
        made = None
        if self.facts.gathered.get(column) and all(each != column for each, _value in where.cohorts):
            made = self._make_rare(column, where, outside)
        with self._lock:
            made = self._rare.setdefault(wanted, made)
        _use.bound()
        return made

    def _make_rare(self, column: str, where: Filter, outside: Outside) -> RareValues | None:
        """Those sums; None where no rows can be asked."""
        del column, where, outside
        return None

    def _make_values(self, query: ValueQuery, run: Run | None) -> ValueCells:
        """Cells of a value column; what holds no rows has none."""
        raise SettingsError(f"Saved cells hold scores, not {query.column}: open the rows themselves for this view.")


class _Use:
    """The filters of all datasets in the order in which their tables were last asked for. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._order: dict[tuple[weakref.ref[HeldTables], Filter], None] = {}

    def touch(self, tables: HeldTables, where: Filter) -> None:
        """Note that the tables of a filter are looked at."""
        wanted = (weakref.ref(tables), where)
        with self._lock:
            self._order.pop(wanted, None)
            self._order[wanted] = None

    def bound(self) -> None:
        """Let go of what was asked for longest ago until the rest fits; what was asked for last always stays."""
        with self._lock:
            latest_first = list(reversed(self._order))
        total = 0
        for place, (held, where) in enumerate(latest_first):
            tables = held()
            total += 0 if tables is None else tables.n_bytes(where)
            if tables is not None and (total <= MOST_BYTES or place == 0):
                continue
            if tables is not None:
                tables.let_go(where)
            with self._lock:
                self._order.pop((held, where), None)


_use = _Use()
