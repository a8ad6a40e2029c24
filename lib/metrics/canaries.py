"""Canaries: a version that serves a small part of the rows for a while before it takes over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lib.cells import Timeline
from lib.metrics.deploys import ROWS_PER_BLOCK, Deploy
from lib.metrics.estimates import FloatArray, IntArray
from lib.metrics.onset import HOUR, find_changes

LEAST_SHARE, MOST_SHARE = 0.01, 0.5
"""Of the rows, with which a version serves beside another. One with less may be rows with a wrong time."""
LEAST_TIME = 6 * HOUR
"""What is over sooner is a cut-over that takes its time."""


@dataclass(frozen=True)
class Canary:
    """A version that served a part of the rows before it took over.

    Attributes:
        at: epoch second from which on it did, the edge of a bucket.
        until: epoch second at which it took over: when it was deployed.
        name: the version.
        share: of all rows between the two, from 1 % to 50 %.
        n: its rows between the two.
    """

    at: int
    until: int
    name: str
    share: float
    n: int


def find_canaries(timeline: Timeline, deploys: Sequence[Deploy]) -> tuple[Canary, ...]:
    """The canaries before deploys, in the order of these.

    Changes of the share of the version's rows divide the time before its deploy into stretches of one share
    (`find_changes`). A canary is those in a row up to the deploy whose share is from 1 % to 50 %, where one of them
    lasts for six hours or longer, with twenty rows at least. Where a version has such a share from the first row of
    the log on, nothing tells that it began: versions stand side by side.

    Args:
        timeline: of all rows.
        deploys: of versions and rollbacks; only those of a version that is in the timeline can have one.
    """
    found: list[Canary] = []
    n, edges = timeline.series("n"), timeline.edges
    for deploy in deploys:
        if deploy.kind != "deploy":
            continue
        own, end = timeline.series("n", version=deploy.name), int(np.searchsorted(edges, deploy.at))
        start = _began(own[:end], n[:end], edges[: end + 1], len(deploys))
        rows, of = float(own[start:end].sum()), float(n[start:end].sum())
        if rows >= ROWS_PER_BLOCK:
            found.append(Canary(int(edges[start]), deploy.at, deploy.name, rows / of, int(rows)))
    return tuple(found)


def _began(own: FloatArray, n: FloatArray, edges: IntArray, n_parts: int) -> int:
    """The bucket at which a canary began that ends with the last bucket; the number of buckets where there is none."""
    none = len(n)
    if not own.any():
        return none
    changes = find_changes(own, n, edges, np.full(none, own.sum() / n.sum()), n_parts)
    cuts = [0, *(int(np.searchsorted(edges, each.at)) for each in changes), none]
    start, is_long = none, False
    for first, last in reversed(list(pairwise(cuts))):
        share = own[first:last].sum() / n[first:last].sum()
        if not LEAST_SHARE <= share <= MOST_SHARE:
            return start if is_long and share < LEAST_SHARE else none
        start, is_long = first, is_long or edges[last] - edges[first] >= LEAST_TIME
    return none
