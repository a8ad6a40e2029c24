"""How much higher a value column is in one version than in another: its median, its tail or its mean, with a test.

Times and costs of one minute are alike, so rows are not independent: tests count the effective number of rows, by how
much more windows of a version differ than rows do by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lib.cells import ValueCells
from lib.checks.blocks import FloatArray
from lib.checks.result import ALARM_RATE
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import excess_p_value
from lib.metrics.summary import unpaired_change
from lib.metrics.values import value_mean, value_quantile
from lib.schema import VERSION

LEAST_ROWS = 100
"""Of baseline and of candidate."""
LEAST_RISE = {"p50": 0.1, "p95": 0.2, "mean": 0.1}
"""How much higher, as a share of the baseline's, for it to matter."""
LEVELS = {"p50": 0.5, "p95": 0.95}


@dataclass(frozen=True)
class Rise:
    """One number of a column in the candidate against the baseline, with the adjusted p that it is no higher."""

    name: str
    baseline: Estimate
    candidate: Estimate
    change: Estimate
    p: float

    @property
    def ratio(self) -> float:
        """The candidate's over the baseline's; NaN where that is no positive number."""
        return self.candidate.value / self.baseline.value if self.baseline.value > 0 else float("nan")

    @property
    def is_worse(self) -> bool:
        """Whether it is higher beyond chance, and by so much that it matters."""
        return self.p <= ALARM_RATE and self.ratio >= 1 + LEAST_RISE[self.name]


def design_effect(hits: FloatArray, n: FloatArray, version: NDArray[Any]) -> float:
    """How much more windows differ from their version in a share than rows do by chance; at least 1.

    Args:
        hits: shape (G,), rows that count, by version and window.
        n: shape (G,), rows.
        version: shape (G,), the version.
    """
    squares, degrees = 0.0, 0
    for each in np.unique(version):
        own = (version == each) & (n > 0)
        share = hits[own].sum() / max(n[own].sum(), 1.0)
        if own.sum() > 1 and 0 < share < 1:
            squares += float(((hits[own] - n[own] * share) ** 2 / (n[own] * share * (1 - share))).sum())
            degrees += int(own.sum()) - 1
    return max(1.0, squares / degrees) if degrees else 1.0


def place_above(n: FloatArray, q: float) -> int:
    """The first bin that lies above the q-quantile of rows in bins."""
    reach = np.cumsum(n)
    return int(np.searchsorted(reach, q * reach[-1])) + 1


def rises_of(
    cells: ValueCells, names: Sequence[str], baseline: str, candidate: str, trials: float = 1.0
) -> list[Rise] | None:
    """The named numbers, "p50", "p95" or "mean", candidate against baseline; None where either has fewer than 100 rows.

    Args:
        cells: by version, and by window where there are times.
        names: the numbers.
        baseline: the version that is compared with.
        candidate: the version that is judged.
        trials: how many parts are looked at; p is adjusted for these times the names.
    """
    by_version = cells.rollup([VERSION])
    present = [str(each) for each in by_version.groups[VERSION]]
    rows = dict(zip(present, by_version.n[:, :-1].sum(axis=1).tolist(), strict=True))
    if min(rows.get(baseline, 0), rows.get(candidate, 0)) < LEAST_ROWS:
        return None
    places = present.index(baseline), present.index(candidate)
    rises: list[Rise] = []
    for name in names:
        found = value_mean(by_version) if name == "mean" else value_quantile(by_version, LEVELS[name])
        before, after = (found[place] for place in places)
        p = _p_of_mean(cells, baseline, candidate)
        if name != "mean":
            p = _p_of_quantile(cells, by_version.n[places[0], :-1], LEVELS[name], baseline, candidate)
        rises.append(Rise(name, before, after, unpaired_change(before, after), min(1.0, p * len(names) * trials)))
    return rises


def _p_of_quantile(cells: ValueCells, n_baseline: FloatArray, q: float, baseline: str, candidate: str) -> float:
    """Fisher's test that more of the candidate's rows lie above the baseline's quantile, on effective rows."""
    cut = place_above(n_baseline, q)
    n, hits = cells.n[:, :-1].sum(axis=1), cells.n[:, cut:-1].sum(axis=1)
    version = cells.groups[VERSION]
    effect = design_effect(hits, n, version)
    sides = [values[version == of].sum() / effect for of in (candidate, baseline) for values in (hits, n)]
    return float(excess_p_value(*sides))


def _p_of_mean(cells: ValueCells, baseline: str, candidate: str) -> float:
    """Normal test that the candidate's mean is higher, with the variance between windows where that is more."""
    n, v, vv = (cells.whole[:, :-1, place].sum(axis=1) for place in range(3))
    version = cells.groups[VERSION]
    means: list[float] = []
    error, squares, degrees = 0.0, 0.0, 0
    for of in (candidate, baseline):
        own = (version == of) & (n > 0)
        total = n[own].sum()
        mean = float(v[own].sum() / total)
        variance = max(float(vv[own].sum() / total) - mean**2, 1e-300)
        squares += float((n[own] * (v[own] / n[own] - mean) ** 2).sum()) / variance
        degrees += int(own.sum()) - 1
        error += variance / total
        means.append(mean)
    effect = max(1.0, squares / degrees) if degrees else 1.0
    return float(special.ndtr(-(means[0] - means[1]) / np.sqrt(error * effect)))
