"""Counts along time against a plain loop over the same rows, from saved cells too, and how wide buckets are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lib.cells import COUNTS
from lib.scan import read_cells, save_cells
from lib.scan.timeline import MOST_BUCKETS, choose_buckets
from lib.scan.windows import DAY, HOUR, MINUTE
from lib.schema import Filter
from tests.scan.conftest import ScanOf, predictions


@pytest.fixture
def frame() -> pd.DataFrame:
    rows = predictions(3, 3000, probability=True).drop(columns="sample_weight")
    rows.loc[::7, "y_true"] = np.nan
    rows.loc[::11, "y_prob"] = np.nan
    return rows


def by_hand(frame: pd.DataFrame, gamma: float) -> dict[str, float]:
    p, y = frame["y_prob"], frame["y_true"]
    s = np.log(p / (1 - p))
    both = p.notna() & y.notna()
    m = np.where(y == 1, s, -s)
    expected_violations = p * (s < gamma) + (1 - p) * (-s < gamma)
    expected_errors = np.minimum(p, 1 - p)
    return {
        "n": len(frame),
        "scored": p.notna().sum(),
        "labelled": both.sum(),
        "violations": (both & (m < gamma)).sum(),
        "positives": (both & (y == 1)).sum(),
        "missed": (both & (y == 1) & (s <= 0)).sum(),
        "false_alarms": (both & (y == 0) & (s > 0)).sum(),
        "expected_violations": expected_violations[p.notna()].sum(),
        "expected_errors": expected_errors[p.notna()].sum(),
        "expected_violations_labelled": expected_violations[both].sum(),
        "expected_errors_labelled": expected_errors[both].sum(),
    }


@pytest.mark.parametrize("gamma", [1.0, 0.4])
def test_counts_are_those_of_the_rows(scan_of: ScanOf, frame: pd.DataFrame, gamma: float) -> None:
    scan = scan_of(frame)
    whole = scan.timeline(None, margin_target=gamma)
    assert whole is not None
    assert {name: pytest.approx(each) for name, each in by_hand(frame, gamma).items()} == dict(
        zip(COUNTS, whole.series(*COUNTS).sum(axis=1), strict=True)
    )
    by_language = scan.timeline("language", margin_target=gamma)
    assert by_language is not None
    assert by_language.width == 5 * MINUTE
    some = frame[(frame["language"] == "pt") & (frame["version"] == "v9")]
    bucket = (some["time"] - pd.Timestamp(by_language.start, unit="s")) // pd.Timedelta(by_language.width, "s")
    n, labelled = by_language.series("n", "labelled", value="pt", version="v9")
    assert n.tolist() == np.bincount(bucket, minlength=by_language.n_buckets).tolist()
    assert labelled.sum() == by_hand(some, gamma)["labelled"]
    every = by_language.courses("n", "labelled", version="v9")
    assert every[by_language.values.index("pt")].tolist() == [n.tolist(), labelled.tolist()]
    assert by_language.series("n", value="xx").sum() == 0
    assert len(by_language.edges) == by_language.n_buckets + 1


def test_a_filter_and_saved_cells_give_the_same_totals(scan_of: ScanOf, frame: pd.DataFrame, tmp_path) -> None:
    scan = scan_of(frame)
    only = Filter(cohorts=(("language", "de"),))
    filtered = scan.timeline(None, only)
    assert filtered is not None
    assert filtered.series("n").sum() == (frame["language"] == "de").sum()
    save_cells(scan, tmp_path / "cells.parquet")
    saved = read_cells(tmp_path / "cells.parquet", "cells.parquet")
    counted = COUNTS[:7]
    for column in (None, "language"):
        ours, theirs = scan.timeline(column), saved.timeline(column)
        assert ours is not None
        assert theirs is not None
        assert theirs.width == saved.facts.windows.width  # type: ignore[union-attr]
        assert theirs.series(*counted).sum(axis=1).tolist() == ours.series(*counted).sum(axis=1).tolist()
    assert scan.timeline(None, margin_target=2.0) is not scan.timeline(None)


def test_without_times_there_is_no_timeline(scan_of: ScanOf, frame: pd.DataFrame) -> None:
    assert scan_of(frame.drop(columns="time")).timeline() is None


def test_buckets_are_short_and_not_too_many() -> None:
    assert choose_buckets(0, 30 * DAY - 1, 80_000, 40).width == 5 * MINUTE
    assert choose_buckets(0, 8 * HOUR, 80_000, 40).width == MINUTE
    assert choose_buckets(0, 30 * DAY - 1, 10_000_000, 400).width == HOUR
    for days in (1, 30, 90, 365, 3650):
        grid = choose_buckets(0, days * DAY - 1, 1_000_000)
        assert (grid.start(days * DAY - 1) - grid.start(0)) // grid.width < MOST_BUCKETS
