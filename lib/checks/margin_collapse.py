"""H-F2: margins shrink towards zero, in a version against the baseline or in a part of a version against its rest.

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
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.cells import Cells
from lib.checks import words
from lib.checks.blocks import (
    Axes,
    Block,
    BoolArray,
    Features,
    FloatArray,
    IntArray,
    Place,
    make_block,
    read_tables,
    where_of,
)
from lib.checks.constant_score import constant_places
from lib.checks.memory import once_for_every_margin_target
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status
from lib.checks.reversal import find_reversals
from lib.checks.search import MIN_ROWS, Found, count_trials, find_parts, widened
from lib.checks.shares import HITS, ROWS, HigherShare
from lib.grid import MISSING_BIN
from lib.metrics.catalogue import metric_named
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import excess_p_value, wilson
from lib.metrics.ranks import score_bounds
from lib.metrics.summary import unpaired_change
from lib.schema import VERSION, WINDOW

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

REFERENCE_SHARE, LEAST_SHARE = 0.25, 0.5
LEAST_SHRINK = 0.5
"""Where scores are much alike, as those that saturate are, a quarter lies below what is hardly less than usual. Small
is only what is below this share of the reference's median too."""
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


@dataclass(frozen=True, eq=False)
class Magnitudes:
    """|s| of the rows of each cell: it lies within `middle` ± `half`, and counts in `classes` (−1, 0 or +1)."""

    middle: FloatArray
    half: FloatArray
    n: FloatArray
    classes: IntArray

    @classmethod
    def of(cls, cells: Cells, *, labelled: bool) -> Magnitudes:
        """Labelled rows by class, or all rows as one class where there are no labels."""
        label = (cells.block % 3 - 1).astype(np.int64)
        scored = cells.score_bin != MISSING_BIN
        usable = scored & (label != 0) if labelled else scored
        middle, half = np.abs(cells.score), np.zeros(len(label))
        if not cells.resolution.is_exact:
            low, high = score_bounds(cells)
            # Open bins do not straddle zero. Rows are spread evenly around their mean, as far as the bin allows.
            half = np.maximum(np.minimum(np.abs(cells.score - low), np.abs(high - cells.score)), 0.0)
            half = np.where(scored, half, 0.0)
        n = np.where(usable, cells.sums[:, 0], 0.0)
        return cls(middle, half, n, label if labelled else np.zeros_like(label))

    def below(self, cut: FloatArray) -> FloatArray:
        """Expected rows of each cell with |s| < cut, shape (N,) like the cells."""
        spread = np.where(self.half > 0, self.half, 1.0)
        share = np.where(self.half > 0, (cut - self.middle + self.half) / (2 * spread), self.middle < cut)
        return self.n * np.clip(share, 0.0, 1.0)

    def quantile(self, keep: BoolArray, share: float) -> float:
        """The |s| below which `share` of the rows of the kept cells lie; NaN without rows."""
        n = self.n[keep]
        if n.sum() <= 0:
            return float("nan")
        order = np.argsort(self.middle[keep], kind="stable")
        reach = np.cumsum(n[order])
        return float(self.middle[keep][order][np.searchsorted(reach, share * reach[-1])])


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


def reference_cuts(
    windows: Cells, magnitudes: Magnitudes, version: str, classes: tuple[int, ...], left: BoolArray
) -> dict[int, float]:
    """Below what |s| is small, by class: the 25 % quantile in the sound windows of a version, or half their median.

    Sound is a window whose own quantile is at least half of what the better quarter of windows have, so that a
    collapse that lasted for half the time does not become the reference. `left`, shape (G,), are the windows that no
    other check names.
    """
    group = windows.block // 3
    of_version = windows.groups[VERSION] == version
    mine = (of_version & left if (of_version & left).any() else of_version)[group]
    cuts: dict[int, float] = {}
    for each in classes:
        here = mine & (magnitudes.classes == each) & (magnitudes.n > 0)
        if WINDOW in windows.keys:
            here = _sound(group, magnitudes, here)
        quarter, median = (magnitudes.quantile(here, share) for share in (REFERENCE_SHARE, 0.5))
        cuts[each] = min(quarter, LEAST_SHRINK * median)
    return cuts


def _sound(group: IntArray, magnitudes: Magnitudes, here: BoolArray) -> BoolArray:
    own: dict[int, float] = {}
    for window in np.unique(group[here]):
        at = here & (group == window)
        if magnitudes.n[at].sum() >= MIN_ROWS:
            own[int(window)] = magnitudes.quantile(at, REFERENCE_SHARE)
    if not own:
        return here
    least = 0.5 * float(np.quantile(list(own.values()), 0.75))
    bad = np.array([window for window, value in own.items() if value < least], dtype=np.int64)
    return here & ~np.isin(group, bad)


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


def check_margin_collapse(diagnosis: Diagnosis) -> Answer:
    """Fail for each part in which at least half of the margins are as small as a quarter of them should be.

    For a whole version only where separation is lost too.
    """
    if not diagnosis.cells(VERSION).scored.n.sum() >= 2 * RULE.least_rows:
        return NotApplicable("There are too few rows with a score.")
    collapses = find_collapses(diagnosis)
    axes = collapses.axes
    if not collapses.found:
        return Passed(
            f"No {words.parts_of(diagnosis.facts)} has lost its margins ({words.plural(collapses.trials, 'part')} "
            f"looked at, n = {words.count(collapses.n)}).",
            {"n": collapses.n, "n_parts": int(collapses.trials)},
        )
    findings: list[Finding] = []
    for each in collapses.found:
        version = None if each.place.version is None else axes.versions[each.place.version]
        where = where_of(each.place, each.block, axes, each.extent)
        n, share = float(each.unit[ROWS]), float(each.unit[HITS] / each.unit[ROWS])
        rest = float(each.rest[HITS] / each.rest[ROWS])
        low, high = wilson(share, n)
        findings.append(
            Finding(
                Status.FAIL,
                version,
                where,
                f"Margins are close to zero{words.place(version, where, axes.facts)}: {words.percent(share)} of them "
                f"are as small as {words.percent(rest)} are {each.against} (n = {words.count(n)}){_lost(each)}",
                {
                    "n": int(n),
                    "share_small": share,
                    "share_small_ci": [float(low), float(high)],
                    "share_small_reference": rest,
                    "small_below": each.cuts,
                    "p_adjusted": each.p,
                    **_separation_evidence(each),
                    "consequences": [],
                },
                share * np.sqrt(n),
            )
        )
    return findings


def _lost(collapse: Collapse) -> str:
    """What the separation of a whole version is, in words; empty for a part of one."""
    each = collapse.separation
    if each is None:
        return ""
    name = {"roc_auc": "AUC", "accuracy": "accuracy"}.get(each.metric, "logistic loss")
    return f"; {name} {each.value.value:.2f} against {each.reference.value:.2f}"


def _separation_evidence(collapse: Collapse) -> dict[str, Any]:
    each = collapse.separation
    if each is None:
        return {}
    return {
        each.metric: each.value.value,
        f"{each.metric}_ci": [each.value.lower, each.value.upper],
        f"{each.metric}_reference": each.reference.value,
    }


MARGIN_COLLAPSE = Check(
    code="H-F2",
    name="margin-collapse",
    reference="H-F2. Share of rows below the reference's 25 % quantile of |score| in each class, or half its "
    "median where that is less: a version against the baseline, a part of a version against the rest of it; "
    "Fisher's exact test, Bonferroni over all parts. Decision scores of two models may be on two scales, so a "
    "whole version must have lost separation too, in a number that the scale does not enter (AUC, of several "
    "classes accuracy); log odds have a unit, and there it is the mean logistic loss",
    minimum_effect="at least 50 % of rows are below what at most 25 % of the reference are below, and below half "
    "of its median: about a threefold shrink; in a whole version with labels also an AUC at least 0.03 lower, 0.01 "
    "for certain (decision scores), or a logistic loss at least 10 % higher for certain (log odds)",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="The model has become unsure: inputs have drifted away from what it was trained on, features are "
    "missing, it was trained with stronger regularisation, or its probabilities are not calibrated.",
    remedy="Compare the inputs of this part with the training data; retrain on recent data, weaken the "
    "regularisation (a larger C), or calibrate the probabilities.",
    topic="margins",
    function=check_margin_collapse,
)
