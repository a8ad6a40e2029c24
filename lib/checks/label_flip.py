"""H-F5: a proper part is reversed, or has its classes exchanged, while the rest is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lib.cells import POSITIVE, Cells
from lib.checks import words
from lib.checks.beginnings import SCORES_CAUSE, SCORES_REMEDY, find_beginning
from lib.checks.blocks import FloatArray, where_of
from lib.checks.crossings import Crossed, find_crossed
from lib.checks.exchanged_classes import check_exchanged_parts
from lib.checks.filtered import LEFT, filter_as_place, is_of_filter_alone
from lib.checks.memory import once_for_every_margin_target
from lib.checks.regressions import Regression, find_regressions
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.checks.reversal import Reversals, find_reversals
from lib.checks.separation import UNDEFINED, Part, auc_of_cells, cells_of, cells_outside, part_of
from lib.errors import SettingsError
from lib.metrics.estimates import Estimate
from lib.metrics.ranking import roc_auc
from lib.metrics.ranks import order_statistics
from lib.schema import EVERYTHING, cohort_key

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

NOTED = 5
DRAGGED, DEGRADED = 0.01, 0.05
"""How far reversed rows must drag down their version, and a part of it beyond that, to be worth a sentence."""
LEAST_H = 30


def check_label_flip(diagnosis: Diagnosis) -> Answer:
    """Fail for each part whose scores are reversed, or of several classes exchanged."""
    if diagnosis.facts.mapping.is_multiclass:
        return check_exchanged_parts(diagnosis)
    reversals = find_reversals(diagnosis)
    if reversals.reason:
        return NotApplicable(f"{reversals.reason[0].upper()}{reversals.reason[1:]}.")
    if reversals.everything and is_of_filter_alone(diagnosis, lambda whole: find_reversals(whole).everything):
        return [_finding_of_filter(diagnosis, reversals)]
    if reversals.everything:
        return Passed("Everything is reversed, not a part: see label-encoding.", {"n": reversals.n})
    regressions = [each for each in find_regressions(diagnosis).found if each.is_reversed]
    named = [each.cohort for each in regressions]
    # What the candidate does wrong at all times is not told of some of its time too.
    crossings = [each for each in find_crossed(diagnosis) if each.is_reversed and each.crossing.cohort not in named]
    told = {number for each in crossings for source, number in each.found if source == "reversal"}
    crossed = [_finding_of_crossing(diagnosis, reversals, each) for each in crossings]
    crossed += [_finding_of_regression(diagnosis, each) for each in regressions]
    if not reversals.found and not crossed:
        parts = words.parts_of(diagnosis.facts, reversals.n_rare)
        return Passed(
            f"No {parts} is reversed ({words.plural(reversals.trials, 'part')} looked at).",
            {"n": reversals.n, "roc_auc": reversals.auc, "n_parts": int(reversals.trials)},
        )
    whole = [each for number, each in enumerate(_findings(diagnosis)) if number not in told]
    return [*whole, *crossed]


@once_for_every_margin_target
def _findings(diagnosis: Diagnosis) -> list[Finding]:
    reversals = find_reversals(diagnosis)
    parts = [part_of(each.place, each.block, reversals.axes) for each in reversals.found]
    return [_finding(diagnosis, reversals, parts, number) for number in range(len(parts))]


def _finding_of_crossing(diagnosis: Diagnosis, reversals: Reversals, crossed: Crossed) -> Finding:
    """Rows of two cohorts at once: a search by one of the two columns sees them diluted."""
    crossing = crossed.crossing
    where = Where(crossing.cohort, crossing.part.window)
    here, rest = (auc_of_cells(each.rollup([])) for each in (crossing.cells, crossing.rest))
    column, value = crossing.part.cohorts[0]
    place = words.place(crossed.version, where, reversals.axes.facts) + crossing.apart.words
    begun = find_beginning(diagnosis, crossed.version, where.cohort)
    return Finding(
        Status.FAIL,
        crossed.version,
        where,
        f"Scores are reversed{place} (AUC {_said(here)} against {_said(rest)} in the rest of "
        f"{column} = {value or '(none)'}, n = {words.count(here.n)})",
        {
            "n": int(here.n),
            "roc_auc": here.value,
            "roc_auc_elsewhere": rest.value,
            "p_adjusted": max(crossed.p, crossing.p),
            "versions": list(crossed.versions),
            **crossing.apart.evidence,
            **({} if begun is None else begun.evidence),
            "consequences": [],
        },
        crossed.strength,
        cause="" if begun is None else f"{begun.words} {SCORES_CAUSE}",
        remedy="" if begun is None else SCORES_REMEDY,
    )


def _finding_of_regression(diagnosis: Diagnosis, regression: Regression) -> Finding:
    """Rows of a cohort, or of two at once, that the baseline scores right: found by how much worse they are."""
    settings, where = diagnosis.settings, Where(regression.cohort)
    begun = find_beginning(diagnosis, settings.candidate, regression.cohort, "error_rate")
    place = words.place(settings.candidate, where, diagnosis.facts) + regression.apart.words
    return Finding(
        Status.FAIL,
        settings.candidate,
        where,
        f"Scores are reversed{place} (AUC {regression.auc:.2f} against {regression.auc_there:.2f} in version "
        f"{settings.baseline or '(none)'}, n = {words.count(regression.here.n)})",
        {
            "n": int(regression.here.n),
            "roc_auc": regression.auc,
            "roc_auc_elsewhere": regression.auc_there,
            "p_adjusted": regression.p,
            "versions": [settings.candidate],
            **regression.apart.evidence,
            **({} if begun is None else begun.evidence),
            "consequences": [],
        },
        float(np.sqrt(regression.here.n)),
        cause="" if begun is None else f"{begun.words} {SCORES_CAUSE}",
        remedy="" if begun is None else SCORES_REMEDY,
    )


def _finding_of_filter(diagnosis: Diagnosis, reversals: Reversals) -> Finding:
    whole = find_reversals(diagnosis.with_settings(where=EVERYTHING))
    return Finding(
        Status.FAIL,
        None,
        filter_as_place(diagnosis),
        f"Scores are reversed{LEFT} (AUC {reversals.auc:.2f} against {whole.auc:.2f} in all rows of the file, "
        f"n = {words.count(reversals.n)})",
        {"n": reversals.n, "roc_auc": reversals.auc, "roc_auc_elsewhere": whole.auc, "consequences": []},
        abs(reversals.z),
    )


def _finding(diagnosis: Diagnosis, reversals: Reversals, parts: list[Part], number: int) -> Finding:
    found, axes, part = reversals.found[number], reversals.axes, parts[number]
    where = where_of(found.place, found.block, axes, found.extent)
    version = None if found.place.version is None else axes.versions[found.place.version]
    cells = cells_of(diagnosis, part)
    here = auc_of_cells(cells)
    elsewhere, rest = _elsewhere(diagnosis, axes.versions, parts, part)
    against = f" against {_said(elsewhere)} in {rest}" if elsewhere.is_defined else ""
    begun = find_beginning(diagnosis, version, where.cohort, "error_rate")
    bounds = {"roc_auc": here.bound, "roc_auc_elsewhere": elsewhere.bound}
    return Finding(
        Status.FAIL,
        version,
        where,
        f"Scores are reversed{words.place(version, where, axes.facts)} "
        f"(AUC {_said(here)}{against}, n = {words.count(here.n)})",
        {
            "n": int(here.n),
            "n_positive": int(cells.scored.n[0, POSITIVE]),
            "roc_auc": here.value,
            "roc_auc_elsewhere": elsewhere.value,
            "bounds": {name: bound for name, bound in bounds.items() if bound > 0},
            "z": float(order_statistics(found.unit)[0] / np.sqrt(order_statistics(found.unit)[2])),
            "p_adjusted": found.p,
            "n_parts": int(found.trials),
            "versions": [axes.versions[each] for each in found.versions],
            **({} if begun is None else begun.evidence),
            "consequences": _consequences(diagnosis, part, cells),
        },
        found.gain,
        cause="" if begun is None else f"{begun.words} {SCORES_CAUSE}",
        remedy="" if begun is None else SCORES_REMEDY,
    )


def _said(auc: Estimate) -> str:
    return f"{'about ' if auc.bound >= 0.005 else ''}{auc.value:.2f}"


def _elsewhere(diagnosis: Diagnosis, versions: tuple[str, ...], parts: list[Part], part: Part) -> tuple[Estimate, str]:
    """The AUC of the rest of the part's versions, all reversed parts left out, and what that is called.

    Of the other versions where the part is a whole version, or nothing is left of its own.
    """
    own, others = Part(part.versions), Part(tuple(each for each in versions if each not in part.versions))
    name = "the rest of the version" if others.versions else "the rest"
    scopes = [(own, name)] if part != own else []
    scopes += [(others, f"the other version{'s' if len(others.versions) > 1 else ''}")] if others.versions else []
    for scope, name in scopes:
        also = any(scope.intersect(each) for each in parts if each != part)
        try:
            left = cells_outside(diagnosis, scope, parts)
        except SettingsError:  # Saved cells do not know what parts in two columns share.
            left, also = cells_outside(diagnosis, scope, [part]), False
        auc = auc_of_cells(left)
        if auc.is_defined:
            return auc, f"{name} apart from other reversed parts" if also else name
    return UNDEFINED, ""


def _consequences(diagnosis: Diagnosis, part: Part, cells: Cells) -> list[str]:
    """How far these rows drag down their version, and which parts of it they drag down much further than that."""
    facts, own = diagnosis.facts, Part(part.versions)
    if part == own:
        return []
    one = f"version {part.versions[0] or '(none)'}" if len(part.versions) < len(facts.versions) else ""
    within = f" in {one}" if one else ""
    whole = cells_of(diagnosis, own)
    before, after = auc_of_cells(whole), auc_of_cells(whole.without(cells))
    dragged = after.value - before.value
    first = [f"{one or 'everything'} as a whole: {_compared(before, after)}"] if dragged >= DRAGGED else []
    said: list[tuple[float, str]] = []
    if part.cohorts and part.window is not None:
        ((column, value),) = part.cohorts
        wider = {
            f"{column} = {value or '(none)'}{within} over all time": Part(part.versions, part.cohorts),
            f"all rows{within} {words.time_range(part.window, facts)}": Part(part.versions, (), part.window),
        }
        for name, each in wider.items():
            held = cells_of(diagnosis, each)
            with_them, left = auc_of_cells(held), auc_of_cells(held.without(cells))
            said.append((left.value - with_them.value, f"{name}: {_compared(with_them, left)}"))
    for column in facts.cohorts:
        if part.cohorts and column != part.cohorts[0][0]:
            said += _dragged_values(diagnosis, part, column, before.value - DEGRADED, within)
    worst = sorted((each for each in said if each[0] >= dragged + DEGRADED), reverse=True)
    return first + [sentence for _, sentence in worst[: NOTED - len(first)]]


def _dragged_values(
    diagnosis: Diagnosis, part: Part, column: str, at_most: float, within: str
) -> list[tuple[float, str]]:
    """Values of another column with a low AUC in the part's versions: how far its rows drag each down, in words."""
    key = cohort_key(column)
    held = cells_of(diagnosis, Part(part.versions), key)
    auc = roc_auc(held)
    low = np.flatnonzero((_pairs(held) >= LEAST_H) & (auc.value <= at_most))
    if not len(low):
        return []
    said: list[tuple[float, str]] = []
    try:
        in_part = cells_of(diagnosis, part, key)
    except SettingsError:  # Saved cells do not cross two columns.
        return []
    for group in low:
        value, before = str(held.groups[key][group]), auc[int(group)]
        left = held.select(**{key: value}).without(in_part.select(**{key: value}))
        name = f"{column} = {value or '(none)'}{within}"
        if left.n_groups and _pairs(left)[0] >= LEAST_H:
            after = roc_auc(left)[0]
            said.append((after.value - before.value, f"{name}: {_compared(before, after)}"))
        else:
            share = 1 - (left.margins.n.sum() if left.n_groups else 0.0) / before.n
            said.append((1.0, f"{name}: AUC {_said(before)}, {words.percent(share)} of its rows are these"))
    return said


def _pairs(cells: Cells) -> FloatArray:
    """n₁n₀/n of each group, by which the certainty of an AUC goes."""
    n = cells.margins.n
    return n.prod(axis=1) / np.maximum(n.sum(axis=1), 1.0)


def _compared(before: Estimate, after: Estimate) -> str:
    return f"AUC {_said(before)} with these rows, {_said(after)} without them"


LABEL_FLIP = Check(
    code="H-F5",
    name="label-flip",
    reference="H-F5. Wilcoxon's rank statistic in every version, cohort value and run of windows, and in their "
    "combinations (scan statistic, Kulldorff 1997); rarer values of a cohort column with 20 rows or more, over all "
    "time; Bonferroni over all of them. Where two columns cross, in the cohorts that `noisy-labels`, "
    "`cohort-disparity` and `quality-regression` find. Of several classes, the exchanges "
    "that explain best what answers a part has too many of (an assignment problem); the rows that an exchange "
    "makes right against those that are right, Fisher's exact test over all parts and exchanges of as many "
    "classes, and the likelihood of each class's answers",
    minimum_effect="AUC at most 0.4 in the part, while the rest is right (AUC about 0.6 or more); of several "
    "classes, of the rows of those that are exchanged 20 points more would be right with them exchanged back, "
    "elsewhere 10 points fewer",
    alarm_rate=ALARM_RATE,
    severity=Severity.ERROR,
    cause="In this part, and only there, rows of the positive class score below rows of the negative one, or rows "
    "of one class are answered as another. That does not happen by drift: the scores were turned around (a class "
    "or feature mapping, most often by a deploy) or the labels were (a label mapping, a join, whoever labels "
    "there). The numbers cannot tell which of the two.",
    remedy="Look at some of these rows to see whether score or label is wrong. The score: roll back the deploy "
    "that covers this part, fix the mapping there, and score its rows again. The label: fix the labels of this "
    "part at their source; the model needs no change.",
    topic="losses",
    function=check_label_flip,
)
