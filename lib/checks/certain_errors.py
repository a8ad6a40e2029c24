"""H-F8: rows that are called certain, with p exactly 0 or 1, and wrong, carry much of the log loss.

No model that answers in between is ever certain: an exact 0 or 1 is a hard decision, a fallback or a rounded number.
Wrong, it costs as much as clipping lets it, 36 at 2·10⁻¹⁶, so that a few such rows outweigh all others. Where scores
are written in steps (rounded, votes of a hundred trees) 0 and 1 stand for all that is nearer to them than to the next
step, and as many wrong rows as that allows are no fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from lib.cells import NEGATIVE, POSITIVE, UNLABELLED, Sums
from lib.checks import words
from lib.checks.constant_score import constant_places
from lib.checks.memory import once_for_every_margin_target
from lib.checks.result import ALARM_RATE, Finding, Status, Where
from lib.checks.reversal import find_reversals
from lib.grid import EPSILON, MISSING_BIN
from lib.metrics.estimates import FloatArray
from lib.metrics.intervals import wilson
from lib.schema import VERSION, ScoreKind

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_WRONG, LEAST_CARRIED = 5, 0.2
"""Fewer wrong rows may be slips of whoever labels; less of the log loss leaves it a number about the other rows."""
CERTAIN = float(0.99 * special.logit(1 - EPSILON))
"""A score beyond which a probability was 0 or 1, within what separates it from the next float."""
NEIGHBOURS = 5
LEAST_STEP = 1e-3
"""Three digits, or a thousand trees; narrower steps are no way of writing that one would notice."""


@dataclass(frozen=True)
class Certain:
    """The rows of a version with p exactly 0 or 1.

    Attributes:
        version: the version.
        n: its rows with a score.
        n_at: those that are certain.
        n_labelled, n_wrong: of those with a label, and wrong.
        carried: share of the log loss that the wrong ones carry.
        log_loss, log_loss_without: of the version, and without the wrong ones.
        step: in which probabilities are written next to 0 and 1.
        p: that rounding makes so many wrong, corrected for the versions.
    """

    version: str
    n: float
    n_at: float
    n_labelled: float
    n_wrong: float
    carried: float
    log_loss: float
    log_loss_without: float
    step: float
    p: float


def step_of(score: FloatArray) -> float:
    """The step in which probabilities are written next to 0 and 1, whichever is wider: the mean over five scores."""
    p = np.unique(special.expit(score[np.abs(score) < CERTAIN]))
    if not len(p):
        return 1.0
    place = min(NEIGHBOURS, len(p)) - 1
    return float(max(p[place], 1 - p[-1 - place]) / (place + 1))


@once_for_every_margin_target
def find_certain_errors(diagnosis: Diagnosis) -> list[Certain]:
    """The versions whose log loss is that of a few certain errors; none where other checks say why they are wrong."""
    mapping = diagnosis.facts.mapping
    if mapping.score_kind is not ScoreKind.PROBABILITY or mapping.is_multiclass or mapping.label is None:
        return []
    reversals, cells = find_reversals(diagnosis), diagnosis.cells(VERSION)
    explained = [*(each.place for each in reversals.found), *constant_places(diagnosis)]
    if reversals.everything or any(place.version is None for place in explained):
        return []
    named = {reversals.axes.versions[place.version] for place in explained if place.version is not None}
    group, label, scored = cells.block // 3, cells.block % 3, cells.score_bin != MISSING_BIN
    is_certain = scored & (np.abs(cells.score) >= CERTAIN)
    is_wrong = is_certain & np.where(cells.score > 0, label == NEGATIVE, label == POSITIVE)
    held = Sums(cells.sums, cells.weighted)
    n, weight, loss = held.n, held.w, held.total("l")
    found: list[Certain] = []
    for place, version in enumerate(str(each) for each in cells.groups[VERSION]):
        here = scored & (group == place)
        judged = here & (label != UNLABELLED)
        wrong, total = float(n[here & is_wrong].sum()), float(loss[judged].sum())
        if version in named or wrong < LEAST_WRONG or not total > 0:
            continue
        n_labelled, lost = float(n[judged & is_certain].sum()), float(loss[here & is_wrong].sum())
        step = step_of(cells.score[here])
        p = float(special.bdtrc(wrong - 1, int(n_labelled), min(step, 1.0))) * len(cells.groups[VERSION])
        if lost < LEAST_CARRIED * total or p > ALARM_RATE:
            continue
        rest = float(weight[judged & ~is_wrong].sum())
        found.append(
            Certain(
                version,
                float(n[here].sum()),
                float(n[here & is_certain].sum()),
                n_labelled,
                wrong,
                lost / total,
                total / float(weight[judged].sum()),
                (total - lost) / rest if rest else float("nan"),
                step,
                min(p, 1.0),
            )
        )
    return found


def findings_of_certain_errors(diagnosis: Diagnosis) -> list[Finding]:
    """One finding, about the version whose log loss they carry most of."""
    found = find_certain_errors(diagnosis)
    if not found:
        return []
    facts, worst = diagnosis.facts, max(found, key=lambda each: each.carried)
    version = worst.version if len(found) == 1 and len(facts.versions) > 1 else None
    low, high = wilson(worst.n_at / worst.n, worst.n)
    also = f", the most in version {worst.version or '(none)'}" if len(found) > 1 else ""
    written = f", more than writing p in steps of {worst.step:.2g} explains" if worst.step >= LEAST_STEP else ""
    return [
        Finding(
            Status.WARN,
            version,
            Where(),
            f"{words.count(worst.n_wrong)} rows with p exactly 0 or 1{words.place(version, Where(), facts)} are wrong"
            f"{also}, and carry {words.percent(worst.carried)} of the log loss: {worst.log_loss:.3g}, or "
            f"{worst.log_loss_without:.3g} without them{written}; {words.percent(worst.n_at / worst.n)} of rows lie "
            f"there ({words.percent(float(low))} to {words.percent(float(high))}, n = {words.count(worst.n)})",
            {
                "n": int(worst.n),
                "n_at": int(worst.n_at),
                "share": worst.n_at / worst.n,
                "share_ci": [float(low), float(high)],
                "n_wrong": int(worst.n_wrong),
                "share_of_log_loss": worst.carried,
                "log_loss": worst.log_loss,
                "log_loss_without": worst.log_loss_without,
                "step": worst.step,
                "p_adjusted": worst.p,
                "versions": [{"version": each.version, "share": each.n_at / each.n} for each in found],
                "consequences": [],
            },
            worst.carried,
        )
    ]
