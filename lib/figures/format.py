"""How numbers and times are written, everywhere in the product: pages, figures, reports and the command line.

Shares never read 0 % or 100 % unless they are; undefined numbers read "undefined"; minus is a minus sign.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from lib.checks.words import plural
from lib.metrics.catalogue import Unit
from lib.metrics.estimates import Estimate, divide

UNDEFINED = "undefined"
NO_BREAK = "\N{NO-BREAK SPACE}"
PER_CENT = NO_BREAK + "%"
POINTS = NO_BREAK + "points"
MINUS = "\N{MINUS SIGN}"
SMALLEST_SHARE_DIGITS = 3
MINUTE, DAY = 60, 86_400


def format_share(share: float, digits: int = 1) -> str:
    """A share in [0, 1] in per cent: "16.5 %"; more digits than asked where fewer would claim 0 % or 100 %."""
    if math.isnan(share):
        return UNDEFINED
    return f"{_per_cent(share, digits)}{NO_BREAK}%"


def _per_cent(share: float, digits: int) -> str:
    most = max(digits, SMALLEST_SHARE_DIGITS)
    for places in range(digits, most + 1):
        text = _signed(100 * share, places)
        if share in (0.0, 1.0) or float(text.replace(MINUS, "-").replace(",", "")) not in (0.0, 100.0):
            return text
    return f"<{10**-most:.{most}f}" if share < 0.5 else f">{100 - 10**-most:.{most}f}"


def format_loss(loss: float, more: int = 0) -> str:
    """A loss to about three digits, and so many more: "0.109", "12.35", "1,234"; 0 only where it is."""
    return _significant(loss, more)


def format_score(score: float, more: int = 0) -> str:
    """A score or margin: "2.08", "−4.13", "1,234"; with so many more digits."""
    if math.isfinite(score) and (score == 0 or 0.005 <= abs(score) < 100):
        return _signed(score, 2 + more)
    return _significant(score, more)


def _significant(value: float, more: int = 0) -> str:
    if math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    size = abs(value)
    if size == 0 or 0.001 <= size < 10:
        return _signed(value, 3 + more)
    if size >= 1e9 or size < 1e-5:
        return f"{value:.{1 + more}e}".replace("-", MINUS)
    if size < 0.001:
        return _signed(value, 1 - math.floor(math.log10(size)) + more)
    return _signed(value, (2 if size < 100 else 1 if size < 1000 else 0) + more)


def _signed(value: float, places: int) -> str:
    text = f"{value:,.{places}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def format_count(count: float) -> str:
    """A number of rows: "80,000"."""
    return UNDEFINED if math.isnan(count) else f"{count:,.0f}"


def format_value(value: float, unit: Unit, more: int = 0) -> str:
    """A number in its unit: a share in per cent, a loss or a score plain; with so many digits more than usual."""
    if unit == "share":
        return format_share(value, 1 + more)
    return format_score(value, more) if unit == "score" else format_loss(value, more)


def format_interval(lower: float, upper: float, unit: Unit, more: int = 0) -> str:
    """An interval: "14.1 to 17.9 %", "1.92 to 2.21"; "" where neither side is known."""
    known = [not math.isnan(lower), not math.isnan(upper)]
    if not any(known):
        return ""
    if not all(known):
        side, value = ("at least ", lower) if known[0] else ("at most ", upper)
        return side + format_value(value, unit, more)
    return f"{format_value(lower, unit, more).removesuffix(PER_CENT)} to {format_value(upper, unit, more)}"


def format_estimate(estimate: Estimate, unit: Unit, *, interval: bool = True) -> str:
    """A number with its interval: "16.5 % (14.1 to 17.9 %)"; "undefined: no labelled rows" where there is none."""
    if not estimate.is_defined:
        return f"{UNDEFINED}: {estimate.reason}"
    around = format_interval(estimate.lower, estimate.upper, unit) if interval else ""
    return format_value(estimate.value, unit) + (f" ({around})" if around else "") + format_bound(estimate.bound, unit)


def format_bound(bound: float, unit: Unit, more: int = 0) -> str:
    """How far binning may have moved a number: " ± 0.02 by binning"; "" where it did not."""
    if not bound > 0:
        return ""
    text = f"{_significant(100 * bound, more)} points" if unit == "share" else _significant(bound, more)
    return f" ± {text} by binning"


def format_change(change: float, unit: Unit, more: int = 0) -> str:
    """A difference with its sign: "+3.2 points" of a share, "−0.045" of a loss or score."""
    if math.isnan(change):
        return UNDEFINED
    if unit == "share":
        text = _per_cent(abs(change), 1 + more)
    else:
        text = format_score(abs(change), more) if unit == "score" else format_loss(abs(change), more)
    sign = MINUS if change < 0 else "+" if change > 0 else "±"
    return f"{sign}{text}" + (POINTS if unit == "share" else "")


def format_change_interval(lower: float, upper: float, unit: Unit, more: int = 0) -> str:
    """The interval of a difference: "+1.2 to +4.3 points", "−0.045 to −0.012"; "" where a side is not known."""
    if math.isnan(lower) or math.isnan(upper):
        return ""
    return f"{format_change(lower, unit, more).removesuffix(POINTS)} to {format_change(upper, unit, more)}"


def format_more_rows(more: float, number: Estimate, unit: Unit, each: str = "") -> str:
    """How many more labelled rows would tell, or that data of this kind do not.

    Args:
        more: so many, to be shown to two digits; NaN where no number does.
        number: what cannot be told, with its interval.
        unit: its unit.
        each: whose rows, such as " in each version".
    """
    if math.isnan(more):
        half = format_change(max(number.upper - number.value, number.value - number.lower), unit).removeprefix("+")
        return f"too close to tell with data of this kind: known to {half} either way"
    rounded = float(f"{more:.1e}") if more >= 100 else more
    return f"about {format_plural(rounded, 'more labelled row')}{each} would tell"


def format_p(p: float) -> str:
    """A p-value: "0.032", "<0.001"."""
    if math.isnan(p):
        return UNDEFINED
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def format_time(second: float, step: float = 1) -> str:
    """An epoch second in UTC, as fine as steps of `step` seconds need: "2026-04-02", "2026-04-02 09:00 UTC"."""
    at = datetime.fromtimestamp(second, UTC)
    if step % DAY == 0 and at.timestamp() % DAY == 0:
        return f"{at:%Y-%m-%d}"
    return f"{at:%Y-%m-%d %H:%M} UTC" if step % MINUTE == 0 else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def format_span(start: float, end: float, step: float = 1) -> str:
    """From one time up to another, not included: "2026-04-02 to 2026-04-05"."""
    return f"{format_time(start, step).removesuffix(' UTC')} to {format_time(end, step)}"


def format_family(judged: int) -> str:
    """What "better" and "worse" of so many numbers mean."""
    return (
        f"Better and worse are beyond chance at 5 %, corrected for {format_plural(judged, 'number')} judged at once "
        "(Benjamini–Hochberg)."
    )


def format_verdicts(baseline: str, candidate: str, verdicts: Sequence[str], *, has_findings: bool) -> str:
    """In how many numbers the candidate is better or worse, by however little, in a sentence; "" without verdicts.

    Args:
        baseline: what is compared with.
        candidate: what is judged.
        verdicts: on each number that is judged: "better", "worse" or "" within chance.
        has_findings: whether a check found something.
    """
    if not verdicts:
        return ""
    said = _count_verdicts(baseline, candidate, verdicts)
    return f"{said[:1].upper()}{said[1:]}." if has_findings else f"No check found a fault; {said}."


def _count_verdicts(baseline: str, candidate: str, verdicts: Sequence[str]) -> str:
    worse, better = verdicts.count("worse"), verdicts.count("better")
    judged = format_plural(len(verdicts), "number")
    if not worse and not better:
        return f"version {candidate} differs from version {baseline} in none of {judged} beyond chance"
    first, second = ("worse", "better") if worse else ("better", "worse")
    of, other = (worse, better) if worse else (better, worse)
    also = f", and {second} in {other}" if other else ""
    return f"version {candidate} is {first} than version {baseline} in {of} of {judged}{also}, beyond chance"


def format_scales(baseline: str, candidate: str, ratio: float) -> str:
    """Why two versions cannot be compared in units of the score, `ratio` being that of their spreads."""
    wider, other, times = (candidate, baseline, ratio) if ratio >= 1 else (baseline, candidate, divide(1.0, ratio))
    return (
        f"Not comparable: scores are on another scale. Margins of {wider} spread {format_score(float(times))} times as "
        f"wide as those of {other}, and a decision score has no unit of its own; what does not depend on the scale, "
        "such as ROC AUC and accuracy, can be compared."
    )


format_plural = plural
"""A number of things: "1 row", "2 rows"."""
