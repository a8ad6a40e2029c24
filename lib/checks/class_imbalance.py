"""H-F17: one class is so rare that numbers over all rows say next to nothing about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lib.checks import words
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.errors import SettingsError
from lib.metrics.catalogue import metric_named
from lib.metrics.classification import positive_counts
from lib.metrics.estimates import Estimate, Estimates
from lib.metrics.intervals import wilson
from lib.metrics.parts import Counts
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

RARE = 0.1
"""Of two classes: at this share of the rarer class a model that never finds it is right for nine rows of ten."""
LEAST_ROWS = 100
HIDDEN = 0.2
"""So much higher, for certain, the violation rate of the rarer class has to be than the total's to be hidden by it."""


@dataclass(frozen=True)
class Imbalance:
    """A shown version in which one class is rare: its name, its share, and violation rates of it and of all rows."""

    version: str
    name: str
    share: Estimate
    of_class: Estimate
    total: Estimate

    @property
    def is_hidden(self) -> bool:
        """Whether the total says something else than what the rarer class meets with."""
        return self.of_class.is_defined and self.total.is_defined and self.of_class.lower - self.total.value >= HIDDEN


def _classes(diagnosis: Diagnosis) -> list[tuple[str, Counts, Estimates]]:
    """Each class by name: by version its share of labelled rows, and its violation rate."""
    settings, tables = diagnosis.metric_settings, diagnosis.class_tables(VERSION)
    rate = metric_named("violation_rate")
    if not settings.classes:
        cells = diagnosis.cells(VERSION)
        share = positive_counts(cells)
        other = replace(
            share, hits=share.n - share.hits, w_hits=share.w - share.w_hits, w2_hits=share.w2 - share.w2_hits
        )
        return [
            (name, counts, rate.estimate(cells.of_label(label), settings))
            for label, name, counts in ((-1, "negative", other), (1, "positive", share))
        ]
    if tables is None:
        raise SettingsError("These saved cells have no table by class under this filter.")
    violations = tables.of_classes(rate.estimate(tables.by_class, settings))
    whole, step = tables.right, len(tables.names)
    found: list[tuple[str, Counts, Estimates]] = []
    for place, name in enumerate(tables.names):
        places = np.arange(place, len(whole.n), step)
        n, w, w2 = (getattr(whole, each).reshape(-1, step) for each in ("n", "w", "w2"))
        counts = Counts(
            n.sum(axis=1), n[:, place], w.sum(axis=1), w2.sum(axis=1), w[:, place], w2[:, place], np.zeros(len(n))
        )
        found.append((name, counts, violations.take(places)))
    return found


def find_imbalances(diagnosis: Diagnosis) -> list[Imbalance]:
    """The shown versions whose rarest class has, beyond doubt, at most a fifth of what it would have if all were even.

    Of two classes that is a tenth of the labelled rows.
    """
    versions, classes = diagnosis.versions, _classes(diagnosis)
    rare = 2 * RARE / len(classes)
    level = 1 - 2 * ALARM_RATE / (len(diagnosis.shown_versions) * max(len(classes) - 1, 1))
    found: list[Imbalance] = []
    for group, version in enumerate(str(each) for each in versions.groups[VERSION]):
        name, counts, violations = min(classes, key=lambda each: float(np.nan_to_num(each[1].rate[group], nan=1.0)))
        if version not in diagnosis.shown_versions or counts.n[group] < LEAST_ROWS:
            continue
        share, high = counts.estimates()[group], wilson(counts.rate, counts.n_effective, level)[1][group]
        if share.is_defined and 0 < share.value < 1 and high <= rare:
            found.append(Imbalance(version, name, share, violations[group], versions["violation_rate"][group]))
    return found


def check_class_imbalance(diagnosis: Diagnosis) -> Answer:
    """Tell that one class is rare, and which number to read instead of the total; warn where the total hides it.

    Versions in which it is the same class have one cause: one finding for them all.
    """
    if diagnosis.facts.mapping.label is None:
        return NotApplicable("There is no label column.")
    classes = _classes(diagnosis)
    shown = np.isin(diagnosis.versions.groups[VERSION], diagnosis.shown_versions)
    n = classes[0][1].n[shown]
    if not (n >= LEAST_ROWS).any():
        return NotApplicable(f"No shown version has {LEAST_ROWS} labelled rows.")
    rates = np.stack([counts.rate[shown] for _name, counts, _rate in classes])
    if np.isin(rates, (0, 1)).all():
        return NotApplicable("All labelled rows are of one class.")
    found = find_imbalances(diagnosis)
    if not found:
        said = [words.percent(value) for value in rates.min(axis=0) if not np.isnan(value)]
        which = ("Neither class is rare: the rarer one", "No class is rare: the rarest one")[len(classes) > 2]
        return Passed(f"{which} has {words.listing(said)} of labelled rows.", {"n": int(n.sum())})
    names = sorted({each.name for each in found}, reverse=True)
    return [_finding(diagnosis, [each for each in found if each.name == name]) for name in names]


def _finding(diagnosis: Diagnosis, alike: list[Imbalance]) -> Finding:
    """One rare class in one version, or in several: with the numbers of the version that hides it most."""
    worst = max(alike, key=lambda each: np.nan_to_num(each.of_class.value - each.total.value))
    several = bool(diagnosis.facts.mapping.classes)
    name = f"of class {worst.name}" if several else worst.name
    of_class = f"class {worst.name}" if several else f"the {worst.name} class"
    shares = [
        f"{words.percent(each.share.value)}{words.place(each.version, Where(), diagnosis.facts)} "
        f"({words.percent(each.share.lower)} to {words.percent(each.share.upper)}, n = {words.count(each.share.n)})"
        for each in alike
    ]
    title = f"Few labelled rows are {name}: {words.listing(shares)}"
    if worst.of_class.is_defined:
        title += (
            f"; read the violation rate of {of_class}, {words.percent(worst.of_class.value)}, "
            f"not the total, {words.percent(worst.total.value)}"
        )
    return Finding(
        Status.WARN,
        worst.version if len(alike) == 1 and len(diagnosis.facts.versions) > 1 else None,
        Where(),
        title,
        {
            "n": int(worst.share.n),
            "minority_class": worst.name if several else {"negative": -1, "positive": 1}[worst.name],
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


CLASS_IMBALANCE = Check(
    code="H-F17",
    name="class-imbalance",
    reference="H-F17. Wilson's interval of the share of the rarer class among the labelled rows of each shown "
    "version, Bonferroni",
    minimum_effect="beyond doubt at most 10 % of labelled rows are of the rarer class (a model that never finds it "
    "is right for nine rows of ten), of K classes a fifth of n/K; a warning where its violation rate is for "
    "certain 20 points above the total",
    alarm_rate=ALARM_RATE,
    severity=Severity.INFO,
    cause="One class dominates, so accuracy, loss and violation rate over all rows are those of that class, and "
    "what happens to the other hardly moves them.",
    remedy="Read the numbers of each class, recall, precision and average precision; weight the classes in "
    "training, and choose the threshold for the rarer one.",
    topic="margins",
    function=check_class_imbalance,
)
