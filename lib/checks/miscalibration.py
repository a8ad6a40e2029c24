"""H-F11: probabilities that do not come true."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib.checks import words
from lib.checks.collapses import find_collapses
from lib.checks.constant_score import constant_places
from lib.checks.crossings import find_crossed
from lib.checks.noisy_labels import noisy_places
from lib.checks.regressions import find_regressions
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.checks.reversal import find_reversals
from lib.checks.worse_version import find_worse_version
from lib.checks.worsening import worse_runs
from lib.errors import SettingsError
from lib.metrics.calibration import LEAST_ERROR, MiscalibrationTest
from lib.metrics.intervals import holm
from lib.metrics.recalibration import CrossFitted
from lib.metrics.recalibration_maps import MAP_LABELS
from lib.metrics.reliability import farthest_bin, reliability_bins

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

BINS_TOLD = 10
READ_AT_ONCE = 300_000
"""Of more rows the table by fold is not read for a finding, only used where somebody has had it read."""


@dataclass(frozen=True)
class Judged:
    """The test of a version, its p corrected over the shown versions, and whether it is miscalibrated."""

    test: MiscalibrationTest
    p_adjusted: float

    @property
    def is_miscalibrated(self) -> bool:
        """Beyond chance, and by enough to matter."""
        return self.p_adjusted < ALARM_RATE and self.test.effect >= LEAST_ERROR


def judge_versions(diagnosis: Diagnosis) -> dict[str, Judged]:
    """The shown versions, each judged by the probabilities that are shown."""
    tests = {version: diagnosis.calibrations.test(version) for version in diagnosis.shown_versions}
    adjusted = holm(np.array([test.p_value for test in tests.values()]))
    return {
        version: Judged(test, float(p)) for (version, test), p in zip(tests.items(), adjusted.tolist(), strict=True)
    }


def check_miscalibration(diagnosis: Diagnosis) -> Answer:
    """Warn of each shown version whose probabilities are off, unless another check names what makes them so."""
    if diagnosis.facts.mapping.is_multiclass:
        return NotApplicable("Of several classes calibration is told by class, against the rest, on its page.")
    if diagnosis.calibrations.reason:
        return NotApplicable(
            "The score is a raw decision score, not a probability; recalibration makes one, which can then be judged."
        )
    judged = judge_versions(diagnosis)
    usable = {version: each for version, each in judged.items() if not each.test.reason}
    if not usable:
        reason = next(iter(judged.values())).test.reason
        return NotApplicable(f"{reason[0].upper()}{reason[1:]}.")
    if find_reversals(diagnosis).everything:
        return NotApplicable("Everything is reversed: see label-encoding.")
    explained = _explained(diagnosis)
    found = [version for version, each in usable.items() if each.is_miscalibrated and version not in explained]
    if found:
        return [_finding(diagnosis, version, usable[version]) for version in found]
    n = sum(each.test.n for each in usable.values())
    off = [version for version in usable if usable[version].is_miscalibrated]
    said = "Probabilities are off only where another finding says why" if off else "Probabilities come true"
    return Passed(
        f"{said} (calibration error at most {words.percent(max(each.test.effect for each in usable.values()))}, "
        f"n = {words.count(n)}).",
        {"n": n, "p_adjusted": min(each.p_adjusted for each in usable.values())},
    )


def explained_miscalibrations(diagnosis: Diagnosis) -> list[tuple[str | None, str]]:
    """Versions whose probabilities are off because of what another check names, each with a sentence."""
    if diagnosis.calibrations.reason:
        return []
    explained = _explained(diagnosis)
    return [
        (version, _sentence(diagnosis, version, each))
        for version, each in judge_versions(diagnosis).items()
        if each.is_miscalibrated and version in explained
    ]


def _explained(diagnosis: Diagnosis) -> set[str]:
    """Shown versions of which a part is reversed, constant or collapsed, has wrong labels, or answers worse."""
    reversals = find_reversals(diagnosis)
    places = [each.place for each in reversals.found] + constant_places(diagnosis) + noisy_places(diagnosis)
    places += [each.place for each in find_collapses(diagnosis).found]
    places += worse_runs(diagnosis)
    crossed = {version for each in find_crossed(diagnosis) for version in each.versions}
    if find_worse_version(diagnosis) is not None or _is_of_regressions(diagnosis):
        crossed.add(diagnosis.settings.candidate)
    if reversals.everything or any(place.version is None for place in places):
        return set(diagnosis.shown_versions)
    return crossed | {diagnosis.facts.versions[place.version] for place in places if place.version is not None}


def _is_of_regressions(diagnosis: Diagnosis) -> bool:
    """Whether some cohorts of the candidate answer worse, and the baseline's probabilities come true."""
    baseline = judge_versions(diagnosis).get(diagnosis.settings.baseline)
    return baseline is not None and not baseline.is_miscalibrated and bool(find_regressions(diagnosis).found)


def _sentence(diagnosis: Diagnosis, version: str, judged: Judged) -> str:
    """What is wrong, where it weighs most."""
    n = f"n = {words.count(judged.test.n)}"
    named = words.place(version, Where(), diagnosis.facts)
    forecasts = diagnosis.calibrations.forecasts(version)
    bins = None if forecasts is None else reliability_bins(forecasts, BINS_TOLD, by_mass=True)
    worst = None if bins is None else farthest_bin(bins)
    error = f"calibration error {words.percent(judged.test.effect)}"
    if bins is None or worst is None:
        return f"Probabilities are off{named}: {error} ({n})"
    return (
        f"Probabilities are off{named}: of the {words.count(bins.n[worst])} rows with p near "
        f"{bins.mean_probability[worst]:.2f}, {words.percent(bins.positive_share[worst])} are positive; {error} ({n})"
    )


def _finding(diagnosis: Diagnosis, version: str, judged: Judged) -> Finding:
    title = _sentence(diagnosis, version, judged)
    recommended = _recommended(diagnosis, version)
    if recommended is not None:
        change = recommended.losses["log_loss_change"]
        article = "An" if recommended.name == "isotonic" else "A"
        title += (
            f". {article} {MAP_LABELS[recommended.name]} map would change the log loss by {change.value:+.3f}".replace(
                "-", "\N{MINUS SIGN}"
            )
        )
    return Finding(
        Status.WARN,
        version,
        Where(),
        title,
        {
            "n": judged.test.n,
            "debiased_calibration_error": judged.test.effect,
            "p": judged.test.p_value,
            "p_adjusted": judged.p_adjusted,
            "recommended": None if recommended is None else recommended.name,
            "consequences": [],
        },
        judged.test.effect,
    )


def _recommended(diagnosis: Diagnosis, version: str) -> CrossFitted | None:
    """The map that would help, where the table by fold is there or quickly made."""
    calibrations = diagnosis.calibrations
    if diagnosis.settings.recalibration is not None:
        return None
    if not calibrations.has_folds and diagnosis.facts.n_rows > READ_AT_ONCE:
        return None
    with contextlib.suppress(SettingsError):  # Saved cells of an earlier version have no folds.
        return calibrations.recalibration(version).recommended
    return None


MISCALIBRATION = Check(
    code="H-F11",
    name="miscalibration",
    reference="H-F11. The Brier score's miscalibration, how far it falls under the isotonic fit (Dimitriadis, "
    "Gneiting and Jordan 2021), against that of labels drawn 1,000 times with the probabilities themselves, Holm "
    "over the shown versions; for raw decision scores where recalibration gives probabilities, on rows that their "
    "map has not seen. Where another check says why probabilities are off, this is told as what follows from it",
    minimum_effect="a debiased calibration error of at least 0.02: two points between p and what comes true",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="A probability does not mean what it says, so a threshold on it, an expected cost or a sum of them is "
    "off: the model was fitted without calibration or too closely to its training rows, classes were weighted or "
    "sampled there, or the share of positives has changed since.",
    remedy="Recalibrate on held-out rows: by temperature or Platt's map where it is too sure or too unsure, by a "
    "beta or isotonic map where the curve bends otherwise and there are rows enough. The Calibration page compares "
    "them and gives the map.",
    topic="calibration",
    function=check_miscalibration,
)
