"""UMAP from a graph of neighbours that is there already: all rows among each other, or landmarks and the rest by them.

McInnes, Healy and Melville, "UMAP", arXiv:1802.03426. Neighbours are given, so nothing is searched here; the start is
the plane of principal components or an earlier map, so nothing is decomposed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.optimize
import scipy.sparse
from numpy.typing import NDArray

from lib.errors import SettingsError, UndefinedError
from lib.projection.epochs import TURNS, bounds_of_quarters, compute_forces, move_points, order_by_quarter, split_edges
from lib.projection.landmarks import place_between
from lib.projection.membership import compute_weights
from lib.projection.settings import Layout, LayoutSettings, Method
from lib.vectors import NO_ROW, Flags, NeighbourGraph

Report = Callable[[float, str], None]
Points = NDArray[np.float32]

FEW_ROWS = 10_000
EPOCHS_OF_FEW, EPOCHS_OF_MANY = 500, 200
"""Epochs up to 10,000 rows, and beyond; umap-learn's."""
START_SPREAD = 2.0
FIRST_STEP, FIRST_STEP_FROM_MAP = 0.5, 0.25
"""How long steps are in the first epoch. Begun from another map, what is alike stays where it was, and what is not
finds its place all the same (docs/decisions.md)."""
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
    coordinates[placed] = _run_epochs(points, inner, settings, report, FIRST_STEP_FROM_MAP if from_map else FIRST_STEP)
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
    """Where points come to stand."""
    epochs = EPOCHS_OF_FEW if len(points) <= FEW_ROWS else EPOCHS_OF_MANY
    pull, push = compute_forces(*fit_curve(settings.min_dist))
    order = order_by_quarter(points[:, 0])
    moved = points[order]
    # What would pull less than once in all epochs does not.
    edges = split_edges(scipy.sparse.csr_matrix(weights[order][:, order]), 1 / epochs)
    bounds = bounds_of_quarters(len(points)).tolist()

    def move(quarters: tuple[int, int], seen: Points, epoch: int, turn: int) -> None:
        each = edges[turn]
        step, count = first_step * (1 - epoch / epochs), epoch * len(TURNS) + turn
        for quarter in quarters:
            ends = bounds[quarter], bounds[quarter + 1]
            given = (each.starts, each.others, each.rates, pull, push, epoch, count, step, settings.seed)
            move_points(moved, seen, *ends, *given)

    with ThreadPoolExecutor(len(TURNS[0])) as threads:
        for epoch in range(epochs):
            report(epoch / epochs, "Laying out the map")
            for turn, pairs in enumerate(TURNS):
                seen = moved.copy()
                for done in [threads.submit(move, pair, seen, epoch, turn) for pair in pairs]:
                    done.result()
    placed = np.empty_like(moved)
    placed[order] = moved
    return placed
