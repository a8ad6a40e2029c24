"""How the tables of a report write a number, its interval, and why it is undefined."""

from __future__ import annotations

from collections.abc import Sequence

from lib.figures.format import UNDEFINED, format_bound, format_interval, format_value
from lib.figures.text import MISSING
from lib.metrics.catalogue import Metric
from lib.metrics.estimates import Estimate
from lib.reports.numbers import Numbers


def value_with_interval(estimate: Estimate, metric: Metric) -> str:
    """A number with its interval: "16.5 % (14.1 to 17.9 %)"; why it is undefined is said by `notes_on_numbers`."""
    if not estimate.is_defined:
        return UNDEFINED
    around = format_interval(estimate.lower, estimate.upper, metric.unit)
    return format_value(estimate.value, metric.unit) + (f" ({around})" if around else "")


def value_words(estimate: Estimate, metric: Metric) -> str:
    """A number alone: "16.5 %"; why it is undefined is said by `notes_on_numbers`."""
    return format_value(estimate.value, metric.unit) if estimate.is_defined else UNDEFINED


def notes_on_numbers(numbers: Sequence[tuple[str, Numbers]], metrics: Sequence[Metric]) -> tuple[str, ...]:
    """Why numbers are undefined, and how far binning may have moved those that are not exact."""
    notes: list[str] = []
    for metric in metrics:
        reasons: dict[str, list[str]] = {}
        for name, each in numbers:
            if reason := each.metrics[metric.name].reason:
                reasons.setdefault(reason, []).append(name or MISSING)
        for reason, names in reasons.items():
            where = "" if len(names) == len(numbers) else f" in {', '.join(names)}"
            notes.append(f"{metric.label}{where} is undefined: {reason}.")
        notes += [
            f"{metric.label} of {name or MISSING}: {format_value(found.value, metric.unit)}"
            f"{format_bound(found.bound, metric.unit)}."
            for name, each in numbers
            if (found := each.metrics[metric.name]).is_defined and found.bound > 0
        ]
    return tuple(notes)
