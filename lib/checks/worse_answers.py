"""H-F12, H-F13 and H-F23: what `worsening` finds, as a moved threshold, more false positives or a regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lib.cells import NEGATIVE, Cells
from lib.checks import words
from lib.checks.blocks import where_of
from lib.checks.crossings import Crossing, crossing_of, find_crossed
from lib.checks.result import (
    ALARM_RATE,
    Answer,
    Check,
    CheckResult,
    Finding,
    NotApplicable,
    Passed,
    Severity,
    Status,
    Where,
)
from lib.checks.reversal import find_reversals
from lib.checks.worsening import Kind, Worsening, Worsenings, find_worsenings
from lib.grid import MISSING_BIN
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis


def check_threshold_shift(diagnosis: Diagnosis) -> Answer:
    """Warn where the threshold flags more, or fewer, of both classes, which are ordered as well as before."""
    return _answer(diagnosis, "threshold", "The threshold flags each class as often as before")


def check_false_positive_rise(diagnosis: Diagnosis) -> Answer:
    """Warn where more of the negatives are flagged."""
    return _answer(diagnosis, "false positives", "Negatives are flagged no more often than before")


def check_quality_regression(diagnosis: Diagnosis) -> Answer:
    """Warn where answers are worse and no other check says why."""
    return _answer(diagnosis, "errors", "Answers are as good as before")


def says_worse(results: Sequence[CheckResult]) -> bool:
    """Whether a finding says that the candidate as a whole answers worse than the baseline."""
    codes = ("H-F12", "H-F13", "H-F23")
    return any(each.is_finding and each.code in codes and each.where == Where() for each in results)


def _answer(diagnosis: Diagnosis, kind: Kind, passed: str) -> Answer:
    facts = diagnosis.facts
    if kind != "errors" and facts.mapping.is_multiclass:
        return NotApplicable("There are more than two classes, so there is no threshold between two answers.")
    if reason := _reason(diagnosis):
        return NotApplicable(reason)
    worsenings = find_worsenings(diagnosis)
    if kind != "errors" and not worsenings.has_both:
        return NotApplicable("Labelled rows with a score are too few, or of one class.")
    if worsenings.n == 0:
        return NotApplicable("No row has both a label and a score.")
    found = [each for each in worsenings.of_kind(kind) if not _is_of_crossing(diagnosis, worsenings, each)]
    if found:
        return [_finding(diagnosis, worsenings, each) for each in found]
    also = ", beyond what other findings explain" if _explained(diagnosis, worsenings) else ""
    return Passed(
        f"{passed}{also}, in {_compared(diagnosis)} (n = {words.count(worsenings.n)}).",
        {"n": worsenings.n, "n_parts": int(worsenings.trials)},
    )


def _is_of_crossing(diagnosis: Diagnosis, worsenings: Worsenings, each: Worsening) -> bool:
    """Whether a finding of two cohorts at once says why."""
    if each.found is not None:
        return crossing_of(diagnosis, "time", worsenings.found.index(each))[1]
    return any(
        crossed.is_reversed and diagnosis.settings.candidate in crossed.versions for crossed in find_crossed(diagnosis)
    )


def _explained(diagnosis: Diagnosis, worsenings: Worsenings) -> list[Worsening]:
    """The versions that are worse only by rows that other findings name."""
    told = [each for each in worsenings.found if each.found is None and _is_of_crossing(diagnosis, worsenings, each)]
    return [*worsenings.explained, *told]


def _reason(diagnosis: Diagnosis) -> str:
    """Why nothing can be compared; "" where it can."""
    reversals = find_reversals(diagnosis)
    if reversals.reason and not diagnosis.facts.mapping.is_multiclass:
        return f"{reversals.reason[0].upper()}{reversals.reason[1:]}."
    if reversals.everything:
        return "Everything is reversed: see label-encoding."
    if not diagnosis.is_compared and diagnosis.facts.windows is None:
        return "There is one version and there are no times, so nothing to compare with."
    return ""


def _compared(diagnosis: Diagnosis) -> str:
    """What is compared with what."""
    settings = diagnosis.settings
    said = [f"version {settings.candidate or '(none)'} against {settings.baseline or '(none)'}"]
    said = said if diagnosis.is_compared else []
    return words.listing([*said, *(["any time against the others"] if diagnosis.facts.windows is not None else [])])


def _finding(diagnosis: Diagnosis, worsenings: Worsenings, each: Worsening) -> Finding:
    axes, here, there = worsenings.axes, each.here, each.there
    version = None if each.place.version is None else axes.versions[each.place.version]
    where = Where() if each.found is None else where_of(each.place, each.found.block, axes, each.found.extent)
    crossed = None if each.found is None else crossing_of(diagnosis, "time", worsenings.found.index(each))[0]
    place = words.place(version, where, axes.facts)
    against = f"in version {diagnosis.settings.baseline or '(none)'}" if each.found is None else "at other times"
    (found, flagged), (found_before, flagged_before) = here.rates, there.rates
    rates = ""
    if each.kind != "errors":
        rates = (
            f"{words.percent(flagged)} of negatives against {words.percent(flagged_before)} {against}, "
            f"{words.percent(found)} of positives against {words.percent(found_before)}"
        )
    accuracy = f"accuracy {words.percent(here.accuracy)} against {words.percent(there.accuracy)}"
    n = f"n = {words.count(here.n)}"
    if each.kind == "threshold":
        title = f"The threshold flags {'more' if flagged > flagged_before else 'fewer'}{place}: {rates}"
        title += f"; classes are ordered as well ({_auc(each)}, {n}){_restored(diagnosis, each, version)}"
    elif each.kind == "false positives":
        title = f"More false positives{place}: {rates} ({n})"
    else:
        ordered = "" if np.isnan(each.auc) else f", {_auc(each)}"
        title = f"More wrong answers{place}: {accuracy} {against}{ordered} ({n})"
    if crossed is not None:
        where = Where(crossed.crossing.cohort, where.window)
        title += _within(crossed.crossing)
    return Finding(
        Status.WARN,
        version,
        where,
        title,
        {
            "n": int(here.n),
            "accuracy": here.accuracy,
            "accuracy_reference": there.accuracy,
            "recall": found,
            "recall_reference": found_before,
            "false_positive_rate": flagged,
            "false_positive_rate_reference": flagged_before,
            "roc_auc": each.auc,
            "roc_auc_reference": each.auc_there,
            "p_adjusted": each.p,
            "n_parts": int(worsenings.trials),
            **({} if crossed is None else crossed.crossing.evidence),
            "consequences": [],
        },
        (here.wrong / here.n - there.wrong / there.n) * float(np.sqrt(here.n)),
    )


def _within(crossing: Crossing) -> str:
    """In which part of a cohort its errors lie."""
    of_value = [f"within {column} = {value or '(none)'}" for column, value in crossing.part.cohorts[1:]]
    place = "".join(of_value) or crossing.apart_words.strip()
    return (
        f"; they lie {place}, where {words.percent(crossing.share)} are wrong against "
        f"{words.percent(crossing.share_rest)} in the rest of it"
    )


def _auc(each: Worsening) -> str:
    return f"AUC {each.auc:.2f} against {each.auc_there:.2f}"


def _restored(diagnosis: Diagnosis, each: Worsening, version: str | None) -> str:
    """The threshold at which a version flags as many negatives as the baseline; empty for a part of a version."""
    if each.found is not None or version is None:
        return ""
    at = threshold_that_flags(diagnosis.cells(VERSION).among(VERSION, (version,)), each.there.rates[1])
    return f". Beyond {words.score(at, diagnosis.facts.mapping)} it would flag as many negatives as before"


def threshold_that_flags(cells: Cells, share: float) -> float:
    """The score beyond which at most a share of the negatives lies."""
    use = (cells.block % 3 == NEGATIVE) & (cells.score_bin != MISSING_BIN)
    score, rows = cells.score[use], cells.sums[use, 0]
    order = np.argsort(score, kind="stable")
    reach = np.cumsum(rows[order])
    return float(score[order][np.searchsorted(reach, (1 - share) * reach[-1] - 1e-9)])


def explained_worsenings(diagnosis: Diagnosis) -> list[tuple[str | None, str]]:
    """(version, sentence) where the candidate is worse only by the rows that other findings name."""
    if _reason(diagnosis):
        return []
    settings, worsenings = diagnosis.settings, find_worsenings(diagnosis)
    return [
        (
            settings.candidate,
            f"answers of version {settings.candidate or '(none)'} as a whole: accuracy "
            f"{words.percent(each.here.accuracy)} against {words.percent(each.there.accuracy)} in version "
            f"{settings.baseline or '(none)'}",
        )
        for each in _explained(diagnosis, worsenings)
    ]


THRESHOLD_SHIFT = Check(
    code="H-F12",
    name="threshold-shift",
    reference="H-F12. The shares of positives and of negatives that are flagged (a score above 0), in the "
    "candidate against the baseline, without the parts that other checks name: both higher or both lower, Fisher's "
    "exact test of each, while the AUC is kept; and more errors, or a larger mean of both error rates, normal "
    "one-sided test. In time, the runs of windows that `quality-regression` and `false-positive-rise` find, where "
    "the same is true of them",
    minimum_effect="10 points more or fewer of one class are flagged, the AUC is less than 0.02 lower, and it "
    "costs 2 points of all rows or of the mean of both classes' error rates; in time 5 points of rows",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="The model tells the classes apart as well as before, but the line between them lies elsewhere: a "
    "threshold or an offset was changed, classes were weighted or sampled otherwise in training, or the "
    "calibration step of another version is in place.",
    remedy="Check the threshold mapping of the deploy. Choose the threshold anew on recent labelled rows (the "
    "Thresholds page does it), or recalibrate; the model needs no change.",
    topic="thresholds",
    function=check_threshold_shift,
)

FALSE_POSITIVE_RISE = Check(
    code="H-F13",
    name="false-positive-rise",
    reference="H-F13. Share of negatives that are flagged, in the candidate against the baseline, and in every "
    "run of windows, of all rows and of each cohort value, against the other times of its versions (scan "
    "statistic, Kulldorff 1997); Fisher's exact one-sided test, Bonferroni. Parts that other checks name are left "
    "out, and so is a rise that comes with as many more missed positives: that is a regression",
    minimum_effect="5 points and a fifth more of the negatives are flagged, and two thirds of the errors that "
    "there are more of are false positives",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="Negatives are flagged that were not: the new model was trained with more slack (a smaller C) or on "
    "other negatives, its threshold is lower than it seems, or negatives of a kind that it does not know have "
    "come.",
    remedy="Look at the negatives that are flagged now and were not before. Where they are of one kind, put such "
    "rows into training; else tune C, or raise the threshold as far as the lost recall allows.",
    topic="thresholds",
    function=check_false_positive_rise,
)

QUALITY_REGRESSION = Check(
    code="H-F23",
    name="quality-regression",
    reference="H-F23. Share of wrong answers with the classes in one mix (normal one-sided test) and ROC AUC "
    "(DeLong's interval), the candidate against the baseline; share of wrong answers in every run of windows, of "
    "all rows and of each cohort value, against the other times of its versions, class by class (scan statistic, "
    "Kulldorff 1997; Fisher's exact test); Bonferroni. Parts that other checks name are left out",
    minimum_effect="2 points more wrong answers, or an AUC 0.02 lower, than the baseline; in time 5 points more "
    "wrong answers",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="Answers are worse, and no fault that has a sign of its own explains it: the candidate is the weaker "
    "model (fewer or other features, less or older data, stronger regularisation), or for a time the cases were "
    "harder or the features poorer.",
    remedy="A version: compare the two on the same rows, look at those that only the new one gets wrong, and do "
    "not deploy it, or roll back. A time: look at the features and the slices of that time.",
    topic="comparison",
    function=check_quality_regression,
)
