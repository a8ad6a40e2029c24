"""Two versions paired by id: what became of each row, counted by where its margin lay before and after.

The join is the engine's, over what names a row, and reduces at once: to counts by (place before, place after, label),
to the few rows of each such move that moved furthest, and where asked for to cells of pairs, the whole and by each
cohort column. Numbers as ids stand in the prepared rows; texts are read from their files again, since rows hold only a
hash that differs from version to version.

An id that a version has more than once pairs with nothing: which of its rows would be meant is not known. Such ids,
and ids that the other version lacks, are counted.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import duckdb
import ibis
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lib.cells import PairCells
from lib.scan.columns import Expression
from lib.scan.compute import filtered, to_sql
from lib.scan.listing import with_own_columns
from lib.scan.pair_cells import count_pairs
from lib.scan.row_ids import id_rows
from lib.scan.scan import Progress, Scan
from lib.schema import PREDICTED, VERSION, Filter, cohort_key
from lib.sources.engine import Run
from lib.sources.sql import quote_text

ABSENT, REPEATED, NO_MARGIN = -3, -2, -1
"""Places of an id that has no row, several rows, or a row without a label or a score."""
MOST_ROWS = 200
"""Of each move so many rows are kept, those that moved furthest."""
KEPT_PAIRS = 4


@dataclass(frozen=True)
class PairQuery:
    """Which versions are paired, over which rows, and where margins are cut.

    Attributes:
        before, after: versions.
        where: the filter.
        edges: ascending margins; a place is how many of them a margin reaches. At 0 a positive row has not reached it,
            since a positive prediction is s > 0.
        cap: margins beyond it count as it is when it is asked how far a row moved.
        cells: whether cells of pairs are made too.
    """

    before: str
    after: str
    where: Filter
    edges: tuple[float, ...]
    cap: float
    cells: bool = False


@dataclass(frozen=True, eq=False)
class Pairs:
    """What became of the ids of two versions, one entry for each place before, place after and label.

    Attributes:
        before, after: shape (M,), places: 0 to the number of edges, or `ABSENT`, `REPEATED`, `NO_MARGIN`.
        label: shape (M,), −1, 0 or +1 in the version after, or before where there is none.
        relabelled: shape (M,), whether the two versions have other labels.
        n: shape (M,), ids.
        d, dd: shape (M,), Σ(m_after − m_before) and its squares, of margins at most the cap; 0 where one is missing.
        rows: `file`, `row`, `before`, `after`, `margin_before`, `margin_after` and `d` of those that moved furthest in
            each move, without those whose label differs.
        cells: the pairs of rows that both have a score, labelled or not; None where they were not asked for.
        by_cohort: the same in steps of 0.5, by the values of each cohort column.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    label: NDArray[np.int64]
    relabelled: NDArray[np.bool_]
    n: NDArray[np.int64]
    d: NDArray[np.float64]
    dd: NDArray[np.float64]
    rows: pd.DataFrame
    cells: PairCells | None = None
    by_cohort: dict[str, PairCells] = field(default_factory=dict[str, PairCells])

    def count(self, before: Sequence[int], after: Sequence[int]) -> int:
        """Ids that went from one of some places to one of others, their label being the same."""
        return int(self.n[np.isin(self.before, before) & np.isin(self.after, after) & ~self.relabelled].sum())

    def move(self, before: Sequence[int], after: Sequence[int]) -> pd.DataFrame:
        """The kept rows of a move, furthest first."""
        own = self.rows[self.rows["before"].isin(before) & self.rows["after"].isin(after)]
        return own.loc[own["d"].abs().sort_values(ascending=False, kind="stable").index]


_HELD: WeakKeyDictionary[Scan, dict[PairQuery, Pairs]] = WeakKeyDictionary()


def held_pairs(scan: Scan, query: PairQuery) -> Pairs | None:
    """What was read of these pairs; None before somebody had them read."""
    return _HELD.get(scan, {}).get(query)


def read_pairs(scan: Scan, query: PairQuery, *, run: Run | None = None, on_progress: Progress | None = None) -> Pairs:
    """Join two versions on their ids, count the moves, and hold what was found for the last few queries.

    Raises:
        Cancelled: `run` was cancelled; nothing is held.
    """
    report: Callable[[float, str], None] = on_progress or (lambda _share, _words: None)
    work = run or Run()
    more = _more_columns(scan) if query.cells else ()
    with rows_with_ids(scan, (query.before, query.after), query.where, work, report, more) as (cursor, rows):
        report(0.5, f"Pairing {query.before} with {query.after}")
        joined = _joined(scan, query, rows, has_repeated=_keep_repeated(cursor, rows))
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE pairs AS {to_sql(joined)}")
        try:
            made = _reduced(scan, query, cursor, work, report)
        finally:
            cursor.execute("DROP TABLE IF EXISTS pairs")
            cursor.execute("DROP TABLE IF EXISTS repeated")
    held = _HELD.setdefault(scan, {})
    while len(held) >= KEPT_PAIRS:
        held.pop(next(iter(held)))
    return held.setdefault(query, made)


def list_moved(scan: Scan, moved: pd.DataFrame, run: Run | None = None) -> pd.DataFrame:
    """Some of `Pairs.rows` as they stand in the file of the version after, personal data masked."""
    kept = moved[["file", "row", "margin_before", "margin_after"]].reset_index(drop=True)
    with scan.stored.rows(run) as cursor:
        return with_own_columns(scan, cursor, kept)


@contextmanager
def rows_with_ids(
    scan: Scan,
    versions: Sequence[str],
    where: Filter,
    run: Run,
    report: Progress = lambda _share, _words: None,
    more: Sequence[str] = (),
) -> Generator[tuple[duckdb.DuckDBPyConnection, Expression]]:
    """The rows of some versions that have an id: `id`, `version`, `file`, `row`, `label`, `score`, and more columns."""
    prepared = scan.prepared
    held = filtered(prepared, where)
    held = held.filter(held[VERSION].isin([prepared.code(VERSION, each) for each in versions]))
    kept = [held[name] for name in (VERSION, "file", "row", "label", "score", *more)]
    if prepared.has_number_ids:
        with scan.stored.rows(run) as cursor:
            yield cursor, held.filter(held.id_number.notnull()).select(*kept, id=held.id_number)
        return
    parts: list[Path] = []
    try:
        for index, table in enumerate(scan.dataset.tables):
            report(0.5 * index / len(scan.dataset.tables), f"Reading the ids of {table.name}")
            name = scan.dataset.mapping.id
            with scan.stored.open_raw(run)(
                table, [name] if name is not None and table.has_column(name) else []
            ) as cursor:
                ids = id_rows(scan.dataset, index)
                own = held.select(*kept).filter(held.file == index)
                joined = own.join(ids, own.row == ids["at"]).drop("at")
                part = scan.stored.beside(f"ids-{index}-{os.getpid()}-{threading.get_ident()}.parquet")
                parts.append(part)
                sql = to_sql(joined.filter(joined["id"].notnull()))
                cursor.execute(f"COPY ({sql}) TO {quote_text(str(part))} (FORMAT parquet)")
        fields = {
            VERSION: "int32",
            "file": "int32",
            "row": "int64",
            "label": "int8",
            "score": "float64",
            **{name: held[name].type() for name in more},
            "id": "string",
        }
        with run.cursor() as cursor:
            files = ", ".join(quote_text(str(part)) for part in parts)
            cursor.execute(f"CREATE OR REPLACE TEMP VIEW parts AS SELECT * FROM read_parquet([{files}])")
            yield cursor, ibis.table(fields, name="parts")
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _more_columns(scan: Scan) -> tuple[str, ...]:
    """What pair cells need of a row beside its label and its score."""
    mapping = scan.facts.mapping
    named = ("score_bin", *(("weight",) if scan.prepared.weighted else ()))
    return (*named, *((PREDICTED,) if mapping.is_multiclass else ()), *map(cohort_key, scan.facts.cohorts))


def _keep_repeated(cursor: duckdb.DuckDBPyConnection, rows: Expression) -> bool:
    """Gather the ids that a version has more than once as `repeated`; whether there are any."""
    again = rows.group_by(["id", VERSION]).aggregate(n=rows.count())
    sql = to_sql(again.filter(again.n > 1).select("id", VERSION))
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE repeated AS {sql}")
    return bool(cursor.execute("SELECT count(*) > 0 FROM repeated").fetchall()[0][0])


def _single(rows: Expression, code: int, *, has_repeated: bool) -> Expression:
    """One row of a version for each id, `repeated` where it has several; of these the least label, file and row."""
    own = rows.filter(rows[VERSION] == code).drop(VERSION)
    if not has_repeated:
        return own.mutate(repeated=ibis.literal(False))
    names: Expression = ibis.table({"id": rows["id"].type(), VERSION: rows[VERSION].type()}, name="repeated")
    names = names.filter(names[VERSION] == code).select("id")
    several = own.semi_join(names, "id")
    others = {name: several[name].min() for name in own.columns if name != "id"}
    least = several.group_by("id").aggregate(**others).mutate(repeated=ibis.literal(True))
    alone = own.anti_join(names, "id").mutate(repeated=ibis.literal(False))
    return alone.select(*least.columns).union(least)


def _joined(scan: Scan, query: PairQuery, rows: Expression, *, has_repeated: bool) -> Expression:
    """One row for each id: its places, its margins, its label, and where its row lies; for cells both rows whole."""
    sides: list[Expression] = []
    for version in (query.before, query.after):
        single = _single(rows, scan.prepared.code(VERSION, version), has_repeated=has_repeated)
        none = ibis.null("float64")
        margin = ibis.ifelse(single.repeated | (single.label == 0), none, single.label * single.score)
        single = single.mutate(margin=margin)
        reached: Any = ibis.literal(0, "int64")
        for edge in query.edges:
            is_there = single.margin >= edge
            if edge == 0:
                is_there = (single.margin > 0) | ((single.margin == 0) & (single.label < 0))
            reached = reached + is_there.cast("int64")
        place = ibis.cases((single.repeated, REPEATED), (single.margin.isnull(), NO_MARGIN), else_=reached)
        sides.append(single.mutate(place=place.cast("int64")))
    first, second = sides
    second = second.rename({f"{name}_after": name for name in second.columns})
    both = first.outer_join(second, first["id"] == second["id_after"])
    # The engine's `least` would take a missing margin for the cap.
    missing: Expression = both.margin.isnull() | both.margin_after.isnull()
    ends: tuple[Expression, Expression] = ibis.least(both.margin, query.cap), ibis.least(both.margin_after, query.cap)
    columns: dict[str, Any] = {
        "before": both.place.fill_null(ABSENT),
        "after": both.place_after.fill_null(ABSENT),
        "label": both.label_after.fill_null(both.label).fill_null(0).cast("int64"),
        "relabelled": ~missing & (both.label != both.label_after),
        "margin_before": both.margin,
        "margin_after": both.margin_after,
        "d": ibis.ifelse(missing, 0.0, ends[1] - ends[0]),
        "file": both.file_after.fill_null(both.file),
        "row": both.row_after.fill_null(both.row),
    }
    if query.cells:
        columns |= {
            f"{name}_{side}": both[name if side == "before" else f"{name}_after"]
            for name in ("label", "score", *_more_columns(scan))
            for side in ("before", "after")
        }
    return both.select(**columns)


def _reduced(
    scan: Scan,
    query: PairQuery,
    cursor: duckdb.DuckDBPyConnection,
    run: Run,
    report: Callable[[float, str], None],
) -> Pairs:
    rows = scan.prepared.relation()
    own = {name: rows[name].type() for name in ("label", "score", *_more_columns(scan))} if query.cells else {}
    fields = {
        **dict.fromkeys(("before", "after", "label"), "int64"),
        "relabelled": "boolean",
        **dict.fromkeys(("margin_before", "margin_after", "d"), "float64"),
        "file": "int32",
        "row": "int64",
        **{f"{name}_{side}": kind for name, kind in own.items() for side in ("before", "after")},
    }
    pairs: Expression = ibis.table(fields, name="pairs")
    keys = ["before", "after", "label", "relabelled"]
    counted = pairs.group_by(keys).aggregate(n=pairs.count(), d=pairs.d.sum(), dd=(pairs.d * pairs.d).sum())
    found = cursor.execute(to_sql(counted.order_by(keys))).df()
    moves = found.loc[(found["before"] >= 0) & (found["after"] >= 0), ["before", "after"]].drop_duplicates()
    parts: list[pd.DataFrame] = []
    for place, (before, after) in enumerate(moves.itertuples(index=False, name=None)):
        run.check()
        report(0.8 + 0.1 * place / len(moves), "Looking for what moved furthest")
        moved = pairs.filter(pairs.before == int(before), pairs.after == int(after), ~pairs.relabelled)
        furthest = moved.order_by(moved.d.abs().desc(), moved.file, moved.row).limit(MOST_ROWS)
        kept = furthest.select("file", "row", "before", "after", "margin_before", "margin_after", "d")
        parts.append(cursor.execute(to_sql(kept)).df())
    none = pd.DataFrame(
        columns=["file", "row", "before", "after", "margin_before", "margin_after", "d"], dtype="float64"
    )
    report(0.9, "Counting pairs of scores")
    scored = pairs.filter(pairs.before >= NO_MARGIN, pairs.after >= NO_MARGIN) if query.cells else pairs
    column = {name: found[name].to_numpy() for name in found.columns}
    return Pairs(
        before=column["before"].astype(np.int64),
        after=column["after"].astype(np.int64),
        label=column["label"].astype(np.int64),
        relabelled=column["relabelled"].astype(np.bool_),
        n=column["n"].astype(np.int64),
        d=column["d"].astype(np.float64),
        dd=column["dd"].astype(np.float64),
        rows=pd.concat(parts, ignore_index=True) if parts else none,
        cells=count_pairs(cursor, scan, scored) if query.cells else None,
        by_cohort={column: count_pairs(cursor, scan, scored, query.where, column) for column in scan.facts.cohorts}
        if query.cells
        else {},
    )
