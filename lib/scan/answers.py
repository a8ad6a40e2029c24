"""Prepared rows to counts of answers by class: as many entries as there are errors of a kind, whatever the scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np

from lib.cells import AnswerCounts, Coded
from lib.scan.compute import PreparedRows, coded, filtered, key_columns, to_sql
from lib.scan.windows import WindowGrid
from lib.schema import CLASS, PREDICTED, Filter


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
        {
            key: coded(prepared.texts(key, where), column(key)) if key in prepared.categories else Coded.of(column(key))
            for key in keys
        },
        place[column(CLASS)],
        place[column(PREDICTED)],
        column("n").astype(np.float64),
    )
