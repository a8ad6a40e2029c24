"""Each problem of an index: hand-worked, against a plain count over random faults, and none on sound vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.metrics import index_consistency as ic
from lib.metrics.index_consistency import SENTENCES, compute_index_report
from lib.vectors import Vectors


def version(matrix: Any, ids: list[str] | None = None) -> Vectors:
    values = np.ascontiguousarray(matrix, np.float32)
    names = np.array([f"r{k}" for k in range(len(values))] if ids is None else ids, object)
    good = np.asarray(np.isfinite(values).all(axis=1), bool)
    return Vectors("v1", values, names, good, good, good, "float32", "5ha")


def test_sound_vectors_have_no_problem() -> None:
    report = compute_index_report(version(np.random.default_rng(0).normal(size=(1_000, 8))))
    assert report.problems == ()
    assert (report.share, report.n, report.n_fine, report.sha256) == (1.0, 1_000, 1_000, "5ha")


def test_every_problem_by_hand() -> None:
    matrix = np.random.default_rng(0).normal(size=(12, 3))
    matrix[1, 0] = math.nan
    matrix[2, 1] = math.inf
    matrix[3] = 0
    matrix[4] = math.nan  # ragged
    matrix[5] = math.nan  # unreadable
    matrix[9] = matrix[8]
    matrix[:, 2] = np.where(np.isfinite(matrix[:, 2]), 0, matrix[:, 2])
    ids = ["1", "2", "3", "4", "5", "", "", "8", "9", "7", "11", "11"]
    odd, lengths = np.array([4, 5]), np.array([2, -1])
    report = compute_index_report(version(matrix, ids), odd, lengths, np.array([0]), ("99", "100"))
    assert {each.name: (each.n, each.places) for each in report.problems} == {
        ic.NAN: (1, ("row 2 (id 2)",)),
        ic.INFINITE: (1, ("row 3 (id 3)",)),
        ic.ZERO_NORM: (1, ("row 4 (id 4)",)),
        ic.WRONG_DIMENSION: (1, ("row 5 (id 5) with 2 values",)),
        ic.UNREADABLE: (1, ("row 6",)),
        ic.MISSING_ID: (1, ("row 7",)),
        ic.REPEATED_ID: (1, ("row 12 (id 11)",)),
        ic.MISSING_VECTOR: (2, ("id 99", "id 100")),
        ic.EQUAL_VECTOR: (1, ("row 10 (id 7)",)),
        ic.CONSTANT_DIMENSION: (1, ("dimension 2",)),
        ic.UNSORTED_ID: (1, ("row 10 (id 7)",)),
        ic.NO_METADATA: (1, ("row 1 (id 1)",)),
    }
    assert set(SENTENCES) == {each.name for each in report.problems}
    assert [each.is_fault for each in report.problems] == [True] * 8 + [False] * 4
    assert report.n_fine == 5  # rows 1, 8, 9, 10 and 11
    assert report.share == pytest.approx(5 / 14)
    assert report.count(ic.REPEATED_ID) == 1
    assert all(each.sentence.endswith(".") for each in report.problems)


def test_sentences_name_the_first_places_and_count_the_rest() -> None:
    (problem,) = compute_index_report(version(np.zeros((25, 2)), [f"r{k}" for k in range(25)])).problems[:1]
    assert problem.name == ic.ZERO_NORM
    assert problem.sentence.startswith("25 rows: each is zero throughout")
    assert problem.sentence.endswith("row 10 (id r9) and 15 more.")


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 60),
    d=st.integers(1, 5),
    block=st.sampled_from([1, 7, 2_000_000]),
)
@settings(max_examples=60, deadline=None)
def test_counts_are_those_of_plain_loops(seed: int, n: int, d: int, block: int) -> None:
    generator = np.random.default_rng(seed)
    matrix = generator.choice([0.0, -0.0, 1.0, 2.0, math.nan, math.inf], (n, d), p=[0.3, 0.2, 0.2, 0.2, 0.05, 0.05])
    ids = [generator.choice(["", "a", "b", "c", "dd"]) for _ in range(n)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ic, "_BLOCK_VALUES", block)
        report = compute_index_report(version(matrix, ids))
    rows = [tuple(float(x) + 0.0 for x in row) for row in matrix]
    finite = [all(map(math.isfinite, row)) for row in rows]
    seen: set[object] = set()
    expected = dict.fromkeys([ic.NAN, ic.INFINITE, ic.ZERO_NORM, ic.MISSING_ID, ic.REPEATED_ID, ic.EQUAL_VECTOR], 0)
    n_fine = 0
    for row, name, is_finite in zip(rows, ids, finite, strict=True):
        has_nan, is_zero = any(map(math.isnan, row)), is_finite and not any(row)
        repeats = bool(name) and name in seen
        expected[ic.NAN] += has_nan
        expected[ic.INFINITE] += not is_finite and not has_nan
        expected[ic.ZERO_NORM] += is_zero
        expected[ic.MISSING_ID] += not name
        expected[ic.REPEATED_ID] += repeats
        expected[ic.EQUAL_VECTOR] += is_finite and not is_zero and row in seen
        n_fine += is_finite and not is_zero and bool(name) and not repeats
        seen |= {name, row}
    assert {name: report.count(name) for name in expected} == expected
    assert report.n_fine == n_fine
    held = [row for row, good in zip(rows, finite, strict=True) if good]
    constant = sum(len({row[k] for row in held}) == 1 for k in range(d)) if len(held) > 1 else 0
    assert report.count(ic.CONSTANT_DIMENSION) == constant


@pytest.mark.parametrize(
    ("ids", "n"),
    [
        (["r8", "r9", "r10", "r11"], 0),
        (["r9", "r8", "r10"], 1),
        (["doc-0099", "doc-0100", "doc-0098"], 1),
        (["b", "a", "c"], 0),  # no numbers, no order
        (["", "2", "", "1"], 1),
        (["9" * 30, "1"], 0),
        ([""], 0),
    ],
)
def test_order_of_ids_is_that_of_their_numbers(ids: list[str], n: int) -> None:
    report = compute_index_report(version(np.random.default_rng(0).normal(size=(len(ids), 2)), ids))
    assert report.count(ic.UNSORTED_ID) == n


def test_a_collision_of_hashes_is_no_equal_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.random.default_rng(0).normal(size=(20, 3))
    matrix[7] = matrix[3]
    look = ic._look

    def collide(values: Any) -> Any:
        *others, hashes = look(values)
        return (*others, np.zeros_like(hashes))

    monkeypatch.setattr(ic, "_look", collide)
    report = compute_index_report(version(matrix))
    assert report.count(ic.EQUAL_VECTOR) <= 1
