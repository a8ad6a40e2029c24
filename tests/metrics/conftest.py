"""Cells from rows, and rows that are awkward enough: the shared ground of the metric tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import ArrayLike

from lib.cells import Cells, bin_ids
from lib.grid import EXACT, Resolution
from lib.metrics.catalogue import MetricSettings, metric_named
from lib.metrics.estimates import Estimates
from lib.schema import ScoreKind


def build(
    labels: ArrayLike,
    scores: ArrayLike,
    weights: ArrayLike | None = None,
    keys: Mapping[str, ArrayLike] | None = None,
    resolution: Resolution = EXACT,
) -> Cells:
    """Cells of rows: labels in −1, 0, +1, scores with NaN where missing."""
    y, s = np.asarray(labels, np.float64), np.asarray(scores, np.float64)
    scored = ~np.isnan(s)
    value = np.where(scored, s, 0.0)
    p = np.where(value >= 0, 1 / (1 + np.exp(-np.abs(value))), np.exp(-np.abs(value)) / (1 + np.exp(-np.abs(value))))
    loss = np.where(y == 0, 0.0, np.logaddexp(0, -y * value))
    moments = [np.where(scored, m, 0.0) for m in (value, value**2, loss, loss**2, p, p**2)]
    columns = [np.ones(len(s)), *moments]
    if weights is not None:
        w = np.asarray(weights, np.float64)
        columns += [w, w**2, *(w * m for m in moments), *(w**2 * m for m in moments)]
    score_bin, probability_bin = bin_ids(s, p, resolution)
    return Cells.build(
        keys or {},
        y.astype(np.int64),
        score_bin,
        probability_bin,
        np.stack(columns, axis=1),
        resolution=resolution,
        score=s,
    )


def metric_of(name: str, cells: Cells, margin_target: float = 1.0) -> Estimates:
    """A metric of decision scores as the table of metrics has it."""
    return metric_named(name).estimate(cells, MetricSettings(margin_target, ScoreKind.DECISION))


@dataclass
class Rows:
    label: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    version: np.ndarray

    @property
    def margin(self) -> np.ndarray:
        return self.label * self.score

    @property
    def usable(self) -> np.ndarray:
        return (self.label != 0) & ~np.isnan(self.score)

    def of(self, version: str) -> Rows:
        kept = self.usable & (self.version == version)
        return Rows(self.label[kept], self.score[kept], self.weight[kept], self.version[kept])

    def cells(self, resolution: Resolution = EXACT, *, weighted: bool = False) -> Cells:
        weights = self.weight if weighted else None
        return build(self.label, self.score, weights, {"version": self.version}, resolution)


def draw(seed: int, n: int = 400) -> Rows:
    """Two versions; ties, scores on edges, far scores, unlabelled rows and rows without a score."""
    generator = np.random.default_rng(seed)
    label = generator.choice([-1, 0, 1], n, p=[0.5, 0.1, 0.4])
    score = np.round(generator.normal(label * 0.8, 1.5), generator.integers(1, 4))
    score[generator.random(n) < 0.04] *= 20
    score[generator.random(n) < 0.05] = np.nan
    return Rows(label, score, generator.gamma(2.0, 1.0, n), generator.choice(["a", "b"], n))


@pytest.fixture(scope="session", params=range(3))
def rows(request: pytest.FixtureRequest) -> Rows:
    return draw(request.param)
