"""Objectives: error budgets, burn rates over a long and a short window, and what alerts would have said when.

The burn rate of a window is its share of bad rows over the share that the objective allows. An alert wants it above a
bound over a long window, so that it matters, and over a short one, so that it still lasts (The Site Reliability
Workbook, ch. 5). Where rows are few a share is high by chance: the long window must also be sure, by the exact binomial
test that it is within the objective, at a level that takes every bucket, part and rule of thirty days for a look of its
own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from scipy import special

from lib.metrics.estimates import BoolArray, FloatArray, IntArray, divide

Action = Literal["page", "ticket"]
RateName = Literal["violation_rate", "error_rate", "miss_rate", "false_positive_rate"]
RATE_NAMES: tuple[RateName, ...] = get_args(RateName)

MINUTE, HOUR, DAY = 60, 3600, 86_400
PERIOD = 30 * DAY
"""Of an error budget."""
ALARM_RATE = 0.05
"""How often, at most, one of thirty days' pages is by chance where every part only just keeps the objective (and one of
their tickets): far more seldom where parts keep it with something to spare."""
LEAST_ROWS = 5
"""A short window reaches back to the last so many rows, but no further than the long one."""


@dataclass(frozen=True)
class BurnRule:
    """Alert where the burn rate is at least `burn` over a long and a short window, both in seconds."""

    long: int
    short: int
    burn: float
    action: Action


SRE_RULES = (
    BurnRule(HOUR, 5 * MINUTE, 14.4, "page"),
    BurnRule(6 * HOUR, 30 * MINUTE, 6.0, "page"),
    BurnRule(3 * DAY, 6 * HOUR, 1.0, "ticket"),
)
"""The Workbook's table, for objectives such as 99.9 %."""
RATE_RULES = (
    BurnRule(HOUR, 15 * MINUTE, 4.0, "page"),
    BurnRule(2 * HOUR, 30 * MINUTE, 3.0, "page"),
    BurnRule(3 * DAY, 6 * HOUR, 1.0, "ticket"),
)
"""For rates that are allowed to be several per cent: 14.4 times that would be more than all rows."""
REACHABLE = 0.9
SRE_MOST = 0.02
"""Up to this share the Workbook's table is meant where none is named."""


def default_rules(at_most: float) -> tuple[BurnRule, ...]:
    """The table that fits an objective.

    Where a burn is more than nine rows of ten can reach, it is halfway between an objective just kept and all rows bad.
    """
    rules = SRE_RULES if at_most <= SRE_MOST else RATE_RULES
    halfway = float(f"{(1 + 1 / at_most) / 2:.3g}")
    return tuple(each if each.burn * at_most <= REACHABLE else replace(each, burn=halfway) for each in rules)


@dataclass(frozen=True)
class Objective:
    """What a rate may be at most, and when somebody is told.

    Attributes:
        name: what it is called.
        metric: the rate; all of them are bad when high.
        at_most: the share of bad rows that is allowed, in (0, 1).
        cohorts: the columns whose values are watched as well; None for all of them.
        margin_target: γ of the violation rate.
        rules: when to page and when to write a ticket.
        minimum_duration: seconds for which a rule must burn before it alerts.
        suppress_after_deploy: seconds after a deploy or a rollback in which no alert opens.
        period: of the error budget, in seconds.
    """

    name: str
    metric: RateName
    at_most: float
    cohorts: tuple[str, ...] | None = None
    margin_target: float = 1.0
    rules: tuple[BurnRule, ...] = RATE_RULES
    minimum_duration: int = 10 * MINUTE
    suppress_after_deploy: int = 15 * MINUTE
    period: int = PERIOD


@dataclass(frozen=True)
class Alert:
    """One alert of one part.

    Attributes:
        rule: which one.
        opened: epoch second at which it would have been raised.
        closed: epoch second at which it would have ended; None where it lasts to the end of the log.
        burn: the highest burn rate over the long window while it was open.
        p: the least p of the test that the objective is kept, meanwhile.
        hits, n: bad rows and rows of the long window when it opened.
    """

    rule: BurnRule
    opened: int
    closed: int | None
    burn: float
    p: float
    hits: int
    n: int

    def overlaps(self, other: Alert, slack: int = 0) -> bool:
        """Whether both are open at one time, or within `slack` seconds of each other."""
        return (other.closed is None or self.opened <= other.closed + slack) and (
            self.closed is None or other.opened <= self.closed + slack
        )


@dataclass(frozen=True, eq=False)
class Burns:
    """Shape (B,), at the end of each bucket: bad rows, rows and p of the long window, burn rates of both (or NaN)."""

    hits: FloatArray
    n: FloatArray
    long: FloatArray
    short: FloatArray
    p: FloatArray


def burn_rates(hits: FloatArray, n: FloatArray, width: int, rule: BurnRule, at_most: float) -> Burns:
    """The burn rates of a rule's two windows along a course.

    Args:
        hits: shape (B,), bad rows.
        n: shape (B,), rows.
        width: of a bucket, in seconds; a window is at least one bucket.
        rule: the windows.
        at_most: the share of bad rows that is allowed.
    """
    h, rows = (np.concatenate([[0.0], np.cumsum(each)]) for each in (hits, n))
    end = np.arange(1, len(n) + 1)
    long = np.maximum(end - max(round(rule.long / width), 1), 0)
    enough = np.searchsorted(rows, rows[end] - LEAST_ROWS, side="right") - 1
    short = np.maximum(np.minimum(end - max(round(rule.short / width), 1), enough), long)
    h_long, n_long = h[end] - h[long], rows[end] - rows[long]
    return Burns(
        h_long,
        n_long,
        divide(h_long, n_long) / at_most,
        divide(h[end] - h[short], rows[end] - rows[short]) / at_most,
        exceeding_p_value(h_long, n_long, at_most),
    )


def exceeding_p_value(hits: FloatArray, n: FloatArray, at_most: float) -> FloatArray:
    """P(X ≥ hits) for X binomial of n rows and the share allowed: the exact one-sided test; 1 without hits."""
    some = hits >= 1
    return np.where(some, special.bdtrc(np.maximum(hits - 1, 0), np.maximum(n, 1).astype(np.int64), at_most), 1.0)


def alert_level(n_parts: int, n_rules: int, width: int) -> float:
    """The level at which each look is tested, so that all looks of thirty days rarely err.

    Args:
        n_parts: how many courses are watched together.
        n_rules: how many rules lead to the same action.
        width: of a bucket, in seconds.
    """
    return ALARM_RATE / (max(n_parts, 1) * max(n_rules, 1) * PERIOD / width)


def replay(
    hits: FloatArray,
    n: FloatArray,
    edges: IntArray,
    objective: Objective,
    deploys: Sequence[int] = (),
    n_parts: int = 1,
) -> list[Alert]:
    """The alerts that an objective would have raised along a course, in the order in which they opened.

    At the end of each bucket only rows up to it are known, all of them with their labels.

    Args:
        hits: shape (B,), bad rows.
        n: shape (B,), rows.
        edges: shape (B + 1,), epoch seconds.
        objective: the rules.
        deploys: epoch seconds of deploys and rollbacks, after which no alert opens for a while.
        n_parts: how many courses are watched together.
    """
    if len(n) == 0:
        return []
    width = int(edges[1] - edges[0])
    ends = edges[1:]
    quiet = np.zeros(len(ends), np.bool_)
    for at in deploys:
        quiet |= (ends > at) & (ends <= at + objective.suppress_after_deploy)
    lasting = max(round(objective.minimum_duration / width), 1)
    found: list[Alert] = []
    for rule in objective.rules:
        burns = burn_rates(hits, n, width, rule, objective.at_most)
        with np.errstate(invalid="ignore"):
            least = rule.burn * (1 - 1e-9)  # at just the bound a quotient may fall short of it by rounding
            burning = (burns.long >= least) & (burns.short >= least)
        alike = sum(each.action == rule.action for each in objective.rules)
        sure = burns.p <= alert_level(n_parts, alike, width)
        lasts = np.convolve(burning, np.ones(lasting), "full")[: len(burning)] >= lasting
        found += _alerts(rule, burns, lasts & sure & ~quiet, burning, ends)
    return sorted(found, key=lambda each: (each.opened, each.rule.action, -each.rule.burn))


def _alerts(rule: BurnRule, burns: Burns, opens: BoolArray, burning: BoolArray, ends: IntArray) -> list[Alert]:
    """From each opening until it no longer burns; those that are less than a long window apart are one."""
    found: list[Alert] = []
    starts = np.flatnonzero(opens)
    calm = np.flatnonzero(~burning)
    place = 0
    while place < len(starts):
        first = last = int(starts[place])
        while True:
            after = calm[np.searchsorted(calm, last) :]
            if not len(after):
                last, closed = len(ends) - 1, None
                break
            last, closed = int(after[0]), int(ends[after[0]])
            again = starts[(starts > last) & (ends[starts] <= closed + rule.long)]
            if not len(again):
                break
            last = int(again[0])
        part = slice(first, last + 1)
        found.append(
            Alert(
                rule,
                int(ends[first]),
                closed,
                float(np.nanmax(burns.long[part])),
                float(burns.p[part].min()),
                int(burns.hits[first]),
                int(burns.n[first]),
            )
        )
        place = int(np.searchsorted(starts, last, side="right"))
    return found


def budget_left(hits: FloatArray, n: FloatArray, width: int, objective: Objective) -> FloatArray:
    """Shape (B,): the share of the error budget that is left after each bucket; negative once it is overspent.

    The budget is what the objective allows of the rows of a period, or of the whole course where that is shorter; a
    period ends with each bucket. NaN without rows.
    """
    period = max(round(objective.period / width), 1)
    spent, rows = (np.concatenate([[0.0], np.cumsum(each)]) for each in (hits, n))
    end = np.arange(1, len(n) + 1)
    bad = spent[end] - spent[np.maximum(end - period, 0)]
    allowed = objective.at_most * float(rows[-1]) * min(1.0, period / max(len(n), 1))
    return 1 - divide(bad, np.full(len(n), allowed))


def seconds_to_exhaustion(burn: float, period: int = PERIOD) -> float:
    """How long a whole budget lasts at a burn rate: 30 days at 1, 43 minutes at 1,000."""
    return period / burn if burn > 0 else float("inf")
