"""H-F6: everything is reversed, so the positive class is the wrong one; or classes are exchanged everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scipy import special

from lib.checks import words
from lib.checks.exchanged_classes import check_exchanged_everywhere
from lib.checks.filtered import is_of_filter_alone
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.checks.reversal import find_reversals

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis


def check_label_encoding(diagnosis: Diagnosis) -> Answer:
    """Fail when the whole is ordered the wrong way round and no version, cohort or run of windows is right."""
    if diagnosis.facts.mapping.is_multiclass:
        return check_exchanged_everywhere(diagnosis)
    reversals = find_reversals(diagnosis)
    if reversals.reason:
        return NotApplicable(f"{reversals.reason[0].upper()}{reversals.reason[1:]}.")
    evidence = {"n": reversals.n, "roc_auc": reversals.auc, "z": reversals.z}
    if reversals.everything and is_of_filter_alone(diagnosis, lambda whole: find_reversals(whole).everything):
        return Passed("What the filter leaves is reversed, not everything: see label-flip.", evidence)
    if not reversals.everything and special.ndtr(-abs(reversals.z)) > ALARM_RATE:
        return NotApplicable(
            f"Which class is positive cannot be told: the scores order the classes no better than chance "
            f"(AUC {reversals.auc:.2f}, n = {words.count(reversals.n)})."
        )
    if not reversals.everything:
        return Passed(
            f"Scores and labels agree on which class is positive (AUC {reversals.auc:.2f}, "
            f"n = {words.count(reversals.n)}).",
            evidence,
        )
    encoding = diagnosis.facts.mapping.label_encoding
    positive = "" if encoding is None else encoding.pos_label
    named = f" ({positive!r} is taken as positive)" if positive else ""
    return [
        Finding(
            Status.FAIL,
            None,
            Where(),
            f"Everything is reversed: AUC {reversals.auc:.2f} over all versions and cohorts, "
            f"n = {words.count(reversals.n)}; the positive class is the wrong one{named}",
            {**evidence, "pos_label": positive, "consequences": []},
            abs(reversals.z),
        )
    ]


LABEL_ENCODING = Check(
    code="H-F6",
    name="label-encoding",
    reference="H-F6. Wilcoxon's rank statistic over everything, each version ranked by itself; of several classes "
    "the exchange that makes most rows right, with a sign test over all exchanges; no version, cohort or run of "
    "windows is right",
    minimum_effect="AUC at most 0.4 over everything; of the rows of exchanged classes 20 points more would be "
    "right with them exchanged back",
    alarm_rate=ALARM_RATE,
    severity=Severity.ERROR,
    cause="Every part orders the classes the wrong way round, so the wrong label is taken as the positive class, "
    "or the score is that of the negative class; of several classes, scores stand in each other's columns.",
    remedy="Declare the other positive class, or use the score of the positive class; of several, name each column "
    "after the class whose score it holds.",
    topic="home",
    function=check_label_encoding,
)
