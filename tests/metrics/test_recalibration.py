"""Recalibration: maps against those of others on the same folds, by property, and where none can be made."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy import special
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

from lib.metrics.forecasts import Forecasts
from lib.metrics.recalibration import ENOUGH_FOR_ISOTONIC, recalibrate
from lib.metrics.recalibration_maps import MAP_NAMES, MapName, as_python, fit_map
from tests.metrics.test_calibration import draw, forecasts_of

N = 2_000


def folds_of(score: np.ndarray, y: np.ndarray, fold: np.ndarray, weight: np.ndarray | None = None) -> list[Forecasts]:
    return [
        forecasts_of(score[fold == k], y[fold == k], None if weight is None else weight[fold == k])
        for k in np.unique(fold)
    ]


def their_fit(name: MapName, score: np.ndarray, y: np.ndarray, weight: np.ndarray | None):
    """A function from scores to probabilities, by somebody else."""
    from sklearn.calibration import _SigmoidCalibration, _TemperatureScaling

    if name == "platt":
        return _SigmoidCalibration().fit(score, y, weight).predict
    if name == "temperature":
        fitted = _TemperatureScaling().fit(score.reshape(-1, 1), y.astype(int), weight)
        return lambda at: special.expit(2 * float(fitted.beta_) * at)
    if name == "beta":
        from betacal import BetaCalibration

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = BetaCalibration("abm").fit(special.expit(score).reshape(-1, 1), y, weight)
        return lambda at: made.predict(special.expit(at).reshape(-1, 1))
    return IsotonicRegression(out_of_bounds="clip").fit(score, y, weight).predict


@pytest.mark.parametrize("name", MAP_NAMES)
@pytest.mark.parametrize("weighted", [False, True])
def test_numbers_are_those_of_others_fitted_on_the_same_folds(name: MapName, weighted: bool) -> None:
    score, y = draw(N, 1.7)
    rng = np.random.default_rng(3)
    fold = rng.integers(0, 10, N)
    weight = rng.uniform(0.5, 2.0, N) if weighted else None
    p = np.zeros(N)
    for k in range(10):
        rest = fold != k
        fitted = their_fit(name, score[rest], y[rest], None if weight is None else weight[rest])
        p[fold == k] = fitted(score[fold == k])
    (own,) = recalibrate(folds_of(score, y, fold, weight), is_probability=True, names=[name]).maps
    tolerance = 2e-5 if name == "beta" else 1e-6  # betacal stops at scikit-learn's default tolerance
    assert own.losses["brier_score"].value == pytest.approx(brier_score_loss(y, p, sample_weight=weight), abs=tolerance)
    assert own.losses["log_loss"].value == pytest.approx(log_loss(y, p, sample_weight=weight), abs=tolerance)
    change = log_loss(y, p, sample_weight=weight) - log_loss(y, special.expit(score), sample_weight=weight)
    assert own.losses["log_loss_change"].value == pytest.approx(change, abs=tolerance)


def test_scikit_learns_own_wrapper_fits_the_same_line() -> None:
    from sklearn.frozen import FrozenEstimator
    from sklearn.svm import LinearSVC

    rng = np.random.default_rng(5)
    x = rng.normal(size=(500, 3))
    y = (x[:, 0] + rng.normal(size=500) > 0).astype(int)
    model = LinearSVC(random_state=0).fit(x, y)
    theirs = CalibratedClassifierCV(FrozenEstimator(model), method="sigmoid").fit(x, y).predict_proba(x)[:, 1]
    forecasts = forecasts_of(model.decision_function(x), y.astype(float))
    ours = fit_map("platt", forecasts.score, forecasts.w[:, 0], forecasts.w[:, 1])
    assert ours(model.decision_function(x)) == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("name", MAP_NAMES)
def test_every_map_rises_and_stays_within_nought_and_one(name: MapName) -> None:
    for temperature in (2.0, -1.0, 0.01):
        score, y = draw(300, temperature)
        forecasts = forecasts_of(score, y)
        fitted = fit_map(name, forecasts.score, forecasts.w[:, 0], forecasts.w[:, 1])
        at = np.concatenate([[-1e6, -50.0], np.linspace(-8, 8, 101), [50.0, 1e6]])
        p = fitted(at)
        assert ((p >= 0) & (p <= 1)).all()
        assert (np.diff(p) >= -1e-12).all()


@pytest.mark.parametrize("name", MAP_NAMES)
def test_separable_classes_still_have_a_map(name: MapName) -> None:
    score = np.linspace(-3, 3, 40)
    forecasts = forecasts_of(score, (score > 0).astype(float))
    p = fit_map(name, forecasts.score, forecasts.w[:, 0], forecasts.w[:, 1])(score)
    assert np.isfinite(p).all()
    assert (p[score > 0] > 0.5).all()


def test_temperature_by_hand() -> None:
    # At scores of ±1 three rows of four are right: σ(1/T) = 3/4, so T = 1/ln 3.
    forecasts = forecasts_of(np.repeat([-1.0, 1.0], 4), np.array([0.0, 0, 0, 1, 1, 1, 1, 0]))
    fitted = fit_map("temperature", forecasts.score, forecasts.w[:, 0], forecasts.w[:, 1])
    assert fitted.parameters["temperature"] == pytest.approx(1 / np.log(3))


def test_too_hot_scores_are_cooled_and_good_ones_left_alone() -> None:
    fold = np.random.default_rng(0).integers(0, 10, N)
    hot = recalibrate(folds_of(*draw(N, 2.0), fold), is_probability=True)
    assert hot.recommended is not None
    assert hot.recommended.name == "temperature"
    assert hot.recommended.losses["log_loss_change"].upper < 0
    fine = recalibrate(folds_of(*draw(N), fold), is_probability=True)
    assert fine.recommended is None


def test_a_decision_score_gets_a_map_in_any_case() -> None:
    score, y = draw(N)
    fold = np.random.default_rng(0).integers(0, 10, N)
    found = recalibrate(folds_of(score, y, fold), is_probability=False)
    assert found.recommended is not None
    assert "log_loss_change" not in found.recommended.losses


def test_isotonic_is_not_recommended_for_few_rows() -> None:
    rng = np.random.default_rng(2)
    n = ENOUGH_FOR_ISOTONIC - 1
    score = rng.normal(0, 2, n)
    # A step that no smooth map can follow.
    y = (rng.random(n) < np.where(score > 0.7, 0.9, 0.1)).astype(float)
    few = recalibrate(folds_of(score, y, rng.integers(0, 10, n)), is_probability=False)
    assert few.best is not None
    assert few.best.name != "isotonic"
    score, y = np.tile(score, 5), np.tile(y, 5)
    many = recalibrate(folds_of(score, y, rng.integers(0, 10, 5 * n)), is_probability=False)
    assert many.recommended is not None
    assert many.recommended.name == "isotonic"


def test_no_row_is_judged_by_a_map_that_has_seen_it() -> None:
    # Each label is a coin: what is seen helps only with itself.
    rng = np.random.default_rng(4)
    score, y = rng.normal(size=400), rng.integers(0, 2, 400).astype(float)
    found = recalibrate(folds_of(score, y, rng.integers(0, 10, 400)), is_probability=False)
    for each in found.maps:
        assert each.losses["brier_score"].value > 0.249


def test_the_pooled_forecasts_carry_the_same_losses() -> None:
    score, y = draw(N, 1.6)
    found = recalibrate(folds_of(score, y, np.arange(N) % 10), is_probability=True)
    for each in found.maps:
        assert each.forecasts.n_rows == N
        assert each.forecasts.squares.sum() / N == pytest.approx(each.losses["brier_score"].value, abs=1e-9)
        assert each.forecasts.logs.sum() / N == pytest.approx(each.losses["log_loss"].value, abs=1e-9)


def test_where_no_map_can_be_made_it_is_said() -> None:
    assert recalibrate([], is_probability=True).reason == "no row has both a label and a score"
    one = recalibrate([forecasts_of(np.array([0.1, 0.2]), np.array([1.0, 0.0]))], is_probability=True)
    assert "ten folds" in one.reason
    positive = [forecasts_of(np.array([0.1 * k]), np.ones(1)) for k in range(1, 5)]
    assert "one class" in recalibrate(positive, is_probability=True).reason


@pytest.mark.parametrize("takes_probability", [False, True])
@pytest.mark.parametrize("name", MAP_NAMES)
def test_the_python_function_is_the_map(name: MapName, takes_probability: bool, tmp_path: Path) -> None:
    score = np.sort(np.random.default_rng(4).normal(0.2, 2.0, 400))
    positive = (np.random.default_rng(5).random(400) < special.expit(0.6 * score - 0.3)).astype(np.float64)
    fitted = fit_map(name, score, 1 - positive, positive)
    text = as_python(fitted, takes_probability=takes_probability, comment='é\n"""\nimport os')
    at = np.concatenate([np.linspace(-60, 60, 241), score, [-800.0, 800.0]])
    given = special.expit(at) if takes_probability else at
    (tmp_path / "recalibrated.py").write_text(
        f"{text}\nfor x in {given.tolist()!r}:\n    print(repr(recalibrate(x)))\nprint(recalibrate(float('nan')))\n"
    )
    command = [sys.executable, "-I", str(tmp_path / "recalibrated.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    eps = np.finfo(np.float64).eps
    expected = fitted(special.logit(np.clip(given, eps, 1 - eps)) if takes_probability else at)
    *told, missing = done.stdout.split()
    assert np.array(told, np.float64) == pytest.approx(expected, abs=1e-12)
    # A missing score has a missing probability, by every map.
    assert missing == "nan"
