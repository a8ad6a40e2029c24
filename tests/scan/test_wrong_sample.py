"""The sample in which many things are wrong: each is said of the right record, and nothing else is."""

from __future__ import annotations

from pathlib import Path

from lib.scan import RowQuery, Scan, count_rows, list_rejected
from lib.schema import VERSION, WINDOW
from lib.sources import Answers, build_dataset, infer_mapping, read_table
from sample_data.make import WRONG_RECORDS, WRONG_ROWS

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data" / "many_things_wrong.csv"


def test_every_wrong_row_is_said_with_its_record(tmp_path: Path) -> None:
    table = read_table(SAMPLE, SAMPLE.name, tmp_path)
    mapping = infer_mapping([table], Answers(score_kind="probability")).mapping
    scan = Scan(build_dataset([table], mapping), tmp_path)
    said = {(row["record"], row["outcome"]) for row in list_rejected(scan).to_dict("records")}
    outcomes = {"reject": "left out", "undated": "counted"}
    assert said == {(row.record, outcomes[row.outcome]) for row in WRONG_ROWS if row.outcome in outcomes}
    n_rejected = sum(row.outcome == "reject" for row in WRONG_ROWS)
    assert scan.facts.inputs[0].n_rows == WRONG_RECORDS
    assert scan.facts.inputs[0].n_rejected == n_rejected
    cells = scan.cells((VERSION,))
    assert cells.scored.n.sum() + cells.unscored.n.sum() == WRONG_RECORDS - n_rejected
    assert cells.unscored.n.sum() == sum(row.outcome == "unscored" for row in WRONG_ROWS)
    unlabelled = cells.scored.n[:, 1] + cells.unscored.n[:, 1]
    assert unlabelled.sum() == sum(row.outcome == "unlabelled" for row in WRONG_ROWS)
    undated = scan.cells((WINDOW,)).scored.n[0].sum()
    assert undated == sum(row.outcome == "undated" for row in WRONG_ROWS)
    assert count_rows(scan, RowQuery()) == WRONG_RECORDS - n_rejected
