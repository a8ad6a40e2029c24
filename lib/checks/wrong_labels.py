"""H-F20: the findings of wrong labels, each named by the crossing of two cohorts where it lies in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib.checks import words
from lib.checks.beginnings import SCORES_CAUSE, SCORES_REMEDY, find_beginning
from lib.checks.blocks import Axes, where_of
from lib.checks.crossing import Crossing
from lib.checks.crossings import crossing_of
from lib.checks.noisy_labels import NO_ORDER, find_noise, sure_features
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.checks.reversal import find_reversals
from lib.checks.search import Found
from lib.checks.shares import HITS, ROWS
from lib.metrics.intervals import wilson

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis


def check_noisy_labels(diagnosis: Diagnosis) -> Answer:
    """Warn of each part in which sure and wrong rows gather as wrong labels make them."""
    if diagnosis.facts.mapping.is_multiclass:
        return NotApplicable(
            "There are more than two classes: the margin of a wrong row says how far its class lies below the answer, "
            "not how sure the answer was, so wrong labels cannot be told from a weaker model."
        )
    reversals = find_reversals(diagnosis)
    if reversals.reason:
        return NotApplicable(f"{reversals.reason[0].upper()}{reversals.reason[1:]}.")
    if reversals.everything:
        return NotApplicable("Everything is reversed: see label-encoding.")
    noise = find_noise(diagnosis)
    if not noise.n:
        return NotApplicable("The model is sure of no labelled row.")
    left: list[Finding] = []
    for number, (found, share) in enumerate(noise.found):
        crossed, is_told = crossing_of(diagnosis, "noise", number)
        if not is_told:
            left.append(_finding(diagnosis, noise.axes, found, share, crossed.crossing if crossed else None))
    if not left:
        return Passed(
            f"Sure and wrong rows gather nowhere as wrong labels would ({words.plural(noise.trials, 'part')} looked "
            f"at, n = {words.count(noise.n)}).",
            {"n": noise.n, "n_parts": int(noise.trials)},
        )
    return left


def _finding(diagnosis: Diagnosis, axes: Axes, found: Found, noise: float, crossing: Crossing | None) -> Finding:
    version = None if found.place.version is None else axes.versions[found.place.version]
    where = where_of(found.place, found.block, axes, found.extent)
    unit = found.unit
    if crossing is not None:
        where = Where(crossing.cohort, where.window)
        # Of the labels turned round nearly all are of these rows.
        unit = sure_features(diagnosis)(crossing.cells).sum(axis=0)
        noise = min(noise * float(found.unit[ROWS] / unit[ROWS]), 1.0)
    n, share = float(unit[ROWS]), float(unit[HITS] / unit[ROWS])
    rest = float(found.rest[HITS] / found.rest[ROWS])
    low, high = wilson(share, n)
    place = words.place(version, where, axes.facts) + ("" if crossing is None else crossing.apart.words)
    versions = [axes.versions[each] for each in found.versions] if version is None else [version]
    begun = next((each for name in versions if (each := find_beginning(diagnosis, name, where.cohort))), None)
    return Finding(
        Status.WARN,
        version,
        where,
        f"Labels {'' if begun is None else 'or scores '}look wrong{place}: of the rows that the model is sure of, "
        f"{words.percent(share)} are labelled otherwise against {words.percent(rest)} elsewhere "
        f"(n = {words.count(n)}); {words.percent(noise)} of labels turned round would explain it"
        f"{', or scores that know nothing of these rows' if noise >= NO_ORDER else ''}",
        {
            "n": int(n),
            "share_wrong": share,
            "share_wrong_ci": [float(low), float(high)],
            "share_wrong_elsewhere": rest,
            "share_noise": noise,
            "p_adjusted": found.p,
            "n_parts": int(found.trials),
            **({} if crossing is None else crossing.apart.evidence),
            **({} if begun is None else begun.evidence),
            "consequences": [],
        },
        found.gain,
        cause="" if begun is None else f"{begun.words} {SCORES_CAUSE}",
        remedy="" if begun is None else SCORES_REMEDY,
    )


NOISY_LABELS = Check(
    code="H-F20",
    name="noisy-labels",
    reference="H-F20. Share of wrong rows among those that the model is sure of (2 in log odds; decision scores: "
    "the median size), Fisher's exact test in every cohort value and run of windows, Bonferroni; and a share of "
    "labels that are wrong at random fits the part with a larger likelihood than a model that is weaker there, or "
    "than scores that have all moved, in the version by itself and in its crossing too. A "
    "cohort that is found is looked at by every other cohort column: where its wrong answers lie in one value of "
    "another, the crossing of the two is named (Fisher's exact test within the cohort)",
    minimum_effect="5 points more of the sure rows are wrong than elsewhere",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="The labels of this part are not reliable: somebody labels by other rules or in haste, a source of "
    "labels is worse, or labels were joined to the wrong rows. Its numbers look worse than the model is. Where "
    "nearly half of the labels would have to be wrong, the scores may be the broken ones: they know nothing of "
    "these rows.",
    remedy="Review the rows of this part with the largest loss first; where labels turn out wrong, mend them at "
    "their source and leave them out of training until then.",
    topic="losses",
    function=check_noisy_labels,
)
