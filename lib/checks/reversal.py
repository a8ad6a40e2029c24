"""Scores that order the classes the wrong way round: the common ground of `label-flip` and `label-encoding`.

The statistic is that of `lib.metrics.ranks`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from lib.cells import NEGATIVE, POSITIVE, Cells
from lib.checks import words
from lib.checks.blocks import Axes, Block, BoolArray, FloatArray, Place, make_block, read_tables
from lib.checks.exchanges import find_exchanges
from lib.checks.memory import once_for_every_margin_target
from lib.checks.rare import RareSearch
from lib.checks.result import ALARM_RATE
from lib.checks.search import Found, count_trials, find_parts
from lib.checks.separation import Part, auc_of_cells, cells_outside
from lib.grid import MISSING_BIN
from lib.metrics.ranking import roc_auc
from lib.metrics.ranks import NEGATIVES, POSITIVES, Ranks, order_statistics
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

REVERSED_AUC, RIGHT_AUC = 0.4, 0.6
MIN_PER_CLASS = 5
MIN_ROWS_TO_SAY = 20
NATS = 7.2
"""Gain per unit of −D: 2δ/var(r) with a usual δ = AUC − ½ of 0.3 and var(r) = 1/12."""


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
        reason: why nothing can be said; "" otherwise.
        everything: whether everything is reversed.
        auc: of each version, averaged with the weight that `z` gives to versions, n₁n₀/n; NaN for several classes.
        z: of all rows, each version ranked by itself; 0 for several classes.
        n: labelled rows with scores.
        found: reversed parts; empty when everything is.
        tables: the tables that were searched, the whole first.
        trials: how many parts were looked at.
        n_rare: of each column that gathers values how many of these were looked at by themselves.
    """

    axes: Axes
    reason: str
    everything: bool
    auc: float
    z: float
    n: int
    found: list[Found]
    tables: list[Cells]
    trials: float = 0.0
    n_rare: dict[str, int] = field(default_factory=dict[str, int])


@once_for_every_margin_target
def find_reversals(diagnosis: Diagnosis) -> Reversals:
    """Search all versions, cohorts and windows for reversed scores; of several classes for exchanged ones."""
    if diagnosis.facts.mapping.is_multiclass:
        several = find_exchanges(diagnosis)
        found, everything = [each.found for each in several.found], several.everything is not None
        return Reversals(several.axes, several.reason, everything, float("nan"), 0.0, several.n, found, several.tables)
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
        return Reversals(axes, reason, False, float("nan"), 0.0, n, [], tables)
    auc, z = _mean_auc(by_version), float(d / np.sqrt(variance))
    if 0.5 + d / h <= REVERSED_AUC and special.ndtr(z) <= ALARM_RATE:
        right = find_parts(blocks(), axes, Reversed(-1.0), ALARM_RATE, [])
        if not right:
            return Reversals(axes, "", True, auc, z, n, [], tables)
    searched = blocks()
    rare = RareSearch(diagnosis, axes, ranks.features, lambda values: values.order, partial(_is_reversed, diagnosis))
    trials = count_trials(searched, axes, Reversed()) + rare.count_trials(Reversed())
    n_rare = rare.count_values(Reversed())
    found = find_parts(searched, axes, Reversed(), ALARM_RATE, [], rare)
    return Reversals(axes, "", False, auc, z, n, found, tables, trials, n_rare)


def _is_reversed(diagnosis: Diagnosis, part: Part, outside: tuple[Part, ...]) -> bool:
    """Whether the AUC of the rows of a part that are in none of the others is far on the wrong side of ½."""
    return auc_of_cells(cells_outside(diagnosis, part, outside)).value <= REVERSED_AUC
