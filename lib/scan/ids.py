"""Ids that occur more than once in a version: twice in one split, or in training and in held-out rows.

Whole numbers that lie close together are settled by a mark for each number between the least and the largest. All other
ids have a 64-bit hash of version and id: a hash that occurs once belongs to an id that occurs once, so that sorting
numbers settles a file whose ids are unique. Only rows whose hash occurs again are grouped by the ids themselves, so the
counts are exact.
"""

from __future__ import annotations

import math
from typing import Any

import duckdb
import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.scan.columns import Expression
from lib.scan.compute import PreparedRows, to_sql
from lib.scan.facts import IdCounts
from lib.scan.hashes import hash_number_in
from lib.scan.row_ids import id_rows
from lib.scan.values import RawCursor
from lib.schema import SPLIT, VERSION
from lib.sources import Dataset
from lib.sources.engine import Run

Hashes = NDArray[np.uint64]

TRAIN_SPLITS = ("train", "training", "fit")
HELD_OUT_SPLITS = ("validation", "valid", "val", "dev", "test", "holdout")
"""Names of splits, in any case, that a model is fitted to, and that it is judged by."""

HASHES_AT_ONCE = 16_000_000
"""So many are sorted together: 128 MB."""

ROWS_AT_ONCE = 1_000_000

MOST_MARKS = 400_000_000
"""So many numbers, over all versions, have a mark of one byte at most."""
MARKS_A_ROW = 8
"""Numbers that leave more room than this between them are hashed."""

IDS_AT_ONCE = 2_000_000
"""So many ids that occur again are grouped together, whatever their length."""

COUNTED = ("n_repeated", "n_repeated_ids", "n_leaked", "n_leaked_ids")


def count_ids(dataset: Dataset, prepared: PreparedRows, open_raw: RawCursor, run: Run) -> tuple[IdCounts, ...]:
    """How often ids occur again in each version that has any.

    Args:
        dataset: whose ids.
        prepared: what is known of its prepared rows.
        open_raw: gives a cursor on those and on a file.
        run: lets its owner cancel.

    Raises:
        Cancelled: `run` was cancelled.
    """
    rows = prepared.relation()
    if prepared.has_number_ids:
        rows = rows.mutate(id_hash=hash_number_in(rows[VERSION], rows.id_number))
        rows = rows.filter(rows.usable & rows.id_number.notnull())
    else:
        rows = rows.filter(rows.usable & rows.id_hash.notnull())
    with open_raw(dataset.tables[0], []) as cursor:
        held_out: Expression = _is_among(rows, prepared, HELD_OUT_SPLITS)
        sizes = rows.group_by(rows[VERSION]).aggregate(n=rows.count(), n_held_out=held_out.sum())
        found = cursor.execute(to_sql(sizes)).fetchall()
        if prepared.has_number_ids and _is_each_marked_once(cursor, rows, run):
            hashes: Hashes = np.empty(0, dtype=np.uint64)
        else:
            hashes = _hashes_seen_again(cursor, rows, sum(int(n) for _version, n, _held_out in found), run)
    again: dict[int, dict[str, int]] = {}
    for begin in range(0, len(hashes), IDS_AT_ONCE):
        run.check()
        some = hashes[begin : begin + IDS_AT_ONCE]
        for version, counts in _count_again(dataset, prepared, rows, open_raw, some).items():
            known = again.setdefault(version, dict.fromkeys(counts, 0))
            again[version] = {name: known[name] + count for name, count in counts.items()}
    none = dict.fromkeys(COUNTED, 0)
    return tuple(
        IdCounts(prepared.categories[VERSION][code], n=int(n), n_held_out=int(held), **again.get(code, none))
        for code, n, held in sorted(found)
    )


def _is_among(rows: Expression, prepared: PreparedRows, names: tuple[str, ...]) -> Any:
    """Whether the split of each row has one of these names, in any case."""
    codes = [code for code, text in enumerate(prepared.categories[SPLIT]) if text.lower() in names]
    return rows[SPLIT].isin([-1, *codes])


def _is_each_marked_once(cursor: duckdb.DuckDBPyConnection, rows: Expression, run: Run) -> bool:
    """Whether the numbers of each version lie close together and differ; False where marks would be too many."""
    spans = rows.group_by(rows[VERSION]).aggregate(
        n=rows.count(), least=rows.id_number.min(), largest=rows.id_number.max()
    )
    found = cursor.execute(to_sql(spans)).fetchall()
    n_rows = sum(n for _version, n, _least, _largest in found)
    n_marks = sum(largest - smallest + 1 for _version, _n, smallest, largest in found)
    if n_marks > min(MOST_MARKS, max(MARKS_A_ROW * n_rows, ROWS_AT_ONCE)):
        return False
    marks = np.zeros(n_marks, dtype=np.bool_)
    least, begin = np.zeros((2, 1 + max((version for version, *_ in found), default=0)), dtype=np.int64)
    n_marks = 0
    for version, _n, smallest, largest in found:
        least[version], begin[version] = smallest, n_marks
        n_marks += largest - smallest + 1
    for batch in cursor.sql(to_sql(rows.select(VERSION, "id_number"))).to_arrow_reader(ROWS_AT_ONCE):
        run.check()
        version = batch[VERSION].to_numpy()
        marks[begin[version] + (batch["id_number"].to_numpy() - least[version])] = True
    return int(np.count_nonzero(marks)) == n_rows


def _hashes_seen_again(cursor: duckdb.DuckDBPyConnection, rows: Expression, n: int, run: Run) -> Hashes:
    """The distinct hashes that more than one row has."""
    n_parts = max(1, math.ceil(n / HASHES_AT_ONCE))
    seen: list[Hashes] = []
    for part in range(n_parts):
        run.check()
        own = rows.filter(rows.id_hash % n_parts == part) if n_parts > 1 else rows
        hashes: Hashes = np.sort(cursor.sql(to_sql(own.select("id_hash"))).to_arrow_table()["id_hash"].to_numpy())
        again = hashes[1:][hashes[1:] == hashes[:-1]]
        seen.append(again[np.flatnonzero(np.diff(again, prepend=~again[:1]))])
    return np.concatenate(seen)


def _count_again(
    dataset: Dataset, prepared: PreparedRows, rows: Expression, open_raw: RawCursor, hashes: Hashes
) -> dict[int, dict[str, int]]:
    """By version, what `IdCounts` tells of the rows with these hashes, grouped by their own ids."""
    again = ibis.table({"id_hash": "uint64"}, name="again")
    found: list[pa.Table] = []
    for index, table in enumerate(dataset.tables):
        names = [name for name in (dataset.mapping.id,) if name is not None and table.has_column(name)]
        with open_raw(table, names) as cursor:
            cursor.register("again", pa.table({"id_hash": hashes}))
            own = rows.filter(rows.file == index).semi_join(again, "id_hash")
            ids = id_rows(dataset, index)
            joined = own.join(ids, own.row == ids["at"])
            counted = joined.group_by([joined[VERSION], joined[SPLIT], joined["id"]]).aggregate(n=joined.count())
            found.append(cursor.sql(to_sql(counted)).to_arrow_table())
    kind = "int64" if pa.types.is_integer(found[0].schema.field("id").type) else "string"
    parts = ibis.table({VERSION: "int32", SPLIT: "int32", "id": kind, "n": "int64"}, name="parts")
    with open_raw(dataset.tables[0], []) as cursor:
        cursor.register("parts", pa.concat_tables(found, promote_options="permissive"))
        told = cursor.execute(to_sql(_by_version(parts, prepared))).fetchall()
    return {int(version): dict(zip(COUNTED, map(int, counts), strict=True)) for version, *counts in told}


def _by_version(parts: Expression, prepared: PreparedRows) -> Expression:
    """Numbers of rows by version, split and id to those of `COUNTED` by version."""
    in_split = parts.group_by([VERSION, SPLIT, "id"]).aggregate(n=parts.n.sum())
    by_id = in_split.group_by([VERSION, "id"]).aggregate(
        extra=(in_split.n - 1).sum(),
        trained=_is_among(in_split, prepared, TRAIN_SPLITS).any(),
        held_out=(in_split.n * _is_among(in_split, prepared, HELD_OUT_SPLITS).cast("int64")).sum(),
    )
    leaked: Expression = by_id.held_out * by_id.trained.cast("int64")
    return by_id.group_by(VERSION).aggregate(
        n_repeated=by_id.extra.sum(),
        n_repeated_ids=(by_id.extra > 0).sum(),
        n_leaked=leaked.sum(),
        n_leaked_ids=(leaked > 0).sum(),
    )
