"""What the Comparison page says of a change in parts: the parts in words, the cohorts, and Simpson's paradox."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from lib.comparisons import Comparison
from lib.figures.comparison_view import name_of_sample
from lib.figures.format import format_change, format_count, format_share
from lib.figures.text import plain
from lib.metrics.catalogue import Metric, Unit, metric_named
from lib.metrics.decomposition import PARTS, Decomposition
from lib.metrics.estimates import Estimate

WORDS = {
    "mix": "Cohort mix",
    "labels": "Label change",
    "ranking": "Ranking",
    "threshold": "Threshold",
    "calibration": "Calibration",
}
MEANINGS = {
    "mix": "who is there: the candidate's shares of cohorts, all else as in the baseline",
    "labels": "how many rows of each cohort are positive",
    "ranking": "which rows of a cohort score higher than others, at the same scores as a whole",
    "threshold": "how many rows of a cohort lie above 0, at the same ranking",
    "calibration": "how far from 0 scores lie, at the same decisions",
}


@dataclass(frozen=True, eq=False)
class DecompositionView:
    """A metric's change in parts by a cohort column.

    Attributes:
        names: of baseline and candidate.
        column: the cohort column.
        metric: whose change.
        before, after: the metric as a whole.
        found: the parts; None where there are none, for `reason`.
        reason: why there are no parts.
    """

    names: tuple[str, str]
    column: str
    metric: Metric
    before: Estimate
    after: Estimate
    found: Decomposition | None
    reason: str

    @classmethod
    def of(cls, comparison: Comparison, column: str, metric: str) -> DecompositionView:
        """The view of one metric and one cohort column."""
        found, samples = comparison.decomposition(column, metric), comparison.samples
        before, after = comparison.estimates(metric)
        names = name_of_sample(samples, samples.before), name_of_sample(samples, samples.after)
        is_told = isinstance(found, Decomposition)
        return cls(
            names,
            column,
            metric_named(metric),
            before,
            after,
            found if is_told else None,
            "" if is_told else str(found),
        )

    @property
    def parts(self) -> dict[str, Estimate]:
        """The parts by their words, in the order of the path; of several classes the mix and all else."""
        if self.found is None:
            return {}
        told = {WORDS[name]: each for name, each in self.found.parts.items()}
        return told if len(told) > 1 else {**told, "Within cohorts": self.found.within}

    @property
    def label(self) -> str:
        """What the metric is called."""
        return self.metric.label

    @property
    def unit(self) -> Unit:
        """In what it is measured."""
        return self.metric.unit

    def subtitle(self) -> str:
        """By which column, and of how many rows (plain text)."""
        return (
            f"By {plain(self.column, 40)}, n = {format_count(self.before.n)} and {format_count(self.after.n)} rows. "
            "Lines are 95 % intervals of the parts."
        )

    def is_worse(self, part: Estimate) -> bool:
        """Whether a part made the metric worse; never where neither way is better."""
        return self.metric.direction != "neutral" and (part.value > 0) == (self.metric.direction == "lower")

    def sentence(self) -> str:
        """Which part is largest, without a full stop (plain text)."""
        label = self.metric.label
        if self.found is None:
            return f"{label} has no parts: {self.reason}"
        largest = max(self.parts, key=lambda name: abs(self.parts[name].value))
        change = format_change(self.found.change, self.metric.unit)
        part = self.parts[largest]
        if not part.value:
            return f"{label} changed by {change}, in no part"
        said = f"{label} changed by {change}: most is {largest.lower()}, {format_change(part.value, self.metric.unit)}"
        return said if part.lower > 0 or part.upper < 0 else f"{said}, within chance"

    def paradox(self) -> str:
        """Simpson's paradox in a sentence (plain text); "" where there is none."""
        found = self.found
        if found is None or not found.reversed:
            return ""
        rose = "rose" if found.change > 0 else "fell"
        own = "fell" if found.change > 0 else "rose"
        chance = "" if found.within.lower > 0 or found.within.upper < 0 else " That may be chance."
        return (
            f"Simpson's paradox: {self.metric.label} {rose} as a whole and {own} in every {self.column}, because the "
            f"shares of {self.column} are others. Within them it changed by "
            f"{format_change(found.within.value, self.metric.unit)}.{chance}"
        )

    def order(self) -> str:
        """How the parts were made, in a sentence (plain text)."""
        if self.found is not None and len(self.found.parts) == 1:
            rest = f"what changed within each {self.column}"
            return f"The parts add up to the change exactly: {MEANINGS['mix']}; and {rest}."
        told = "; ".join(f"{WORDS[name].lower()}: {MEANINGS[name]}" for name in PARTS)
        return (
            f"The parts add up to the change exactly. In this order, from baseline to candidate and back, the mean of "
            f"both: {told}. All but the first are within each {self.column}."
        )

    def rows(self) -> list[tuple[str, str, str, Estimate, Estimate, Estimate]]:
        """Each cohort value: name, share before and after, the metric before and after, its change; largest first."""
        found = self.found
        if found is None:
            return []
        order = sorted(range(len(found.values)), key=lambda v: -max(found.share_before[v], found.share_after[v]))
        return [
            (
                found.values[v],
                format_share(float(found.share_before[v])),
                format_share(float(found.share_after[v])),
                found.before[v],
                found.after[v],
                found.changes[v],
            )
            for v in order
        ]

    def frame(self) -> pd.DataFrame:
        """One row per part, then all but the mix, then the whole."""
        held = {} if self.found is None else {**self.found.parts, "within": self.found.within}
        change = float("nan") if self.found is None else self.found.change
        return pd.DataFrame(
            {
                "part": [*held, "change"],
                "value": [*(each.value for each in held.values()), change],
                "lower": [*(each.lower for each in held.values()), float("nan")],
                "upper": [*(each.upper for each in held.values()), float("nan")],
            }
        )
