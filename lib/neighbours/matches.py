"""Where right answers stand in the whole ranking of each query, which lists of neighbours alone do not say.

What a graph's lists settle is read from them. For other queries all exact distances are worked out, in blocks, and
sorted; where that would take too long, for a sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lib.errors import SettingsError
from lib.metrics.ranked_matches import RankedMatches, Rankings, Tied, Worked, tied_at, work_out
from lib.metrics.relevance import Relevance
from lib.neighbours.graph import DISTANCES_AT_ONCE, Report
from lib.neighbours.space import Space, blocks
from lib.vectors import NO_ROW, Flags, NeighbourGraph, Rows, Truth, Vectors

PAIRS = 1_000_000_000
"""So many distances are worked out and sorted, which takes about twenty seconds."""
LISTS_AT_ONCE = 4_096
SEED = 0


def compute_matches(
    vectors: Vectors, truth: Truth, graph: NeighbourGraph, ks: tuple[int, ...], report: Report
) -> RankedMatches:
    """Rank the right answers of every query, or of a sample of them by label.

    Args:
        vectors: the vectors that the graph is of.
        truth: which rows are right answers; those that are not in the gallery, or not usable, cannot be found and
            are not counted.
        graph: of these vectors.
        ks: lengths of lists, ascending, none longer than the graph's.
        report: told between blocks; what it raises ends the work.

    Raises:
        SettingsError: a k is below 1 or above the graph's, or they are not ascending.
    """
    _check(ks, graph)
    space = Space(vectors, graph.distance)
    relevance = Relevance(truth, vectors.n, space.gallery)
    queries = graph.queries
    n_relevant = relevance.count(queries)
    n_gallery = len(space.gallery) - np.isin(queries, space.gallery, assume_unique=True)
    made = _Made(len(queries), ks)
    settled = np.zeros((len(queries), len(ks) + 2), np.bool_)
    for at in blocks(np.arange(len(queries)), LISTS_AT_ONCE):
        report(0.1 * at[0] / len(queries), "Reading lists of neighbours")
        rankings, settled[at] = _listed(graph, at, relevance, n_gallery[at], n_relevant[at], ks)
        made.put(at, work_out(rankings, n_gallery[at], n_relevant[at], ks))
    settled[n_relevant == 0] = True
    open_ = ~settled.all(axis=1)
    in_sample = _drawn(relevance.strata(queries), PAIRS / max(1, int(open_.sum()) * len(space.firsts)))
    ranked = np.flatnonzero(open_ & in_sample)
    done = 0
    for at in blocks(ranked, max(1, DISTANCES_AT_ONCE // max(1, len(space.firsts)))):
        report(0.1 + 0.9 * done / len(ranked), "Ranking the gallery")
        rankings = _ranked(space, queries[at], relevance, n_gallery[at], ks)
        made.put(at, work_out(rankings, n_gallery[at], n_relevant[at], ks))
        done += len(at)
    unknown: Flags = np.any(~settled[~in_sample], axis=0)
    made.forget(~in_sample, unknown)
    made.forget(n_relevant == 0, np.ones(len(ks) + 2, np.bool_))
    return RankedMatches(queries, n_gallery, n_relevant, ks, **made.columns, in_sample=in_sample)


def _check(ks: tuple[int, ...], graph: NeighbourGraph) -> None:
    if not ks or min(ks) < 1 or list(ks) != sorted(set(ks)):
        raise SettingsError(
            f"Lists of {', '.join(map(str, ks)) or 'no length'} were asked for; name lengths from 1 up."
        )
    if ks[-1] > graph.k:
        raise SettingsError(f"Lists of {ks[-1]} were asked for, and the neighbours hold {graph.k}; ask for fewer.")


class _Made:
    """The columns while they are filled. Their kinds, in the order of `settled`: each k, the first match, up to R."""

    def __init__(self, n: int, ks: tuple[int, ...]) -> None:
        wide = {name: np.full((n, len(ks)), np.nan) for name in ("matches", "hit")}
        names = ("nearer", "ties", "matching", "r_precision", "average_precision_at_r")
        self.columns: dict[str, Any] = wide | {name: np.full(n, np.nan) for name in names}

    def put(self, at: Rows, worked: Worked) -> None:
        for name, column in self.columns.items():
            column[at] = getattr(worked, name)

    def forget(self, rows: Flags, kinds: Flags) -> None:
        for name in ("matches", "hit"):
            self.columns[name][np.ix_(rows, kinds[:-2])] = np.nan
        of_first, of_r = ("nearer", "ties", "matching"), ("r_precision", "average_precision_at_r")
        for name in (*(of_first if kinds[-2] else ()), *(of_r if kinds[-1] else ())):
            self.columns[name][rows] = np.nan


def _listed(
    graph: NeighbourGraph,
    at: Rows,
    relevance: Relevance,
    n_gallery: Rows,
    n_relevant: Rows,
    ks: tuple[int, ...],
) -> tuple[Rankings, Flags]:
    """Rankings as far as lists go, and what they settle, shape (b, len(ks) + 2): each k, the first match, up to R.

    The rows at the last distance of a list may go on behind it, unless it holds the whole gallery.
    """
    rows, distances = graph.rows[at].astype(np.int64), graph.distances[at]
    is_right = relevance.holds(graph.queries[at], rows)
    place = np.arange(graph.k)
    begins = np.ones(rows.shape, np.bool_)
    begins[:, 1:] = distances[:, 1:] != distances[:, :-1]
    nearer = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    ends = np.where(np.roll(begins, -1, axis=1), place + 1, graph.k)
    ends[:, -1] = graph.k
    ends = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    ends = np.minimum(ends, (rows != NO_ROW).sum(axis=1)[:, None])
    found = np.zeros((len(at), graph.k + 1), np.int64)
    found[:, 1:] = np.cumsum(is_right, axis=1)
    matched: Rows = np.take_along_axis(found, nearer, axis=1)
    matching = np.take_along_axis(found, ends, axis=1) - matched
    all_ = Tied(nearer, ends - nearer, matched, matching)

    query, column = np.nonzero(is_right)
    limits = np.minimum(np.column_stack([*(np.full(len(at), k) for k in ks), n_relevant]), n_gallery[:, None])
    last = np.clip(limits - 1, 0, graph.k - 1)
    index = np.arange(len(at))[:, None]
    is_whole = n_gallery <= graph.k
    is_inside = distances < distances[:, -1:]
    first = is_right.argmax(axis=1)[:, None]
    is_settled = is_inside[index, last] & (limits <= graph.k)
    is_found = is_inside[index, first] & is_right[index, first]
    settled = np.column_stack([is_settled[:, :-1], is_found, is_settled[:, -1]]) | is_whole[:, None]
    taken = (query, column), (index, last)
    answers, edges = (Tied(all_.nearer[p], all_.ties[p], all_.matched[p], all_.matching[p]) for p in taken)
    return Rankings(query, answers, edges), settled


def _ranked(space: Space, queries: Rows, relevance: Relevance, n_gallery: Rows, ks: tuple[int, ...]) -> Rankings:
    """Rankings from the distances to the whole gallery."""
    to_points = space.to_points(queries)
    answers: list[Tied] = []
    edges: list[Tied] = []
    for distances, row, n in zip(to_points, queries, n_gallery, strict=True):
        places = relevance.places(row)
        relevant = np.sort(distances[space.point[places]])
        to_rows = distances[space.point]
        own = np.searchsorted(space.gallery, row)
        if n < len(to_rows):
            to_rows[own] = np.inf
        to_rows.sort()
        limits = np.minimum([*ks, len(relevant)], n)
        answers.append(tied_at(to_rows, relevant, relevant))
        edges.append(tied_at(to_rows, relevant, to_rows[limits - 1]))
    query = np.repeat(np.arange(len(queries)), [len(each.nearer) for each in answers])
    return Rankings(query, _joined(answers, np.concatenate), _joined(edges, np.stack))


def _joined(parts: list[Tied], join: Any) -> Tied:
    return Tied(*(join([getattr(part, name) for part in parts]) for name in ("nearer", "ties", "matched", "matching")))


def _drawn(strata: Rows, share: float) -> Flags:
    """Which queries are drawn: each with the same chance, of each stratum as many as its share, to within one."""
    drawn = np.ones(len(strata), np.bool_)
    if share >= 1:
        return drawn
    generator = np.random.default_rng(SEED)
    order = np.lexsort((generator.random(len(strata)), strata))
    steps = np.floor(np.arange(len(strata)) * share + generator.random())
    drawn[order] = np.diff(steps, prepend=steps[0] - (generator.random() < share)) > 0
    return drawn
