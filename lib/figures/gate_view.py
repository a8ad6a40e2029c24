"""What the gate has decided, in words: a sentence, and a row for each number that was held against a limit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from lib.figures.format import (
    MINUS,
    PER_CENT,
    POINTS,
    UNDEFINED,
    format_bound,
    format_change,
    format_change_interval,
    format_count,
    format_interval,
    format_more_rows,
    format_plural,
    format_value,
)
from lib.figures.text import MISSING
from lib.gate import WHOLE, Decision, GateResult, Part
from lib.policy import Limit

ALL_ROWS = "all rows"
DIGITS = 10
OPEN = "cannot be told"


def bound_words(limit: Limit) -> str:
    """What a limit asks, its value to the last digit: "at most 5 %", "at most 1 point below the baseline"."""
    is_share = limit.of.unit == "share"
    value = f"{100 * limit.value if is_share else limit.value:.{DIGITS}g}".replace("-", MINUS)
    if not limit.is_relative:
        return f"{limit.kind.replace('_', ' ')} {value}{PER_CENT if is_share else ''}"
    points = POINTS.removesuffix("s" if value == "1" else "") if is_share else ""
    return f"at most {value}{points} {'below' if limit.of.direction == 'higher' else 'above'} the baseline"


def part_words(part: Part) -> str:
    """A part of the rows: "all rows", "language = pt", "language = pt and platform = web", "class 1"."""
    if part.cohorts:
        return " and ".join(f"{column} = {value or MISSING}" for column, value in part.cohorts)
    return ALL_ROWS if part == WHOLE else f"class {part.of_class}"


def remark(decision: Decision) -> str:
    """Why it cannot be told, and what would tell; "" where it can."""
    if decision.outcome != "cannot tell":
        return ""
    more = decision.more_rows
    if decision.reason:
        said = decision.reason if math.isnan(more) else f"{decision.reason}, {format_count(more)} more are needed"
    else:
        each = " in each version" if decision.limit.is_relative else ""
        said = format_more_rows(more, decision.number, decision.limit.of.unit, each)
    return f"{said} (the policy lets it pass)" if decision.lets_pass else said


@dataclass(frozen=True)
class DecisionRow:
    """One decision in words.

    Attributes:
        verdict: "pass", "fail" or "cannot tell".
        lets_pass: whether the candidate may pass with it.
        metric, bound: what was asked.
        part: of which rows.
        number: the candidate's number, or the change.
        interval: that decided; "" where there is none.
        sides: of a change the two numbers; "" otherwise.
        rows: over how many rows.
        remark: see `remark`.
    """

    verdict: str
    lets_pass: bool
    metric: str
    bound: str
    part: str
    number: str
    interval: str
    sides: str
    rows: str
    remark: str

    @property
    def limit(self) -> str:
        """What was asked, in one: "Violation rate at most 5 %"."""
        return f"{self.metric} {self.bound}"

    @classmethod
    def of(cls, decision: Decision) -> DecisionRow:
        """Put a decision into words."""
        number, unit = decision.number, decision.limit.of.unit
        is_change = decision.limit.is_relative
        value = format_change(number.value, unit) if is_change else format_value(number.value, unit)
        around = (format_change_interval if is_change else format_interval)(number.lower, number.upper, unit)
        sides = ""
        if decision.before is not None:
            sides = f"{format_value(decision.before.value, unit)}, {format_value(decision.after.value, unit)}"
        return cls(
            decision.outcome,
            decision.lets_pass,
            decision.limit.of.label,
            bound_words(decision.limit),
            part_words(decision.part),
            value if number.is_defined else UNDEFINED,
            around + format_bound(number.bound, unit) if number.is_defined else "",
            sides,
            format_count(number.n),
            remark(decision),
        )


@dataclass(frozen=True)
class GateView:
    """What the gate has decided: rows in the order in which a person would ask for them."""

    result: GateResult
    rows: tuple[DecisionRow, ...]

    @classmethod
    def of(cls, result: GateResult) -> GateView:
        """Put a result into words; what does not let the candidate pass comes first."""
        rows = [DecisionRow.of(decision) for decision in result.decisions]
        order = {"fail": 0, "cannot tell": 1, "pass": 2}
        rows.sort(key=lambda row: (row.lets_pass, order[row.verdict]))
        return cls(result, tuple(rows))

    def answer(self) -> str:
        """Whether the candidate passes, and what of it, in a sentence."""
        result = self.result
        name, n = result.settings.candidate or MISSING, len(result.decisions)
        said = {"kept": result.count("pass"), "broken": result.count("fail"), OPEN: result.count("cannot tell")}
        parts = [f"{count} {word}" for word, count in said.items() if count]
        if len(parts) == 1:
            (word,) = (word for word, count in said.items() if count)
            parts = [f"all {n} limits {word}" if n > 1 else f"the limit {word}"]
        elif parts:
            parts[0] = f"of {n} limits {parts[0]}"
        if forbidden := len(result.forbidden):
            parts.append(f"{format_plural(forbidden, 'finding')} forbidden")
        elif not math.isnan(result.n_findings):
            parts.append("no finding forbidden")
        verdict = "passes" if result.passed else "does not pass"
        return f"Version {name} {verdict}: {', '.join(parts)}."

    @property
    def correction(self) -> str:
        """What intervals of parts that were judged at once are; "" where there are none."""
        most = max((decision.judged for decision in self.result.decisions), default=1)
        if most == 1:
            return ""
        return (
            f"Intervals of parts that are judged at once, {most} at most here, are wider, so that all of a limit hold "
            "together at 95 % (Bonferroni)."
        )

    def frame(self) -> pd.DataFrame:
        """One row per decision: what was asked, of what, the numbers and the verdict."""
        return pd.DataFrame(
            [
                {
                    "verdict": each.outcome,
                    "lets_pass": each.lets_pass,
                    "metric": each.limit.metric,
                    "kind": each.limit.kind,
                    "limit": each.limit.value,
                    "cohort": ", ".join(column for column, _value in each.part.cohorts),
                    "value": ", ".join(value for _column, value in each.part.cohorts),
                    "class": each.part.of_class,
                    "number": each.number.value,
                    "lower": each.number.lower,
                    "upper": each.number.upper,
                    "n": each.number.n,
                    "judged": each.judged,
                    "more_rows": each.more_rows,
                    "remark": remark(each),
                }
                for each in self.result.decisions
            ]
        )
