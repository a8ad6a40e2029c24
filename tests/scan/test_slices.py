"""Slices of real files: levels, outcomes and halves as the rows have them, and the search from end to end."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.errors import Cancelled, SettingsError
from lib.metrics.margins import violation_rate
from lib.metrics.slice_sums import CodedRows, Condition
from lib.scan import Order, RowQuery, Scan, count_rows, list_rows
from lib.scan.slices import MOST_VALUES, CodedColumn, Outcome, SliceRows, code_columns, read_coded
from lib.schema import VERSION, Filter
from lib.slices import SliceQuery, held_slices, search_slices
from lib.sources import Answers, Run, build_dataset, infer_mapping, read_table
from tests.scan.conftest import ScanOf, predictions


def world(seed: int = 0, n: int = 6_000) -> pd.DataFrame:
    """Numbers with gaps and few values; a label and a score are missing at times."""
    generator = np.random.default_rng(seed)
    frame = predictions(seed, n)
    return frame.assign(
        amount=np.where(generator.random(n) < 0.1, np.nan, generator.lognormal(0, 1, n)),
        count=generator.integers(0, 4, n),
        country=[f"c{int(each)}" for each in 30 * generator.random(n) ** 2],
        y_true=np.where(generator.random(n) < 0.05, np.nan, frame["y_true"]),
        decision_score=np.where(generator.random(n) < 0.05, np.nan, np.round(frame["decision_score"], 2)),
    )


FEATURES = ("amount", "count")
COLUMNS = ("language", "amount", "country", "count")


def scanned(scan_of: ScanOf, frame: pd.DataFrame) -> Scan:
    return scan_of(frame, cohorts=("language", "country"), features=FEATURES)


def read(scan: Scan, rows: SliceRows) -> tuple[list[CodedColumn], CodedRows]:
    columns = code_columns(scan, rows, COLUMNS, Run())
    parts = [*read_coded(scan, rows, columns, Run())]
    weights = [part.weight for part in parts if part.weight is not None]
    weight = np.concatenate(weights) if weights else None
    codes = tuple(np.concatenate([part.codes[place] for part in parts]) for place in range(len(columns)))
    outcome, explored = (np.concatenate([getattr(part, name) for part in parts]) for name in ("outcome", "explored"))
    return columns, CodedRows(codes, outcome, explored, weight)


def usable(frame: pd.DataFrame, version: str = "v10") -> pd.DataFrame:
    kept = frame["y_true"].notna() & frame["decision_score"].notna() & (frame["version"] == version)
    return frame[kept].assign(margin=lambda rows: (2 * rows["y_true"] - 1) * rows["decision_score"])


OUTCOMES = {
    "violation_rate": lambda rows: (rows["margin"] < 0.5).astype(float),
    "error_rate": lambda rows: ((rows["decision_score"] > 0) != (rows["y_true"] == 1)).astype(float),
    "miss_rate": lambda rows: (rows["decision_score"] <= 0).astype(float),
    "false_positive_rate": lambda rows: (rows["decision_score"] > 0).astype(float),
    "average_hinge_loss": lambda rows: np.maximum(0.5 - rows["margin"], 0),
    "average_logistic_loss": lambda rows: np.logaddexp(0, -rows["margin"]),
}


OF_CLASS = {"miss_rate": 1, "false_positive_rate": 0}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_rows_have_the_levels_and_outcomes_of_the_file(
    scan_of: ScanOf, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, weighted: bool
) -> None:
    monkeypatch.setattr("lib.scan.slices.ROWS_AT_ONCE", 1_000)
    frame = world() if weighted else world().drop(columns="sample_weight")
    scan = scanned(scan_of, frame)
    columns, found = read(scan, SliceRows("v10", outcome, 0.5))
    rows = usable(frame)
    rows = rows[rows["y_true"] == OF_CLASS[outcome]] if outcome in OF_CLASS else rows
    assert len(found.outcome) == len(rows)
    by = ["language", "country"]
    mine = pd.DataFrame({"outcome": found.outcome, "weight": 1.0 if found.weight is None else found.weight})
    for place, column in enumerate(columns):
        levels = column.searched.levels
        mine[column.searched.name] = [levels[code] for code in found.codes[place]]
    for name in by:
        told = [str(level.value) for level in columns[COLUMNS.index(name)].searched.levels if level is not None]
        assert told == sorted(rows[name].value_counts().index[:MOST_VALUES])
        expected = rows.assign(x=OUTCOMES[outcome](rows)).groupby(name)["x"].agg(["size", "sum"])
        for text in told:
            own = mine[[level is not None and level.value == text for level in mine[name]]]
            assert len(own) == expected["size"][text]
            assert own["outcome"].sum() == pytest.approx(expected["sum"][text])
    for name in FEATURES:
        for level in columns[COLUMNS.index(name)].searched.levels:
            assert level is not None
            values = rows[name]
            inside = values.isna() if level.is_missing else (values >= level.lower) & (values < level.upper)
            inside = values == level.lower if level.lower == level.upper else inside
            own = mine[[each == level or (each.is_missing and level.is_missing) for each in mine[name]]]
            assert len(own) == inside.sum()
            assert own["outcome"].sum() == pytest.approx(OUTCOMES[outcome](rows[inside]).sum())
    assert (found.weight is not None) is weighted
    if weighted:
        assert mine["weight"].sum() == pytest.approx(rows["sample_weight"].sum())
    ends = [level for level in columns[1].searched.levels if level is not None]
    assert ends[0].lower == -math.inf
    assert ends[-2].upper == math.inf
    assert [level.lower for level in columns[3].searched.levels[:-1] if level] == [0, 1, 2, 3]


def test_halves_are_those_of_the_ids_and_a_filter_holds(scan_of: ScanOf) -> None:
    frame = world()
    scan = scanned(scan_of, frame)
    _columns, whole = read(scan, SliceRows("v10", "error_rate"))
    assert 0.45 < whole.explored.mean() < 0.55
    other = frame.assign(version="v10", language="xx")
    _columns, again = read(scanned(scan_of, other), SliceRows("v10", "error_rate"))
    kept = usable(frame).index
    assert again.explored.sum() >= whole.explored.sum()
    assert len(again.explored) == len(usable(other)) > len(kept)
    _columns, some = read(
        scan, SliceRows("v9", "error_rate", where=Filter(cohorts=(("language", "pt"),), split="test"))
    )
    expected = usable(frame, "v9").query("language == 'pt' and split == 'test'")
    assert len(some.outcome) == len(expected)
    _columns, third = read(scan, SliceRows("v10", "error_rate", one_in=3))
    assert 0.25 < len(third.outcome) / len(whole.outcome) < 0.42
    assert 0.4 < third.explored.mean() < 0.6


def test_violations_are_those_of_the_cells(scan_of: ScanOf) -> None:
    scan = scanned(scan_of, world().drop(columns="sample_weight"))
    for gamma in (0.0, 0.58, 1.0):
        _columns, found = read(scan, SliceRows("v10", "violation_rate", gamma))
        cells = scan.cells((VERSION,))
        group = cells.groups[VERSION].tolist().index("v10")
        assert violation_rate(cells, gamma).value[group] == pytest.approx(found.outcome.mean(), abs=1e-12)


def planted(n: int = 30_000) -> pd.DataFrame:
    frame = world(3, n).drop(columns="sample_weight")
    inside = (frame["language"] == "pt") & (frame["count"] == 2)
    flipped = inside & (np.random.default_rng(5).random(n) < 0.5)
    return frame.assign(decision_score=np.where(flipped, -frame["decision_score"], frame["decision_score"]))


def test_a_planted_slice_is_found_remembered_and_told(scan_of: ScanOf) -> None:
    frame = planted()
    scan = scanned(scan_of, frame)
    query = SliceQuery("v10", COLUMNS, "error_rate")
    assert held_slices(scan, query) is None
    told: list[tuple[float, str]] = []
    answer = search_slices(scan, query, on_progress=lambda share, words: told.append((share, words)))
    assert held_slices(scan, query) is answer is search_slices(scan, query)
    (found,) = answer.search.slices
    assert [(each.column, each.value, each.lower) for each in found.conditions] == [
        ("language", "pt", pytest.approx(math.nan, nan_ok=True)),
        ("count", None, 2.0),
    ]
    rows = usable(frame)
    assert found.n == ((rows["language"] == "pt") & (rows["count"] == 2)).sum()
    assert answer.search.overall.value == pytest.approx(OUTCOMES["error_rate"](rows).mean())
    assert answer.one_in == 1
    shares = [share for share, _words in told]
    assert shares == sorted(shares)
    assert {words for _share, words in told} >= {"Adding up slices", "Comparing slices", "Confirming on the other half"}


def test_several_files_of_which_one_lacks_a_column(tmp_path: Path) -> None:
    frame = planted(8_000)
    frame.iloc[:5_000].to_csv(tmp_path / "a.csv", index=False)
    frame.iloc[5_000:].drop(columns="amount").to_csv(tmp_path / "b.csv", index=False)
    tables = [read_table(tmp_path / name, name, tmp_path / "store") for name in ("a.csv", "b.csv")]
    answers = Answers(cohorts=("language", "country"), features=FEATURES)
    scan = Scan(build_dataset(tables, infer_mapping(tables, answers).mapping), tmp_path / "store")
    columns, found = read(scan, SliceRows("v10", "error_rate"))
    missing = found.codes[1] == len(columns[1].searched.levels) - 1
    rows = usable(frame.assign(amount=frame["amount"].where(np.arange(8_000) < 5_000)))
    assert missing.sum() == rows["amount"].isna().sum()


def test_it_can_be_cancelled_and_says_what_is_not_there(scan_of: ScanOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.scan.slices.ROWS_AT_ONCE", 100)
    scan = scanned(scan_of, world())
    run, query = Run(), SliceQuery("v10", COLUMNS)

    def cancel(share: float, _words: str) -> None:
        if share > 0.1:
            run.cancel()

    with pytest.raises(Cancelled):
        search_slices(scan, query, run=run, on_progress=cancel)
    assert held_slices(scan, query) is None
    with pytest.raises(SettingsError, match="There is no column wide"):
        search_slices(scan, SliceQuery("v10", ("language", "wide")))


def test_of_very_many_values_a_sample_is_searched(scan_of: ScanOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.slices.MOST_VALUES", 12_000)
    answer = search_slices(scanned(scan_of, world()), SliceQuery("v10", COLUMNS))
    assert answer.one_in == 2
    assert 1_000 < sum(answer.search.n) < 1_700


@pytest.mark.parametrize("order", list(Order))
def test_rows_between_numbers_are_listed_file_by_file(tmp_path: Path, order: Order) -> None:
    frame = world(4, 3_000).drop(columns="sample_weight")
    frame.iloc[:1_500].to_csv(tmp_path / "a.csv", index=False)
    frame.iloc[1_500:].drop(columns="amount").to_csv(tmp_path / "b.csv", index=False)
    tables = [read_table(tmp_path / name, name, tmp_path / "store") for name in ("a.csv", "b.csv")]
    answers = Answers(cohorts=("language", "country"), features=FEATURES)
    scan = Scan(build_dataset(tables, infer_mapping(tables, answers).mapping), tmp_path / "store")
    rows = frame.assign(amount=frame["amount"].where(np.arange(3_000) < 1_500), place=np.arange(3_000))
    is_two = rows["count"] == 2
    amount = rows["amount"]
    two = Condition("count", None, 2.0, 2.0)
    for numbers, inside in (
        ((two,), is_two),
        ((Condition("amount", None, 0.5, 2.0), two), is_two & (amount >= 0.5) & (amount < 2)),
        ((Condition("amount", None, -math.inf, 0.5),), amount < 0.5),
        ((Condition("amount", None, 2.0, math.inf),), amount >= 2),
        ((Condition("amount"), two), is_two & amount.isna()),
    ):
        query = RowQuery(Filter(cohorts=(("language", "pt"),)), version="v10", order=order, numbers=numbers)
        expected = rows[inside & (rows["language"] == "pt") & (rows["version"] == "v10")]
        assert count_rows(scan, query) == len(expected) > 20
        listed = list_rows(scan, query)
        assert sorted(listed["id"]) == sorted(expected["id"])
        ranked = {Order.LOSS: -listed["loss"], Order.MARGIN: listed["margin"], Order.UNCERTAINTY: listed["score"].abs()}
        if order in ranked:
            given = ranked[order].to_numpy(float)
            assert (np.diff(given[~np.isnan(given)]) >= 0).all()
            assert not np.isnan(given[: (~np.isnan(given)).sum()]).any()
        else:
            assert listed["id"].tolist() == expected["id"].tolist()
        pages = [list_rows(scan, replace(query, limit=9, offset=offset)) for offset in (0, 9)]
        assert pd.concat(pages)["id"].tolist() == listed["id"].tolist()[:18]
