"""Queries that lost the same neighbours, in groups, and the metadata that each group shares.

A group is made around the right answer that most of the remaining queries lost, and holds all of these; groups that
share most of their queries never arise, for a query is in the first that takes it. What a group shares is what is more
frequent in it than among all other queries, by Fisher's exact test, corrected for all groups, columns and values
(Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lib.metrics.estimates import IntArray
from lib.metrics.intervals import benjamini_hochberg, excess_p_value

LEAST_QUERIES = 3
MOST_GROUPS = 50
LEVEL = 0.01


@dataclass(frozen=True)
class SharedValue:
    """A value of a column that is more frequent in a group than among all other queries.

    Attributes:
        column, value: which.
        n: queries of the group that have it.
        share, rest: how frequent it is in the group and among all others, in [0, 1].
        p_adjusted: Benjamini–Hochberg over everything that was tried.
    """

    column: str
    value: str
    n: int
    share: float
    rest: float
    p_adjusted: float


@dataclass(frozen=True, eq=False)
class LostGroup:
    """Queries that lost the same right answer.

    Attributes:
        queries: shape (g,), places among the queries, ascending.
        answers: shape (a,), the right answers that most of them lost, the most frequent first.
        counts: shape (a,), how many of them lost each.
        shared: what they share, the surest first.
    """

    queries: IntArray
    answers: IntArray
    counts: IntArray
    shared: tuple[SharedValue, ...]


@dataclass(frozen=True, eq=False)
class LostGroups:
    """All groups, the largest first, and what the lost queries share as a whole.

    Attributes:
        groups: at most `MOST_GROUPS`, of `LEAST_QUERIES` queries at least.
        shared: what all lost queries share, against those that were not lost.
        n_lost: lost queries.
        n_grouped: those that are in a group.
    """

    groups: tuple[LostGroup, ...]
    shared: tuple[SharedValue, ...]
    n_lost: int
    n_grouped: int


def lost_groups(query: IntArray, answer: IntArray, n_queries: int, columns: dict[str, NDArray[np.str_]]) -> LostGroups:
    """Group the queries that were lost.

    Args:
        query: shape (e,), the place of a lost query, and
        answer: shape (e,), the row of a right answer that was among its first k and is no more; each pair once.
        n_queries: how many queries there are, lost or not.
        columns: by name the value of each query, shape (n_queries,).
    """
    lost = np.unique(query)
    groups = _grouped(query, answer)
    sets = [lost, *(each for each, _answers, _counts in groups)]
    found = _shared(sets, n_queries, columns)
    made = tuple(
        LostGroup(each, answers, counts, shared)
        for (each, answers, counts), shared in zip(groups, found[1:], strict=True)
    )
    return LostGroups(made, found[0], len(lost), int(sum(len(each.queries) for each in made)))


def _grouped(query: IntArray, answer: IntArray) -> list[tuple[IntArray, IntArray, IntArray]]:
    groups: list[tuple[IntArray, IntArray, IntArray]] = []
    rows, code = np.unique(answer, return_inverse=True)
    left = np.ones(len(query), np.bool_)
    while len(groups) < MOST_GROUPS and left.any():
        counts = np.bincount(code[left], minlength=len(rows))
        best = int(counts.argmax())
        if counts[best] < LEAST_QUERIES:
            break
        members = np.unique(query[left & (code == best)])
        inside = np.isin(query, members)
        held = np.bincount(code[inside], minlength=len(rows))
        order = np.argsort(-held, kind="stable")
        order = order[held[order] * 2 >= len(members)]
        groups.append((members, rows[order], held[order]))
        left &= ~inside
    return sorted(groups, key=lambda each: (-len(each[0]), int(each[0][0])))


def _shared(
    sets: list[IntArray], n_queries: int, columns: dict[str, NDArray[np.str_]]
) -> list[tuple[SharedValue, ...]]:
    tried: list[tuple[int, str, str, int, float, float, float]] = []
    for column, values in columns.items():
        kinds, code = np.unique(values, return_inverse=True)
        whole = np.bincount(code, minlength=len(kinds))
        for place, members in enumerate(sets):
            own = np.bincount(code[members], minlength=len(kinds))
            n, others = len(members), n_queries - len(members)
            p = excess_p_value(own, n, whole - own, others)
            for at in np.flatnonzero((own > 0) & np.isfinite(p)):
                rest = float(whole[at] - own[at]) / others
                tried.append((place, column, str(kinds[at]), int(own[at]), float(own[at]) / n, rest, float(p[at])))
    adjusted = benjamini_hochberg([each[-1] for each in tried])
    found: list[list[SharedValue]] = [[] for _each in sets]
    for (place, column, value, n, share, rest, _p), q in zip(tried, adjusted.tolist(), strict=True):
        if q < LEVEL and n > 1:
            found[place].append(SharedValue(column, value, n, share, rest, q))
    return [tuple(sorted(each, key=lambda one: (one.p_adjusted, one.column, one.value))) for each in found]


def shared_values(members: IntArray, n: int, columns: dict[str, NDArray[np.str_]]) -> tuple[SharedValue, ...]:
    """What some of n rows share: values that are more frequent among them than among all others, the surest first.

    Args:
        members: shape (m,), places among the n rows, fewer than all.
        n: how many rows there are.
        columns: by name the value of each row, shape (n,).
    """
    return _shared([members], n, columns)[0]
