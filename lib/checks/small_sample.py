"""H-F16: too few labelled rows to decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lib.cells import NEGATIVE, POSITIVE
from lib.checks import words
from lib.checks.blocks import FloatArray
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.errors import SettingsError
from lib.metrics.intervals import how_many_more
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

HALF_WIDTH, LEAST_PER_CLASS = 0.05, 30
NAMES = ("negative", "positive")


def check_small_sample(diagnosis: Diagnosis) -> Answer:
    """Warn of a shown version whose violation rate is known no better than ± 5 points, or that lacks a class."""
    facts = diagnosis.facts
    if facts.mapping.label is None:
        return NotApplicable("There is no label column, so no rate to estimate.")
    cells = diagnosis.cells(VERSION)
    if not cells.scored.n.sum():
        return NotApplicable("No row has a score.")
    rates = diagnosis.versions["violation_rate"]
    of_class, names = _rows_by_class(diagnosis)
    findings: list[Finding] = []
    said: list[str] = []
    for group, version in enumerate(str(each) for each in cells.groups[VERSION]):
        if version not in diagnosis.shown_versions:
            continue
        rate, fewest = rates[group], float(of_class[group].min())
        n = float(of_class[group].sum())
        low, high = (rate.lower, rate.upper) if rate.is_defined else (0.0, 1.0)
        half = (high - low) / 2
        named = f" in version {version or '(none)'}" if len(facts.versions) > 1 else ""
        if half <= HALF_WIDTH and fewest >= LEAST_PER_CLASS:
            said.append(f"± {100 * half:.1f} points{named}")
            continue
        more = _more_rows(rate.value, n, half, fewest) if fewest else None
        title = f"Too few labelled rows{named} to decide (n = {words.count(n)}): "
        if not n:
            title = f"Nothing can be decided{named}: {rate.reason}"
        elif not fewest and n >= LEAST_PER_CLASS:
            none = names[int(of_class[group].argmin())]
            title = f"No labelled row{named} is of the {none} class (n = {words.count(n)}): nothing can be told from it"
        elif not fewest:
            title += f"there is no row of the {names[int(of_class[group].argmin())]} class"
        elif half > HALF_WIDTH:
            title += f"the violation rate is known to ± {100 * half:.0f} points"
        else:
            title += f"only {words.count(fewest)} of the {names[int(of_class[group].argmin())]} class"
        if more is not None:
            title += f"; about {words.count(more)} more would be enough"
        counts = of_class[group].tolist()
        by_class: dict[str, object] = {"n_negative": int(counts[0]), "n_positive": int(counts[1])}
        if facts.mapping.is_multiclass:
            by_class = {"n_by_class": {name: int(each) for name, each in zip(names, counts, strict=True)}}
        evidence = {
            "n": int(n),
            **by_class,
            "violation_rate": rate.value if rate.is_defined else None,
            "violation_rate_ci": [low, high],
            "half_width": half,
            "n_more": more,
            "consequences": [],
        }
        severity = Severity.WARNING if n < LEAST_PER_CLASS else Severity.INFO
        findings.append(Finding(Status.WARN, version, Where(), title, evidence, half, severity))
    if findings:
        return findings
    if not said:
        return NotApplicable("The chosen versions have no rows.")
    return Passed(
        f"There are enough labelled rows: the violation rate is known to {words.listing(said)}.",
        {"n": int(of_class.sum())},
    )


def _rows_by_class(diagnosis: Diagnosis) -> tuple[FloatArray, Sequence[str]]:
    """Labelled, scored rows of each version by class, and what the classes are called."""
    cells, classes = diagnosis.cells(VERSION), diagnosis.facts.mapping.class_names
    tables = diagnosis.class_tables(VERSION)
    if not classes:
        return cells.scored.n[:, [NEGATIVE, POSITIVE]], NAMES
    if tables is None:
        raise SettingsError("These saved cells have no table by class under this filter.")
    return tables.right.n.reshape(cells.n_groups, -1), classes


def _more_rows(rate: float, n: float, half: float, fewest: float) -> int:
    """Rows needed for the interval and for the rarer class, at the class balance seen so far; both have some."""
    needed = 0.0
    if half > HALF_WIDTH:
        # An interval widened by weights needs as many more rows as its own effective number lacks.
        needed = float(how_many_more(rate, n, HALF_WIDTH)) or n * ((half / HALF_WIDTH) ** 2 - 1)
    if fewest < LEAST_PER_CLASS:
        share = (fewest + 0.5) / (n + 1)
        needed = max(needed, (LEAST_PER_CLASS - fewest) / share)
    return int(np.ceil(needed))


SMALL_SAMPLE = Check(
    code="H-F16",
    name="small-sample",
    reference="H-F16. Wilson's interval of the violation rate of each shown version",
    minimum_effect="wider than ± 5 points, or fewer than 30 labelled rows of a class",
    alarm_rate=ALARM_RATE,
    severity=Severity.INFO,
    cause="Intervals are so wide that a good model and a bad one look alike.",
    remedy="Label more rows, or look at a longer period; the finding says how many are missing, or of which class "
    "there are none.",
    topic="home",
    function=check_small_sample,
)
