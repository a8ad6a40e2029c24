"""Several classes with a column of scores each, named after its class: `prob_cat`, `prob_dog`, `prob_bird`."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.schema import MAX_CLASSES, ClassColumn, Evidence, Role
from lib.sources.columns import Column, format_count, format_share, format_values, join_names, shorten
from lib.sources.engine import Run
from lib.sources.fit import find_misfit
from lib.sources.labels import MOST_UNUSABLE, normalise_label
from lib.sources.names import match_role
from lib.sources.sql import fetch, number_of, table_of

FEWEST: Final = 3
"""With two classes one is positive, and its column is the score."""
SUM_TOLERANCE: Final = 0.01
"""How far the probabilities of a row may be from adding up to 1: what rounding to two digits leaves of ten."""
_NO_CLASS: Final = frozenset(
    {
        "max", "maximum", "min", "mean", "average", "top", "top1", "best", "sum", "total", "std", "entropy", "margin",
        "true", "pred", "predicted", "raw",
    }
)  # fmt: skip
"""What a number over all classes is called, unless a label is called so."""


@dataclass(frozen=True)
class Family:
    """Columns whose names differ only in what may be the name of a class.

    Attributes:
        pattern: what they have in common, with a star for the class: "prob_*".
        members: class and column, in ascending order of the classes, numbers before texts.
    """

    pattern: str
    members: tuple[tuple[str, Column], ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns, in the order of the classes."""
        return tuple(column for _name, column in self.members)


@dataclass(frozen=True)
class Reading:
    """The labels of a column as classes of a family; `unmatched` are the (text, count) that have no column."""

    family: Family
    classes: tuple[ClassColumn, ...]
    unmatched: tuple[tuple[str, int], ...]
    n_labels: int

    @property
    def n_held(self) -> int:
        """Classes that a row is of."""
        return sum(bool(each.labels) for each in self.classes)

    @property
    def n_unmatched(self) -> int:
        """Labels without a column."""
        return sum(count for _text, count in self.unmatched)

    @property
    def fits(self) -> bool:
        """Whether the columns are those of these labels, but for a few that may be faults of the file."""
        return self.n_held > 1 and self.n_unmatched <= MOST_UNUSABLE * self.n_labels


def find_families(columns: Sequence[Column], label: Column | None) -> list[Family]:
    """Every family of two or more number columns that are named like scores, the largest first."""
    held = {_key(text) for text, _count in label.values} if label is not None else set[str]()
    found: dict[str, list[tuple[str, Column]]] = {}
    for column in columns:
        if not column.is_numeric and not column.is_all_missing:
            continue
        for pattern, name in _cuts(column.name):
            if _key(name) in held or name.casefold() not in _NO_CLASS:
                found.setdefault(pattern, []).append((name, column))
    families = [
        Family(pattern, tuple(sorted(members, key=lambda member: _order(member[0]))))
        for pattern, members in found.items()
        if len(members) > 1 and any(column.is_numeric for _name, column in members)
    ]
    return sorted(families, key=lambda family: -len(family.members))


def _cuts(name: str) -> list[tuple[str, str]]:
    """Every way to read a column's name as that of a score and a class behind it: (pattern, class)."""
    places = [match.end() for match in re.finditer(r"[_\-. :]", name)]
    if (digits := re.fullmatch(r"[^\d]*[^\W\d_](?=(\d+)$)\d+", name)) is not None:
        places.append(digits.start(1))
    return [
        (f"{name[:place]}*", name[place:].strip())
        for place in places
        if name[place:].strip() and match_role(name[:place].rstrip("_-. :"), Role.SCORE)
    ]


def _order(name: str) -> tuple[bool, float, str]:
    try:
        return False, float(name), name
    except ValueError:
        return True, 0.0, name


def _key(text: str) -> str:
    """A class as a label and a column's name both say it: blanks are often written as underscores in a name."""
    return re.sub(r"\s+", "_", normalise_label(text))


def read_labels(family: Family, label: Column | None) -> Reading:
    """Which texts of a label column stand for which class of a family."""
    texts: dict[str, list[str]] = {}
    for text, _count in label.values if label is not None else ():
        texts.setdefault(_key(text), []).append(text.strip())
    known = {_key(name) for name, _column in family.members}
    values = label.values if label is not None else ()
    return Reading(
        family,
        tuple(
            ClassColumn(name, column.name, tuple(dict.fromkeys(texts.get(_key(name), ()))))
            for name, column in family.members
        ),
        tuple((text.strip(), count) for text, count in values if _key(text) not in known),
        sum(count for _text, count in values),
    )


def find_trouble(family: Family, reading: Reading, label: Column | None) -> str:
    """Why the columns of a family cannot be the scores of as many classes; empty if they can."""
    if len(family.members) > MAX_CLASSES:
        return (
            f"{family.pattern} stands for {len(family.members)} columns, and at most {MAX_CLASSES} classes are looked "
            "at. Name the column of one class as the score, to set it against all others."
        )
    names: dict[str, str] = {}
    for name, column in family.members:
        if _key(name) in names:
            return (
                f"{names[_key(name)]} and {column.name} are columns of the same class, {shorten(name)}. Rename or "
                "remove one of them."
            )
        names[_key(name)] = column.name
        if misfit := find_misfit(Role.SCORE, column):
            return misfit
    if reading.n_labels and not reading.n_held:
        return (
            f"{family.pattern} has columns for {join_names([name for name, _column in family.members], 4)}, and no "
            f"label of {label.name if label else ''} is one of them: it holds {format_values(reading.unmatched, 4)}."
        )
    return ""


def explain_classes(reading: Reading, label: Column | None, why: str) -> Evidence:
    """The evidence for several classes: how many, which labels have no column, which columns no row."""
    members = reading.family.members
    named = join_names([name for name, _column in members], 8)
    of_label = f" of {shorten(label.name)}" if label is not None else ""
    sentence = f"{why}: {len(members)} columns, one for each class{of_label} ({named})."
    if reading.unmatched:
        share = format_share(reading.n_unmatched, reading.n_labels)
        sentence += (
            f" {format_count(reading.n_unmatched, 'label')} ({share}) cannot be used, because no column is theirs: "
            f"{join_names([text for text, _count in reading.unmatched], 4)}."
        )
    if reading.n_held and (idle := [each.name for each in reading.classes if not each.labels]):
        sentence += f" No row is labelled {join_names(idle, 4, 'or')}."
    examples = [f"{name} {column.examples[0]}" for name, column in members if column.examples]
    return Evidence("score", reading.family.pattern, sentence, tuple(examples[:5]))


def describe_family(family: Family) -> str:
    """What it would mean to take a family for the score, in words."""
    return f"{len(family.members)} classes, a column for each: {join_names([name for name, _column in family.members])}"


def count_sums(family: Family) -> tuple[int, int]:
    """How many rows have all of their scores, and of how many of those they do not add up to 1."""
    whole = off = 0
    for table in family.members[0][1].tables:
        kinds = tuple((column.name, table.column(column.name).kind) for column in family.columns)
        found = _count_in(table.parquet, table.sha256, kinds)
        whole, off = whole + found[0], off + found[1]
    return whole, off


@functools.lru_cache(maxsize=64)
def _count_in(parquet: Path, sha256: str, kinds: tuple[tuple[str, str], ...]) -> tuple[int, int]:
    numbers = ", ".join(number_of(name, kind) for name, kind in kinds)
    query = (
        f"SELECT count(*), count(*) FILTER (abs(list_sum(v) - 1) > {SUM_TOLERANCE!r}) FROM "
        f"(SELECT [{numbers}] AS v FROM {table_of(parquet)}) WHERE list_count(v) = {len(kinds)}"
    )
    with Run().cursor() as cursor:
        whole, off = fetch(cursor, query)[0]
    return int(str(whole)), int(str(off))
