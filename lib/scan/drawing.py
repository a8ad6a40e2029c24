"""Rows to fit: a sample of the labelled rows of one version, with the values of some features.

Drawn by a hash of the place of a row, in each class as many as its share: the same sample at every call, whatever the
number of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from lib.errors import SettingsError
from lib.metrics.fit_lab import LabRows
from lib.scan.by_id import find_rows, single_ids
from lib.scan.columns import Expression
from lib.scan.compute import filtered, to_sql
from lib.scan.hashes import chance_of
from lib.scan.ids import HELD_OUT_SPLITS, TRAIN_SPLITS
from lib.scan.raw import value_columns
from lib.scan.scan import Scan
from lib.schema import CLASS, EVERYTHING, MISSING_KEY, SPLIT, VERSION, Filter
from lib.sources.engine import Run
from lib.vectors import Vectors

MOST_ROWS = 20_000
"""Rows that are drawn at most, training and test together."""
MOST_VALUES = 6_000_000
"""Of vectors with very many values fewer rows are drawn, so that a fit stays as quick."""
TRAIN_FOLDS = 7
"""Without a split column, folds below this are for training, the others for test."""


@dataclass(frozen=True)
class EmbeddingFeatures:
    """Vectors that are the features of rows with their id.

    Attributes:
        name: of the set of vectors, on screen.
        version: which of its versions.
        key: of the set's content.
    """

    name: str
    version: str
    key: str


@dataclass(frozen=True)
class DrawQuery:
    """Which rows are drawn.

    Attributes:
        columns: the features; none where vectors are.
        version: whose rows.
        where: the filter.
        of_class: with several classes the one that is set against the rest.
        most: how many at most.
        seed: another one draws other rows, from 0 to 99.
        embedding: the vectors that are the features; None where columns are.
    """

    columns: tuple[str, ...]
    version: str
    where: Filter = EVERYTHING
    of_class: str = ""
    most: int = MOST_ROWS
    seed: int = 0
    embedding: EmbeddingFeatures | None = None


@dataclass(frozen=True, eq=False)
class DrawnRows:
    """What was drawn, and of what.

    Attributes:
        rows: those with a value of every feature.
        file, row: shape (n,), the number of the file and the place in it.
        n_all: labelled rows of the version and filter that are in one of the two parts, and have a vector where the
            features are of vectors.
        n_drawn: rows that were drawn of them.
        missing: of each feature how many of the drawn rows lack it, those that are lacked most first; none without any.
        train_splits, test_splits: the splits that are the parts; none where folds are.
    """

    rows: LabRows
    file: np.ndarray[Any, np.dtype[np.int64]]
    row: np.ndarray[Any, np.dtype[np.int64]]
    n_all: int
    n_drawn: int
    missing: tuple[tuple[str, int], ...]
    train_splits: tuple[str, ...]
    test_splits: tuple[str, ...]

    @property
    def n_left_out(self) -> int:
        """Rows that were drawn but lack a feature."""
        return self.n_drawn - len(self.rows.label)


def choose_parts(splits: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which splits are for training and which for test; none of either where the names do not say both.

    Where there is a split called test or holdout, one called validation is neither: models are chosen by it.
    """
    train = tuple(each for each in splits if each.lower() in TRAIN_SPLITS)
    held_out = tuple(each for each in splits if each.lower() in HELD_OUT_SPLITS)
    last = tuple(each for each in held_out if each.lower() in ("test", "holdout"))
    return (train, last or held_out) if train and held_out else ((), ())


def draw_rows(scan: Scan, query: DrawQuery, run: Run | None = None, vectors: Vectors | None = None) -> DrawnRows:
    """Draw rows for a fit.

    Args:
        scan: of which dataset.
        query: which rows.
        run: lets its owner cancel.
        vectors: those of `query.embedding`, where it says any. A row has the vector of its id, compared as texts; an id
            that several vectors have is left out, and of several rows of an id the latest, else the first, is drawn.

    Raises:
        Cancelled: `run` was cancelled.
        SettingsError: there are no labelled rows to draw from, or no file has one of the columns.
    """
    for column in query.columns:
        if not any(table.has_column(column) for table in scan.dataset.tables):
            raise SettingsError(f"There is no column {column}.")
    work = run or Run()
    # Within one split there is but that one: its folds are the parts.
    train, test = ((), ()) if query.where.split is not None else choose_parts(scan.facts.splits)
    rows = _asked(scan, query, (*train, *test))
    most, with_vectors = query.most, None
    if vectors is not None:
        with_vectors = _rows_with_vectors(scan, query, vectors, work)
        most = min(most, max(1, MOST_VALUES // vectors.dimension))
        placed: Expression = ibis.table({"file": "int32", "row": "int64", "place": "int64"}, name="placed")
        rows = rows.inner_join(placed, ["file", "row"])
    with scan.stored.rows(work) as cursor:
        if with_vectors is not None:
            cursor.register("placed", with_vectors)
        counts = rows.group_by(rows.side).aggregate(n=rows.count())
        of_side = {int(side): int(n) for side, n in cursor.sql(to_sql(counts)).fetchall()}
        n_all = sum(of_side.values())
        if not n_all:
            raise SettingsError(_say_none(query))
        drawn = [
            rows.filter(rows.side == side)
            .order_by(chance_of(rows, query.seed), rows.file, rows.row)
            .limit(_share_of(n, n_all, most))
            for side, n in sorted(of_side.items())
        ]
        found = [cursor.sql(to_sql(each)).to_arrow_table() for each in drawn]
    held = {name: np.concatenate([each[name].to_numpy() for each in found]) for name in found[0].column_names}
    # In the order of the draw, so that any first so many of a class are a sample too.
    if vectors is not None:
        columns = tuple(f"dimension {place}" for place in range(1, vectors.dimension + 1))
        values = vectors.matrix[held["place"]].astype(np.float64)
    else:
        columns, values = query.columns, np.full((len(held["row"]), len(query.columns)), np.nan)
        for index in range(len(scan.dataset.tables)):
            here = np.flatnonzero(held["file"] == index)
            if len(here):
                values[here] = _values_of(scan, index, query.columns, held["row"][here], work)
    whole = ~np.isnan(values).any(axis=1)
    lacking = np.isnan(values).sum(axis=0)
    missing = sorted(
        ((column, int(n)) for column, n in zip(columns, lacking, strict=True) if n),
        key=lambda each: -each[1],
    )
    splits = np.array(scan.prepared.categories[SPLIT])[held[SPLIT]]
    is_train = np.isin(splits, train) if train else held["fold"] < TRAIN_FOLDS
    made = LabRows(
        columns,
        values[whole],
        held["side"][whole].astype(np.int64),
        is_train[whole],
        held["fold"][whole].astype(np.int64),
    )
    n_drawn = len(values)
    return DrawnRows(made, held["file"][whole], held["row"][whole], n_all, n_drawn, tuple(missing), train, test)


def _rows_with_vectors(scan: Scan, query: DrawQuery, vectors: Vectors, run: Run) -> Any:
    """The rows of the version and filter whose id has a vector: `file`, `row`, and the `place` of the vector."""
    places = single_ids(vectors.ids)
    places = places[vectors.is_good[places]]
    ids = vectors.ids[places].astype(object)
    found = find_rows(scan, (query.version,), ids, query.where, run)[query.version]
    there = found.is_found
    return pa.table({"file": found.file[there].astype(np.int32), "row": found.row[there], "place": places[there]})


def _say_none(query: DrawQuery) -> str:
    if query.embedding is None:
        return f"Version {query.version} has no labelled rows here, and a fit needs labels."
    return (
        f"No labelled row of version {query.version} here has the id of a vector of {query.embedding.name}, version "
        f"{query.embedding.version}. Choose vectors of the same ids, or fit columns of the file."
    )


def _asked(scan: Scan, query: DrawQuery, splits: tuple[str, ...]) -> Expression:
    """The labelled rows of the version in one of the splits, with their class as `side`, −1 or +1."""
    rows = filtered(scan.prepared, query.where)
    rows = rows.filter(rows[VERSION] == scan.prepared.code(VERSION, query.version))
    if splits:
        rows = rows.filter(rows[SPLIT].isin([scan.prepared.code(SPLIT, each) for each in splits]))
    side = rows.label
    if scan.facts.mapping.is_multiclass:
        rows = rows.filter(rows[CLASS] != scan.prepared.code(CLASS, MISSING_KEY))
        side = ibis.ifelse(rows[CLASS] == scan.prepared.code(CLASS, query.of_class), 1, -1)
    rows = rows.filter(rows.label != 0)
    return rows.select("file", "row", "fold", SPLIT, side=side.cast("int8"))


def _share_of(n: int, n_all: int, most: int) -> int:
    """How many of n rows are drawn so that all are at most so many; each class keeps its share, a rare one some row."""
    return n if n_all <= most else max(1, n * most // n_all)


def _values_of(
    scan: Scan, index: int, columns: Sequence[str], places: np.ndarray[Any, np.dtype[np.int64]], run: Run
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The values of some rows of a file, shape (n, d), in the order of `places`; NaN where there is none."""
    table = scan.dataset.tables[index]
    present = [column for column in columns if table.has_column(column)]
    found = np.full((len(places), len(columns)), np.nan)
    if not present:
        return found
    with scan.stored.raw(run, table, present) as cursor:
        read = value_columns(table, present)
        cursor.register("drawn", pa.table({"place": np.arange(len(places)), "row": places}))
        drawn: Expression = ibis.table({"place": "int64", "row": "int64"}, name="drawn")
        joined = drawn.inner_join(read, drawn.row == read["at"]).order_by("place")
        held = cursor.sql(to_sql(joined)).to_arrow_table()
    for number, column in enumerate(present):
        found[:, columns.index(column)] = held[f"value_{number}"].to_numpy()
    return found
