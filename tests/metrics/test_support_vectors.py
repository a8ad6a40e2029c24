"""Support vectors from predictions: by hand, against scikit-learn's solvers on ten data sets, and their bounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_circles, make_moons
from sklearn.metrics import accuracy_score, hinge_loss
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from lib.grid import EXACT, FINE, MEDIUM
from lib.metrics.intervals import wilson
from lib.metrics.margins import SUPPORT_VECTOR_TOLERANCE as TOLERANCE
from lib.metrics.support_vectors import KINDS, SupportVectors, kind_counts, kind_of, slack_histogram, training_bounds
from tests.metrics.conftest import Rows, build, metric_of

TIGHT = 1e-4
"""A solver's tolerance well inside ours, so that a free support vector is within it."""


def hits(cells, group: int = 0) -> list[int]:
    return [int(each.hits[group]) for each in kind_counts(cells).values()]


def test_by_hand() -> None:
    label = [1, 1, 1, 1, 1, 1, -1, -1, -1, -1, 0, 1]
    score = [-0.5, 0.0, 0.4, 1.0, 1.001, 1.0011, 0.0, 0.2, -0.9995, -3.0, 0.3, np.nan]
    cells = build(label, score)
    # Wrong: −0.5, the positive at 0, and the negative at 0.2. Inside: 0.4 and the negative at 0, which is right.
    assert hits(cells) == [3, 2, 3, 2]
    of = SupportVectors.of(cells)
    slack = [1.5, 1.0, 0.6, 0, 0, 0, 1.0, 1.2, 0.0005, 0]
    assert of.total[0] == pytest.approx(sum(slack))
    assert of.slack.value[0] == pytest.approx(sum(slack) / 10)
    assert of.shares["wrong_side"].value[0] == 0.3
    assert (of.shares["free"].lower[0], of.shares["free"].upper[0]) == tuple(wilson(0.2, 10))
    assert of.quantiles[0.5].value[0] == pytest.approx(np.quantile(slack, 0.5))
    usable = np.array([y != 0 and not math.isnan(s) for y, s in zip(label, score, strict=True)])
    places = kind_of(np.array(label, float)[usable], np.array(score)[usable])
    assert np.bincount(places, minlength=4).tolist() == [3, 2, 3, 2]


@pytest.mark.parametrize("resolution", [EXACT, FINE, MEDIUM], ids=lambda each: each.name)
@pytest.mark.parametrize("weighted", [False, True])
def test_kinds_share_out_all_rows_and_are_within_their_bounds(rows: Rows, resolution, weighted) -> None:
    cells = rows.cells(resolution, weighted=weighted)
    of = SupportVectors.of(cells)
    for group, version in enumerate(cells.groups["version"]):
        own = rows.of(str(version))
        w = own.weight if weighted else np.ones(len(own.label))
        place = kind_of(own.label, own.score)
        assert sum(of.counts[kind].hits[group] for kind in KINDS) == len(own.label)
        assert sum(of.shares[kind].value[group] for kind in KINDS) == pytest.approx(1)
        for number, kind in enumerate(KINDS):
            truth = w[place == number].sum() / w.sum()
            assert abs(of.shares[kind].value[group] - truth) <= of.shares[kind].bound[group] + 1e-12
        right = (own.score > 0) == (own.label > 0)
        assert of.shares["wrong_side"].value[group] == pytest.approx(1 - np.average(right, weights=w))
        assert of.share.value[group] == metric_of("support_vector_share", cells).value[group]
        assert 1 - of.shares["free"].value[group] == pytest.approx(of.share.value[group])
        assert of.total[group] == pytest.approx((w * np.maximum(0, 1 - own.margin)).sum())
    assert resolution is not EXACT or not any(of.shares[kind].bound.any() for kind in KINDS)


def test_against_scikit_learn(rows: Rows) -> None:
    own = rows.of("a")
    of = SupportVectors.of(build(own.label, own.score))
    assert of.shares["wrong_side"].value[0] == pytest.approx(1 - accuracy_score(own.label > 0, own.score > 0))
    assert of.slack.value[0] == pytest.approx(hinge_loss(own.label, own.score))


@given(
    st.lists(st.tuples(st.sampled_from([-1, 1]), st.integers(-60, 60)), min_size=1, max_size=60),
    st.sampled_from([EXACT, FINE]),
)
@settings(max_examples=60, deadline=None)
def test_slack_bars_hold_every_row_with_slack(drawn, resolution) -> None:
    label, score = np.array([each for each, _ in drawn]), np.array([s for _, s in drawn]) / 20
    held = slack_histogram(build(label, score, resolution=resolution))
    slack = np.maximum(0, 1 - label * score)
    assert held.n.sum() == (slack > 1e-9).sum()
    assert held.share.sum() == pytest.approx((slack > 1e-9).mean())
    inner = [
        ((slack > low + 1e-9) & (slack <= high + 1e-9)).sum()
        for low, high in zip(held.edges[:-1], held.edges[1:], strict=True)
    ]
    assert held.n[0, :-1].tolist() == inner[:-1]


def test_no_usable_row_is_undefined() -> None:
    of = SupportVectors.of(build([0, 1], [1.0, np.nan]))
    assert math.isnan(of.shares["free"].value[0])
    assert of.shares["free"].reason[0]
    assert training_bounds(build([1, 1], [0.5, 2.0]), 0) is None
    assert slack_histogram(build([1], [np.nan])).n.sum() == 0


def ten_data_sets() -> dict[str, Any]:
    """Features and labels −1, +1, with the kernel and C of a model on them."""
    loaded: Any = load_digits(), load_iris(), load_wine(), load_breast_cancer()
    digits, iris, wine, cancer = loaded
    moons, circles = (
        make_moons(300, noise=0.3, random_state=1),
        make_circles(300, noise=0.2, factor=0.5, random_state=2),
    )
    noise = np.random.default_rng(3)
    x = noise.normal(size=(400, 5))
    return {
        "even digits": (digits.data, digits.target % 2 == 0, "linear", 0.01),
        "even digits, radial": (digits.data, digits.target % 2 == 0, "rbf", 1.0),
        "small digits": (digits.data, digits.target < 5, "poly", 0.1),
        "versicolor": (iris.data, iris.target == 1, "rbf", 10.0),
        "setosa, separable": (iris.data, iris.target == 0, "linear", 1000.0),
        "first wine": (wine.data, wine.target == 0, "linear", 0.05),
        "cancer": (cancer.data, cancer.target == 1, "rbf", 1.0),
        "moons": (*moons, "rbf", 100.0),
        "circles": (*circles, "rbf", 0.1),
        "rare and noisy": (x, x[:, 0] + 2 * noise.normal(size=400) > 2.5, "linear", 1.0),
    }


@pytest.mark.parametrize("name", ten_data_sets())
def test_the_set_from_predictions_is_the_solvers(name: str) -> None:
    x, y, kernel, c = ten_data_sets()[name]
    x = StandardScaler().fit_transform(x)
    model = SVC(kernel=kernel, C=c, tol=TIGHT).fit(x, y)
    label, score = np.where(y, 1, -1), model.decision_function(x)
    ours = np.flatnonzero(kind_of(label, score) < KINDS.index("free"))
    differing = np.setxor1d(ours, model.support_)
    # What one has and the other has not lies within the tolerance of the margin, where α may be 0.
    assert np.all(np.abs(label * score - 1)[differing] <= TOLERANCE)
    assert np.isin(model.support_, ours).all()
    cells = build(label, score)
    assert hits(cells)[:3] == np.bincount(kind_of(label, score)[ours], minlength=3).tolist()
    bounds = training_bounds(cells, 0, c)
    assert bounds is not None
    alpha = np.abs(model.dual_coef_[0])
    nu, slack = alpha.sum() / (c * len(y)), np.maximum(0, 1 - label * score)
    room = 1e-3
    assert bounds.nu[0] - room <= nu <= bounds.nu[1] + room
    assert bounds.is_balanced
    assert bounds.nu_balanced[0] - room <= nu <= bounds.nu_balanced[1] + room
    assert nu <= bounds.nu_most + room
    assert bounds.mean_slack == pytest.approx(slack.mean())
    assert bounds.mean_slack <= bounds.nu_most + room
    squared = float(model.dual_coef_[0] @ score[model.support_] - model.dual_coef_[0].sum() * model.intercept_[0])
    low, high = (end**2 for end in bounds.norm)
    assert low - 0.02 * (squared + 1) <= squared <= high + 0.02 * (squared + 1)


def test_the_share_bounds_the_leave_one_out_error() -> None:
    x, y = make_moons(80, noise=0.35, random_state=4)
    model = SVC(C=1.0, tol=TIGHT)
    error = 1 - cross_val_score(model, x, y, cv=LeaveOneOut()).mean()
    bounds = training_bounds(build(np.where(y, 1, -1), model.fit(x, y).decision_function(x)), 0, 1.0, 100)
    assert bounds is not None
    assert error <= bounds.loo_error_most
    assert (bounds.n, bounds.n_given, bounds.is_whole) == (80, 100, False)


def test_rows_that_no_free_intercept_allows() -> None:
    # Five positive rows inside, no negative support vector at all: Σα cannot be the same in both classes.
    bounds = training_bounds(build([1] * 5 + [-1] * 5, [0.5] * 5 + [-2.0] * 5), 0)
    assert bounds is not None
    assert not bounds.is_balanced
    assert all(math.isnan(each) for each in bounds.norm)


def test_slack_far_beyond_the_linear_steps_is_counted_in_bins_too() -> None:
    score = np.concatenate([-np.geomspace(0.5, 900, 300), np.linspace(0, 3, 300)])
    for resolution in (EXACT, FINE, MEDIUM):
        held = slack_histogram(build(np.ones(600), score, resolution=resolution))
        assert held.n.sum() == (score < 1).sum()
        assert np.all(np.diff(held.edges) > 0)
