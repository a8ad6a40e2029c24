"""What a report holds: the numbers of a dataset by version, split, cohort and window, the change, and the checks.

The values are the objects that pages read (`Estimate`, `CheckResult`), not copies of their digits; how many digits are
shown is the renderers' affair.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from lib import __version__, comparisons
from lib.checks import CheckResult
from lib.diagnose import Diagnosis, Verdict
from lib.figures.features_view import FeatureRow, RankingView
from lib.figures.monitoring_view import MonitoringView
from lib.figures.slices_view import SlicesView
from lib.figures.support_vectors_view import CLASSES, SupportRow, bounds_of, cells_of_split, support_rows
from lib.metrics.calibration import Calibration, no_calibration
from lib.metrics.calibration_parts import CalibrationPart
from lib.metrics.catalogue import METRICS
from lib.metrics.comparison import Change, Flips
from lib.metrics.decomposition import Decomposition
from lib.metrics.delong import DeLong
from lib.metrics.estimates import Estimate
from lib.metrics.recalibration import Recalibration
from lib.metrics.rounding import Rounding
from lib.metrics.summary import Summary
from lib.metrics.support_vectors import TrainingBounds
from lib.metrics.verdicts import Judgement
from lib.reports.monitoring import monitoring_of
from lib.reports.thresholds import VersionThresholds
from lib.scan import Facts
from lib.schema import CLASS, MISSING_KEY, NO_WINDOW, ONE_VS_REST, SPLIT, VERSION, WINDOW, cohort_key
from lib.settings import Settings
from lib.sources.training import NO_TRAINING, Training

OF_WHOLE_VERSIONS = "recalibrated probabilities are measured for whole versions, and classes against the rest"
OF_COMPARED_VERSIONS = "of so many versions calibration is measured for the two that are compared"
MOST_CALIBRATED = 12
"""Of more versions only the two that are compared have their calibration measured."""
ONE_VERSION = "there is only one version"
TOLD_IN_PARTS = "violation_rate"
"""The metric whose change a report tells in parts, for each cohort column."""


@dataclass(frozen=True)
class Numbers:
    """Every metric of one group of rows.

    Attributes:
        n: all usable rows.
        n_labelled: rows with a label, scored or not.
        n_unscored: rows without a score, labelled or not.
        metrics: name to number, in the order of `METRICS`.
        violation_rate_by_class: "-1" and "1" to number; several classes by name, and none by cohort or window.
        resolution: how finely the scores behind them are kept: `exact`, `0.02`, `0.1` or `0.5`.
        calibration: gap and errors, of several classes those of the top label; None where they are not measured.
    """

    n: int
    n_labelled: int
    n_unscored: int
    metrics: dict[str, Estimate]
    violation_rate_by_class: dict[str, Estimate]
    resolution: str
    calibration: CalibrationPart | None = None

    @property
    def n_unlabelled(self) -> int:
        """Rows without a label."""
        return self.n - self.n_labelled


@dataclass(frozen=True)
class SupportNumbers:
    """The support vectors of one version: whole, by class ("-1", "1"; none with several) and by split.

    `training` is what theory says of its training rows, or None for a `reason`.
    """

    whole: SupportRow
    classes: dict[str, SupportRow]
    splits: dict[str, SupportRow]
    training: TrainingBounds | None
    reason: str


@dataclass(frozen=True)
class VersionNumbers:
    """One version, whole, by class ("-1", "1") and by split; `splits` is empty where there is no split column.

    Of several classes `classes` are those with rows, by name; `one_vs_rest` is what each has against the rest, by
    metric, `taken_for` the wrong answer that its rows get most and how many get it, and `weighted_averages` the mean of
    metrics over classes, each as heavy as its rows; `calibration` is that of the top label, `calibration_by_class` that
    of each class against the rest. All are empty with two. `recalibration` is None where none was asked for, `rounding`
    where probabilities were not rounded.
    """

    name: str
    whole: Numbers
    classes: dict[str, Numbers]
    splits: dict[str, Numbers]
    one_vs_rest: dict[str, dict[str, Estimate]]
    taken_for: dict[str, tuple[str, Estimate]]
    weighted_averages: dict[str, Estimate]
    calibration: Calibration
    calibration_by_class: dict[str, CalibrationPart]
    recalibration: Recalibration | None
    rounding: Rounding | None
    thresholds: VersionThresholds
    support_vectors: SupportNumbers


@dataclass(frozen=True)
class CohortNumbers:
    """One value of a cohort column in one version, against the rest of that version.

    `rest`, `excess`, `p`, `p_adjusted` and `rank` are those of the violation rate, as in `CohortContrast`.
    """

    column: str
    value: str
    version: str
    numbers: Numbers
    rest: Estimate
    excess: Estimate
    p: float
    p_adjusted: float
    rank: int
    is_small: bool

    @property
    def violation_rate(self) -> Estimate:
        """The metric that is contrasted."""
        return self.numbers.metrics["violation_rate"]


@dataclass(frozen=True)
class WindowNumbers:
    """One window of one version, from `start` to `end` (not included) in epoch seconds; None without a time."""

    version: str
    start: int | None
    end: int | None
    numbers: Numbers


@dataclass(frozen=True)
class Parts:
    """The change of a metric in parts by a cohort column; None for a `reason`."""

    column: str
    metric: str
    found: Decomposition | None
    reason: str


@dataclass(frozen=True)
class Comparison:
    """Each metric's change from baseline to candidate, paired by id where rows are the same; empty for one version.

    Attributes:
        baseline, candidate: the versions.
        changes: metric name to its change.
        p_values: p and p adjusted for all that are judged, of those.
        verdicts: whether each is for the better beyond chance.
        judgements: the same against a non-inferiority margin, with the rows that would tell; None where neither way is
            better.
        scale_ratio: how many times as wide the candidate's margins spread as the baseline's.
        flips: what became of the decisions of paired rows; None without such, for the reason `why_unpaired`.
        delong: the test of both ROC AUCs; None where one is undefined.
        parts: the change of the violation rate in parts, by each cohort column.
        why_unpaired: why rows are not paired; "" where they are.
    """

    baseline: str
    candidate: str
    changes: dict[str, Change]
    p_values: dict[str, tuple[float, float]]
    verdicts: dict[str, Verdict]
    judgements: dict[str, Judgement | None]
    scale_ratio: float
    flips: Flips | None
    delong: DeLong | None
    parts: tuple[Parts, ...]
    why_unpaired: str

    @property
    def deltas(self) -> dict[str, Estimate]:
        """Metric name to candidate − baseline."""
        return {name: change.estimate for name, change in self.changes.items()}


@dataclass(frozen=True)
class Report:
    """All that is told of one dataset under one set of settings.

    Attributes:
        product_version: which Marginalia it was.
        facts: the inputs, the mapping, what was rejected.
        settings: γ, baseline, candidate, filter.
        versions: in the order of `facts.versions`.
        cohorts: by column, version and rank, the worst first.
        windows: by version and time; empty where there is no time column.
        comparison: the candidate against the baseline.
        checks: most serious first.
        features: as the Features page ranks them; empty where none were read.
        features_one_in: of so many rows one was read for them.
        training: the training histories that were given with the predictions.
        slices: the worst slices of the candidate, where they were asked for.
        monitoring: gives what the Monitoring page opens with, counted when asked for; None without times or labels.
    """

    product_version: str
    facts: Facts
    settings: Settings
    versions: tuple[VersionNumbers, ...]
    cohorts: tuple[CohortNumbers, ...]
    windows: tuple[WindowNumbers, ...]
    comparison: Comparison
    checks: tuple[CheckResult, ...]
    features: tuple[FeatureRow, ...] = ()
    features_one_in: int = 1
    training: Training = NO_TRAINING
    slices: SlicesView | None = None
    monitoring: Callable[[], MonitoringView | None] = lambda: None


def build_report(
    diagnosis: Diagnosis,
    checks: Iterable[CheckResult],
    training: Training = NO_TRAINING,
    slices: SlicesView | None = None,
) -> Report:
    """Gather the numbers of a diagnosis and the results of its checks; of its features, where they were read."""
    ranking = None if diagnosis.features is None else RankingView.of(diagnosis)
    results = tuple(checks)
    return Report(
        product_version=__version__,
        facts=diagnosis.facts,
        settings=diagnosis.settings,
        versions=_versions(diagnosis),
        cohorts=tuple(row for column in diagnosis.facts.cohorts for row in _cohorts(diagnosis, column)),
        windows=_windows(diagnosis),
        comparison=_comparison(diagnosis),
        checks=results,
        features=() if ranking is None else ranking.rows,
        features_one_in=1 if ranking is None else ranking.one_in,
        training=training,
        slices=slices,
        monitoring=cache(lambda: monitoring_of(diagnosis, results)),
    )


def _numbers(diagnosis: Diagnosis, *keys: str, label: int | None = None) -> list[tuple[tuple[str, ...], Numbers]]:
    """The key values of each group by these keys, as text, and its numbers; of one class, if a label is given."""
    summary, cells = diagnosis.summary(*keys), diagnosis.cells(*keys)
    if label is not None:
        summary, cells = diagnosis.summary_of_class(label, *keys), cells.of_label(label)
    by_class = diagnosis.violation_rate_by_class(*keys, label=label)
    parts = None if label is not None or CLASS in keys else diagnosis.calibrations.parts(*keys)
    unscored = cells.unscored.n.sum(axis=1)
    values = zip(*(summary.groups[key].tolist() for key in keys), strict=True)
    return [
        (
            tuple(str(value) for value in group),
            Numbers(
                n=int(summary.n[place]),
                n_labelled=int(summary.n_labelled[place]),
                n_unscored=int(unscored[place]),
                metrics=_metrics(summary, place, diagnosis, None if parts is None else parts[place]),
                violation_rate_by_class=by_class[place],
                resolution=cells.resolution.name,
                calibration=None if parts is None else parts[place],
            ),
        )
        for place, group in enumerate(values)
    ]


def _metrics(summary: Summary, place: int, diagnosis: Diagnosis, part: CalibrationPart | None) -> dict[str, Estimate]:
    found = {metric.name: summary[metric.name][place] for metric in METRICS}
    if part is not None:
        return found | {"expected_calibration_error": part.errors["expected_calibration_error"].estimate}
    nan = float("nan")
    reason = diagnosis.calibrations.reason or OF_WHOLE_VERSIONS
    return found | {"expected_calibration_error": Estimate(nan, nan, nan, summary.n_labelled[place], reason, nan)}


def _versions(diagnosis: Diagnosis) -> tuple[VersionNumbers, ...]:
    whole = {group[0]: numbers for group, numbers in _numbers(diagnosis, VERSION)}
    calibrations = diagnosis.calibrations
    measured = {version: _calibration(diagnosis, version) for version in whole}
    for version, each in measured.items():
        error = each.errors["expected_calibration_error"].estimate
        metrics = {**whole[version].metrics, "expected_calibration_error": error}
        part = whole[version].calibration if each.reason else calibrations.whole(version)
        whole[version] = dataclasses.replace(whole[version], metrics=metrics, calibration=part)
    classes = _classes(diagnosis)
    against, averages = diagnosis.against_the_rest(VERSION) or {}, diagnosis.weighted_averages(VERSION) or {}
    tables = diagnosis.class_tables(VERSION)
    places = {str(version): place for place, version in enumerate(diagnosis.versions.groups[VERSION])}
    splits: dict[str, dict[str, Numbers]] = {}
    if diagnosis.facts.splits:
        for (version, split), numbers in _numbers(diagnosis, VERSION, SPLIT):
            splits.setdefault(version, {})[split] = numbers
    order = [*diagnosis.facts.splits, MISSING_KEY]
    support, by_class = _support_vectors(diagnosis), _calibration_by_class(diagnosis)
    return tuple(
        VersionNumbers(
            version,
            whole[version],
            {label: numbers[version] for label, numbers in classes.items() if version in numbers},
            {split: splits[version][split] for split in order if split in splits.get(version, {})},
            {
                name: {metric: of[places[version]][name] for metric, of in against.items()}
                for name in diagnosis.facts.mapping.class_names
                if against
            },
            {} if tables is None else tables.taken_for[places[version]],
            {name: each[places[version]] for name, each in averages.items()},
            measured[version],
            by_class.get(version, {}),
            None if diagnosis.settings.recalibration is None else calibrations.recalibration(version),
            calibrations.rounding(version),
            VersionThresholds.of(diagnosis, version),
            support[version],
        )
        for version in diagnosis.facts.versions
        if version in whole
    )


def _calibration(diagnosis: Diagnosis, version: str) -> Calibration:
    if len(diagnosis.facts.versions) > MOST_CALIBRATED and version not in diagnosis.shown_versions:
        return no_calibration(0, OF_COMPARED_VERSIONS)
    return diagnosis.calibrations.of(version)


def _calibration_by_class(diagnosis: Diagnosis) -> dict[str, dict[str, CalibrationPart]]:
    """Of several classes the calibration of each against the rest, by version."""
    found: dict[str, dict[str, CalibrationPart]] = {}
    names = diagnosis.facts.mapping.class_names
    parts = diagnosis.calibrations.parts(VERSION, ONE_VS_REST) if names else None
    if parts is not None:
        pairs = zip(parts.groups[VERSION].tolist(), parts.groups[ONE_VS_REST].tolist(), strict=True)
        for place, (version, name) in enumerate(pairs):
            if name in names:
                found.setdefault(version, {})[name] = parts[place]
    return found


def _support_vectors(diagnosis: Diagnosis) -> dict[str, SupportNumbers]:
    """The support vectors of each version."""
    whole = diagnosis.cells(VERSION)
    labels = () if diagnosis.facts.mapping.is_multiclass else [label for label in CLASSES if label]
    by_label = {str(label): {row.version: row for row in support_rows(whole, label)} for label in labels}
    by_split = {
        split: {row.version: row for row in support_rows(cells_of_split(diagnosis, split))}
        for split in diagnosis.facts.splits
    }
    return {
        row.version: SupportNumbers(
            row,
            {label: rows[row.version] for label, rows in by_label.items()},
            {split: rows[row.version] for split, rows in by_split.items() if row.version in rows},
            *bounds_of(diagnosis, row.version),
        )
        for row in support_rows(whole)
    }


def _classes(diagnosis: Diagnosis) -> dict[str, dict[str, Numbers]]:
    """The numbers of each class, by version."""
    if not diagnosis.facts.mapping.is_multiclass:
        return {
            str(label): {group[0]: numbers for group, numbers in _numbers(diagnosis, VERSION, label=label)}
            for label in (-1, 1)
        }
    found: dict[str, dict[str, Numbers]] = {name: {} for name in diagnosis.facts.mapping.class_names}
    if diagnosis.class_tables(VERSION) is not None:
        for (version, name), numbers in _numbers(diagnosis, VERSION, CLASS):
            if name != MISSING_KEY:
                found[name][version] = numbers
    return found


def _cohorts(diagnosis: Diagnosis, column: str) -> list[CohortNumbers]:
    key = cohort_key(column)
    contrast = diagnosis.cohorts(column)
    numbers = dict(_numbers(diagnosis, VERSION, key))
    places = {version: place for place, version in enumerate(diagnosis.facts.versions)}
    found = [
        CohortNumbers(
            column=column,
            value=str(value),
            version=str(version),
            numbers=numbers[str(version), str(value)],
            rest=contrast.rest[place],
            excess=contrast.excess[place],
            p=float(contrast.p[place]),
            p_adjusted=float(contrast.p_adjusted[place]),
            rank=int(contrast.rank[place]),
            is_small=bool(contrast.small[place]),
        )
        for place, (version, value) in enumerate(
            zip(contrast.groups[VERSION].tolist(), contrast.groups[key].tolist(), strict=True)
        )
    ]
    return sorted(found, key=lambda row: (places[row.version], row.rank))


def _windows(diagnosis: Diagnosis) -> tuple[WindowNumbers, ...]:
    grid = diagnosis.facts.windows
    if grid is None:
        return ()
    places = {version: place for place, version in enumerate(diagnosis.facts.versions)}
    found: list[WindowNumbers] = []
    for (version, text), numbers in _numbers(diagnosis, VERSION, WINDOW):
        start = None if int(text) == NO_WINDOW else int(text)
        found.append(WindowNumbers(version, start, None if start is None else start + grid.width, numbers))
    return tuple(sorted(found, key=lambda row: (places[row.version], row.start is not None, row.start or 0)))


def _comparison(diagnosis: Diagnosis) -> Comparison:
    baseline, candidate = diagnosis.settings.baseline, diagnosis.settings.candidate
    if not diagnosis.is_compared:
        return Comparison(baseline, candidate, {}, {}, {}, {}, diagnosis.scale_ratio, None, None, (), ONE_VERSION)
    compared = comparisons.Comparison(diagnosis)
    names = [metric.name for metric in METRICS]
    return Comparison(
        baseline,
        candidate,
        {name: compared.change(name) for name in names},
        diagnosis.change_p_values,
        {name: diagnosis.verdict(name) for name in names},
        {name: compared.judgement(name) for name in names},
        diagnosis.scale_ratio,
        compared.flips,
        compared.delong,
        tuple(_parts(compared, column) for column in compared.columns),
        compared.why_unpaired,
    )


def _parts(compared: comparisons.Comparison, column: str) -> Parts:
    found = compared.decomposition(column, TOLD_IN_PARTS)
    if isinstance(found, Decomposition):
        return Parts(column, TOLD_IN_PARTS, found, "")
    return Parts(column, TOLD_IN_PARTS, None, found)
