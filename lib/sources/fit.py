"""Whether columns can play roles and files can be read together: a sentence where not, for questions and refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from lib.errors import DataError
from lib.schema import MAX_COHORT_VALUES, MAX_FOUND_VALUES, MAX_SPLITS, MAX_VERSIONS, Role
from lib.sources.columns import Column, describe_distinct, describe_unread, format_count, join_names, shorten
from lib.sources.tables import RawTable

_NUMBERS: Final = frozenset({Role.SCORE, Role.WEIGHT, Role.LATENCY, Role.COST, Role.FEATURE})
LEAST_ROWS: Final = 2
"""Where there are fewer rows for each value than this, a column is free text or a key."""
_MOST_VALUES: Final = {Role.VERSION: MAX_VERSIONS, Role.SPLIT: MAX_SPLITS}


def validate_files(tables: Sequence[RawTable]) -> None:
    """Refuse what no mapping could mend: no file, or the same rows given twice."""
    if not tables:
        raise DataError("There is no file to read. Give at least one.")
    held: dict[str, RawTable] = {}
    for table in tables:
        first = held.get(table.content_sha256)
        if first is None:
            held[table.content_sha256] = table
            continue
        if first.name == table.name:
            raise DataError(f"{first.name} is given twice, and its rows would count twice. Give it once.")
        unpacked = "" if first.sha256 == table.sha256 else " when unpacked"
        raise DataError(
            f"{first.name} and {table.name} are byte for byte the same{unpacked}, and their rows would count twice. "
            "Give one of them."
        )


def find_misfit(role: Role, column: Column) -> str:
    """Why a column cannot play a role; empty if it can."""
    name = shorten(column.name)
    if role is Role.SCORE and column.absent_from:
        return f"{name} cannot be the score: it is not in {join_names(column.absent_from)}, and every file needs one."
    if role in _NUMBERS and column.unread_number:
        return f"{name} cannot be the {role}: {describe_unread(column)} and load the file again."
    if role in _NUMBERS and not column.is_numeric and not column.is_all_missing:
        return (
            f"{name} cannot be {'a' if role is Role.FEATURE else 'the'} {role}: its values are no numbers, for example "
            f"{join_names(column.examples[:3])}."
        )
    if role is Role.LABEL and not column.values and not column.is_all_missing:
        return (
            f"{name} cannot be the label: it has {describe_distinct(column)}, for example "
            f"{join_names(column.examples)}. A label has two."
        )
    if role is Role.COHORT and column.n_distinct > MAX_FOUND_VALUES:
        return f"{name} cannot be a cohort: it has {describe_distinct(column)}, above {MAX_FOUND_VALUES:,}."
    if role is Role.COHORT and column.n_distinct > max(MAX_COHORT_VALUES, column.n_held / LEAST_ROWS):
        return (
            f"{name} cannot be a cohort: it has {describe_distinct(column)} in {format_count(column.n_held, 'row')}, "
            "which is free text or a key."
        )
    most = _MOST_VALUES.get(role)
    if most is not None and column.n_distinct > most:
        return f"{name} cannot be the {role}: it has {describe_distinct(column)}, and at most {most} are compared."
    return ""


def find_clash(held: Sequence[tuple[str, Role]]) -> tuple[Role, str] | None:
    """The second of two roles that one column was given, and what to say about it."""
    roles: dict[str, Role] = {}
    for column, role in held:
        if column in roles:
            return role, f"{column} cannot be {roles[column]} and {role} at once. Give each column one role."
        roles[column] = role
    return None


def find_stem_trouble(tables: Sequence[RawTable]) -> str:
    """Why the files cannot be versions named after them; empty if they can."""
    if len(tables) > MAX_VERSIONS:
        return (
            f"{len(tables)} files without a version column would be as many versions, and at most {MAX_VERSIONS} are "
            "compared."
        )
    stems = Counter(table.stem for table in tables)
    twice = next((stem for stem, count in stems.items() if count > 1), None)
    if twice is None:
        return ""
    return (
        f"{stems[twice]} files are named {twice}, and without a version column a version is named after its file: "
        "name the column that holds the version, or rename a file."
    )
