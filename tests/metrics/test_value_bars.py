import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.metrics.value_bars import MOST_BARS, count_bars, round_edges

NUMBERS = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=60)


@given(NUMBERS, NUMBERS)
def test_bars_are_few_and_hold_every_number_once(one: list[float], other: list[float]) -> None:
    groups = [np.array(one), np.array(other)]
    edges = round_edges(groups)
    assert 4 <= len(edges) <= MOST_BARS + 3
    assert (np.diff(edges) > 0).all()
    for each in groups:
        found = count_bars(each, edges)
        assert found.n.sum() == found.total == len(each)
        assert found.share.sum() == pytest.approx(1)
        inside = each[(each >= edges[0]) & (each <= edges[-1])]
        assert found.beyond == pytest.approx(1 - len(inside) / len(each))


def test_edges_are_round_and_hold_what_is_counted() -> None:
    edges = round_edges([np.array([0.0, 1.0])], most=12)
    assert edges == pytest.approx(np.arange(11) / 10)
    found = count_bars(np.array([-1.0, 0.0, 0.05, 0.1, 1.0, 7.0, np.nan]), edges)
    assert found.n.tolist() == [3, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert found.total == 6
    assert found.beyond == pytest.approx(1 / 3)


def test_equal_numbers_have_a_bar_around_them() -> None:
    edges = round_edges([np.ones(5)])
    assert edges[0] < 1 <= edges[-1]
    assert count_bars(np.ones(5), edges).beyond == 0


def test_no_number_has_no_share() -> None:
    found = count_bars(np.array([np.nan, np.inf]), round_edges([np.array([np.nan])]))
    assert found.total == 0
    assert np.isnan(found.share).all()
