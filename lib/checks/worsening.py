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

from lib.cells import Cells
from lib.checks.answer_counts import (
    LEAST_FALSE_POSITIVES,
    LEAST_ROWS,
    Counts,
    by_class,
    count_answers,
    is_mostly_false_positives,
    is_moved,
    is_rise,
    p_of_auc,
    p_of_cost,
    p_of_errors,
    p_of_moves,
)
from lib.checks.blocks import Axes, Block, BoolArray, FloatArray, Place, make_block, read_tables
from lib.checks.causes import cause_places
from lib.checks.memory import once_for_every_margin_target
from lib.checks.noisy_labels import noisy_places
from lib.checks.result import ALARM_RATE
from lib.checks.reversal import auc_of, find_reversals
from lib.checks.score_shifts import find_drifts
from lib.checks.search import Found, count_trials, find_parts, take_out, widened
from lib.checks.shares import ROWS, HigherShare, usual_share
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import excess_p_value
from lib.metrics.ranking import roc_auc
from lib.metrics.summary import unpaired_change
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

Kind = Literal["threshold", "false positives", "errors"]

LEAST_ERRORS_IN_TIME = 0.05
CERTAIN_Z = 3.5


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
            for k, n, rest, other in by_class(here, there)[1 if self.negatives else 0 :]:
                if n > 0 and other >= LEAST_ROWS:
                    share = (rest + 0.5) / (other + 1)
                    excess += k - n * rest / other
                    variance += share * (1 - share) * n * (1 + n / other)
                    rows += n
        return rows >= self.least_rows and excess >= self.effect * rows and excess >= CERTAIN_Z * np.sqrt(variance)


def worse_runs(diagnosis: Diagnosis) -> list[Place]:
    """The runs of windows that are worse."""
    return [each.place for each in find_worsenings(diagnosis).found if each.place.run is not None]


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
        if is_moved(here, there, auc - auc_there):
            kind = "threshold"
        elif is_rise(here, there) and is_mostly_false_positives(here, there):
            kind = "false positives"
    return Worsening(kind, found.place, found, here, there, auc, auc_there, found.p)


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
    p_errors, p_auc = p_of_errors(here, there), p_of_auc(auc) if auc else 1.0

    def told(kind: Kind, p: float) -> Worsening:
        return Worsening(kind, Place(number), None, here, there, *values, p)

    if two and auc and is_moved(here, there, change):
        p = max(p_of_moves(here, there), p_of_cost(here, there))
        if p <= ALARM_RATE:
            return told("threshold", p)
    if two and is_rise(here, there) and is_mostly_false_positives(here, there):
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
