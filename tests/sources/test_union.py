"""Several files read as one: columns that only some have, and columns that are of another kind in each."""

from __future__ import annotations

import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.checks import run_checks
from lib.diagnose import Diagnosis
from lib.scan import Scan, list_rows
from lib.scan.listing import Order, RowQuery
from lib.schema import NO_WINDOW, VERSION, WINDOW, cohort_key
from lib.settings import Settings
from lib.sources import Answers, RawTable, build_dataset, infer_mapping, read_table


@pytest.fixture
def scan(tmp_path: Path):
    def make(*tables: RawTable, **answers: object) -> Scan:
        inference = infer_mapping(tables, Answers(**answers))  # type: ignore[arg-type]
        return Scan(build_dataset(tables, inference.mapping), tmp_path / "store")

    return make


@pytest.fixture
def parquet(tmp_path: Path):
    def make(name: str, **columns: object) -> RawTable:
        pq.write_table(pa.table(columns), tmp_path / name)
        return read_table(tmp_path / name, name, tmp_path / "store")

    return make


def counts(scan: Scan, key: str) -> dict[tuple[str, ...], int]:
    """Rows by version and another key."""
    cells = scan.cells((VERSION, key))
    n = cells.scored.n.sum(axis=1) + cells.unscored.n.sum(axis=1)
    values = zip(cells.groups[VERSION], cells.groups[key], n, strict=True)
    return {(str(version), str(value)): int(count) for version, value, count in values}


def test_a_column_that_a_file_lacks_is_missing_there(read, scan):
    one = read("label;margin;language;weight\n" + "1;0.5;de;2\n0;-0.5;en;1\n" * 3, "a.csv")
    two = read("margin;label;platform\n" + "1.5;1;web\n-1.5;0;app\n" * 2, "b.csv")
    three = read('{"margin": 2.5, "time": "2026-03-01T10:00:00Z"}\n{"margin": -2.5, "language": "de"}\n', "c.jsonl")
    whole = scan(one, two, three, cohorts=("language", "platform"), features=(), roles={"weight": ""})
    assert whole.facts.n_rows == 12
    assert counts(whole, cohort_key("language")) == {
        ("a", "de"): 3, ("a", "en"): 3, ("b", ""): 4, ("c", ""): 1, ("c", "de"): 1,
    }  # fmt: skip
    assert counts(whole, cohort_key("platform")) == {
        ("a", ""): 6, ("b", "app"): 2, ("b", "web"): 2, ("c", ""): 2,
    }  # fmt: skip
    assert counts(whole, WINDOW)["a", str(NO_WINDOW)] == 6
    labels = whole.cells((VERSION,)).scored.n
    assert labels.tolist() == [[3, 0, 3], [2, 0, 2], [0, 2, 0]]
    frame = list_rows(whole, RowQuery(order=Order.PLACE))
    assert frame["record"].tolist() == [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 1, 2]
    # A weight cannot be made up for the files that have none.
    problems = scan(one, two, roles={"weight": "weight"}).facts.problems
    assert problems == {"weight-invalid": 4}


def test_one_column_of_different_kinds(parquet, read, scan):
    one = parquet(
        "a.parquet",
        label=[1, 0, 1],
        margin=pa.array([0.25, -0.5, 1.0], pa.float32()),
        shop=[1, 2, 2],
        version=[1, 1, 1],
        time=pa.array([datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)] * 3, pa.timestamp("us")),
    )
    two = read(
        "label,margin,shop,version,time\nyes,2,north,1,2026-03-01T11:00:00Z\nno,-3,2,2,2026-03-02\n"
        "0,oops,,,\n1,0.5,2,2,2026-03-02\n",
        "b.csv",
    )
    three = parquet(
        "c.parquet", label=[True, False], margin=[4, -4], shop=pa.nulls(2), version=["1", "2"], id=["1", ""]
    )
    whole = scan(one, two, three, cohorts=("shop",))
    assert whole.facts.problems == {"score-unreadable": 1}
    assert whole.facts.n_rows == 8
    encoding = whole.facts.mapping.label_encoding
    assert encoding is not None
    assert set(encoding.positive) == {"1", "yes", "true"}
    assert set(encoding.negative) == {"0", "no", "false"}
    assert counts(whole, cohort_key("shop")) == {
        ("1", ""): 1, ("1", "1"): 1, ("1", "2"): 2, ("1", "north"): 1, ("2", ""): 1, ("2", "2"): 2,
    }  # fmt: skip
    cells = whole.cells((VERSION,))
    assert cells.scored.n.tolist() == [[1, 0, 4], [2, 0, 1]]
    assert cells.scored.total("s").sum(axis=1).tolist() == [0.25 - 0.5 + 1 + 2 + 4, -3 + 0.5 - 4]


def test_times_of_different_kinds_are_one_time(parquet, read, scan):
    moment = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)
    one = parquet("a.parquet", margin=[1.5, 2.5], time=pa.array([moment] * 2, pa.timestamp("ns", "Europe/Berlin")))
    two = read("margin,time\n1.5,2026-03-01 11:00:00\n2.5,2026-03-01T12:00:00+01:00\n", "b.csv")
    whole = scan(one, two)
    assert (whole.facts.first, whole.facts.last) == (int(moment.timestamp()), int(moment.timestamp()) + 3_600)
    assert whole.facts.problems == {}


def test_a_column_that_only_one_file_has_is_said_to_be_there_alone(read, scan):
    def rows(extra: str, labels: str = "01", step: float = 3) -> str:
        lines = [f"{labels and labels[k % 2]};{(k % 17 - 8) / step + k / 1000};{k % 5}" for k in range(400)]
        return "\n".join([f"label;margin;{extra}" if labels else f";margin;{extra}", *lines])

    whole = scan(read(rows("age"), "a.csv"), read(rows("size"), "b.csv"), cohorts=(), features=("age", "size"))
    assert [each.lacks for each in whole.facts.inputs] == [("size",), ("age",)]
    diagnosis = Diagnosis(whole, Settings.choose(whole.facts))
    diagnosis.read_features()
    (found,) = (each for each in run_checks(diagnosis) if each.name == "feature-drift")
    assert "age is only in a.csv" in found.title
    assert "size is only in b.csv" in found.title
    assert "100 %" not in found.title
    # A label that only one of three has;.
    tables = [read(rows("age", "" if k else "01", 3 + k), f"v{k}.csv") for k in range(3)]
    whole = scan(*tables, cohorts=(), features=("age",), roles={"label": "label"})
    assert [each.lacks for each in whole.facts.inputs] == [(), ("label",), ("label",)]
    found = next(
        each for each in run_checks(Diagnosis(whole, Settings.choose(whole.facts))) if each.name == "missing-telemetry"
    )
    assert found.title.endswith("; the column label is only in v0.csv")
