"""Whether the same rows are near each other in two versions: the Jaccard overlap of their k nearest neighbours.

Neighbours are compared by id, which no rotation, scaling or shift of a version changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lib.errors import SettingsError
from lib.metrics.estimates import FloatArray, IntArray
from lib.metrics.query_means import QueryValues
from lib.vectors import NO_ROW, NeighbourGraph

Ids = NDArray[np.str_] | NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class PairedQueries:
    """Queries that are in both versions, by ids that neither repeats.

    Attributes:
        first, second: shape (p,), places among the queries of either graph, in the order of the first.
        n_left_out: how many queries of the first have no partner, or an id that is repeated.
        first_code, second_code: shapes (n,) and (m,), a number for each row's id, the same in both versions.
    """

    first: IntArray
    second: IntArray
    n_left_out: int
    first_code: IntArray
    second_code: IntArray


def pair_queries(first: NeighbourGraph, second: NeighbourGraph, first_ids: Ids, second_ids: Ids) -> PairedQueries:
    """Find the queries of two versions that have the same id.

    Args:
        first: the baseline's graph.
        second: the candidate's.
        first_ids: shape (n,), the ids of all rows of the baseline.
        second_ids: shape (m,), those of the candidate.
    """
    _ids, codes = np.unique(np.concatenate([first_ids, second_ids]).astype(np.str_), return_inverse=True)
    a, b = codes[: len(first_ids)].astype(np.int64), codes[len(first_ids) :].astype(np.int64)
    is_single = (np.bincount(a, minlength=len(_ids)) == 1) & (np.bincount(b, minlength=len(_ids)) == 1)
    place = np.full(len(_ids), -1, np.int64)
    place[b[second.queries]] = np.arange(len(second.queries))
    partner = np.where(is_single[a[first.queries]], place[a[first.queries]], -1)
    there = np.flatnonzero(partner >= 0)
    return PairedQueries(there, partner[there], len(first.queries) - len(there), a, b)


def neighbourhood_overlap(first: NeighbourGraph, second: NeighbourGraph, paired: PairedQueries, k: int) -> QueryValues:
    """|A ∩ B|/|A ∪ B| of the k nearest of each paired query in the two versions, in [0, 1].

    A neighbour that is in one version only is in the union alone. NaN where both lists are empty.

    Args:
        first: lists of k rows at least.
        second: the same of the other version.
        paired: the queries that are in both.
        k: how many neighbours.

    Returns:
        Shape (p,), by paired query.

    Raises:
        SettingsError: k is below 1 or above the length of the lists.
    """
    longest = min(first.k, second.k)
    if not 1 <= k <= longest:
        raise SettingsError(f"Lists of {k} cannot be compared: they hold {longest}. Choose a k from 1 to {longest}.")
    here = _keys(first.rows[paired.first, :k], paired.first_code)
    there = _keys(second.rows[paired.second, :k], paired.second_code)
    # Along a line the rows of both, sorted: what is in both stands twice. Absent rows differ from everything.
    both = np.sort(np.concatenate([here, there], axis=1), axis=1)
    shared = ((both[:, 1:] == both[:, :-1]) & (both[:, 1:] >= 0)).sum(axis=1)
    union = (both >= 0).sum(axis=1) - shared
    values = np.divide(shared, union, out=np.full(len(union), np.nan), where=union > 0)
    return QueryValues("neighbourhood_overlap", k, values)


def _keys(rows: IntArray | NDArray[np.int32], code: IntArray) -> IntArray:
    """The ids of rows as codes, each once along a line; −1 for absent rows and repeats."""
    keys = np.sort(np.where(rows == NO_ROW, -1, code[rows]), axis=1)
    keys[:, 1:][keys[:, 1:] == keys[:, :-1]] = -1
    return keys


def overlap_floor(n_gallery: int, k: int) -> float:
    """The overlap to expect of two versions that have nothing in common: of two random sets of k of n_gallery − 1 rows.

    The mean of j/(2k − j), j hypergeometric. 1 where k is the whole gallery, NaN without one.
    """
    n = n_gallery - 1
    size = min(k, n)
    if size < 1:
        return float("nan")
    j = np.arange(max(0, 2 * size - n), size + 1)
    log_share = _log_choose(size, j) + _log_choose(n - size, size - j) - _log_choose(n, np.array(size))
    return float((np.exp(log_share) * j / (2 * size - j)).sum())


def _log_choose(n: int, k: IntArray) -> FloatArray:
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
