"""Monitoring in sentences: what happened, when somebody would have been told, whether the rollback restored it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lib.checks.words import deploy_words
from lib.figures.format import (
    POINTS,
    format_change,
    format_count,
    format_plural,
    format_share,
    format_time,
)
from lib.figures.monitoring_lines import MOST_WINDOWS, rows_wanted
from lib.figures.monitoring_view import MonitoringView, part_words
from lib.metrics.burn_rate import BurnRule, Objective, seconds_to_exhaustion
from lib.metrics.deploys import Recovery
from lib.metrics.incidents import SLIS, Incident, Onset, Part
from lib.metrics.onset import DAY, Change
from lib.monitoring import Told, at_all_times
from lib.scan import WindowGrid
from lib.schema import Filter

MINUTE = 60
MOST_NAMED = 8
"""Of more parts than this the first are named, the others counted."""
CAUSES = {
    "label-flip": "its scores are reversed",
    "constant-score": "its scores collapsed to few values",
    "margin-collapse": "its margins shrank",
    "score-drift": "its scores drifted",
    "missing-telemetry": "rows or labels are missing",
}
"""What a check found, by its name."""
RESTORED = {
    "yes": "which restored it",
    "no": "which did not restore it",
    "undecided": "and whether that restored it cannot be told",
    "no rise": "though it had not surely risen",
}


def span_words(seconds: float) -> str:
    """A length of time to the minute: "3 d 2 h", "1 h 5 min", "20 min"."""
    minutes = round(seconds / MINUTE)
    days, hours, rest = minutes // (24 * 60), minutes // 60 % 24, minutes % 60
    parts = [f"{days} d"] * bool(days) + [f"{hours} h"] * bool(hours) + [f"{rest} min"] * (bool(rest) and not days)
    return " ".join(parts) or "0 min"


def rule_words(rule: BurnRule) -> str:
    """A rule as one says it: "4 × over 1 h and 15 min"."""
    return f"{rule.burn:g} × over {span_words(rule.long)} and {span_words(rule.short)}"


def time_words(change: Change) -> str:
    """The time of a change with its interval: "2026-04-02 09:10 UTC (08:50 to 09:35)"."""
    at = format_time(change.at, MINUTE)
    same_day = change.lower // DAY == change.upper // DAY == change.at // DAY
    ends = [format_time(each, MINUTE).removesuffix(" UTC") for each in (change.lower, change.upper)]
    shown = [each[11:] if same_day else each for each in ends]
    return f"{at} ({shown[0]} to {shown[1]})"


def onset_words(view: MonitoringView, onset: Onset) -> str:
    """A change in a sentence without its full stop."""
    change = onset.change
    rates = " to ".join(format_share(each.value) for each in (change.before, change.after))
    verb = "rose" if change.is_rise else "fell"
    return (
        f"{SLIS[view.metric].label} of {part_words(onset.part)} {verb} from {rates} on {time_words(change)}, "
        f"{deploy_words(view.watched.deploy_of(onset.change))}"
    )


def recovery_words(recovery: Recovery) -> str:
    """Whether a rollback restored a rate, with the number."""
    at = format_time(recovery.rollback.at, MINUTE)
    said = f"It was rolled back on {at}, {RESTORED[recovery.restored]}"
    if recovery.restored == "no rise" or not recovery.left.is_defined:
        return f"{said}."
    low, high = (
        format_change(each, "share").removesuffix(POINTS) for each in (recovery.left.lower, recovery.left.upper)
    )
    left = format_change(recovery.left.value, "share")
    gone = format_share(recovery.share_gone, 0)
    before, after = (format_share(each.value) for each in (recovery.before, recovery.after))
    return (
        f"{said}: {after} in the week after it, {before} in the week before the deploy, a difference of {left} ({low} "
        f"to {high}); {gone} of the rise is gone."
    )


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
    before = f", {span_words(later[0] - page.opened)} before the rollback" if later else ""
    of = (
        f"{objective.name[:1].lower()}{objective.name[1:]}"
        if objective.name == SLIS[objective.metric].label
        else objective.name
    )
    return (
        f"This policy would have paged at {at}{before}, for {part_words(page.lead.part)}, by its objective of the {of}."
    )


def answer(view: MonitoringView) -> str:
    """What the page opens with."""
    if view.nothing:
        return f"{view.nothing}: there is nothing to monitor."
    onset, paged = view.main_onset, view.first_paged
    said: list[str] = []
    if onset is not None:
        found = view.finding_of(onset)
        cause = "" if found is None else f"; {CAUSES.get(found.name, 'see the finding')} ({found.name})"
        said.append(f"{onset_words(view, onset)}{cause}.")
        deploy = view.watched.deploy_of(onset.change)
        recoveries = view.watched.recoveries(view.metric, onset.part)
        said += [recovery_words(each) for each in recoveries if deploy is not None and each.deploy == deploy]
    else:
        label = SLIS[view.metric].label
        said.append(f"{label} did not change beyond what hour, weekday and chance make of it.")
    if paged is not None:
        said.append(page_words(view, *paged))
    else:
        n_parts = view.told[0].n_parts
        said.append(f"This policy would have paged nobody, watching {format_plural(n_parts, 'part')}.")
    return " ".join(said)


def range_words(where: Filter) -> str:
    """That a range of times that is chosen does not hold; nothing where none is."""
    if at_all_times(where) == where:
        return ""
    return (
        "The range of times that is chosen does not hold for what is told here of objectives, deploys and changes: it "
        "is of all times."
    )


def width_words(view: MonitoringView) -> str:
    """How wide the windows are that were chosen from the rows, and why, in a sentence."""
    per = f"Rates are per {WindowGrid(view.width).words}"
    short = next((line for line in view.lines if line.typical_rows < rows_wanted(line.part)), None)
    line = short or view.lines[-1]
    rows, wanted = f"labelled rows of {part_words(line.part)}", rows_wanted(line.part)
    has = format_count(line.typical_rows)
    if short is not None:
        return f"{per}, the widest there is: a typical window has {has} {rows}, fewer than the {wanted} that would do."
    return (
        f"{per}, the finest of at most {MOST_WINDOWS} windows of which a typical one has {wanted} {rows} (it has "
        f"{has}), so that its interval says something."
    )


def lag_words(view: MonitoringView) -> tuple[str, ...]:
    """How many labels are missing, since when, and what the dashed line takes for granted."""
    scored, labelled = view.watched.timeline().series("scored", "labelled")
    total = float(scored.sum())
    if not total:
        return ()
    missing = 1 - float(labelled.sum()) / total
    if missing <= 0:
        return (f"All {format_count(total)} scored rows have a label.",)
    said = [f"{format_share(missing)} of {format_count(total)} scored rows have no label."]
    lag = view.label_lag
    if lag is None:
        said[0] += " None of that is a delay: labels are missing here and there, not towards the end."
    else:
        behind = span_words(view.watched.timeline().edges[-1] - lag.at)
        since, share = format_time(lag.at, MINUTE), format_share(lag.after.value)
        said[0] += f" From {since} on {share} have none: labels are {behind} behind."
        if view.lines[0].expected is not None:
            said.append(
                "Dashed: the rate that scores expect of rows without a label. It takes probabilities at their word, "
                "corrected on the whole by labelled rows; a mapping that is wrong does not show in it."
            )
    return tuple(said)


def retrain_words(view: MonitoringView) -> str:
    """Whether the model should be trained anew, and why (not)."""
    lasting = [told for told in view.told if any(each.is_sustained for each in told.breaches)]
    drifts = ", ".join(dict.fromkeys(each.name for each in view.drifts))
    if view.retrain:
        share = format_share(max(told.sustained_share for told in lasting))
        return f"Train anew: an objective was missed for days on end ({share} of the time), and {drifts} found a drift."
    if lasting:
        share = format_share(max(told.sustained_share for told in lasting))
        return (
            f"An objective was missed for days on end ({share} of the time), but no check found a drift: look for a "
            "fault before training anew."
        )
    spikes = sum(len(told.breaches) for told in view.told)
    drifted = f" {drifts} found a drift." if drifts else ""
    if spikes:
        return f"No reason to train anew: objectives were missed for a time, not for three days on end.{drifted}"
    return f"No reason to train anew: over each day the objectives were kept.{drifted}"


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
