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
from typing import TYPE_CHECKING

import numpy as np

from lib.cells import Cells
from lib.checks.answer_counts import (
    LEAST_FALSE_POSITIVES,
    LEAST_ROWS,
    Counts,
    Kind,
    by_class,
    count_answers,
    kind_of,
)
from lib.checks.blocks import Axes, Block, BoolArray, FloatArray, Place, make_block, read_tables
from lib.checks.causes import cause_places
from lib.checks.memory import once_for_every_margin_target
from lib.checks.noisy_labels import noisy_places
from lib.checks.result import ALARM_RATE
from lib.checks.reversal import auc_of, find_reversals
from lib.checks.score_shifts import find_drifts
from lib.checks.search import Found, count_trials, find_parts, widened
from lib.checks.shares import ROWS, HigherShare, usual_share

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_ERRORS_IN_TIME = 0.05
CERTAIN_Z = 3.5


@dataclass(frozen=True, eq=False)
class Worsening:
    """A run of windows that is worse than the other times, of all rows or of a cohort value.

    Attributes:
        kind: what it is told as.
        place: the part.
        found: what the search found.
        here, there: the answers in the part and in what it is compared with.
        auc, auc_there: of the two, undefined where it was not to be had.
        p: adjusted.
    """

    kind: Kind
    place: Place
    found: Found
    here: Counts
    there: Counts
    auc: float
    auc_there: float
    p: float


@dataclass(frozen=True, eq=False)
class Worsenings:
    """All of them; the parts that other checks name, without which was searched; parts looked at, and rows."""

    axes: Axes
    found: list[Worsening]
    named: list[Place]
    trials: float
    n: int
    has_both: bool


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
    return [each.place for each in find_worsenings(diagnosis).found]


def _of_negatives(cells: Cells) -> FloatArray:
    """The same with false positives and negatives first."""
    return count_answers(cells)[:, [2, 3, 0, 1]]


@once_for_every_margin_target
def find_worsenings(diagnosis: Diagnosis) -> Worsenings:
    """Search runs of windows without the parts that other checks name."""
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
    return Worsenings(axes, found, causes, trials, int(whole[ROWS]), Counts.of(whole).has_both)


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
    kind = kind_of(here, there, auc - auc_there) if two else "errors"
    return Worsening(kind, found.place, found, here, there, auc, auc_there, found.p)
