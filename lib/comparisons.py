"""Any two samples of a dataset as baseline and candidate: versions, or splits, windows or cohorts of one version."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import cached_property

from lib.cells import Cells, once
from lib.diagnose import Diagnosis
from lib.errors import SettingsError
from lib.metrics.comparison import Change, Disagreement, Flips, Side, adjusted_p_values, change_of, is_identical
from lib.metrics.decomposition import Decomposition, decompose
from lib.metrics.delong import DeLong, delong_test
from lib.metrics.estimates import Estimate
from lib.metrics.summary import METRICS, metric_named
from lib.metrics.verdicts import PER_CENT, POINTS, Judgement, judge, stretch_of, tolerance_of
from lib.scan.pairs import Pairs
from lib.schema import VERSION, WINDOW, cohort_column, cohort_key

OTHER_ROWS = "rows of two {kind}s are other rows, so the change is that of two independent samples"
NO_ID = "no column is the id of a row"
SAVED = "saved cells hold no ids"
NOT_READ = "the rows were not paired yet"
NONE_SHARED = "no scored row has the same id in both"


@dataclass(frozen=True)
class Samples:
    """Which two samples are compared.

    Attributes:
        key: the key of cells that tells them apart: `version`, or `split`, `window`, `cohort:…` within the candidate.
        before, after: the values of that key; windows as the epoch second at which they begin.
    """

    key: str
    before: str
    after: str

    @property
    def kind(self) -> str:
        """What is compared, in a word: "version", "split", "window", or the cohort column."""
        return cohort_column(self.key) or self.key


class Comparison:
    """Numbers of two samples side by side; each is computed once."""

    def __init__(self, diagnosis: Diagnosis, samples: Samples | None = None) -> None:
        """Of baseline and candidate, unless other samples are given."""
        settings = diagnosis.settings
        self.diagnosis = diagnosis
        self.samples = samples or Samples(VERSION, settings.baseline, settings.candidate)
        self._changes: dict[str, Change] = {}

    @property
    def is_of_versions(self) -> bool:
        """Whether two versions are compared, which may have rows in common."""
        return self.samples.key == VERSION

    @property
    def _keys(self) -> tuple[str, ...]:
        return (VERSION,) if self.is_of_versions else (VERSION, self.samples.key)

    def _where(self, value: str) -> dict[str, object]:
        if self.is_of_versions:
            return {VERSION: value}
        own: object = int(value) if self.samples.key == WINDOW else value
        return {VERSION: self.diagnosis.settings.candidate, self.samples.key: own}

    @cached_property
    def cells(self) -> tuple[Cells, Cells]:
        """The cells of both samples, one group each; none where one has no rows."""
        table = self.diagnosis.cells(*self._keys)
        if self.is_of_versions:
            return table.among(VERSION, (self.samples.before,)), table.among(VERSION, (self.samples.after,))
        before, after = (table.select(**self._where(value)) for value in (self.samples.before, self.samples.after))
        return before, after

    def estimates(self, metric: str) -> tuple[Estimate, Estimate]:
        """A metric of both samples, as every page has it."""
        summary = self.diagnosis.summary(*self._keys)
        found: list[Estimate] = []
        for value in (self.samples.before, self.samples.after):
            wanted = self._where(value)
            places = [
                place
                for place in range(len(summary.n))
                if all(summary.groups[key][place] == each for key, each in wanted.items())
            ]
            none = Estimate(math.nan, math.nan, math.nan, 0, f"no rows of {value}")
            found.append(summary[metric][places[0]] if places else none)
        return found[0], found[1]

    @property
    def pairs(self) -> Pairs | None:
        """The samples paired by id."""
        return self.diagnosis.pairs if self.is_of_versions else None

    @property
    def why_unpaired(self) -> str:
        """Why intervals are those of two independent samples; "" where rows are paired."""
        if not self.is_of_versions:
            return OTHER_ROWS.format(kind=self.samples.kind)
        if self.diagnosis.facts.saved:
            return SAVED
        if self.diagnosis.facts.mapping.id is None:
            return NO_ID
        if self.pairs is None:
            return NOT_READ
        return "" if self.flips is not None else NONE_SHARED

    def change(self, metric: str) -> Change:
        """A metric's change, its interval paired where rows are."""
        if self.is_of_versions:
            return self.diagnosis.paired_change(metric)
        if metric not in self._changes:
            sides = [Side(cells, each) for cells, each in zip(self.cells, self.estimates(metric), strict=True)]
            settings = self.diagnosis.metric_settings
            self._changes[metric] = change_of(metric_named(metric), sides[0], sides[1], None, settings)
        return self._changes[metric]

    @cached_property
    def p_values(self) -> dict[str, tuple[float, float]]:
        """Metric to p of its change, and p adjusted for all that are judged."""
        if self.is_of_versions:
            return self.diagnosis.change_p_values
        judged = {metric.name: self.change(metric.name).estimate for metric in METRICS if metric.direction != "neutral"}
        return adjusted_p_values({name: change for name, change in judged.items() if change.is_defined})

    def is_comparable(self, metric: str) -> bool:
        """Whether both samples measure it in one unit."""
        return not self.is_of_versions or self.diagnosis.verdict(metric) != "not comparable"

    def judgement(self, metric: str, points: float = POINTS, per_cent: float = PER_CENT) -> Judgement | None:
        """The verdict on a change against a non-inferiority margin; None where there is none to be had."""
        chosen = metric_named(metric)
        if not self.is_comparable(metric) or metric not in self.p_values:
            return None
        tolerance = tolerance_of(chosen.unit, self.estimates(metric)[0].value, points, per_cent)
        stretch = stretch_of(*self.p_values[metric])
        return judge(self.change(metric).estimate, chosen.direction, tolerance, stretch)

    @cached_property
    def flips(self) -> Flips | None:
        """What became of the decisions of paired rows; None without pairs."""
        cells = None if self.pairs is None else self.pairs.cells
        return Flips.of(cells) if cells is not None and cells.n_pairs else None

    @cached_property
    def is_identical(self) -> bool:
        """Whether both samples are the same rows with the same scores and labels, told by their ids."""
        cells = None if self.pairs is None else self.pairs.cells
        return cells is not None and cells.n_pairs > 0 and is_identical(cells, *self.cells)

    @cached_property
    def delong(self) -> DeLong | None:
        """DeLong's test of both ROC AUCs, paired as far as rows are; None where one of them is undefined."""
        if self.diagnosis.facts.mapping.is_multiclass or not all(e.is_defined for e in self.estimates("roc_auc")):
            return None
        return delong_test(*self.cells, None if self.pairs is None else self.pairs.cells)

    def disagreement(self, column: str) -> Disagreement | None:
        """How often decisions of paired rows differ, by a cohort column; None without pairs."""
        pairs = None if self.pairs is None else self.pairs.by_cohort.get(column)
        return None if pairs is None or not pairs.n_pairs else Disagreement.of(pairs)

    @property
    def columns(self) -> tuple[str, ...]:
        """The cohort columns by which a change can be told in parts."""
        chosen = {column for column, _value in self.diagnosis.settings.where.cohorts}
        chosen.add(self.samples.kind)
        return tuple(each for each in self.diagnosis.facts.cohorts if each not in chosen)

    def decomposition(self, column: str, metric: str) -> Decomposition | str:
        """A metric's change in parts by a cohort column, or why there are none."""
        key, settings = cohort_key(column), self.diagnosis.metric_settings
        if self.samples.key == WINDOW:
            table = self.diagnosis.cohort_windows(column)
        else:
            table = self.diagnosis.cells(*self._keys, key)

        def work() -> Decomposition | str:
            before, after = (table.select(**self._where(each)) for each in (self.samples.before, self.samples.after))
            if not before.n_groups or not after.n_groups:
                return "one of the two has no rows"
            pairs = None if self.pairs is None else self.pairs.by_cohort.get(column)
            try:
                return decompose(before, after, key, metric_named(metric), settings, pairs)
            except SettingsError as error:
                return str(error).rstrip(".")

        if not metric_named(metric).uses_margin_target:
            settings = dataclasses.replace(settings, margin_target=1.0)
        return once(table, ("decomposition", self.samples, metric, settings, self.pairs is None), work)
