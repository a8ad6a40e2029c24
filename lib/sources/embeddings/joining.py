"""Metadata of a second file for the rows of a matrix: by id or by row order, said which and how many matched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lib.errors import AmbiguityError, DataError
from lib.schema import Role
from lib.sources.columns import format_count, join_names
from lib.sources.embeddings.dataset import texts_of
from lib.sources.embeddings.raw import RawVectors, take_rows
from lib.sources.names import EXACT, PART, match_role

OPTION = "--id"
_MOST_TRIED = 20
"""Columns that are tried as the id where no name says which it is."""


@dataclass(frozen=True, eq=False)
class Joined:
    """What is known of each row of a matrix.

    `unmatched` are rows that the metadata does not have, `missing` ids of the metadata without a vector.
    """

    table: Any
    note: str = ""
    unmatched: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    missing: tuple[str, ...] = ()


def join_metadata(raw: RawVectors, meta: Any, meta_name: str, answer: str | None) -> Joined:
    """The columns of a file of vectors and of its metadata, a row for each vector.

    Args:
        raw: the file of vectors.
        meta: its metadata, a pyarrow table; None where there is none.
        meta_name: of the file of metadata.
        answer: the id column; an empty text to join by row order; None to find out.

    Raises:
        DataError: there is no id to join by, and the counts of rows disagree.
        AmbiguityError: two columns fit as the id alike well, or ids do not match though the counts do.
    """
    if meta is None:
        return Joined(raw.table)
    n, own_id = len(raw.matrix), None if answer == "" else _find_id(raw.table, answer)
    if raw.table is None or own_id is None:
        if answer and answer not in meta.column_names:
            raise DataError(f"{meta_name} has no column {answer}: it has {join_names(meta.column_names, 12)}.")
        if n != meta.num_rows:
            raise DataError(
                f"{raw.name} has {format_count(n, 'vector')} and {meta_name} {format_count(meta.num_rows, 'row')}, and "
                f"{raw.name} has no ids to join them by. Give one row for each vector, in the same order, or save the "
                "ids with the vectors."
            )
        return Joined(
            _beside(raw.table, meta, np.ones(n, bool)),
            f"{meta_name} was joined to {raw.name} by row order: both have {n:,} rows.",
        )
    ids = texts_of(raw.table.column(own_id))
    column = _find_matching(ids, meta, own_id, answer)
    if column is None:
        same = "the same number of rows" if n == meta.num_rows else f"{n:,} and {meta.num_rows:,} rows"
        sentence = (
            f"No column of {meta_name} holds the ids of {raw.name} ({own_id}, for example "
            f"{join_names([text for text in ids[:3] if text])}); they have {same}."
        )
        if n == meta.num_rows:
            raise AmbiguityError(
                sentence,
                f"Say which column it is with {OPTION}, or {OPTION} '' to join by row order.",
                "id",
                (*meta.column_names, ""),
            )
        raise DataError(f"{sentence} Give the metadata of these vectors, or name its id column with {OPTION}.")
    keys = pd.Series(texts_of(meta.column(column)))
    first = keys.drop_duplicates()
    first = first[first != ""]
    rows = pd.Series(first.index, index=first.to_numpy()).reindex(ids).fillna(-1).to_numpy(np.int64)
    missing = first[~first.isin(set(ids.tolist()))]
    matched = int((rows >= 0).sum())
    note = (
        f"{meta_name} was joined to {raw.name} by id ({column} = {own_id}): {matched:,} of {n:,} vectors have their row"
        f", {len(missing):,} of {meta.num_rows:,} rows have no vector"
    )
    repeats = len(keys) - len(first) - int((keys == "").sum())
    note += f"; {repeats:,} more with an id that an earlier row has were left out." if repeats else "."
    # The ids are those of the vectors, under the name that the metadata has for them.
    held: Any = raw.table
    own = held.rename_columns([column if name == own_id else name for name in held.column_names])
    joined = _beside(own, take_rows(meta, rows), rows >= 0, id_column=column)
    return Joined(joined, note, np.flatnonzero(rows < 0), tuple(missing.tolist()))


def _beside(own: Any, meta: Any, matched: NDArray[np.bool_], id_column: str = "") -> Any:
    """Two tables as one.

    A column of the first gives way to one of the second that is named for the same role and holds the same; one of the
    second that is called like one of the first has "metadata" behind its name.
    """
    others = [name for name in meta.column_names if name != id_column]
    names: list[str] = [] if own is None else own.column_names
    kept = [name for name in names if not _is_repeated(own, name, meta, others, matched)]
    columns: dict[str, Any] = {} if own is None else {name: own.column(name) for name in kept}
    for name in others:
        called = name
        while called.casefold() in {each.casefold() for each in columns}:
            called = f"{called}_metadata"
        columns[called] = meta.column(name)
    return pa.table(columns)


def _is_repeated(own: Any, name: str, meta: Any, others: Sequence[str], matched: NDArray[np.bool_]) -> bool:
    """Whether the metadata has a column named for the same role with the same values."""
    roles = [role for role in Role if match_role(name, role) == EXACT]
    alike = [each for each in others if any(match_role(each, role) == EXACT for role in roles)]
    held = texts_of(own.column(name)) if alike else np.zeros(0, object)
    return any(bool((texts_of(meta.column(each)) == held)[matched].all()) for each in alike)


def _find_id(table: Any, answer: str | None) -> str | None:
    """The id column of a file of vectors, by the answer or by its name."""
    if table is None:
        return None
    if answer is not None and answer in table.column_names:
        return answer
    for fit in (EXACT, PART):
        for name in table.column_names:
            if match_role(name, Role.ID) == fit and not pa.types.is_floating(table.schema.field(name).type):
                return name
    return None


def _find_matching(ids: NDArray[np.object_], meta: Any, own_id: str, answer: str | None) -> str | None:
    """The column of the metadata that holds most of these ids; None where none holds any."""
    if answer and answer in meta.column_names:
        tried = [answer]
    else:
        named = [name for name in meta.column_names if name == own_id or match_role(name, Role.ID)]
        tried = named or [each.name for each in meta.schema if not pa.types.is_floating(each.type)][:_MOST_TRIED]
    wanted = pd.Index(ids)
    counts = {name: int(wanted.isin(texts_of(meta.column(name)).tolist()).sum()) for name in tried}
    best = max(counts.values(), default=0)
    fitting = [name for name, count in counts.items() if count == best and count]
    if own_id in fitting:
        return own_id
    if len(fitting) > 1:
        raise AmbiguityError(
            f"{join_names(fitting)} hold the ids of the vectors alike well.",
            f"Say which column is the id with {OPTION}.",
            "id",
            tuple(fitting),
        )
    return fitting[0] if fitting else None
