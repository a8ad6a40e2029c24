"""Prepared rows to counts of answers: as many entries as there are errors of a kind, whatever the scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np

from lib.cells import AnswerCounts, Coded, WrongAnswers
from lib.scan.compute import PreparedRows, coded, filtered, key_columns, to_sql
from lib.scan.hashes import in_sample
from lib.scan.windows import WindowGrid
from lib.schema import CLASS, PREDICTED, Filter, Outside


def count_answers(
    cursor: duckdb.DuckDBPyConnection,
    prepared: PreparedRows,
    keys: Sequence[str],
    where: Filter,
    windows: WindowGrid | None,
) -> AnswerCounts:
    """What the labelled, scored rows of each of several classes were answered with, by any of the keys.

    Args:
        cursor: an engine cursor on which `prepared` is a view.
        prepared: what is known of those rows.
        keys: key names.
        where: which rows.
        windows: the grid of the key `window`.
    """
    rows = filtered(prepared, where)
    rows = rows.filter((rows.label != 0) & rows.score.notnull())
    by = key_columns(rows, (*keys, CLASS, PREDICTED), windows)
    table = cursor.sql(to_sql(rows.aggregate(by=[each.name(key) for key, each in by.items()], n=rows.count())))
    counted = table.to_arrow_table()

    def column(name: str) -> np.ndarray[Any, Any]:
        return counted[name].to_numpy(zero_copy_only=False)

    names = prepared.class_names
    place = np.array([names.index(text) if text in names else -1 for text in prepared.categories[CLASS]], np.int64)
    return AnswerCounts(
        names,
        _keys_of(prepared, counted, keys, where),
        place[column(CLASS)],
        place[column(PREDICTED)],
        column("n").astype(np.float64),
    )


def count_wrong(
    cursor: duckdb.DuckDBPyConnection,
    prepared: PreparedRows,
    keys: Sequence[str],
    where: Filter,
    windows: WindowGrid | None,
    outside: Outside,
    one_in: int,
) -> WrongAnswers:
    """How many labelled, scored rows, or of one in so many, are answered wrongly, by any of the keys.

    Args:
        cursor: an engine cursor on which `prepared` is a view.
        prepared: what is known of those rows.
        keys: key names.
        where: which rows.
        windows: the grid of the key `window`.
        outside: parts to leave out.
        one_in: only one row in so many.
    """
    rows = in_sample(filtered(prepared, where, outside), "row", one_in)
    rows = rows.filter((rows.label != 0) & rows.score.notnull())
    flagged, negative = rows.score > 0, rows.label < 0
    counts = {
        "wrong": rows.count(where=flagged == negative),
        "n": rows.count(),
        "false_positives": rows.count(where=flagged & negative),
        "negatives": rows.count(where=negative),
    }
    by = key_columns(rows, keys, windows)
    counted = cursor.sql(to_sql(rows.aggregate(by=[each.name(key) for key, each in by.items()], **counts)))
    table = counted.to_arrow_table()
    sums = [table[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in counts]
    return WrongAnswers(_keys_of(prepared, table, keys, where), np.stack(sums, axis=1))


def _keys_of(prepared: PreparedRows, table: Any, keys: Sequence[str], where: Filter) -> dict[str, Coded]:
    """The key columns of a table of counts, with their texts."""
    columns = {key: table[key].to_numpy(zero_copy_only=False) for key in keys}
    return {
        key: coded(prepared.texts(key, where), column) if key in prepared.categories else Coded.of(column)
        for key, column in columns.items()
    }
