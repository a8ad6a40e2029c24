"""What a policy would have told, in words: pages and tickets, how late they came, whose rows they are about."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lib.checks.words import deploy_words
from lib.figures.format import format_count, format_plural, format_time
from lib.figures.monitoring_parts import part_words
from lib.figures.monitoring_view import MonitoringView
from lib.metrics.burn_rate import BurnRule, Objective, seconds_to_exhaustion
from lib.metrics.deploys import AROUND, Deploy
from lib.metrics.incidents import SLIS, Incident, Part
from lib.metrics.onset import DAY
from lib.monitoring import Told

MINUTE = 60
MOST_NAMED = 8
"""Of more parts than this the first are named, the others counted."""


def span_words(seconds: float) -> str:
    """A length of time to the minute: "3 d 2 h", "1 h 5 min", "20 min"."""
    minutes = round(seconds / MINUTE)
    days, hours, rest = minutes // (24 * 60), minutes // 60 % 24, minutes % 60
    parts = [f"{days} d"] * bool(days) + [f"{hours} h"] * bool(hours) + [f"{rest} min"] * (bool(rest) and not days)
    return " ".join(parts) or "0 min"


def rule_words(rule: BurnRule) -> str:
    """A rule as one says it: "4 × over 1 h and 15 min"."""
    return f"{rule.burn:g} × over {span_words(rule.long)} and {span_words(rule.short)}"


def done_words(deploy: Deploy) -> str:
    """What was done, without its time: "2026.04 was deployed"."""
    return deploy_words(deploy).removeprefix("when ")


def name_parts(parts: Sequence[Part]) -> str:
    """Some parts by name, of many the first: "all rows, platform = web and 7 other parts"."""
    named = parts if len(parts) <= MOST_NAMED else parts[: MOST_NAMED - 1]
    left = len(parts) - len(named)
    more = f" and {format_plural(left, 'other part')}" if left else ""
    return ", ".join(map(part_words, named)) + more


def also_words(incident: Incident) -> str:
    """The other parts of an incident, and the tickets that go with its page and may outlast it; "" without any."""
    tickets = incident.tickets
    ticketed = tuple(dict.fromkeys(each.part for each in tickets))
    told = incident.alerts if not tickets else [each for each in incident.alerts if each not in tickets]
    others = tuple(dict.fromkeys(each.part for each in told if each.part != incident.lead.part))
    said = [f"also {name_parts(others)}"] if others else []
    if tickets:
        ends = [each.alert.closed for each in tickets]
        until = "the end" if None in ends else format_time(max(end for end in ends if end is not None), MINUTE)
        said.append(f"{format_plural(len(tickets), 'ticket')} until {until}: {name_parts(ticketed)}")
    return "; ".join(said)


def tickets_words(told: Told) -> str:
    """The tickets of an objective that go with its pages, in words; "" without any."""
    beside = [each for held in told.incidents for each in held.tickets]
    parts = tuple(dict.fromkeys(each.part for each in beside))
    return f"and {len(beside)} with a page: {name_parts(parts)}" if beside else ""


def page_words(view: MonitoringView, objective: Objective, page: Incident) -> str:
    """When a policy would have paged, by which objective, and how long before the rollback."""
    at = format_time(page.opened, MINUTE)
    later = [each.at for each in view.watched.deploys if each.kind == "rollback" and each.at >= page.opened]
    before = [f"{span_words(later[0] - page.opened)} before the rollback"] if later else []
    when = " and ".join([*late_words(view, page.opened), *before])
    return (
        f"This policy would have paged at {at}{f', {when}' if when else ''}, for {part_words(page.lead.part)}, by its "
        f"objective of the {_name(objective)}."
    )


def _name(objective: Objective) -> str:
    name = objective.name
    return f"{name[:1].lower()}{name[1:]}" if name == SLIS[objective.metric].label else name


def late_words(view: MonitoringView, opened: int) -> tuple[str, ...]:
    """How long an alert came after the rise of its incident, or else after the last deploy of the week before it."""
    incident = view.incident
    if incident.found == "rise" and incident.start < opened <= incident.end:
        return (f"{span_words(opened - incident.start)} after the rise began",)
    before = [each for each in view.watched.deploys if opened - AROUND <= each.at < opened]
    said = (
        f"{span_words(opened - before[-1].at)} after {deploy_words(before[-1]).removeprefix('when ')}" if before else ""
    )
    return (said,) if said else ()


def alerts_words(view: MonitoringView) -> str:
    """What a policy would have told, in sentences: the first page, and the tickets that go with none."""
    tickets, paged = view.raised("ticket"), view.first_paged
    nobody = f"This policy would have paged nobody, watching {format_plural(view.told[0].n_parts, 'part')}"
    if not tickets:
        return f"{nobody}, and raised no ticket." if paged is None else page_words(view, *paged)
    objective, first = tickets[0]
    when = ", ".join([format_time(first.opened, MINUTE), *late_words(view, first.opened)])
    many = "a ticket at" if len(tickets) == 1 else f"{format_count(len(tickets))} tickets, the first at"
    of = f"{many} {when}, for {part_words(first.lead.part)}, by its objective of the {_name(objective)}."
    if paged is None:
        return f"{nobody}, but raised {of}"
    return f"{page_words(view, *paged)} It would have raised {of.replace('ticket', 'further ticket', 1)}"


def burn_words(incident: Incident) -> str:
    """The highest burn of an incident's lead and the rows behind it."""
    alert = incident.lead.alert
    return f"{alert.burn:.1f} × the budget, {alert.hits} of {alert.n} rows when it opened"


def pace_words(view: MonitoringView, told: Told) -> str:
    """How long a whole budget lasts at the rate of the last day: "a budget lasts 35 d at the last day's rate"."""
    objective, end = told.objective, int(view.watched.timeline().edges[-1])
    rate = view.watched.rate(objective.metric, start=end - DAY, margin_target=objective.margin_target)
    lasts = seconds_to_exhaustion(rate.value / objective.at_most, objective.period) if rate.value > 0 else math.inf
    return f"a budget lasts {span_words(lasts)} at the last day's rate" if math.isfinite(lasts) else ""
