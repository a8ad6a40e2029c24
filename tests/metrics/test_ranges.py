"""The range that a scale of colours spans: by hand, against numpy, and where there is little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.metrics.ranges import steps_of_range


def test_steps_by_hand() -> None:
    found = steps_of_range(np.array([0.0, 0.5, 1.0, np.nan, np.inf]), 64)
    assert found.steps.tolist() == [0, 32, 63, -1, -1]
    assert (found.low, found.high) == pytest.approx((0.01, 0.99))


def test_one_outlier_does_not_take_the_range() -> None:
    values = np.append(np.arange(1000.0), 1e9)
    found = steps_of_range(values, 10)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(values, (1, 99))))
    assert np.bincount(found.steps).min() > 90
    assert found.steps[-1] == 9


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.integers(1, 50))
def test_steps_rise_with_the_values(values: list[float], n_steps: int) -> None:
    found = steps_of_range(np.array(values), n_steps)
    assert (np.diff(found.steps[np.argsort(values, kind="stable")]) >= 0).all()
    assert 0 <= found.steps.min() <= found.steps.max() < n_steps


def test_no_value_and_equal_values() -> None:
    nothing = steps_of_range(np.array([np.nan, np.nan]), 4)
    assert nothing.steps.tolist() == [-1, -1]
    assert np.isnan([nothing.low, nothing.high]).all()
    assert steps_of_range(np.array([2.0, 2.0]), 4).steps.tolist() == [0, 0]
