"""What the Slices page shows: the slices that were confirmed, each in words and in a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from lib.diagnose import Diagnosis
from lib.figures.format import (
    MINUS,
    PER_CENT,
    format_change,
    format_count,
    format_interval,
    format_plural,
    format_share,
    format_value,
)
from lib.figures.nothing import nothing_words
from lib.figures.text import plain
from lib.metrics.catalogue import Unit
from lib.metrics.incidents import SLIS, Part
from lib.metrics.slice_choice import LEAST_ROWS
from lib.metrics.slice_sums import Condition
from lib.metrics.slices import LEVEL, Slice
from lib.scan.listing import RowQuery
from lib.scan.slices import LABEL_OF, Outcome
from lib.schema import Filter, Mapping
from lib.slices import SliceAnswer

OUTCOMES: dict[Outcome, str] = {
    "violation_rate": SLIS["violation_rate"].label,
    "error_rate": SLIS["error_rate"].label,
    "miss_rate": SLIS["miss_rate"].label,
    "false_positive_rate": SLIS["false_positive_rate"].label,
    "average_logistic_loss": "Average logistic loss",
    "average_hinge_loss": "Average hinge loss",
}
"""What may be worse in a slice, as an axis calls it."""
_NOUNS = {
    "violation_rate": "violations",
    "error_rate": "errors",
    "miss_rate": "misses",
    "false_positive_rate": "false alarms",
    "average_logistic_loss": "logistic loss",
    "average_hinge_loss": "hinge loss",
}
_OF_CLASS = {1: "positive ", -1: "negative ", None: ""}
DEPTHS = {"1": "One column", "2": "Up to two", "3": "Up to three"}
ANDS = {1: "one column", 2: "up to two", 3: "up to three"}


def outcomes_of(mapping: Mapping) -> tuple[Outcome, ...]:
    """What may be searched for: of several classes, of which none is positive, nothing that is of one class."""
    return tuple(each for each in OUTCOMES if not (mapping.is_multiclass and each in LABEL_OF))


def condition_words(condition: Condition, call: Callable[[str], str] = plain) -> str:
    """One level of a column: "language = pt", "width < 2.5", "width is missing"; `call` writes a name from data."""
    column = call(condition.column)
    if condition.is_missing:
        return f"{column} is missing"
    if condition.value is not None:
        return f"{column} = {call(condition.value)}"
    low, high = condition.lower, condition.upper
    if low == high:
        return f"{column} = {_number(low)}"
    if math.isinf(low) and math.isinf(high):
        return f"{column} is not missing"
    first, last = _number(low), _number(high)
    if first == last:
        first, last = (f"{end:.10g}".replace("-", MINUS) for end in (low, high))
    below = f"{column} {call('<')} {last}"
    if math.isinf(low):
        return below
    return f"{column} ≥ {first}" if math.isinf(high) else f"{first} ≤ {below}"


def _number(value: float) -> str:
    """An end of a range as closely as it has to be told: "0.198", "−2", "12,346"."""
    text = f"{value:,.0f}" if 1e4 <= abs(value) < 1e12 else f"{value:.4g}"
    return text.replace("-", MINUS)


def slice_words(conditions: tuple[Condition, ...], call: Callable[[str], str] = plain) -> str:
    """What the rows of a slice have in common: "language = pt and width < 2.5"."""
    return " and ".join(condition_words(each, call) for each in conditions)


@dataclass(frozen=True, eq=False)
class SlicesView:
    """The worst slices of a version.

    Attributes:
        found: what was asked and what came of it.
        where: the filter under which it was.
        nothing: why no row can be judged, if none can.
    """

    found: SliceAnswer
    where: Filter
    nothing: str

    @classmethod
    def of(cls, diagnosis: Diagnosis, found: SliceAnswer) -> SlicesView:
        """The view of a diagnosis of which that was asked."""
        return cls(found, diagnosis.settings.where, nothing_words(diagnosis))

    @property
    def slices(self) -> tuple[Slice, ...]:
        """Those that were confirmed, those that explain most first."""
        return self.found.search.slices

    @property
    def unit(self) -> Unit:
        """That of the outcome."""
        return "share" if self.found.query.is_rate else "loss"

    @property
    def label(self) -> str:
        """What the outcome's mean is called."""
        return OUTCOMES[self.found.query.outcome]

    @property
    def noun(self) -> str:
        """What the outcome is called."""
        return _NOUNS[self.found.query.outcome]

    @property
    def rows(self) -> str:
        """Whose share or mean it is: "rows", of one class "positive rows"."""
        return f"{_OF_CLASS[self.found.query.label]}rows"

    def names(self) -> list[str]:
        """The slices in words (plain text), those alike once shortened with their place behind them."""
        names = [slice_words(each.conditions) for each in self.slices]
        return [f"{name} ({place + 1})" if names.count(name) > 1 else name for place, name in enumerate(names)]

    def sentence(self, found: Slice, call: Callable[[str], str] = plain) -> str:
        """A slice against the rest of its version, without a full stop."""
        value, rest = (format_value(each.value, self.unit) for each in (found.value, found.rest))
        words, version = slice_words(found.conditions, call), call(self.found.query.version)
        if self.found.query.is_rate:
            return f"Where {words}, {value} of {self.rows} are {self.noun}, {rest} in the rest of {version}"
        return f"Where {words}, {self.noun} averages {value}, {rest} in the rest of {version}"

    def details(self, found: Slice) -> str:
        """What is known beside the sentence of a slice, in another (plain text)."""
        away = format_change(found.excess.value, self.unit)
        around = format_interval(found.excess.lower, found.excess.upper, self.unit).removesuffix(PER_CENT)
        said = (
            f"{away} ({around}) in the half that did not choose it, n = {format_count(found.n)} in both; were it as "
            f"the rest is, {format_share(found.explained)} of all {self.noun} would be gone."
        )
        return " ".join(each for each in (said, self.before_words(found), self.merged_words(found)) if each)

    def before_words(self, found: Slice) -> str:
        """What the difference was in the baseline, in a sentence; "" without one, and where that is undefined."""
        before, change = found.before, found.change
        if before is None or change is None or not change.is_defined:
            return ""
        around = format_interval(change.lower, change.upper, self.unit).removesuffix(PER_CENT)
        was = f"In {plain(self.found.query.baseline)} it was {format_change(before.value, self.unit)}"
        return f"{was}; the change is {format_change(change.value, self.unit)} ({around})."

    def merged_words(self, found: Slice) -> str:
        """Which slices lie in a slice and are explained by it, in a sentence; "" without any."""
        if not found.merged:
            return ""
        shown = "; ".join(slice_words(each) for each in found.merged[:2])
        more = f" and {len(found.merged) - 2} more" if len(found.merged) > 2 else ""
        return f"It explains {shown}{more} too."

    def title(self, call: Callable[[str], str] = plain) -> str:
        """What the page says, in one sentence without a full stop."""
        search, query = self.found.search, self.found.query
        version = call(query.version)
        if self.nothing or search.reason:
            return self.nothing or f"No slice of {version} can be judged: {search.reason}"
        columns = format_plural(len(query.columns), "column")
        if not search.slices:
            return f"No slice of {ANDS[query.depth]} of {columns} is worse than the rest of {version} beyond chance"
        first = self.sentence(search.slices[0], call)
        n = len(search.slices)
        return first if n == 1 else f"{first}: the first of {n} slices that are worse beyond chance"

    def notes(self) -> list[str]:
        """How it was searched, in sentences (plain text)."""
        search, one_in = self.found.search, self.found.one_in
        if self.nothing or search.reason:
            return []
        explored, confirming = (format_count(each) for each in search.n)
        looked = f"{format_plural(search.n_looked, 'slice')} of {LEAST_ROWS} rows or more in each half"
        looked = f"{looked} were looked at in one half of the {self.rows} (n = {explored})"
        said = [f"{looked}; none stands out enough to be tried on the other."]
        if search.n_tried:
            said = [
                f"{looked}; {search.n_tried} {'was' if search.n_tried == 1 else 'were'} tried on the "
                f"other (n = {confirming}) and told where the adjusted p is below {LEVEL:g} (Benjamini–Hochberg). Of "
                "slices that overlap the one is told that explains the others, and a slice within another only if it "
                "is worse than what is left of that."
            ]
        if one_in > 1:
            said.append(f"Of so many rows one in {one_in} is searched.")
        return said

    def frame(self) -> pd.DataFrame:
        """One row per slice, with its sentence."""
        table = self.found.search.frame()
        if len(table):
            table.insert(0, "sentence", [f"{self.sentence(each)}." for each in self.slices])
            table.insert(1, "outcome", self.found.query.outcome)
        return table


def query_of(view: SlicesView, found: Slice) -> RowQuery:
    """The rows of a slice."""
    cohorts = tuple((each.column, each.value) for each in found.conditions if each.value is not None)
    numbers = tuple(each for each in found.conditions if each.value is None)
    where = replace(view.where, cohorts=(*view.where.cohorts, *cohorts))
    query = view.found.query
    return RowQuery(where, version=query.version, label=query.label, numbers=numbers)


def part_of(found: Slice) -> Part | None:
    """The rows of a slice as Monitoring shows them; None where it is cut by numbers, which have no course there."""
    cohorts = tuple((each.column, each.value) for each in found.conditions if each.value is not None)
    return Part(*cohorts[0], cohorts[1:]) if len(cohorts) == len(found.conditions) else None
