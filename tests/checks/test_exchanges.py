"""Exchanged classes: what explains them, and what is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from lib.checks.exchanges import Exchanged, exchanged_everywhere, is_exchanged, sign_test
from lib.checks.permutations import best_exchange, cycles_of, kept_cycles

RIGHT = np.array([[80.0, 15, 5], [10, 85, 5], [5, 5, 90]])
"""Rows of three classes by answer, a hundred each."""


@st.composite
def exchanges(draw):
    size = draw(st.integers(3, 12))
    return np.array(draw(st.permutations(range(size))))


def good_model(size: int, rows: float = 200.0) -> np.ndarray:
    off = 0.2 / (size - 1)
    return rows * (np.full((size, size), off) + (0.8 - off) * np.eye(size))


@given(exchanges())
def test_an_exchange_of_scores_or_of_labels_is_found_again(to):
    crossed = good_model(len(to))
    by_scores = np.empty_like(crossed)
    by_scores[:, to] = crossed
    found, gain = best_exchange(by_scores, crossed)
    assert found.tolist() == to.tolist()
    assert (gain > 0) == (to != np.arange(len(to))).any()
    by_labels = np.empty_like(crossed)
    by_labels[to] = crossed
    found, _gain = best_exchange(by_labels, crossed)
    # Rows that are labelled to[c] are of class c, and answered so.
    assert found[to].tolist() == list(range(len(to)))


@given(exchanges())
def test_cycles_hold_each_class_that_moves_once(to):
    cycles = cycles_of(to)
    assert sorted(each for cycle in cycles for each in cycle) == np.flatnonzero(to != np.arange(len(to))).tolist()
    for cycle in cycles:
        assert [int(to[each]) for each in cycle] == cycle[1:] + cycle[:1]
    assert kept_cycles(to, np.zeros(len(to))).tolist() == list(range(len(to)))
    assert kept_cycles(to, np.full(len(to), 10.0)).tolist() == to.tolist()


def test_a_part_that_is_as_the_rest_is_no_exchange():
    found, gain = best_exchange(RIGHT, 3 * RIGHT)
    assert (found.tolist(), gain) == ([0, 1, 2], 0.0)
    assert not is_exchanged(RIGHT, 3 * RIGHT, np.array([1, 0, 2]))


def test_a_class_that_is_lost_to_another_is_no_exchange():
    """All rows of the first are answered as the second, whose rows stay right: more rows are swapped than right."""
    lost = RIGHT.copy()
    lost[0] = [0, 2_000, 0]
    assert not is_exchanged(lost, 3 * RIGHT, np.array([1, 0, 2]))
    # Nor if hardly a row of the second is there to tell.
    few = lost.copy()
    few[1] = [0, 1, 0]
    assert not is_exchanged(few, 3 * RIGHT, np.array([1, 0, 2]))


def test_a_rare_class_that_is_mostly_missed_may_be_exchanged():
    """Exchanged with the frequent one it looks better than it is; still its answers are those of an exchange."""
    usual = np.array([[900.0, 20, 10], [60, 30, 10], [5, 5, 90]])
    exchanged = usual[:, [1, 0, 2]]
    assert best_exchange(exchanged, usual)[0].tolist() == [1, 0, 2]
    assert is_exchanged(exchanged, usual, np.array([1, 0, 2]))


def test_of_how_many_exchanges_one_was_chosen():
    """Of two of ten classes 10·9, twice since that of fewer would do too; of all of fifty more than a float tells."""
    assert Exchanged(np.array([1, 0, *range(2, 10)]), np.arange(10), {}).alternatives == pytest.approx(180)
    assert Exchanged(np.roll(np.arange(4), 1), np.arange(4), {}).alternatives == pytest.approx(24 * 8)
    assert np.isfinite(Exchanged(np.roll(np.arange(200), 1), np.arange(200), {}).alternatives)


def test_the_sign_test_is_that_of_scipy():
    for k, n in ((0, 10), (7, 10), (10, 10), (60, 100)):
        found = sign_test(np.array([float(k)]), np.array([float(n)]))
        assert found == pytest.approx(binomtest(k, n, alternative="greater").pvalue)


def test_everything_exchanged_by_hand():
    to = exchanged_everywhere(RIGHT[:, [2, 0, 1]])
    assert to is not None
    assert to.tolist() == [1, 2, 0]
    assert exchanged_everywhere(RIGHT) is None
    assert exchanged_everywhere(np.full((3, 3), 50.0)) is None
    # Eight rows each way are no more than the best of so many exchanges makes right by chance.
    assert exchanged_everywhere(np.array([[2.0, 4, 1], [4, 2, 1], [0, 0, 10]])) is None
