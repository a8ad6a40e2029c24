"""What became of each query between two versions: lost, gained, unchanged, and what displaced the right answers.

A query is answered in a version if a right answer is among its first k rows, of equals the lower rows first. Queries
and rows of two versions are the same where their ids are; queries that one of the versions cannot answer at all are
counted and left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.errors import SettingsError
from lib.metrics.estimates import BoolArray, Estimate, IntArray
from lib.metrics.intervals import mcnemar_p_value, mover, wilson
from lib.metrics.neighbourhoods import Ids, PairedQueries
from lib.metrics.query_means import NO_PAIR, QueryValues
from lib.vectors import NO_ROW, NeighbourGraph


@dataclass(frozen=True, eq=False)
class Displacers:
    """The rows that took the places of right answers.

    Attributes:
        rows: shape (h,), rows of the candidate, the most frequent first, of equals the lower row first.
        counts: shape (h,), how many lost queries each has.
        is_new: shape (h,), whether the baseline has no row of that id.
        n_without: lost queries whose list holds nothing that it did not hold before: the gallery became smaller.
    """

    rows: IntArray
    counts: IntArray
    is_new: BoolArray
    n_without: int

    def share(self, n: int) -> float:
        """Share of lost queries whose displacer is one of the n most frequent, in [0, 1]; NaN if none was lost."""
        total = int(self.counts.sum()) + self.n_without
        return float(self.counts[:n].sum()) / total if total else float("nan")

    def fewest(self, share: float) -> int:
        """How many of the most frequent it takes for that share of the lost queries; all if they do not reach it."""
        total = int(self.counts.sum()) + self.n_without
        reached = np.flatnonzero(np.cumsum(self.counts) >= share * total)
        return int(reached[0]) + 1 if len(reached) else len(self.counts)


@dataclass(frozen=True, eq=False)
class QueryLedger:
    """Paired queries by what became of them.

    Attributes:
        k: the length of the lists.
        first, second: shape (p,), the rows that ask in baseline and candidate.
        was_answered, is_answered: shape (p,), whether a right answer was among the first k, and is.
        displacer: shape (p,), of a lost query the nearest row of its list that it did not hold before; else `NO_ROW`.
        n_unpaired: queries of the baseline without a partner of the same id.
        n_unanswerable: paired queries that have no right answer in one of the galleries.
        change: recall_at_k of the candidate less the baseline's, over paired queries; Newcombe's paired interval.
        p_value: McNemar's, exact, of as many lost as gained.
        displacers: the rows that displaced right answers, rolled up.
    """

    k: int
    first: IntArray
    second: IntArray
    was_answered: BoolArray
    is_answered: BoolArray
    displacer: IntArray
    n_unpaired: int
    n_unanswerable: int
    change: Estimate
    p_value: float
    displacers: Displacers

    @property
    def is_lost(self) -> BoolArray:
        """Shape (p,): answered by the baseline only."""
        return self.was_answered & ~self.is_answered

    @property
    def is_gained(self) -> BoolArray:
        """Shape (p,): answered by the candidate only."""
        return ~self.was_answered & self.is_answered


@dataclass(frozen=True, eq=False)
class LedgerSide:
    """One of the two versions.

    Attributes:
        graph: lists of k rows at least.
        is_right: shape (q, graph.k), which rows of the lists are right answers, as `Relevance.holds` says.
        is_answerable: shape (q,), which queries have a right answer in the gallery.
        ids: shape (n,), of all rows.
    """

    graph: NeighbourGraph
    is_right: BoolArray
    is_answerable: BoolArray
    ids: Ids


def query_ledger(before: LedgerSide, after: LedgerSide, paired: PairedQueries, k: int) -> QueryLedger:
    """Compare what two versions answer to the same queries.

    Raises:
        SettingsError: k is below 1 or above the length of the lists.
    """
    longest = min(before.graph.k, after.graph.k)
    if not 1 <= k <= longest:
        raise SettingsError(f"Lists of {k} cannot be compared: they hold {longest}. Choose a k from 1 to {longest}.")
    able = before.is_answerable[paired.first] & after.is_answerable[paired.second]
    first, second = paired.first[able], paired.second[able]
    was: BoolArray = np.any(before.is_right[first, :k], axis=1)
    now: BoolArray = np.any(after.is_right[second, :k], axis=1)
    displacer = np.full(len(first), NO_ROW, np.int64)
    lost = np.flatnonzero(was & ~now)
    displacer[lost] = _nearest_new(
        before.graph.rows[first[lost], :k], after.graph.rows[second[lost], :k], paired.first_code, paired.second_code
    )
    n_gained = int((now & ~was).sum())
    return QueryLedger(
        k=k,
        first=before.graph.queries[first],
        second=after.graph.queries[second],
        was_answered=was,
        is_answered=now,
        displacer=displacer,
        n_unpaired=paired.n_left_out,
        n_unanswerable=int((~able).sum()),
        change=_change(was, now),
        p_value=float(mcnemar_p_value(n_gained, len(lost))) if len(first) else float("nan"),
        displacers=_roll_up(displacer[lost], paired),
    )


def paired_change(first: QueryValues, second: QueryValues, paired: PairedQueries) -> QueryValues:
    """What each paired query gained or lost in some measure, candidate less baseline; NaN where either is.

    Its mean, by `mean_of_queries` with the reason `NO_PAIR`, is the paired change with its interval.
    """
    values = second.values[paired.second] - first.values[paired.first]
    width = first.highest - first.lowest
    return QueryValues(first.name, first.k, values, -width, width)


def _nearest_new(old: NDArray[np.int32], new: NDArray[np.int32], old_code: IntArray, new_code: IntArray) -> IntArray:
    """The first row of each new list whose id the old list lacks, shape (l,); `NO_ROW` if there is none."""
    before = np.where(old == NO_ROW, -1, old_code[old])
    after = np.where(new == NO_ROW, -2, new_code[new])
    n_codes = int(max(old_code.max(initial=0), new_code.max(initial=0))) + 3
    line = np.arange(len(new))[:, None] * n_codes
    is_new = ~np.isin(after + line + 2, before + line + 2) & (after >= 0)
    at = is_new.argmax(axis=1)[:, None]
    return np.where(is_new.any(axis=1), np.take_along_axis(new, at, axis=1)[:, 0], NO_ROW)


def _roll_up(displacer: IntArray, paired: PairedQueries) -> Displacers:
    rows, counts = np.unique(displacer[displacer != NO_ROW], return_counts=True)
    order = np.lexsort((rows, -counts))
    rows, counts = rows[order], counts[order]
    is_new = ~np.isin(paired.second_code[rows], paired.first_code)
    return Displacers(rows, counts, is_new, int((displacer == NO_ROW).sum()))


def _change(was: BoolArray, now: BoolArray) -> Estimate:
    """The change of a paired rate, with Newcombe's interval (1998b): square-and-add with the correlation of both."""
    n = len(was)
    if not n:
        return Estimate(np.nan, np.nan, np.nan, 0, NO_PAIR)
    rates = float(now.mean()), float(was.mean())
    (a, a_low, a_high), (b, b_low, b_high) = ((rate, *(float(end) for end in wilson(rate, n))) for rate in rates)
    spread = np.sqrt(a * (1 - a) * b * (1 - b))
    correlation = (float((was & now).mean()) - a * b) / spread if spread > 0 else 0.0
    value, lower, upper = mover((a, a_low, a_high), (b, b_low, b_high), correlation)
    return Estimate(float(value), float(lower), float(upper), n)
