"""Whether the candidate as a whole answers worse than the baseline, without the parts that are named already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib.checks.answer_counts import (
    LEAST_ROWS,
    Counts,
    Kind,
    count_answers,
    is_mostly_false_positives,
    is_moved,
    is_rise,
    p_of_auc,
    p_of_cost,
    p_of_errors,
    p_of_moves,
)
from lib.checks.blocks import Block, Place, make_block
from lib.checks.dispersion import whole_dispersion
from lib.checks.memory import once_for_every_margin_target
from lib.checks.regressions import Regression, find_regressions
from lib.checks.result import ALARM_RATE
from lib.checks.reversal import find_reversals
from lib.checks.search import take_out, widened
from lib.checks.worsening import find_worsenings, worse_runs
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import excess_p_value
from lib.metrics.ranking import roc_auc
from lib.metrics.summary import unpaired_change
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis


@dataclass(frozen=True, eq=False)
class WorseVersion:
    """The candidate beside the baseline.

    Attributes:
        kind: what it is told as.
        here, there: answers of candidate and baseline that no other finding is about.
        auc, auc_there: of the two, undefined where it was not to be had.
        p: adjusted.
        is_explained: whether it is worse by the rows of other findings only; answers and AUC are of all rows then.
    """

    kind: Kind
    here: Counts
    there: Counts
    auc: float
    auc_there: float
    p: float
    is_explained: bool


@once_for_every_margin_target
def find_worse_version(diagnosis: Diagnosis) -> WorseVersion | None:
    """The candidate where it is worse than the baseline."""
    settings, worsenings = diagnosis.settings, find_worsenings(diagnosis)
    versions = worsenings.axes.versions
    if not worsenings.n or not diagnosis.is_compared or not {settings.baseline, settings.candidate} <= set(versions):
        return None
    n_windows = len(worsenings.axes.windows)
    taken = [widened(place, n_windows) for place in (*worsenings.named, *worse_runs(diagnosis))]
    regressions = find_regressions(diagnosis).found
    found = _compare(diagnosis, taken, regressions, is_explained=False)
    if found is not None or not (taken or regressions):
        return found
    return _compare(diagnosis, [], [], is_explained=True)


def _compare(
    diagnosis: Diagnosis, taken: list[Place], regressions: list[Regression], *, is_explained: bool
) -> WorseVersion | None:
    reversals, settings = find_reversals(diagnosis), diagnosis.settings
    axes = reversals.axes
    blocks = [make_block(table, axes, count_answers) for table in reversals.tables]
    for place in taken:
        take_out(blocks, place)
    moments = blocks[0].moments.sum(axis=(1, 2))
    number, reference = axes.versions.index(settings.candidate), axes.versions.index(settings.baseline)
    here = Counts.of(moments[number]).without(each.here for each in regressions)
    there = Counts.of(moments[reference]).without(each.there for each in regressions)
    if min(here.n, there.n) < LEAST_ROWS:
        return None
    # Parts of a cohort are in the block over the whole by their numbers alone, so no AUC without them can be told.
    whole = not regressions
    whole &= all(place.column is None or place.version not in (None, number, reference) for place in taken)
    two = not diagnosis.facts.mapping.is_multiclass and here.has_both and there.has_both
    auc = _aucs(blocks[0], settings.candidate, settings.baseline) if two and whole else None
    change = unpaired_change(auc[1], auc[0]).value if auc else float("nan")
    values = (auc[0].value, auc[1].value) if auc else (float("nan"), float("nan"))

    def told(kind: Kind, p: float) -> WorseVersion:
        return WorseVersion(kind, here, there, *values, p, is_explained)

    if two and auc and is_moved(here, there, change):
        p = max(p_of_moves(here, there), p_of_cost(here, there))
        if p <= ALARM_RATE:
            return told("threshold", p)
    if two and is_rise(here, there) and is_mostly_false_positives(here, there):
        p = 2 * float(excess_p_value(here.false_positives, here.negatives, there.false_positives, there.negatives))
        if p <= ALARM_RATE:
            return told("false positives", p)
    p = 3 * min(p_of_errors(here, there, whole_dispersion(diagnosis).p_beyond), p_of_auc(auc) if auc else 1.0)
    return told("errors", p) if p <= ALARM_RATE else None


def _aucs(block: Block, candidate: str, baseline: str) -> tuple[Estimate, Estimate]:
    """Of the rows that are left of the two versions."""
    cells = block.cells.where(block.is_left()).rollup([VERSION])
    names = [str(name) for name in cells.groups[VERSION]]
    found = roc_auc(cells)
    return found[names.index(candidate)], found[names.index(baseline)]
