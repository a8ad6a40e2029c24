"""What alerts and changes of many parts come down to: one incident for what happens at one time, led by one part.

Parts of one model overlap: a cohort that fails drags down the whole, and a little of every other column. So what is
open at one time is one incident, and its lead the part with the surest alert, which absorbs the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.cells import COUNTS
from lib.metrics.burn_rate import DAY, Action, Alert, RateName, exceeding_p_value
from lib.metrics.estimates import FloatArray, IntArray, divide
from lib.metrics.onset import Change

SLACK = 6 * 3600
"""Seconds within which alerts that follow one another are of one incident, and changes of one onset."""
SUSTAINED = 3 * DAY
"""How long an objective must be missed for the model to be trained anew: a spike is no trend."""
SLIDING = DAY
"""Over how long a window it must be missed."""
BREACH_P = 0.01


@dataclass(frozen=True)
class Sli:
    """A rate that is bad when high: what is counted, and of which rows.

    Attributes:
        label: what it is called.
        definition: what it is.
        hits: the counts that are added up.
        rows: the counts that are added up, a minus before those that are taken off.
    """

    label: str
    definition: str
    hits: tuple[str, ...]
    rows: tuple[str, ...]

    def counts(self, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bad rows and rows, each shape (…, B), of counts of shape (…, 11, B) in the order of `COUNTS`."""

        def total(names: tuple[str, ...]) -> FloatArray:
            signs = [-1.0 if name.startswith("-") else 1.0 for name in names]
            places = [COUNTS.index(name.removeprefix("-")) for name in names]
            return np.einsum("k,...kb->...b", np.array(signs), counts[..., places, :])

        return total(self.hits), total(self.rows)


SLIS: dict[RateName, Sli] = {
    "violation_rate": Sli("Violation rate", "Share of rows with m < γ, m the margin.", ("violations",), ("labelled",)),
    "error_rate": Sli(
        "Error rate", "Share of wrong decisions, 1 − accuracy.", ("missed", "false_alarms"), ("labelled",)
    ),
    "miss_rate": Sli(
        "Miss rate", "Share of positive rows that are not found, 1 − recall.", ("missed",), ("positives",)
    ),
    "false_positive_rate": Sli(
        "False positive rate", "Share of negative rows that are flagged.", ("false_alarms",), ("labelled", "-positives")
    ),
}


@dataclass(frozen=True, order=True)
class Part:
    """The rows of a value of a cohort column; all rows where the column is empty.

    `further` are (column, value) pairs that hold besides: the rows where cohorts cross.
    """

    column: str = ""
    value: str = ""
    further: tuple[tuple[str, str], ...] = ()

    @property
    def cohorts(self) -> tuple[tuple[str, str], ...]:
        """The (column, value) pairs that all hold."""
        return ((self.column, self.value), *self.further) if self.column else ()

    @property
    def is_crossing(self) -> bool:
        """Whether several cohorts cross in it."""
        return bool(self.further)


@dataclass(frozen=True)
class PartAlert:
    """An alert of a part."""

    part: Part
    alert: Alert


@dataclass(frozen=True)
class Incident:
    """Alerts that are open at one time.

    Attributes:
        action: "page" where one of them is a page.
        opened: epoch second of the first page, or of the first ticket where there is none.
        closed: epoch second of the last end; None where one lasts to the end of the log.
        lead: the surest alert, of a page where there is one.
        alerts: all of them, in the order in which they opened.
    """

    action: Action
    opened: int
    closed: int | None
    lead: PartAlert
    alerts: tuple[PartAlert, ...]

    @property
    def others(self) -> tuple[Part, ...]:
        """The other parts that alerted, once each."""
        return tuple(dict.fromkeys(each.part for each in self.alerts if each.part != self.lead.part))

    @property
    def tickets(self) -> tuple[PartAlert, ...]:
        """The slower alerts that go with a page; none of an incident that is tickets alone."""
        held = [each for each in self.alerts if each.alert.rule.action == "ticket"]
        return tuple(held) if self.action == "page" else ()


def group_alerts(alerts: Sequence[PartAlert]) -> tuple[Incident, ...]:
    """One incident for alerts that are open at one time or within six hours of each other, in the order of time.

    A ticket that goes on for weeks would tie pages together that have nothing to do with each other: pages are grouped
    first, and a ticket belongs to the page that it overlaps.
    """
    pages = _clusters([each for each in alerts if each.alert.rule.action == "page"])
    tickets = _clusters([each for each in alerts if each.alert.rule.action == "ticket"])
    alone: list[list[PartAlert]] = []
    for cluster in tickets:
        home = next(
            (page for page in pages if any(a.alert.overlaps(b.alert, SLACK) for a in page for b in cluster)), None
        )
        if home is None:
            alone.append(cluster)
        else:
            home += cluster
    return tuple(sorted((_incident(each) for each in (*pages, *alone)), key=lambda each: each.opened))


def _clusters(alerts: list[PartAlert]) -> list[list[PartAlert]]:
    found: list[list[PartAlert]] = []
    for each in sorted(alerts, key=lambda held: held.alert.opened):
        if found and any(each.alert.overlaps(other.alert, SLACK) for other in found[-1]):
            found[-1].append(each)
        else:
            found.append([each])
    return found


def _incident(alerts: list[PartAlert]) -> Incident:
    pages = [each for each in alerts if each.alert.rule.action == "page"]
    telling = pages or alerts
    # Of parts that are as sure, such as two whose p is 0, the one that burns more is the narrower.
    lead = min(telling, key=lambda each: (each.alert.p, -each.alert.burn, each.part))
    ends = [each.alert.closed for each in telling]
    closed = None if None in ends else max(end for end in ends if end is not None)
    first = min(each.alert.opened for each in telling)
    ordered = tuple(sorted(alerts, key=lambda each: (each.alert.opened, each.part)))
    return Incident(telling[0].alert.rule.action, first, closed, lead, ordered)


@dataclass(frozen=True)
class Onset:
    """A change of a rate, where it is clearest, and the other parts in which it shows."""

    part: Part
    change: Change
    others: tuple[Part, ...]


def group_changes(changes: Sequence[tuple[Part, Change]]) -> tuple[Onset, ...]:
    """One onset for changes in one direction whose intervals are within six hours, led by the clearest, in order."""
    left = sorted(changes, key=lambda each: (-each[1].gain, each[0]))
    found: list[Onset] = []
    while left:
        part, change = left[0]
        same = [each for each in left if _are_one(change, each[1])]
        left = [each for each in left if not _are_one(change, each[1])]
        found.append(Onset(part, change, tuple(dict.fromkeys(each[0] for each in same if each[0] != part))))
    return tuple(sorted(found, key=lambda each: each.change.at))


def _are_one(first: Change, second: Change) -> bool:
    near = first.lower <= second.upper + SLACK and second.lower <= first.upper + SLACK
    return first.is_rise == second.is_rise and near


@dataclass(frozen=True)
class Breach:
    """A time in which an objective was missed without a pause: epoch seconds, and whether it lasted long enough."""

    start: int
    end: int
    is_sustained: bool


def find_breaches(hits: FloatArray, n: FloatArray, edges: IntArray, at_most: float) -> tuple[Breach, ...]:
    """The times in which the rate of the last day was surely above its objective (exact binomial test, p ≤ 1 %).

    Sustained is one of three days. Between two of them that are less than a day apart nothing is surely better.
    """
    if len(n) == 0:
        return ()
    width = int(edges[1] - edges[0])
    h, rows = (np.concatenate([[0.0], np.cumsum(each)]) for each in (hits, n))
    end = np.arange(1, len(n) + 1)
    start = np.maximum(end - max(round(SLIDING / width), 1), 0)
    above = exceeding_p_value(h[end] - h[start], rows[end] - rows[start], at_most) <= BREACH_P
    places = np.flatnonzero(above)
    if not len(places):
        return ()
    runs = np.split(places, np.flatnonzero(np.diff(places) * width > SLIDING) + 1)
    return tuple(
        Breach(int(edges[run[0]]), int(edges[run[-1] + 1]), int(edges[run[-1] + 1] - edges[run[0]]) >= SUSTAINED)
        for run in runs
    )


def sustained_share(breaches: Sequence[Breach], edges: IntArray) -> float:
    """H-M7: the share of the time in which an objective was missed for days on end; NaN without time."""
    lasting = sum(each.end - each.start for each in breaches if each.is_sustained)
    return float(divide(lasting, edges[-1] - edges[0]))
