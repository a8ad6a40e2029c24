"""The cohort whose latency rose by more than that of the other rows of the candidate.

Cohorts always differ in latency, so what is compared is by how many times each became slower. Every value of every
cohort column is screened by that alone; those that stand out are compared with the rest anew, counted in effective
rows, by how much more windows of the cohort, and of the rest, differ than rows do by chance.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from lib.cells import ValueCells
from lib.checks.blocks import FloatArray
from lib.checks.result import ALARM_RATE
from lib.checks.rises import LEAST_RISE, LEAST_ROWS, LEVELS, Rise, design_effect, place_above, rises_of
from lib.errors import SettingsError
from lib.metrics.estimates import Estimate
from lib.metrics.intervals import normal_quantile
from lib.metrics.values import value_quantile
from lib.schema import VERSION, cohort_key

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

QUANTILES = ("p50", "p95")
MOST_CONFIRMED = 3
"""So many of those that stand out are compared window by window, the surest first."""


@dataclass(frozen=True, eq=False)
class SlowCohort:
    """A cohort value that is slower in the candidate than in the baseline, by more than the rest is.

    Attributes:
        column, value: which.
        also: other values of the column of which that holds too.
        own, rest: its numbers, and those of all rows without it and `also`.
        p: adjusted for all values that were looked at.
    """

    column: str
    value: str
    also: tuple[str, ...]
    own: list[Rise]
    rest: list[Rise]
    p: float


@dataclass(frozen=True)
class _Seen:
    """A value that stands out: z of its excess over the rest's."""

    column: str
    value: str
    z: float


def find_slow_cohort(diagnosis: Diagnosis, latency: str) -> SlowCohort | None:
    """The surest one; None where none stands out, and of saved cells, which hold no latency by cohort."""
    chosen = {column for column, _value in diagnosis.settings.where.cohorts}
    columns = [column for column in diagnosis.facts.cohorts if column not in chosen]
    try:
        tables = {column: diagnosis.value_cells(latency, VERSION, cohort_key(column)) for column in columns}
    except SettingsError:
        return None
    seen: list[_Seen] = []
    trials = 0
    for column, table in tables.items():
        found, looked = _screen(diagnosis, column, table)
        seen, trials = seen + found, trials + looked
    likely = [each for each in seen if _p(each.z) * trials <= ALARM_RATE]
    for first in sorted(likely, key=lambda each: -each.z)[:MOST_CONFIRMED]:
        also = tuple(each.value for each in likely if each.column == first.column and each.value != first.value)
        for others in (also, ()) if also else ((),):
            slow = _confirm(diagnosis, latency, first, others, trials)
            if slow is not None:
                return slow
    return None


def _p(z: float) -> float:
    return float(special.ndtr(-z))


def _screen(diagnosis: Diagnosis, column: str, table: ValueCells) -> tuple[list[_Seen], int]:
    """The values of a column whose rows are slower by what matters, and how many numbers were looked at."""
    settings, key = diagnosis.settings, cohort_key(column)
    names, versions = table.groups[key], table.groups[VERSION]
    quantiles = {name: value_quantile(table, LEVELS[name]) for name in QUANTILES}
    groups = {(str(names[each]), str(versions[each])): int(each) for each in range(table.n_groups)}
    middles = (table.bins.lower + table.bins.upper) / 2
    sides = (settings.baseline, settings.candidate)
    whole = np.stack([table.n[versions == each, :-1].sum(axis=0) for each in sides])
    found: list[_Seen] = []
    looked = 0
    for value in dict.fromkeys(name for name, _version in groups):
        places = [groups.get((value, each), -1) for each in sides]
        if min(places) < 0:
            continue
        own = table.n[places, :-1]
        if min(own.sum(axis=1).min(), (whole - own).sum(axis=1).min()) < LEAST_ROWS:
            continue
        best = -np.inf
        for name in QUANTILES:
            looked += 1
            before, after = (quantiles[name][place] for place in places)
            if not before.value > 0 < after.value:
                continue
            ratio, rest = after.value / before.value, _ratio(whole - own, middles, LEVELS[name])
            if min(ratio, ratio / rest) >= 1 + LEAST_RISE[name] / 2:
                error = np.hypot(_log_error(before), _log_error(after))
                best = max(best, np.log(ratio / rest) / max(error, 1e-9))
        if np.isfinite(best):
            found.append(_Seen(column, value, float(best)))
    return found, looked


def _log_error(estimate: Estimate) -> float:
    """The standard error of the logarithm of a positive number, from its interval."""
    return (estimate.upper - estimate.lower) / (2 * normal_quantile() * estimate.value)


def _ratio(counts: FloatArray, middles: FloatArray, q: float) -> float:
    """The candidate's q-quantile over the baseline's, by the middles of their bins; 1 where that is no number."""
    before, after = (float(middles[min(place_above(each, q), len(middles)) - 1]) for each in counts)
    return after / before if before > 0 and after > 0 else 1.0


def _confirm(diagnosis: Diagnosis, latency: str, seen: _Seen, also: tuple[str, ...], trials: int) -> SlowCohort | None:
    """The value against all rows but those of the values like it, window by window."""
    keys, settings = dict(diagnosis.facts.serving_tables)[latency], diagnosis.settings
    whole = diagnosis.value_cells(latency, *keys)

    def of(value: str) -> ValueCells:
        where = dataclasses.replace(settings.where, cohorts=(*settings.where.cohorts, (seen.column, value)))
        return diagnosis.with_settings(where=where).value_cells(latency, *keys)

    own, rest = of(seen.value), whole
    for value in (seen.value, *also):
        rest = rest.without(of(value))
    here, there = (rises_of(each, QUANTILES, settings.baseline, settings.candidate, trials) for each in (own, rest))
    if here is None or there is None:
        return None
    p = 1.0
    for each, other in zip(here, there, strict=True):
        if each.is_worse and each.ratio / max(other.ratio, 1.0) >= 1 + LEAST_RISE[each.name]:
            p = min(p, _p(_z_by_window(own, rest, each, other, settings.baseline)) * trials)
    return SlowCohort(seen.column, seen.value, also, here, there, p) if p <= ALARM_RATE else None


def _z_by_window(own: ValueCells, rest: ValueCells, here: Rise, there: Rise, baseline: str) -> float:
    """Z of the logarithm of one rise over the other, each known as closely as its effective rows allow."""
    variance = 0.0
    for cells, rise in ((own, here), (rest, there)):
        version = cells.groups[VERSION]
        above = place_above(cells.n[version == baseline, :-1].sum(axis=0), LEVELS[rise.name])
        effect = design_effect(cells.n[:, above:-1].sum(axis=1), cells.n[:, :-1].sum(axis=1), version)
        variance += effect * (_log_error(rise.baseline) ** 2 + _log_error(rise.candidate) ** 2)
    return float(np.log(here.ratio / there.ratio) / np.sqrt(max(variance, 1e-18)))
