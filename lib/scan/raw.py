"""The raw relation of a file: which of its columns are read, and numbers of columns beside the roles."""

from __future__ import annotations

from collections.abc import Sequence

import ibis

from lib.grid import MAX_ABS_SCORE
from lib.scan.columns import Expression, finite_or_null, number_of
from lib.schema import Mapping
from lib.sources import RawTable

ROW_INDEX = "file_row_number"
"""The 0-based place of a row in its file, which the raw relation carries beside the file's own columns."""

_KINDS = {
    "integer": "int64",
    "float": "float64",
    "float32": "float32",
    "boolean": "boolean",
    "timestamp": "timestamp(6)",
    "date": "date",
    "text": "string",
}


def raw_relation(table: RawTable, columns: list[str]) -> Expression:
    """The unbound relation `raw` with the named columns of a file and the row index."""
    kinds = {column.name: _KINDS[column.kind] for column in table.columns}
    return ibis.table({**{name: kinds[name] for name in columns}, ROW_INDEX: "int64"}, name="raw")


def columns_read(table: RawTable, mapping: Mapping) -> list[str]:
    """The columns of a file that the scan needs under a mapping."""
    wanted = [
        *mapping.score_columns,
        mapping.label,
        mapping.id,
        mapping.version,
        mapping.split,
        mapping.time,
        mapping.weight,
    ]
    present = {column.name for column in table.columns}
    return list(dict.fromkeys(name for name in (*wanted, *mapping.cohorts) if name is not None and name in present))


def value_rows(table: RawTable, column: str) -> Expression:
    """The numbers of another column of a file: `at`, the place of the row, and `value`, null where there is none.

    What is infinite or beyond what a sum of squares can hold is no value.
    """
    return value_columns(table, [column]).rename(value="value_0")


def value_columns(table: RawTable, columns: Sequence[str]) -> Expression:
    """The same of several columns: `at`, and `value_0`, `value_1` … in their order."""
    raw = raw_relation(table, list(columns))
    numbers = [finite_or_null(number_of(raw, table.column(column))) for column in columns]
    return raw.select(
        at=raw[ROW_INDEX],
        **{
            f"value_{place}": ibis.ifelse(number.abs() <= MAX_ABS_SCORE, number, ibis.null("float64"))
            for place, number in enumerate(numbers)
        },
    )
