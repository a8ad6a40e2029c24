"""The few row queries: what is behind a bar, the worst rows, and what was rejected."""

from __future__ import annotations

import numpy as np
import pytest

from lib.metrics.margins import margin_histogram
from lib.scan import Order, RowQuery, count_rows, list_rejected, list_rows
from lib.scan.masking import MASK
from lib.schema import VERSION, Filter
from lib.sources import Run
from tests.scan.conftest import ScanOf, predictions


def test_the_rows_behind_a_bar_are_as_many_as_the_bar_says(scan_of: ScanOf) -> None:
    frame = predictions(21, 2000)
    frame["decision_score"] = frame["decision_score"].round(1)
    scan = scan_of(frame)
    edges = np.round(np.arange(-3.0, 3.01, 0.5), 2)
    cells = scan.cells((VERSION,))
    histogram = margin_histogram(cells, edges)
    for group, version in enumerate(cells.groups[VERSION]):
        for bar in range(len(edges) - 1):
            for index, label in enumerate((-1, 1)):
                query = RowQuery(
                    version=str(version), label=label, margin_from=float(edges[bar]), margin_to=float(edges[bar + 1])
                )
                assert count_rows(scan, query) == histogram.n[group, index, bar]


def test_rows_carry_their_record_and_their_own_columns(scan_of: ScanOf) -> None:
    frame = predictions(22, 300)
    page = list_rows(scan_of(frame, suffix="csv"), RowQuery(order=Order.LOSS, limit=5))
    assert len(page) == 5
    assert list(page["loss"]) == sorted(page["loss"], reverse=True)
    for row in page.to_dict("records"):
        own = frame.iloc[row["record"] - 1]
        assert row["id"] == own["id"]
        assert row["score"] == pytest.approx(own["decision_score"])
        assert row["margin"] == pytest.approx((2 * own["y_true"] - 1) * own["decision_score"])


def test_pages_follow_each_other(scan_of: ScanOf) -> None:
    scan = scan_of(predictions(23, 100))
    pages = [list_rows(scan, RowQuery(order=Order.MARGIN, limit=30, offset=offset)) for offset in (0, 30, 60, 90)]
    records = [record for page in pages for record in page["record"]]
    assert sorted(records) == list(range(1, 101))


def test_filters_and_emptiness(scan_of: ScanOf) -> None:
    scan = scan_of(predictions(24, 100))
    assert count_rows(scan, RowQuery(where=Filter((("language", "pt"),)))) > 0
    nothing = list_rows(scan, RowQuery(where=Filter((("language", "xx"),))))
    assert nothing.empty
    assert "record" in nothing.columns


def test_rejected_records_name_their_place(scan_of: ScanOf) -> None:
    frame = predictions(25, 50).astype({"decision_score": object})
    frame.loc[7, "decision_score"] = "seven?"
    rejected = list_rejected(scan_of(frame, suffix="csv", roles={"score": "decision_score"}, score_kind="decision"))
    assert rejected.to_dict("records") == [
        {
            "file": "rows.csv",
            "record": 8,
            "column": "decision_score",
            "found": "seven?",
            "problem": "the score is not a number",
            "outcome": "left out",
        }
    ]


def test_a_cancelled_run_answers_with_nothing(scan_of: ScanOf) -> None:
    from lib.errors import Cancelled

    scan, run = scan_of(predictions(26, 50)), Run()
    run.cancel()
    with pytest.raises(Cancelled):
        list_rows(scan, RowQuery(), run)


def test_personal_data_is_masked_wherever_rows_are_listed(scan_of: ScanOf) -> None:
    frame = predictions(29, 40).assign(comment="write to anna@example.org", email="anna@example.org")
    frame["decision_score"] = frame["decision_score"].astype(object)
    frame.loc[3, "decision_score"] = "anna@example.org"
    scan = scan_of(frame, suffix="csv", roles={"score": "decision_score"}, score_kind="decision")
    listed = list_rows(scan, RowQuery())
    assert set(listed["comment"]) == {f"write to {MASK}"}
    assert set(listed["email"]) == {MASK}
    assert list_rejected(scan)["found"].tolist() == [MASK]


def test_a_row_without_a_label_has_no_label_no_margin_and_no_loss(scan_of: ScanOf) -> None:
    frame = predictions(12, 300)
    frame["y_true"] = frame["y_true"].astype("Int64").where(frame.index % 3 != 0)
    listed = list_rows(scan_of(frame), RowQuery(order=Order.LOSS, limit=300))
    unlabelled = listed["y_true"].isna()
    assert unlabelled.sum() == 100
    # Last, where the highest loss comes first.
    assert unlabelled.tolist() == [False] * 200 + [True] * 100
    assert listed.loc[unlabelled, ["label", "margin", "loss"]].isna().all(axis=None)
    assert listed.loc[~unlabelled, ["label", "margin", "loss"]].notna().all(axis=None)
    assert set(listed["label"].dropna()) == {-1, 1}
    assert listed["score"].notna().all()
