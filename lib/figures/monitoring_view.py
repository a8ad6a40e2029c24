"""Monitoring as it is drawn: a rate in windows of all rows and of one part, what objectives told, deploys, onsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from lib.cells import COUNTS, Timeline
from lib.checks import CheckResult
from lib.diagnose import Diagnosis
from lib.figures.format import format_time
from lib.figures.nothing import nothing_words
from lib.figures.text import MISSING
from lib.metrics.burn_rate import Objective, RateName
from lib.metrics.deploys import AROUND, Around, Recovery, difference
from lib.metrics.estimates import Estimate, Estimates, FloatArray, IntArray, add_up, divide, estimates
from lib.metrics.expected import EXPECTED, can_expect, expected_course
from lib.metrics.incidents import SLIS, Incident, Onset, Part
from lib.metrics.intervals import wilson
from lib.metrics.onset import NO_ROWS, Change, rate_between
from lib.monitoring import ALL, Monitoring, Told
from lib.scan import RowQuery
from lib.scan.windows import DAY, HOUR, MINUTE, WEEK, WindowGrid

WIDTHS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, WEEK)
MOST_WINDOWS = 200
ROWS_PER_WINDOW = 200
MOST_DRAWN = 3_000
DRIFTS = ("score-drift", "feature-drift", "margin-collapse", "noisy-labels")
"""Checks whose findings say that the world or the model has drifted, so that training anew may help."""


def part_words(part: Part) -> str:
    """A part as one says it: "language = pt", "all rows"."""
    return f"{part.column} = {part.value or MISSING}" if part.column else "all rows"


@dataclass(frozen=True, eq=False)
class Line:
    """A rate of one part per window.

    Attributes:
        part: whose rows.
        starts: shape (W,), epoch seconds at which its windows with rows begin, ascending.
        rate: of the labelled rows.
        n: shape (W,), scored rows.
        unlabelled: shape (W,), the share of them without a label.
        expected: the rate with what scores expect of unlabelled rows; None where they cannot be asked.
    """

    part: Part
    starts: IntArray
    rate: Estimates
    n: FloatArray
    unlabelled: FloatArray
    expected: Estimates | None


def offered_widths(timeline: Timeline) -> tuple[int, ...]:
    """The widths of windows that can be drawn: at least a bucket, at most 3,000 of them."""
    span = timeline.width * timeline.n_buckets
    fitting = [each for each in WIDTHS if each >= timeline.width and span / each <= MOST_DRAWN and each < 2 * span]
    return tuple(fitting) or (timeline.width,)


def usual_width(timeline: Timeline) -> int:
    """The finest width with at most 200 windows of 200 labelled rows each on average; the widest where none has."""
    offered, labelled = offered_widths(timeline), float(timeline.series("labelled").sum())
    span = timeline.width * timeline.n_buckets
    for width in offered:
        count = max(span / width, 1)
        if count <= MOST_WINDOWS and labelled / count >= ROWS_PER_WINDOW:
            return width
    return next((each for each in offered if span / each <= MOST_WINDOWS), offered[-1])


def line_of(watched: Monitoring, metric: RateName, part: Part, width: int) -> Line:
    """A rate of one part in windows of a width, with what its unlabelled rows are expected to add."""
    held = watched.timeline(part.column or None)
    counts = held.series(*COUNTS, value=part.value if part.column else None, version=watched.version)
    grid = WindowGrid(width, 4 * DAY if width >= WEEK else 0)
    window = ((held.edges[:-1] - grid.origin) // width) * width + grid.origin
    starts, place = np.unique(window, return_inverse=True)
    summed = np.stack([add_up(place, each, len(starts)) for each in counts])
    scored, labelled = (summed[COUNTS.index(name)] for name in ("scored", "labelled"))
    keep = scored > 0
    hits, n = (each[keep] for each in SLIS[metric].counts(summed))
    share = divide(hits, n)
    rate = estimates(share, *wilson(share, n), n, [(n <= 0, NO_ROWS)])
    expected = None
    if can_expect(held, metric):
        names = [COUNTS.index(name) for name in EXPECTED[metric]]
        expected = expected_course(
            hits, labelled[keep], scored[keep], summed[names[0]][keep], summed[names[1]][keep]
        ).estimates
    return Line(part, starts[keep], rate, scored[keep], 1 - divide(labelled, scored)[keep], expected)


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
        width: of a window, in seconds.
        versions: baseline and candidate, for their colours.
        results: of all checks.
        nothing: why there is nothing to show, if there is not.
    """

    watched: Monitoring
    told: tuple[Told, ...]
    part: Part
    width: int
    versions: tuple[str, ...]
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

        Without a part it is the one that the first page is about, or else the clearest rise.
        """
        told = tuple(watched.tell(each) for each in objectives)
        nothing = nothing_words(diagnosis) or ("" if told else "No row is a violation or an error")
        per = width or usual_width(watched.timeline())
        view = cls(watched, told, part or ALL, per, diagnosis.shown_versions, tuple(results), nothing)
        if part is not None or nothing:
            return view
        page, onset = view.first_page, view.main_onset
        return replace(view, part=page.lead.part if page is not None else onset.part if onset is not None else ALL)

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

    @cached_property
    def first_paged(self) -> tuple[Objective, Incident] | None:
        """The first page of any objective, and which that is."""
        pages = [(told.objective, each) for told in self.told for each in told.incidents if each.action == "page"]
        return min(pages, key=lambda each: each[1].opened, default=None)

    @property
    def first_page(self) -> Incident | None:
        """The first page of any objective."""
        return None if self.first_paged is None else self.first_paged[1]

    @cached_property
    def onsets(self) -> tuple[Onset, ...]:
        """When the rate changed."""
        return self.watched.onsets(self.metric)

    @cached_property
    def main_onset(self) -> Onset | None:
        """The clearest rise."""
        return max(
            (each for each in self.onsets if each.change.is_rise), key=lambda each: each.change.gain, default=None
        )

    @cached_property
    def around(self) -> tuple[Around, ...]:
        """The rate before and after each deploy, of the part."""
        return self.watched.around(self.metric, self.part)

    @cached_property
    def recoveries(self) -> tuple[Recovery, ...]:
        """Whether rollbacks restored the rate of the part."""
        return self.watched.recoveries(self.metric, self.part)

    def finding_of(self, onset: Onset) -> CheckResult | None:
        """What a check found at the time and place of an onset: the same cohort, or none named."""
        cohort = {onset.part.column: onset.part.value} if onset.part.column else {}
        for each in self.results:
            window = each.where.window
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

    @property
    def incident_span(self) -> tuple[int, int]:
        """The first page's time, or the last day where nobody was paged: epoch seconds."""
        last = int(self.watched.timeline().edges[-1])
        page = self.first_page
        return (last - DAY, last) if page is None else (page.opened, page.closed or last)

    def hit_most(self) -> list[Hit]:
        """All rows, then the parts by how surely the incident was worse for them than what was before."""
        last = int(self.watched.timeline().edges[-1])
        start, end = self.incident_span
        usual = min(self.watched.reference_end, start)
        found: list[tuple[float, Hit]] = []
        for each in self.watched.courses(self.metric, self.watched.columns):
            spans = ((last - DAY, last), (start, end), (usual - AROUND, usual))
            rates = [rate_between(each.hits, each.n, each.edges, *span) for span in spans]
            rise = difference(rates[1], rates[2])
            surely = rise.lower if rise.is_defined else float("-inf")
            found.append((float("inf") if each.part == ALL else surely, Hit(each.part, *rates)))
        return [hit for _surely, hit in sorted(found, key=lambda each: (-each[0], each[1].part))]

    def rows(self, diagnosis: Diagnosis) -> RowQuery:
        """The violations of the part within the incident."""
        where = diagnosis.settings.where
        cohorts = (*where.cohorts, (self.part.column, self.part.value)) if self.part.column else where.cohorts
        start, end = self.incident_span
        chosen = replace(
            where,
            cohorts=cohorts,
            start=max(start, where.start) if where.start is not None else start,
            end=min(end, where.end) if where.end is not None else end,
        )
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
