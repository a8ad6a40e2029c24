"""What became of the queries that were lost: which rows took their places, and what happened to their right answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.metrics.estimates import IntArray
from lib.metrics.hypotheses.rows import Kind
from lib.metrics.lost_groups import LostGroups, lost_groups
from lib.metrics.neighbourhoods import PairedQueries
from lib.metrics.query_ledger import LedgerSide, QueryLedger, query_ledger
from lib.metrics.relevance import Relevance
from lib.recall_drop.question import Asked, Side
from lib.vectors import NO_ROW, NeighbourGraph, Rows

TOLD_SHARE = 0.5
"""Hubs are told as the fewest rows that took so many of the lost places."""


@dataclass(frozen=True, eq=False)
class LostQueries:
    """The ledger of paired queries, rolled up.

    Attributes:
        ledger: lost, gained and unchanged queries, and who displaced the right answers.
        n_hubs: the fewest rows that took half of the lost places.
        hub_share: what share they took; NaN where no query was lost.
        by_answer: by `Kind` the share of lost queries that had a right answer, among their first k, with that history.
    """

    ledger: QueryLedger
    n_hubs: int
    hub_share: float
    by_answer: dict[Kind, float]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The roll-up in words; none where no query was lost."""
        n = int(self.ledger.is_lost.sum())
        if not n:
            return ()
        hubs = "1 row" if self.n_hubs == 1 else f"{self.n_hubs:,} rows"
        places = "first places" if self.ledger.k == 1 else f"places among the first {self.ledger.k}"
        told = [f"{hubs} took {100 * self.hub_share:.0f} % of the lost {places}."]
        for kind, words in _WORDS.items():
            if self.by_answer[kind] > 0:
                told.append(f"{100 * self.by_answer[kind]:.0f} % of the lost queries had a right answer that {words}.")
        return tuple(told)


_WORDS = {
    Kind.SAME: "still has the vector of the baseline",
    Kind.MISPLACED: "has the vector of another id",
    Kind.OTHER_MODEL: "is of another model than most",
}


def lost_queries(
    asked: Asked, before: NeighbourGraph, after: NeighbourGraph, history: IntArray
) -> tuple[LostQueries, LostGroups]:
    """Roll up the queries that were lost, and group those that lost the same right answers.

    Args:
        asked: two versions.
        before: lists of the baseline.
        after: those of the candidate.
        history: shape (n,), of each row of the candidate the `Kind`, −1 where the baseline has no such id.
    """
    paired = _paired(asked, before, after)
    sides = [_ledger_side(side, graph) for side, graph in ((asked.before, before), (asked.after, after))]
    ledger = query_ledger(sides[0], sides[1], paired, asked.k)
    lost = np.flatnonzero(ledger.is_lost)
    place = np.full(asked.before.vectors.n, NO_ROW, np.int64)
    place[before.queries] = np.arange(len(before.queries))
    at = place[ledger.first[lost]]
    rows, right = before.rows[at, : asked.k], sides[0].is_right[at, : asked.k]
    query, column = np.nonzero(right)
    partner = np.full(asked.before.vectors.n, NO_ROW, np.int64)
    partner[asked.first] = asked.second
    answer = partner[rows[query, column]]
    query, answer = query[answer != NO_ROW], answer[answer != NO_ROW]
    n_hubs = ledger.displacers.fewest(TOLD_SHARE)
    by_answer = {kind: _share(np.unique(query[history[answer] == kind]), len(lost)) for kind in Kind}
    columns = {name: values[ledger.second] for name, values in asked.after.cohorts.items()}
    groups = lost_groups(lost[query], answer, len(ledger.first), columns)
    return LostQueries(ledger, n_hubs, ledger.displacers.share(n_hubs), by_answer), groups


def _share(found: IntArray, n: int) -> float:
    return len(found) / n if n else np.nan


def _ledger_side(side: Side, graph: NeighbourGraph) -> LedgerSide:
    gallery = np.flatnonzero(side.vectors.usable(graph.distance) & side.vectors.is_gallery)
    relevance = Relevance(side.truth, side.vectors.n, gallery)
    is_right = relevance.holds(graph.queries, graph.rows.astype(np.int64))
    return LedgerSide(graph, is_right, relevance.count(graph.queries) > 0, side.vectors.ids)


def _paired(asked: Asked, before: NeighbourGraph, after: NeighbourGraph) -> PairedQueries:
    """Queries that are in both, by the rows that are the same."""
    n, m = asked.before.vectors.n, asked.after.vectors.n
    first_code, second_code = np.arange(n), np.arange(n, n + m)
    second_code[asked.second] = asked.first
    partner = np.full(n, NO_ROW, np.int64)
    partner[asked.first] = asked.second
    place = np.full(m + 1, NO_ROW, np.int64)
    place[after.queries] = np.arange(len(after.queries))
    found: Rows = place[partner[before.queries]]
    there = np.flatnonzero(found != NO_ROW)
    return PairedQueries(there, found[there], len(before.queries) - len(there), first_code, second_code)
