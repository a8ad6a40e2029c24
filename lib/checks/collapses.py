"""Which margins have shrunk towards zero: of a version against the baseline, of a part against the rest of its version.

A collapse is a loss of separation, not another unit. Within a version there is one unit, and scores are compared as
they are. Two versions may be two models: multiplied by any number, decision scores rank and decide the same. So a
version whose scores are small against the baseline's has collapsed only if it also tells the classes apart less well,
by a number that the unit does not enter: the ROC AUC of decision scores; the mean logistic loss of log odds, which have
a unit (a model that turns from sure to unsure loses more, one that stops to be too sure loses less). Of decision scores
without labels nothing of the kind can be told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib.cells import Cells
from lib.checks.blocks import Axes, Block, BoolArray, Features, FloatArray, Place, make_block, read_tables
from lib.checks.constant_score import constant_places
from lib.checks.magnitudes import REFERENCE_SHARE, Magnitudes, reference_cuts
from lib.checks.memory import once_for_every_margin_target
from lib.checks.result import ALARM_RATE
from lib.checks.reversal import find_reversals
from lib.checks.search import Found, count_trials, find_parts, widened
from lib.checks.shares import HITS, ROWS, HigherShare
from lib.metrics.catalogue import metric_named
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import excess_p_value
from lib.metrics.summary import unpaired_change
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_SHARE = 0.5
FeaturesWith = Callable[[dict[str, dict[int, float]]], Features]

LEAST_AUC_LOSS, CERTAIN_AUC_LOSS = 0.03, 0.01
CERTAIN_LOSS_RISE = 0.1
"""What a version must have lost: AUC (of several classes accuracy), absolute, and how much of it for certain; or
logistic loss, relative to the reference, for certain. For certain is with the whole 95 % interval of the change."""

COHORT_SHARE = 2 / 3
MOST_REFERENCE = 0.3


@dataclass(frozen=True)
class SmallMargins(HigherShare):
    """A cohort that is always less sure than others is a disparity; a collapse there has to be a deep one."""

    def confirm(self, block: Block, place: Place) -> bool:
        """Deep enough for a cohort over all time."""
        if place.column is None or place.run is not None:
            return True
        hits, rows = block.moments[block.slices(place)].sum(axis=(0, 1, 2))
        return bool(hits >= COHORT_SHARE * rows)


RULE = SmallMargins(REFERENCE_SHARE, LEAST_SHARE - REFERENCE_SHARE, LEAST_SHARE)


@dataclass(frozen=True)
class Separation:
    """How well a version and its reference tell the classes apart, whatever the unit of their scores."""

    metric: str
    value: Estimate
    reference: Estimate

    @property
    def is_lost(self) -> bool:
        """Whether it is worse by what matters, and beyond chance."""
        change = unpaired_change(self.reference, self.value)
        if self.metric != "average_logistic_loss":
            return change.value <= -LEAST_AUC_LOSS and change.upper <= -CERTAIN_AUC_LOSS
        return change.lower >= CERTAIN_LOSS_RISE * self.reference.value


@dataclass(frozen=True, eq=False)
class Collapse:
    """One part with small margins: where, hits and rows there and in the reference, adjusted p, and the cut.

    `separation` is that of a whole version with labels against its reference; None for a part of a version.
    """

    place: Place
    block: Block
    unit: FloatArray
    rest: FloatArray
    p: float
    extent: tuple[int, int] | None
    against: str
    cuts: dict[str, float]
    separation: Separation | None = None


@dataclass(frozen=True, eq=False)
class Collapses:
    """All of them, with the axes, how many parts were looked at, and the rows that count."""

    axes: Axes
    found: list[Collapse]
    trials: float
    n: int


@once_for_every_margin_target
def find_collapses(diagnosis: Diagnosis) -> Collapses:
    """Search versions, cohorts and windows for small margins."""
    axes, tables = read_tables(diagnosis)
    labelled = bool(diagnosis.cells(VERSION).margins.n.sum() > 0)
    classes = (-1, 1) if labelled else (0,)
    windows = tables[0]
    by_window = Magnitudes.of(windows, labelled=labelled)
    causes = constant_places(diagnosis)
    if diagnosis.facts.mapping.is_multiclass:
        # The margin of a swapped row is of other classes; of two classes only its sign would change.
        causes += [each.place for each in find_reversals(diagnosis).found]
    taken = [widened(place, len(axes.windows)) for place in causes]
    left = _left(make_block(windows, axes, lambda cells: cells.sums[:, :1]), taken)
    cuts = {version: reference_cuts(windows, by_window, version, classes, left) for version in axes.versions}
    names = {-1: "negatives", 0: "all", 1: "positives"}

    def features_with(chosen: dict[str, dict[int, float]]) -> Features:
        def features(cells: Cells) -> FloatArray:
            magnitudes = Magnitudes.of(cells, labelled=labelled)
            versions = [str(each) for each in cells.groups[VERSION]]
            per_group = {each: np.array([chosen[version][each] for version in versions]) for each in classes}
            cut = np.zeros(len(magnitudes.n))
            for each in classes:
                cut = np.where(magnitudes.classes == each, per_group[each][cells.block // 3], cut)
            cut = np.nan_to_num(cut)
            return np.stack([magnitudes.below(cut), magnitudes.n], axis=1)

        return features

    blocks = [make_block(table, axes, features_with(cuts)) for table in tables]
    total = blocks[0].moments.sum(axis=(0, 1, 2))
    trials = count_trials(blocks, axes, RULE)
    parts = find_parts(blocks, axes, RULE, ALARM_RATE / 2, taken)
    found = [_of_part(each, axes, cuts, names) for each in parts]
    whole = _whole_versions(diagnosis, axes, windows, features_with, cuts, [*taken, *(each.place for each in parts)])
    return Collapses(axes, [*whole, *found], trials, int(total[ROWS]))


def _of_part(found: Found, axes: Axes, cuts: dict[str, dict[int, float]], names: dict[int, str]) -> Collapse:
    version = axes.versions[found.versions[0]]
    said = {names[each]: cut for each, cut in cuts[version].items()} if len(found.versions) == 1 else {}
    return Collapse(found.place, found.block, found.unit, found.rest, found.p, found.extent, "elsewhere", said)


def _whole_versions(
    diagnosis: Diagnosis,
    axes: Axes,
    windows: Cells,
    features_with: FeaturesWith,
    cuts: dict[str, dict[int, float]],
    taken: list[Place],
) -> list[Collapse]:
    result: list[Collapse] = []
    compared = _compared(diagnosis, axes, windows)
    for version, reference in compared:
        block = make_block(windows, axes, features_with(dict.fromkeys(axes.versions, cuts[reference])))
        for place in taken:
            if place.column is None:
                block.moments[block.slices(place)] = 0.0
        moments = block.moments.sum(axis=(1, 2))
        number = axes.versions.index(version)
        unit, rest = moments[number], moments[axes.versions.index(reference)]
        if min(unit[ROWS], rest[ROWS]) < RULE.least_rows:
            continue
        if unit[HITS] < LEAST_SHARE * unit[ROWS] or rest[HITS] > MOST_REFERENCE * rest[ROWS]:
            continue
        p = excess_p_value(np.rint(unit[HITS]), unit[ROWS], np.rint(rest[HITS]), rest[ROWS])
        p_adjusted = min(1.0, 2 * float(p) * len(compared))
        if p_adjusted > ALARM_RATE:
            continue
        separation = _separation(diagnosis, block, taken, version, reference)
        if diagnosis.facts.mapping.score_kind.is_probabilistic if separation is None else separation.is_lost:
            against = f"in {reference or '(none)'}"
            result.append(Collapse(Place(number), block, unit, rest, p_adjusted, None, against, {}, separation))
    return result


def _left(block: Block, taken: list[Place]) -> BoolArray:
    """Shape (G,): the groups of the block over the whole that are in none of the places of all rows."""
    left = np.ones(len(block.group), dtype=np.bool_)
    for place in taken:
        if place.column is None:
            left &= ~block.inside(place)
    return left


def _separation(
    diagnosis: Diagnosis, block: Block, taken: list[Place], version: str, reference: str
) -> Separation | None:
    """That of two versions without the parts that are named already; None without labels."""
    cells = block.cells.where(_left(block, taken)).rollup([VERSION])
    names = [str(name) for name in cells.groups[VERSION]]
    mapping = diagnosis.facts.mapping
    # Of several classes the share of right answers, which no unit of the scores enters either.
    ordered = "accuracy" if mapping.is_multiclass else "roc_auc"
    metric = "average_logistic_loss" if mapping.score_kind.is_probabilistic else ordered
    found = metric_named(metric).estimate(cells, diagnosis.metric_settings)
    value, other = found[names.index(version)], found[names.index(reference)]
    return Separation(metric, value, other) if min(value.n, other.n) > 0 else None


def _compared(diagnosis: Diagnosis, axes: Axes, windows: Cells) -> list[tuple[str, str]]:
    """Each version with the baseline; the baseline with the candidate where both serve at the same time.

    A later version with larger margins says nothing against the baseline; of two that serve side by side either may
    be the broken one.
    """
    baseline, candidate = diagnosis.settings.baseline, diagnosis.settings.candidate
    if baseline not in axes.versions:
        return []
    pairs = [(version, baseline) for version in axes.versions if version != baseline]
    if candidate in axes.versions and candidate != baseline and axes.width:
        counts = make_block(windows, axes, lambda cells: cells.sums[:, :1]).moments[:, 0, :-1, 0]
        rows = counts[axes.versions.index(baseline)]
        both = counts[axes.versions.index(candidate)] > 0
        if rows[both].sum() > 0.5 * rows.sum():
            pairs.append((baseline, candidate))
    return pairs
