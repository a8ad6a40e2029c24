"""The linear hinge fit: by hand, against scikit-learn and a general solver, what always holds, and awkward rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from sklearn.svm import SVC

from lib.metrics.hinge_fit import GAP, fit_hinge
from tests.metrics.lab_worlds import worlds

WORLDS = worlds()


def objective(x, y, c, weights, intercept) -> float:
    return float(weights @ weights / 2 + c * np.maximum(0, 1 - y * (x @ weights + intercept)).sum())


def standardised(x):
    spread = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)


def test_by_hand_where_the_classes_are_apart() -> None:
    # The widest street between −1 and 1 has its kerbs there: the score is x itself.
    fit = fit_hinge(np.array([[-3.0], [-1.0], [1.0], [3.0]]), np.array([-1, -1, 1, 1]), 10.0)
    assert fit.weights == pytest.approx([1.0], abs=1e-4)
    assert fit.intercept == pytest.approx(0.0, abs=1e-4)


def test_by_hand_where_c_is_small() -> None:
    # With C so small that all rows are within the margin, w = C·Σ yx = 0.01·8.
    fit = fit_hinge(np.array([[-3.0], [-1.0], [1.0], [3.0]]), np.array([-1, -1, 1, 1]), 0.01)
    assert fit.weights == pytest.approx([0.08], abs=1e-5)


@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("name", WORLDS)
def test_it_is_scikit_learns_fit_and_no_worse(name: str, c: float) -> None:
    x, y = standardised(WORLDS[name][0]), WORLDS[name][1]
    machine = SVC(C=c, kernel="linear", tol=1e-5).fit(x, y)
    fit = fit_hinge(x, y, c)
    least = objective(x, y, c, machine.coef_[0], machine.intercept_[0])
    assert objective(x, y, c, fit.weights, fit.intercept) <= least * (1 + 1e-6)
    assert fit.weights == pytest.approx(machine.coef_[0], abs=2e-3 * max(1.0, np.abs(machine.coef_).max()))
    assert fit.gap < 1e-6


def test_it_is_what_a_general_solver_finds() -> None:
    x, y = standardised(WORLDS["moons"][0])[:80], WORLDS["moons"][1][:80]
    n, d = x.shape
    # Over (w, b, slack): the objective is smooth, the margins are linear constraints.
    rows = np.concatenate([x * y[:, None], y[:, None], np.eye(n)], axis=1)
    found = optimize.minimize(
        lambda v: v[:d] @ v[:d] / 2 + 2.0 * v[d + 1 :].sum(),
        np.concatenate([np.zeros(d + 1), np.ones(n)]),
        jac=lambda v: np.concatenate([v[:d], [0.0], np.full(n, 2.0)]),
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda v: rows @ v - 1, "jac": lambda v: rows},
        bounds=[(None, None)] * (d + 1) + [(0, None)] * n,
        options={"maxiter": 500, "ftol": 1e-10},
    )
    fit = fit_hinge(x, y, 2.0)
    assert fit.weights == pytest.approx(found.x[:d], abs=1e-3)
    assert fit.intercept == pytest.approx(found.x[d], abs=1e-3)


@given(st.integers(0, 10_000), st.floats(-3, 3), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_the_gap_is_closed_whatever_the_rows(seed: int, power: float, d: int) -> None:
    generator = np.random.default_rng(seed)
    x = np.round(generator.normal(size=(60, d)), generator.integers(0, 3))
    y = np.where(generator.random(60) < 0.3, 1, -1)
    y[:2] = -1, 1
    c = 10**power
    fit = fit_hinge(x, y, c)
    assert fit.gap < 1e-6
    # Nothing near it is better, which for a convex objective is the least there is.
    here = objective(x, y, c, fit.weights, fit.intercept)
    for _try in range(20):
        by = generator.normal(size=d + 1) * 10.0 ** generator.uniform(-4, 0)
        assert objective(x, y, c, fit.weights + by[:d], fit.intercept + by[d]) >= here * (1 - 1e-5)


def test_awkward_columns_do_not_disturb_it() -> None:
    x, y = standardised(WORLDS["blobs"][0]), WORLDS["blobs"][1]
    twice = np.concatenate([x, x[:, :1], np.zeros((len(x), 1))], axis=1)
    fit = fit_hinge(twice, y, 1.0)
    assert fit.gap <= 1e-7
    assert fit.weights[3] == 0
    assert fit.weights[0] == pytest.approx(fit.weights[2], abs=1e-6)


def test_all_rows_of_one_kind_have_the_score_of_the_larger_class() -> None:
    fit = fit_hinge(np.zeros((30, 2)), np.array([1] * 20 + [-1] * 10), 1.0)
    assert fit(np.zeros((1, 2)))[0] == pytest.approx(1.0, abs=1e-4)
    assert GAP < 1e-6
