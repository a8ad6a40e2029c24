"""Neighbours where exact ones take too long: an inverted file, searched as widely as a measured recall asks for.

faiss divides the points into parts by k-means and looks, for each query, in the parts whose centres are nearest. An
inverted file is made in seconds where a graph index (HNSW) takes minutes, and its recall rises with one number: how
many parts are looked into. That number is doubled until the lists of queries drawn at random hold `RECALL` of what
exact lists of the same queries hold.
"""

from __future__ import annotations

import faiss
import numpy as np

from lib.neighbours.graph import DISTANCES_AT_ONCE, QUERIES_AT_ONCE, Lists, Report
from lib.neighbours.space import blocks
from lib.vectors import NO_ROW, Distance, Matrix, Rows

RECALL = 0.99
MEASURED = 400
FIRST_PROBES, WIDEST = 8, 0.25
"""Into how many parts it is looked at first, and into what share of all at most."""
TRAINING_PER_PART, ROUNDS = 20, 3
"""Of k-means. Parts need not be the best: how widely is searched follows from what they hold."""
SEED = 0


def search_in_parts(lists: Lists, report: Report) -> tuple[float, int]:
    """Fill all lists, approximately.

    Returns:
        The recall of the lists, ties counted as right, and by how many queries it was measured.
    """
    space = lists.space
    report(0.0, "Dividing the space")
    points = space.coordinates(space.firsts)
    index = _divided(points, space.distance)
    report(0.1, "Measuring how widely to search")
    asked = np.sort(np.random.default_rng(SEED).permutation(len(space.queries))[:MEASURED])
    exact = Lists(space, lists.k)
    exact.search(asked, points)
    index.nprobe = min(FIRST_PROBES, index.nlist)
    while True:
        _search(lists, index, asked)
        recall = _recall(lists, exact, asked)
        if recall >= RECALL or index.nprobe >= WIDEST * index.nlist:
            break
        index.nprobe *= 2
    for rows in blocks(np.arange(len(space.queries)), QUERIES_AT_ONCE):
        report(0.2 + 0.8 * rows[0] / len(space.queries), "Searching for neighbours")
        _search(lists, index, rows)
    return recall, len(asked)


def _divided(points: Matrix, distance: Distance) -> faiss.IndexIVFFlat:
    is_cosine = distance is Distance.COSINE
    metric = faiss.METRIC_INNER_PRODUCT if is_cosine else faiss.METRIC_L2
    n_parts = max(1, min(int(4 * np.sqrt(len(points))), len(points) // TRAINING_PER_PART))
    coarse = faiss.IndexFlat(points.shape[1], metric)
    index = faiss.IndexIVFFlat(coarse, points.shape[1], n_parts, metric)
    index.cp.max_points_per_centroid, index.cp.min_points_per_centroid = TRAINING_PER_PART, 1
    index.cp.niter = ROUNDS
    index.train(points)
    index.add(points)
    return index


def _search(lists: Lists, index: faiss.IndexIVFFlat, asked: Rows) -> None:
    space = lists.space
    rows = space.queries[asked]
    width = min(lists.k + 1, len(space.firsts))
    found = index.search(space.coordinates(rows), width)[1]
    is_there = found >= 0
    distances = space.between(rows, space.firsts[np.where(is_there, found, 0)])
    lists.clear(asked)
    lists.fill(asked, np.where(is_there, found, 0), np.where(is_there, distances, np.inf).astype(np.float32))
    if len(space.gallery) > lists.k:
        short = asked[lists.graph().rows[asked, -1] == NO_ROW]
        for some in blocks(short, max(1, DISTANCES_AT_ONCE // len(space.firsts))):
            lists.search_exactly(some)


def _recall(lists: Lists, exact: Lists, asked: Rows) -> float:
    """Share of the places in lists whose row is as near as the last of the exact list."""
    true, made = exact.graph().distances[asked], lists.graph().distances[asked]
    is_there = np.isfinite(true)
    last = np.max(true, axis=1, where=is_there, initial=-1.0)
    return float((made <= last[:, None])[is_there].mean()) if is_there.any() else 1.0
