"""The candidate against the baseline, as a report holds it."""

from __future__ import annotations

from dataclasses import dataclass

from lib import comparisons
from lib.diagnose import Diagnosis, Verdict
from lib.metrics.catalogue import METRICS
from lib.metrics.comparison import Change, Flips
from lib.metrics.decomposition import Decomposition
from lib.metrics.delong import DeLong
from lib.metrics.estimates import Estimate
from lib.metrics.verdicts import Judgement

ONE_VERSION = "there is only one version"
TOLD_IN_PARTS = "violation_rate"
"""The metric whose change a report tells in parts, for each cohort column."""


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


def comparison_of(diagnosis: Diagnosis) -> Comparison:
    """The change of every metric, how it is judged, and its parts."""
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
