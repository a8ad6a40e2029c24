"""Rows that somebody has picked: whether they are near each other in the original space."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lib.vectors import NO_ROW, NeighbourGraph, Rows


@dataclass(frozen=True)
class Togetherness:
    """How far the neighbours of some rows are among them.

    Attributes:
        inside: share of the k nearest of these rows that are among them, in [0, 1]; NaN where none of them asked.
        by_chance: the share to expect if neighbours were drawn from all rows that can be found.
        n: how many of the rows asked.
        k: how many nearest.
    """

    inside: float
    by_chance: float
    n: int
    k: int


def togetherness(graph: NeighbourGraph, rows: Rows, k: int) -> Togetherness:
    """Whether picked rows are one group in truth.

    Args:
        graph: lists of k rows at least.
        rows: shape (s,), the rows that were picked.
        k: how much of each list is looked at.
    """
    asked = np.isin(graph.queries, rows)
    near = graph.rows[asked, :k]
    there = near != NO_ROW
    found = np.unique(graph.rows[graph.rows != NO_ROW])
    others = max(len(found) - 1, 1)
    picked = max(int(np.isin(found, rows).sum()) - 1, 0)
    inside = float(np.isin(near[there], rows).mean()) if there.any() else math.nan
    return Togetherness(inside, picked / others, int(asked.sum()), k)
