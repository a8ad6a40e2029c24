"""What was computed from a table of cells, kept as long as the table is."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar
from weakref import WeakKeyDictionary

from lib.cells.table import Cells

T = TypeVar("T")

_KEPT: WeakKeyDictionary[Cells, dict[Hashable, object]] = WeakKeyDictionary()


def once(cells: Cells, wanted: Hashable, compute: Callable[[], T]) -> T:
    """The result of `compute`, which is called for a table and a name the first time only."""
    held = _KEPT.setdefault(cells, {})
    if wanted not in held:
        held[wanted] = compute()
    return held[wanted]  # type: ignore[return-value]


def kept(cells: Cells, wanted: Hashable) -> object:
    """What `once` has computed for a table under that name; None where it has not been asked yet."""
    return _KEPT.get(cells, {}).get(wanted)
