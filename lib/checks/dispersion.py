"""How much more stretches of a version's time differ in wrong answers than rows do by chance.

Cases are harder on some days, and of some cohorts more so: two versions that serve one after the other differ by that
too. The baseline's time is cut into stretches of as many rows each; what they differ by, class by class, beyond what
rows make by chance, widens what counts as chance between versions (quasi-likelihood; McCullagh and Nelder 1989).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from lib.cells import Cells
from lib.checks.answer_counts import count_answers, split_by_class
from lib.checks.blocks import FloatArray
from lib.checks.memory import once_for_every_margin_target
from lib.schema import NO_WINDOW, VERSION, WINDOW, cohort_key

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

STRETCHES = 10
"""Into so many stretches of as many rows each a version's time is cut."""
CERTAIN = 0.01


@dataclass(frozen=True)
class Dispersion:
    """How much more stretches differ than rows do by chance.

    Attributes:
        ratio: of the variances, at least 1; 1 where it may be chance.
        degrees: of freedom from which that is known.
        rows: of a stretch of what it is known from.
    """

    ratio: float
    degrees: float
    rows: float

    def among(self, rows: float) -> Dispersion:
        """Of stretches with fewer rows: what these share weighs less beside chance."""
        return Dispersion(1 + (self.ratio - 1) * min(1.0, rows / max(self.rows, 1.0)), self.degrees, rows)

    def p_beyond(self, z: float) -> float:
        """One-sided p of a difference in standard errors; Student's, where rows vary more than by chance."""
        if self.ratio == 1:
            return float(special.ndtr(-z))
        return float(special.stdtr(self.degrees, -z / math.sqrt(self.ratio)))


NO_DISPERSION = Dispersion(1.0, math.inf, 0.0)


@once_for_every_margin_target
def whole_dispersion(diagnosis: Diagnosis) -> Dispersion:
    """Of all rows of the baseline."""
    return _told(diagnosis, diagnosis.cells(VERSION, WINDOW)) if diagnosis.facts.windows else NO_DISPERSION


def column_dispersion(diagnosis: Diagnosis, column: str) -> Dispersion:
    """Of the values of a cohort column in the baseline, together."""
    if diagnosis.facts.windows is None or column not in diagnosis.facts.cohorts:
        return NO_DISPERSION
    return _told(diagnosis, diagnosis.cohort_windows(column), cohort_key(column))


def _told(diagnosis: Diagnosis, cells: Cells, key: str = "") -> Dispersion:
    """Of all rows of a table by version and window, or of those of each value of another key."""
    counts = np.zeros((cells.n_groups, 4))
    np.add.at(counts, cells.block // 3, count_answers(cells))
    start = cells.groups[WINDOW].astype(np.int64)
    order = np.argsort(start, kind="stable")
    order = order[((cells.groups[VERSION] == diagnosis.settings.baseline) & (start != NO_WINDOW))[order]]
    wrong, n = (each.T for each in split_by_class(counts[order]))
    value = np.unique(cells.groups[key][order], return_inverse=True)[1] if key else np.zeros(len(order), np.int64)
    parts = [value == each for each in range(int(value.max(initial=-1)) + 1)]
    scatters = [_scatter(wrong[part], n[part]) for part in parts]
    chi_squared, degrees = (sum(each[place] for each in scatters) for place in (0, 1))
    if degrees <= 0 or special.chdtrc(degrees, chi_squared) >= CERTAIN:
        return NO_DISPERSION
    rows = sum(of * rows for _chi, of, rows in scatters) / degrees
    return Dispersion(max(1.0, chi_squared / degrees), degrees, rows)


def _scatter(wrong: FloatArray, n: FloatArray) -> tuple[float, float, float]:
    """Pearson's χ² of stretches, class by class, its degrees of freedom, and rows of a stretch."""
    rows = n.sum(axis=1)
    if rows.sum() < STRETCHES:
        return 0.0, 0.0, 0.0
    rate = wrong.sum(axis=0) / np.maximum(n.sum(axis=0), 1.0)
    place = ((np.cumsum(rows) - rows / 2) / rows.sum() * STRETCHES).astype(np.int64)
    stretch = np.minimum(place, STRETCHES - 1)
    excess = np.bincount(stretch, (wrong - n * rate).sum(axis=1), STRETCHES)
    variance = np.bincount(stretch, (n * rate * (1 - rate)).sum(axis=1), STRETCHES)
    kept = variance > 0
    chi_squared = float((excess[kept] ** 2 / variance[kept]).sum())
    return chi_squared, max(0.0, float(kept.sum()) - 1), float(rows.sum()) / STRETCHES
