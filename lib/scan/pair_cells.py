"""Joined pairs to cells of pairs, by one grouping: exact where they are few enough, else in steps of 0.1 or 0.5."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np

from lib.cells import PAIR_SUMS, WEIGHTED_PAIR_SUMS, PairCells
from lib.grid import COARSE, EXACT, MEDIUM, MISSING_BIN, Resolution
from lib.scan.columns import Expression
from lib.scan.compute import CELL_BUDGET, may_be_exact, to_sql
from lib.scan.row_bins import coarse_bin
from lib.scan.scan import Scan
from lib.schema import EVERYTHING, PREDICTED, Filter, cohort_key

SIDES = ("before", "after")


def count_pairs(
    cursor: duckdb.DuckDBPyConnection,
    scan: Scan,
    pairs: Expression,
    where: Filter = EVERYTHING,
    column: str | None = None,
    budget: int = CELL_BUDGET,
) -> PairCells:
    """The pairs whose rows both have a score, as cells; by a cohort column in steps of 0.5.

    Args:
        cursor: an engine cursor on which `pairs` stands for a table.
        scan: whose rows they are.
        pairs: for each side `label_…`, `score_…`, `score_bin_…` and what else there is of weights, answers, cohorts.
        where: the filter that they passed.
        column: a cohort column.
        budget: how many cells are kept at most; the coarsest are kept whatever their number.
    """
    held = pairs.filter(pairs.score_bin_before != MISSING_BIN, pairs.score_bin_after != MISSING_BIN)
    tried = [COARSE] if column is not None else [EXACT, MEDIUM, COARSE]
    if column is None and not may_be_exact(scan.prepared, budget):
        tried.remove(EXACT)
    for resolution in tried:
        grouped = _grouped(scan, held, resolution, column)
        # One more than fits, so that a hopeless resolution costs a grouping and no more.
        table = cursor.sql(to_sql(grouped if resolution == COARSE else grouped.limit(budget + 1))).to_arrow_table()
        if resolution == COARSE or table.num_rows <= budget:
            break
    else:
        raise AssertionError("the coarsest resolution is always kept")

    def numbers(name: str) -> np.ndarray[Any, Any]:
        return table[name].to_numpy(zero_copy_only=False)

    cohorts: list[np.ndarray[Any, Any] | None] = [None, None]
    if column is not None:
        texts = np.array(scan.prepared.texts(cohort_key(column), where), dtype=str)
        cohorts = [texts[numbers(f"cohort_{side}").astype(np.int64)] for side in SIDES]
    names = WEIGHTED_PAIR_SUMS if scan.prepared.weighted else PAIR_SUMS
    label, place = ([numbers(f"{name}_{side}").astype(np.int64) for side in SIDES] for name in ("label", "bin"))
    score = [numbers(f"score_{side}").astype(np.float64) for side in SIDES]
    return PairCells(
        label_before=label[0],
        label_after=label[1],
        bin_before=place[0],
        bin_after=place[1],
        score_before=score[0],
        score_after=score[1],
        sums=np.stack([numbers(name).astype(np.float64) for name in names], axis=1),
        resolution=resolution,
        cohort_before=cohorts[0],
        cohort_after=cohorts[1],
    )


def _grouped(scan: Scan, pairs: Expression, resolution: Resolution, column: str | None) -> Expression:
    by: dict[str, Any] = {}
    for side in SIDES:
        by[f"label_{side}"] = pairs[f"label_{side}"]
        by[f"bin_{side}"] = coarse_bin(pairs[f"score_bin_{side}"], resolution.score_factor)
        if resolution.is_exact:
            by[f"score_{side}"] = pairs[f"score_{side}"]
        if column is not None:
            by[f"cohort_{side}"] = pairs[f"{cohort_key(column)}_{side}"]
    if scan.facts.mapping.is_multiclass:
        changed = pairs[f"{PREDICTED}_before"] != pairs[f"{PREDICTED}_after"]
    else:
        changed = (pairs.score_before > 0) != (pairs.score_after > 0)
    sums = {"n": pairs.count(), "changed": changed.sum(), "moved": (pairs.score_before != pairs.score_after).sum()}
    if scan.prepared.weighted:
        w, v = pairs.weight_before, pairs.weight_after
        sums |= {"w_before": w.sum(), "w_after": v.sum(), "w2_before": (w * w).sum(), "w2_after": (v * v).sum()}
        sums["w_both"] = (w * v).sum()
    if not resolution.is_exact:
        sums |= {f"score_{side}": pairs[f"score_{side}"].mean() for side in SIDES}
    return pairs.aggregate(by=[value.name(name) for name, value in by.items()], **sums)
