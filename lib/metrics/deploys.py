"""Deploys and rollbacks along time: which there were, what each changed, and whether a rollback restored the rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lib.cells import Timeline
from lib.metrics.estimates import Estimate, FloatArray, IntArray
from lib.metrics.intervals import mover
from lib.metrics.onset import DAY, Change, rate_between

Kind = Literal["deploy", "rollback"]
Restored = Literal["yes", "no", "undecided", "no rise"]

ROWS_PER_BLOCK = 20
"""So many rows on average tell which version is served: buckets are taken together until they have them."""
LEAST_BLOCKS = 3
"""A version that has the most rows in fewer blocks in a row has not taken over."""
MOST_BESIDE = 0.2
"""With a larger share of rows beside the version that has most of them, versions stand side by side."""
AROUND = 7 * DAY
"""How far before and after a deploy is looked, at most: one stretch for what it did and for what its rollback undid."""
MOST_APART = 2 * DAY
"""No change belongs to a deploy that is farther from it."""
RESTORED = 0.2
"""A rate is restored when surely at most so much of its rise is left."""


@dataclass(frozen=True)
class Deploy:
    """A version that took over at a time.

    Attributes:
        at: epoch second.
        name: the version, or what a list calls it.
        kind: a version that has served before comes back with a rollback.
    """

    at: int
    name: str
    kind: Kind


def find_deploys(timeline: Timeline) -> tuple[Deploy, ...]:
    """The times at which another version has the most rows from then on, to a bucket; none with one version.

    Where versions stand side by side most of the time none takes over from another, and there is no such time.
    """
    rows = np.stack([timeline.series("n", version=each) for each in timeline.versions])
    blocks = _blocks(rows)
    if len(timeline.versions) < 2 or not rows.sum() or are_beside(rows):
        return ()
    held = np.flatnonzero(blocks.sum(axis=0))
    most = blocks[:, held].argmax(axis=0)
    runs: list[tuple[int, int, int]] = []
    begin = 0
    for end in [*(np.flatnonzero(np.diff(most)) + 1).tolist(), len(most)]:
        last = int(held[end - 1])
        if runs and runs[-1][0] == most[begin]:
            runs[-1] = (*runs[-1][:2], last)
        elif end - begin >= LEAST_BLOCKS:
            runs.append((int(most[begin]), int(held[begin]), last))
        begin = end
    size = -(-rows.shape[1] // blocks.shape[1])
    seen: set[int] = set()
    found: list[Deploy] = []
    for place, (version, first, _last) in enumerate(runs):
        if place:
            old, _first, last = runs[place - 1]
            bucket = _taken_over(rows[old], rows[version], last * size, (first + 1) * size)
            kind: Kind = "rollback" if version in seen else "deploy"
            found.append(Deploy(int(timeline.edges[bucket]), timeline.versions[version], kind))
        seen.add(version)
    return tuple(found)


def _blocks(rows: FloatArray) -> FloatArray:
    """The rows of each version in blocks of buckets that have twenty rows on average."""
    n_versions, n_buckets = rows.shape
    size = max(1, min(int(np.ceil(ROWS_PER_BLOCK * n_buckets / max(rows.sum(), 1.0))), n_buckets))
    padded = np.pad(rows, ((0, 0), (0, -n_buckets % size)))
    return padded.reshape(n_versions, -1, size).sum(axis=2)


def _taken_over(old: FloatArray, new: FloatArray, start: int, end: int) -> int:
    """The first bucket of the new version, from where on it has most rows and before which the old one has."""
    ahead = np.concatenate([[0.0], np.cumsum(new[start:end] - old[start:end])])
    cut = start + int(len(ahead) - 1 - np.argmin(ahead[::-1]))
    return cut + int(np.argmax(new[cut:] > 0))


def are_beside(rows: FloatArray) -> bool:
    """Whether several versions have rows at the same times: more than a fifth beside those of the leading one.

    Args:
        rows: shape (versions, buckets).
    """
    total = rows.sum()
    return bool(total) and float(_blocks(rows).max(axis=0).sum()) < (1 - MOST_BESIDE) * total


@dataclass(frozen=True)
class Around:
    """A rate on both sides of a deploy: up to a week each, not beyond another one.

    Attributes:
        deploy: which.
        before, after: the rates.
        change: after − before, with its interval.
    """

    deploy: Deploy
    before: Estimate
    after: Estimate
    change: Estimate

    @property
    def is_sure(self) -> bool:
        """Whether the interval of the change leaves out zero."""
        return self.change.is_defined and (self.change.lower > 0 or self.change.upper < 0)


def difference(later: Estimate, earlier: Estimate) -> Estimate:
    """Later − earlier of two rates of different rows, with Newcombe's interval; undefined where one of them is."""
    for each in (earlier, later):
        if not each.is_defined:
            return Estimate(math.nan, math.nan, math.nan, min(later.n, earlier.n), each.reason)
    value, lower, upper = mover((later.value, later.lower, later.upper), (earlier.value, earlier.lower, earlier.upper))
    return Estimate(float(value), float(lower), float(upper), min(later.n, earlier.n))


def around_deploys(hits: FloatArray, n: FloatArray, edges: IntArray, deploys: Sequence[Deploy]) -> tuple[Around, ...]:
    """The rates before and after each deploy, in the order of time."""
    times = [-math.inf, *(each.at for each in deploys), math.inf]
    found: list[Around] = []
    for place, deploy in enumerate(deploys):
        before = rate_between(hits, n, edges, max(times[place], deploy.at - AROUND), deploy.at)
        after = rate_between(hits, n, edges, deploy.at, min(times[place + 2], deploy.at + AROUND))
        found.append(Around(deploy, before, after, difference(after, before)))
    return tuple(found)


@dataclass(frozen=True)
class Recovery:
    """What a deploy did to a rate, and what was left of it after the rollback.

    Attributes:
        deploy, rollback: which.
        before, during, after: the rates up to a week before the one, between both, and up to a week after the other.
        rise: during − before.
        left: after − before.
        restored: "yes" where surely at most a fifth of the rise is left, "no" where surely more is; "no rise" where the
            rate did not surely rise.
    """

    deploy: Deploy
    rollback: Deploy
    before: Estimate
    during: Estimate
    after: Estimate
    rise: Estimate
    left: Estimate
    restored: Restored

    @property
    def share_gone(self) -> float:
        """How much of the rise is gone, 1 being all of it; NaN where there was none."""
        return 1 - self.left.value / self.rise.value if self.restored != "no rise" else math.nan

    @property
    def share_gone_interval(self) -> tuple[float, float]:
        """Between what `share_gone` lies: from the interval of what is left, the rise taken as it was measured.

        `restored` is "yes" where both ends are 80 % or more, and "no" where neither is. NaN without a rise, or a rate
        after the rollback.
        """
        if self.restored == "no rise":
            return math.nan, math.nan
        return 1 - self.left.upper / self.rise.value, 1 - self.left.lower / self.rise.value


def find_recoveries(
    hits: FloatArray, n: FloatArray, edges: IntArray, deploys: Sequence[Deploy]
) -> tuple[Recovery, ...]:
    """For each rollback that follows a deploy directly, whether it restored the rate."""
    found: list[Recovery] = []
    times = [-math.inf, *(each.at for each in deploys), math.inf]
    for place in range(1, len(deploys)):
        deploy, rollback = deploys[place - 1], deploys[place]
        if deploy.kind != "deploy" or rollback.kind != "rollback":
            continue
        before = rate_between(hits, n, edges, max(times[place - 1], deploy.at - AROUND), deploy.at)
        during = rate_between(hits, n, edges, deploy.at, rollback.at)
        after = rate_between(hits, n, edges, rollback.at, min(times[place + 2], rollback.at + AROUND))
        rise, left = difference(during, before), difference(after, before)
        found.append(Recovery(deploy, rollback, before, during, after, rise, left, _restored(rise, left)))
    return tuple(found)


def _restored(rise: Estimate, left: Estimate) -> Restored:
    if not rise.is_defined or not rise.lower > 0:
        return "no rise"
    if not left.is_defined:
        return "undecided"
    bound = RESTORED * rise.value
    return "yes" if left.upper <= bound else "no" if left.lower > bound else "undecided"


def match_deploy(change: Change, deploys: Sequence[Deploy], slack: int = 0) -> Deploy | None:
    """The deploy nearest to a change, of those within its interval and `slack` seconds on either side; None without.

    Nor is one more than two days away: an interval of a week holds what has nothing to do with the change.
    """
    near = [each for each in deploys if change.lower - slack <= each.at <= change.upper + slack]
    near = [each for each in near if abs(each.at - change.at) <= MOST_APART]
    return min(near, key=lambda each: abs(each.at - change.at), default=None)
