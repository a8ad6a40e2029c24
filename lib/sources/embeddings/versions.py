"""The versions of a set of embeddings: rows by a column, or files by their names; queries and gallery marked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lib.errors import DataError
from lib.schema import MAX_VERSIONS
from lib.sources.columns import join_names
from lib.sources.embeddings.dataset import EmbeddingRoles, RowFaults, texts_of
from lib.sources.embeddings.joining import Joined
from lib.sources.embeddings.matrix import MatrixWriter, open_matrix, rows_per_block
from lib.sources.embeddings.raw import RawVectors, take_rows
from lib.sources.embeddings.roles import GALLERY, NO, QUERY, YES
from lib.sources.engine import Run
from lib.sources.names import normalise_name
from lib.vectors import Vectors

NO_VERSION: Final = "no version"
"""The version of rows whose version column is empty."""


@dataclass(frozen=True, eq=False)
class Read:
    """A file of vectors with its metadata."""

    raw: RawVectors
    joined: Joined


@dataclass(frozen=True, eq=False)
class Version:
    """One version: its vectors, what is known of their rows, and what stood in place of vectors."""

    vectors: Vectors
    metadata: Any
    faults: RowFaults


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows of one file that belong to one version; `side` is "query", "gallery" or empty, by the file's name."""

    read: Read
    rows: NDArray[np.int64]
    side: str


def split_versions(
    reads: Sequence[Read], roles: EmbeddingRoles, store: Path, run: Run
) -> tuple[dict[str, Version], list[str]]:
    """The versions by name, and sentences about how they were told apart.

    Raises:
        DataError: files cannot be told apart by name, a version has vectors of two dimensions, or the column of queries
            holds something else.
    """
    column = roles.column("version")
    sides = _find_sides(reads) if roles.column("query") is None else [""] * len(reads)
    parts: dict[str, list[_Part]] = {}
    for each, side in zip(reads, sides, strict=True):
        n = len(each.raw.matrix)
        table = each.joined.table
        if column is not None and table is not None and column in table.column_names:
            values = texts_of(table.column(column))
            for value in sorted(set(values.tolist()), key=_natural):
                rows = np.flatnonzero(values == value)
                parts.setdefault(value or NO_VERSION, []).append(_Part(each, rows, side))
        else:
            name = _without_side(each.raw.stem, side) or "vectors"
            if name in parts and not (side and {part.side for part in parts[name]}.isdisjoint({side, ""})):
                raise DataError(
                    f"Two files are named {name}, and without a version column a version is named after its file: name "
                    "the column that holds the version, or rename a file."
                )
            parts.setdefault(name, []).append(_Part(each, np.arange(n), side))
    if len(parts) > MAX_VERSIONS:
        raise DataError(f"There are {len(parts)} versions, and at most {MAX_VERSIONS} are compared.")
    if column is not None:
        parts = {name: parts[name] for name in sorted(parts, key=_natural)}
    made = {name: _make_version(name, held, roles, store, run) for name, held in parts.items()}
    return made, _tell(made, parts, roles)


def _find_sides(reads: Sequence[Read]) -> list[str]:
    """Which files hold queries and which a gallery, by their names; nowhere unless there are both."""
    words = [set(normalise_name(each.raw.stem).split("_")) for each in reads]
    sides = ["query" if held & QUERY else "gallery" if held & GALLERY else "" for held in words]
    return sides if {"query", "gallery"} <= set(sides) else [""] * len(reads)


def _without_side(stem: str, side: str) -> str:
    if not side:
        return stem
    words = QUERY if side == "query" else GALLERY
    kept = [each for each in re.split(r"[\s_.-]+", stem) if each.casefold() not in words]
    return "_".join(kept)


def _natural(text: str) -> list[tuple[int, int | str]]:
    """Numbers within names in the order of numbers: v2 before v10; nothing is last."""
    if not text or text == NO_VERSION:
        return [(2, "")]
    return [(0, int(each)) if each.isdecimal() else (1, each) for each in re.split(r"(\d+)", text) if each]


def _make_version(name: str, parts: Sequence[_Part], roles: EmbeddingRoles, store: Path, run: Run) -> Version:
    dimensions = {part.read.raw.matrix.shape[1] for part in parts}
    if len(dimensions) > 1:
        held = join_names([f"{part.read.raw.name} has {part.read.raw.matrix.shape[1]:,}" for part in parts])
        raise DataError(f"The vectors of {name} do not have one dimension: {held}. Vectors of one model have one.")
    tables = [_rows_of(part) for part in parts]
    kept = [table for table in tables if table is not None]
    metadata = _concatenate(tables, parts) if kept else None
    n = sum(len(part.rows) for part in parts)
    is_query, is_gallery = _mark(parts, metadata, roles.column("query"), n)
    id_column = roles.column("id")
    ids = (
        texts_of(metadata.column(id_column))
        if metadata is not None and id_column in metadata.column_names
        else np.asarray([str(row) for row in range(n)], object)
    )
    digest = hashlib.sha256()
    for part in parts:
        raw = part.read.raw
        digest.update(f"{raw.sha256} {raw.content} {raw.column} {raw.stored_as} {raw.matrix.shape}".encode())
        digest.update(part.rows.tobytes())
    content = digest.hexdigest()
    digest.update(np.packbits(is_query).tobytes() + np.packbits(is_gallery).tobytes())
    matrix = _gather(parts, content, dimensions.pop(), store, run)
    stored = {part.read.raw.stored_as for part in parts}
    vectors = Vectors(
        version=name,
        matrix=matrix,
        ids=ids,
        is_good=np.concatenate([part.read.raw.is_good[part.rows] for part in parts]),
        is_query=is_query,
        is_gallery=is_gallery,
        stored_as=stored.pop() if len(stored) == 1 else "float32",
        sha256=digest.hexdigest(),
    )
    return Version(vectors, metadata if metadata is not None else pa.table({}), _find_faults(parts))


def _rows_of(part: _Part) -> Any:
    table = part.read.joined.table
    return table if table is None or len(part.rows) == table.num_rows else take_rows(table, part.rows)


def _concatenate(tables: Sequence[Any], parts: Sequence[_Part]) -> Any:
    """The rows of all parts as one table; a column that a part lacks is missing there."""
    if len(tables) == 1:
        return tables[0]
    whole = [
        table if table is not None else pa.table({"": pa.nulls(len(part.rows))})
        for table, part in zip(tables, parts, strict=True)
    ]
    names = dict.fromkeys(name for table in whole for name in table.column_names if name)
    kinds: dict[str, Any] = {}
    for name in names:
        held = {str(table.schema.field(name).type) for table in whole if name in table.column_names}
        first = next(table.schema.field(name).type for table in whole if name in table.column_names)
        kinds[name] = first if len(held) == 1 else pa.string()
    schema = pa.schema(list(kinds.items()))
    aligned = [
        pa.table(
            [
                table.column(name).cast(kind) if name in table.column_names else pa.nulls(table.num_rows, kind)
                for name, kind in kinds.items()
            ],
            schema=schema,
        )
        for table in whole
    ]
    return pa.concat_tables(aligned)


def _mark(
    parts: Sequence[_Part], metadata: Any, column: str | None, n: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows ask and which may be found: by the column, by the files' names, or all do both."""
    if column is None or metadata is None or column not in metadata.column_names:
        sides = np.concatenate([np.full(len(part.rows), part.side, object) for part in parts])
        return sides != "gallery", sides != "query"
    texts = pd.Series(texts_of(metadata.column(column))).str.strip().str.casefold()
    held = set(texts.unique().tolist())
    if odd := sorted(held - QUERY - GALLERY - YES - NO - {"both", ""}):
        raise DataError(
            f"{column} cannot say which rows are queries: it holds {join_names(odd, 3)}. Its values have to be "
            "query and gallery (or both), or true and false."
        )
    is_query, is_gallery = texts.isin([*QUERY, *YES, "both", ""]), texts.isin([*GALLERY, *NO, "both", ""])
    return is_query.to_numpy(bool), is_gallery.to_numpy(bool)


def _gather(parts: Sequence[_Part], content: str, dimension: int, store: Path, run: Run) -> NDArray[np.float32]:
    """The matrix of a version: that of its file where it is all of it, else the rows copied together."""
    first = parts[0]
    if len(parts) == 1 and len(first.rows) == len(first.read.raw.matrix):
        return first.read.raw.matrix
    target = store / f"version-{content}.npy"
    if not target.is_file():
        partial, step = target.with_suffix(".partial"), rows_per_block(dimension)
        n = sum(len(part.rows) for part in parts)
        with MatrixWriter(partial, first.read.raw.name, n, dimension) as writer:
            for part in parts:
                for begin in range(0, len(part.rows), step):
                    run.check()
                    writer.append(part.read.raw.matrix[part.rows[begin : begin + step]])
        partial.replace(target)
    return open_matrix(target)


def _find_faults(parts: Sequence[_Part]) -> RowFaults:
    """What stood in place of vectors, by the rows of the version."""
    rows: list[NDArray[np.int64]] = []
    lengths: list[NDArray[np.int64]] = []
    unmatched: list[NDArray[np.int64]] = []
    start = 0
    for part in parts:
        raw = part.read.raw
        place = np.full(len(raw.matrix), -1, np.int64)
        place[part.rows] = start + np.arange(len(part.rows))
        here = place[raw.odd_rows]
        rows.append(here[here >= 0])
        lengths.append(raw.odd_lengths[here >= 0])
        lost = place[part.read.joined.unmatched]
        unmatched.append(lost[lost >= 0])
        start += len(part.rows)
    missing = dict.fromkeys(each for part in parts for each in part.read.joined.missing)
    return RowFaults(np.concatenate(rows), np.concatenate(lengths), np.concatenate(unmatched), tuple(missing))


def _tell(made: dict[str, Version], parts: dict[str, list[_Part]], roles: EmbeddingRoles) -> list[str]:
    notes: list[str] = []
    if any(part.side for held in parts.values() for part in held):
        listed = join_names(
            [
                f"{part.read.raw.name} ({'queries' if part.side == 'query' else 'gallery'})"
                for held in parts.values()
                for part in held
                if part.side
            ]
        )
        notes.append(f"By their names files hold queries and a gallery: {listed}.")
    if roles.column("id") is None and len(made) > 1:
        notes.append(
            "No column is the id: rows are numbered from 0, and rows of two versions with one number are taken for one."
        )
    widths = {version.vectors.dimension for version in made.values()}
    if len(widths) > 1:
        notes.append(f"The versions have vectors of {join_names([f'{each:,}' for each in sorted(widths)])} values.")
    return notes
