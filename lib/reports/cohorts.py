"""The numbers of each cohort, as a report holds them."""

from __future__ import annotations

from dataclasses import dataclass

from lib.diagnose import Diagnosis
from lib.metrics.estimates import Estimate
from lib.reports.numbers import Numbers, numbers_of
from lib.schema import VERSION, cohort_key


@dataclass(frozen=True)
class CohortNumbers:
    """One value of a cohort column in one version, against the rest of that version.

    `rest`, `excess`, `p`, `p_adjusted` and `rank` are those of the violation rate, as in `CohortContrast`.
    """

    column: str
    value: str
    version: str
    numbers: Numbers
    rest: Estimate
    excess: Estimate
    p: float
    p_adjusted: float
    rank: int
    is_small: bool

    @property
    def violation_rate(self) -> Estimate:
        """The metric that is contrasted."""
        return self.numbers.metrics["violation_rate"]


def cohorts_of(diagnosis: Diagnosis, column: str) -> list[CohortNumbers]:
    """Each value of a cohort column, by version and rank, the worst first."""
    key = cohort_key(column)
    contrast = diagnosis.cohorts(column)
    numbers = dict(numbers_of(diagnosis, VERSION, key))
    places = {version: place for place, version in enumerate(diagnosis.facts.versions)}
    found = [
        CohortNumbers(
            column=column,
            value=str(value),
            version=str(version),
            numbers=numbers[str(version), str(value)],
            rest=contrast.rest[place],
            excess=contrast.excess[place],
            p=float(contrast.p[place]),
            p_adjusted=float(contrast.p_adjusted[place]),
            rank=int(contrast.rank[place]),
            is_small=bool(contrast.small[place]),
        )
        for place, (version, value) in enumerate(
            zip(contrast.groups[VERSION].tolist(), contrast.groups[key].tolist(), strict=True)
        )
    ]
    return sorted(found, key=lambda row: (places[row.version], row.rank))
