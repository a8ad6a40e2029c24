"""H-F16: too few labelled rows to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lib.cells import NEGATIVE, POSITIVE
from lib.checks import words
from lib.checks.result import Answer, Finding, NotApplicable, Passed, Severity, Status, Where
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
    of_class = cells.scored.n[:, [NEGATIVE, POSITIVE]]
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
        elif not fewest:
            title += f"there is no row of the {NAMES[int(of_class[group].argmin())]} class"
        elif half > HALF_WIDTH:
            title += f"the violation rate is known to ± {100 * half:.0f} points"
        else:
            title += f"only {words.count(fewest)} of the {NAMES[int(of_class[group].argmin())]} class"
        if more is not None:
            title += f"; about {words.count(more)} more would be enough"
        evidence = {
            "n": int(n),
            "n_negative": int(of_class[group][0]),
            "n_positive": int(of_class[group][1]),
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
