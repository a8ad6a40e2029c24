"""Both fits: support sets equal to scikit-learn's, the optimum of logistic loss, no leak, planes, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from lib.errors import SettingsError
from lib.metrics import fit_lab
from lib.metrics.fit_lab import LEAST_ROWS, LabRows, LabSettings, fit_both
from lib.metrics.margins import SUPPORT_VECTOR_TOLERANCE
from tests.metrics.lab_worlds import lab_rows, worlds

WORLDS = worlds()


@pytest.mark.parametrize("c", [0.1, 10.0])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("name", WORLDS)
def test_support_vectors_are_scikit_learns(name: str, kernel, c: float) -> None:
    rows = lab_rows(WORLDS[name])
    train, label = rows.values[rows.is_train], rows.label[rows.is_train]
    # `auto` is 1/d; tighter than its default, as a margin may be off by the solver's tolerance.
    machine = make_pipeline(StandardScaler(), SVC(C=c, kernel=kernel, gamma="auto", tol=1e-5)).fit(train, label)
    fits = fit_both(rows, LabSettings(kernel, c))
    margin = label * fits.hinge.score[rows.is_train]
    within = np.flatnonzero(np.abs(margin - 1) <= 2 * SUPPORT_VECTOR_TOLERANCE)
    ours, theirs = set(fits.support.tolist()), set(machine.named_steps["svc"].support_.tolist())
    assert ours == set(np.flatnonzero(margin <= 1 + SUPPORT_VECTOR_TOLERANCE).tolist())
    assert ours ^ theirs <= set(within.tolist())
    # Those on the margin itself are few, unless no line parts the classes at all and all rows have one score.
    if (name, kernel) != ("circles", "linear"):
        assert len(ours ^ theirs) <= max(2, 0.02 * len(label))
    assert fits.hinge.is_exact
    assert fits.hinge.score == pytest.approx(machine.decision_function(rows.values), abs=2e-2)


@pytest.mark.parametrize("name", ["breast cancer", "a rare class"])
def test_logistic_is_at_its_optimum(name: str) -> None:
    rows = lab_rows(WORLDS[name])
    x, y = rows.values[rows.is_train], rows.label[rows.is_train]
    fits = fit_both(rows, LabSettings("linear", 0.5))
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    pull = y / (1 + np.exp(y * fits.logistic.score[rows.is_train]))
    # The gradient of ½·|w|² + C·Σ log(1 + e^−m) is nothing in w and in b.
    assert fits.logistic.weights == pytest.approx(0.5 * z.T @ pull, abs=1e-4)
    assert pull.sum() == pytest.approx(0, abs=1e-4)


def test_logistic_with_a_kernel_is_exact_up_to_the_landmarks() -> None:
    rows = lab_rows(WORLDS["moons"], share=0.6)
    fits = fit_both(rows, LabSettings("rbf", 1.0))
    assert fits.logistic.is_exact
    x, y = rows.values[rows.is_train], rows.label[rows.is_train]
    z = (rows.values - x.mean(axis=0)) / x.std(axis=0)
    # In the kernel's own terms: w = Σ aᵢ K(xᵢ, ·) with aᵢ = C·yᵢσ(−mᵢ) at the optimum.
    pull = y / (1 + np.exp(y * fits.logistic.score[rows.is_train]))
    away = ((z[:, None] - z[rows.is_train][None]) ** 2).sum(axis=2)
    score = np.exp(-away / 2) @ pull
    offset = fits.logistic.score - score
    assert np.ptp(offset) < 5e-3


def test_many_rows_go_through_landmarks_that_are_near_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = lab_rows(WORLDS["circles"])
    exact = fit_both(rows, LabSettings("rbf", 1.0))
    monkeypatch.setattr(fit_lab, "MOST_EXACT", 100)
    near = fit_both(rows, LabSettings("rbf", 1.0))
    assert not near.hinge.is_exact
    assert ((near.hinge.score > 0) == (exact.hinge.score > 0)).mean() > 0.99
    assert near.hinge.score == pytest.approx(exact.hinge.score, abs=0.02)
    again = fit_both(rows, LabSettings("rbf", 1.0))
    assert (again.hinge.score == near.hinge.score).all()


def test_c_means_the_same_in_both_as_scikit_learn_has_it() -> None:
    rows = lab_rows(WORLDS["wine 0 and 1"])
    x, y = rows.values[rows.is_train], rows.label[rows.is_train]
    fits = fit_both(rows, LabSettings("linear", 3.0))
    reference = make_pipeline(StandardScaler(), LogisticRegression(C=3.0, tol=1e-8, max_iter=5000)).fit(x, y)
    assert fits.logistic.score == pytest.approx(reference.decision_function(rows.values), abs=1e-2)


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_nothing_of_the_test_rows_reaches_a_fit(kernel) -> None:
    rows = lab_rows(WORLDS["blobs"])
    before = fit_both(rows, LabSettings(kernel, 1.0))
    moved = rows.values.copy()
    moved[~rows.is_train] = moved[~rows.is_train] * 1_000 + 7
    label = np.where(rows.is_train, rows.label, -rows.label)
    after = fit_both(LabRows(rows.columns, moved, label, rows.is_train, rows.fold), LabSettings(kernel, 1.0))
    for one, other in ((before.hinge, after.hinge), (before.logistic, after.logistic)):
        assert (one.score[rows.is_train] == other.score[rows.is_train]).all()
        assert (one.weights == other.weights).all()


def test_units_of_a_feature_do_not_matter() -> None:
    rows = lab_rows(WORLDS["iris 1 and 2"])
    moved = LabRows(
        rows.columns, rows.values * [1e-3, 1, 1e6, 5] + [0, 40, -3, 0], rows.label, rows.is_train, rows.fold
    )
    one, other = (fit_both(each, LabSettings("linear", 1.0)) for each in (rows, moved))
    assert one.hinge.score == pytest.approx(other.hinge.score, abs=1e-4)
    assert one.logistic.score == pytest.approx(other.logistic.score, abs=1e-6)


def test_a_constant_feature_says_nothing_not_even_where_it_differs_in_test() -> None:
    rows = lab_rows(WORLDS["blobs"])
    column = np.where(rows.is_train, 3.0, 1e9)[:, None]
    wider = LabRows(
        (*rows.columns, "same"), np.concatenate([rows.values, column], axis=1), rows.label, rows.is_train, rows.fold
    )
    one, other = (fit_both(each, LabSettings("linear", 1.0)) for each in (rows, wider))
    assert one.hinge.score == pytest.approx(other.hinge.score, abs=1e-5)


def test_of_two_features_the_plane_is_all_there_is() -> None:
    rows = lab_rows(WORLDS["moons"])
    for kernel in ("linear", "rbf"):
        for across, up in (("x1", "x0"), ("", "")):
            fits = fit_both(rows, LabSettings(kernel, 1.0, across, up))
            assert fits.hinge.agreement == fits.logistic.agreement == 1.0
    fits = fit_both(rows, LabSettings("linear", 1.0, "x1", "x0"))
    assert fits.plane.points == pytest.approx(rows.values[rows.is_train][:, [1, 0]])


def test_the_grid_holds_what_the_fit_says_there() -> None:
    rows = lab_rows(WORLDS["moons"])
    fits = fit_both(rows, LabSettings("rbf", 1.0, "x0", "x1"))
    plane = fits.plane
    x, y = rows.values[rows.is_train], rows.label[rows.is_train]
    machine = make_pipeline(StandardScaler(), SVC(C=1.0, gamma="auto", tol=1e-5)).fit(x, y)
    asked = np.array([[plane.grid_x[i], plane.grid_y[j]] for j, i in ((3, 70), (40, 12), (80, 0))])
    assert [fits.hinge.grid[j, i] for j, i in ((3, 70), (40, 12), (80, 0))] == pytest.approx(
        machine.decision_function(asked).tolist(), abs=1e-2
    )


@pytest.mark.parametrize("name", ["breast cancer", "digits 3 and 8"])
def test_in_the_plane_of_the_weights_every_row_lies_where_both_fits_have_it(name: str) -> None:
    fits = fit_both(lab_rows(WORLDS[name]), LabSettings("linear", 1.0))
    plane = fits.plane
    assert plane.kind == "weights"
    assert plane.basis @ plane.basis.T == pytest.approx(np.eye(2), abs=1e-9)
    assert fits.hinge.agreement == fits.logistic.agreement == 1.0
    # The hinge score rises along the first axis alone.
    assert np.ptp(fits.hinge.grid, axis=0).max() < 1e-6


def test_with_a_kernel_a_projection_draws_no_line() -> None:
    fits = fit_both(lab_rows(WORLDS["breast cancer"]), LabSettings("rbf", 1.0))
    assert fits.plane.kind == "components"
    assert fits.hinge.grid.size == 0
    assert np.isnan(fits.hinge.agreement)
    x = fits.rows.values[fits.rows.is_train]
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    left = np.linalg.svd(z, full_matrices=False)[1][:2] ** 2
    assert (fits.plane.points**2).sum(axis=0) == pytest.approx(left)


def test_a_slice_does_not_keep_scores_and_says_how_many_it_misplaces() -> None:
    fits = fit_both(lab_rows(WORLDS["breast cancer"]), LabSettings("linear", 1.0, "x0", "x1"))
    x = fits.rows.values[fits.rows.is_train]
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    intercept = (fits.hinge.score[fits.rows.is_train] - z @ fits.hinge.weights)[0]
    seen = z[:, :2] @ fits.hinge.weights[:2] + intercept > 0
    assert fits.hinge.agreement == pytest.approx((seen == (fits.hinge.score[fits.rows.is_train] > 0)).mean())
    assert fits.hinge.agreement < 1


def refused(**changed) -> str:
    rows = lab_rows(WORLDS["blobs"])
    fields = {name: getattr(rows, name) for name in ("columns", "values", "label", "is_train", "fold")}
    with pytest.raises(SettingsError) as caught:
        fit_both(LabRows(**{**fields, **changed}), LabSettings())
    return str(caught.value)


def test_too_little_is_refused_in_a_sentence() -> None:
    rows = lab_rows(WORLDS["blobs"])
    assert "two features" in refused(columns=("x0",), values=rows.values[:, :1])
    few = rows.label.copy()
    few[np.flatnonzero(rows.is_train & (few > 0))[LEAST_ROWS - 1 :]] = -1
    assert refused(label=few).startswith(f"Of the positive class there are {LEAST_ROWS - 1} training rows")
    assert "there are 0 test rows" in refused(is_train=np.ones(len(few), bool))


def test_landmarks_are_scikit_learns() -> None:
    x = WORLDS["moons"][0]
    made = fit_lab._map_of(x, LabSettings("rbf", seed=5))  # pyright: ignore[reportPrivateUsage]
    theirs = Nystroem(gamma=0.5, n_components=300, random_state=5).fit(x).transform(x)
    assert made(x) == pytest.approx(theirs)
