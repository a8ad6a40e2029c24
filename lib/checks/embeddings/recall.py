"""E-F2 and E-F6: recall that fell from baseline to candidate, and recall that differs between segments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.checks import words
from lib.checks.embeddings.hidden_fall import hidden_fall
from lib.checks.embeddings.mending import CAUSE, mending_of
from lib.checks.embeddings.versions import NO_TRUTH, ONE_VERSION, Seen, explained_words, look_at, points, short
from lib.checks.result import ALARM_RATE, Answer, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.comparison import EmbeddingComparison, read_comparison
from lib.embeddings.recall_drop import compared_cohorts, has_truth, read_recall_drop
from lib.embeddings.retrieval import read_retrieval
from lib.embeddings.saturation import LEAST_FALL, read_saturation
from lib.metrics.hypotheses import Verdict
from lib.metrics.hypotheses.finding import Hypothesis
from lib.metrics.intervals import excess_p_value, holm, mcnemar_p_value

LEAST_SEGMENT_FALL = 0.05
"""A segment's recall is noisier, and one of many."""
LARGE_FALL = 0.1
LEAST_QUERIES = 50
"""A segment of fewer queries is not judged by itself."""
LEAST_SKEW = 0.1
MATTERS = 0.1
"""Share of the change from which on a hypothesis is named as its cause."""
LISTED = 20


@dataclass(frozen=True)
class Segment:
    """Paired queries of a cohort value, or all: how many, answered by either version, and how sure a change is."""

    column: str
    value: str
    n: int
    n_lost: int
    n_gained: int
    p_adjusted: float = 1.0

    @property
    def change(self) -> float:
        """Recall of the candidate less that of the baseline."""
        return (self.n_gained - self.n_lost) / self.n

    @property
    def has_fallen(self) -> bool:
        """Whether that is beyond chance, and enough to matter."""
        least = LEAST_SEGMENT_FALL if self.column else LEAST_FALL
        return self.p_adjusted <= ALARM_RATE and self.change <= -least


def check_recall_drop(diagnosis: EmbeddingDiagnosis) -> Answer:
    """Recall@k of paired queries fell, overall or in a segment, with what caused it; or it hides a fall."""
    segments = _segments(diagnosis)
    if isinstance(segments, NotApplicable):
        return segments
    comparison = read_comparison(diagnosis)
    fallen = [each for each in segments if each.has_fallen]
    whole = segments[0]
    name = f"Recall@{diagnosis.settings.k}"
    saturation = read_saturation(diagnosis)
    if not fallen and saturation is not None:
        return [hidden_fall(diagnosis, saturation)]
    if not fallen:
        parts = f", nor in {words.plural(len(segments) - 1, 'segment')}" if len(segments) > 1 else ""
        return Passed(
            f"{name} did not fall beyond chance and by {points(LEAST_FALL)} or more{parts} "
            f"(n = {words.count(whole.n)}).",
            {"n": whole.n, "change": whole.change, "n_segments": len(segments) - 1},
        )
    told = whole if whole.has_fallen else min(fallen, key=lambda each: each.change)
    causes, drop = _causes(diagnosis), read_recall_drop(diagnosis).drop
    mending = mending_of(causes)
    before = _rate(comparison, diagnosis, told)
    cohort = {told.column: told.value} if told.column else {}
    where = f" for {short(told.column)} = {short(told.value)}" if told.column else ""
    title = (
        f"{name}{where} fell by {points(told.change)}, from {words.percent(before)} to "
        f"{words.percent(before + told.change)} of {words.count(told.n)} queries, from version "
        f"{short(diagnosis.settings.baseline)} to {short(diagnosis.settings.candidate)}"
        f"{_because(causes, drop.after.value - drop.before.value)}"
    )
    return [
        Finding(
            Status.FAIL,
            diagnosis.settings.candidate,
            Where(cohort),
            title,
            {
                "n": told.n,
                "k": diagnosis.settings.k,
                "recall_at_k": before + told.change,
                "recall_reference": before,
                "change": told.change,
                "n_lost": told.n_lost,
                "n_gained": told.n_gained,
                "p_adjusted": told.p_adjusted,
                "values": [_listed(each) for each in fallen if each.column][:LISTED],
                "causes": [each.sentence for each in causes],
                "hypotheses": [{"name": each.name, "explains": each.explains} for each in causes],
                "consequences": _consequences(comparison, [each for each in fallen if each is not told]),
            },
            -told.change,
            Severity.ERROR if -told.change >= LARGE_FALL or not told.column else Severity.WARNING,
            cause=CAUSE if mending else "",
            remedy=mending,
        )
    ]


def has_fallen(diagnosis: EmbeddingDiagnosis) -> bool:
    """Whether recall has fallen overall or in a segment, so that its causes are asked for."""
    segments = _segments(diagnosis)
    return not isinstance(segments, NotApplicable) and any(each.has_fallen for each in segments)


def _segments(diagnosis: EmbeddingDiagnosis) -> list[Segment] | NotApplicable:
    """All paired queries, then those of each cohort value; corrected for all of these."""
    if not diagnosis.is_compared:
        return NotApplicable(ONE_VERSION)
    if not has_truth(diagnosis):
        return NotApplicable(NO_TRUTH)
    ledger = read_comparison(diagnosis).ledger
    if ledger is None or len(ledger.first) < LEAST_QUERIES:
        return NotApplicable(f"fewer than {LEAST_QUERIES} queries with a right answer are in both versions")
    made = [Segment("", "", len(ledger.first), int(ledger.is_lost.sum()), int(ledger.is_gained.sum()))]
    for column in compared_cohorts(diagnosis):
        codes, values = diagnosis.cohort_codes(diagnosis.settings.candidate, column)
        of = codes[ledger.second]
        counts, lost, gained = (
            np.bincount(of[chosen], minlength=len(values))
            for chosen in (np.ones(len(of), np.bool_), ledger.is_lost, ledger.is_gained)
        )
        made += [
            Segment(column, values[code], int(counts[code]), int(lost[code]), int(gained[code]))
            for code in np.flatnonzero(counts >= LEAST_QUERIES)
        ]
    p = holm(mcnemar_p_value([each.n_gained for each in made], [each.n_lost for each in made]))
    return [
        Segment(each.column, each.value, each.n, each.n_lost, each.n_gained, float(own))
        for each, own in zip(made, p, strict=True)
    ]


def _rate(comparison: EmbeddingComparison, diagnosis: EmbeddingDiagnosis, segment: Segment) -> float:
    """Recall of the baseline in a segment."""
    ledger = comparison.ledger
    assert ledger is not None, "a segment is one of the ledger"
    inside = np.ones(len(ledger.first), np.bool_)
    if segment.column:
        codes, values = diagnosis.cohort_codes(diagnosis.settings.candidate, segment.column)
        inside = codes[ledger.second] == values.index(segment.value)
    return float(ledger.was_answered[inside].mean())


def _causes(diagnosis: EmbeddingDiagnosis) -> list[Hypothesis]:
    """Hypotheses that are confirmed, those that explain most first; without those that explain next to nothing."""
    found = [each for each in read_recall_drop(diagnosis).drop.hypotheses if each.verdict is Verdict.CONFIRMED]
    kept = [each for each in found if not each.explains < MATTERS]
    return sorted(kept, key=lambda each: -np.nan_to_num(each.explains, nan=-1.0))


def _because(causes: list[Hypothesis], change: float) -> str:
    said = [
        each.name.replace("-", " ")
        + ("" if np.isnan(each.explains) else f" ({explained_words(each.explains, change)})")
        for each in causes
    ]
    return f"; its cause: {words.listing(said)}" if said else ""


def _consequences(comparison: EmbeddingComparison, segments: list[Segment]) -> list[str]:
    said = [
        f"recall for {short(each.column)} = {short(each.value)} fell by {points(each.change)} "
        f"(n = {words.count(each.n)})"
        for each in sorted(segments, key=lambda each: each.change)[:LISTED]
    ]
    overlap = comparison.overlap_mean
    if overlap.is_defined:
        nearest = "nearest rows" if comparison.k == 1 else f"{comparison.k} nearest"
        said.append(f"of the {nearest} {words.percent(overlap.value)} are the same in both versions")
    return said


def _listed(segment: Segment) -> dict[str, object]:
    return {
        "column": segment.column,
        "value": segment.value,
        "n": segment.n,
        "change": segment.change,
        "p_adjusted": segment.p_adjusted,
    }


@dataclass(frozen=True)
class Skewed:
    """A cohort value whose queries are answered less often than the others of its version."""

    version: str
    column: str
    value: str
    n: int
    recall: float
    rest: float
    p_adjusted: float = 1.0


def check_segment_skew(diagnosis: EmbeddingDiagnosis) -> Answer:
    """Recall@k of a cohort value is below that of the rest of its version."""
    if not diagnosis.embeddings.roles.cohorts:
        return NotApplicable("there is no cohort column")
    compared = [each for version in diagnosis.settings.versions for each in _compared(diagnosis, version)]
    if not compared:
        reason = f"no cohort has {LEAST_QUERIES} queries with a right answer, and others to compare with"
        known = any(diagnosis.truth(version) is not None for version in diagnosis.settings.versions)
        return NotApplicable(reason if known else NO_TRUTH)
    p = holm(np.array([each.p_adjusted for each in compared]))
    corrected = [
        Skewed(each.version, each.column, each.value, each.n, each.recall, each.rest, float(own))
        for each, own in zip(compared, p, strict=True)
    ]
    found = [each for each in corrected if each.p_adjusted <= ALARM_RATE and each.rest - each.recall >= LEAST_SKEW]
    if not any(each.version == diagnosis.settings.candidate for each in found):
        return Passed(
            f"No segment's recall@{diagnosis.settings.k} is {points(LEAST_SKEW)} below the rest's, for certain among "
            f"the {words.count(len(compared))} that are compared.",
            {"n_segments": len(compared)},
        )
    columns = dict.fromkeys(each.column for each in found)
    return [
        finding
        for column in columns
        for own in [[each for each in found if each.column == column]]
        for finding in look_at(diagnosis, lambda version, own=own: _seen(diagnosis, version, own))
    ]


def _compared(diagnosis: EmbeddingDiagnosis, version: str) -> list[Skewed]:
    retrieval = read_retrieval(diagnosis, version)
    if retrieval.ranked is None:
        return []
    values = retrieval.of("recall_at_k", diagnosis.settings.k).values
    asked = np.flatnonzero(np.isfinite(values))
    missed, made = values[asked] < 0.5, list[Skewed]()
    for column in diagnosis.embeddings.roles.cohorts:
        if column not in diagnosis.embeddings.metadata[version].column_names:
            continue
        codes, names = diagnosis.cohort_codes(version, column)
        of = codes[retrieval.ranked.queries[asked]]
        counts, misses = np.bincount(of, minlength=len(names)), np.bincount(of[missed], minlength=len(names))
        rest, rest_misses = len(of) - counts, missed.sum() - misses
        p = excess_p_value(misses, counts, rest_misses, rest)
        made += [
            Skewed(
                version,
                column,
                names[code],
                int(counts[code]),
                float(1 - misses[code] / counts[code]),
                float(1 - rest_misses[code] / rest[code]),
                float(p[code]),
            )
            for code in np.flatnonzero((counts >= LEAST_QUERIES) & (rest >= LEAST_QUERIES))
        ]
    return made


def _seen(diagnosis: EmbeddingDiagnosis, version: str, found: list[Skewed]) -> Seen | None:
    own = sorted((each for each in found if each.version == version), key=lambda each: each.recall - each.rest)
    if not own:
        return None
    worst, others = own[0], [short(each.value) for each in own[1:]]
    also = f"; also for {words.listing(others)}" if others else ""
    clause = (
        f"Recall@{diagnosis.settings.k} for {short(worst.column)} = {short(worst.value)} is "
        f"{words.percent(worst.recall)} against {words.percent(worst.rest)} in the rest "
        f"(n = {words.count(worst.n)}){also}"
    )
    numbers = {
        "n": worst.n,
        "k": diagnosis.settings.k,
        "recall_at_k": worst.recall,
        "recall_reference": worst.rest,
        "p_adjusted": worst.p_adjusted,
        "values": [{"value": each.value, "n": each.n, "recall_at_k": each.recall} for each in own[:LISTED]],
    }
    excess = worst.rest - worst.recall
    return Seen(
        clause,
        numbers,
        excess,
        Status.FAIL if excess >= 2 * LEAST_SKEW else Status.WARN,
        where=Where({worst.column: worst.value}),
    )
