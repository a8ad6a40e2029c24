"""Files and the meaning of their columns together: what everything else is computed from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from lib.errors import DataError
from lib.schema import TIME_FORMAT_NAMES, Mapping, Role
from lib.sources.columns import Column, join_names, unite_columns
from lib.sources.fit import find_clash, find_misfit, find_stem_trouble, validate_files
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
        parts = [" ".join([table.sha256, table.stem, *(each for _name, each in table.marks)]) for table in self.tables]
        return hashlib.sha256("\n".join([*parts, self.mapping.fingerprint]).encode()).hexdigest()[:16]

    @property
    def n_rows(self) -> int:
        """Rows over all files."""
        return sum(table.n_rows for table in self.tables)

    @property
    def score_columns(self) -> list[Column]:
        """The columns of the score, of several classes each one's, over all files."""
        columns = unite_columns(self.tables)
        return [columns[name] for name in self.mapping.score_columns]

    @property
    def n_rejected(self) -> int:
        """Lines, over all files, that could not be split into columns and are in no row."""
        return sum(table.n_rejected for table in self.tables)


def build_dataset(tables: Sequence[RawTable], mapping: Mapping) -> Dataset:
    """The dataset of these files under this mapping; `DataError` says which part of the mapping does not fit."""
    validate_files(tables)
    if mapping.version is None and (trouble := find_stem_trouble(tables)):
        raise DataError(trouble)
    _validate_roles(tables, mapping)
    _validate_readings(mapping)
    name = tables[0].name if len(tables) == 1 else f"{tables[0].name} and {len(tables) - 1} more"
    if marked := [column for column, _made_from in tables[0].marks]:
        name = f"{name}, with {join_names(marked)}"
    return Dataset(name, tuple(tables), mapping)


def _validate_roles(tables: Sequence[RawTable], mapping: Mapping) -> None:
    held = [(column, Role(role)) for role, column in mapping.roles().items() if Role(role) is not Role.SCORE]
    held += [(column, Role.SCORE) for column in mapping.score_columns]
    held += [(column, Role.COHORT) for column in mapping.cohorts]
    held += [(column, Role.FEATURE) for column in mapping.features]
    if (clash := find_clash(held)) is not None:
        raise DataError(clash[1])
    columns = unite_columns(tables)
    for name, role in held:
        if name not in columns:
            tables[0].column(name)
        if misfit := find_misfit(role, columns[name]):
            raise DataError(misfit)


def _validate_readings(mapping: Mapping) -> None:
    encoding, time_format = mapping.label_encoding, mapping.time_format
    if mapping.label is not None and not mapping.is_multiclass:
        if encoding is None or not encoding.positive:
            raise DataError(f"{mapping.label} is the label, but its positive and negative values are not said.")
        if both := set(encoding.positive) & set(encoding.negative):
            raise DataError(f"{mapping.label}: {join_names(sorted(both))} cannot be positive and negative at once.")
    if mapping.time is not None:
        if time_format is None:
            raise DataError(f"{mapping.time} is the time, but its format is not said.")
        if time_format.pattern not in TIME_FORMAT_NAMES and "%" not in time_format.pattern:
            raise DataError(
                f"{time_format.pattern} is no date format: use {join_names(TIME_FORMAT_NAMES)} or a pattern such as "
                "%d/%m/%Y."
            )
        validate_timezone(time_format.timezone)
