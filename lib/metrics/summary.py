"""Every scalar metric of every group of a table of cells, and the change of a number between two samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.cells import Cells
from lib.metrics.catalogue import METRICS, Metric, MetricSettings, metric_named
from lib.metrics.estimates import Estimate, Estimates, FloatArray, estimates
from lib.metrics.intervals import mover
from lib.metrics.multiclass import ClassTables, whole_estimate
from lib.metrics.parts import count_rows, count_usable, say_what_is_missing

__all__ = [
    "METRICS",
    "Metric",
    "MetricSettings",
    "Summary",
    "compute_summary",
    "metric_named",
    "unpaired_change",
    "unpaired_changes",
]


@dataclass(frozen=True, eq=False)
class Summary:
    """All metrics of each group.

    Attributes:
        groups: key values, each shape (G,).
        settings: what they were computed with.
        n: shape (G,), all rows, labelled and scored or not.
        n_labelled: shape (G,), rows with a label, scored or not.
        metrics: name to estimates, in the order of `METRICS`.
    """

    groups: dict[str, NDArray[np.generic]]
    settings: MetricSettings
    n: FloatArray
    n_labelled: FloatArray
    metrics: dict[str, Estimates]

    def __getitem__(self, name: str) -> Estimates:
        """The estimates of one metric."""
        return self.metrics[name]

    def frame(self) -> pd.DataFrame:
        """One row per group and metric: keys, metric, value, lower, upper, n, reason, bound."""
        parts = [
            pd.DataFrame(
                {
                    **self.groups,
                    "metric": name,
                    **each.columns(),
                    "bound": each.bound,
                }
            )
            for name, each in self.metrics.items()
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def compute_summary(
    cells: Cells,
    settings: MetricSettings = MetricSettings(),
    names: Sequence[str] | None = None,
    classes: ClassTables | None = None,
) -> Summary:
    """All metrics, or those named, of each group of the cells.

    Args:
        cells: the groups.
        settings: γ, the score kind and the classes.
        names: of metrics; all by default.
        classes: the tables of the same groups that speak of several classes; without them what needs such tables is
            undefined.
    """

    def estimate(metric: Metric) -> Estimates:
        if classes is None or metric.is_of(settings):
            return metric.estimate(cells, settings)
        return whole_estimate(metric.name, classes, settings.score_kind)

    chosen = METRICS if names is None else tuple(metric_named(name) for name in names)
    usable = count_usable(cells)
    return Summary(
        groups=cells.groups,
        settings=settings,
        n=count_rows(cells).sum(axis=1),
        n_labelled=usable[0],
        metrics={metric.name: say_what_is_missing(estimate(metric), *usable) for metric in chosen},
    )


def unpaired_changes(baseline: Estimates, candidate: Estimates) -> Estimates:
    """Candidate − baseline, group by group, of two independent samples: intervals squared and added.

    For rates this is Newcombe's hybrid score interval. n is the smaller of the two, bound the sum.
    """
    value, lower, upper = mover(
        (candidate.value, candidate.lower, candidate.upper), (baseline.value, baseline.lower, baseline.upper)
    )
    texts = [
        f"undefined in the baseline: {first}" if first else f"undefined in the candidate: {second}"
        for first, second in zip(baseline.reason, candidate.reason, strict=True)
        if first or second
    ]
    names = np.full(len(baseline), "", dtype=object)
    names[~(baseline.is_defined & candidate.is_defined)] = texts
    result = estimates(value, lower, upper, np.minimum(baseline.n, candidate.n), bound=baseline.bound + candidate.bound)
    return Estimates(result.value, result.lower, result.upper, result.n, tuple(names.tolist()), result.bound)


def unpaired_change(baseline: Estimate, candidate: Estimate) -> Estimate:
    """The scalar form of `unpaired_changes`."""

    def one(each: Estimate) -> Estimates:
        values = (np.array([x]) for x in (each.value, each.lower, each.upper, each.n, each.bound))
        value, lower, upper, n, bound = values
        return Estimates(value, lower, upper, n, (each.reason,), bound)

    return unpaired_changes(one(baseline), one(candidate))[0]
