"""A selection as a column beside a file's own: every row once, in order, marked by its id and read as before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.errors import Cancelled
from lib.sources import Answers, RawTable, Run, build_dataset, infer_mapping, read_table
from lib.sources.marking import LONGEST_NAME, Marks, find_name_trouble, mark_rows

N = 40_000


def marks_of(selected: list[str], others: list[str], column: str = "selection") -> Marks:
    return Marks(column, np.array(selected, object), np.array(others, object), "on the map of items")


@pytest.fixture
def numbered(tmp_path: Path) -> RawTable:
    """Ids in no order, each in two versions; names that SQL has to be told of."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({'the "id"': rng.permutation(np.tile(np.arange(N // 2), 2)), "y": rng.integers(0, 2, N)})
    frame["decision_score"] = rng.normal(size=N).round(3)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    return read_table(tmp_path / "rows.csv", "rows.csv", tmp_path / "store")


def test_rows_stay_in_order_and_are_marked_by_their_id(numbered: RawTable, tmp_path: Path) -> None:
    marks = marks_of([str(each) for each in range(0, 500, 2)], [str(each) for each in range(1, 10_000, 2)])
    made = mark_rows(numbered, 'the "id"', marks, tmp_path, Run())
    before, after = pd.read_parquet(numbered.parquet), pd.read_parquet(made.parquet)
    pd.testing.assert_frame_equal(after.drop(columns="selection"), before)
    own = before['the "id"']
    expected = np.select([own.isin(range(0, 500, 2)), own.isin(range(1, 10_000, 2))], ["selected", "others"], "none")
    assert (after["selection"].fillna("none") == expected).all()
    profile = made.column("selection")
    assert dict(profile.values) == {"others": 10_000, "selected": 500}
    assert profile.n_missing == N - 10_500
    assert "on the map of items" in made.notes[-1]
    assert numbered.column_names == made.column_names[:-1]


def test_it_is_another_dataset_of_the_same_file(numbered: RawTable, tmp_path: Path) -> None:
    first, second = (mark_rows(numbered, 'the "id"', marks_of([at], ["3"]), tmp_path, Run()) for at in "12")
    again = mark_rows(numbered, 'the "id"', marks_of(["1"], ["3"]), tmp_path, Run())
    mapping = infer_mapping([numbered], Answers(roles={"id": 'the "id"'})).mapping
    keys = [build_dataset([table], mapping).key for table in (numbered, first, second, again)]
    assert len(set(keys)) == 3
    assert keys[1] == keys[3]
    assert first.sha256 == numbered.sha256
    twice = mark_rows(first, 'the "id"', marks_of(["5"], [], "more"), tmp_path, Run())
    assert build_dataset([twice], mapping).name == "rows.csv, with selection and more"
    assert twice.column_names == (*numbered.column_names, "selection", "more")


def test_a_file_without_the_id_and_ids_of_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["7", "007", None, "é"], "decision_score": [1.0, 2.0, 3.0, 4.0]})
    frame.to_parquet(tmp_path / "texts.parquet")
    table = read_table(tmp_path / "texts.parquet", "texts.parquet", tmp_path / "store")
    marks = marks_of(["007", "é"], ["7"])
    found = pd.read_parquet(mark_rows(table, "id", marks, tmp_path, Run()).parquet)["selection"]
    assert found.fillna("").tolist() == ["others", "selected", "", "selected"]
    lacking = mark_rows(table, "key", marks, tmp_path, Run())
    assert pd.read_parquet(lacking.parquet)["selection"].isna().all()
    assert lacking.column("selection").n_missing == 4


def test_it_can_be_cancelled_and_leaves_nothing(numbered: RawTable, tmp_path: Path) -> None:
    run, folder = Run(), tmp_path / "marked"
    folder.mkdir()
    run.cancel()
    with pytest.raises(Cancelled):
        mark_rows(numbered, 'the "id"', marks_of(["1"], []), folder, run)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("selection", ""),
        ("my lasso, 2", ""),
        (" ", "Give the column a name."),
        ("Y", "rows.csv has a column y already."),
        ("file_row_number", "rows.csv has a column file_row_number already."),
        ("odd", "rows.csv has a column odd already."),
        ("a\nb", "a line break"),
        ("x" * (LONGEST_NAME + 1), f"has {LONGEST_NAME + 1} characters"),
    ],
)
def test_a_name_that_cannot_be_is_told_why(numbered: RawTable, name: str, said: str) -> None:
    found = find_name_trouble(name, [replace(numbered, unusable=("odd",))])
    assert said in found
    assert bool(found) == bool(said)
