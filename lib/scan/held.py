"""Tables of cells that are held once made, whoever asks: a scan of rows and a file of saved cells answer alike."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from lib.cells import Cells, ValueCells
from lib.errors import SettingsError
from lib.grid import EXACT, Resolution
from lib.scan.facts import Facts
from lib.schema import EVERYTHING, SPLIT, VERSION, Filter
from lib.sources.engine import Run

KEPT_TABLES = 256
KEPT_VALUES = 64
MOST_BINS = 200
"""Into how many bins a value column is cut at most."""


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

    def cells(self, keys: Sequence[str], where: Filter = EVERYTHING, *, finest: Resolution = EXACT) -> Cells:
        """Cells by `keys` (label apart) of the usable rows that pass `where`.

        What is made from rows always has version and split among its keys; fewer keys are added up from that.
        """
        wanted = (tuple(keys), where, finest.name)
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
            while len(self._held) >= KEPT_TABLES:
                self._held.pop(next(iter(self._held)))
            return self._held.setdefault(wanted, made)

    def holds(self, keys: Sequence[str], where: Filter, finest: Resolution = EXACT) -> bool:
        """Whether that table is there already."""
        with self._lock:
            return (tuple(keys), where, finest.name) in self._held

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
        with self._lock:
            held = self._values.get(wanted)
        if held is not None:
            return held
        made = self._make_values(wanted, run)
        if not keep:
            return made
        with self._lock:
            while len(self._values) >= KEPT_VALUES:
                self._values.pop(next(iter(self._values)))
            return self._values.setdefault(wanted, made)

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

    def _make_values(self, query: ValueQuery, run: Run | None) -> ValueCells:
        """Cells of a value column; what holds no rows has none."""
        raise SettingsError(f"Saved cells hold scores, not {query.column}: open the rows themselves for this view.")
