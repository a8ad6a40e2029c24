"""H-F12, H-F13 and H-F23: what `worsening` finds, as a moved threshold, more false positives or a regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lib.checks import words
from lib.checks.answer_counts import Kind, is_large_fall
from lib.checks.beginnings import REMEDY, find_beginning, first_deploy_of
from lib.checks.blocks import where_of
from lib.checks.crossings import Crossed, crossing_of, find_crossed
from lib.checks.first_rate import OF_ANSWERS
from lib.checks.regressions import Regression, find_regressions
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
from lib.checks.worse_version import WorseVersion, find_worse_version
from lib.checks.worse_words import evidence_of, regression_title, restored, sentence, strength_of, within
from lib.checks.worsening import Worsening, Worsenings, find_worsenings

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
    return any(each.is_finding and each.code in OF_ANSWERS and each.where == Where() for each in results)


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
    version, regressions = find_worse_version(diagnosis), find_regressions(diagnosis)
    found: list[Finding] = []
    if version is not None and version.kind == kind and not _is_explained(diagnosis, version):
        found.append(_finding_of_version(diagnosis, version, worsenings))
    for number, each in enumerate(worsenings.found):
        crossed, is_told = crossing_of(diagnosis, "time", number)
        if each.kind == kind and not is_told:
            found.append(_finding_of_time(worsenings, each, crossed))
    found += [
        _finding_of_regression(diagnosis, each, regressions.trials)
        for each in regressions.found
        if each.kind == kind and not each.is_reversed
    ]
    if found:
        return found
    is_named = bool(regressions.found) or (version is not None and _is_explained(diagnosis, version))
    also = ", beyond what other findings explain" if is_named else ""
    return Passed(
        f"{passed}{also}, in {_compared(diagnosis)} (n = {words.count(worsenings.n)}).",
        {"n": worsenings.n, "n_parts": int(worsenings.trials)},
    )


def _is_explained(diagnosis: Diagnosis, version: WorseVersion) -> bool:
    """Whether the candidate is worse only by rows that other findings name."""
    return version.is_explained or any(
        crossed.is_reversed and diagnosis.settings.candidate in crossed.versions for crossed in find_crossed(diagnosis)
    )


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


def _finding_of_version(diagnosis: Diagnosis, each: WorseVersion, worsenings: Worsenings) -> Finding:
    settings = diagnosis.settings
    place = words.place(settings.candidate, Where(), diagnosis.facts)
    title = sentence(each, place, f"in version {settings.baseline or '(none)'}")
    if each.kind == "threshold":
        title += restored(diagnosis, each, settings.candidate)
    is_large = is_large_fall(each.here, each.there)
    # Of the rows of a filter to a cohort that is what it is of the cohort.
    begun = first_deploy_of(diagnosis, settings.candidate, Where())
    return Finding(
        Status.FAIL if is_large else Status.WARN,
        settings.candidate,
        Where(),
        title,
        evidence_of(each, worsenings.trials) | ({} if begun is None else begun.evidence),
        strength_of(each),
        Severity.ERROR if is_large else None,
        cause="" if begun is None else begun.cause,
        remedy="" if begun is None else REMEDY,
    )


def _finding_of_time(worsenings: Worsenings, each: Worsening, crossed: Crossed | None) -> Finding:
    axes = worsenings.axes
    version = None if each.place.version is None else axes.versions[each.place.version]
    where = where_of(each.place, each.found.block, axes, each.found.extent)
    title = sentence(each, words.place(version, where, axes.facts), "at other times")
    evidence = evidence_of(each, worsenings.trials)
    if crossed is not None:
        where = Where(crossed.crossing.cohort, where.window)
        title += within(crossed.crossing)
        evidence |= crossed.crossing.apart.evidence
    return Finding(Status.WARN, version, where, title, evidence, strength_of(each))


def _finding_of_regression(diagnosis: Diagnosis, each: Regression, trials: float) -> Finding:
    candidate, where = diagnosis.settings.candidate, Where(each.cohort)
    begun = find_beginning(diagnosis, candidate, each.cohort, "error_rate") or first_deploy_of(
        diagnosis, candidate, where
    )
    is_large = is_large_fall(each.here, each.there)
    evidence = evidence_of(each, trials)
    evidence |= {"accuracy_rest": each.rest.accuracy, "accuracy_rest_reference": each.rest_there.accuracy}
    evidence |= each.apart.evidence
    evidence |= begun.evidence if begun is not None else {}
    return Finding(
        Status.FAIL if is_large else Status.WARN,
        candidate,
        where,
        regression_title(diagnosis, each),
        evidence,
        strength_of(each),
        Severity.ERROR if is_large else None,
        cause="" if begun is None else begun.cause,
        remedy="" if begun is None else REMEDY,
    )


def explained_worsenings(diagnosis: Diagnosis) -> list[tuple[str | None, str]]:
    """(version, sentence) where the candidate is worse only by the rows that other findings name."""
    if _reason(diagnosis):
        return []
    settings, version = diagnosis.settings, find_worse_version(diagnosis)
    if version is None or not _is_explained(diagnosis, version):
        return []
    return [
        (
            settings.candidate,
            f"answers of version {settings.candidate or '(none)'} as a whole: accuracy "
            f"{words.percent(version.here.accuracy)} against {words.percent(version.there.accuracy)} in version "
            f"{settings.baseline or '(none)'}",
        )
    ]


THRESHOLD_SHIFT = Check(
    code="H-F12",
    name="threshold-shift",
    reference="H-F12. The shares of positives and of negatives that are flagged (a score above 0), in the "
    "candidate against the baseline, without the parts that other checks name: both higher or both lower, Fisher's "
    "exact test of each, while the AUC is kept; and more errors, or a larger mean of both error rates, normal "
    "one-sided test. In time, the runs of windows that `quality-regression` and `false-positive-rise` find, and "
    "the cohorts and crossings that the former finds, where the same is true of them",
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
    "statistic, Kulldorff 1997); Fisher's exact one-sided test, Bonferroni; and in the cohorts and crossings that "
    "`quality-regression` finds. Parts that other checks name are left out, "
    "and so is a rise that comes with as many more missed positives: that is a regression",
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
    "Kulldorff 1997; Fisher's exact test); and in every cohort value and crossing of two cohort columns, the "
    "candidate against the baseline, by more than the other rows have changed: class by class, or the mean of both "
    "classes' rates, a normal test widened by how much stretches of the baseline's time differ, and Fisher's; the "
    "part with the largest likelihood ratio first, the others without its rows. Bonferroni. Parts that other "
    "checks name are left out. A version, a cohort or a crossing of "
    "which 20 points more are wrong, of all or of a class, is an error, as for the two checks above",
    minimum_effect="2 points more wrong answers, or an AUC 0.02 lower, than the baseline; in time, in a cohort or "
    "a crossing 5 points more wrong answers, there also 10 points of the mean of both classes' rates",
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
