"""Files and the meaning of their columns together: what everything else is computed from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lib.errors import DataError
from lib.schema import TIME_FORMAT_NAMES, Mapping
from lib.sources.columns import join_names, unite_columns
from lib.sources.tables import RawTable
from lib.sources.times import validate_timezone


@dataclass(frozen=True)
class Dataset:
    """One or several files under one mapping.

    The score column is in every file; any other column may be absent from some of them, and then counts as missing
    there. Without a version column each file is a version named by its stem.
    """

    name: str
    tables: tuple[RawTable, ...]
    mapping: Mapping

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits that change when the content, the names or the mapping do."""
        parts = [f"{table.sha256} {table.stem}" for table in self.tables]
        return hashlib.sha256("\n".join([*parts, self.mapping.fingerprint]).encode()).hexdigest()[:16]

    @property
    def n_rows(self) -> int:
        """Rows over all files."""
        return sum(table.n_rows for table in self.tables)

    @property
    def n_rejected(self) -> int:
        """Lines, over all files, that could not be split into columns and are in no row."""
        return sum(table.n_rejected for table in self.tables)


def build_dataset(tables: Sequence[RawTable], mapping: Mapping) -> Dataset:
    """The dataset of these files under this mapping; `DataError` says which part of the mapping does not fit."""
    if not tables:
        raise DataError("There is no file to read. Give at least one.")
    if mapping.version is None:
        _validate_stems(tables)
    _validate_roles(mapping)
    _validate_columns(tables, mapping)
    _validate_readings(mapping)
    name = tables[0].name if len(tables) == 1 else f"{tables[0].name} and {len(tables) - 1} more"
    return Dataset(name, tuple(tables), mapping)


def _validate_stems(tables: Sequence[RawTable]) -> None:
    stems = Counter(table.stem for table in tables)
    if twice := [stem for stem, count in stems.items() if count > 1]:
        raise DataError(
            f"{stems[twice[0]]} files are named {twice[0]}, and without a version column a version is named after "
            "its file. Rename one, or name the version column with --version."
        )


def _validate_roles(mapping: Mapping) -> None:
    held = [(column, role) for role, column in mapping.roles().items()]
    held += [(column, "cohort") for column in mapping.cohorts] + [(column, "feature") for column in mapping.features]
    roles: dict[str, str] = {}
    for column, role in held:
        if column in roles:
            raise DataError(f"{column} cannot be {roles[column]} and {role} at once. Give each column one role.")
        roles[column] = role


def _validate_columns(tables: Sequence[RawTable], mapping: Mapping) -> None:
    columns = unite_columns(tables)
    for table in tables:
        table.column(mapping.score)
    for role, name in mapping.roles().items():
        if name not in columns:
            tables[0].column(name)
        column = columns[name]
        needs_numbers = role in ("score", "weight", "latency", "cost")
        if needs_numbers and not column.is_numeric and not column.is_all_missing:
            raise DataError(
                f"{name} cannot be the {role}: its values are no numbers, for example "
                f"{join_names(column.examples[:3])}."
            )
    for name in (*mapping.cohorts, *mapping.features):
        if name not in columns:
            tables[0].column(name)
    for name in mapping.features:
        if not columns[name].is_numeric and not columns[name].is_all_missing:
            raise DataError(
                f"{name} cannot be a feature: its values are no numbers, for example "
                f"{join_names(columns[name].examples[:3])}. Make it a cohort column."
            )


def _validate_readings(mapping: Mapping) -> None:
    encoding, time_format = mapping.label_encoding, mapping.time_format
    if mapping.label is not None:
        if encoding is None or not encoding.positive:
            raise DataError(
                f"{mapping.label} is the label, but its positive and negative values are not said. Use --positive."
            )
        if both := set(encoding.positive) & set(encoding.negative):
            raise DataError(f"{mapping.label}: {join_names(sorted(both))} cannot be positive and negative at once.")
    if mapping.time is not None:
        if time_format is None:
            raise DataError(f"{mapping.time} is the time, but its format is not said. Use --date-format.")
        if time_format.pattern not in TIME_FORMAT_NAMES and "%" not in time_format.pattern:
            raise DataError(
                f"{time_format.pattern} is no date format: use {join_names(TIME_FORMAT_NAMES)} or a pattern such as "
                "%d/%m/%Y."
            )
        validate_timezone(time_format.timezone)
