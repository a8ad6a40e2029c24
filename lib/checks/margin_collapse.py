"""H-F2: margins that have shrunk towards zero, as `collapses` finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lib.checks import words
from lib.checks.beginnings import REMEDY, first_deploy_of
from lib.checks.blocks import where_of
from lib.checks.collapses import RULE, Collapse, find_collapses
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status
from lib.checks.shares import HITS, ROWS
from lib.metrics.intervals import wilson
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis


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
        begun = first_deploy_of(diagnosis, version, where)
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
                    **({} if begun is None else begun.evidence),
                    "consequences": [],
                },
                share * np.sqrt(n),
                cause="" if begun is None else begun.cause,
                remedy="" if begun is None else REMEDY,
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
    "classes accuracy); log odds have a unit, and there it is the mean logistic loss. Where a cohort, or the rows of a "
    "filter, begin to lose them at a deploy, that is said, and to roll back",
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
