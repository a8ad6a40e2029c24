"""What the gate has decided, in words: a sentence, and a row for each number that was held against a limit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

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
from lib.metrics.catalogue import Unit
from lib.metrics.limits import ROUNDING
from lib.policy import Limit

ALL_ROWS = "all rows"
DIGITS = 10
OPEN = "cannot be told"
ORDER = {"fail": 0, "cannot tell": 1, "pass": 2}


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


def more_digits(decision: Decision) -> int:
    """How many digits more than usual tell the ends of the interval from the limit that they are held against."""
    number, unit, limit = decision.number, decision.limit.of.unit, decision.limit.held_at
    write = partial(_bare, unit=unit, is_change=decision.limit.is_relative)
    slack = ROUNDING * max(1.0, abs(limit))
    ends = [number.lower, number.upper, number.lower - number.bound, number.upper + number.bound]
    ends = [each for each in ends if math.isfinite(each) and abs(each - limit) > slack]
    return next((more for more in range(DIGITS) if all(write(end, more) != write(limit, more) for end in ends)), DIGITS)


def _bare(value: float, more: int, *, unit: Unit, is_change: bool) -> str:
    """A number as it is written, without its unit and the zeros at its end."""
    text = (format_change if is_change else format_value)(value, unit, more).removesuffix(PER_CENT).removesuffix(POINTS)
    return text.rstrip("0").rstrip(".") if "." in text else text


def why_open(decision: Decision) -> str:
    """Why it cannot be told, and what would tell; "" where it can."""
    if decision.outcome != "cannot tell":
        return ""
    more = decision.more_rows
    if decision.reason:
        return decision.reason if math.isnan(more) else f"{decision.reason}, {format_count(more)} more are needed"
    each = " in each version" if decision.limit.is_relative else ""
    return format_more_rows(more, decision.number, decision.limit.of.unit, each)


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
        why: see `why_open`.
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
    why: str

    @property
    def limit(self) -> str:
        """What was asked, in one: "Violation rate at most 5 %"."""
        return f"{self.metric} {self.bound}"

    @property
    def remark(self) -> str:
        """Why it cannot be told, and whether the policy lets it pass; "" where it can."""
        return f"{self.why} (the policy lets it pass)" if self.why and self.lets_pass else self.why

    @classmethod
    def of(cls, decision: Decision) -> DecisionRow:
        """Put a decision into words."""
        number, unit = decision.number, decision.limit.of.unit
        is_change, more = decision.limit.is_relative, more_digits(decision)
        value = (format_change if is_change else format_value)(number.value, unit, more)
        around = (format_change_interval if is_change else format_interval)(number.lower, number.upper, unit, more)
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
            around + format_bound(number.bound, unit, more) if number.is_defined else "",
            sides,
            format_count(number.n),
            why_open(decision),
        )


@dataclass(frozen=True)
class OpenLimit:
    """A limit that several parts neither surely keep nor surely break.

    Attributes:
        rows: the decisions, that which the fewest rows would tell first.
        share: how many parts they are of how many: "8 of 16 parts", "3 of 5 values of language".
    """

    rows: tuple[DecisionRow, ...]
    share: str

    @property
    def limit(self) -> str:
        """What was asked."""
        return self.rows[0].limit

    @property
    def lets_pass(self) -> bool:
        """Whether the candidate may pass with them."""
        return self.rows[0].lets_pass

    def sentence(self, most: int) -> str:
        """How many cannot be told, and what would tell the first so many of them."""
        told = [f"{row.part}: {row.why}" for row in self.rows[:most]]
        left = len(self.rows) - most
        told += [f"{format_count(left)} more"] if most > 1 and left > 0 else []
        passes = " (the policy lets them pass)" if self.lets_pass else ""
        return f"{self.share} {OPEN}{passes}; nearest {'; '.join(told)}"

    @classmethod
    def of(cls, decisions: Sequence[Decision], n_parts: int) -> OpenLimit:
        """Gather what cannot be told of one limit that was held against so many parts."""
        limit = decisions[0].limit
        noun = f"values of {limit.cohorts}" if limit.cohorts else "classes" if limit.by_class else "parts"
        nearest = sorted(decisions, key=lambda each: math.inf if math.isnan(each.more_rows) else each.more_rows)
        share = f"{format_count(len(decisions))} of {format_count(n_parts)} {noun}"
        return cls(tuple(map(DecisionRow.of, nearest)), share)


def rows_of(line: DecisionRow | OpenLimit) -> tuple[DecisionRow, ...]:
    """The decisions of a line: one, or all that are gathered in it."""
    return line.rows if isinstance(line, OpenLimit) else (line,)


@dataclass(frozen=True)
class GateView:
    """What the gate has decided, in the order in which a person would ask for it.

    Attributes:
        result: it.
        lines: what does not let the candidate pass comes first; what cannot be told of several parts of one limit is
            gathered.
    """

    result: GateResult
    lines: tuple[DecisionRow | OpenLimit, ...]

    @classmethod
    def of(cls, result: GateResult) -> GateView:
        """Put a result into words."""
        n_parts = Counter(each.limit for each in result.decisions)
        n_open = Counter(each.limit for each in result.decisions if each.outcome == "cannot tell")

        def is_gathered(each: Decision) -> bool:
            return each.outcome == "cannot tell" and n_open[each.limit] > 1

        ordered = sorted(result.decisions, key=lambda each: (each.lets_pass, ORDER[each.outcome], is_gathered(each)))
        lines: list[DecisionRow | OpenLimit] = []
        for (limit, gathered), group in groupby(ordered, lambda each: (each.limit, is_gathered(each))):
            decisions = list(group)
            if gathered:
                lines.append(OpenLimit.of(decisions, n_parts[limit]))
            else:
                lines += map(DecisionRow.of, decisions)
        return cls(result, tuple(lines))

    @property
    def rows(self) -> tuple[DecisionRow, ...]:
        """Every decision in the order of the lines."""
        return tuple(row for line in self.lines for row in rows_of(line))

    def answer(self) -> str:
        """Whether the candidate passes, and what of it, in a sentence."""
        result = self.result
        name, n, n_limits = result.settings.candidate or MISSING, len(result.decisions), len(result.policy.limits)
        held = f"{n} limits" if n == n_limits else f"{n} numbers under {format_plural(n_limits, 'limit')}"
        said = {"kept": result.count("pass"), "broken": result.count("fail"), OPEN: result.count("cannot tell")}
        parts = [f"{count} {word}" for word, count in said.items() if count]
        if len(parts) == 1:
            (word,) = (word for word, count in said.items() if count)
            parts = [f"all {held} {word}" if n > 1 else f"the limit {word}"]
        elif parts:
            parts[0] = f"of {held} {parts[0]}"
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
                    "remark": DecisionRow.of(each).remark,
                }
                for each in self.result.decisions
            ]
        )
