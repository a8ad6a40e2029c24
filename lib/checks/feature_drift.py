"""H-F15: what the model is given has changed, in a version, in a split or for a time, or is missing there."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib.checks import words
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
from lib.metrics.feature_drift import FeatureDrift
from lib.metrics.feature_moves import Move, What
from lib.scan.facts import Facts

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

NOT_READ = "The features were not read yet; the Features page reads them."
LARGE_DISTANCE, LARGE_CHANGE, LARGE_MISSING = 0.3, 0.2, 0.5
LISTED = 20


@dataclass(frozen=True)
class Moved:
    """One feature that moved somewhere, or is missing there."""

    column: str
    what: What
    move: Move

    @property
    def p(self) -> float:
        """Of its comparison."""
        return self.move.missing_p if self.what == "missing" else self.move.p

    @property
    def strength(self) -> float:
        """How far it moved."""
        if self.what == "missing":
            return abs(self.move.missing - self.move.missing_reference)
        return abs(self.move.distance)

    @property
    def is_large(self) -> bool:
        """Whether the model is given something else altogether."""
        if self.what == "missing":
            return self.strength >= LARGE_MISSING
        return self.strength >= (LARGE_DISTANCE if not self.move.category else LARGE_CHANGE)

    def says(self, facts: Facts) -> str:
        """What happened to it, in a few words; that a file lacks the column where that is why it is missing."""
        move = self.move
        if self.what == "missing":
            absent = words.only_in(self.column, facts)
            if absent and self.strength == 1:
                return f"{self.column} {absent}"
            return (
                f"{self.column} is missing in {words.percent(move.missing)} of rows against "
                f"{words.percent(move.missing_reference)}" + (f" (it {absent})" if absent else "")
            )
        if move.category:
            return (
                f"{self.column} is {move.category} in {words.percent(move.share)} of rows against "
                f"{words.percent(move.share_reference)}"
            )
        return f"{self.column} is distributed otherwise (Kolmogorov–Smirnov distance {move.distance:.2f})"


def find_moved(drifts: tuple[FeatureDrift, ...]) -> list[list[Moved]]:
    """What moved, the surest first, and together what moved in the same place: that has one cause."""
    found = [Moved(drift.column, what, move) for drift in drifts for what, move in drift.causes]
    places: list[list[Moved]] = []
    for each in sorted(found, key=lambda moved: (moved.p, -moved.strength)):
        alike = next((place for place in places if _is_same_place(place[0].move, each.move)), None)
        if alike is None:
            places.append([each])
        else:
            alike.append(each)
    return places


def _is_same_place(first: Move, second: Move) -> bool:
    if (first.against, first.split) != (second.against, second.split):
        return False
    if first.window is None or second.window is None:
        return first.window == second.window
    # Runs that overlap or touch are the same time: a fault may begin or end within a window.
    return max(first.window[0], second.window[0]) <= min(first.window[1], second.window[1])


def check_feature_drift(diagnosis: Diagnosis) -> Answer:
    """Warn of each version, split or time in which features are distributed otherwise, or are missing."""
    if not diagnosis.feature_columns:
        return NotApplicable("There is no feature column and no cohort column.")
    if diagnosis.facts.saved:
        return NotApplicable("Saved cells hold no features.")
    features = diagnosis.features
    if features is None:
        return NotApplicable(NOT_READ)
    compared = len(features.drifts)
    places = find_moved(features.drifts)
    if places:
        return [_finding(diagnosis, place, compared) for place in places]
    if not any(drift.moves for drift in features.drifts):
        return NotApplicable("There are no two versions, splits or times whose features could be compared.")
    return Passed(
        f"No feature is distributed otherwise in a version, a split or a time ({words.count(compared)} compared).",
        {"n_features": compared},
    )


def with_drifts_of_scores(results: list[CheckResult]) -> list[CheckResult]:
    """Each finding of this check with the drifts of scores in the same place: what it does there."""
    drifts = [each for each in results if each.is_finding and each.name == "score-drift"]
    return [
        dataclasses.replace(result, evidence={**result.evidence, "consequences": told})
        if result.name == "feature-drift" and (told := [each.title for each in drifts if _is_there(each, result)])
        else result
        for result in results
    ]


def _is_there(drift: CheckResult, moved: CheckResult) -> bool:
    if None not in (drift.version, moved.version) and drift.version != moved.version:
        return False
    if drift.evidence.get("split") != moved.evidence.get("split"):
        return False
    first, second = drift.where.window, moved.where.window
    if first is None or second is None:
        return first is second
    return max(first[0], second[0]) < min(first[1], second[1])


def _finding(diagnosis: Diagnosis, place: list[Moved], compared: int) -> Finding:
    move = place[0].move
    versions = list(dict.fromkeys(each.move.version for each in place))
    version = versions[0] if len(versions) == 1 else None
    windows = [each.move.window for each in place if each.move.window is not None]
    where = Where({}, (min(start for start, _ in windows), max(end for _, end in windows)) if windows else None)
    reference = {
        "baseline": f"version {diagnosis.settings.baseline}",
        "other splits": "the other splits",
        "other times": "other times",
    }[move.against]
    at = words.place(version, where, diagnosis.facts) + (f" in split {move.split}" if move.split else "")
    columns = list(dict.fromkeys(each.column for each in place))
    own = {each.column: each for each in reversed(place)}
    listed = words.listing([own[column].says(diagnosis.facts) for column in columns], 2)
    many = words.plural(len(columns), "feature")
    return Finding(
        Status.FAIL if any(each.is_large for each in place) else Status.WARN,
        version,
        where,
        f"{many} moved{at} against {reference}: {listed} (n = {words.count(move.n_rows)})",
        {
            "n": move.n_rows,
            "n_reference": move.n_reference,
            "against": move.against,
            "split": move.split,
            "versions": versions,
            "n_features": compared,
            "features": [_evidence(each, compared) for each in place[:LISTED]],
            "consequences": [],
        },
        max(each.strength for each in place),
    )


def _evidence(moved: Moved, compared: int) -> dict[str, Any]:
    move = moved.move
    return {
        "feature": moved.column,
        "what": moved.what,
        "version": move.version,
        "distance": move.distance,
        "category": move.category or None,
        "missing": move.missing,
        "missing_reference": move.missing_reference,
        "p_adjusted": min(6 * compared * moved.p, 1.0),
    }


FEATURE_DRIFT = Check(
    code="H-F15",
    name="feature-drift",
    reference="H-F15. Every numeric feature (Kolmogorov–Smirnov over 40 bins) and cohort column ("
    "Fisher's exact test of the category that changed most), and the share of missing values (Fisher): the "
    "candidate against the baseline, each split against the others, every run of windows against the rest of its "
    "version, split by split; Bonferroni over all of these and all features",
    minimum_effect="a Kolmogorov–Smirnov distance of at least 0.1 (a mean moved by a quarter of the spread), a "
    "category's share changed by 3 points, or 5 points more or fewer missing values",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="The model is given something else than before: a unit or an encoding was changed, a join or a default "
    "fills in where a source is missing, staging computes a feature otherwise than production, or the world has "
    "changed.",
    remedy="Compare how these features are made in the two places, and restore parity; where the world has "
    "changed, retrain on recent data.",
    topic="features",
    function=check_feature_drift,
)
