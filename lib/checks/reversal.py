"""Scores that order the classes the wrong way round: the common ground of `label-flip` and `label-encoding`.

The statistic is Wilcoxon's in additive form. Each score becomes r, its mid-rank within its version as a share; a part
keeps, for positives and negatives, the number of rows and Σr, so that any union of parts is a sum. With n₁ and n₀ rows
and h = n₁n₀/n, D = Σ_pos(r − r̄) = h·(r̄₁ − r̄₀), and under the null of no order var D = h·var(r): the permutation
variance. Within an open bin r is spread evenly, which can only make the variance larger than it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from lib.cells import NEGATIVE, POSITIVE, Cells
from lib.checks import words
from lib.checks.blocks import Axes, Block, BoolArray, FloatArray, Place, make_block, read_tables, score_bounds
from lib.checks.exchanges import find_exchanges
from lib.checks.memory import once_for_every_margin_target
from lib.checks.result import ALARM_RATE
from lib.checks.search import Found, find_parts
from lib.grid import MISSING_BIN
from lib.metrics.ranking import roc_auc
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

REVERSED_AUC, RIGHT_AUC = 0.4, 0.6
MIN_PER_CLASS = 5
MIN_ROWS_TO_SAY = 20
POSITIVES, NEGATIVES, R_POSITIVES, R_NEGATIVES, R_SQUARES = range(5)
NATS = 7.2
"""Gain per unit of −D: 2δ/var(r) with a usual δ = AUC − ½ of 0.3 and var(r) = 1/12."""


class Ranks:
    """r as a function of the score, for each version: its distribution function with ties at their middle."""

    def __init__(self, by_version: Cells) -> None:
        order = [str(version) for version in by_version.groups[VERSION]]
        self._steps: dict[str, tuple[FloatArray, FloatArray]] = {}
        for group, version in enumerate(order):
            here = slice(int(by_version.starts[3 * group]), int(by_version.starts[3 * group + 3]))
            scored = by_version.score_bin[here] != MISSING_BIN
            score, n = by_version.score[here][scored], by_version.sums[here][scored, 0]
            values, places = np.unique(score, return_inverse=True)
            counts = np.bincount(places, weights=n, minlength=len(values))
            total = counts.sum()
            middle = (np.cumsum(counts) - counts / 2) / (total if total else 1.0)
            self._steps[version] = (values, middle)

    def places(self, cells: Cells) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The mid-rank of the mean of each cell, and of the ends of its bin; shape (N,) each, 0 without a score."""
        usable = cells.score_bin != MISSING_BIN
        middle, below, above = (np.zeros(len(usable)) for _ in range(3))
        low, high = score_bounds(cells)
        versions, of_group = np.unique(cells.groups[VERSION], return_inverse=True)
        of_cell = of_group[cells.block // 3]
        for index, version in enumerate(versions):
            values, share = self._steps.get(str(version), (np.zeros(0), np.zeros(0)))
            here = usable & (of_cell == index)
            if not len(values) or not here.any():
                continue
            middle[here] = np.interp(cells.score[here], values, share)
            below[here], above[here] = middle[here], middle[here]
            if not cells.resolution.is_exact:
                below[here], above[here] = (np.interp(end[here], values, share) for end in (low, high))
        return middle, below, above

    def features(self, cells: Cells) -> FloatArray:
        """Per cell: rows by class, Σr by class, and Σr² with the spread within open bins."""
        label = cells.block % 3 - 1
        n = np.where((label != 0) & (cells.score_bin != MISSING_BIN), cells.sums[:, 0], 0.0)
        middle, below, above = self.places(cells)
        width = above - below
        positive = label > 0
        return np.stack(
            [
                np.where(positive, n, 0.0),
                np.where(positive, 0.0, n),
                np.where(positive, n * middle, 0.0),
                np.where(positive, 0.0, n * middle),
                n * (middle**2 + width**2 / 12),
            ],
            axis=1,
        )


def order_statistics(m: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(D, h, null variance of D) of moments of shape (…, 5)."""
    positives, negatives = m[..., POSITIVES], m[..., NEGATIVES]
    n = np.maximum(positives + negatives, 1.0)
    h = positives * negatives / n
    d = (m[..., R_POSITIVES] * negatives - m[..., R_NEGATIVES] * positives) / n
    mean = (m[..., R_POSITIVES] + m[..., R_NEGATIVES]) / n
    spread = np.maximum(m[..., R_SQUARES] / n - mean**2, 0.0)
    return d, h, h * spread * n / np.maximum(n - 1, 1.0)


def auc_of(cells: Cells, keep: BoolArray) -> float:
    """The AUC of the rows of all groups for which `keep`, as one sample; ties half; NaN without both classes."""
    label = cells.block % 3 - 1
    use = keep[cells.block // 3] & (label != 0) & (cells.score_bin != MISSING_BIN)
    if not use.any():
        return float("nan")
    if cells.resolution.is_exact:
        rank = np.unique(cells.score[use], return_inverse=True)[1]
    else:
        rank = np.unique((cells.score_bin[use] << 21) + cells.probability_bin[use] + (1 << 20), return_inverse=True)[1]
    n, positive = cells.sums[use, 0], label[use] > 0
    size = int(rank.max()) + 1
    ones = np.bincount(rank, weights=np.where(positive, n, 0.0), minlength=size)
    zeros = np.bincount(rank, weights=np.where(positive, 0.0, n), minlength=size)
    if not ones.sum() or not zeros.sum():
        return float("nan")
    below = np.cumsum(zeros) - zeros / 2
    return float((ones * below).sum() / (ones.sum() * zeros.sum()))


@dataclass(frozen=True)
class Reversed:
    """The rule: a part is ordered the wrong way round while the rest is right. With `sign` −1 the other way."""

    sign: float = 1.0
    within: bool = False

    def size(self, moments: FloatArray) -> FloatArray:
        """Labelled rows with a score."""
        return moments[..., POSITIVES] + moments[..., NEGATIVES]

    def gain(self, moments: FloatArray) -> FloatArray:
        """−D in nats."""
        return -NATS * self.sign * order_statistics(moments)[0]

    def total_gain(self, unit: FloatArray, rest: FloatArray) -> FloatArray:
        """−D of the part as one sample."""
        del rest
        return self.gain(unit)

    def p_value(self, unit: FloatArray, rest: FloatArray, runs: FloatArray, trials: float) -> FloatArray:
        """Two tests, both of which a part must pass.

        It is unlike the rest, over everything scanned; and it is worse than no order at all, over those parts that
        are unlike the rest and the runs scanned within them: the others could not have been alarms.
        """
        d, h, variance = order_statistics(unit)
        other_d, other_h, other_variance = order_statistics(rest)
        able = (h > 0) & (other_h > 0) & (variance > 0) & (other_variance > 0)
        able &= np.minimum(unit[..., POSITIVES], unit[..., NEGATIVES]) >= MIN_PER_CLASS
        able &= np.minimum(rest[..., POSITIVES], rest[..., NEGATIVES]) >= MIN_PER_CLASS
        h, other_h = np.where(able, h, 1.0), np.where(able, other_h, 1.0)
        here, there = self.sign * d / h, self.sign * other_d / other_h
        error = np.sqrt(np.where(able, variance, 1.0) / h**2 + np.where(able, other_variance, 1.0) / other_h**2)
        unlike = special.ndtr(-(there - here) / error) * trials
        worse = special.ndtr(self.sign * d / np.sqrt(np.where(able, variance, 1.0)))
        selected = able & (unlike <= ALARM_RATE) & (here < 0)
        p = np.maximum(unlike, worse * runs * max(1, int(selected.sum())))
        matters = (here <= -0.03) & (there >= 0.06)
        return np.where(able & matters, np.minimum(p, 1.0), 1.0)

    def confirm(self, block: Block, place: Place) -> bool:
        """The AUC itself is far on the wrong side of ½."""
        auc = auc_of(block.cells, block.inside(place) & block.is_left())
        return auc <= REVERSED_AUC if self.sign > 0 else auc >= RIGHT_AUC


def _mean_auc(by_version: Cells) -> float:
    """The AUC of each version that has one, averaged with the weights n₁n₀/n: with one version its own."""
    each, n = roc_auc(by_version), by_version.scored.n
    weight = np.where(each.is_defined, n[:, POSITIVE] * n[:, NEGATIVE] / np.maximum(each.n, 1.0), 0.0)
    return float((np.nan_to_num(each.value) * weight).sum() / weight.sum()) if weight.any() else float("nan")


@dataclass(frozen=True, eq=False)
class Reversals:
    """What is reversed, or of several classes exchanged.

    Attributes:
        axes: versions and windows.
        blocks: as the search left them; none for several classes.
        reason: why nothing can be said; "" otherwise.
        everything: whether everything is reversed.
        auc: of each version, averaged with the weight that `z` gives to versions, n₁n₀/n; NaN for several classes.
        z: of all rows, each version ranked by itself; 0 for several classes.
        n: labelled rows with scores.
        found: reversed parts; empty when everything is.
        tables: the tables that were searched, the whole first.
    """

    axes: Axes
    blocks: list[Block]
    reason: str
    everything: bool
    auc: float
    z: float
    n: int
    found: list[Found]
    tables: list[Cells]


@once_for_every_margin_target
def find_reversals(diagnosis: Diagnosis) -> Reversals:
    """Search all versions, cohorts and windows for reversed scores; of several classes for exchanged ones."""
    if diagnosis.facts.mapping.is_multiclass:
        several = find_exchanges(diagnosis)
        found, everything = [each.found for each in several.found], several.everything is not None
        return Reversals(
            several.axes, [], several.reason, everything, float("nan"), 0.0, several.n, found, several.tables
        )
    axes, tables = read_tables(diagnosis)
    by_version = diagnosis.cells(VERSION)
    ranks = Ranks(by_version)

    def blocks() -> list[Block]:
        return [make_block(table, axes, ranks.features) for table in tables]

    first = blocks()
    # Each version by itself, added up: versions may score on different scales.
    d, h, variance = (each.sum() for each in order_statistics(first[0].moments.sum(axis=(1, 2))))
    whole = first[0].moments.sum(axis=(0, 1, 2))
    n = int(whole[POSITIVES] + whole[NEGATIVES])
    reason = ""
    if diagnosis.facts.mapping.label is None:
        reason = "there is no label column"
    elif n == 0:
        reason = "no row has both a label and a score"
    elif whole[POSITIVES] == 0 or whole[NEGATIVES] == 0:
        reason = "all labelled rows are of one class"
    elif n < MIN_ROWS_TO_SAY or h <= 0 or variance <= 0:
        few = f"{words.plural(n, 'labelled row')} with a score {'is' if n == 1 else 'are'} too few"
        reason = few if n < MIN_ROWS_TO_SAY else "all scores are equal"
    if reason:
        return Reversals(axes, first, reason, False, float("nan"), 0.0, n, [], tables)
    auc, z = _mean_auc(by_version), float(d / np.sqrt(variance))
    if 0.5 + d / h <= REVERSED_AUC and special.ndtr(z) <= ALARM_RATE:
        right = find_parts(blocks(), axes, Reversed(-1.0), ALARM_RATE, [])
        if not right:
            return Reversals(axes, first, "", True, auc, z, n, [], tables)
    searched = blocks()
    found = find_parts(searched, axes, Reversed(), ALARM_RATE, [])
    return Reversals(axes, searched, "", False, auc, z, n, found, tables)
