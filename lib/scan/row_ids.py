"""What names a row, and the fold that it falls in."""

from __future__ import annotations

from typing import Any

import ibis

from lib.scan.columns import Expression, is_among
from lib.scan.hashes import hash_number, hash_text
from lib.scan.raw import ROW_INDEX, raw_relation
from lib.sources import MISSING_TEXTS, Dataset

N_FOLDS = 10


def id_rows(dataset: Dataset, index: int) -> Expression:
    """The ids of one file: `at`, the place of the row, and `id`, null where there is none."""
    table = dataset.tables[index]
    raw = raw_relation(table, [name for name in (dataset.mapping.id,) if name is not None and table.has_column(name)])
    return raw.select(at=raw[ROW_INDEX], id=id_of(raw, dataset, index))


def fold_of(raw: Expression, dataset: Dataset) -> Any:
    """hash(id) mod 10, or of the row's place where there is no id: halves and cross-fitting need no rows.

    An id has one fold in all files: it is hashed as a number only where every file has numbers.
    """
    name = dataset.mapping.id
    hashed: Expression
    if name not in raw.columns:
        hashed = hash_number(raw[ROW_INDEX])
    elif has_number_ids(dataset):
        hashed = hash_number(raw[name])
    else:
        hashed = hash_text(raw[name].cast("string"))
    return ((hashed % N_FOLDS + N_FOLDS) % N_FOLDS).fill_null(0).cast("int8")


def has_number_ids(dataset: Dataset) -> bool:
    """Whether the ids are whole numbers in every file."""
    name = dataset.mapping.id
    return all(column.kind == "integer" for table in dataset.tables for column in table.columns if column.name == name)


def id_of(raw: Expression, dataset: Dataset, index: int) -> Any:
    """What names a row: a number where every file has numbers, else a text; null where a missing value is written."""
    column = {column.name: column for column in dataset.tables[index].columns}.get(dataset.mapping.id or "")
    if column is None:
        return ibis.null("int64" if has_number_ids(dataset) else "string")
    if has_number_ids(dataset):
        return raw[column.name]
    # Taken as it stands: to strip ten million texts would cost as much as all else.
    text: Expression = raw[column.name].cast("string")
    return ibis.ifelse(is_among(text, MISSING_TEXTS), ibis.null("string"), text)
