"""Where answers are worse by no fault that another check names: the ground of three checks that share one search.

An answer is the side of the threshold on which a score lies: positive where s > 0. Every version is compared with the
baseline, and every run of windows, of all rows or of a cohort value, with the other times of the same versions, class
by class, so that another mix of the classes alone is no fault. What is found has one name: the threshold has moved
where the same one flags more, or fewer, of both classes while they are ordered as well; false positives rise where they
are what there is more of; and otherwise it is a plain regression.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

from lib.cells import Cells
from lib.checks.blocks import Axes, Block, BoolArray, FloatArray, Place, make_block, read_tables
from lib.checks.causes import cause_places
from lib.checks.memory import once_for_every_margin_target
from lib.checks.noisy_labels import noisy_places
from lib.checks.result import ALARM_RATE
from lib.checks.reversal import auc_of, find_reversals
from lib.checks.score_drift import find_drifts
from lib.checks.search import Found, count_trials, find_parts, take_out, widened
from lib.checks.shares import ROWS, HigherShare, usual_share
from lib.grid import MISSING_BIN
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import excess_p_value, interval_p_value
from lib.metrics.ranking import roc_auc
from lib.metrics.summary import unpaired_change
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

Kind = Literal["threshold", "false positives", "errors"]

LEAST_ERRORS, LEAST_AUC = 0.02, 0.02
"""By how much a version must be worse than the baseline, in the share of wrong answers or in AUC."""
LEAST_FALSE_POSITIVES, LEAST_RISE = 0.05, 0.2
"""By how much the false positive rate must be higher, absolute and as a share of what it was."""
LEAST_MOVE, LEAST_COST = 0.1, 0.02
"""By how much a moved threshold flags more or fewer of one class, and what that costs, in the mean of both rates."""
LEAST_ERRORS_IN_TIME = 0.05
MOSTLY = 2 / 3
"""Of the errors that there are more of, so many are false positives where these are what is told."""
LEAST_ROWS = 30
"""Labelled, scored rows of a version or of a class in it; fewer say nothing."""
CERTAIN_Z = 3.5


@dataclass(frozen=True)
class Counts:
    """Answers: rows of the positive and the negative class with label and score, and those of each that are wrong."""

    positives: float
    negatives: float
    false_negatives: float
    false_positives: float

    @classmethod
    def of(cls, moments: FloatArray) -> Counts:
        """Of statistics (wrong, rows, false positives, negatives)."""
        wrong, rows, false_positives, negatives = (float(each) for each in moments)
        return cls(rows - negatives, negatives, wrong - false_positives, false_positives)

    @property
    def n(self) -> float:
        """Rows."""
        return self.positives + self.negatives

    @property
    def wrong(self) -> float:
        """Rows that are answered wrongly."""
        return self.false_negatives + self.false_positives

    @property
    def accuracy(self) -> float:
        """Share of right answers; NaN without rows."""
        return 1 - self.wrong / self.n if self.n else float("nan")

    @property
    def rates(self) -> tuple[float, float]:
        """Share of positives and of negatives that are flagged; NaN for a class without rows."""
        found = 1 - self.false_negatives / self.positives if self.positives else float("nan")
        return found, self.false_positives / self.negatives if self.negatives else float("nan")

    @property
    def has_both(self) -> bool:
        """Whether there are rows enough of both classes."""
        return min(self.positives, self.negatives) >= LEAST_ROWS


@dataclass(frozen=True, eq=False)
class Worsening:
    """A version that is worse than the baseline, or a run of windows that is worse than the other times.

    Attributes:
        kind: what it is told as.
        place: the part.
        found: what the search found; None for a version.
        here, there: the answers in the part and in what it is compared with.
        auc, auc_there: of the two, undefined where it was not to be had.
        p: adjusted.
    """

    kind: Kind
    place: Place
    found: Found | None
    here: Counts
    there: Counts
    auc: float
    auc_there: float
    p: float


@dataclass(frozen=True, eq=False)
class Worsenings:
    """All of them; the versions that are worse only by what other checks name; parts looked at, and rows."""

    axes: Axes
    found: list[Worsening]
    explained: list[Worsening]
    trials: float
    n: int
    has_both: bool

    def of_kind(self, kind: Kind) -> list[Worsening]:
        """Those that are told as one thing."""
        return [each for each in self.found if each.kind == kind]


@dataclass(frozen=True)
class MoreErrors(HigherShare):
    """The rule: of some rows more are answered wrongly than at other times of the same versions, class by class.

    With `negatives` only false positives among them count.
    """

    negatives: bool = False

    def confirm(self, block: Block, place: Place) -> bool:
        """A run of windows in whose versions it is so too, when each class is compared with itself."""
        if place.run is None:
            return False
        excess = variance = rows = 0.0
        for version in range(len(block.moments)) if place.version is None else (place.version,):
            here, there = _answers(block, dataclasses.replace(place, version=version), (version,))
            for k, n, rest, other in _by_class(here, there)[1 if self.negatives else 0 :]:
                if n > 0 and other >= LEAST_ROWS:
                    share = (rest + 0.5) / (other + 1)
                    excess += k - n * rest / other
                    variance += share * (1 - share) * n * (1 + n / other)
                    rows += n
        return rows >= self.least_rows and excess >= self.effect * rows and excess >= CERTAIN_Z * np.sqrt(variance)


def _by_class(here: Counts, there: Counts) -> list[tuple[float, float, float, float]]:
    """Of positives, then of negatives: wrong and all rows here, and there."""
    return [
        (here.false_negatives, here.positives, there.false_negatives, there.positives),
        (here.false_positives, here.negatives, there.false_positives, there.negatives),
    ]


def worse_runs(diagnosis: Diagnosis) -> list[Place]:
    """The runs of windows that are worse."""
    return [each.place for each in find_worsenings(diagnosis).found if each.place.run is not None]


def count_answers(cells: Cells) -> FloatArray:
    """Wrong answers, rows, false positives and negatives of each cell, shape (N, 4)."""
    label = cells.block % 3 - 1
    rows = np.where((cells.score_bin != MISSING_BIN) & (label != 0), cells.sums[:, 0], 0.0)
    flagged, negative = cells.score > 0, label < 0
    wrong = np.where(flagged == negative, rows, 0.0)
    return np.stack([wrong, rows, np.where(negative, wrong, 0.0), np.where(negative, rows, 0.0)], axis=1)


def _of_negatives(cells: Cells) -> FloatArray:
    """The same with false positives and negatives first."""
    return count_answers(cells)[:, [2, 3, 0, 1]]


@once_for_every_margin_target
def find_worsenings(diagnosis: Diagnosis) -> Worsenings:
    """Search runs of windows, then compare the candidate with the baseline without the parts that have a name."""
    axes, tables = read_tables(diagnosis)
    n_windows = len(axes.windows)
    reversals = find_reversals(diagnosis)
    if reversals.everything or (reversals.reason and not diagnosis.facts.mapping.is_multiclass):
        return Worsenings(axes, [], [], 0.0, 0, False)
    causes = cause_places(diagnosis) + noisy_places(diagnosis)
    causes += [each.place for each in find_drifts(diagnosis).found if each.place is not None]
    taken = [widened(place, n_windows) for place in causes]
    two = not diagnosis.facts.mapping.is_multiclass
    blocks = [make_block(table, axes, count_answers) for table in tables]
    whole = blocks[0].moments.sum(axis=(0, 1, 2))
    rule = MoreErrors(usual_share(blocks[0]), LEAST_ERRORS_IN_TIME, LEAST_ERRORS_IN_TIME)
    trials = count_trials(blocks, axes, rule)
    parts = find_parts(blocks, axes, rule, ALARM_RATE / 3, taken)
    found = [_in_time(each, two=two) for each in parts]
    taken += [widened(each.place, n_windows) for each in parts]
    if two:
        blocks = [make_block(table, axes, _of_negatives) for table in tables]
        rule = MoreErrors(usual_share(blocks[0]), LEAST_FALSE_POSITIVES, LEAST_FALSE_POSITIVES, negatives=True)
        rises = [_in_time(each, two=two) for each in find_parts(blocks, axes, rule, ALARM_RATE / 3, taken)]
        found += [each for each in rises if each.kind != "errors"]
        taken += [widened(each.place, n_windows) for each in rises]
    version = _candidate(diagnosis, axes, tables, taken)
    explained = _candidate(diagnosis, axes, tables, []) if version is None and taken else None
    return Worsenings(
        axes,
        [*([version] if version else []), *found],
        [explained] if explained else [],
        trials,
        int(whole[ROWS]),
        Counts.of(whole).has_both,
    )


def _apart(block: Block, place: Place, versions: tuple[int, ...]) -> tuple[BoolArray, BoolArray]:
    """Shape (G,): the groups of a table in a part, and those at other times of its versions that have no name."""
    here = block.inside(place)
    there = block.inside(Place(None, place.column, place.value)) & np.isin(block.group[:, 0], versions)
    return here, there & ~here & block.is_left()


def _answers(block: Block, place: Place, versions: tuple[int, ...]) -> tuple[Counts, Counts]:
    """The answers in a part, and at other times of its versions."""
    counts, group = count_answers(block.cells), block.cells.block // 3
    here, there = (Counts.of(counts[keep[group]].sum(axis=0)) for keep in _apart(block, place, versions))
    return here, there


def _in_time(found: Found, *, two: bool) -> Worsening:
    here, there = _answers(found.block, found.place, found.versions)
    apart = _apart(found.block, found.place, found.versions)
    auc, auc_there = (auc_of(found.block.cells, keep) if two else float("nan") for keep in apart)
    kind: Kind = "errors"
    if two and here.has_both and there.has_both:
        if _is_moved(here, there, auc - auc_there):
            kind = "threshold"
        elif _is_rise(here, there) and _is_mostly_false_positives(here, there):
            kind = "false positives"
    return Worsening(kind, found.place, found, here, there, auc, auc_there, found.p)


def _is_rise(here: Counts, there: Counts) -> bool:
    """Whether the false positive rate is so much higher that it matters."""
    rate, before = here.rates[1], there.rates[1]
    return rate - before >= max(LEAST_FALSE_POSITIVES, LEAST_RISE * before)


def _is_mostly_false_positives(here: Counts, there: Counts) -> bool:
    """Whether most of the errors that there are more of are false positives."""
    (found, flagged), (found_before, flagged_before) = here.rates, there.rates
    more, missed = (flagged - flagged_before) * here.negatives, max(found_before - found, 0.0) * here.positives
    return more >= MOSTLY * (more + missed)


def _is_moved(here: Counts, there: Counts, auc_change: float) -> bool:
    """Whether the threshold flags more, or fewer, of both classes beyond chance, and orders them no worse."""
    moves = [rate - before for rate, before in zip(here.rates, there.rates, strict=True)]
    if max(map(abs, moves)) < LEAST_MOVE or moves[0] * moves[1] <= 0 or auc_change <= -LEAST_AUC:
        return False
    return _p_of_moves(here, there) <= ALARM_RATE


def _p_of_moves(here: Counts, there: Counts) -> float:
    """That not both rates have moved the way they seem to: the larger p of the two, of two ways."""
    p: list[float] = []
    for side in (0, 1):
        n, other = (each.positives if side == 0 else each.negatives for each in (here, there))
        flagged, before = (round(each.rates[side] * rows) for each, rows in ((here, n), (there, other)))
        up = here.rates[side] > there.rates[side]
        hits, rest = (flagged, before) if up else (n - flagged, other - before)
        p.append(float(excess_p_value(hits, n, rest, other)))
    return 2 * max(p)


def _candidate(diagnosis: Diagnosis, axes: Axes, tables: list[Cells], taken: list[Place]) -> Worsening | None:
    """What is worse in the candidate than in the baseline, without the parts that are named already."""
    settings = diagnosis.settings
    if settings.baseline == settings.candidate or not {settings.baseline, settings.candidate} <= set(axes.versions):
        return None
    blocks = [make_block(table, axes, count_answers) for table in tables]
    for place in taken:
        take_out(blocks, place)
    moments = blocks[0].moments.sum(axis=(1, 2))
    number, reference = axes.versions.index(settings.candidate), axes.versions.index(settings.baseline)
    here, there = Counts.of(moments[number]), Counts.of(moments[reference])
    if min(here.n, there.n) < LEAST_ROWS:
        return None
    # Parts of a cohort are in the block over the whole by their numbers alone, so no AUC without them can be told.
    whole = all(place.column is None or place.version not in (None, number, reference) for place in taken)
    two = not diagnosis.facts.mapping.is_multiclass and here.has_both and there.has_both
    auc = _aucs(blocks[0], settings.candidate, settings.baseline) if two and whole else None
    change = unpaired_change(auc[1], auc[0]).value if auc else float("nan")
    values = (auc[0].value, auc[1].value) if auc else (float("nan"), float("nan"))
    p_errors, p_auc = _p_of_errors(here, there), _p_of_auc(auc) if auc else 1.0

    def told(kind: Kind, p: float) -> Worsening:
        return Worsening(kind, Place(number), None, here, there, *values, p)

    if two and auc and _is_moved(here, there, change):
        p = max(_p_of_moves(here, there), _p_of_cost(here, there))
        if p <= ALARM_RATE:
            return told("threshold", p)
    if two and _is_rise(here, there) and _is_mostly_false_positives(here, there):
        p = 2 * float(excess_p_value(here.false_positives, here.negatives, there.false_positives, there.negatives))
        if p <= ALARM_RATE:
            return told("false positives", p)
    p = 3 * min(p_errors, p_auc)
    return told("errors", p) if p <= ALARM_RATE else None


def _aucs(block: Block, candidate: str, baseline: str) -> tuple[Estimate, Estimate]:
    """Of the rows that are left of the two versions."""
    cells = block.cells.where(block.is_left()).rollup([VERSION])
    names = [str(name) for name in cells.groups[VERSION]]
    found = roc_auc(cells)
    return found[names.index(candidate)], found[names.index(baseline)]


def _weighted(here: Counts, there: Counts, share: float) -> tuple[float, float]:
    """How much larger the mean of the two error rates is, and its standard error; positives count by their share."""
    change = variance = 0.0
    for weight, (k, n, rest, other) in zip((share, 1 - share), _by_class(here, there), strict=True):
        for sign, wrong, rows in ((1.0, k, n), (-1.0, rest, other)):
            if weight > 0 and rows > 0:
                rate = (wrong + 0.5) / (rows + 1)
                change += sign * weight * wrong / rows
                variance += weight**2 * rate * (1 - rate) / rows
    return change, float(np.sqrt(variance))


def _p_of(change: float, error: float, least: float) -> float:
    """One-sided; 1 where the change is too small to matter."""
    return float(special.ndtr(-change / error)) if change >= least and error > 0 else 1.0


def _p_of_errors(here: Counts, there: Counts) -> float:
    """That there are no more errors where both versions have one mix of the classes."""
    if (here.positives > 0) != (there.positives > 0) or (here.negatives > 0) != (there.negatives > 0):
        return 1.0
    return _p_of(*_weighted(here, there, (here.positives + there.positives) / (here.n + there.n)), LEAST_ERRORS)


def _p_of_cost(here: Counts, there: Counts) -> float:
    """That a moved threshold is no worse: neither by the errors nor, as with rare classes, by the mean of both."""
    return 2 * min(_p_of_errors(here, there), _p_of(*_weighted(here, there, 0.5), LEAST_COST))


def _p_of_auc(auc: tuple[Estimate, Estimate]) -> float:
    """That classes are ordered no worse; 1 where the change is too small to matter."""
    change = unpaired_change(auc[1], auc[0])
    if not change.is_defined or change.value > -LEAST_AUC:
        return 1.0
    return float(interval_p_value(change.value, change.lower, change.upper)) / 2
