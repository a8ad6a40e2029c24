"""The training rows that a solver's file speaks of, and those that predictions show to be support vectors."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from lib.errors import DataError
from lib.metrics.dual import DualAgreement, compare_sets
from lib.metrics.support_vectors import BEGINS
from lib.scan.columns import Expression
from lib.scan.compute import to_sql
from lib.scan.listing import with_own_columns
from lib.scan.pairs import rows_with_ids
from lib.scan.scan import Scan
from lib.schema import SPLIT, VERSION, Filter
from lib.sources.dual import DualSolution
from lib.sources.engine import Run

MOST_ROWS = 200


@dataclass(frozen=True, eq=False)
class DualComparison:
    """How far two sets agree, and the rows on which they cannot both be right, furthest from the margin first."""

    agreement: DualAgreement
    differing: pd.DataFrame


def compare_dual(
    scan: Scan, version: str, split: str, solution: DualSolution, run: Run | None = None
) -> DualComparison:
    """Compare a solver's support vectors with those of a version's rows.

    Row numbers count the rows of the version and split as they stand in the files, from 0, unusable ones included;
    no other filter applies.

    Args:
        scan: the dataset.
        version: whose rows.
        split: of which split; "" for all rows.
        solution: what the solver has left.
        run: lets its owner cancel.

    Raises:
        DataError: the file speaks of more rows than there are, of ids where there are none, or of none of these.
        Cancelled: `run` was cancelled.
    """
    work = run or Run()
    if solution.by_id:
        if scan.dataset.mapping.id is None:
            raise DataError(f"{solution.name} names ids, and no column of this dataset is an id.")
        where = Filter(split=split or None)
        with rows_with_ids(scan, (version,), where, work) as (cursor, rows):
            key = rows["id"].cast("string")
            keyed = rows.select(key=key, file=rows.file, row=rows.row, label=rows.label, score=rows.score)
            return _compared(scan, cursor, keyed, solution)
    prepared = scan.prepared
    rows = prepared.relation()
    rows = rows.filter(rows[VERSION] == prepared.code(VERSION, version))
    if split:
        rows = rows.filter(rows[SPLIT] == prepared.code(SPLIT, split))
    number = ibis.row_number().over(ibis.window(order_by=[rows.file, rows.row])).cast("int64")
    keyed = rows.select(key=number, file=rows.file, row=rows.row, label=rows.label, score=rows.score)
    with scan.stored.rows(work) as cursor:
        n = _count(cursor, rows)
        largest = int(solution.support.max(initial=-1))
        if largest >= n:
            of = f"the split {split} of version {version}" if split else f"version {version}"
            raise DataError(
                f"{solution.name} names row {largest:,}, counted from 0, and {of} has {n:,} rows. Choose the rows that "
                "the model was trained on, or give ids."
            )
        return _compared(scan, cursor, keyed, solution)


def _compared(
    scan: Scan, cursor: duckdb.DuckDBPyConnection, keyed: Expression, solution: DualSolution
) -> DualComparison:
    kind = "string" if solution.by_id else "int64"
    uploaded: Expression = ibis.table({"support_key": kind, "coef": "float64"}, name="uploaded")
    keys = solution.support.tolist()
    cursor.register("uploaded", pa.table({"support_key": keys, "coef": solution.coef}))
    usable = keyed.filter(keyed.label != 0, keyed.score.notnull())
    joined = usable.left_join(uploaded, usable.key == uploaded.support_key)
    kept = joined.filter(joined.coef.notnull() | (joined.label * joined.score < BEGINS["free"]))
    kept = kept.select("file", "row", "label", "score", coef=kept.coef.fill_null(0.0))
    n = _count(cursor, usable)
    found: pd.DataFrame = cursor.execute(to_sql(kept.order_by("file", "row"))).df()
    label, score, coef = (found[name].to_numpy() for name in ("label", "score", "coef"))
    n_found = _count(cursor, uploaded.semi_join(usable, uploaded.support_key == usable.key))
    n_missing = len(keys) - n_found
    if keys and not n_found:
        raise DataError(f"{solution.name} names no id of a labelled, scored row here.")
    agreement = compare_sets(label.astype(np.int64), score, coef, n, n_missing, solution.c)
    differing = found[agreement.differs].assign(alpha=np.abs(coef[agreement.differs]))
    differing["margin"] = differing["label"] * differing["score"]
    far = (differing["margin"] - 1).abs().sort_values(ascending=False, kind="stable").index
    listed = differing.loc[far, ["file", "row", "margin", "alpha"]].head(MOST_ROWS).reset_index(drop=True)
    return DualComparison(agreement, with_own_columns(scan, cursor, listed))


def _count(cursor: duckdb.DuckDBPyConnection, rows: Expression) -> int:
    return int(cursor.execute(to_sql(rows.count().name("n").as_table())).fetchall()[0][0])
