"""All values of a cohort column that its tables gather as one, each with a few sums over its rows: what a search needs.

A table of cells by so many values would have as many cells as there are rows. A search for faulty values asks for less:
how many rows lack a score or a label, how scores order the classes, how many margins are small, and whether one score
holds most rows. All of these add up, but for the last, which is counted where it may be so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.cells import Cells
from lib.grid import MISSING_BIN, SCORE_STEPS_PER_UNIT
from lib.metrics.ranks import NEGATIVES, POSITIVES, R_NEGATIVES, R_POSITIVES, R_SQUARES, Ranks
from lib.scan.columns import Expression
from lib.scan.compute import PreparedRows, filtered, to_sql
from lib.scan.hashes import hash_of, hash_score
from lib.scan.row_bins import coarse_bin
from lib.scan.rows import value_key
from lib.schema import LABEL, VERSION, Filter, Outside, cohort_key

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEAST_ROWS = 20
"""Values with fewer rows, under no filter, are not told apart: no check could say anything of them."""
MOST_VALUES = 100_000
"""So many values are told apart, those with most rows; the others stay together."""
MOST_SUMS = 200_000
"""Values times versions: with more than two versions there are fewer values. A table takes under 50 MB."""
LAST_MARGIN, MARGIN_STEPS = 3.0, 30
"""Rows are counted below margins of 0 to 3 in steps of 0.1, as far as the slider of γ goes."""
BATCH_ROWS = 500_000
"""Rows are added up so many at a time."""
N_BUCKETS = 8
"""Scores are counted by one of so many marks: where no mark has half of the rows, no score has."""


@dataclass(frozen=True, eq=False)
class RareValues:
    """Sums by version and value of a cohort column, over its values that tables gather as one.

    Attributes:
        column: the cohort column.
        versions: the V versions.
        values: the K values, those with most rows first.
        others: the name under which tables gather them.
        n, unscored, unlabelled: shape (V, K), rows, those without a score, and those without a label.
        order: shape (V, K, 5), as `lib.metrics.ranks` has them.
        below: shape (V, K, 31), labelled and scored rows with a margin below 0, 0.1 … 3.
        modes: shape (M,), the scores that hold at least half of the scored rows of a value, in a version or in all.
        mode_values: shape (M,), the place of the value of each.
        mode_rows: shape (V, M), the rows that each holds.
    """

    column: str
    versions: tuple[str, ...]
    values: tuple[str, ...]
    others: str
    n: FloatArray
    unscored: FloatArray
    unlabelled: FloatArray
    order: FloatArray
    below: NDArray[np.int32]
    modes: FloatArray
    mode_values: IntArray
    mode_rows: FloatArray

    def violations(self, margin_target: float) -> FloatArray:
        """Shape (V, K): labelled rows with m < γ, or with m below the nearest of the steps that is not above γ."""
        step = np.floor(margin_target / LAST_MARGIN * MARGIN_STEPS + 1e-9)
        return self.below[..., int(np.clip(step, 0, MARGIN_STEPS))].astype(np.float64)

    def holding(self, score: float) -> FloatArray:
        """Shape (V, K): rows with that score of those values of which it holds at least half."""
        rows = np.zeros_like(self.n)
        same = np.abs(self.modes - score) <= 1e-6 * max(1.0, abs(score))
        np.add.at(rows.T, self.mode_values[same], self.mode_rows[:, same].T)
        return rows


def choose_values(cursor: duckdb.DuckDBPyConnection, kept: Sequence[str], n_versions: int) -> Any:
    """The values to tell apart, as an Arrow table of `text`, `hashed` and `place`.

    Args:
        cursor: on which `found` is a view of what `lib.scan.lookup.values_of` gave.
        kept: the values that tables hold by themselves.
        n_versions: how many versions there are.
    """
    found: Expression = ibis.table({"value": "string", "n": "int64"}, name="found")
    most = min(MOST_VALUES, max(1, MOST_SUMS // max(1, n_versions)))
    many = found.filter(found.n >= LEAST_ROWS, ~found.value.isin(list(kept)))
    chosen = many.order_by(ibis.desc("n"), "value").limit(most).select(text="value", hashed=hash_of(many.value))
    table = cursor.sql(to_sql(chosen)).to_arrow_table()
    return table.append_column("place", pa.array(np.arange(len(table), dtype=np.int32)))


def sum_values(
    cursor: duckdb.DuckDBPyConnection,
    prepared: PreparedRows,
    column: str,
    chosen: Any,
    where: Filter,
    outside: Outside,
    by_version: Cells,
    versions: tuple[str, ...],
) -> RareValues:
    """The sums of the chosen values over the usable rows that pass a filter and are in none of the parts outside.

    Args:
        cursor: on which `prepared` is a view of the prepared rows.
        prepared: what is known of them.
        column: the cohort column.
        chosen: what `choose_values` gave.
        where: which rows.
        outside: parts to leave out.
        by_version: cells by version under the filter, by which scores are ranked.
        versions: what the first axis is of.
    """
    cursor.register("chosen_rows", chosen)
    cursor.execute("CREATE OR REPLACE TEMP TABLE chosen AS SELECT * FROM chosen_rows")
    cursor.register("ranked_rows", _ranked(by_version, prepared))
    cursor.execute("CREATE OR REPLACE TEMP TABLE ranked AS SELECT * FROM ranked_rows")
    rows = _of_chosen(prepared, column, where, outside)
    sums = _Sums(len(versions), len(chosen))
    codes = [prepared.code(VERSION, each) for each in versions]
    for batch in cursor.sql(to_sql(_with_ranks(rows, by_version, codes))).to_arrow_reader(BATCH_ROWS):
        sums.add({name: batch[name].to_numpy(zero_copy_only=False) for name in batch.schema.names})
    return RareValues(
        column,
        versions,
        tuple(chosen["text"].to_pylist()),
        prepared.gathered[cohort_key(column)],
        sums.n,
        sums.unscored,
        sums.n - sums.labelled,
        sums.order,
        np.cumsum(sums.steps, axis=-1, dtype=np.int32),
        *_find_modes(cursor, rows, codes, sums),
    )


class _Sums:
    """Sums by version and value that grow batch by batch; nothing is held by row."""

    def __init__(self, n_versions: int, n_values: int) -> None:
        self.shape = n_versions, n_values
        self.n, self.unscored, self.labelled = (np.zeros(self.shape) for _ in range(3))
        self.order = np.zeros((*self.shape, 5))
        self.steps = np.zeros((*self.shape, MARGIN_STEPS + 1), np.int32)
        self.buckets = np.zeros((*self.shape, N_BUCKETS), np.int32)

    def add(self, rows: dict[str, Any]) -> None:
        """Add rows: `version` and `place`, `label`, `r` and `rr` (null without a score), `step` and `bucket`."""
        at = rows["version"].astype(np.int64) * self.shape[1] + rows["place"]
        label, has_score = rows[LABEL], rows["bucket"] >= 0
        positive, negative = has_score & (label > 0), has_score & (label < 0)
        self.n += self._counted(at)
        self.unscored += self._counted(at[~has_score])
        self.labelled += self._counted(at[label != 0])
        self.order[..., POSITIVES] += self._counted(at[positive])
        self.order[..., NEGATIVES] += self._counted(at[negative])
        self.order[..., R_POSITIVES] += self._counted(at[positive], rows["r"][positive])
        self.order[..., R_NEGATIVES] += self._counted(at[negative], rows["r"][negative])
        both = positive | negative
        self.order[..., R_SQUARES] += self._counted(at[both], rows["rr"][both])
        small = both & (rows["step"] <= MARGIN_STEPS)
        self.steps += self._crossed(at[small], rows["step"][small], MARGIN_STEPS + 1)
        self.buckets += self._crossed(at[has_score], rows["bucket"][has_score], N_BUCKETS)

    def _counted(self, at: IntArray, weights: FloatArray | None = None) -> FloatArray:
        counts = np.bincount(at, weights, minlength=self.shape[0] * self.shape[1])
        return counts.astype(np.float64, copy=False).reshape(self.shape)

    def _crossed(self, at: IntArray, with_place: IntArray, n: int) -> NDArray[np.int32]:
        size = self.shape[0] * self.shape[1] * n
        return np.bincount(at * n + with_place, minlength=size).astype(np.int32).reshape(*self.shape, n)


def _of_chosen(prepared: PreparedRows, column: str, where: Filter, outside: Outside) -> Expression:
    """The rows of the chosen values, each with the `place` of its value."""
    rows = filtered(prepared, where, outside)
    chosen: Expression = ibis.table({"hashed": "uint64", "place": "int32"}, name="chosen")
    return rows.join(chosen, rows[value_key(cohort_key(column))] == chosen.hashed)


def _ranked(by_version: Cells, prepared: PreparedRows) -> Any:
    """For each version and score, or bin of scores, r and the mean of r², as an Arrow table."""
    middle, low, high = Ranks(by_version).places(by_version)
    codes = np.array([prepared.code(VERSION, str(each)) for each in by_version.groups[VERSION]], np.int32)
    table = {
        "version": codes[by_version.block // 3] if len(codes) else np.zeros(0, np.int32),
        "r": middle,
        "rr": middle**2 + (high - low) ** 2 / 12,
    }
    table |= {name: by_version.columns()[name] for name in (LABEL, *_same(by_version))}
    scored = by_version.score_bin != MISSING_BIN
    return pa.table({name: pa.array(values[scored]) for name, values in table.items()})


def _same(by_version: Cells) -> tuple[str, ...]:
    """By what a row finds the cell of its score."""
    return ("score",) if by_version.resolution.is_exact else ("score_bin", "probability_bin")


def _with_ranks(rows: Expression, by_version: Cells, codes: Sequence[int]) -> Expression:
    """What `_Sums` adds up of each row."""
    kinds = {"score": "float64", "score_bin": "int32", "probability_bin": "int32"}
    same = _same(by_version)
    ranked: Expression = ibis.table(
        {"version": "int32", LABEL: "int8", "r": "float64", "rr": "float64", **{name: kinds[name] for name in same}},
        name="ranked",
    )
    resolution = by_version.resolution
    factors = {"score_bin": resolution.score_factor, "probability_bin": resolution.probability_factor}
    own = {name: coarse_bin(rows[name], factors.get(name, 1)) for name in same}
    on = [rows[VERSION] == ranked.version, rows[LABEL] == ranked[LABEL]]
    rows = rows.left_join(ranked, [*on, *(own[name] == ranked[name] for name in same)])
    # Ids of edges are even, twice their step: the first step that lies above the margin.
    position = (rows[LABEL] * rows.score_bin).cast("int32") / (2 * LAST_MARGIN * SCORE_STEPS_PER_UNIT / MARGIN_STEPS)
    mark: Expression = hash_score(rows.score)
    return rows.select(
        version=ibis.array(list(codes)).index(rows[VERSION]).cast("int32"),
        place=rows.place,
        label=rows[LABEL],
        step=(position.floor() + 1).clip(0, MARGIN_STEPS + 1).cast("int16").fill_null(0),
        bucket=ibis.ifelse(rows.score.isnull(), -1, mark % N_BUCKETS).cast("int8"),
        r=rows.r,
        rr=rows.rr,
    )


def _find_modes(
    cursor: duckdb.DuckDBPyConnection, rows: Expression, codes: Sequence[int], sums: _Sums
) -> tuple[FloatArray, IntArray, FloatArray]:
    """The scores that hold at least half of the rows of a value, the value of each, and its rows by version.

    Only the values of which a mark holds as many are counted by score.
    """
    scored = np.concatenate((sums.n - sums.unscored, (sums.n - sums.unscored).sum(axis=0, keepdims=True)))
    largest = np.concatenate((sums.buckets.max(axis=-1), sums.buckets.sum(axis=0).max(axis=-1)[None]))
    likely = np.flatnonzero(((2 * largest >= scored) & (scored >= LEAST_ROWS)).any(axis=0))
    if not len(likely):
        return np.zeros(0), np.zeros(0, np.int64), np.zeros((len(codes), 0))
    cursor.register("likely", pa.table({"likely": pa.array(likely.astype(np.int32))}))
    among: Expression = ibis.table({"likely": "int32"}, name="likely")
    held = rows.filter(rows.score.notnull())
    held = held.join(among, held.place == among.likely)
    by_version = {f"n_{place}": held.count(where=held[VERSION] == code) for place, code in enumerate(codes)}
    counted = held.aggregate(by=[held.place, held.score], n=held.count(), **by_version)
    found = cursor.sql(to_sql(counted.filter(counted.n >= LEAST_ROWS / 2))).to_arrow_table()
    place = found["place"].to_numpy().astype(np.int64)
    held_rows = np.stack([found[name].to_numpy().astype(np.float64) for name in (*by_version, "n")])
    most = ((2 * held_rows >= scored[:, place]) & (scored[:, place] >= LEAST_ROWS)).any(axis=0)
    return found["score"].to_numpy()[most], place[most], held_rows[:-1, most]
