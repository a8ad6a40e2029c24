"""E-F1: vectors of the candidate lie elsewhere than those of the baseline, or rows of it were left behind."""

from __future__ import annotations

import numpy as np

from lib.checks import words
from lib.checks.embeddings.versions import ONE_VERSION, short
from lib.checks.result import ALARM_RATE, Answer, Finding, NotApplicable, Passed, Status, Where
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.measures import paired_rows, read_drift
from lib.embeddings.recall_drop import compared_cohorts
from lib.metrics.alignment import Alignment
from lib.metrics.drift import LEAST_EFFECTS, Drift, DriftMeasure, Measure
from lib.metrics.estimates import BoolArray
from lib.metrics.hypotheses.values import cohort_of
from lib.metrics.vector_measures import VectorDrift

FAMILIES = 2
"""The whole is looked at, and each cohort."""
LARGE = 2.0
"""So many times the least effect is large."""
SAID = {
    Measure.CENTROID_SHIFT: "the mean moved by {:.2f} of the spread",
    Measure.MAX_KS: "one dimension by {:.2f} (Kolmogorov–Smirnov)",
    Measure.MMD: "an MMD of {:.2f}",
    Measure.DOMAIN_AUC: "a classifier tells the versions apart with ROC AUC {:.2f}",
}


def check_embedding_drift(diagnosis: EmbeddingDiagnosis) -> Answer:
    """The candidate's vectors are distributed otherwise, overall or in a cohort, are stale, or of two models."""
    if not diagnosis.is_compared:
        return NotApplicable(ONE_VERSION)
    found = read_drift(diagnosis)
    drift = _judged(found)
    if drift is None:
        return NotApplicable(found.reason or "no two vectors can be compared")
    if all(each.reason for each in drift.measures):
        return NotApplicable(drift.measures[0].reason)
    moved = _moved(drift)
    whole = [_finding(diagnosis, found, drift, moved, "", "")] if moved else []
    histories = [*_stale(diagnosis, found), *_mixed(diagnosis, found, whole)]
    if any(each.evidence.get("n_far") for each in histories):
        return histories
    if histories or whole:
        return [*histories, *whole]
    worst = None if found.turned is not None else _worst_cohort(found)
    if worst is not None:
        column, value, own = worst
        return [_finding(diagnosis, found, own, _moved(own), column, value)]
    turned = "; the coordinates are turned, which no neighbour shows" if found.turned is not None else ""
    return Passed(
        f"Vectors are distributed as before (n = {words.count(min(drift.n_used, drift.m_used))}){turned}.",
        {"n": min(drift.n, drift.m), "is_turned": found.turned is not None},
    )


def _judged(found: VectorDrift) -> Drift | None:
    """What is looked at: turned pairs where coordinates were turned, pairs of most rows, else all rows."""
    if found.turned is not None:
        return found.turned
    pairs, rows = found.pairs, found.rows
    return pairs if pairs is not None and rows is not None and 2 * pairs.n >= max(rows.n, rows.m) else rows


def _moved(drift: Drift) -> list[DriftMeasure]:
    """Measures that are beyond chance and large enough, the one furthest beyond its least effect first."""
    moved = [
        each
        for each in drift.measures
        if each.p_adjusted <= ALARM_RATE / FAMILIES and each.value >= LEAST_EFFECTS[each.measure]
    ]
    return sorted(moved, key=lambda each: -each.effect)


def _worst_cohort(found: VectorDrift) -> tuple[str, str, Drift] | None:
    moved = [
        (column, value, drift)
        for column, values in found.cohorts.items()
        for value, drift in values.items()
        if _moved(drift)
    ]
    return max(moved, key=lambda each: _moved(each[2])[0].effect, default=None)


def _finding(
    diagnosis: EmbeddingDiagnosis,
    found: VectorDrift,
    drift: Drift,
    moved: list[DriftMeasure],
    column: str,
    value: str,
) -> Finding:
    settings = diagnosis.settings
    where = f" for {short(column)} = {short(value)}" if column else ""
    turned = ", once it is turned onto the other" if found.turned is not None else ""
    said = [SAID[each.measure].format(each.value) for each in moved]
    title = (
        f"Vectors{where} moved from version {short(settings.baseline)} to {short(settings.candidate)}{turned}: "
        f"{words.listing(said, 4)} (n = {words.count(drift.n_used)} and {words.count(drift.m_used)})"
    )
    parts = [own for values in found.cohorts.values() for own in values.values()]
    n_moved = sum(bool(_moved(own)) for own in parts) if found.turned is None else 0
    many = f"vectors moved in {n_moved} of {words.plural(len(parts), 'cohort')} that are compared"
    return Finding(
        Status.FAIL if moved[0].effect >= LARGE else Status.WARN,
        settings.candidate,
        Where({column: value} if column else {}),
        title,
        {
            "n": drift.n_used,
            "n_reference": drift.m_used,
            **{each.measure.value: each.value for each in drift.measures},
            **{f"{each.measure.value}_floor": each.floor for each in drift.measures},
            "p_adjusted": min(each.p_adjusted for each in moved),
            "is_paired": drift.is_paired,
            "is_turned": found.turned is not None,
            "is_new": True,
            "consequences": [many] if n_moved > bool(column) else [],
        },
        moved[0].effect,
    )


def _stale(diagnosis: EmbeddingDiagnosis, found: VectorDrift) -> list[Finding]:
    """Rows that the index was not rebuilt for."""
    aligned: Alignment | None = found.alignment
    if aligned is None or not aligned.is_stale.any():
        return []
    settings, n = diagnosis.settings, int(aligned.is_stale.sum())
    where, of = _place(diagnosis, aligned.is_stale)
    title = (
        f"Stale rows: {words.percent(n / aligned.n)} of the rows of version {short(settings.candidate)} "
        f"({words.count(n)} of {words.plural(aligned.n, 'id')} in both versions) still hold the vector of version "
        f"{short(settings.baseline)}, where the others have moved to other coordinates{of}"
    )
    evidence = {"n": aligned.n, "n_stale": n, "share": n / aligned.n, "is_new": True, "consequences": []}
    return [Finding(Status.WARN, settings.candidate, where, title, evidence, n / aligned.n)]


def _place(diagnosis: EmbeddingDiagnosis, chosen: BoolArray) -> tuple[Where, str]:
    """The cohort that holds nearly all of some paired rows, if there is one, and how a sentence ends that says so."""
    rows = paired_rows(diagnosis)[1]
    values = {
        column: diagnosis.embeddings.texts(diagnosis.settings.candidate, column).astype(np.str_)[rows]
        for column in compared_cohorts(diagnosis)
    }
    place = cohort_of(chosen, values)
    return Where({place[0]: place[1]} if place else {}), (
        f", nearly all of them of {short(place[0])} = {short(place[1])}" if place else ""
    )


def _mixed(diagnosis: EmbeddingDiagnosis, found: VectorDrift, whole: list[Finding]) -> list[Finding]:
    """Rows of two histories: most fit the other version once it is turned, the others, not counting stale, do not.

    That all rows together have moved, `whole`, follows from it.
    """
    aligned: Alignment | None = found.alignment
    if aligned is None or not aligned.is_strange.any():
        return []
    far, kept = int(aligned.is_strange.sum()), int(aligned.is_unchanged.sum())
    n_same = f", {words.count(kept)} are as they were" if kept else ""
    where, of = _place(diagnosis, aligned.is_strange)
    title = (
        f"Version {short(diagnosis.settings.candidate)} holds rows of two kinds: of {words.plural(aligned.n, 'id')} in "
        f"both versions {words.count(far)} ({words.percent(far / aligned.n)}) do not lie where the other rows are "
        f"taken to{of}{n_same}"
    )
    share = min(far, aligned.n - far) / aligned.n
    return [
        Finding(
            max((each.status for each in whole), default=Status.WARN, key=lambda status: status is Status.FAIL),
            diagnosis.settings.candidate,
            where,
            title,
            {
                "n": aligned.n,
                "n_far": far,
                "n_unchanged": kept,
                "total_residual": aligned.total_residual,
                "is_new": True,
                "consequences": [line for each in whole for line in (each.title, *each.evidence["consequences"])],
            },
            share,
        )
    ]
