"""The one path: what was scanned, and the settings of a look at it, to results by topic.

Pages, reports, checks and the command line all read the same `Diagnosis`; none computes a number of its own.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal
from weakref import WeakKeyDictionary

from lib.calibrations import Calibrations
from lib.cells import AnswerCounts, Cells, PairCells, ValueCells, WrongAnswers, merge
from lib.errors import SettingsError
from lib.features import FeatureTables, held_features, read_features
from lib.grid import COARSE, EXACT, MAX_ABS_SCORE, Resolution
from lib.metrics.cohorts import CohortContrast, contrast_cohorts
from lib.metrics.comparison import Change, Side, adjusted_p_values, change_of
from lib.metrics.deploys import Deploy
from lib.metrics.estimates import Estimate, Estimates
from lib.metrics.explained import Explained, explain_violations
from lib.metrics.intervals import LEVEL
from lib.metrics.margins import violation_rate, violation_rate_by_class
from lib.metrics.multiclass import AVERAGED, PER_CLASS, ClassTables, average
from lib.metrics.scale import is_same_scale, scale_ratio
from lib.metrics.summary import METRICS, MetricSettings, Summary, compute_summary, metric_named
from lib.monitoring import Monitoring, at_all_times
from lib.scan.facts import Facts
from lib.scan.held import HeldTables
from lib.scan.pairs import PairQuery, Pairs, held_pairs, read_pairs
from lib.scan.rare import RareValues
from lib.scan.scan import Scan
from lib.scan.slices import Outcome
from lib.schema import CLASS, ONE_VS_REST, PREDICTED, SPLIT, VERSION, WINDOW, Outside, cohort_key
from lib.settings import Settings
from lib.slices import USES_MARGIN_TARGET, SliceQuery
from lib.sources import Run
from lib.thresholds import Thresholds

Verdict = Literal["", "better", "worse", "not comparable"]
"""What a change is: within chance or neither good nor bad, for the better, for the worse, or between two units."""

_FIXED: WeakKeyDictionary[Cells, Summary] = WeakKeyDictionary()
"""Of each table the metrics that γ does not move, so that the slider computes only those that it does."""

_CHANGES: WeakKeyDictionary[PairCells, dict[tuple[str, MetricSettings], Change]] = WeakKeyDictionary()
"""Of two versions that are paired the changes of metrics, so that the slider computes only those that it moves."""

PAIRED_AT_ONCE = 300_000
"""Two versions of a dataset of so many rows are paired when that is first asked for; of more when somebody says so."""


def _fixed_names() -> list[str]:
    return [metric.name for metric in METRICS if not metric.uses_margin_target]


def _moved_names() -> list[str]:
    return [metric.name for metric in METRICS if metric.uses_margin_target]


class Diagnosis:
    """Lazy results by topic for one dataset under one set of settings; each is computed once."""

    def __init__(self, tables: HeldTables, settings: Settings) -> None:
        self.tables = tables
        self.settings = settings
        self.made_at = datetime.now(UTC)
        self._summaries: dict[tuple[str, ...], Summary] = {}
        self._class_tables: dict[tuple[str, ...], ClassTables | None] = {}
        self._contrasts: dict[tuple[str, str], CohortContrast] = {}
        self._monitoring: dict[tuple[str | None, tuple[Deploy, ...]], Monitoring] = {}

    @property
    def facts(self) -> Facts:
        """The frame of the dataset."""
        return self.tables.facts

    @property
    def is_compared(self) -> bool:
        """Whether there are two different versions to compare."""
        return self.settings.baseline != self.settings.candidate

    @property
    def shown_versions(self) -> tuple[str, ...]:
        """Baseline and candidate, once each."""
        return tuple(dict.fromkeys((self.settings.baseline, self.settings.candidate)))

    @cached_property
    def metric_settings(self) -> MetricSettings:
        """What the metrics need to know."""
        mapping = self.facts.mapping
        is_recalibrated = self.settings.recalibration is not None
        return MetricSettings(
            self.settings.margin_target, mapping.score_kind, mapping.class_names, is_recalibrated=is_recalibrated
        )

    @cached_property
    def calibrations(self) -> Calibrations:
        """Calibration and recalibration of each version."""
        return Calibrations(self.tables, self.settings.where, self.settings.recalibration)

    def cells(self, *keys: str, finest: Resolution = EXACT) -> Cells:
        """Cells of the chosen rows by exactly these keys, label apart."""
        return self.tables.cells(keys, self.settings.where, finest=finest)

    def summary(self, *keys: str) -> Summary:
        """Every metric by these keys."""
        if keys not in self._summaries:
            cells = self.cells(*keys)
            fixed = _FIXED.get(cells)
            if fixed is None:
                plain = dataclasses.replace(self.metric_settings, is_recalibrated=False)
                fixed = compute_summary(cells, plain, _fixed_names(), self.class_tables(*keys))
                _FIXED[cells] = fixed
            fixed = self.calibrations.replaced(fixed, keys)
            moved = compute_summary(cells, self.metric_settings, _moved_names())
            metrics = {**fixed.metrics, **moved.metrics}
            self._summaries[keys] = dataclasses.replace(
                moved, metrics={metric.name: metrics[metric.name] for metric in METRICS}
            )
        return self._summaries[keys]

    def class_tables(self, *keys: str) -> ClassTables | None:
        """What speaks of several classes, by version, split or both.

        None with two classes, by other keys, and under a filter that saved cells have no such table for.
        """
        if not self.facts.mapping.is_multiclass or not {*keys} <= {VERSION, SPLIT}:
            return None
        if keys not in self._class_tables:
            try:
                made = ClassTables(
                    self.facts.mapping.class_names,
                    self.cells(*keys).groups,
                    self.cells(*keys, ONE_VS_REST),
                    self.cells(*keys, CLASS),
                    self.cells(*keys, CLASS, PREDICTED, finest=COARSE),
                )
            except SettingsError:
                made = None
            self._class_tables[keys] = made
        return self._class_tables[keys]

    def monitoring(self, version: str | None = None, deploys: tuple[Deploy, ...] = ()) -> Monitoring:
        """Courses along all time, of one version or of all; without deploys they are read from the version column.

        Raises:
            SettingsError: no row has a time.
        """
        if (version, deploys) not in self._monitoring:
            where, gamma = at_all_times(self.settings.where), self.settings.margin_target
            self._monitoring[version, deploys] = Monitoring(self.tables, where, gamma, version=version, deploys=deploys)
        return self._monitoring[version, deploys]

    def watched(self, deploys: tuple[Deploy, ...] = ()) -> Monitoring:
        """What is monitored unless a version is named: all that was served; the candidate of versions side by side.

        Raises:
            SettingsError: no row has a time.
        """
        whole = self.monitoring(None, deploys)
        return self.monitoring(self.settings.candidate, deploys) if whole.is_beside else whole

    def answers(self, *keys: str) -> AnswerCounts:
        """What the chosen rows of each of several classes were answered with, by these keys."""
        return self.tables.answers(keys, self.settings.where)

    def wrong_answers(self, *keys: str, outside: Outside = (), one_in: int = 1) -> WrongAnswers:
        """How many of the chosen rows, or of one in so many, are answered wrongly, by any keys, without some parts.

        Raises:
            SettingsError: no rows can be asked.
        """
        return self.tables.wrong_answers(keys, self.settings.where, outside, one_in)

    def thresholds(self, of_class: str = "") -> Thresholds:
        """Decisions and chosen thresholds of each version; of several classes, of one against the rest."""
        return Thresholds(self.tables, self.settings.where, of_class)

    def against_the_rest(self, *keys: str) -> dict[str, list[dict[str, Estimate]]] | None:
        """Metric to what each class, by name, has of it against the rest, for every group; None as `class_tables`."""
        tables, kind = self.class_tables(*keys), self.facts.mapping.score_kind
        if tables is None:
            return None
        return {name: tables.by_name(found(tables, kind)) for name, found in PER_CLASS.items()}

    def weighted_averages(self, *keys: str) -> dict[str, Estimates] | None:
        """Metric to its mean over classes, each as heavy as its rows, for every group; None as `class_tables`."""
        tables, kind = self.class_tables(*keys), self.facts.mapping.score_kind
        return None if tables is None else {name: average(name, tables, kind, weighted=True) for name in AVERAGED}

    def violation_rate_by_class(self, *keys: str, label: int | None = None) -> list[dict[str, Estimate]]:
        """For every group the violation rate of each class: "-1" and "1", or several by name, none as `class_tables`.

        With a `label` only rows of that class of two count.
        """
        gamma, cells = self.settings.margin_target, self.cells(*keys)
        cells = cells if label is None else cells.of_label(label)
        if not self.facts.mapping.is_multiclass:
            of_label = violation_rate_by_class(cells, gamma)
            return [{str(label): each[group] for label, each in of_label.items()} for group in range(cells.n_groups)]
        tables = self.class_tables(*keys)
        if tables is None:
            return [{} for _group in range(cells.n_groups)]
        return tables.by_name(tables.of_classes(violation_rate(tables.by_class, gamma)))

    def summary_of_class(self, label: int, *keys: str) -> Summary:
        """Every metric by these keys over the rows of one class; what needs both classes is undefined."""
        return compute_summary(self.cells(*keys).of_label(label), self.metric_settings)

    @cached_property
    def versions(self) -> Summary:
        """Every metric by version: the overview."""
        return self.summary(VERSION)

    @property
    def pair_query(self) -> PairQuery:
        """What is paired to compare baseline and candidate."""
        settings = self.settings
        return PairQuery(settings.baseline, settings.candidate, settings.where, (0.0,), MAX_ABS_SCORE, cells=True)

    @property
    def can_pair(self) -> bool:
        """Whether there are two versions, rows and ids to pair them by."""
        return self.is_compared and isinstance(self.tables, Scan) and self.facts.mapping.id is not None

    @property
    def pairs(self) -> Pairs | None:
        """Baseline and candidate paired by id; None where they cannot be, and of many rows before `read_pairs`."""
        if not self.can_pair or not isinstance(self.tables, Scan):
            return None
        held = held_pairs(self.tables, self.pair_query)
        return self.read_pairs() if held is None and self.facts.n_rows <= PAIRED_AT_ONCE else held

    def read_pairs(
        self, *, run: Run | None = None, on_progress: Callable[[float, str], None] | None = None
    ) -> Pairs | None:
        """Pair baseline and candidate by id and hold what that gives for every γ; None where they cannot be.

        Raises:
            Cancelled: `run` was cancelled; nothing is held.
        """
        if not self.can_pair or not isinstance(self.tables, Scan):
            return None
        held = held_pairs(self.tables, self.pair_query)
        return held or read_pairs(self.tables, self.pair_query, run=run, on_progress=on_progress)

    def paired_change(self, metric: str) -> Change:
        """A metric's change from baseline to candidate, its interval paired where rows are."""
        names, chosen = self.versions.groups[VERSION].tolist(), metric_named(metric)
        sides: list[Side] = []
        for name in (self.settings.baseline, self.settings.candidate):
            if name not in names:
                return Change(Estimate(math.nan, math.nan, math.nan, 0, f"no rows of {name}"))
            cells = self.cells(VERSION).among(VERSION, (name,))
            sides.append(Side(cells, self.versions[metric][names.index(name)]))
        before, after = sides
        pairs = None if self.pairs is None else self.pairs.cells
        if pairs is None:
            return change_of(chosen, before, after, None, self.metric_settings)
        settings = self.metric_settings
        if not chosen.uses_margin_target:
            settings = dataclasses.replace(settings, margin_target=1.0)
        # Which map makes probabilities is no setting of a metric.
        wanted = f"{metric} {self.settings.recalibration or ''}", settings
        held = _CHANGES.setdefault(pairs, {})
        if wanted not in held:
            held[wanted] = change_of(chosen, before, after, pairs, settings)
        return held[wanted]

    def change(self, metric: str) -> Estimate:
        """A metric's change from baseline to candidate: paired, or as of two independent samples."""
        return self.paired_change(metric).estimate

    @cached_property
    def scale_ratio(self) -> float:
        """How many times as wide the candidate's margins spread as the baseline's; 1 for log odds, which have a unit.

        NaN where one of the two has no labelled, scored rows.
        """
        if self.facts.mapping.score_kind.is_probabilistic:
            return 1.0
        names = self.versions.groups[VERSION].tolist()
        if not {self.settings.baseline, self.settings.candidate} <= set(names):
            return math.nan
        places = names.index(self.settings.baseline), names.index(self.settings.candidate)
        return scale_ratio(self.cells(VERSION), *places)

    def _is_on_two_scales(self, metric: str) -> bool:
        return metric_named(metric).in_score_units and not is_same_scale(self.scale_ratio)

    @cached_property
    def change_p_values(self) -> dict[str, tuple[float, float]]:
        """Metric to p of its change, and p adjusted for all that are judged (Benjamini–Hochberg).

        Judged is every metric of which one way is better, whose change is defined and within one scale. The family is
        the same wherever some of them are shown.
        """
        judged = {
            metric.name: change
            for metric in METRICS
            if metric.direction != "neutral"
            and not self._is_on_two_scales(metric.name)
            and (change := self.change(metric.name)).is_defined
        }
        return adjusted_p_values(judged)

    def verdict(self, metric: str) -> Verdict:
        """Whether a metric's change is beyond chance, all that are judged taken together, and for the better.

        None between scores on different scales.
        """
        change, chosen = self.change(metric), metric_named(metric)
        if not change.is_defined:
            return ""
        if self._is_on_two_scales(metric):
            return "not comparable"
        _p, adjusted = self.change_p_values.get(metric, (math.nan, math.nan))
        if not adjusted <= 1 - LEVEL:
            return ""
        return "better" if (change.value < 0) == (chosen.direction == "lower") else "worse"

    def cohorts(self, column: str, metric: str = "violation_rate") -> CohortContrast:
        """A metric for each value of a cohort column and version, against the rest of that version."""
        if (column, metric) not in self._contrasts:
            self._contrasts[column, metric] = contrast_cohorts(
                self.cells(VERSION, cohort_key(column)), metric, self.metric_settings
            )
        return self._contrasts[column, metric]

    def cohort(self, column: str, value: str, metric: str = "violation_rate") -> CohortContrast:
        """A metric for one value of a cohort column, against the rest, by version.

        The groups are the value and one for all others. Of any value, also one that the tables gather with others: its
        rows are read when it is first asked for.
        """
        key, where, whole = cohort_key(column), self.settings.where, self.cells(VERSION)
        own = self.tables.cells((VERSION,), dataclasses.replace(where, cohorts=(*where.cohorts, (column, value))))
        both = merge([own.keyed(key, value), whole.without(own).keyed(key, f"all but {value}")])
        return contrast_cohorts(both, metric, self.metric_settings)

    def rare_values(self, column: str, outside: Outside = ()) -> RareValues | None:
        """Sums over each value of a cohort column that its tables gather, of the chosen rows without some parts."""
        return self.tables.rare_values(column, self.settings.where, outside)

    @cached_property
    def windows(self) -> Summary | None:
        """Every metric by version and window; None without times."""
        return None if self.facts.windows is None else self.summary(VERSION, WINDOW)

    @property
    def feature_columns(self) -> tuple[str, ...]:
        """What the model was given: the numeric features, and the cohort columns by their values."""
        return (*self.facts.mapping.features, *self.facts.cohorts)

    def value_cells(self, column: str, *keys: str, margins: bool = False, run: Run | None = None) -> ValueCells:
        """Cells of a value column by these keys, of the chosen rows of baseline and candidate."""
        where, versions = self.settings.where, self.shown_versions
        return self.tables.value_cells(column, keys, where, versions=versions, margins=margins, run=run)

    def holds_feature(self, column: str) -> bool:
        """Whether what `read_feature` reads is there already."""
        where, versions = self.settings.where, self.shown_versions
        held = self.tables.holds_values(column, (VERSION, SPLIT), where, versions=versions, margins=True)
        timed = self.facts.windows is not None
        return held and (not timed or self.tables.holds_values(column, (VERSION, WINDOW), where, versions=versions))

    def read_feature(
        self, column: str, *, run: Run | None = None, on_progress: Callable[[float, str], None] | None = None
    ) -> None:
        """Read what one feature is shown from: by version and split with margins, and over time.

        Raises:
            Cancelled: `run` was cancelled; what was read so far is held.
        """
        report = on_progress or (lambda _share, _words: None)
        report(0.0, f"Reading {column}")
        self.value_cells(column, VERSION, SPLIT, margins=True, run=run)
        if self.facts.windows is not None:
            report(0.5, f"Reading {column} over time")
            self.value_cells(column, VERSION, WINDOW, run=run)

    @property
    def can_read_features(self) -> bool:
        """Whether there are features, and rows to read them from."""
        return bool(self.feature_columns) and not self.facts.saved

    @property
    def features(self) -> FeatureTables | None:
        """How all features moved; None before somebody had them read."""
        return held_features(self.tables, self.shown_versions, self.settings.where)

    def read_features(
        self, *, run: Run | None = None, on_progress: Callable[[float, str], None] | None = None
    ) -> FeatureTables:
        """Read all features, of very many values those of a sample of rows, and hold what they give for every γ.

        Raises:
            Cancelled: `run` was cancelled; nothing is held.
            SettingsError: there are no rows to ask.
        """
        return read_features(
            self.tables,
            self.feature_columns,
            self.shown_versions,
            self.settings.where,
            run=run,
            on_progress=on_progress,
        )

    def explained(self) -> tuple[Explained, ...]:
        """How much each feature explains of the candidate's violations; of features that were read."""
        features = self.features
        return () if features is None else tuple(explain_violations(features.folds, self.settings.margin_target))

    @property
    def slice_columns(self) -> tuple[str, ...]:
        """What slices can be made of: cohort columns but one that the filter holds to a value, and numeric features."""
        held = [column for column, _value in self.settings.where.cohorts]
        cohorts = tuple(column for column in self.facts.cohorts if column not in held)
        return cohorts + tuple(column for column in self.facts.mapping.features if column not in self.facts.cohorts)

    def slice_query(self, columns: Sequence[str], outcome: Outcome, depth: int) -> SliceQuery:
        """The question for the worst slices of the candidate, under the settings as far as they matter to it."""
        settings = self.settings
        gamma = settings.margin_target if outcome in USES_MARGIN_TARGET else 1.0
        baseline = settings.baseline if self.is_compared else ""
        return SliceQuery(settings.candidate, tuple(columns), outcome, depth, gamma, settings.where, baseline)

    def cohort_windows(self, column: str) -> Cells:
        """Coarse cells by version, value of a cohort column and window."""
        return self.cells(VERSION, cohort_key(column), WINDOW, finest=COARSE)

    def with_settings(self, **changes: object) -> Diagnosis:
        """The same tables under changed settings."""
        return Diagnosis(self.tables, dataclasses.replace(self.settings, **changes))
