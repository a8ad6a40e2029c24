"""The rows behind a list of ids, one of each version: what joins predictions with anything that is known by id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lib.scan.columns import Expression
from lib.scan.compute import to_sql
from lib.scan.pairs import rows_with_ids
from lib.scan.scan import Progress, Scan
from lib.schema import EVERYTHING, VERSION, Filter
from lib.sources import MISSING_TEXTS
from lib.sources.engine import Run
from lib.vectors import NO_ROW


@dataclass(frozen=True, eq=False)
class RowsById:
    """The row of each of n ids in one version.

    Attributes:
        file, row: shape (n,), the number of the file and the place in it; `NO_ROW` for an id that has none.
        label: shape (n,), −1, 0 for none, +1.
        score: shape (n,), NaN where there is none.
        n_several: how many of the ids have more than one row there.
    """

    file: NDArray[np.int64]
    row: NDArray[np.int64]
    label: NDArray[np.int64]
    score: NDArray[np.float64]
    n_several: int

    @property
    def is_found(self) -> NDArray[np.bool_]:
        """Shape (n,), which ids have a row."""
        return self.row != NO_ROW

    @property
    def margin(self) -> NDArray[np.float64]:
        """Shape (n,), y·s; NaN without a label or a score."""
        return np.where(self.label == 0, np.nan, self.label * self.score)


def find_rows(
    scan: Scan,
    versions: Sequence[str],
    ids: NDArray[np.object_],
    where: Filter = EVERYTHING,
    run: Run | None = None,
    on_progress: Progress = lambda _share, _words: None,
) -> dict[str, RowsById]:
    """The usable row of each id in each version: of several the latest, without times the first.

    Ids are compared as texts, character by character: 7 is the text "7", and "007" is another id.

    Args:
        scan: of a dataset with an id column.
        versions: of the dataset, once each.
        ids: shape (n,), texts, once each.
        where: which rows are looked at.
        run: lets its owner cancel.
        on_progress: is told how far it is.

    Raises:
        Cancelled: `run` was cancelled.
    """
    more = ("time",) if scan.prepared.has_time else ()
    with rows_with_ids(scan, versions, where, run or Run(), on_progress, more) as (cursor, rows):
        on_progress(0.5, "Looking for ids")
        cursor.register("wanted", pa.table({"wanted_id": pa.array(ids, pa.string()), "at": np.arange(len(ids))}))
        wanted: Expression = ibis.table({"wanted_id": "string", "at": "int64"}, name="wanted")
        keyed = rows.mutate(key=rows["id"].cast("string"))
        joined = keyed.inner_join(wanted, keyed.key == wanted.wanted_id)
        order: list[Any] = [joined["time"].desc(nulls_first=False)] if more else []
        of_id = [joined[VERSION], joined["at"]]
        ranked = joined.mutate(
            place=ibis.row_number().over(ibis.window(group_by=of_id, order_by=[*order, joined.file, joined.row])),
            n_rows=joined.count().over(ibis.window(group_by=of_id)),
        )
        first = ranked.filter(ranked.place == 0).select(VERSION, "at", "file", "row", "label", "score", "n_rows")
        found = cursor.sql(to_sql(first)).to_arrow_table()
    column = {name: found[name].to_numpy() for name in found.column_names}
    return {version: _of_version(column, scan.prepared.code(VERSION, version), len(ids)) for version in versions}


def _of_version(column: dict[str, Any], code: int, n: int) -> RowsById:
    own = column[VERSION] == code
    at = column["at"][own]

    def spread(name: str, none: float, kind: type) -> Any:
        values = np.full(n, none, kind)
        values[at] = column[name][own]
        return values

    return RowsById(
        file=spread("file", NO_ROW, np.int64),
        row=spread("row", NO_ROW, np.int64),
        label=spread("label", 0, np.int64),
        score=spread("score", np.nan, np.float64),
        n_several=int((column["n_rows"][own] > 1).sum()),
    )


def single_ids(ids: NDArray[np.str_] | NDArray[np.object_]) -> NDArray[np.int64]:
    """The rows whose id no other row has, ascending; a missing id is none."""
    texts = pd.Series(ids.astype(object))
    return np.flatnonzero(~texts.duplicated(keep=False) & ~texts.isin(MISSING_TEXTS)).astype(np.int64)
