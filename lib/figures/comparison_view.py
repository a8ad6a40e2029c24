"""What the Comparison page says of two samples: its sentence, each metric's change and verdict, and who is in both."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.comparisons import Comparison, Samples
from lib.diagnose import Diagnosis
from lib.figures.format import (
    DAY,
    NO_BREAK,
    POINTS,
    format_change,
    format_count,
    format_interval,
    format_more_rows,
    format_plural,
    format_share,
    format_time,
    format_value,
)
from lib.figures.frame import filter_words, provenance_line, source_line
from lib.figures.text import MISSING, name_of
from lib.metrics.catalogue import METRICS, Metric, Unit
from lib.metrics.comparison import Change, Flips
from lib.metrics.estimates import Estimate
from lib.metrics.verdicts import PER_CENT, Judgement
from lib.metrics.verdicts import POINTS as TOLERATED_POINTS
from lib.scan.pairs import ABSENT, NO_MARGIN, REPEATED, Pairs
from lib.schema import VERSION, WINDOW

WRONG, RIGHT = 0, 1
"""Places of a margin before and after: whether the decision is the label's."""
MOVES = {
    "broken": ((RIGHT,), (WRONG,), "Broken: right before, wrong after"),
    "fixed": ((WRONG,), (RIGHT,), "Fixed: wrong before, right after"),
    "both_wrong": ((WRONG,), (WRONG,), "Wrong in both"),
    "both_right": ((RIGHT,), (RIGHT,), "Right in both"),
}


def paired_by_id(pairs: Pairs, first: str, second: str) -> str:
    """Which ids are not followed, in a sentence (plain text); "" where all are."""
    every = (ABSENT, REPEATED, NO_MARGIN, WRONG, RIGHT)
    counts = {
        f"only in {first}": pairs.count(every, (ABSENT,)),
        f"only in {second}": pairs.count((ABSENT,), every),
        "more than once in a version": pairs.count((REPEATED,), every)
        + pairs.count(every[:1] + every[2:], (REPEATED,)),
        "labelled otherwise": int(pairs.n[pairs.relabelled].sum()),
    }
    said = [f"{format_count(n)} {words}" for words, n in counts.items() if n]
    return f"Ids that are {', '.join(said)} say nothing of flips." if said else ""


@dataclass(frozen=True)
class MetricRow:
    """One metric of both samples."""

    metric: Metric
    before: Estimate
    after: Estimate
    change: Change
    judgement: Judgement | None
    is_comparable: bool

    @property
    def verdict(self) -> str:
        """The verdict in words; "" where neither way is better."""
        if not self.is_comparable:
            return "not comparable"
        return "" if self.judgement is None else self.judgement.word

    @property
    def tone(self) -> str:
        """How the verdict is marked."""
        return self.verdict if self.verdict not in ("cannot tell yet", "unchanged") else ""

    @property
    def beside(self) -> str:
        """What stands beneath the verdict: whether it is tolerable, or how many rows would tell."""
        if self.judgement is None or not self.is_comparable:
            return ""
        margin = format_change(self.judgement.tolerance, self.metric.unit).removeprefix("+").removeprefix("±")
        if self.judgement.word in ("better", "unchanged"):
            return ""
        if self.judgement.is_tolerable:
            return f"by less than {margin}" if self.judgement.word == "worse" else f"but no worse than by {margin}"
        if self.judgement.word == "worse":
            return ""
        return format_more_rows(self.judgement.more_rows, self.change.estimate, self.metric.unit, " in each")


@dataclass(frozen=True, eq=False)
class ComparisonView:
    """The whole comparison.

    Attributes:
        comparison: the numbers.
        rows: of the metrics that are defined in one of the two, in the order of `METRICS`.
    """

    comparison: Comparison
    rows: tuple[MetricRow, ...]

    @classmethod
    def of(cls, comparison: Comparison, points: float = TOLERATED_POINTS, per_cent: float = PER_CENT) -> ComparisonView:
        """The view of a comparison under two margins: points of shares and indices, per cent of losses and scores."""
        rows: list[MetricRow] = []
        for metric in METRICS:
            before, after = comparison.estimates(metric.name)
            if not before.is_defined and not after.is_defined:
                continue
            rows.append(
                MetricRow(
                    metric,
                    before,
                    after,
                    comparison.change(metric.name),
                    comparison.judgement(metric.name, points, per_cent),
                    comparison.is_comparable(metric.name),
                )
            )
        return cls(comparison, tuple(rows))

    @property
    def names(self) -> tuple[str, str]:
        """What the two samples are called."""
        samples = self.comparison.samples
        return name_of_sample(samples, samples.before), name_of_sample(samples, samples.after)

    @property
    def flips(self) -> Flips | None:
        """What became of the decisions of paired rows."""
        return self.comparison.flips

    @property
    def is_unchanged(self) -> bool:
        """Whether both are the same rows with the same scores and labels."""
        return self.comparison.is_identical

    def answer(self) -> str:
        """What the page says, in one or two sentences (plain text)."""
        first, second = self.names
        words = [row.verdict for row in self.rows if row.judgement is not None]
        if not words:
            return f"{second} cannot be compared with {first}: no metric is defined in both."
        if self.is_unchanged:
            return f"{second} against {first}: the predictions are identical, nothing changed. {self._flips_words()}"
        counts = {word: words.count(word) for word in ("worse", "better", "unchanged", "cannot tell yet")}
        said = ", ".join(f"{word} in {n}" for word, n in counts.items() if n)
        numbers = format_plural(len(words), "number")
        return f"{second} against {first}, of {numbers}: {said}. {self._flips_words()}".strip()

    def _flips_words(self) -> str:
        flips = self.flips
        if flips is None:
            return ""
        if not flips.moved:
            same = "" if self.is_unchanged else ": their predictions are identical"
            return f"All {format_plural(flips.n, 'row')} in both have the same score{same}."
        if not flips.n_labelled:
            return f"Of {format_plural(flips.n, 'row')} in both, {format_count(flips.churned)} have another decision."
        if not flips.fixed + flips.broken:
            return f"Of {format_plural(flips.n_labelled, 'labelled row')} in both, none was fixed and none broken."
        chance = "beyond chance" if flips.p < 0.05 else "within chance"
        return (
            f"Of {format_plural(flips.n_labelled, 'labelled row')} in both, {format_count(flips.fixed)} were fixed and "
            f"{format_count(flips.broken)} broken, a difference {chance} (McNemar's exact p = {flips.p:.2g})."
        )

    @property
    def is_paired(self) -> bool:
        """Whether the change of one metric at least is told of paired rows."""
        return any(row.change.is_paired for row in self.rows)

    def pairing(self) -> str:
        """Whether rows are paired, and which are not, in a sentence or two (plain text)."""
        why, pairs = self.comparison.why_unpaired, self.comparison.pairs
        if why or pairs is None or self.flips is None:
            return f"Intervals are unpaired: {why}." if why else ""
        paired = sum(row.change.is_paired for row in self.rows)
        left = len(self.rows) - paired
        said = (
            f"Intervals are paired by id: {format_plural(self.flips.n, 'row')} in both tell how the two move together."
        )
        if left:
            said += (
                f" {format_plural(left, 'number')} that rows do not add up to {'is' if left == 1 else 'are'} unpaired."
            )
        return f"{said} {paired_by_id(pairs, *self.names)}".strip()

    def frame(self) -> pd.DataFrame:
        """One row per metric."""
        return pd.DataFrame(
            {
                "metric": [row.metric.name for row in self.rows],
                "before": [row.before.value for row in self.rows],
                "after": [row.after.value for row in self.rows],
                "change": [row.change.estimate.value for row in self.rows],
                "lower": [row.change.estimate.lower for row in self.rows],
                "upper": [row.change.estimate.upper for row in self.rows],
                "correlation": [row.change.correlation for row in self.rows],
                "verdict": [row.verdict for row in self.rows],
                "tolerance": [np.nan if row.judgement is None else row.judgement.tolerance for row in self.rows],
            }
        )


def name_of_sample(samples: Samples, value: str) -> str:
    """What a sample is called (plain text)."""
    if samples.key == WINDOW:
        # Where windows are days or wider, this says the day alone.
        return format_time(int(value), DAY if int(value) % DAY == 0 else 60)
    name = value or MISSING
    return name if samples.key == VERSION else f"{samples.kind} {name}"


def comparison_provenance(comparison: Comparison) -> str:
    """Where a figure of the comparison comes from, in one escaped line."""
    diagnosis, samples = comparison.diagnosis, comparison.samples
    if comparison.is_of_versions:
        return provenance_line(diagnosis)
    first, second = (name_of(name_of_sample(samples, value)) for value in (samples.before, samples.after))
    settings = diagnosis.settings
    parts = [f"{second} against {first}", name_of(settings.candidate), filter_words(settings.where)]
    return source_line(diagnosis.facts, [*parts, f"γ = {settings.margin_target:g}"], diagnosis.made_at)


def sample_values(diagnosis: Diagnosis, key: str) -> list[str]:
    """The values of a key that the candidate has rows of, in their order; of windows those with a time."""
    if key == VERSION:
        return list(diagnosis.facts.versions)
    cells = diagnosis.cells(VERSION, key)
    own = cells.groups[VERSION] == diagnosis.settings.candidate
    values = cells.groups[key][own].tolist()
    if key == WINDOW:
        return [str(each) for each in values if each >= 0 or each > -(2**61)]
    order = {value: place for place, value in enumerate(diagnosis.facts.splits)}
    return sorted(map(str, values), key=lambda value: (order.get(value, len(order)), value))


def change_words(change: Estimate, unit: Unit) -> tuple[str, str]:
    """A change, and its interval beneath."""
    if not change.is_defined:
        return "undefined", change.reason
    low, high = (format_change(end, unit) for end in (change.lower, change.upper))
    return format_change(change.value, unit), f"{low.removesuffix(POINTS)} to {high}"


def flips_words(flips: Flips) -> list[str]:
    """Agreement, and what has no part in the table of flips, in sentences (plain text)."""
    agreement = flips.agreement
    around = format_interval(agreement.lower, agreement.upper, "share")
    said = [
        f"The two decide alike in {format_share(agreement.value)} ({around}) of {format_plural(flips.n, 'row')} in "
        f"both; {format_count(flips.churned)} churned."
    ]
    unlabelled = flips.churned - flips.fixed - flips.broken
    if unlabelled > 0 and flips.n > flips.n_labelled:
        said.append(f"{format_count(unlabelled)} of those that churned are without one label in both or stay wrong.")
    if flips.n_relabelled:
        said.append(
            f"{format_plural(flips.n_relabelled, 'row')} in both have another label and are in no count of flips."
        )
    return said


def auc_words(comparison: Comparison) -> str:
    """DeLong's test in a sentence (plain text); "" where there is none."""
    found = comparison.delong
    if found is None or math.isnan(found.p):
        return ""
    bound = f" ± {format_value(found.bound, 'index')} by binning" if found.bound > 0 else ""
    chance = "beyond" if found.p < 0.05 else "within"
    return (
        f"ROC AUC changed by {format_change(found.change, 'index')}, {chance} chance by DeLong's test: standard error "
        f"{format_value(found.standard_error, 'index')}{bound}, p{NO_BREAK}={NO_BREAK}{found.p:.2g}."
    )
