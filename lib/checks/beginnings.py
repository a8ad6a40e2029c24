"""Whether what is wrong with some rows began at a deploy: then that is looked at first, not how it was trained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lib.checks.class_mix import ClassMix
from lib.checks.result import Where
from lib.checks.separation import Part as RowsOf
from lib.checks.separation import cells_of
from lib.checks.words import deploy_words
from lib.metrics.burn_rate import RateName
from lib.metrics.deploys import Deploy, around_deploys, difference
from lib.metrics.incidents import Part
from lib.metrics.onset import Change
from lib.monitoring import missing_for_monitoring

if TYPE_CHECKING:
    from lib.diagnose import Diagnosis

BEGAN = "began_at_deploy"
"""The key of evidence."""

CAUSE = (
    "Other rows were not hit like these, so what was deployed means something else for them: a mapping, a feature, a "
    "default, a threshold."
)
REMEDY = (
    "Roll that deploy back, for these rows at least, and compare their inputs and scores before and after it. Training "
    "anew mends nothing here before that is known."
)

SCORES_CAUSE = (
    "Who labels knows nothing of a deploy, so it is likelier that the scores of these rows are wrong: a mapping, a "
    "feature or a default that means something else there."
)
SCORES_REMEDY = (
    "Compare the scores of these rows before and after that deploy, and roll it back for them at least; review labels "
    "only where the scores are right."
)


@dataclass(frozen=True)
class Beginning:
    """A deploy at which a rate of some rows rose; when is known to within an interval.

    `change` is None where the rows of that version are worse from its first window on.
    """

    deploy: Deploy
    change: Change | None = None

    @property
    def words(self) -> str:
        """A sentence: "It began on 2026-04-02 09:10 UTC (08:50 to 09:35), when 2026.04 was deployed."."""
        at = self.deploy.at if self.change is None else self.change.at
        return f"It began on {_moment(at)} UTC{self._interval}, {deploy_words(self.deploy)}."

    @property
    def _interval(self) -> str:
        if self.change is None:
            return ""
        return f" (95 % interval {_moment(self.change.lower)} to {_moment(self.change.upper)})"

    @property
    def cause(self) -> str:
        """That, and what it means."""
        return f"{self.words} {CAUSE}"

    @property
    def evidence(self) -> dict[str, Any]:
        """The same for JSON."""
        return {BEGAN: {"name": self.deploy.name, "kind": self.deploy.kind, "at": _iso(self.deploy.at)}}


def _moment(second: int) -> str:
    return f"{datetime.fromtimestamp(second, tz=UTC):%Y-%m-%d %H:%M}"


def _iso(second: int) -> str:
    return f"{datetime.fromtimestamp(second, tz=UTC):%Y-%m-%dT%H:%M:%SZ}"


def find_beginning(
    diagnosis: Diagnosis, version: str | None, cohort: dict[str, str], rate: RateName = "violation_rate"
) -> Beginning | None:
    """The deploy of a version at which a rate of a cohort, or of a crossing, rose.

    It has to rise for certain by more than that of all rows, and not because of another mix of the classes; None where
    it did not, and where nothing was deployed.
    """
    chosen = dict(diagnosis.settings.where.cohorts)
    own = [(column, value) for column, value in cohort.items() if column not in chosen]
    if version is None or not own or missing_for_monitoring(diagnosis.tables):
        return None
    watched = diagnosis.monitoring()
    deploys = [each for each in watched.deploys if each.name == version]
    if not deploys:
        return None
    (column, value), *further = own
    course = watched.course(rate, Part(column, value, tuple(further)))
    rises = [each for each in watched.changes(course, len(watched.parts)) if each.is_rise]
    found = [(each, deploy) for each in rises if (deploy := watched.deploy_of(each)) in deploys]
    if not found:
        return None
    change, deploy = max(found, key=lambda each: each[0].gain)
    here = around_deploys(course.hits, course.n, course.edges, watched.deploys)
    there = watched.around(rate)
    place = watched.deploys.index(deploy)
    more = difference(here[place].change, there[place].change)
    if not more.is_defined or more.lower <= 0 or _is_mix(diagnosis, version, cohort):
        return None
    return Beginning(deploy, change)


def _is_mix(diagnosis: Diagnosis, version: str, cohort: dict[str, str]) -> bool:
    """Whether these rows of a version are violated more often than those of the others by the mix of classes alone."""
    others = tuple(each for each in diagnosis.facts.versions if each != version)
    here, there = (cells_of(diagnosis, RowsOf(each, tuple(cohort.items()))) for each in ((version,), others))
    return ClassMix.of(here, there, diagnosis.settings.margin_target).is_most


def first_deploy_of(diagnosis: Diagnosis, version: str | None, where: Where) -> Beginning | None:
    """The deploy of a version at which a finding about a part of its rows begins: a cohort, or those of a filter.

    A finding without a time is about all of the version's time, from its deploy on. None where it is about all rows,
    begins later, or where nothing was deployed.
    """
    windows = diagnosis.facts.windows
    is_part = bool(where.cohort or diagnosis.settings.where.cohorts)
    if not is_part or windows is None or missing_for_monitoring(diagnosis.tables):
        return None
    for deploy in diagnosis.monitoring().deploys:
        near = where.window is None or abs(where.window[0] - deploy.at) <= windows.width
        if deploy.name == version and deploy.kind == "deploy" and near:
            return Beginning(deploy)
    return None
