"""Cells of pairs against a merge by pandas: exact, on the grid, by cohort, with weights and several classes."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest

from lib.cells import PairCells
from lib.grid import EXACT, MEDIUM, coarsen_id, score_id
from lib.scan import Scan
from lib.scan.pair_cells import count_pairs
from lib.scan.pairs import PairQuery, Pairs, read_pairs
from lib.schema import EVERYTHING
from tests.scan.conftest import ScanOf
from tests.scan.test_pairs import two_versions

QUERY = PairQuery("old", "new", EVERYTHING, (0.0,), cap=1e100, cells=True)


def merged(frame: pd.DataFrame) -> pd.DataFrame:
    """The pairs of rows that both have a score, by pandas."""
    once = frame[~frame.duplicated(["version", "id"], keep=False)]
    scored = once[once["decision_score"].notna()].assign(y=lambda rows: rows["y"].fillna(0).astype(int))
    return scored[scored["version"] == "old"].merge(
        scored[scored["version"] == "new"], on="id", suffixes=("_before", "_after")
    )


def counted(cells: PairCells) -> dict[tuple[float, ...], tuple[float, ...]]:
    """Cells as a dictionary."""
    keys = np.stack([cells.label_before, cells.label_after, cells.bin_before, cells.bin_after], axis=1)
    return dict(zip(map(tuple, keys.tolist()), map(tuple, np.round(cells.sums, 7).tolist()), strict=True))


def expected(both: pd.DataFrame, factor: int) -> dict[tuple[float, ...], tuple[float, ...]]:
    """The same of merged rows, by pandas."""
    before, after = both["decision_score_before"], both["decision_score_after"]
    rows = pd.DataFrame(
        {
            "label_before": both["y_before"],
            "label_after": both["y_after"],
            "bin_before": coarsen_id(score_id(before), factor),
            "bin_after": coarsen_id(score_id(after), factor),
            "n": 1.0,
            "changed": ((before > 0) != (after > 0)).astype(float),
            "moved": (before != after).astype(float),
        }
    )
    if "w_before" in both:
        w, v = both["w_before"], both["w_after"]
        rows = rows.assign(w=w, v=v, ww=w * w, vv=v * v, wv=w * v)
    sums = rows.groupby(["label_before", "label_after", "bin_before", "bin_after"]).sum().round(7)
    return {key: tuple(row) for key, row in zip(sums.index, sums.to_numpy().tolist(), strict=True)}


def read(scan: Scan) -> Pairs:
    pairs = read_pairs(scan, QUERY)
    assert pairs.cells is not None
    return pairs


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("numbers", [False, True], ids=["texts", "numbers"])
def test_pairs_are_those_of_a_merge(scan_of: ScanOf, numbers: bool, weighted: bool) -> None:
    frame = two_versions(1, numbers=numbers)
    roles = {"id": "id"}
    if weighted:
        frame["w"] = np.random.default_rng(0).gamma(2.0, 1.0, len(frame))
        roles["weight"] = "w"
    scan = scan_of(frame, roles=roles)
    cells = read(scan).cells
    assert cells is not None
    assert cells.resolution == EXACT
    assert cells.weighted is weighted
    both = merged(frame)
    assert cells.n_pairs == len(both) > 500
    assert counted(cells) == expected(both, 1)
    assert np.array_equal(score_id(cells.score_before), cells.bin_before)


def test_many_are_kept_in_steps_and_still_decided_exactly(scan_of: ScanOf) -> None:
    frame = two_versions(2)
    frame["decision_score"] = (frame["decision_score"] / 6).round(3)
    frame.loc[::50, "decision_score"] = 0.0
    scan = scan_of(frame, roles={"id": "id"})
    exact = read(scan).cells
    assert exact is not None
    with scan.stored.rows() as cursor:
        both = merged(frame)
        columns = {
            "label_before": both["y_before"],
            "label_after": both["y_after"],
            "score_before": both["decision_score_before"],
            "score_after": both["decision_score_after"],
            "score_bin_before": score_id(both["decision_score_before"]),
            "score_bin_after": score_id(both["decision_score_after"]),
        }
        cursor.register("pairs", pd.DataFrame(columns))
        kinds = {name: "int64" if "bin" in name or "label" in name else "float64" for name in columns}
        table = ibis.table(kinds, name="pairs")
        cells = count_pairs(cursor, scan, table, budget=550)
    assert cells.resolution == MEDIUM
    assert counted(cells) == expected(both, 5)
    for after in (False, True):
        assert cells.n[cells.is_right(after=after)].sum() == exact.n[exact.is_right(after=after)].sum()
        short, open_ = cells.is_short(0.2, after=after)
        assert not open_.any()
        labelled = (cells.label_after if after else cells.label_before) != 0
        margin = both[f"y_{'after' if after else 'before'}"] * both[f"decision_score_{'after' if after else 'before'}"]
        there = both[f"y_{'after' if after else 'before'}"] != 0
        assert cells.n[short & labelled].sum() == (margin[there] < 0.2).sum()
        short, open_ = cells.is_short(0.23, after=after)
        off = abs(cells.n[short & labelled].sum() - (margin[there] < 0.23).sum())
        assert off <= cells.n[open_ & labelled].sum()


def test_cohorts_of_both_rows_are_kept(scan_of: ScanOf) -> None:
    frame = two_versions(3)
    frame.loc[frame["version"] == "new", "language"] = frame["language"].replace({"pt": "br"})
    scan = scan_of(frame, roles={"id": "id"}, cohorts=("language",))
    (cells,) = read(scan).by_cohort.values()
    assert cells.cohort_before is not None
    assert cells.cohort_after is not None
    both = merged(frame)
    found = pd.DataFrame({"before": cells.cohort_before, "after": cells.cohort_after, "n": cells.n})
    assert (
        found.groupby(["before", "after"])["n"].sum().to_dict()
        == both.groupby(["language_before", "language_after"]).size().to_dict()
    )
    changed = (both["decision_score_before"] > 0) != (both["decision_score_after"] > 0)
    assert cells.total("changed").sum() == changed.sum()


def test_several_classes_change_their_answer(scan_of: ScanOf) -> None:
    rng = np.random.default_rng(5)
    label = rng.choice(["a", "b", "c"], 200)
    parts: list[pd.DataFrame] = []
    for version in ("old", "new"):
        p = rng.dirichlet([1, 1, 1], 200)
        part = pd.DataFrame(p, columns=["prob_a", "prob_b", "prob_c"])
        parts.append(part.assign(id=np.arange(200), version=version, label=label))
    cells = read(scan_of(pd.concat(parts, ignore_index=True), roles={"id": "id"})).cells
    assert cells is not None
    first, second = (part[["prob_a", "prob_b", "prob_c"]].to_numpy().argmax(axis=1) for part in parts)
    assert cells.total("changed").sum() == (first != second).sum()
    truth = np.searchsorted(["a", "b", "c"], label)
    assert cells.n[cells.is_right(after=True)].sum() == (second == truth).sum()
