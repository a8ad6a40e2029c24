"""Where rows gather on which the model is sure and wrong, by labeller and by cohort: what the Samples page shows."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from lib.diagnose import Diagnosis
from lib.figures.cohorts_view import LEVEL
from lib.figures.format import format_count, format_interval, format_plural, format_score, format_share
from lib.figures.samples import COHORTS
from lib.figures.text import MISSING
from lib.metrics.confidence import NOTHING_SURE, confident_error_counts, sure_scores
from lib.metrics.estimates import Estimate
from lib.scan.listing import RowQuery
from lib.schema import VERSION, cohort_key
from lib.sources.names import is_named_labeller

RATE = "confident_error_rate"
MOST_ROWS = 10


@dataclass(frozen=True)
class ConfidentRow:
    """One value of a cohort column: how many of the rows that the model is sure of are labelled otherwise.

    Attributes:
        column, value: the cohort.
        wrong: how many, a raw count; `estimate.n` is how many it is sure of.
        estimate, rest, excess: the share here, in the rest of the version, and the difference.
        stands_out: whether the share is above that of the rest beyond chance, among all values of the column.
        query: which rows they are; None where the filter of all pages already holds another cohort.
    """

    column: str
    value: str
    wrong: int
    estimate: Estimate
    rest: Estimate
    excess: Estimate
    stands_out: bool
    query: RowQuery | None


@dataclass(frozen=True)
class ConfidentView:
    """Where one version is sure and wrong.

    Attributes:
        version: whose rows.
        wrong, sure: of the whole version, raw counts.
        rate: the share of the one in the other, `confident_error_rate`.
        threshold: the |s| above which it is sure; NaN where no row tells.
        labellers: rows of the columns that name who gave the label, ranked.
        cohorts: rows of the other cohort columns together, ranked.
    """

    version: str
    wrong: int
    sure: int
    rate: Estimate
    threshold: float
    labellers: tuple[ConfidentRow, ...]
    cohorts: tuple[ConfidentRow, ...]

    @classmethod
    def of(cls, diagnosis: Diagnosis, version: str) -> ConfidentView:
        """Ranked by the lower bound of the excess over the rest; values without such rows and small ones left out."""
        kind, whole = diagnosis.facts.mapping.score_kind, diagnosis.cells(VERSION)
        place = whole.groups[VERSION].tolist().index(version) if version in whole.groups[VERSION] else None
        if place is None:
            return cls(version, 0, 0, Estimate(math.nan, math.nan, math.nan, 0, NOTHING_SURE), math.nan, (), ())
        counts = confident_error_counts(whole, kind)
        rows = [row for column in diagnosis.facts.cohorts for row in _rows(diagnosis, column, version)]
        rows.sort(key=lambda row: -row.excess.lower)
        return cls(
            version,
            int(counts.hits[place]),
            int(counts.n[place]),
            diagnosis.versions[RATE][place],
            float(sure_scores(whole, kind)[place]),
            tuple(row for row in rows if is_named_labeller(row.column))[:MOST_ROWS],
            tuple(row for row in rows if not is_named_labeller(row.column))[:MOST_ROWS],
        )

    def answer(self) -> str:
        """How many there are and where they gather, in one sentence (plain text)."""
        if not self.sure:
            return f"Version {self.version} is sure of no labelled row."
        verb = "is" if self.wrong == 1 else "are"
        said = (
            f"Of {format_plural(self.sure, 'row')} that version {self.version} is sure of (|s| above "
            f"{format_score(self.threshold)}), {format_count(self.wrong)} {verb} labelled otherwise: "
            f"{format_share(self.rate.value)} ({format_interval(self.rate.lower, self.rate.upper, 'share')})"
        )
        top = next((row for row in (*self.labellers, *self.cohorts) if row.stands_out), None)
        if top is None:
            return f"{said}; no cohort has more of them than the rest beyond chance."
        name = top.value or MISSING
        return f"{said}; {top.column} {name} has most beyond chance, {format_share(top.estimate.value)} of its own."


def _rows(diagnosis: Diagnosis, column: str, version: str) -> list[ConfidentRow]:
    key, where, kind = cohort_key(column), diagnosis.settings.where, diagnosis.facts.mapping.score_kind
    cells = diagnosis.cells(VERSION, key)
    contrast = diagnosis.cohorts(column, RATE)
    wrong, sure = confident_error_counts(cells, kind).hits, sure_scores(cells, kind)
    found: list[ConfidentRow] = []
    for place in range(cells.n_groups):
        if str(cells.groups[VERSION][place]) != version or contrast.small[place] or not wrong[place]:
            continue
        excess = contrast.excess[place]
        if math.isnan(excess.lower):
            continue
        value = str(cells.groups[key][place])
        held = {**dict(where.cohorts), column: value}
        here = dataclasses.replace(where, cohorts=tuple(held.items()))
        can_link = len(held) <= len(COHORTS)
        query = RowQuery(here, version=version, margin_to=-float(sure[place])) if can_link else None
        found.append(
            ConfidentRow(
                column,
                value,
                int(wrong[place]),
                contrast.estimate[place],
                contrast.rest[place],
                excess,
                bool(contrast.p_adjusted[place] < LEVEL),
                query,
            )
        )
    return found
