"""What became of rows: maps, noise between models, chance, and rows too few to tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lib.metrics.alignment import TWO_DIRECTIONS
from lib.metrics.hypotheses import SharedRows, row_states, shared_rows
from lib.metrics.hypotheses.histories import judge_histories
from lib.metrics.hypotheses.rows import Kind
from lib.metrics.hypotheses.sets import GalleryRows, judge_mix, judge_sets
from lib.metrics.hypotheses.shared import fit_trimmed, residuals
from lib.metrics.hypotheses.values import quantise
from tests.neighbours.oracle import vectors

D = 12


def turn(seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((D, D)))[0]


def shared(before: np.ndarray, after: np.ndarray) -> SharedRows:
    rows = np.arange(len(before))
    return shared_rows(vectors(before), vectors(after), rows, rows)


def verdicts(rows: SharedRows) -> dict[str, str]:
    return {each.name: str(each.verdict) for each in judge_histories(rows, row_states(rows))}


@pytest.fixture
def old() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((400, D)) * (1 + np.arange(D)) ** -0.3


def test_a_trimmed_map_is_not_bent_by_a_third_of_the_rows(old: np.ndarray) -> None:
    new = old @ turn(1)
    new[:130] = np.random.default_rng(2).standard_normal((130, D))
    rows = shared(old, new)
    rotation = fit_trimmed(rows.before, rows.after)
    np.testing.assert_allclose(rotation, turn(1), atol=1e-5)
    assert residuals(rows.before, rows.after, rotation)[130:].max() < 1e-5


@pytest.mark.parametrize("noise", [0.1, 0.4, 0.8, 1.2])
def test_models_that_agree_little_are_no_fault(old: np.ndarray, noise: float) -> None:
    rng = np.random.default_rng(3)
    for map_ in (turn(1), np.eye(D)):
        found = verdicts(shared(old, old @ map_ + noise * old.std() * rng.standard_normal(old.shape)))
        assert "confirmed" not in found.values()
        if noise > 0.5:  # rows elsewhere would not stand out
            assert found["misaligned-ids"] == found["mixed-models"] == "undecided"


def test_exact_histories_are_found_row_by_row(old: np.ndarray) -> None:
    new = old @ turn(1) + 0.05 * np.random.default_rng(4).standard_normal(old.shape)
    kinds = np.full(400, Kind.FITS)
    new[:80], kinds[:80] = old[:80], Kind.SAME
    new[80:140], kinds[80:140] = np.roll(new[80:140], 7, axis=0), Kind.MISPLACED
    states = row_states(shared(old, new))
    assert (states.kind == kinds).mean() > 0.98
    moved = np.arange(80, 140)
    assert (states.partner[moved] == 80 + (moved - 80 + 7) % 60).mean() > 0.95
    assert verdicts(shared(old, new))["stale-rows"] == "confirmed"
    assert verdicts(shared(old, new))["misaligned-ids"] == "confirmed"


def test_rows_at_random_are_told_from_rows_of_another_model(old: np.ndarray) -> None:
    rng = np.random.default_rng(5)
    new = old @ turn(1) + 0.05 * rng.standard_normal(old.shape)
    other, noise = new.copy(), new.copy()
    other[:120] = old[:120] @ turn(2) + 0.05 * rng.standard_normal((120, D))
    noise[:120] = rng.standard_normal((120, D))
    assert verdicts(shared(old, other))["mixed-models"] == "confirmed"
    assert verdicts(shared(old, noise))["mixed-models"] == "undecided"
    assert (row_states(shared(old, noise)).kind[:120] == Kind.UNEXPLAINED).mean() > 0.95


def test_few_rows_cannot_be_told(old: np.ndarray) -> None:
    states = row_states(shared(old[:40], old[:40] @ turn(1)))
    assert states.reason == "the versions share 40 rows, and a map between 12 dimensions takes 48"


def test_directions_of_one_value_tell_of_no_history(old: np.ndarray) -> None:
    line = old[:, :1]
    states = row_states(shared(line, line + 0.3 * np.random.default_rng(1).standard_normal(line.shape)))
    assert states.reason == TWO_DIRECTIONS
    assert set(verdicts(shared(line, -line)).values()) == {"undecided", "ruled_out"}


def test_shared_rows_are_usable_and_of_length_1(old: np.ndarray) -> None:
    new = 3 * old[:, :8]
    new[3], new[4, 2] = 0, np.nan
    rows = shared(old, new)
    assert rows.n == 398
    assert rows.dimensions == (12, 8)
    assert not {3, 4} & set(rows.first.tolist())
    np.testing.assert_allclose(np.linalg.norm(rows.after, axis=1), 1, rtol=1e-6)
    assert not rows.after[:, 8:].any()
    np.testing.assert_allclose(rows.norm_after, 3 * np.linalg.norm(old[rows.first, :8], axis=1), rtol=1e-6)


def test_copies_count_from_the_second_on_and_known_ids_first() -> None:
    gallery = GalleryRows(np.arange(6), np.array([0, 1, 1, 2, 2, 2]), np.array([1, 0, 1, 0, 0, 1], np.bool_))
    assert gallery.is_copy.tolist() == [False, True, False, True, True, False]


def test_rows_that_are_exchanged_are_no_growth() -> None:
    known = np.arange(1_000) < 500
    before = GalleryRows(np.arange(1_000), np.arange(1_000), known)
    after = GalleryRows(np.arange(1_030), np.arange(1_030), np.arange(1_030) < 500)
    grown = GalleryRows(np.arange(1_030), np.arange(1_030), np.arange(1_030) < 1_000)
    assert [str(each.verdict) for each in judge_sets(before, after, rounded=False)] == ["ruled_out", "ruled_out"]
    all_known = replace(before, is_known=np.ones(1_000, np.bool_))
    assert [str(each.verdict) for each in judge_sets(all_known, grown, rounded=False)] == ["ruled_out", "confirmed"]


def test_another_mix_needs_more_than_chance() -> None:
    rng = np.random.default_rng(6)
    alarms = 0
    for _ in range(200):
        first, second = (rng.choice(list("abcd"), 300) for _ in range(2))
        alarms += str(judge_mix({"kind": first}, {"kind": second})[0].verdict) == "confirmed"
    assert alarms <= 2
    found, column = judge_mix({"kind": np.repeat(["a", "b"], 100)}, {"kind": np.repeat(["a", "b"], [40, 160])})
    assert (str(found.verdict), column) == ("confirmed", "kind")
    assert found.evidence["moved_share"] == pytest.approx(0.3)
    assert str(judge_mix({}, {})[0].verdict) == "undecided"


def test_rounding_is_to_multiples_of_a_step() -> None:
    values = np.array([[1.0, -0.3], [0.1, 0.6]], np.float32)
    np.testing.assert_allclose(quantise(values, 0.25), [[1.0, -0.25], [0.0, 0.5]])
