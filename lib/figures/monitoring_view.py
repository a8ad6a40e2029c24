"""Monitoring as it is drawn: a rate in windows of all rows and of one part, what objectives told, deploys, onsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from lib.checks import CheckResult
from lib.diagnose import Diagnosis
from lib.figures.format import format_time
from lib.figures.monitoring_lines import Line, line_of, usual_width
from lib.figures.monitoring_parts import crossing_of, crossings_of, part_words
from lib.figures.nothing import nothing_words
from lib.metrics.burn_rate import Action, Objective, RateName
from lib.metrics.deploys import AROUND, Around, Recovery, difference
from lib.metrics.estimates import Estimate
from lib.metrics.incidents import Incident, Onset, Part
from lib.metrics.onset import Change, rate_between
from lib.monitoring import ALL, Monitoring, Told, narrowed
from lib.scan import RowQuery
from lib.scan.windows import DAY

DRIFTS = ("score-drift", "feature-drift", "margin-collapse", "noisy-labels")
"""Checks whose findings say that the world or the model has drifted, so that training anew may help."""


Found = Literal["rise", "page", "ticket", "deploy", "nothing"]
"""What an incident is known from: a rise at a time that was found, an alert, a rise at a deploy that is known."""


@dataclass(frozen=True)
class Stretch:
    """A time that is looked at by itself: epoch seconds, the end not included, and what it was found by."""

    start: int
    end: int
    found: Found


@dataclass(frozen=True)
class Hit:
    """The rate of a part in the last day, in the incident, and in the week before the first deploy or the incident."""

    part: Part
    last_day: Estimate
    incident: Estimate
    before: Estimate


@dataclass(frozen=True, eq=False)
class MonitoringView:
    """What the page shows of one objective.

    Attributes:
        watched: where all is computed.
        told: what each objective would have told, the chosen one first.
        part: the part that is drawn beside all rows; all rows again where none is.
        is_chosen: whether that part was asked for: then what happened is told of it.
        width: of a window, in seconds.
        versions: baseline and candidate, for their colours.
        crossings: the parts that findings name where cohorts cross, and the one that was asked for.
        results: of all checks.
        nothing: why there is nothing to show, if there is not.
    """

    watched: Monitoring
    told: tuple[Told, ...]
    part: Part
    is_chosen: bool
    width: int
    versions: tuple[str, ...]
    crossings: tuple[Part, ...]
    results: tuple[CheckResult, ...]
    nothing: str

    @classmethod
    def of(
        cls,
        diagnosis: Diagnosis,
        watched: Monitoring,
        objectives: Sequence[Objective],
        results: Sequence[CheckResult],
        *,
        part: Part | None = None,
        width: int | None = None,
    ) -> MonitoringView:
        """The view of some objectives, of which there is one at least unless nothing is labelled.

        Without a part it is that of the clearest rise, or else the one that the first page, or the first ticket, is
        about. Without a width it is chosen from the rows of what is drawn.
        """
        told = tuple(watched.tell(each) for each in objectives)
        nothing = nothing_words(diagnosis) or ("" if told else "No row is a violation or an error")
        crossings = () if nothing else crossings_of(diagnosis, results)
        if part is not None and part.is_crossing and not nothing:
            crossings = tuple(dict.fromkeys((*crossings, part)))
        chosen = part not in (None, ALL)
        shown = diagnosis.shown_versions
        view = cls(watched, told, part or ALL, chosen, width or 0, shown, crossings, tuple(results), nothing)
        if nothing:
            return view
        if part is None:
            raised, onset = view.first_paged or view.first_ticketed, view.main_onset
            lead = ALL if raised is None else raised[1].lead.part
            view = replace(view, part=lead if onset is None else onset.part)
        return view if width else replace(view, width=usual_width(watched, view.metric, view.part))

    @property
    def objective(self) -> Objective:
        """The one that is drawn."""
        return self.told[0].objective

    @property
    def metric(self) -> RateName:
        """Its rate."""
        return self.objective.metric

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """All rows, and the part where one is chosen."""
        parts = dict.fromkeys((ALL, self.part))
        return tuple(line_of(self.watched, self.metric, each, self.width) for each in parts)

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Those of the objective."""
        return self.told[0].incidents

    def raised(self, action: Action) -> list[tuple[Objective, Incident]]:
        """The pages, or the tickets that go with none, of any objective and which that is, in the order of time."""
        found = [(told.objective, each) for told in self.told for each in told.incidents if each.action == action]
        return sorted(found, key=lambda each: each[1].opened)

    @cached_property
    def first_paged(self) -> tuple[Objective, Incident] | None:
        """The first page of any objective, and which that is."""
        return next(iter(self.raised("page")), None)

    @cached_property
    def first_ticketed(self) -> tuple[Objective, Incident] | None:
        """The first ticket that goes with no page, and of which objective it is."""
        return next(iter(self.raised("ticket")), None)

    @cached_property
    def onsets(self) -> tuple[Onset, ...]:
        """When the rate changed."""
        return self.watched.onsets(self.metric, self.crossings)

    @cached_property
    def main_onset(self) -> Onset | None:
        """The clearest rise; of the part, where one was chosen."""
        return self._clearest(rise=True)

    @cached_property
    def main_fall(self) -> Onset | None:
        """The clearest fall; of the part, where one was chosen."""
        return self._clearest(rise=False)

    def _clearest(self, *, rise: bool) -> Onset | None:
        found = [each for each in self.onsets if each.change.is_rise is rise]
        if self.is_chosen:
            found = [each for each in found if each.part == self.part]
        return max(found, key=lambda each: each.change.gain, default=None)

    @cached_property
    def around(self) -> tuple[Around, ...]:
        """The rate before and after each deploy, of the part."""
        return self.watched.around(self.metric, self.part)

    @property
    def main_step(self) -> Around | None:
        """The deploy after which the rate of the part is most surely higher, or else lower.

        None where each of their intervals holds 0.
        """
        sure = [each for each in self.around if each.is_sure]
        return max(sure, key=lambda each: (max(each.change.lower, 0.0), -each.change.upper), default=None)

    @cached_property
    def recoveries(self) -> tuple[Recovery, ...]:
        """Whether rollbacks restored the rate of the part."""
        return self.watched.recoveries(self.metric, self.part)

    def finding_of(self, onset: Onset) -> CheckResult | None:
        """What a check found at the time and place of an onset: the same cohort, or none named.

        A crossing is there because of its finding, which need not name a time.
        """
        cohort = dict(onset.part.cohorts)
        for each in self.results:
            window = each.where.window
            if onset.part.is_crossing and crossing_of(each) == onset.part and window is None:
                return each
            if each.is_finding and window is not None and each.where.cohort in (cohort, {}):
                slack = self.watched.tables.facts.windows.width if self.watched.tables.facts.windows else 0
                if window[0] - slack <= onset.change.at <= window[1] + slack:
                    return each
        return None

    @cached_property
    def label_lag(self) -> Change | None:
        """From when on labels are missing up to the end; None where they are not."""
        return self.watched.label_lag

    @property
    def drifts(self) -> tuple[CheckResult, ...]:
        """The findings that say that something has drifted."""
        return tuple(each for each in self.results if each.is_finding and each.name in DRIFTS)

    @property
    def retrain(self) -> bool:
        """Whether the model should be trained anew: an objective missed for days on end, and a drift beside it."""
        sustained = any(each.is_sustained for told in self.told for each in told.breaches)
        return sustained and bool(self.drifts)

    @cached_property
    def incident(self) -> Stretch:
        """From the clearest rise to the rollback of its deploy, or else to the next fall, or to the end of the log.

        Without a rise the time of the first page, or else of the first ticket; without these the time from the deploy
        after which the part is surely worse to the next deploy, at most a week; and without one the last day.
        """
        last, onset = int(self.watched.timeline().edges[-1]), self.main_onset
        if onset is not None:
            deploy, start = self.watched.deploy_of(onset.change), onset.change.at
            recoveries = self.watched.recoveries(self.metric, onset.part)
            ends = [each.rollback.at for each in recoveries if each.deploy == deploy]
            ends += [each.change.at for each in self.onsets if each.part == onset.part and not each.change.is_rise]
            return Stretch(start, min((each for each in ends if each > start), default=last), "rise")
        if raised := self.first_paged or self.first_ticketed:
            told = raised[1]
            return Stretch(told.opened, told.closed or last, told.action)
        if (step := self.main_step) is not None and step.change.value > 0:
            later = (each.at for each in self.watched.deploys if each.at > step.deploy.at)
            return Stretch(step.deploy.at, min((step.deploy.at + AROUND, last, *later)), "deploy")
        return Stretch(last - DAY, last, "nothing")

    def hit_most(self) -> list[Hit]:
        """All rows, then the parts by how surely the incident was worse for them than what was before."""
        last = int(self.watched.timeline().edges[-1])
        start, end = self.incident.start, self.incident.end
        usual = min(self.watched.reference_end, start)
        found: list[tuple[float, Hit]] = []
        crossed = [self.watched.course(self.metric, each) for each in self.crossings]
        for each in [*self.watched.courses(self.metric, self.watched.columns), *crossed]:
            spans = ((last - DAY, last), (start, end), (usual - AROUND, usual))
            rates = [rate_between(each.hits, each.n, each.edges, *span) for span in spans]
            rise = difference(rates[1], rates[2])
            surely = rise.lower if rise.is_defined else float("-inf")
            found.append((float("inf") if each.part == ALL else surely, Hit(each.part, *rates)))
        return [hit for _surely, hit in sorted(found, key=lambda each: (-each[0], each[1].part))]

    def rows(self, diagnosis: Diagnosis) -> RowQuery:
        """The violations of the part within the incident."""
        start, end = self.incident.start, self.incident.end
        chosen = replace(narrowed(diagnosis.settings.where, self.part), start=start, end=end)
        return RowQuery(chosen, margin_to=self.watched.margin_target)

    def frame(self) -> pd.DataFrame:
        """One row per part and window."""
        return pd.concat(
            [
                pd.DataFrame(
                    {
                        "rows": part_words(line.part),
                        "window": [format_time(int(start)) for start in line.starts],
                        "metric": self.metric,
                        "value": line.rate.value,
                        "lower": line.rate.lower,
                        "upper": line.rate.upper,
                        "n": line.rate.n.astype(np.int64),
                        "n_scored": line.n.astype(np.int64),
                        "unlabelled": line.unlabelled,
                        "expected": np.nan if line.expected is None else line.expected.value,
                        "at_most": self.objective.at_most,
                    }
                )
                for line in self.lines
            ],
            ignore_index=True,
        )
