from __future__ import annotations

import numpy as np

from lib.metrics.estimates import Estimate, concatenate, divide, estimates, undefined


def test_the_first_problem_is_named_and_the_number_is_nan() -> None:
    first, second = np.array([True, False, False]), np.array([True, True, False])
    made = estimates([1, 2, 3], [0, 1, 2], [2, 3, 4], [10, 20, 30], [(first, "one"), (second, "two")], bound=0.5)
    assert made.reason == ("one", "two", "")
    assert np.isnan(made.value).tolist() == [True, True, False]
    assert made[2] == Estimate(3.0, 2.0, 4.0, 30.0, "", 0.5)
    assert made.is_defined.tolist() == [False, False, True]
    assert [each.is_defined for each in made] == [False, False, True]
    assert made.n.tolist() == [10, 20, 30]


def test_undefined_keeps_n() -> None:
    nothing = undefined([3, 0], "because")
    assert nothing.reason == ("because", "because")
    assert nothing.n.tolist() == [3, 0]
    assert np.isnan(nothing.value).all()


def test_take_and_concatenate() -> None:
    made = estimates([1, 2, 3], [0, 1, 2], [2, 3, 4], [10, 20, 30])
    both = concatenate([made.take(np.array([2, 0])), undefined([1], "no")])
    assert both.value[:2].tolist() == [3, 1]
    assert both.reason == ("", "", "no")
    assert len(both) == 3


def test_division_by_zero_is_nan_without_a_warning() -> None:
    assert divide([1.0, 0.0], [2.0, 0.0])[0] == 0.5
    assert np.isnan(divide([1.0, 0.0], [2.0, 0.0])[1])
