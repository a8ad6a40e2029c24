"""Many columns read at once: the very cells that each column by itself has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lib.cells import ValueCells
from lib.errors import Cancelled, SettingsError
from lib.scan import Scan
from lib.scan.features import FeatureRows
from lib.scan.held import HeldTables
from lib.schema import Filter
from lib.sources import Run
from tests.scan.conftest import ScanOf, predictions


def with_features(seed: int = 0, n: int = 4_000) -> pd.DataFrame:
    """Numbers with gaps, infinities, few values, a spike and none at all; a label and a score are missing at times."""
    generator = np.random.default_rng(seed)
    frame = predictions(seed, n)
    gaps = generator.random(n) < 0.1
    return frame.assign(
        amount=np.where(gaps, np.nan, generator.lognormal(0, 1, n)),
        endless=np.where(generator.random(n) < 0.01, np.inf, generator.normal(0, 1, n)),
        count=generator.integers(0, 7, n),
        spike=np.where(generator.random(n) < 0.4, 0.0, generator.normal(5, 1, n)),
        nothing=np.full(n, np.nan),
        y_true=np.where(generator.random(n) < 0.05, np.nan, frame["y_true"]),
        decision_score=np.where(generator.random(n) < 0.05, np.nan, frame["decision_score"]),
    )


COLUMNS = ("amount", "endless", "count", "spike")


def assert_same(mine: ValueCells, theirs: ValueCells) -> None:
    assert mine.bins.column == theirs.bins.column
    np.testing.assert_array_equal(mine.bins.edges, theirs.bins.edges)
    assert mine.factor == theirs.factor
    for key in theirs.groups:
        np.testing.assert_array_equal(mine.groups[key], theirs.groups[key])
    for name in ("group", "bin", "step"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
    np.testing.assert_array_equal(mine.sums[:, 0], theirs.sums[:, 0])
    np.testing.assert_allclose(mine.sums, theirs.sums, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("where", "one_in", "suffix"),
    [
        (Filter(), 1, "parquet"),
        (Filter(cohorts=(("language", "pt"),), split="test"), 1, "csv"),
        (Filter(start=1_767_600_000, end=1_768_400_000), 3, "parquet"),
    ],
)
def test_the_cells_are_those_of_one_column_at_a_time(
    scan_of: ScanOf, monkeypatch: pytest.MonkeyPatch, weighted: bool, where: Filter, one_in: int, suffix: str
) -> None:
    monkeypatch.setattr("lib.scan.features.COLUMNS_AT_ONCE", 3)
    monkeypatch.setattr("lib.scan.features.ROWS_AT_ONCE", 1_000)
    frame = with_features()
    scan = scan_of(frame if weighted else frame.drop(columns="sample_weight"), suffix=suffix, features=COLUMNS)
    assert scan.facts.weighted is weighted
    columns, versions = (*COLUMNS, "language"), ("v9", "v10")
    told: list[str] = []
    mine = [*scan.feature_cells(columns, versions, where, on_column=told.append, most_bins=40, one_in=one_in)]
    theirs = [*HeldTables.feature_cells(scan, columns, versions, where, most_bins=40, one_in=one_in)]
    assert len(mine) == len(theirs) == len(columns)
    for one, other in zip(mine, theirs, strict=True):
        assert_same(one.moved, other.moved)
        assert_same(one.folds, other.folds)
    assert told == ["amount", "spike", "language"]


def test_one_version_and_no_times(scan_of: ScanOf) -> None:
    scan = scan_of(with_features(1).drop(columns="time"), features=COLUMNS)
    (mine,) = scan.feature_cells(("amount",), ("v10",), most_bins=40, one_in=1)
    (theirs,) = HeldTables.feature_cells(scan, ("amount",), ("v10",), most_bins=40, one_in=1)
    assert_same(mine.moved, theirs.moved)
    assert_same(mine.folds, theirs.folds)


def test_many_groups_are_read_a_few_columns_at_a_time(scan_of: ScanOf) -> None:
    scan = scan_of(with_features(2), features=COLUMNS)
    facts = scan.facts
    rows = FeatureRows(
        scan.dataset,
        scan.prepared,
        scan.stored.open_raw(Run()),
        Filter(),
        facts.windows,
        facts.first,
        facts.last,
        ("v9",),
        1,
    )
    names = [f"f{place}" for place in range(65)]
    assert [len(some) for some in rows.batches(names, 40)] == [30, 30, 5]
    assert [len(some) for some in rows.batches(names[:3], 20_000)] == [1, 1, 1]


def test_a_cancelled_pass_stops_between_rows(scan_of: ScanOf) -> None:
    scan: Scan = scan_of(with_features(3), features=COLUMNS)
    run = Run()
    with pytest.raises(Cancelled):
        next(
            scan.feature_cells(
                COLUMNS, ("v9", "v10"), most_bins=40, one_in=1, run=run, on_column=lambda _: run.cancel()
            )
        )


def test_a_column_that_no_file_has_is_named(scan_of: ScanOf) -> None:
    scan = scan_of(with_features(4), features=COLUMNS)
    with pytest.raises(SettingsError, match="no column missing"):
        next(scan.feature_cells(("missing",), ("v9", "v10"), most_bins=40, one_in=1))
