"""Tables of cells that are held once made, whoever asks: a scan of rows and a file of saved cells answer alike."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence

from lib.cells import Cells
from lib.grid import EXACT, Resolution
from lib.scan.facts import Facts
from lib.schema import EVERYTHING, SPLIT, VERSION, Filter

KEPT_TABLES = 256


class HeldTables(ABC):
    """Cells by any keys under any filter, each computed once. Safe to use from several threads."""

    facts: Facts

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._held: dict[tuple[tuple[str, ...], Filter, str], Cells] = {}

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
