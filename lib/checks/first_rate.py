"""The rate that Monitoring and Slices begin with: the violation rate, unless errors say more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lib.checks.beginnings import BEGAN
from lib.checks.result import CheckResult
from lib.metrics.comparison import adjusted_p_values
from lib.metrics.intervals import LEVEL

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis
    from lib.metrics.burn_rate import RateName
    from lib.monitoring import Monitoring

OF_ANSWERS = ("H-F12", "H-F13", "H-F23")


def first_rate(diagnosis: Diagnosis, results: Sequence[CheckResult], watched: Monitoring | None = None) -> RateName:
    """The violation rate, or the error rate where a finding is about answers, or where only that changed for certain.

    Between baseline and candidate, or at a deploy of what is watched (all of them taken together). The violation rate
    is blind where one class gains what the other loses. It stays in front where scores are on two scales, on which
    nobody can say whether it changed.
    """
    if names_answers(results):
        return "error_rate"

    def has_changed(rate: RateName, metric: str) -> bool:
        around = () if watched is None else watched.around(rate)
        steps = {str(place): each.change for place, each in enumerate(around) if each.change.is_defined}
        at_deploys = any(adjusted <= 1 - LEVEL for _p, adjusted in adjusted_p_values(steps).values())
        return at_deploys or (diagnosis.is_compared and diagnosis.verdict(metric) != "")

    only_errors = has_changed("error_rate", "accuracy") and not has_changed("violation_rate", "violation_rate")
    return "error_rate" if only_errors else "violation_rate"


def names_answers(results: Sequence[CheckResult]) -> bool:
    """Whether the first of the findings about a part of the rows says that answers are worse there.

    Of a filter to a cohort that is a finding that began at a deploy.
    """
    found = (each for each in results if each.is_finding and (each.where.cohort or BEGAN in each.evidence))
    first = next(found, None)
    return first is not None and first.code in OF_ANSWERS
