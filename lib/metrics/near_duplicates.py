"""Near duplicates: pairs of rows above a similarity, the groups that they make, and whether a split leaks through them.

Pairs come from lists of neighbours. A list that is full of near duplicates may be cut, and there may be more of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse, special
from scipy.sparse import csgraph

from lib.metrics.estimates import Estimate, FloatArray, IntArray
from lib.metrics.local_scale import chords, local_dimension
from lib.metrics.sample_means import rate_of
from lib.vectors import NO_LABEL, NO_ROW, Distance, NeighbourGraph, Rows

NO_GROUP = -1
NEARBY = 4
"""How many neighbours tell how close rows lie about a place: of more, some are of another class, and far away."""
NO_PAIRS = "there are no pairs"
NO_LABELS = "no pair has labels on both sides"
NO_PARTS = "no pair has a split on both sides"


@dataclass(frozen=True, eq=False)
class NearDuplicates:
    """Pairs of rows that are no further apart than a cut.

    Attributes:
        cut: the distance, that of the graph.
        first, second: shape (p,), the rows of each pair, first < second, each pair once, in their order.
        distances: shape (p,).
        n_rows: how many rows are in some pair; `n_queries` asked.
        n_queries: see `n_rows`.
        n_cut_lists: queries whose list ends below the cut: they may have more.
        group: shape (n,), the group that each row is in, numbered from 0 by its lowest row, or `NO_GROUP`.
        group_sizes: shape (groups,).
        expected: how many queries would have a neighbour within the cut if rows lay as evenly about each place as the
            `NEARBY` nearest do; NaN where lists are too short to say.
        found: how many have.
        p: how often chance has as many, Poisson, counting a pair once; NaN where `expected` is.
    """

    cut: float
    first: Rows
    second: Rows
    distances: FloatArray
    n_rows: int
    n_queries: int
    n_cut_lists: int
    group: IntArray
    group_sizes: IntArray
    expected: float
    found: int
    p: float


@dataclass(frozen=True)
class Leaks:
    """Near duplicates across a split.

    Attributes:
        pairs: share of the pairs whose rows are in different parts.
        rows: how many rows have a near duplicate in another part.
        n: how many rows are in a part.
    """

    pairs: Estimate
    rows: int
    n: int


def near_duplicates(graph: NeighbourGraph, cut: float, n: int) -> NearDuplicates:
    """Pairs at a distance of at most `cut`.

    Args:
        graph: of which both ways count: where each of two rows finds the other, they are one pair.
        cut: a distance of the graph's kind: similarity 0.98 is a cosine distance of 0.02.
        n: how many rows the matrix has.
    """
    near = (graph.distances <= cut) & (graph.rows != NO_ROW)
    query, column = np.nonzero(near)
    one, other = graph.queries[query], graph.rows[query, column].astype(np.int64)
    apart = graph.distances[query, column].astype(np.float64)
    key = np.minimum(one, other) * n + np.maximum(one, other)
    keys, place = np.unique(key, return_index=True)
    first, second = keys // max(n, 1), keys % max(n, 1)
    group, sizes = _groups(first, second, n)
    found, expected = int(near.any(axis=1).sum()), _expected(graph, cut)
    # Two rows find each other: half as many things happen as rows have a near duplicate.
    p = float(special.pdtrc(np.ceil(found / 2) - 1, expected / 2)) if np.isfinite(expected) and found else np.nan
    if np.isfinite(expected) and not found:
        p = 1.0
    return NearDuplicates(
        cut=cut,
        first=first,
        second=second,
        distances=apart[place],
        n_rows=int((group != NO_GROUP).sum()),
        n_queries=len(graph.queries),
        n_cut_lists=int(near[:, -1].sum()) if graph.k else 0,
        group=group,
        group_sizes=sizes,
        expected=expected,
        found=found,
        p=p,
    )


def leaks_across(found: NearDuplicates, split: IntArray) -> Leaks:
    """How many pairs are across parts of a split; `split` has shape (n,), codes from 0, `NO_LABEL` for no part."""
    one, other = split[found.first], split[found.second]
    known = (one != NO_LABEL) & (other != NO_LABEL)
    across = known & (one != other)
    rows = np.unique(np.concatenate([found.first[across], found.second[across]]))
    return Leaks(
        rate_of(across[known], NO_PARTS if len(known) else NO_PAIRS), len(rows), int((split != NO_LABEL).sum())
    )


def precision_of_pairs(found: NearDuplicates, labels: IntArray) -> Estimate:
    """Share of the pairs whose rows have the same label; `labels` has shape (n,), `NO_LABEL` for none."""
    one, other = labels[found.first], labels[found.second]
    known = (one != NO_LABEL) & (other != NO_LABEL)
    return rate_of((one == other)[known], NO_LABELS if len(known) else NO_PAIRS)


def _expected(graph: NeighbourGraph, cut: float) -> float:
    """Σ over queries of P(r₁ ≤ cut | r_k): of k − 1 rows that lie evenly within r_k, some is within the cut."""
    k = min(graph.k, NEARBY)
    dimension = local_dimension(graph, k)
    if not np.isfinite(dimension) or not len(graph.queries):
        return float("nan")
    apart = chords(graph)[:, k - 1]
    # The cut as a chord, as `chords` has it.
    limit = np.sqrt(2 * cut) if graph.distance is Distance.COSINE else cut
    typical = float(np.median(apart[np.isfinite(apart)])) if np.isfinite(apart).any() else float("nan")
    if not np.isfinite(typical):
        return float("nan")
    # A row with so many within the cut is one of duplicates, and no measure of how rows lie.
    reach = np.where(np.isfinite(apart) & (apart > limit), apart, typical)
    inside = np.minimum(limit / np.maximum(reach, 1e-300), 1.0) ** dimension
    return float((1 - (1 - inside) ** (k - 1)).sum())


def _groups(first: Rows, second: Rows, n: int) -> tuple[IntArray, IntArray]:
    graph = sparse.coo_array((np.ones(len(first), np.int8), (first, second)), shape=(n, n))
    _, component = csgraph.connected_components(graph, directed=False)
    count = np.bincount(component)
    member = count[component] > 1
    group = np.full(n, NO_GROUP, np.int64)
    names, start, code, sizes = np.unique(component[member], return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(start)
    rank = np.empty(len(names), np.int64)
    rank[order] = np.arange(len(names))
    group[member] = rank[code]
    return group, sizes[order]
