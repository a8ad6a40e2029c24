"""UMAP from a graph of neighbours that is there already: all rows among each other, or landmarks and the rest by them.

McInnes, Healy and Melville, "UMAP", arXiv:1802.03426. Neighbours are given, so nothing is searched here; the start is
the plane of principal components or an earlier map, so nothing is decomposed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import scipy.optimize
import scipy.sparse
from numpy.typing import NDArray

from lib.errors import SettingsError, UndefinedError
from lib.projection.epochs import compute_forces, move_points
from lib.projection.landmarks import place_between
from lib.projection.membership import compute_weights
from lib.projection.settings import Layout, LayoutSettings, Method
from lib.vectors import NO_ROW, Flags, NeighbourGraph

Report = Callable[[float, str], None]
Points = NDArray[np.float32]

FEW_ROWS = 10_000
EPOCHS_OF_FEW, EPOCHS_OF_MANY = 500, 200
"""Epochs up to 10,000 rows, and beyond; umap-learn's."""
PARTS_OF_THREAD = 4
START_SPREAD = 2.0
STEP_FROM_MAP = 0.25
"""The first step where a map begins from another one, elsewhere 1: what is alike stays where it was, and what is not
still finds its place (docs/decisions.md)."""
NOISE = 1e-3
"""Rows with equal vectors start this far apart, or they could never part."""


def lay_out(
    graph: NeighbourGraph,
    start: Points,
    settings: LayoutSettings,
    report: Report,
    landmarks: Flags | None = None,
    *,
    from_map: bool = False,
) -> Layout:
    """Lay out the rows of a graph.

    Args:
        graph: of at least `settings.n_neighbors` − 1 neighbours. With landmarks, of all rows with the landmarks alone
            as gallery.
        start: shape (n, 2), where points begin: principal components, or an earlier map. A row without (NaN)
            begins in the middle of its neighbours.
        settings: what is asked for.
        report: told how far it is.
        landmarks: shape (n,), the rows that are laid out among each other, the others being placed between the
            nearest of them; without, all are laid out.
        from_map: whether `start` is a map, which is kept in size and moved by shorter steps.

    Returns:
        A layout in which a row that is nobody's neighbour and has none is NaN.

    Raises:
        SettingsError: the graph is of another distance, or has too few neighbours.
        UndefinedError: no row has a neighbour.
    """
    began = time.perf_counter()
    if graph.distance is not settings.distance:
        raise SettingsError(
            f"The neighbours are by {graph.distance} distance, the map is asked for by {settings.distance}."
        )
    k = settings.n_neighbors - 1
    if graph.k < k:
        raise SettingsError(f"The map is asked for with {settings.n_neighbors} neighbours; there are {graph.k + 1}.")
    rows, distances, queries = graph.rows[:, :k], graph.distances[:, :k], graph.queries
    if not (rows != NO_ROW).any():
        raise UndefinedError("No row has a neighbour, so there is nothing that a map could keep together.")
    report(0.0, "Weighing neighbours")
    n = len(start)
    if landmarks is None:
        weights = compute_weights(rows, distances, queries, n)
    else:
        among = landmarks[queries]
        weights = compute_weights(rows[among], distances[among], queries[among], n)
    coordinates = _lay_out_weights(weights, start, settings, report, from_map=from_map)
    if landmarks is not None:
        report(1.0, "Placing the other rows")
        place_between(coordinates, graph)
    n_landmarks = 0 if landmarks is None else int(np.count_nonzero(landmarks))
    return Layout(coordinates, Method.UMAP, settings, n_landmarks, time.perf_counter() - began)


def _lay_out_weights(
    weights: scipy.sparse.csr_matrix, start: Points, settings: LayoutSettings, report: Report, *, from_map: bool
) -> Points:
    """Where the rows of a graph come to lie, shape (n, 2); NaN for those without an edge."""
    placed = np.flatnonzero(np.diff(weights.indptr))
    inner = scipy.sparse.csr_matrix(weights[placed])[:, placed] if len(placed) < len(start) else weights
    points = _begin(start[placed], inner, settings.seed, from_map=from_map)
    coordinates = np.full((len(start), 2), np.nan, np.float32)
    coordinates[placed] = _run_epochs(points, inner, settings, report, STEP_FROM_MAP if from_map else 1.0)
    return coordinates


def fit_curve(min_dist: float) -> tuple[float, float]:
    """Give a and b with 1/(1 + a·d^(2b)) nearest to a curve: 1 up to `min_dist`, then e^−(d − min_dist)."""
    places = np.linspace(0.0, 3.0, 300)
    wanted = np.where(places < min_dist, 1.0, np.exp(min_dist - places))
    (a, b), _errors = scipy.optimize.curve_fit(lambda d, a, b: 1 / (1 + a * d ** (2 * b)), places, wanted)
    return float(a), float(b)


def _begin(start: Points, weights: scipy.sparse.csr_matrix, seed: int, *, from_map: bool) -> Points:
    """Starting points, all known, no two the same; of a given spread where they are no map."""
    known: Flags = np.asarray(np.isfinite(start).all(axis=1))
    centre = start[known].mean(axis=0, dtype=np.float64) if known.any() else np.zeros(2)
    own = float(start[known].std(axis=0, dtype=np.float64).max()) if known.any() else 0.0
    points = np.where(known[:, np.newaxis], start - centre, 0.0)
    if not known.all():
        pulled = weights[~known].multiply(known)
        total = np.asarray(pulled.sum(axis=1)).ravel()
        points[~known] = (pulled @ points) / np.maximum(total, 1e-12)[:, None]
    if not from_map:
        points *= START_SPREAD / own if own > 0 else 0.0
    return (points + np.random.default_rng(seed).normal(scale=NOISE, size=points.shape)).astype(np.float32)


def _run_epochs(
    points: Points, weights: scipy.sparse.csr_matrix, settings: LayoutSettings, report: Report, first_step: float
) -> Points:
    """Where points come to stand; those given are overwritten."""
    epochs = EPOCHS_OF_FEW if len(points) <= FEW_ROWS else EPOCHS_OF_MANY
    pull, push = compute_forces(*fit_curve(settings.min_dist))
    rates = weights.data / weights.data.max()
    # What would pull less than once in all epochs does not.
    starts, others, rates = _without(weights, rates < 1 / epochs, rates)
    before, after = points, np.empty_like(points)
    n_threads = os.cpu_count() or 1
    # Several parts for each thread: points have unlike numbers of edges.
    bounds = np.linspace(0, len(points), PARTS_OF_THREAD * n_threads + 1).astype(int).tolist()
    with ThreadPoolExecutor(n_threads) as threads:
        for epoch in range(epochs):
            report(epoch / epochs, "Laying out the map")
            step = first_step * (1 - epoch / epochs)
            given = (starts, others, rates, pull, push, epoch, step, settings.seed)
            parts = [threads.submit(move_points, before, after, *ends, *given) for ends in pairwise(bounds)]
            for part in parts:
                part.result()
            before, after = after, before
    return before


def _without(
    weights: scipy.sparse.csr_matrix, dropped: Flags, rates: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    kept = ~dropped
    starts = np.concatenate([[0], np.cumsum(kept)])[weights.indptr].astype(np.int32)
    return starts, weights.indices[kept].astype(np.int32), rates[kept].astype(np.float32)
