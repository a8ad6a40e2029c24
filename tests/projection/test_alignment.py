"""Maps laid over each other: scipy's Procrustes, ids that pair, neighbours kept and moved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import procrustes

from lib.errors import UndefinedError
from lib.projection import align, begin_from, compute_churn, pair_ids

CHANCE = np.random.default_rng(4)
MAP = CHANCE.normal(size=(60, 2)).astype(np.float32)
OTHER = (MAP + 0.5 * CHANCE.normal(size=(60, 2))).astype(np.float32)
ROWS = np.arange(60)


@given(st.floats(0, 6.3), st.booleans(), st.floats(0.01, 100), st.floats(-50, 50))
def test_a_map_that_was_turned_mirrored_scaled_and_shifted_is_laid_back(angle, mirrored, scale, shift) -> None:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (scale * MAP @ turn * ([-1, 1] if mirrored else [1, 1]) + shift * scale).astype(np.float32)
    laid = align(moved, ROWS, MAP, ROWS)
    assert laid.coordinates == pytest.approx(MAP, abs=1e-3)
    assert laid.disparity == pytest.approx(0, abs=1e-6)


def test_it_is_scipys() -> None:
    standard, theirs, disparity = procrustes(MAP, OTHER)
    laid = align(OTHER, ROWS, MAP, ROWS)
    assert laid.disparity == pytest.approx(disparity, rel=1e-5)
    size = np.linalg.norm(MAP - MAP.mean(axis=0))
    assert laid.coordinates == pytest.approx(theirs * size + MAP.mean(axis=0), abs=1e-4)
    assert np.isfinite(standard).all()


def test_rows_that_are_not_shared_move_along() -> None:
    laid = align(OTHER, ROWS[:30], MAP, ROWS[:30])
    alone = align(OTHER[:30], ROWS[:30], MAP, ROWS[:30])
    assert laid.coordinates[:30] == pytest.approx(alone.coordinates)
    assert laid.n == 30
    gap = OTHER.copy()
    gap[3] = np.nan
    assert align(gap, ROWS, MAP, ROWS).n == 59


def test_what_cannot_be_aligned_is_said() -> None:
    with pytest.raises(UndefinedError, match="share 2 rows"):
        align(OTHER, ROWS[:2], MAP, ROWS[:2])
    with pytest.raises(UndefinedError, match="at one place"):
        align(np.ones_like(OTHER), ROWS, MAP, ROWS)


def test_ids_that_repeat_are_never_paired() -> None:
    one, other = pair_ids(np.array(["b", "a", "c", "c", "e"]), np.array(["a", "b", "c", "d", "e", "e"]))
    assert one.tolist() == [1, 0]
    assert other.tolist() == [0, 1]
    start = begin_from(MAP, other, one, 5)
    assert start[:2].tolist() == [MAP[1].tolist(), MAP[0].tolist()]
    assert np.isnan(start[2:]).all()


def test_churn_is_none_of_one_map_and_nearly_all_of_two_random_ones() -> None:
    assert compute_churn(MAP, MAP * 3 + 1) == 0
    assert compute_churn(MAP, -MAP) == 0
    large, shuffled = CHANCE.normal(size=(2, 3000, 2)).astype(np.float32)
    assert compute_churn(large, shuffled) == pytest.approx(1 - 15 / 2999, abs=0.002)
    with pytest.raises(UndefinedError, match="Only 10 rows"):
        compute_churn(MAP[:10], MAP[:10])
