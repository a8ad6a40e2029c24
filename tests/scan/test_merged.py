"""Cells of several files added up: the same as cells of the whole, and a sentence where they do not fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.errors import DataError
from lib.grid import EXACT, MEDIUM, Resolution
from lib.scan import SavedCells, Scan, merge_cells, read_cells, save_cells
from lib.scan.held import HeldTables
from lib.scan.tables import default_tables
from lib.schema import NO_WINDOW, SPLIT, VERSION, WINDOW, LabelEncoding
from tests.scan.conftest import ScanOf, predictions

ANSWERS = {"cohorts": ("language",), "features": ()}


@pytest.fixture
def saved(scan_of: ScanOf, tmp_path: Path) -> Callable[..., SavedCells]:
    """The cells of a frame, written and read again."""

    def make(frame: pd.DataFrame, name: str = "rows", **options: object) -> SavedCells:
        path = tmp_path / f"{name}.cells.parquet"
        save_cells(scan_of(frame, name=name, **{**ANSWERS, **options}), path)
        return read_cells(path, path.name)

    return make


def days(frame: pd.DataFrame) -> list[pd.DataFrame]:
    return [day.reset_index(drop=True) for _, day in frame.groupby(frame["time"].dt.date)]


def assert_same_tables(merged: HeldTables, whole: Scan) -> None:
    for keys, finest in default_tables(whole.facts.cohorts, has_time=whole.facts.windows is not None):
        expected, got = whole.cells(keys, finest=finest), merged.cells(keys, finest=finest)
        # From rows a hopeless resolution is not tried; what is merged may have come out finer.
        assert got.resolution.order <= expected.resolution.order
        got = got.coarsen(expected.resolution)
        for name, values in expected.columns().items():
            if values.dtype.kind == "f" and name != "n":
                np.testing.assert_allclose(got.columns()[name], values, rtol=1e-12, atol=1e-300)
            else:
                assert (got.columns()[name] == values).all()


def assert_same_facts(merged: HeldTables, whole: Scan) -> None:
    names = ("n_rows", "versions", "splits", "cohorts", "windows", "first", "last", "weighted", "problems")
    for name in (*names, "version_starts", "version_ends", "n_clipped"):
        assert getattr(merged.facts, name) == getattr(whole.facts, name), name


@pytest.mark.parametrize(
    ("together", "digits", "budget", "resolution"),
    [(1, 2, 250_000, EXACT), (7, 12, 250_000, EXACT), (7, 12, 5_000, MEDIUM)],
)
def test_thirty_daily_files_are_the_whole(
    scan_of: ScanOf,
    saved,
    monkeypatch: pytest.MonkeyPatch,
    together: int,
    digits: int,
    budget: int,
    resolution: Resolution,
) -> None:
    """A file for each day, or for so many days together."""
    monkeypatch.setattr("lib.scan.merged.CELL_BUDGET", budget)
    frame = predictions(5, 12_000)
    frame["time"] += pd.to_timedelta(frame.index % 11, unit="D")
    frame["decision_score"] = frame["decision_score"].round(digits)
    frame.loc[frame.index % 97 == 0, "decision_score"] = np.nan
    frame.loc[frame.index % 89 == 0, "decision_score"] = np.inf
    frame.loc[frame["version"] == "v9", "time"] += pd.Timedelta(hours=7)
    daily = days(frame)
    assert len(daily) >= 30
    parts = [pd.concat(daily[k : k + together], ignore_index=True) for k in range(0, len(daily), together)]
    merged = merge_cells(
        [saved(part, f"day-{k}", budget=budget) for k, part in enumerate(parts)], [f"{k}" for k in range(len(parts))]
    )
    whole = scan_of(frame, name="whole", budget=budget, **ANSWERS)
    assert whole.cells((VERSION, SPLIT)).resolution is resolution
    assert_same_facts(merged, whole)
    assert_same_tables(merged, whole)
    assert len(merged.facts.inputs) == len(parts)
    assert merged.facts.saved


def test_files_that_are_versions_keep_the_order_in_which_they_are_given(saved) -> None:
    frame = predictions(31, 400).drop(columns="version")
    later = frame.assign(time=frame["time"] + pd.Timedelta(days=60))
    parts = {"main": saved(later, "main"), "candidate": saved(frame, "candidate")}
    for names in (("main", "candidate"), ("candidate", "main")):
        assert merge_cells([parts[name] for name in names], names).facts.versions == names
    keys = {
        merge_cells([parts[name] for name in names], names).facts.key
        for names in (("main", "candidate"), ("candidate", "main"))
    }
    assert len(keys) == 2
    # Versions of a column have their own order, and files in any are the same dataset.
    both = predictions(32, 800)
    first, last = saved(both.iloc[:400], "first"), saved(both.iloc[400:], "last")
    merged = [merge_cells(given, ["a", "b"]).facts for given in ([first, last], [last, first])]
    assert (merged[0].versions, merged[0].key) == (merged[1].versions, merged[1].key)


def test_probabilities_and_a_file_without_readable_times(scan_of: ScanOf, saved) -> None:
    frame = predictions(6, 4_000, probability=True)
    frame.loc[:20, "y_prob"] = 1.0
    timed, timeless = frame.iloc[:3_000], frame.iloc[3_000:].assign(time=pd.to_datetime("NaT"))
    merged = merge_cells([saved(timed, "a"), saved(timeless, "b", roles={"time": "time"})], ["a", "b"])
    whole = scan_of(pd.concat([timed, timeless]), name="whole", **ANSWERS)
    assert whole.facts.n_clipped == 21
    assert_same_facts(merged, whole)
    assert_same_tables(merged, whole)
    assert NO_WINDOW in merged.cells((VERSION, SPLIT, WINDOW)).groups[WINDOW]


def test_the_coarsest_resolution_and_the_widest_windows_are_taken(scan_of: ScanOf, saved) -> None:
    frame = predictions(7, 6_000)
    few = frame.iloc[:100]
    rest = frame.iloc[100:].reset_index(drop=True)
    merged = merge_cells([saved(few, "few"), saved(rest, "rest", budget=2_000)], ["few", "rest"])
    whole = scan_of(frame, name="whole", budget=2_000, **ANSWERS)
    assert merged.cells((VERSION, SPLIT)).resolution is MEDIUM
    np.testing.assert_array_equal(
        merged.cells((VERSION, SPLIT)).scored.n, whole.cells((VERSION, SPLIT)).coarsen(MEDIUM).scored.n
    )
    minute = few.assign(time=pd.to_datetime("2026-01-01"))
    merged = merge_cells([saved(minute, "minute"), saved(rest, "rest")], ["minute", "rest"])
    assert merged.facts.windows == whole.facts.windows


def test_spellings_of_the_classes_are_united(saved) -> None:
    frame = predictions(8, 2_000)
    texts = frame.assign(y_true=frame["y_true"].map({1: "yes", 0: "no"}))
    more = texts.assign(y_true=texts["y_true"].replace({"yes": "YES"}), id=texts["id"] + "b").iloc[:500]
    merged = merge_cells([saved(texts, "a"), saved(pd.concat([more, texts.iloc[:5]]), "b")], ["a", "b"])
    assert merged.facts.mapping.label_encoding == LabelEncoding(("yes", "YES"), ("no",))


def test_what_does_not_fit_is_a_sentence(saved, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = predictions(9, 2_000)
    other = predictions(10, 2_000)
    one = saved(frame, "one")
    twins = saved(other.rename(columns={"version": "v"}), "log", roles={"version": ""})
    for changed, sentence in (
        (saved(frame.drop(columns="split"), "again"), "the split is split in the first and none in the second"),
        (saved(other, "logits", score_kind="logit"), "the score kind is decision in the first and logit in the second"),
        (saved(other, "cohorts", cohorts=()), "b.parquet has no cells by language. Write it again with the same"),
        (saved(other, "turned", pos_label="0"), "the positive class is 1 in the first and 0 in the second"),
        (saved(other.drop(columns="sample_weight"), "plain"), "the weight is sample_weight in the first and none in"),
        (one, "a.parquet and b.parquet both hold the rows of one.parquet, which would count twice"),
    ):
        with pytest.raises(DataError) as caught:
            merge_cells([one, changed], ["a.parquet", "b.parquet"])
        assert sentence in str(caught.value)
    again = SavedCells(dataclasses.replace(twins.facts, inputs=()), twins.tables)
    with pytest.raises(DataError, match="both hold a file named log, and without a version column"):
        merge_cells([twins, again], ["a", "b"])
    monkeypatch.setattr("lib.scan.merged.MAX_VERSIONS", 1)
    with pytest.raises(DataError, match="hold 2 versions, and at most 1 are compared"):
        merge_cells([one, saved(other, "two")], ["a", "b"])
