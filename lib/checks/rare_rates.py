"""Violation rates of the cohort values that tables gather as one, each against the rest of its version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lib.checks.blocks import FloatArray
from lib.checks.rare import read_rare
from lib.checks.separation import Part, cells_outside
from lib.metrics.cohorts import SMALL
from lib.metrics.intervals import excess_p_value
from lib.metrics.margins import violation_counts
from lib.metrics.ranks import NEGATIVES, POSITIVES

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis


@dataclass(frozen=True, eq=False)
class RareRates:
    """The values of one column in one version, without weights.

    Off the steps of margin that are counted, a value has at least as many violations as this says and the rest at
    most: a test by them errs to the safe side, and the rows of a value that passes are read.

    Attributes:
        column, version: which.
        values: the K values.
        n, excess: shape (K,), labelled and scored rows, and how far the rate is above that of the rest.
        p: shape (K,), Fisher's exact one-sided test; NaN where a value has fewer than `SMALL` rows.
    """

    column: str
    version: str
    values: tuple[str, ...]
    n: FloatArray
    excess: FloatArray
    p: FloatArray

    @property
    def n_tested(self) -> int:
        """How many values have rows enough."""
        return int((~np.isnan(self.p)).sum())

    @classmethod
    def of(cls, diagnosis: Diagnosis, parts: tuple[Part, ...] = ()) -> list[RareRates]:
        """Every column that gathers values, in each shown version, without the rows of some parts."""
        margin_target, made = diagnosis.settings.margin_target, list[RareRates]()
        tables = read_rare(diagnosis, parts)
        for version in diagnosis.shown_versions if tables else ():
            whole = violation_counts(cells_outside(diagnosis, Part((version,)), parts), margin_target)
            all_rows, all_hits = float(whole.n.sum()), float(whole.hits.sum())
            for table in tables:
                here = table.versions.index(version)
                n = table.order[here, :, POSITIVES] + table.order[here, :, NEGATIVES]
                hits = table.violations(margin_target)[here]
                rest, rest_hits = all_rows - n, all_hits - hits
                tested = (n >= SMALL) & (rest > 0)
                excess = hits / np.maximum(n, 1.0) - rest_hits / np.maximum(rest, 1.0)
                p = np.full(len(n), np.nan)
                p[tested] = excess_p_value(hits[tested], n[tested], rest_hits[tested], rest[tested])
                made.append(cls(table.column, version, table.values, n, excess, p))
        return made
