"""H-F17: one class is so rare that numbers over all rows say next to nothing about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib.checks import words
from lib.checks.result import ALARM_RATE, Answer, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.metrics.catalogue import metric_named
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import wilson
from lib.metrics.parts import Counts
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

RARE = 0.1
"""At this share of the rarer class a model that never finds it is right for nine rows of ten."""
LEAST_ROWS = 100
HIDDEN = 0.2
"""So much higher, for certain, the violation rate of the rarer class has to be than the total's to be hidden by it."""
NAMES = {-1: "negative", 1: "positive"}


@dataclass(frozen=True)
class Imbalance:
    """A shown version in which one class is rare: its label, its share, and violation rates of it and of all rows."""

    version: str
    label: int
    share: Estimate
    of_class: Estimate
    total: Estimate

    @property
    def is_hidden(self) -> bool:
        """Whether the total says something else than what the rarer class meets with."""
        return self.of_class.is_defined and self.total.is_defined and self.of_class.lower - self.total.value >= HIDDEN


def find_imbalances(diagnosis: Diagnosis) -> list[Imbalance]:
    """The shown versions whose rarer class is below a tenth of the labelled rows beyond doubt."""
    cells, settings = diagnosis.cells(VERSION), diagnosis.metric_settings
    shares, total = diagnosis.versions["positive_share"], diagnosis.versions["violation_rate"]
    balance, rate = metric_named("positive_share"), metric_named("violation_rate")
    counts = None if balance.parts is None else balance.parts(cells, settings)
    assert isinstance(counts, Counts)
    level = 1 - 2 * ALARM_RATE / len(diagnosis.shown_versions)
    low, high = wilson(counts.rate, counts.n_effective, level)
    found: list[Imbalance] = []
    for group, version in enumerate(str(each) for each in cells.groups[VERSION]):
        if version not in diagnosis.shown_versions or counts.n[group] < LEAST_ROWS:
            continue
        share = shares[group]
        if not share.is_defined or share.value in (0, 1) or not (high[group] <= RARE or low[group] >= 1 - RARE):
            continue
        label = 1 if share.value < 0.5 else -1
        if label == -1:
            share = Estimate(1 - share.value, 1 - share.upper, 1 - share.lower, share.n)
        of_class = rate.estimate(cells.of_label(label), settings)[group]
        found.append(Imbalance(version, label, share, of_class, total[group]))
    return found


def check_class_imbalance(diagnosis: Diagnosis) -> Answer:
    """Tell that one class is rare, and which number to read instead of the total; warn where the total hides it.

    Versions in which it is the same class have one cause: one finding for them all.
    """
    if diagnosis.facts.mapping.label is None:
        return NotApplicable("There is no label column.")
    shares = diagnosis.versions["positive_share"]
    shown = np.isin(diagnosis.versions.groups[VERSION], diagnosis.shown_versions)
    if not (shares.n[shown] >= LEAST_ROWS).any():
        return NotApplicable(f"No shown version has {LEAST_ROWS} labelled rows.")
    if np.isin(shares.value[shown], (0, 1)).all():
        return NotApplicable("All labelled rows are of one class.")
    found = find_imbalances(diagnosis)
    if not found:
        said = [words.percent(min(value, 1 - value)) for value in shares.value[shown] if not np.isnan(value)]
        return Passed(
            f"Neither class is rare: the rarer one has {words.listing(said)} of labelled rows.",
            {"n": int(shares.n[shown].sum())},
        )
    labels = sorted({each.label for each in found}, reverse=True)
    return [_finding(diagnosis, [each for each in found if each.label == label]) for label in labels]


def _finding(diagnosis: Diagnosis, alike: list[Imbalance]) -> Finding:
    """One rare class in one version, or in several: with the numbers of the version that hides it most."""
    worst = max(alike, key=lambda each: np.nan_to_num(each.of_class.value - each.total.value))
    name = NAMES[worst.label]
    shares = [
        f"{words.percent(each.share.value)}{words.place(each.version, Where(), diagnosis.facts)} "
        f"({words.percent(each.share.lower)} to {words.percent(each.share.upper)}, n = {words.count(each.share.n)})"
        for each in alike
    ]
    title = f"Few labelled rows are {name}: {words.listing(shares)}"
    if worst.of_class.is_defined:
        title += (
            f"; read the violation rate of the {name} class, {words.percent(worst.of_class.value)}, "
            f"not the total, {words.percent(worst.total.value)}"
        )
    return Finding(
        Status.WARN,
        worst.version if len(alike) == 1 and len(diagnosis.facts.versions) > 1 else None,
        Where(),
        title,
        {
            "n": int(worst.share.n),
            "minority_class": worst.label,
            "minority_share": worst.share.value,
            "minority_share_ci": [worst.share.lower, worst.share.upper],
            "violation_rate": worst.total.value,
            "violation_rate_minority": worst.of_class.value,
            "violation_rate_minority_ci": [worst.of_class.lower, worst.of_class.upper],
            "versions": [{"version": each.version, "minority_share": each.share.value} for each in alike],
            "consequences": [],
        },
        1 - worst.share.value,
        Severity.WARNING if any(each.is_hidden for each in alike) else None,
    )
