"""Rows found by their id: text for text, the latest of several, one version at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.errors import Cancelled
from lib.scan.by_id import find_rows, single_ids
from lib.schema import Filter
from lib.sources import Run
from tests.scan.conftest import ScanOf, predictions


def texts(*ids: object) -> np.ndarray:
    return np.array([str(each) for each in ids], object)


def small(**columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"id": ["a", "b", "c", "d"], "y_true": [1, 0, None, 1], "decision_score": [2.0, 0.5, 1.0, None]}
    )
    return frame.assign(**columns)


ANSWERS = {"score_kind": "decision", "roles": {"id": "id", "label": "y_true", "score": "decision_score"}}


def test_each_id_has_its_own_row_margin_and_place(scan_of: ScanOf) -> None:
    frame = predictions(3, 600)
    scan = scan_of(frame)
    ids = frame.id.sample(250, random_state=1).to_numpy(object)
    found = find_rows(scan, ("v9", "v10"), np.append(ids, "not there"))
    for version in ("v9", "v10"):
        own = frame[frame.version == version].set_index("id")
        margin = ((2 * own.y_true - 1) * own.decision_score).reindex(np.append(ids, "not there"))
        assert found[version].margin == pytest.approx(margin.to_numpy(), nan_ok=True)
        assert (found[version].is_found == margin.notna().to_numpy()).all()
        there = found[version].is_found
        assert (frame.id.to_numpy()[found[version].row[there]] == np.append(ids, "not there")[there]).all()
        assert found[version].n_several == 0


def test_a_row_without_a_label_or_a_score_is_found_and_has_no_margin(scan_of: ScanOf) -> None:
    found = find_rows(scan_of(small(), **ANSWERS), ("rows",), texts("d", "c", "b", "a"))["rows"]
    assert found.is_found.all()
    assert found.margin == pytest.approx([np.nan, np.nan, -0.5, 2.0], nan_ok=True)


def test_of_several_rows_of_an_id_the_latest_counts(scan_of: ScanOf) -> None:
    frame = small(id="a", time=["2026-01-02", "2026-01-03", None, "2026-01-01"])
    found = find_rows(scan_of(frame, suffix="csv", **ANSWERS), ("rows",), texts("a"))["rows"]
    assert (found.row.tolist(), found.margin.tolist(), found.n_several) == ([1], [-0.5], 1)


def test_without_times_the_first_counts(scan_of: ScanOf) -> None:
    found = find_rows(scan_of(small(id="a"), **ANSWERS), ("rows",), texts("a"))["rows"]
    assert (found.row.tolist(), found.n_several) == ([0], 1)


def test_a_filter_chooses_among_several(scan_of: ScanOf) -> None:
    scan = scan_of(small(id="a", split=["train", "test", "test", "test"]), **ANSWERS)
    assert find_rows(scan, ("rows",), texts("a"), Filter(split="test"))["rows"].row.tolist() == [1]


@pytest.mark.parametrize(
    ("held", "wanted", "is_found"),
    [
        ([7, 8, 9, 10], ["7", "007"], [True, False]),
        (["007", "008", "x", "y"], ["7", "007"], [False, True]),
        (["7", "8", "x", "y"], ["7", "7.0"], [True, False]),
        (["é", "e", " f", "g"], ["é", "E", "f"], [True, False, False]),
    ],
    ids=["numbers", "leading zeros", "digits", "as they stand"],
)
def test_ids_are_compared_character_by_character(
    scan_of: ScanOf, held: list[object], wanted: list[str], is_found: list[bool]
) -> None:
    for suffix in ("parquet", "csv"):
        scan = scan_of(small(id=held), suffix=suffix, **ANSWERS)
        assert find_rows(scan, ("rows",), texts(*wanted))["rows"].is_found.tolist() == is_found


def test_ids_of_several_rows_and_missing_ones_name_nothing() -> None:
    assert single_ids(np.array(["a", "b", "a", "", "NA", "c"], object)).tolist() == [1, 5]
    assert single_ids(np.array(["1", "2", "1"])).tolist() == [1]


def test_it_can_be_cancelled(scan_of: ScanOf) -> None:
    run, scan = Run(), scan_of(small(), **ANSWERS)
    run.cancel()
    with pytest.raises(Cancelled):
        find_rows(scan, ("rows",), texts("a"), run=run)
