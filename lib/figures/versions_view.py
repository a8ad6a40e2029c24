"""What the Comparison page shows of more than two versions: metrics, latency and cost of each, and which is beaten."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.diagnose import Diagnosis
from lib.metrics.catalogue import Metric, metric_named
from lib.metrics.estimates import Estimate
from lib.metrics.pareto import on_front
from lib.metrics.values import value_mean, value_quantile
from lib.schema import VERSION

SHOWN = ("violation_rate", "average_hinge_loss", "roc_auc", "accuracy", "f1", "log_loss")
"""The metrics of the small multiples, where they are defined."""
MOST_VERSIONS = 30
LATENCIES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
NAMES = {"p50": "Median latency", "p95": "95th percentile latency", "p99": "99th percentile latency"}
COST = "cost"
COST_WORDS = "Cost per 1,000 rows"


@dataclass(frozen=True, eq=False)
class VersionsView:
    """Versions side by side, in their order.

    Attributes:
        versions: V names; of more than 30 the first ones and the two that are compared.
        baseline, candidate: which are compared.
        metrics: those that are defined for some version.
        numbers: metric name to V numbers.
    """

    versions: tuple[str, ...]
    baseline: str
    candidate: str
    metrics: tuple[Metric, ...]
    numbers: dict[str, tuple[Estimate, ...]]

    @classmethod
    def of(cls, diagnosis: Diagnosis) -> VersionsView:
        """All versions that have rows."""
        present = diagnosis.versions.groups[VERSION].tolist()
        versions = [each for each in diagnosis.facts.versions if each in present]
        first = [*diagnosis.shown_versions, *versions][:MOST_VERSIONS]
        versions = [each for each in versions if each in first]
        numbers = {name: tuple(diagnosis.versions[name][present.index(each)] for each in versions) for name in SHOWN}
        metrics = [metric_named(name) for name, found in numbers.items() if any(each.is_defined for each in found)]
        settings = diagnosis.settings
        return cls(tuple(versions), settings.baseline, settings.candidate, tuple(metrics), numbers)

    def frame(self) -> pd.DataFrame:
        """One row per version and metric."""
        return pd.DataFrame(
            [
                {"version": version, "metric": name, "value": each.value, "lower": each.lower, "upper": each.upper}
                for name, found in self.numbers.items()
                for version, each in zip(self.versions, found, strict=True)
            ]
        )


@dataclass(frozen=True, eq=False)
class ServingView:
    """What versions cost, beside how good they are.

    Attributes:
        versions: V names.
        metric: what is good.
        quality: V numbers of it.
        prices: name (`p50`, `p95`, `p99`, `cost`) to V numbers; cost is per 1,000 rows.
        unanswered: V shares of rows without a score.
    """

    versions: tuple[str, ...]
    metric: Metric
    quality: tuple[Estimate, ...]
    prices: dict[str, tuple[Estimate, ...]]
    unanswered: tuple[float, ...]

    @classmethod
    def of(cls, diagnosis: Diagnosis, metric: str) -> ServingView | None:
        """All versions; None without a latency or a cost column, or without rows to read it from."""
        mapping = diagnosis.facts.mapping
        if diagnosis.facts.saved or not (mapping.latency or mapping.cost):
            return None
        view = VersionsView.of(diagnosis)
        prices: dict[str, tuple[Estimate, ...]] = {}
        for column, keys in diagnosis.facts.serving_tables:
            cells = diagnosis.tables.value_cells(column, keys, diagnosis.settings.where, versions=view.versions)
            by_version = cells.rollup([VERSION])
            present = by_version.groups[VERSION].tolist()
            none = Estimate(math.nan, math.nan, math.nan, 0, f"no {column}")
            if column == mapping.latency:
                found = {name: value_quantile(by_version, q) for name, q in LATENCIES.items()}
            else:
                found = {COST: value_mean(by_version)}
            for name, each in found.items():
                times = 1000.0 if name == COST else 1.0
                prices[name] = tuple(
                    scaled(each[present.index(version)], times) if version in present else none
                    for version in view.versions
                )
        present = diagnosis.versions.groups[VERSION].tolist()
        cells = diagnosis.cells(VERSION)
        missing = cells.unscored.n.sum(axis=1) / np.maximum(diagnosis.versions.n, 1)
        return cls(
            view.versions,
            metric_named(metric),
            tuple(diagnosis.versions[metric][present.index(each)] for each in view.versions),
            prices,
            tuple(float(missing[present.index(each)]) for each in view.versions),
        )

    def on_front(self, price: str) -> tuple[bool, ...]:
        """Whether no other version is as cheap and as good, and better in one of the two."""
        sign = -1.0 if self.metric.direction == "lower" else 1.0
        cost, quality = ([each.value for each in found] for found in (self.prices[price], self.quality))
        return tuple(on_front(cost, [sign * each for each in quality]).tolist())

    def frame(self) -> pd.DataFrame:
        """One row per version."""
        return pd.DataFrame(
            {
                "version": self.versions,
                self.metric.name: [each.value for each in self.quality],
                **{name: [each.value for each in found] for name, found in self.prices.items()},
                "unanswered": self.unanswered,
            }
        )


def price_words(price: str) -> str:
    """What a price is called."""
    return COST_WORDS if price == COST else NAMES[price]


def scaled(estimate: Estimate, times: float) -> Estimate:
    """A number and its interval in a smaller unit."""
    return Estimate(
        estimate.value * times,
        estimate.lower * times,
        estimate.upper * times,
        estimate.n,
        estimate.reason,
        estimate.bound * times,
    )
