"""What the Margins page shows: bars, medians, violation rates and quantiles, apart by class, split or cohort."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.cells import Cells
from lib.diagnose import Diagnosis
from lib.figures.format import format_score, format_share
from lib.figures.histogram_view import Bars, Distribution
from lib.figures.nothing import nothing_words
from lib.figures.text import margin_axis
from lib.metrics.estimates import Estimate, Estimates
from lib.metrics.margins import margin_quantile, violation_rate, violation_rate_by_class
from lib.schema import CLASS, MISSING_KEY, SPLIT, VERSION, cohort_column, cohort_key

BY_VERSION, BY_CLASS, BY_SPLIT = "version", "class", SPLIT
"""What the panels can be; the key of a cohort column is another."""

QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
MOST_PANELS = 6


@dataclass(frozen=True, eq=False)
class Group:
    """One version within one panel: its bars, its median and its violation rate."""

    bars: Bars
    median: Estimate
    violation: Estimate
    quantiles: tuple[Estimate, ...]

    @property
    def code(self) -> str:
        """A few digits that tell it apart from other groups: what a bar carries of it."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:12]

    @property
    def name(self) -> str:
        """What it is called in a link and on screen."""
        return f"{self.bars.version}, {self.bars.panel}" if self.bars.panel else self.bars.version


@dataclass(frozen=True, eq=False)
class MarginsView:
    """The margins of the chosen versions, apart by class or split or not.

    Attributes:
        baseline, candidate: versions; the same where there is one.
        margin_target: γ.
        by: what the panels are: `BY_VERSION` (one for all), `BY_CLASS`, `BY_SPLIT` or the key of a cohort column.
        distribution: the bars.
        groups: by panel and version, baseline first.
        left_out: how many panels there would be more.
        nothing: why there are no margins, if there are none.
        of_two: whether there are two classes.
        axis: what the axis of margins is called.
    """

    baseline: str
    candidate: str
    margin_target: float
    by: str
    distribution: Distribution
    groups: tuple[Group, ...]
    left_out: int = 0
    nothing: str = ""
    of_two: bool = True
    axis: str = ""

    @classmethod
    def of(cls, diagnosis: Diagnosis, by: str = BY_VERSION) -> MarginsView:
        """The view of a diagnosis; of a cohort column, the values that the Cohorts page ranks highest."""
        settings, versions, gamma = diagnosis.settings, diagnosis.shown_versions, diagnosis.settings.margin_target
        of_two = not diagnosis.facts.mapping.is_multiclass
        key = None if by == BY_VERSION or (by == BY_CLASS and of_two) else by
        cells = diagnosis.cells(VERSION) if key is None else diagnosis.cells(VERSION, key)
        values = [""] if key is None else _panel_values(diagnosis, key, cells)
        cells = cells.among(VERSION, versions)
        if key is not None:
            cells = cells.among(key, values[:MOST_PANELS])
        distribution = Distribution.of(cells, gamma, by_class=key is None and by == BY_CLASS, by=key)
        if key is None and by == BY_CLASS:
            violations = violation_rate_by_class(cells, gamma)
            quantiles = {label: _quantiles(cells.of_label(label)) for label in (-1, 1)}
        else:
            violations, quantiles = {0: violation_rate(cells, gamma)}, {0: _quantiles(cells)}
        groups: list[Group] = []
        per_group = 2 if key is None and by == BY_CLASS else 1
        for place, bars in enumerate(distribution.bars):
            label = bars.label or 0
            each = tuple(one[place // per_group] for one in quantiles[label])
            groups.append(Group(bars, each[QUANTILES.index(0.5)], violations[label][place // per_group], each))
        panels = values if key is not None else list(distribution.panels)
        groups.sort(key=lambda each: (panels.index(each.bars.panel), versions.index(each.bars.version)))
        left_out = max(len(values) - MOST_PANELS, 0)
        nothing = nothing_words(diagnosis)
        return cls(
            settings.baseline,
            settings.candidate,
            gamma,
            by,
            distribution,
            tuple(groups),
            left_out,
            nothing,
            of_two,
            margin_axis(diagnosis.facts.mapping),
        )

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that have rows, baseline first."""
        return tuple(dict.fromkeys(each.bars.version for each in self.groups))

    @property
    def leading(self) -> Group | None:
        """The group that sentences and listings begin with: the candidate's with most violations."""
        told = [each for each in self.groups if each.violation.is_defined]
        own = [each for each in told if each.bars.version == self.candidate] or told
        return max(own, key=lambda each: each.violation.value, default=None)

    @property
    def by_words(self) -> str:
        """What the panels are, as one says it."""
        return cohort_column(self.by) or self.by

    def answer(self) -> str:
        """What the page says, in one sentence (plain text)."""
        told = [each for each in self.groups if each.violation.is_defined]
        if self.nothing:
            return f"{self.nothing}: there are no margins to show."
        if not told:
            return f"How many margins are below γ is undefined: {self.groups[0].violation.reason}."
        if self.by != BY_VERSION:
            worst = max(told, key=lambda each: each.violation.value)
            where = (
                f"the {worst.bars.panel}"
                if self.by == BY_CLASS and self.of_two
                else f"{self.by_words} {worst.bars.panel or '(missing)'}"
            )
            return (
                f"Margins below γ = {self.margin_target:g} are most frequent in {where} of {worst.bars.version}: "
                f"{format_share(worst.violation.value)} of its rows; their median margin is "
                f"{format_score(worst.median.value)}."
            )
        last = told[-1]
        sentence = (
            f"{format_share(last.violation.value)} of the rows of {last.bars.version} have a margin below γ = "
            f"{self.margin_target:g}; the median margin is {format_score(last.median.value)}"
        )
        first = told[0]
        if first is last:
            return sentence + "."
        return (
            f"{sentence}, against {format_share(first.violation.value)} and {format_score(first.median.value)} of "
            f"{first.bars.version}."
        )

    def frame(self) -> pd.DataFrame:
        """The bars, one row each."""
        return self.distribution.frame()


def panel_choices(diagnosis: Diagnosis) -> list[str]:
    """What the panels can be of this dataset."""
    facts = diagnosis.facts
    by_class = not facts.mapping.is_multiclass or diagnosis.class_tables(VERSION) is not None
    choices = [BY_VERSION, *([BY_CLASS] if by_class else []), *([BY_SPLIT] if facts.splits else [])]
    return [*choices, *(cohort_key(column) for column in facts.cohorts)]


def _panel_values(diagnosis: Diagnosis, key: str, cells: Cells) -> list[str]:
    found = set(cells.groups[key].tolist())
    if key == CLASS:
        rates = zip(
            cells.groups[VERSION],
            cells.groups[key],
            violation_rate(cells, diagnosis.settings.margin_target).value,
            strict=True,
        )
        own = {str(name): float(rate) for version, name, rate in rates if version == diagnosis.settings.candidate}
        names = [name for name in diagnosis.facts.mapping.class_names if name in found]
        return sorted(names, key=lambda name: -np.nan_to_num(own.get(name, 0.0)))
    column = cohort_column(key)
    if column is None:
        return [name for name in (*diagnosis.facts.splits, MISSING_KEY) if name in found]
    contrast = diagnosis.cohorts(column)
    own = np.flatnonzero(contrast.groups[VERSION] == diagnosis.settings.candidate)
    ranked = [str(contrast.groups[key][place]) for place in own[np.argsort(contrast.rank[own], kind="stable")]]
    return [*ranked, *sorted(found - set(ranked))]


def _quantiles(cells: Cells) -> tuple[Estimates, ...]:
    return tuple(margin_quantile(cells, q) for q in QUANTILES)
