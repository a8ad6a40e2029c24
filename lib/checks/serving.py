"""H-F22: the candidate answers more slowly, or at a higher cost, than the baseline.

Times and costs of one minute are alike, so rows are not independent: tests count the effective number of rows, by how
much more windows of a version differ than rows do by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from lib.cells import ValueCells
from lib.checks import words
from lib.checks.blocks import FloatArray
from lib.checks.memory import once_for_every_margin_target
from lib.checks.result import ALARM_RATE, Answer, Check, Finding, NotApplicable, Passed, Severity, Status, Where
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import excess_p_value
from lib.metrics.summary import unpaired_change
from lib.metrics.values import value_mean, value_quantile
from lib.schema import VERSION

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

LEAST_ROWS = 100
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


@once_for_every_margin_target
def find_latency(diagnosis: Diagnosis) -> list[Rise] | NotApplicable:
    """The median and the 95th percentile of the latency."""
    return _rises(diagnosis, "latency", ("p50", "p95"))


@once_for_every_margin_target
def find_cost(diagnosis: Diagnosis) -> list[Rise] | NotApplicable:
    """The mean cost."""
    return _rises(diagnosis, "cost", ("mean",))


def _rises(diagnosis: Diagnosis, role: str, names: tuple[str, ...]) -> list[Rise] | NotApplicable:
    """The named numbers of the column that plays a role, candidate against baseline."""
    column: str | None = getattr(diagnosis.facts.mapping, role)
    if column is None:
        return NotApplicable(f"There is no {role} column.")
    if not diagnosis.is_compared:
        return NotApplicable("There is one version, so nothing to compare with.")
    cells = diagnosis.value_cells(column, *dict(diagnosis.facts.serving_tables)[column])
    by_version = cells.rollup([VERSION])
    present = [str(each) for each in by_version.groups[VERSION]]
    settings = diagnosis.settings
    rows = dict(zip(present, by_version.n[:, :-1].sum(axis=1).tolist(), strict=True))
    if min(rows.get(settings.baseline, 0), rows.get(settings.candidate, 0)) < LEAST_ROWS:
        return NotApplicable(f"Baseline and candidate do not both have {LEAST_ROWS} rows with a {role}.")
    places = present.index(settings.baseline), present.index(settings.candidate)
    rises: list[Rise] = []
    for name in names:
        found = value_mean(by_version) if name == "mean" else value_quantile(by_version, LEVELS[name])
        baseline, candidate = (found[place] for place in places)
        p = _p_of_mean(cells, settings.baseline, settings.candidate)
        if name != "mean":
            p = _p_of_quantile(cells, by_version.n[places[0], :-1], LEVELS[name], settings.baseline, settings.candidate)
        p_adjusted = min(1.0, p * len(names))
        rises.append(Rise(name, baseline, candidate, unpaired_change(baseline, candidate), p_adjusted))
    return rises


def _p_of_quantile(cells: ValueCells, n_baseline: FloatArray, q: float, baseline: str, candidate: str) -> float:
    """Fisher's test that more of the candidate's rows lie above the baseline's quantile, on effective rows."""
    reach = np.cumsum(n_baseline)
    cut = int(np.searchsorted(reach, q * reach[-1])) + 1
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


def check_latency_regression(diagnosis: Diagnosis) -> Answer:
    """Warn that the candidate answers more slowly than the baseline, in the middle or in the tail."""
    return _answer(diagnosis, "latency", find_latency(diagnosis), {"p50": "median", "p95": "95th percentile"})


def check_cost_regression(diagnosis: Diagnosis) -> Answer:
    """Warn that the candidate's mean cost is higher than the baseline's."""
    return _answer(diagnosis, "cost", find_cost(diagnosis), {"mean": "mean"})


def _answer(diagnosis: Diagnosis, role: str, rises: list[Rise] | NotApplicable, names: dict[str, str]) -> Answer:
    """One finding that tells every number of the column, or that it is no higher."""
    if isinstance(rises, NotApplicable):
        return rises
    n = int(min(rises[0].candidate.n, rises[0].baseline.n))
    told = words.listing([f"{names[each.name]} {_against(each)}" for each in rises])
    evidence: dict[str, Any] = {"n": n} | {
        name: value
        for each in rises
        for name, value in (
            (f"{role}_{each.name}", each.candidate.value),
            (f"{role}_{each.name}_baseline", each.baseline.value),
            (f"{role}_{each.name}_change_ci", [each.change.lower, each.change.upper]),
        )
    }
    worse = [each for each in rises if each.is_worse]
    if not worse:
        return Passed(
            f"The {role} of the candidate is no higher by what matters: {told} (n = {words.count(n)}).", evidence
        )
    return [
        Finding(
            Status.WARN,
            diagnosis.settings.candidate,
            Where(),
            f"The {role} is higher in version {diagnosis.settings.candidate or '(none)'} than in "
            f"{diagnosis.settings.baseline or '(none)'}: {told} (n = {words.count(n)})",
            {**evidence, "p_adjusted": min(each.p for each in worse), "consequences": []},
            max(each.ratio for each in worse),
        )
    ]


def _against(rise: Rise) -> str:
    change = "" if np.isnan(rise.ratio) else f" ({rise.ratio - 1:+.0%})".replace("%", " %").replace("-", "−")
    return f"{rise.candidate.value:.4g} against {rise.baseline.value:.4g}{change}"


LATENCY_REGRESSION = Check(
    code="H-F22",
    name="latency-regression",
    reference="H-F22. Share of the candidate's rows above the baseline's median and 95 % quantile of the latency "
    "column, Fisher's exact one-sided test, counted in effective rows, by how much more windows differ than rows "
    "do by chance; Bonferroni over both",
    minimum_effect="a median at least 10 % or a 95th percentile at least 20 % above the baseline's; 100 rows of each",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="The candidate is a heavier model, computes or fetches more features, or runs on other or busier machines.",
    remedy="Compare the two under the same load; profile the slow requests, and weigh what the quality gained is "
    "worth.",
    topic="home",
    function=check_latency_regression,
)

COST_REGRESSION = Check(
    code="H-F22",
    name="cost-regression",
    reference="H-F22. Mean of the cost column, candidate against baseline, normal one-sided test, counted in "
    "effective rows, by how much more windows differ than rows do by chance",
    minimum_effect="a mean at least 10 % above the baseline's; 100 rows of each",
    alarm_rate=ALARM_RATE,
    severity=Severity.WARNING,
    cause="The candidate is a heavier model, reads or calls more for each prediction, or serves costlier requests "
    "than before.",
    remedy="Compare the two on the same requests, and weigh what the quality gained is worth.",
    topic="home",
    function=check_cost_regression,
)
