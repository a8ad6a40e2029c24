"""Monitoring of a dataset under a filter: courses along time, deploys, what objectives would have told, and onsets.

What is read is a grouping by short buckets, held like other tables; all that follows costs as much as its buckets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lib.cells import COUNTS, Timeline
from lib.errors import SettingsError
from lib.metrics.burn_rate import Objective, RateName, budget_left, default_rules, replay
from lib.metrics.canaries import Canary, find_canaries
from lib.metrics.deploys import (
    AROUND,
    Around,
    Deploy,
    Recovery,
    are_beside,
    around_deploys,
    find_deploys,
    find_recoveries,
    match_deploy,
)
from lib.metrics.estimates import Estimate, FloatArray, IntArray
from lib.metrics.expected import label_lag
from lib.metrics.incidents import (
    SLIS,
    Breach,
    Incident,
    Onset,
    Part,
    PartAlert,
    find_breaches,
    group_alerts,
    group_changes,
    sustained_share,
)
from lib.metrics.onset import Change, expected_rate, find_changes, rate_between
from lib.monitoring.reading import narrowed, watched_columns
from lib.scan.held import HeldTables
from lib.scan.windows import HOUR
from lib.schema import EVERYTHING, Filter

ABOVE_USUAL = 1.25
"""An objective that nobody has set is so many times the rate that there was before the first deploy."""
SUGGESTED: tuple[RateName, ...] = ("violation_rate", "error_rate")
LEAST_BAD = 5
"""A part with fewer bad rows in all neither alerts nor changes."""
ALL = Part()


@dataclass(frozen=True, eq=False)
class Course:
    """A rate of one part along time: bad rows and rows of each bucket, shape (B,), between edges, shape (B + 1,)."""

    part: Part
    hits: FloatArray
    n: FloatArray
    edges: IntArray


@dataclass(frozen=True, eq=False)
class Told:
    """What an objective would have told.

    Attributes:
        objective: which.
        incidents: alerts by what they come down to, in the order of time.
        n_parts: how many parts were watched.
        budget_left: shape (B,), the share of the error budget of all rows that is left, after each bucket.
        breaches: when all rows missed the objective over a day.
        sustained_share: the share of the time in which they missed it for days on end.
    """

    objective: Objective
    incidents: tuple[Incident, ...]
    n_parts: int
    budget_left: FloatArray
    breaches: tuple[Breach, ...]
    sustained_share: float


class Monitoring:
    """Courses of the rows that pass a filter, of one version or of all that were served; each is computed once."""

    def __init__(
        self,
        tables: HeldTables,
        where: Filter,
        margin_target: float,
        *,
        version: str | None = None,
        deploys: Sequence[Deploy] = (),
    ) -> None:
        """Without `deploys` they are those that the version column of all rows shows.

        Raises:
            SettingsError: no row has a time.
        """
        self.tables, self.where, self.margin_target, self.version = tables, where, margin_target, version
        if tables.facts.windows is None:
            raise SettingsError("No row has a time, so there is nothing to monitor.")
        self.columns = watched_columns(tables, where)
        self.deploys = tuple(deploys) or self._served()
        self._told: dict[Objective, Told] = {}
        self._onsets: dict[tuple[RateName, tuple[Part, ...]], tuple[Onset, ...]] = {}

    def _served(self) -> tuple[Deploy, ...]:
        # A filter changes whose rates are told, not what was deployed.
        made = self.tables.timeline(None, EVERYTHING, self.margin_target)
        assert made is not None
        return find_deploys(made)

    @cached_property
    def canaries(self) -> tuple[Canary, ...]:
        """Versions that served some rows before they were deployed, of all rows as deploys are."""
        made = self.tables.timeline(None, EVERYTHING, self.margin_target)
        assert made is not None
        return find_canaries(made, self.deploys)

    def timeline(self, column: str | None = None, margin_target: float | None = None) -> Timeline:
        """Counts in short buckets; of γ unless another margin target is meant."""
        gamma = self.margin_target if margin_target is None else margin_target
        made = self.tables.timeline(column, self.where, gamma)
        assert made is not None
        return made

    @property
    def width(self) -> int:
        """Of a bucket of all rows, in seconds."""
        return self.timeline().width

    @property
    def is_beside(self) -> bool:
        """Whether several versions have rows at the same times, so that none of them was served alone."""
        held = self.timeline()
        return are_beside(np.stack([held.series("n", version=each) for each in held.versions]))

    def course(self, metric: RateName, part: Part = ALL, margin_target: float | None = None) -> Course:
        """A rate of a part along time."""
        held, counts = self.counts_of(part, margin_target)
        return Course(part, *SLIS[metric].counts(counts), held.edges)

    def counts_of(self, part: Part, margin_target: float | None = None) -> tuple[Timeline, FloatArray]:
        """The timeline that a part is counted in, and its counts, shape (11, B), in the order of `COUNTS`.

        Raises:
            SettingsError: saved cells have no table for a crossing.
        """
        if not part.is_crossing:
            held = self.timeline(part.column or None, margin_target)
            return held, held.series(*COUNTS, value=part.value if part.column else None, version=self.version)
        gamma = self.margin_target if margin_target is None else margin_target
        crossed = self.tables.timeline(None, narrowed(self.where, part), gamma)
        assert crossed is not None
        return crossed, crossed.series(*COUNTS, version=self.version)

    def courses(self, metric: RateName, columns: Sequence[str], margin_target: float | None = None) -> list[Course]:
        """Those of all rows and of every value of some columns that has enough bad rows."""
        found = [self.course(metric, margin_target=margin_target)]
        for column in columns:
            held = self.timeline(column, margin_target)
            hits, n = SLIS[metric].counts(held.courses(*COUNTS, version=self.version))
            found += [
                Course(Part(column, value), hits[place], n[place], held.edges)
                for place, value in enumerate(held.values)
                if n[place].sum() and hits[place].sum() >= LEAST_BAD
            ]
        return found

    def rate(
        self,
        metric: RateName,
        part: Part = ALL,
        *,
        start: float = -math.inf,
        end: float = math.inf,
        margin_target: float | None = None,
    ) -> Estimate:
        """A rate of a part from one time up to another, to a bucket."""
        each = self.course(metric, part, margin_target)
        return rate_between(each.hits, each.n, each.edges, start, end)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All rows, and each value of each cohort column."""
        return ALL, *(Part(column, value) for column in self.columns for value in self.timeline(column).values)

    def n_parts(self, columns: Sequence[str]) -> int:
        """How many parts are watched: all rows, and each value of the columns."""
        return 1 + sum(each.column in columns for each in self.parts)

    @property
    def reference_end(self) -> float:
        """Up to when rates are as they usually are: the first deploy; for ever without one."""
        return min((each.at for each in self.deploys), default=math.inf)

    def suggested(self, metric: RateName) -> Objective | None:
        """An objective a quarter above what there was before the first deploy, to two digits; None without bad rows.

        Above what there is at all times, where there are no rows before.
        """
        course = self.course(metric)
        usual = course.edges[:-1] < self.reference_end
        usual = usual if course.n[usual].any() else np.ones_like(usual)
        hits, n = (float(each[usual].sum()) for each in (course.hits, course.n))
        if not 0 < hits < n:
            return None
        at_most = min(float(f"{ABOVE_USUAL * hits / n:.2g}"), 0.99)
        rules = default_rules(at_most)
        return Objective(SLIS[metric].label, metric, at_most, margin_target=self.margin_target, rules=rules)

    @property
    def usual_objectives(self) -> tuple[Objective, ...]:
        """What is watched where nobody has set an objective."""
        return tuple(each for name in SUGGESTED if (each := self.suggested(name)) is not None)

    def tell(self, objective: Objective) -> Told:
        """What an objective would have told, and what is left of its budget.

        Raises:
            SettingsError: it watches a cohort column that is not there.
        """
        if objective not in self._told:
            columns = self.columns if objective.cohorts is None else objective.cohorts
            missing = [each for each in columns if each not in self.tables.facts.cohorts]
            if missing:
                there = ", ".join(self.tables.facts.cohorts) or "none"
                raise SettingsError(
                    f"The objective {objective.name!r} watches the cohort column {missing[0]!r}; there are: {there}."
                )
            columns = [each for each in columns if each in self.columns]
            courses = self.courses(objective.metric, columns, objective.margin_target)
            n_parts = self.n_parts(columns)
            times = [each.at for each in self.deploys]
            alerts = [
                PartAlert(each.part, alert)
                for each in courses
                for alert in replay(each.hits, each.n, each.edges, objective, times, n_parts)
            ]
            whole = courses[0]
            breaches = find_breaches(whole.hits, whole.n, whole.edges, objective.at_most)
            self._told[objective] = Told(
                objective,
                group_alerts(alerts),
                n_parts,
                budget_left(whole.hits, whole.n, int(whole.edges[1] - whole.edges[0]), objective),
                breaches,
                sustained_share(breaches, whole.edges),
            )
        return self._told[objective]

    def onsets(self, metric: RateName, crossings: tuple[Part, ...] = ()) -> tuple[Onset, ...]:
        """When and where a rate changed, in the order of time: of all rows, of cohorts, and of some crossings."""
        if (metric, crossings) not in self._onsets:
            courses = [*self.courses(metric, self.columns), *(self.course(metric, each) for each in crossings)]
            n_parts = self.n_parts(self.columns) + len(crossings)
            self._onsets[metric, crossings] = group_changes(
                [(each.part, change) for each in courses for change in self.changes(each, n_parts)]
            )
        return self._onsets[metric, crossings]

    def changes(self, course: Course, n_parts: int) -> tuple[Change, ...]:
        """When the rate of one part changed beyond what hour and weekday make of it, as one of so many parts."""
        expected = expected_rate(course.hits, course.n, course.edges, self.reference_end)
        return find_changes(course.hits, course.n, course.edges, expected, n_parts)

    def deploy_of(self, change: Change) -> Deploy | None:
        """The deploy or rollback at which a rate changed; a bucket's width or an hour off counts as the same time."""
        return match_deploy(change, self.deploys, max(self.width, HOUR))

    def positive_shares(self, part: Part, change: Change) -> tuple[Estimate, Estimate]:
        """The share of positives among labelled rows of a part, in the week before a change and in that after it."""
        held, counts = self.counts_of(part)
        positives, labelled = (counts[COUNTS.index(name)] for name in ("positives", "labelled"))
        spans = (change.at - AROUND, change.at), (change.at, change.at + AROUND)
        before, after = (rate_between(positives, labelled, held.edges, *span) for span in spans)
        return before, after

    def around(self, metric: RateName, part: Part = ALL) -> tuple[Around, ...]:
        """A rate before and after each deploy."""
        each = self.course(metric, part)
        return around_deploys(each.hits, each.n, each.edges, self.deploys)

    def recoveries(self, metric: RateName, part: Part = ALL) -> tuple[Recovery, ...]:
        """Whether each rollback restored a rate."""
        each = self.course(metric, part)
        return find_recoveries(each.hits, each.n, each.edges, self.deploys)

    @property
    def label_lag(self) -> Change | None:
        """From when on labels are missing up to the end; None where they are not."""
        return label_lag(self.timeline())
