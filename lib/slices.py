"""The search for the worst slices of a version: passes over its rows, of which sums are kept, and what they say.

What was found is remembered for the last few questions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

from lib.metrics.slice_choice import shortlist
from lib.metrics.slice_sums import OverlapSums, SliceSums
from lib.metrics.slices import SliceSearch, compare_with, confirm
from lib.scan.scan import Scan
from lib.scan.slices import LABEL_OF, CodedColumn, Outcome, SliceRows, code_columns, read_coded
from lib.schema import EVERYTHING, Filter
from lib.sources import Run

KEPT_SEARCHES = 12
AT_FIRST = 8
"""So many columns are searched unless others are chosen: the cohort columns first."""
MOST_COLUMNS = 12
"""Of more columns there would be too many slices of three to be told from chance."""
MOST_VALUES = 50_000_000
"""Of so many values, rows times columns, all are read; of more a sample of rows is."""
RATES: tuple[Outcome, ...] = ("violation_rate", "error_rate", "miss_rate", "false_positive_rate")
USES_MARGIN_TARGET: tuple[Outcome, ...] = ("violation_rate", "average_hinge_loss")

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class SliceQuery:
    """What is asked.

    Attributes:
        version: whose rows.
        columns: cohort columns and numeric features, one to `MOST_COLUMNS`.
        outcome: what may be worse.
        depth: of how many columns at once, one to three.
        margin_target: γ; it changes violations and hinge loss only.
        where: the filter.
        baseline: whose excess each slice is compared with; "" for none.
    """

    version: str
    columns: tuple[str, ...]
    outcome: Outcome = "violation_rate"
    depth: int = 3
    margin_target: float = 1.0
    where: Filter = EVERYTHING
    baseline: str = ""

    @property
    def is_rate(self) -> bool:
        """Whether the outcome is a share of rows."""
        return self.outcome in RATES

    @property
    def label(self) -> int | None:
        """The label of the rows that are searched; None where it may be either."""
        return LABEL_OF.get(self.outcome)


@dataclass(frozen=True, eq=False)
class SliceAnswer:
    """What was found, in one row of so many."""

    query: SliceQuery
    search: SliceSearch
    one_in: int


_HELD: WeakKeyDictionary[Scan, dict[SliceQuery, SliceAnswer]] = WeakKeyDictionary()


def held_slices(scan: Scan, query: SliceQuery) -> SliceAnswer | None:
    """What was found when somebody asked the same before; None where nobody did."""
    return _HELD.get(scan, {}).get(query)


def search_slices(
    scan: Scan, query: SliceQuery, *, run: Run | None = None, on_progress: Progress | None = None
) -> SliceAnswer:
    """Search the rows of a version for its worst slices, unless that is held.

    Raises:
        Cancelled: `run` was cancelled; nothing is held.
        SettingsError: no file has one of the columns.
    """
    held = _HELD.setdefault(scan, {})
    if query in held:
        return held[query]
    work, report = run or Run(), on_progress or (lambda _share, _words: None)
    one_in = max(1, math.ceil(scan.facts.n_rows * len(query.columns) / MOST_VALUES))
    rows = SliceRows(query.version, query.outcome, query.margin_target, query.where, one_in)
    report(0.0, "Cutting the columns")
    columns = code_columns(scan, rows, query.columns, work)
    weighted = scan.prepared.weighted
    sums = SliceSums([column.searched for column in columns], query.depth, weighted=weighted)
    _add(sums, scan, rows, columns, work, lambda share: report(0.6 * share, "Adding up slices"))
    report(0.6, "Exploring one half")
    found = shortlist(sums)
    work.check()
    overlaps = OverlapSums(found.places, weighted=weighted)
    if found.places:
        _add(overlaps, scan, rows, columns, work, lambda share: report(0.7 + 0.2 * share, "Comparing slices"))
    report(0.9, "Confirming on the other half")
    search = confirm(sums, overlaps, found.n_looked, is_rate=query.is_rate)
    if query.baseline and search.slices:
        before = OverlapSums([each.place for each in search.slices], weighted=weighted)
        rows = replace(rows, version=query.baseline)
        _add(before, scan, rows, columns, work, lambda share: report(0.9 + 0.1 * share, "Comparing with the baseline"))
        search = compare_with(search, before, is_rate=query.is_rate)
    answer = SliceAnswer(query, search, one_in)
    while len(held) >= KEPT_SEARCHES:
        held.pop(next(iter(held)))
    return held.setdefault(query, answer)


def _add(
    sums: SliceSums | OverlapSums,
    scan: Scan,
    rows: SliceRows,
    columns: list[CodedColumn],
    run: Run,
    report: Callable[[float], None],
) -> None:
    """Add the rows up, telling which share of all has been read."""
    n = 0
    for batch in read_coded(scan, rows, columns, run):
        sums.add(batch)
        n += len(batch.outcome)
        report(min(1.0, n * rows.one_in / max(scan.facts.n_rows, 1)))
