"""Ids that occur again are counted as pandas counts them."""

import dataclasses
import json

import numpy as np
import pytest

from lib.errors import Cancelled
from lib.scan import Scan
from lib.scan import ids as ids_module
from lib.scan.saved import read_cells, save_cells
from lib.sources import Answers, build_dataset, infer_mapping, read_table
from lib.sources.engine import Run
from tests.checks.tables import count_ids
from tests.scan.conftest import predictions


def many_again(n=4_000, *, number=False, seed=1):
    frame = predictions(n=n)
    names = np.random.default_rng(seed).integers(0, 4 * n, n)
    return frame.assign(id=names if number else [f"r{name}" for name in names])


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("number", [False, True])
def test_counted_as_pandas_does(scan_of, suffix, number):
    frame = many_again(number=number)
    scan = scan_of(frame, suffix=suffix, roles={"id": "id"})
    assert scan.facts.ids == count_ids(frame)
    assert scan.facts.ids[0].n_repeated > 10 < scan.facts.ids[0].n_leaked


def test_in_parts_and_across_files(tmp_path, monkeypatch):
    monkeypatch.setattr(ids_module, "HASHES_AT_ONCE", 700)
    monkeypatch.setattr(ids_module, "IDS_AT_ONCE", 100)
    frame = many_again()
    tables = []
    for name, part in (("a", frame[:1_500]), ("b", frame[1_500:])):
        part.to_parquet(tmp_path / f"{name}.parquet", index=False)
        tables.append(read_table(tmp_path / f"{name}.parquet", f"{name}.parquet", tmp_path / "store"))
    mapping = infer_mapping(tables, Answers(roles={"id": "id", "version": "version"})).mapping
    assert Scan(build_dataset(tables, mapping), tmp_path / "store").facts.ids == count_ids(frame)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("most_marks", [0, 10**6])
@pytest.mark.parametrize("begin", [0, -(2**63), 2**63 - 4_000])
def test_whole_numbers_marked_and_hashed_are_the_same(scan_of, monkeypatch, begin, most_marks, again):
    monkeypatch.setattr(ids_module, "MOST_MARKS", most_marks)
    monkeypatch.setattr(ids_module, "ROWS_AT_ONCE", 700)
    frame = predictions(n=2_000)
    numbers = np.random.default_rng(3).permutation(4_000)[: len(frame)]
    if again:
        numbers[1_000:1_100] = numbers[:100]
    frame = frame.assign(id=numbers + np.int64(begin))
    counts = scan_of(frame, suffix="parquet", roles={"id": "id"}).facts.ids
    assert counts == count_ids(frame)
    assert any(each.n_repeated + each.n_leaked for each in counts) == again


def test_numbers_over_the_whole_range_take_no_room(scan_of):
    frame = predictions(n=400)
    numbers = np.arange(400, dtype=np.int64)
    numbers[:3] = -(2**63), 2**63 - 1, 2**62
    frame = frame.assign(id=numbers)
    assert scan_of(frame, suffix="parquet", roles={"id": "id"}).facts.ids == count_ids(frame)


def test_missing_ids_and_rows_that_do_not_count_are_no_duplicates(scan_of):
    frame = predictions(n=400)
    names = [("", "NA", "nan", f"x{i}")[i % 4] for i in range(400)]
    names[7] = names[3]
    frame = frame.assign(id=names, version="v", split="test")
    (counts,) = scan_of(frame, roles={"id": "id"}).facts.ids
    assert (counts.n, counts.n_repeated, counts.n_held_out) == (100, 1, 100)
    label = frame["y_true"].astype(str).where(frame.index != 7, "neither")
    scan = scan_of(frame.assign(y_true=label), name="odd", suffix="csv", roles={"id": "id"}, pos_label="1")
    assert [(each.n, each.n_repeated) for each in scan.facts.ids] == [(99, 0)]


def test_without_ids_there_is_nothing_to_count(scan_of):
    assert scan_of(predictions().drop(columns="id")).facts.ids is None


def test_saved_cells_carry_the_answer_and_no_id(scan_of, tmp_path):
    scan = scan_of(many_again(), roles={"id": "id"})
    save_cells(scan, tmp_path / "cells.parquet")
    assert read_cells(tmp_path / "cells.parquet", "cells").facts.ids == scan.facts.ids
    assert "r1" not in json.dumps([dataclasses.asdict(each) for each in scan.facts.ids])


def test_cancelled(scan_of):
    scan = scan_of(many_again(), roles={"id": "id"})
    run = Run()
    run.cancel()
    with pytest.raises(Cancelled):
        ids_module.count_ids(scan.dataset, scan.prepared, scan.stored.open_raw(run), run)
