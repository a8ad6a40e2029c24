"""A policy written from what a version does: its numbers, with room for chance and for a margin."""

from __future__ import annotations

import math
from dataclasses import replace

from lib.diagnose import Diagnosis
from lib.gate.judge import judge_gate
from lib.metrics.summary import metric_named
from lib.policy import Kind, Limit, OnCannotTell, Policy

POINTS, PER_CENT = 1.0, 2.0
"""The margin unless another is chosen: so many points of a share or an index, so many per cent of a loss."""
ABSOLUTE = ("violation_rate", "average_hinge_loss", "log_loss", "roc_auc", "accuracy")
AGAINST_BASELINE = ("violation_rate", "roc_auc", "accuracy")
BY_COHORT = "violation_rate"
SHARE_DIGITS, LOSS_DIGITS = 3, 3


def write_policy(
    diagnosis: Diagnosis,
    *,
    points: float = POINTS,
    per_cent: float = PER_CENT,
    on_cannot_tell: OnCannotTell = "fail",
) -> str:
    """A policy that the baseline keeps by a margin, as TOML.

    An absolute limit is the worse end of the baseline's interval, as far again from its number, so that a candidate
    that is as good on as many rows keeps it, and the margin beyond, rounded away; of cohorts and classes the worst
    one's. Where two versions are compared the candidate may be worse than the baseline by the margin. What is
    undefined, and what no row could break, is left out.

    Args:
        diagnosis: whose baseline is what a candidate has to keep up with.
        points: the margin of shares and indices, in points.
        per_cent: the margin of losses, in per cent of the end.
        on_cannot_tell: what follows where a limit cannot be told.
    """
    settings, facts = diagnosis.settings, diagnosis.facts
    alone = diagnosis.with_settings(candidate=settings.baseline)
    limits = [Limit(name, _worse(name), math.nan) for name in ABSOLUTE]
    limits += [Limit(BY_COHORT, _worse(BY_COHORT), math.nan, cohorts=column) for column in facts.cohorts]
    by_class = "recall" if facts.mapping.is_multiclass else "accuracy"
    limits.append(Limit(by_class, _worse(by_class), math.nan, by_class=True))
    found = [each for limit in limits if (each := _valued(alone, limit, points, per_cent)) is not None]
    if diagnosis.is_compared:
        relative = Limit("", "worsens_by_at_most", points / 100)
        defined = [name for name in AGAINST_BASELINE if diagnosis.change(name).is_defined]
        found += [replace(relative, metric=name) for name in defined]
    source = "".join(each if each.isprintable() else " " for each in f"{settings.baseline} of {facts.name}")
    lines = [
        f"# What a candidate has to keep, from version {' '.join(source.split())} at γ = {settings.margin_target:g}:",
        "# its numbers with room for chance, as much as for a candidate that is as good on as many rows,",
        f"# and with a margin: {points:g} in a hundred of shares, {per_cent:g} % of losses.",
        "",
        "[gate]",
        f'on_cannot_tell = "{on_cannot_tell}"',
        "",
    ]
    for limit in found:
        lines += [*_limit_lines(limit), ""]
    lines += ["[findings]", 'severity = "error"']
    return "\n".join(lines) + "\n"


def _worse(name: str) -> Kind:
    return "at_least" if metric_named(name).direction == "higher" else "at_most"


def _valued(alone: Diagnosis, limit: Limit, points: float, per_cent: float) -> Limit | None:
    """The limit with its value; None where there is none that could be broken."""
    decisions = judge_gate(alone, Policy("", (replace(limit, value=0.0),))).decisions
    numbers = [each.number for each in decisions if each.number.is_defined and each.number.n >= limit.minimum_rows]
    most = limit.kind == "at_most"
    ends = [2 * (each.upper + each.bound if most else each.lower - each.bound) - each.value for each in numbers]
    ends = [end for end in ends if not math.isnan(end)]
    if not ends:
        return None
    end, sign = max(ends) if most else min(ends), 1 if most else -1
    if limit.of.unit in ("share", "index"):
        value = _rounded(end + sign * points / 100, SHARE_DIGITS, sign)
        if not 0 < value < 1:
            return None
    else:
        value = end * (1 + sign * per_cent / 100)
        value = _rounded(value, LOSS_DIGITS - 1 - math.floor(math.log10(value)) if value > 0 else LOSS_DIGITS, sign)
    # A part of so few rows would never let a candidate pass.
    has_small = (limit.cohorts or limit.by_class) and len(numbers) < len(decisions)
    return replace(limit, value=value, on_cannot_tell="pass" if has_small else "fail")


def _rounded(value: float, digits: int, sign: int) -> float:
    """Rounded up for sign 1, down for −1; what is a step but for floating point is that step."""
    step = 10.0**digits
    return round(sign * math.ceil(round(sign * value * step, 6)) / step, max(digits, 0))


def _limit_lines(limit: Limit) -> list[str]:
    lines = ["[[limits]]", f"metric = {_text(limit.metric)}", f"{limit.kind} = {limit.value:.10g}"]
    if limit.cohorts:
        lines.append(f"cohorts = {_text(limit.cohorts)}")
    if limit.by_class:
        lines.append("by_class = true")
    if limit.on_cannot_tell == "pass":
        lines.append('on_cannot_tell = "pass"')
    return lines


def _text(text: str) -> str:
    """A basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(each if each.isprintable() else f"\\U{ord(each):08X}" for each in escaped) + '"'
