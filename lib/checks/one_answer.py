"""H-F7 of several classes: parts in which nearly all rows get one answer, whatever their class.

Scores that are the same for every row have another margin in each class, so it is the answer that is looked at. A part
whose rows nearly all are of one class is rightly answered with it: what counts is how much more often a class is
answered there than its rows are of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib.checks import words
from lib.checks.answered import Answered
from lib.checks.blocks import Axes, Block, FloatArray, IntArray, Place, where_of
from lib.checks.exchanges import find_exchanges
from lib.checks.permutations import added
from lib.checks.result import ALARM_RATE, Finding, Status
from lib.checks.search import Found, find_parts, widened
from lib.checks.shares import HITS, ROWS, HigherShare, usual_share
from lib.metrics.intervals import wilson

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_SHARE, LEAST_EXCESS = 0.8, 0.3
LEAST_ROWS = 30
MAX_SUSPECTS = 5
SUSPICIOUS_ROWS = 15


@dataclass(frozen=True)
class OneAnswer(HigherShare):
    """The rule: a class is answered more often than in the rest, and more often than the rows are of it."""

    name: int = 0
    tables: dict[str | None, Answered] | None = None

    def confirm(self, block: Block, place: Place) -> bool:
        """The part has not so many rows of that class."""
        table = (self.tables or {})[block.column]
        kept = table.inside(place) & block.alive[tuple(table.at.T)]
        crossed = table.crossed(kept)
        return bool(crossed[:, self.name].sum() - crossed[self.name].sum() >= LEAST_EXCESS * crossed.sum())


def find_one_answers(diagnosis: Diagnosis, collapsed: list[Place]) -> list[tuple[Found, int]]:
    """Parts with one answer, and the place of that class among the names: of all versions, cohorts and windows.

    Those that are `collapsed` already, and exchanged ones, are left out.
    """
    exchanges = find_exchanges(diagnosis)
    if exchanges.reason or exchanges.everything is not None:
        return []
    tables: dict[str | None, Answered] = {each.frame.column: each for each in exchanges.answered}
    taken = [*collapsed, *(widened(each.found.place, len(exchanges.axes.windows)) for each in exchanges.found)]
    found: list[tuple[Found, int]] = []
    for name in _suspects(exchanges.answered):
        blocks = [each.block(np.stack([each.n * (each.answer == name), each.n], axis=1)) for each in tables.values()]
        rule = OneAnswer(usual_share(blocks[0]), LEAST_EXCESS, LEAST_SHARE, LEAST_ROWS, name=name, tables=tables)
        places = [*taken, *(each.place for each, _name in found)]
        parts = find_parts(blocks, exchanges.axes, rule, ALARM_RATE / exchanges.answered[0].size, places)
        found += [(each, name) for each in parts]
    return found


def _suspects(tables: list[Answered]) -> list[int]:
    """Classes that most rows of some groups are answered with, by version and value, over time and window by window."""
    most: dict[int, float] = {}
    for table in tables:
        windows = table.frame.alive.shape[2]
        by_value = np.ravel_multi_index(tuple(table.at[:, :2].T), table.frame.alive.shape[:2])
        by_window: IntArray = by_value * windows + table.at[:, 2]
        for group in (np.asarray(by_value, np.int64), by_window):
            kinds, hits = added(group * table.size + table.answer, table.n)
            groups, rows = added(group, table.n)
            own, of_own = added(group * table.size + table.own, table.n)
            of_class = dict(zip(own.tolist(), of_own.tolist(), strict=True))
            total = rows[np.searchsorted(groups, kinds // table.size)]
            many = np.flatnonzero((total >= 3) & (hits >= LEAST_SHARE * total))
            held: FloatArray = np.zeros(table.size)
            for each in many:
                if hits[each] - of_class.get(int(kinds[each]), 0.0) >= LEAST_EXCESS * total[each]:
                    held[kinds[each] % table.size] += hits[each]
            for name in np.flatnonzero(held >= SUSPICIOUS_ROWS):
                most[int(name)] = max(float(held[name]), most.get(int(name), 0.0))
    return sorted(most, key=lambda each: -most[each])[:MAX_SUSPECTS]


def one_answer_finding(found: Found, name: str, axes: Axes) -> Finding:
    """The failure of a part with one answer."""
    n, share = float(found.unit[ROWS]), float(found.unit[HITS] / found.unit[ROWS])
    rest = float(found.rest[HITS] / found.rest[ROWS])
    low, high = wilson(share, n)
    version = None if found.place.version is None else axes.versions[found.place.version]
    where = where_of(found.place, found.block, axes, found.extent)
    return Finding(
        Status.FAIL,
        version,
        where,
        f"One answer, {words.shorten(name, words.LONGEST)}, is given to {words.percent(share)} of rows"
        f"{words.place(version, where, axes.facts)} ({words.percent(rest)} elsewhere, n = {words.count(n)})",
        {
            "n": int(n),
            "answer": name,
            "share": share,
            "share_ci": [float(low), float(high)],
            "share_elsewhere": rest,
            "p_adjusted": found.p,
            "n_parts": int(found.trials),
            "consequences": [],
        },
        found.gain,
    )
