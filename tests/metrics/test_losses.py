from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from lib.errors import SettingsError
from lib.grid import EXACT, FINE, RESOLUTIONS, Resolution
from lib.metrics.estimates import NO_USABLE_ROWS
from lib.metrics.loss_functions import LOSSES, LossFunction, loss_curve, loss_named
from lib.metrics.losses import average_logistic_loss, cell_losses
from tests.metrics.conftest import Rows, build, metric_of

each_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
each_resolution = pytest.mark.parametrize("resolution", RESOLUTIONS, ids=lambda r: r.name)
weighted_or_not = pytest.mark.parametrize("weighted", [False, True])


@each_loss
@given(m=st.floats(-30, 30), target=st.floats(0, 3))
@settings(max_examples=60, deadline=None)
def test_gradients_are_derivatives(loss: LossFunction, m: float, target: float) -> None:
    kinks = np.array([0.0, target, target - 1])
    if np.abs(m - kinks).min() < 1e-3:
        return
    h = 1e-6 * max(1.0, abs(m))
    slope = (loss.value(m + h, target) - loss.value(m - h, target)) / (2 * h)
    gradient = float(loss.gradient(m, target))
    assert slope == pytest.approx(gradient, rel=1e-4, abs=1e-4)
    assert gradient <= 0
    assert loss.value(m, target) >= 0


@each_loss
def test_losses_far_out_are_numbers(loss: LossFunction) -> None:
    far = np.array([-1e99, -800.0, 0.0, 800.0, 1e99])
    if loss.name == "squared_hinge":
        far = far / 1e50
    assert np.isfinite(loss.value(far)).all()
    assert np.isfinite(loss.gradient(far)).all()
    assert (np.diff(loss.value(far)) <= 0).all()


@pytest.mark.parametrize(
    ("name", "m", "value", "gradient"),
    [
        ("hinge", 0.25, 0.75, -1),
        ("hinge", 1.0, 0, 0),
        ("squared_hinge", -1.0, 4, -4),
        ("smoothed_hinge", 0.5, 0.125, -0.5),
        ("smoothed_hinge", -1.0, 1.5, -1),
        ("perceptron", -2.0, 2, -1),
        ("perceptron", 0.5, 0, 0),
        ("exponential", -1.0, np.e, -np.e),
        ("zero_one", -0.1, 1, 0),
        ("zero_one", 0.1, 0, 0),
        ("logistic", 0.0, np.log(2), -0.5),
        ("logistic", -800.0, 800, -1),
        ("focal", 0.0, np.log(2) / 4, -0.25 * (np.log(2) + 0.5)),
    ],
)
def test_losses_by_hand(name: str, m: float, value: float, gradient: float) -> None:
    loss = loss_named(name)
    assert float(loss.value(m)) == pytest.approx(value)
    assert float(loss.gradient(m)) == pytest.approx(gradient)


@each_loss
@each_resolution
@weighted_or_not
@pytest.mark.parametrize("target", [1.0, 0.5])
def test_sums_by_cell_are_those_of_the_rows(
    rows: Rows, loss: LossFunction, resolution: Resolution, weighted: bool, target: float
) -> None:
    cells = rows.cells(resolution, weighted=weighted)
    found = cell_losses(cells, loss, target)
    assert (found.lowest <= found.total + 1e-9 * (1 + found.total)).all()
    assert (found.total <= found.highest + 1e-9 * (1 + found.total)).all()
    for g, version in enumerate(cells.groups["version"]):
        part = rows.of(version)
        value = loss.value(part.margin, target)
        if loss.name == "zero_one":
            value = value + ((part.margin == 0) & (part.label > 0))
        expected = (value * (part.weight if weighted else 1.0)).sum()
        here = cells.block[found.cell] // 3 == g
        lowest, total, highest = (each[here].sum() for each in (found.lowest, found.total, found.highest))
        slack = 1e-9 * (1 + expected)
        assert lowest - slack <= expected <= highest + slack
        if resolution is EXACT or loss.name in ("logistic", "zero_one"):
            assert lowest == pytest.approx(highest)
            assert total == pytest.approx(expected)


def test_zero_one_is_what_accuracy_leaves(rows: Rows) -> None:
    cells = rows.cells(FINE)
    found = cell_losses(cells, loss_named("zero_one"))
    wrong = np.bincount(cells.block[found.cell] // 3, found.total, cells.n_groups)
    np.testing.assert_allclose(wrong / cells.margins.over(1).w, 1 - metric_of("accuracy", cells).value)


@each_resolution
@weighted_or_not
def test_logistic_loss_and_its_gradient(rows: Rows, resolution: Resolution, weighted: bool) -> None:
    cells = rows.cells(resolution, weighted=weighted)
    for g, version in enumerate(cells.groups["version"]):
        part = rows.of(version)
        w = part.weight if weighted else np.ones(len(part.label))
        expected = np.average(np.logaddexp(0, -part.margin), weights=w)
        assert average_logistic_loss(cells)[g].value == pytest.approx(expected, abs=1e-9)
        pull = w / (1 + np.exp(part.margin))
        share = metric_of("logistic_gradient_share_from_correct", cells)[g]
        assert share.value == pytest.approx(pull[part.margin > 0].sum() / pull.sum(), abs=1e-9)
        assert 0 < share.lower < share.value < share.upper < 1
        # Linearised ratio: Σ(u·(x − share))²/(Σu)².
        if not weighted:
            se = np.sqrt((pull**2 * ((part.margin > 0) - share.value) ** 2).sum()) / pull.sum()
            assert (share.upper - share.lower) / 2 == pytest.approx(1.96 * se, rel=0.05)


def test_logistic_loss_is_log_loss_while_nothing_is_clipped() -> None:
    generator = np.random.default_rng(1)
    label, score = generator.choice([-1, 1], 200), generator.normal(0, 2, 200)
    expected = reference.log_loss(label, 1 / (1 + np.exp(-score)))
    assert average_logistic_loss(build(label, score))[0].value == pytest.approx(expected, abs=1e-9)


def test_gradient_share_by_hand() -> None:
    # σ(−1) from the correct row, σ(1) from the wrong one, ½ from the one at 0, which is not yet right.
    share = metric_of("logistic_gradient_share_from_correct", build([1, -1, 1], [1.0, 1.0, 0.0]))[0]
    a, b = 1 / (1 + np.e), np.e / (1 + np.e)
    assert share.value == pytest.approx(a / (a + b + 0.5))


def test_huge_scores_leave_no_warning() -> None:
    cells = build([1, -1, 1], [1e99, 1e99, -1e99])
    for loss in LOSSES:
        assert np.isfinite(cell_losses(cells, loss).total).all()


def test_curves_and_names() -> None:
    curves = loss_curve(np.linspace(-3, 3, 7), margin_target=0.5)
    assert curves.values.shape == curves.gradients.shape == (len(LOSSES), 7)
    assert len({loss.name for loss in LOSSES}) == len(LOSSES)
    with pytest.raises(SettingsError, match="squared_hinge"):
        loss_named("cubic")


def test_undefined_has_a_reason() -> None:
    cells = build([0, 1], [1.0, np.nan], None, {"k": ["a", "b"]})
    for loss in LOSSES:
        assert len(cell_losses(cells, loss).cell) == 0
    assert metric_of("logistic_gradient_share_from_correct", cells).reason == (NO_USABLE_ROWS, NO_USABLE_ROWS)
