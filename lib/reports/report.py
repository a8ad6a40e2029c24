"""What a report holds: the numbers of a dataset by version, split, cohort and window, the change, and the checks.

The values are the objects that pages read (`Estimate`, `CheckResult`), not copies of their digits; how many digits are
shown is the renderers' affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from lib import __version__
from lib.checks import CheckResult
from lib.diagnose import Diagnosis
from lib.figures.features_view import FeatureRow, RankingView
from lib.figures.monitoring_view import MonitoringView
from lib.figures.slices_view import SlicesView
from lib.reports.cohorts import CohortNumbers, cohorts_of
from lib.reports.comparison import Comparison, comparison_of
from lib.reports.monitoring import monitoring_of
from lib.reports.versions import VersionNumbers, versions_of
from lib.reports.windows import WindowNumbers, windows_of
from lib.scan import Facts
from lib.settings import Settings
from lib.sources.training import NO_TRAINING, Training


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
        versions=versions_of(diagnosis),
        cohorts=tuple(row for column in diagnosis.facts.cohorts for row in cohorts_of(diagnosis, column)),
        windows=windows_of(diagnosis),
        comparison=comparison_of(diagnosis),
        checks=results,
        features=() if ranking is None else ranking.rows,
        features_one_in=1 if ranking is None else ranking.one_in,
        training=training,
        slices=slices,
        monitoring=cache(lambda: monitoring_of(diagnosis, results)),
    )
