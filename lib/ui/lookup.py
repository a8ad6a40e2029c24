"""One value of a cohort column: chosen from a list, or found by a part of its name where they are too many to list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from lib.figures.format import format_plural
from lib.figures.text import MISSING, plain
from lib.scan import Scan
from lib.scan.held import HeldTables
from lib.scan.lookup import Matches
from lib.ui.html import show_note


@dataclass(frozen=True)
class Offer:
    """The values to choose from, none where a search found none; of those that were found also the number of rows."""

    values: tuple[str, ...]
    rows: dict[str, int] = field(default_factory=dict[str, int])

    def words(self, value: str) -> str:
        """A value as a list shows it: "acme (1,204 rows)"."""
        name = value or MISSING
        return f"{name} ({format_plural(self.rows[value], 'row')})" if value in self.rows else name


def offer_values(tables: HeldTables, column: str, held: Sequence[str], key: str, keep: str = "") -> Offer:
    """The values of a cohort column to choose from; a field to search in where tables do not hold them all.

    Args:
        tables: the dataset.
        column: one of its cohort columns.
        held: the values that its tables hold.
        key: tells the fields for one column apart.
        keep: a value that is offered too, if any row has it and a search found any.
    """
    if not isinstance(tables, Scan) or column not in tables.gathering:
        return Offer(tuple(held))
    part = st.text_input(
        f"Find a {column}",
        key=f"find:{key}:{column}",
        placeholder="part of its name",
        help=f"Looks among all values of {column}, upper and lower case alike. The list holds the most frequent.",
    ).strip()
    found = tables.find_values(column, part) if part else Matches((), (), 0)
    if part:
        show_note(_sentence(found, plain(part)))
    values = [*found.values] if part else [*held]
    if keep and keep not in values and (values or not part):
        is_there = keep in held or keep in tables.find_values(column, keep).values
        values += [keep] if is_there else []
    return Offer(tuple(values), dict(zip(found.values, found.rows, strict=True)))


def _sentence(found: Matches, part: str) -> str:
    """What a search found, in words."""
    if not found.n:
        return f"No value holds “{part}”. Try a shorter part, or empty the field to list the most frequent."
    if len(found.values) < found.n:
        return f"{found.n:,} values hold “{part}”; the list has the {len(found.values)} with most rows."
    return f"{format_plural(found.n, 'value')} {'holds' if found.n == 1 else 'hold'} “{part}”."
