"""Samples: which rows are asked for, as a link can hold it, and the sentence that says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from lib.figures.format import format_plural, format_score
from lib.figures.frame import filter_words
from lib.figures.slices_view import condition_words
from lib.figures.text import MISSING, name_of
from lib.scan.listing import Order, RowQuery
from lib.schema import Filter, Mapping

ANY = ""
ONE_CLASS = "class:"
"""Before the name of one of several classes, in a link."""
CLASSES = {ANY: None, "positive": 1, "negative": -1, "unlabelled": 0}
ORDERS = {
    Order.LOSS: "highest loss first",
    Order.MARGIN: "smallest margin first",
    Order.UNCERTAINTY: "most uncertain first",
    Order.PLACE: "as in the file",
}
COHORTS = tuple((f"cohort_column{place}", f"cohort{place}") for place in ("", "_2", "_3"))
"""What a link calls the columns of the filter and their values; so many cohorts may have to hold at once."""
MARGIN_STEP = 0.02
"""By what a margin goes up or down: the finest step of the cells, so that a count here is the count of a bar."""

_URL = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_PICTURE = re.compile(r"https?://[^\s<>\"']+\.(png|jpe?g|gif|webp|avif)(\?[^\s<>\"']*)?", re.IGNORECASE)


@dataclass(frozen=True)
class SampleChoice:
    """Which rows, beside the filter of all pages: a version, a class, a half-open range of margins, and the order."""

    version: str = ANY
    label: str = ANY
    low: float | None = None
    high: float | None = None
    order: Order = Order.LOSS

    def query(self, where: Filter) -> RowQuery:
        """The first page of these rows."""
        return RowQuery(
            where=where,
            version=self.version or None,
            label=CLASSES.get(self.label),
            of_class=self.label.removeprefix(ONE_CLASS) if self.label.startswith(ONE_CLASS) else None,
            margin_from=self.low,
            margin_to=self.high,
            order=self.order,
        )

    def sentence(self, total: int) -> str:
        """How many rows there are, of what, in which order (plain text)."""
        of = f" of version {self.version}" if self.version else ""
        which = f"{self.label} " if self.label in CLASSES and self.label else ""
        of = f"{of} of class {self.label.removeprefix(ONE_CLASS)}" if self.label.startswith(ONE_CLASS) else of
        margins = margin_words(self.low, self.high)
        order = f", {ORDERS[self.order]}" if total > 1 else ""
        return f"{format_plural(total, f'{which}row')}{of}{margins}{order}."


def class_options(mapping: Mapping) -> list[str]:
    """What rows may be chosen by their class: positive or negative ones, or one of several classes."""
    if not mapping.is_multiclass:
        return list(CLASSES)
    return [ANY, *(f"{ONE_CLASS}{name}" for name in mapping.class_names), "unlabelled"]


def class_words(option: str) -> str:
    """An option of `class_options` as it is shown in a list."""
    return f"Class {option.removeprefix(ONE_CLASS)}" if option.startswith(ONE_CLASS) else option.capitalize()


def _class_option(query: RowQuery) -> str:
    if query.of_class is not None:
        return f"{ONE_CLASS}{query.of_class}"
    return next(name for name, label in CLASSES.items() if label == query.label)


def sample_link(query: RowQuery) -> dict[str, str]:
    """What the address of the page says so that it shows the rows of a query, filter included."""
    said = {
        "rows_version": query.version or ANY,
        "rows_class": _class_option(query),
        "margin_from": "" if query.margin_from is None else f"{query.margin_from:.10g}",
        "margin_to": "" if query.margin_to is None else f"{query.margin_to:.10g}",
        "order": "" if query.order is Order.LOSS else query.order.value,
        "split": query.where.split or "",
    }
    return said | cohort_link(query.where.cohorts)


def cohort_link(cohorts: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What the address of any page says of the cohorts that its filter holds, at most as many as `COHORTS` names."""
    said: dict[str, str] = {}
    for (of_column, of_value), (column, value) in zip(COHORTS, cohorts, strict=False):
        said |= {of_column: column, of_value: value or MISSING}
    return said


def query_words(query: RowQuery) -> list[str]:
    """Which rows a query finds, for their provenance (escaped)."""
    option = _class_option(query)
    which = name_of(class_words(option)) if option.startswith(ONE_CLASS) else option
    return [
        name_of(query.version or "all versions"),
        filter_words(query.where),
        *(condition_words(each, name_of) for each in query.numbers),
        f"{which} rows{margin_words(query.margin_from, query.margin_to)}".strip(),
        ORDERS[query.order],
    ]


def margin_words(low: float | None, high: float | None) -> str:
    """A range of margins as the end of a sentence; empty for all of them."""
    if low is None and high is None:
        return ""
    if low is None:
        return f" with a margin below {format_score(high or 0.0)}"
    if high is None:
        return f" with a margin of {format_score(low)} or more"
    return f" with a margin from {format_score(low)} up to {format_score(high)}"


def link_columns(rows: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Text columns that hold nothing but web addresses, and those of pictures among them.

    Only http and https count: an address is something that a person may click on.
    """
    links = [str(name) for name in rows.columns if _all_match(rows[name], _URL)]
    return links, [name for name in links if _all_match(rows[name], _PICTURE)]


def _all_match(values: Iterable[object], pattern: re.Pattern[str]) -> bool:
    given = [value for value in values if isinstance(value, str) and value]
    return bool(given) and all(pattern.fullmatch(value) for value in given)
