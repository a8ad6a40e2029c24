"""How parts of the data, shares and times are said in the sentence of a finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from scipy import special

from lib import schema
from lib.checks.result import Where
from lib.metrics.deploys import Deploy
from lib.scan import PROBLEMS, STRUCTURAL
from lib.scan.facts import Facts
from lib.scan.windows import DAY
from lib.schema import ScoreKind
from lib.sources.columns import shorten

NONE: Mapping[str, int] = MappingProxyType({})

LONGEST = 60
"""Characters of a cohort value in a sentence; the evidence has it whole."""


def count(number: float) -> str:
    """1204 as 1,204."""
    return f"{round(number):,}"


def plural(number: float, one: str, many: str = "") -> str:
    """A number of things: "1 row", "1,204 rows"."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """A share with sensible digits, never shown as 0 or 100 % unless it is."""
    value = 100 * share
    if 0 < value < 0.1:
        return "under 0.1 %"
    if 99.9 < value < 100:
        return "over 99.9 %"
    digits = 0 if value == round(value) or 10 <= value <= 99 else 1
    return f"{value:.{digits}f} %"


def listing(items: Sequence[str], most: int = 3) -> str:
    """One to three texts, and how many more: `a`, `a and b`, `a, b, c and 4 more`."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(f"{len(items) - most} more")
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]


def score(value: float, mapping: schema.Mapping) -> str:
    """A decision score in the unit of the file: "p = 0.73", else "0.9946"; one that was clipped is p = 0 or 1."""
    return f"p = {special.expit(value):.4g}" if mapping.score_kind is ScoreKind.PROBABILITY else f"{value:.4g}"


def problem(code: str) -> str:
    """Why a row cannot be used, or not wholly."""
    return "the line could not be read as a record" if code == STRUCTURAL else PROBLEMS[code][1]


def parts_of(facts: Facts, looked_at: Mapping[str, int] = NONE) -> str:
    """The kinds of parts that a search looks at, as far as there are any: "version, cohort or time range".

    `looked_at` says of columns that gather values how many of these are looked at by themselves.
    """
    there = {"version": len(facts.versions) > 1, "cohort": bool(facts.cohorts), "time range": facts.windows is not None}
    kinds = [kind for kind, is_there in there.items() if is_there]
    parts = " or ".join([*filter(None, [", ".join(kinds[:-1])]), *kinds[-1:]]) or "part"
    return parts + together(facts, looked_at)


def together(facts: Facts, looked_at: Mapping[str, int] = NONE) -> str:
    """Which cohort values are not looked at one by one, or not over time, in brackets behind a blank; else empty."""
    if not facts.gathered:
        return ""
    said: list[str] = []
    for column, n in facts.gathered.items():
        rarer, alone = f"{count(n)} rarer values of {column}", min(looked_at.get(column, 0), n)
        if not alone:
            said.append(f"{rarer} only together")
        elif alone == n:
            said.append(f"{rarer} only over all time" if facts.windows is not None else "")
        else:
            over = " over all time" if facts.windows is not None else ""
            said.append(f"of {rarer} the {count(alone)} with rows enough by themselves{over}, the others only together")
    shown = [each for each in said if each]
    return f" ({listing(shown)})" if shown else ""


def only_in(column: str, facts: Facts) -> str:
    """That a column is not in every file: "is only in a.csv", "is not in b.csv"; empty where all have it."""
    without = facts.files_without(column)
    having = [each.name for each in facts.inputs if each.name not in without]
    if not without:
        return ""
    if len(having) <= len(without):
        return f"is only in {listing(having)}"
    return f"is not in {listing(without)}"


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, tz=UTC)


def _day(moment: datetime, *, year: bool, month: bool = True) -> str:
    return f"{moment.day}" + (f" {moment:%B}" if month else "") + (f" {moment.year}" if year else "")


def time_range(window: tuple[int, int], facts: Facts) -> str:
    """A time range in UTC: in days where windows are days or wider, else in hours and minutes; year if needed."""
    start = _moment(window[0])
    years = {_moment(second).year for second in (facts.first, facts.last) if second is not None}
    year = len(years) > 1
    width = facts.windows.width if facts.windows is not None else DAY
    if width >= DAY:
        last = _moment(window[1] - DAY)
        if last <= start:
            return f"on {_day(start, year=year)}"
        same_month = (start.year, start.month) == (last.year, last.month)
        first_words = _day(start, year=year and start.year != last.year, month=not same_month)
        return f"from {first_words} to {_day(last, year=year)}"
    end = _moment(window[1])
    if start.date() == end.date():
        return f"on {_day(start, year=year)} from {start:%H:%M} to {end:%H:%M} UTC"
    return f"from {_day(start, year=year)} {start:%H:%M} to {_day(end, year=year)} {end:%H:%M} UTC"


def deploy_words(deploy: Deploy | None) -> str:
    """What was done then: "when 2026.04 was deployed"; that nothing was where there is none."""
    if deploy is None:
        return "at no deploy that is known"
    return f"when {deploy.name} was {'deployed' if deploy.kind == 'deploy' else 'rolled back to'}"


def place(version: str | None, where: Where, facts: Facts) -> str:
    """A place, behind a blank: ` for language = pt in version 2 on 18 March`; empty for everything."""
    cohorts = [f"{column} = {shorten(value, LONGEST) or '(none)'}" for column, value in where.cohort.items()]
    words = f" for {' and '.join(cohorts)}" if cohorts else ""
    if version is not None and len(facts.versions) > 1:
        words += f" in version {version or '(none)'}"
    if where.window is not None:
        words += f" {time_range(where.window, facts)}"
    return words
