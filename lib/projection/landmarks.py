"""Landmarks: of very many rows a sample is laid out, and the others are placed between the nearest of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lib.vectors import NO_ROW, Flags, NeighbourGraph

LAID_OUT_WHOLE = 200_000
"""Up to so many rows all are laid out among each other."""
LANDMARKS = 50_000
PLACED_BY = 5
"""How many of its nearest landmarks a row is placed between."""


def choose_landmarks(usable: Flags, count: int, seed: int) -> Flags:
    """A random sample of rows that can be used, shape (n,); all of them if there are no more than `count`."""
    found = np.flatnonzero(usable)
    chosen = np.zeros(len(usable), bool)
    chosen[found if len(found) <= count else np.random.default_rng(seed).choice(found, count, replace=False)] = True
    return chosen


def place_between(coordinates: NDArray[np.float32], graph: NeighbourGraph) -> None:
    """Give each row without a place the mean of its nearest landmarks', the nearer the more."""
    absent = np.isnan(coordinates[graph.queries, 0])
    rows, distances = graph.rows[absent, :PLACED_BY], graph.distances[absent, :PLACED_BY].astype(np.float64)
    there = rows != NO_ROW
    there[there] = np.isfinite(coordinates[rows[there], 0])
    nearest = np.where(there, distances, np.inf).min(axis=1, keepdims=True)
    widths = np.where(there, distances, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.nan_to_num(np.nanmean(widths - nearest, axis=1, keepdims=True), nan=0.0) if len(rows) else nearest
        shares = np.where(there, np.exp(-(distances - nearest) / np.where(scale > 0, scale, 1.0)), 0.0)
        shares /= shares.sum(axis=1, keepdims=True)
    around = np.where(there[..., None], coordinates[np.where(there, rows, 0)], 0.0)
    # A row without any landmark stays without a place.
    middle = np.where(there.any(axis=1)[:, None], (shares[..., None] * around).sum(axis=1), np.nan)
    coordinates[graph.queries[absent]] = middle
