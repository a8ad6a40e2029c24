"""Which parts of the data are faulty: the fewest and coarsest that explain what is seen.

A part is a version, a cohort value, a run of adjacent windows, or several of these together, in one version or in
all. Every rule (reversed scores, shrunken margins …) gives each cell of version × value × window a gain: the log
likelihood ratio, in nats, of the fault being there against its not being there. Right cells have a negative one, so
the part with the largest gain is the one that holds the fault and little else: a wholly faulty version gains more as
a whole than any of its cohorts, a cohort that is faulty for three days gains more than the version it drags down.
What a part costs to say (one value of many, one run of many) is taken off, as in minimum description length. The best
part that passes the rule's test is taken out and the search starts again.

The run of windows with the largest gain is found for all values at once by Kadane's algorithm: a scan statistic
(Kulldorff 1997). Tests are Bonferroni-corrected over every part that was scanned, all runs included.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lib.checks.blocks import Axes, Block, BoolArray, FloatArray, IntArray, Place
from lib.checks.rare import RareSearch
from lib.checks.separation import part_of

MAX_FOUND = 20
MIN_ROWS = 20
SPILT = 0.02
"""A version with no larger share of a part's rows only spilt a few into it."""


class Rule(Protocol):
    """What makes a part faulty. Moments are additive statistics, the last axis theirs.

    `within` says that a run of a cohort must also stand out from the other windows of that cohort: a cohort that is
    unlike others all the time has no run that is faulty.
    """

    @property
    def within(self) -> bool:
        """Whether runs are compared with their own cohort too."""
        ...

    def size(self, moments: FloatArray) -> FloatArray:
        """How many rows count, shape without the last axis."""
        ...

    def gain(self, moments: FloatArray) -> FloatArray:
        """Additive gain of small cells, by which runs are located."""
        ...

    def total_gain(self, unit: FloatArray, rest: FloatArray) -> FloatArray:
        """The gain of whole parts, by which they are compared."""
        ...

    def p_value(self, unit: FloatArray, rest: FloatArray, runs: FloatArray, trials: float) -> FloatArray:
        """Adjusted p that a part is faulty; 1 where the effect is too small to matter.

        Args:
            unit: shape (C, F).
            rest: shape (C, F), what it is compared with.
            runs: shape (C,), how many runs were scanned within the series of each part.
            trials: how many parts were scanned in all.
        """
        ...

    def confirm(self, block: Block, place: Place) -> bool:
        """A last look at one part, for what is too dear to do for all."""
        ...


@dataclass(frozen=True, eq=False)
class Found:
    """One faulty part.

    Attributes:
        place: where.
        block: the block it was found in (its arrays go on being taken apart).
        unit, rest: shape (F,), statistics of the part and of what it is compared with.
        p: adjusted p.
        gain: nats.
        extent: first and last window in which the part has rows; None without times.
        versions: places of the versions that it has rows of.
        trials: how many parts were scanned.
        is_rare: whether it is a value that tables gather with others: its place is one of its own block only.
    """

    place: Place
    block: Block
    unit: FloatArray
    rest: FloatArray
    p: float
    gain: float
    extent: tuple[int, int] | None
    versions: tuple[int, ...]
    trials: float
    is_rare: bool = False


@dataclass(frozen=True, eq=False)
class _Candidates:
    block: int
    version: int | None
    value: IntArray
    run: IntArray  # (C, 2), −1 for all windows
    unit: FloatArray
    rest: FloatArray
    own: FloatArray  # the other windows of the same cohort; empty for all windows
    runs: FloatArray
    cost: FloatArray

    def place(self, index: int, column: str | None) -> Place:
        first, last = (int(each) for each in self.run[index])
        value = int(self.value[index]) if column is not None else None
        return Place(self.version, column, value, None if first < 0 else (first, last))


def best_runs(gain: FloatArray) -> tuple[IntArray, IntArray]:
    """First and last place of the run with the largest sum in each row of shape (S, W)."""
    n = len(gain)
    best, running = np.full(n, -np.inf), np.zeros(n)
    start, first, last = (np.zeros(n, dtype=np.int64) for _ in range(3))
    for place in range(gain.shape[1]):
        fresh = running <= 0
        start = np.where(fresh, place, start)
        running = np.where(fresh, 0.0, running) + gain[:, place]
        better = running > best
        best = np.where(better, running, best)
        first, last = np.where(better, start, first), np.where(better, place, last)
    return first, last


def count_trials(blocks: list[Block], axes: Axes, rule: Rule) -> float:
    """How many parts a search scans: every value of every column, all versions and each, all windows and each run."""
    trials = 0.0
    for block in blocks:
        series = [block.moments[version] for version in range(len(axes.versions))]
        if len(series) > 1:
            series.append(block.moments.sum(axis=0))
        for moments in series:
            filled = rule.size(moments) > 0
            enough = rule.size(moments.sum(axis=1)) >= MIN_ROWS
            trials += float((1 + _runs(filled[:, :-1]))[enough].sum())
    return max(trials, 1.0)


def _runs(filled: BoolArray) -> FloatArray:
    windows = filled.sum(axis=1).astype(np.float64)
    return np.where(windows > 1, windows * (windows + 1) / 2, 0.0)


def find_parts(
    blocks: list[Block],
    axes: Axes,
    rule: Rule,
    alarm_rate: float,
    taken: list[Place],
    rare: RareSearch | None = None,
) -> list[Found]:
    """The faulty parts, largest gain first.

    Args:
        blocks: what tables hold, the whole first.
        axes: versions and windows.
        rule: what makes a part faulty.
        alarm_rate: how often a part may be found where there is none.
        taken: places that other causes explain; they are left out.
        rare: the values that tables gather, where they are looked at one by one too.
    """
    trials = count_trials(blocks, axes, rule) + (rare.count_trials(rule) if rare is not None else 0.0)
    for place in taken:
        _leave_out(blocks, axes, place, rare)
    found: list[Found] = []
    while len(found) < MAX_FOUND:
        best = _best(blocks, axes, rule, alarm_rate, trials)
        whole = blocks[0].moments.sum(axis=(1, 2))
        other = rare.best(rule, whole, alarm_rate, trials) if rare is not None else None
        if rare is not None and other is not None and (best is None or other.gain > best.gain):
            found.append(
                Found(
                    other.place,
                    other.block,
                    other.unit,
                    other.rest,
                    other.p,
                    other.gain,
                    None,
                    other.versions,
                    trials,
                    True,
                )
            )
            rare.take_out(other, blocks)
        elif best is not None:
            found.append(best)
            _leave_out(blocks, axes, best.place, rare)
        else:
            break
    return found


def _leave_out(blocks: list[Block], axes: Axes, place: Place, rare: RareSearch | None) -> None:
    if rare is not None:
        rare.leave_out(part_of(place, next(block for block in blocks if block.column == place.column), axes))
    take_out(blocks, place)


def _best(blocks: list[Block], axes: Axes, rule: Rule, alarm_rate: float, trials: float) -> Found | None:
    batches = _all_candidates(blocks, axes, rule)
    if not batches:
        return None
    unit, rest = np.concatenate([each.unit for each in batches]), np.concatenate([each.rest for each in batches])
    runs, cost = np.concatenate([each.runs for each in batches]), np.concatenate([each.cost for each in batches])
    batch = np.repeat(np.arange(len(batches)), [len(each.value) for each in batches])
    begin = np.cumsum([0, *(len(each.value) for each in batches)])
    # Versions that score the same rows are one sample, not several.
    share = np.concatenate(
        [np.full(len(each.value), 1 / axes.copies if each.version is None else 1.0) for each in batches]
    )
    p = rule.p_value(unit * share[:, None], rest * share[:, None], runs, trials)
    if rule.within:
        own = np.concatenate([each.own for each in batches])
        use = rule.size(own) >= MIN_ROWS
        p[use] = np.maximum(
            p[use], rule.p_value(unit[use] * share[use, None], own[use] * share[use, None], runs[use], trials)
        )
    gains = rule.total_gain(unit, rest) - cost
    ranked = [
        (float(gains[each]), float(p[each]), int(each - begin[batch[each]]), batches[int(batch[each])])
        for each in np.flatnonzero((p <= alarm_rate) & (gains > 0))
    ]
    ranked.sort(key=lambda each: -each[0])
    for gain, p, index, candidates in ranked:
        block = blocks[candidates.block]
        place = candidates.place(index, block.column)
        if not rule.confirm(block, place):
            continue
        place, extent, versions = _settle(blocks, block, place, rule)
        return Found(place, block, candidates.unit[index], candidates.rest[index], p, gain, extent, versions, trials)
    return None


def _settle(
    blocks: list[Block], block: Block, place: Place, rule: Rule
) -> tuple[Place, tuple[int, int] | None, tuple[int, ...]]:
    """The versions and windows that a place really has rows in; a place in all versions may be in one only."""
    size = rule.size(block.moments)[block.slices(place)]
    by_version = size.sum(axis=(1, 2))
    offset = 0 if place.version is None else place.version
    versions = tuple(int(each) + offset for each in np.flatnonzero(by_version > SPILT * by_version.sum()))
    if place.version is None and len(versions) == 1 and len(block.moments) > 1:
        place = Place(versions[0], place.column, place.value, place.run)
    last = block.moments.shape[2] - 1
    windows = np.flatnonzero(rule.size(block.moments)[block.slices(place)].sum(axis=(0, 1)) > 0)
    if place.run is not None:
        windows = windows + place.run[0]
    dated = windows[windows < last]
    extent = (int(dated[0]), int(dated[-1])) if len(dated) else None
    return place, extent, versions


def _all_candidates(blocks: list[Block], axes: Axes, rule: Rule) -> list[_Candidates]:
    n_versions = len(axes.versions)
    n_values = sum(len(block.values) for block in blocks if block.column is not None)
    result: list[_Candidates] = []
    for number, block in enumerate(blocks):
        total = block.moments.sum(axis=(0, 1, 2))
        for version in (None, *range(n_versions)) if n_versions > 1 else (None,):
            moments = block.moments.sum(axis=0) if version is None else block.moments[version]
            cost = 0.0 if version is None else np.log(n_versions)
            cost += np.log(n_values) if block.column is not None else 0.0
            result += _series(number, block, version, moments, total, cost, rule)
    return result


def _series(
    number: int,
    block: Block,
    version: int | None,
    moments: FloatArray,
    total: FloatArray,
    cost: float,
    rule: Rule,
) -> list[_Candidates]:
    whole = moments.sum(axis=1)
    enough = rule.size(whole) >= MIN_ROWS
    result: list[_Candidates] = []

    def add(value: IntArray, run: IntArray, unit: FloatArray, own: FloatArray, runs: FloatArray, dear: float) -> None:
        if not len(value):
            return
        rest = whole.sum(axis=0) - unit
        small = rule.size(rest) < MIN_ROWS
        rest = np.where(small[:, None], total - unit, rest)
        costs = np.full(len(value), cost + dear)
        result.append(_Candidates(number, version, value, run, unit, rest, own, runs, costs))

    values = np.flatnonzero(enough)
    if block.column is not None or version is not None:
        add(
            values,
            np.full((len(values), 2), -1),
            whole[values],
            np.zeros_like(whole[values]),
            np.ones(len(values)),
            0.0,
        )
    n_windows = moments.shape[1] - 1
    if n_windows > 1 and len(values):
        first, last = best_runs(rule.gain(moments[values, :-1]))
        cumulative = np.cumsum(moments[values], axis=1)
        rows = np.arange(len(values))
        unit = cumulative[rows, last] - np.where(first[:, None] > 0, cumulative[rows, first - 1], 0.0)
        proper = rule.size(unit) >= MIN_ROWS
        runs = 1 + _runs(rule.size(moments[values, :-1]) > 0)
        add(
            values[proper],
            np.stack([first, last], axis=1)[proper],
            unit[proper],
            (whole[values] - unit)[proper],
            runs[proper],
            2 * float(np.log(n_windows)),
        )
    return result


def take_out(blocks: list[Block], place: Place) -> None:
    """Take a part out of every block.

    Exactly where the block holds it. In blocks of other columns the rows are somewhere among all values, so the
    version and time of the part are left out as a whole: what looks faulty there may be the same rows.
    """
    removed: FloatArray | None = None
    for block in blocks:
        if place.column is not None and block.column == place.column:
            removed = block.moments[block.slices(place)].sum(axis=1)
    for block in blocks:
        if block.column is None and place.column is not None:
            if removed is not None:
                index = block.slices(place)
                block.moments[index] = np.maximum(block.moments[index] - removed[:, None], 0.0)
            continue
        whole = place if block.column == place.column else Place(place.version, None, None, place.run)
        index = block.slices(whole)
        block.moments[index] = 0.0
        block.alive[index] = False


def widened(place: Place, n_windows: int) -> Place:
    """A place with a window more on either side, where a fault may have begun or ended within the window."""
    if place.run is None:
        return place
    return dataclasses.replace(place, run=(max(0, place.run[0] - 1), min(n_windows - 1, place.run[1] + 1)))
