"""Monitoring in sentences: what happened, when somebody would have been told, whether the rollback restored it."""

from __future__ import annotations

from collections.abc import Sequence

from lib.checks import CheckResult, names_answers
from lib.checks.words import deploy_words
from lib.figures.format import (
    PER_CENT,
    POINTS,
    format_change,
    format_change_interval,
    format_count,
    format_share,
    format_time,
)
from lib.figures.monitoring_alerts import MINUTE, alerts_words, done_words, span_words
from lib.figures.monitoring_lines import MOST_WINDOWS, rows_wanted
from lib.figures.monitoring_parts import part_words
from lib.figures.monitoring_view import Found, MonitoringView
from lib.metrics.burn_rate import RateName
from lib.metrics.canaries import Canary
from lib.metrics.deploys import RESTORED as RESTORED_SHARE
from lib.metrics.deploys import Recovery, difference
from lib.metrics.incidents import SLIS, Onset
from lib.metrics.onset import DAY, Change
from lib.monitoring import at_all_times
from lib.scan import WindowGrid
from lib.schema import Filter

CAUSES = {
    "label-flip": "its scores are reversed",
    "constant-score": "its scores collapsed to few values",
    "margin-collapse": "its margins shrank",
    "score-drift": "its scores drifted",
    "missing-telemetry": "rows or labels are missing",
}
"""What a check found, by its name."""
LEAST_MIX = 0.05
RESTORED = {"yes": ", which restored it", "no": ", which did not restore it", "undecided": ""}
SURE = f"surely restored is from a lower end of {format_share(1 - RESTORED_SHARE, 0)} on"
ROWS_OF: dict[Found, str] = {
    "rise": "the time of the clearest rise",
    "page": "while the first page was open",
    "ticket": "while the first ticket was open",
    "deploy": "after the deploy that made it worse: no rise stands out by itself, and nobody would have been told",
    "nothing": "the last day of the log, for no rise stands out and nobody would have been told of one",
}
"""Why the rows of a time are listed, by what the incident was found by."""


def canary_words(canary: Canary) -> str:
    """Which version served how much before it took over: "canary of 2.4.0 from 2026-09-12 10:45 UTC (9 % of rows)"."""
    return f"canary of {canary.name} from {format_time(canary.at, MINUTE)} ({format_share(canary.share, 0)} of rows)"


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


def mix_words(view: MonitoringView, onset: Onset) -> str:
    """That the classes have another mix after a change, which changes rates by itself; "" where they have not."""
    before, after = view.watched.positive_shares(onset.part, onset.change)
    change = difference(after, before)
    if not change.is_defined or change.lower <= 0 <= change.upper or abs(change.value) < LEAST_MIX:
        return ""
    shares = " against ".join(format_share(each.value) for each in (after, before))
    return f"{shares} of its labelled rows are positive in the week after it and before it"


def still_words(view: MonitoringView) -> str:
    """That no time stands out at which a rate changed, behind what is known of a deploy all the same; no full stop."""
    name, chance = SLIS[view.metric].label, "beyond what hour, weekday and chance make of it"
    step = view.main_step
    if step is None:
        return f"{name} did not change {chance}"
    size = format_change(abs(step.change.value), "share").removeprefix("+")
    around = format_change_interval(step.change.lower, step.change.upper, "share").removesuffix(POINTS)
    return (
        f"After {done_words(step.deploy)} the {name.lower()} of {part_words(view.part)} was {size} "
        f"{'higher' if step.change.value > 0 else 'lower'} than before ({around}); without knowing of it "
        f"no time would stand out {chance}"
    )


def recovery_words(recovery: Recovery) -> str:
    """Whether a rollback restored a rate, with the number."""
    said = f"It was rolled back on {format_time(recovery.rollback.at, MINUTE)}"
    if recovery.restored == "no rise":
        return f"{said}, though it had not surely risen."
    if not recovery.left.is_defined:
        return f"{said}, and whether that restored it cannot be told: {recovery.left.reason}."
    low, high = (
        format_change(each, "share").removesuffix(POINTS) for each in (recovery.left.lower, recovery.left.upper)
    )
    left = format_change(recovery.left.value, "share")
    share, between = _gone(recovery)
    open_end = f"; {SURE}" if recovery.restored == "undecided" else ""
    before, after = (format_share(each.value) for each in (recovery.before, recovery.after))
    return (
        f"{said}{RESTORED[recovery.restored]}: {after} in the week after it, {before} in the week before the deploy, a "
        f"difference of {left} ({low} to {high}); {share} of the rise is gone ({between}){open_end}."
    )


def _gone(recovery: Recovery) -> tuple[str, str]:
    """How much of a rise is gone, and between what that lies: "83 %", "29 to 137 %"."""
    low, high = (format_share(each, 0) for each in recovery.share_gone_interval)
    return format_share(recovery.share_gone, 0), f"{low.removesuffix(PER_CENT)} to {high}"


def restored_words(recovery: Recovery) -> tuple[str, str]:
    """Whether a rollback restored a rate and how much of the rise is gone; that comes first where it is not certain."""
    if recovery.restored == "no rise":
        return recovery.restored, ""
    if not recovery.left.is_defined:
        return "cannot be told", recovery.left.reason
    share, between = _gone(recovery)
    if recovery.restored == "undecided":
        return f"{share} gone", f"{between}; {SURE}"
    return recovery.restored, f"{share} gone ({between})"


def first_words(first: RateName, results: Sequence[CheckResult]) -> str:
    """Why a page begins with a rate, in a sentence; "" where it is the usual one."""
    if first == "violation_rate":
        return ""
    rate = SLIS[first].label.lower()
    if names_answers(results):
        return f"It begins with the {rate}, which the gravest finding of a part is about."
    return (
        f"It begins with the {rate}: as a whole versions differ in that beyond chance, and not in the violation rate."
    )


def answer(view: MonitoringView) -> str:
    """What the page opens with."""
    if view.nothing:
        return f"{view.nothing}: there is nothing to monitor."
    onset = view.main_onset or view.main_fall
    said: list[str] = []
    if onset is not None:
        found = view.finding_of(onset)
        cause = "" if found is None else f"; {CAUSES.get(found.name, 'see the finding')} ({found.name})"
        mix = mix_words(view, onset)
        said.append(f"{onset_words(view, onset)}{cause}{'; ' if mix else ''}{mix}.")
        deploy, part = view.watched.deploy_of(onset.change), onset.part
    else:
        said.append(f"{still_words(view)}.")
        deploy, part = None if view.main_step is None else view.main_step.deploy, view.part
    recoveries = view.watched.recoveries(view.metric, part)
    said += [recovery_words(each) for each in recoveries if deploy is not None and each.deploy == deploy]
    return " ".join([*said, alerts_words(view)])


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
