"""Calibration: against independent implementations, by hand, by property, and where there is nothing to say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression

from lib.grid import COARSE, FINE
from lib.metrics.calibration import (
    PARTS,
    STATISTICS,
    compute_calibration,
    compute_miscalibration,
)
from lib.metrics.calibration_errors import (
    Outcomes,
    debiased_error,
    expected_error,
    maximum_error,
    smooth_error,
)
from lib.metrics.forecasts import Forecasts, losses_at, together
from lib.metrics.reliability import isotonic, isotonic_of_each, reliability_bins
from tests.metrics.conftest import build

RNG = np.random.default_rng(7)
N = 3_000


def draw(n: int, temperature: float = 1.0, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels in {0, 1}; the log odds are `temperature` times what they should be."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-0.3, 1.5, n)
    return temperature * truth, (rng.random(n) < special.expit(truth)).astype(np.float64)


def forecasts_of(score: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, **kwargs: object) -> Forecasts:
    return Forecasts.of(build(2 * y - 1, score, weight, **kwargs))  # type: ignore[arg-type]


def seen(forecasts: Forecasts, statistic: object) -> float:
    return float(statistic(Outcomes.seen(forecasts))[0])  # type: ignore[operator]


@pytest.mark.parametrize("rounded", [None, 1])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_decomposition_is_that_of_model_diagnostics(rounded: int | None, weighted: bool) -> None:
    from model_diagnostics.scoring import LogLoss, SquaredError, decompose

    score, y = draw(N, 1.5)
    p = special.expit(score)
    if rounded:
        p = np.clip(np.round(p, rounded), 0.05, 0.95)
        score = special.logit(p)
    weight = RNG.uniform(0.5, 3.0, N) if weighted else None
    forecasts = forecasts_of(score, y, weight)
    found = compute_calibration(forecasts)
    for name, function in (("brier", SquaredError()), ("log_loss", LogLoss())):
        theirs = decompose(y, p, weight, scoring_function=function).row(0, named=True)
        ours = {
            "miscalibration": found.errors[f"{name}_miscalibration"].estimate.value,
            "discrimination": found.parts[f"{name}_discrimination"].value,
            "uncertainty": found.parts[f"{name}_uncertainty"].value,
            "score": found.brier_score if name == "brier" else found.log_loss,
        }
        assert ours == pytest.approx({key: theirs[key] for key in ours}, abs=1e-9)


def test_the_parts_make_the_score() -> None:
    found = compute_calibration(forecasts_of(*draw(N, 1.5)))
    for name, score in (("brier", found.brier_score), ("log_loss", found.log_loss)):
        parts = found.errors[f"{name}_miscalibration"].estimate.value - found.parts[f"{name}_discrimination"].value
        assert parts + found.parts[f"{name}_uncertainty"].value == pytest.approx(score, abs=1e-12)


def test_the_isotonic_fit_is_scikit_learns() -> None:
    score, y = draw(N)
    score = np.round(score, 1)
    weight = RNG.uniform(0.5, 3.0, N)
    forecasts = forecasts_of(score, y, weight)
    theirs = IsotonicRegression().fit(score, y, weight).predict(np.unique(score))
    assert isotonic(forecasts.weight, forecasts.positive) == pytest.approx(theirs, abs=1e-9)


def test_isotonic_fits_of_many_draws_are_those_of_each() -> None:
    weight = RNG.poisson(0.7, (60, 40)).astype(np.float64)
    weight[7] = 0.0
    positive = RNG.binomial(weight.astype(int), RNG.random(40)).astype(np.float64)
    found = isotonic_of_each(weight, positive)
    for draw_of, fitted in enumerate(found):
        has = weight[draw_of] > 0
        if not has.any():
            assert np.isnan(fitted).all()
            continue
        share = positive[draw_of][has] / weight[draw_of][has]
        theirs = IsotonicRegression().fit(np.flatnonzero(has), share, weight[draw_of][has])
        assert fitted[has] == pytest.approx(theirs.predict(np.flatnonzero(has)), abs=1e-10)
        assert (np.diff(fitted) >= 0).all()


@pytest.mark.parametrize("n_bins", [10, 12, 15, 20, 30, 60])
def test_ece_and_mce_of_equal_widths_by_brute_force(n_bins: int) -> None:
    p = np.concatenate([RNG.integers(0, n_bins + 1, 400) / n_bins, RNG.random(1_000)]).clip(1e-6, 1 - 1e-6)
    y = (RNG.random(len(p)) < p**1.5).astype(np.float64)
    forecasts = forecasts_of(special.logit(p), y)
    gaps, shares = [], []
    for left in range(n_bins):
        here = (np.floor(p * n_bins + 1e-7).clip(0, n_bins - 1)) == left
        if here.any():
            gaps.append(abs(p[here].mean() - y[here].mean()))
            shares.append(here.mean())
    assert seen(forecasts, expected_error(n_bins)) == pytest.approx(np.dot(gaps, shares), abs=1e-9)
    assert seen(forecasts, maximum_error(n_bins)) == pytest.approx(max(gaps), abs=1e-9)


def test_edges_of_bins_belong_to_the_bin_above_and_one_to_the_last() -> None:
    p = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    score = special.logit(np.clip(p, np.finfo(float).eps, 1 - np.finfo(float).eps))
    bins = reliability_bins(forecasts_of(score, np.ones(10)), 10, by_mass=False)
    assert bins.n.tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 1, 2]
    assert np.isnan(bins.positive_share[0])


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_bins_are_those_of_scikit_learns_calibration_curve(strategy: str) -> None:
    score, y = draw(N, 1.3)
    share, mean = calibration_curve(y, special.expit(score), n_bins=15, strategy=strategy)  # type: ignore[arg-type]
    found = reliability_bins(forecasts_of(score, y), 15, by_mass=strategy == "quantile")
    filled = found.n > 0
    assert found.positive_share[filled] == pytest.approx(share, abs=1e-12)
    assert found.mean_probability[filled] == pytest.approx(mean, abs=1e-12)


def test_ece_by_hand() -> None:
    # Two bins: ten rows at 0.25 of which four are positive, ten at 0.75 of which nine are.
    score = special.logit(np.repeat([0.25, 0.75], 10))
    y = np.concatenate([np.repeat([0.0, 1.0], [6, 4]), np.repeat([0.0, 1.0], [1, 9])])
    forecasts = forecasts_of(score, y)
    assert seen(forecasts, expected_error(10)) == pytest.approx(0.15)
    assert seen(forecasts, maximum_error(10)) == pytest.approx(0.15)
    # Each bin: 0.15² less 0.4·0.6/9, and less 0.9·0.1/9.
    by_chance = (0.24 / 9 + 0.09 / 9) / 2
    assert seen(forecasts, debiased_error(2)) == pytest.approx(np.sqrt(0.0225 - by_chance))
    # Of what is expected nothing is taken off: chance has added nothing.
    expected = Outcomes.expected(forecasts, np.array([0.4, 0.9]))
    assert debiased_error(2)(expected) == pytest.approx([0.15])


def test_the_debiased_error_is_right_on_average() -> None:
    truth = np.repeat(np.linspace(0.1, 0.9, 5), 40)
    p = truth + 0.05
    squares = []
    for seed in range(400):
        y = (np.random.default_rng(seed).random(len(p)) < truth).astype(np.float64)
        outcomes = Outcomes.seen(forecasts_of(special.logit(p), y))
        gap = ((outcomes.weight * p[::40] - outcomes.positive)[0] / 40) ** 2
        share = outcomes.positive[0] / 40
        squares.append((gap - share * (1 - share) / 39).mean())
    assert np.mean(squares) == pytest.approx(0.05**2, abs=3 * float(np.std(squares)) / 20)


@pytest.mark.parametrize("temperature", [1.0, 1.5])
@pytest.mark.parametrize("n", [500, 5_000])
def test_smooth_ece_is_relplots_to_the_steps_of_its_mesh(n: int, temperature: float) -> None:
    import relplot.config
    from relplot.metrics import smECE

    score, y = draw(n, temperature)
    relplot.config.smECE_mesh_pts = 20_000
    theirs = smECE(special.expit(score), y)
    assert seen(forecasts_of(score, y), smooth_error) == pytest.approx(theirs, abs=5e-4)


def test_smooth_ece_by_brute_force() -> None:
    score, y = draw(400, 1.6)
    p = special.expit(score)
    found = seen(forecasts_of(score, y), smooth_error)
    grid = (np.arange(20_000) + 0.5) / 20_000
    # The kernel reflected at 0 and 1: its images at −p and 2 − p, and further ones that do not matter.
    kernel = sum(stats.norm.pdf(grid[:, None], centre[None], found) for centre in (p, -p, 2 - p))
    assert np.abs(kernel @ (p - y) / len(p)).mean() == pytest.approx(found, abs=3e-4)


def test_the_curve_of_a_calibrated_model_lies_in_its_band() -> None:
    curve = compute_calibration(forecasts_of(*draw(N))).curve
    assert curve is not None
    inside = (curve.lower <= curve.positive_share) & (curve.positive_share <= curve.upper)
    assert inside.mean() > 0.85
    tilted = compute_calibration(forecasts_of(*draw(N, 2.5))).curve
    assert tilted is not None
    assert ((tilted.lower <= tilted.positive_share) & (tilted.positive_share <= tilted.upper)).mean() < 0.7


def test_floors_are_passed_by_one_calibrated_model_in_twenty() -> None:
    above = dict.fromkeys(STATISTICS, 0)
    sets = 40
    for seed in range(sets):
        found = compute_calibration(forecasts_of(*draw(200, seed=seed))).errors
        for name in STATISTICS:
            above[name] += found[name].estimate.value > found[name].floor
            assert np.isnan(found[name].estimate.lower) or found[name].p_value < 0.2
            assert found[name].estimate.upper > 0
            assert np.isnan(found[name].told.upper) == np.isnan(found[name].estimate.lower)
    # P(X ≥ 9) for 40 draws at 5 % is below 1e-3.
    assert max(above.values()) <= 8


def test_a_temperature_of_one_and_a_half_is_seen_at_two_thousand_rows() -> None:
    found = compute_calibration(forecasts_of(*draw(2_000, 1.5))).errors
    for name in ("expected_calibration_error", "smooth_calibration_error", "brier_miscalibration"):
        assert found[name].p_value < 0.005
        assert found[name].estimate.lower > 0
        assert found[name].estimate.lower < found[name].estimate.value * 1.1


def test_what_is_found_is_the_same_at_every_call() -> None:
    score, y = draw(500, 1.2)
    first, second = (compute_calibration(forecasts_of(score, y)) for _call in range(2))
    assert first.errors == second.errors
    assert first.parts == second.parts


def test_the_test_alone_is_that_of_everything() -> None:
    for temperature in (1.0, 1.3):
        forecasts = forecasts_of(*draw(1_200, temperature))
        assert compute_miscalibration(forecasts) == compute_calibration(forecasts).test


@pytest.mark.parametrize("weighted", [False, True])
def test_the_grid_is_near_the_rows(weighted: bool) -> None:
    score, y = draw(20_000, 1.4)
    weight = RNG.uniform(0.5, 2.0, len(y)) if weighted else None
    exact = compute_calibration(forecasts_of(score, y, weight))
    grid = compute_calibration(forecasts_of(score, y, weight, resolution=FINE))
    for name in ("expected_calibration_error", "maximum_calibration_error"):
        assert grid.errors[name].estimate.value == pytest.approx(exact.errors[name].estimate.value, abs=1e-9)
    for name in STATISTICS:
        assert grid.errors[name].estimate.value == pytest.approx(exact.errors[name].estimate.value, abs=2e-3)
    assert grid.brier_score == pytest.approx(exact.brier_score, abs=1e-9)
    assert grid.log_loss == pytest.approx(exact.log_loss, abs=1e-9)
    assert grid.slope.value == pytest.approx(exact.slope.value, abs=1e-4)
    assert grid.spiegelhalter_z.value == pytest.approx(exact.spiegelhalter_z.value, abs=1e-2)


def test_equal_weights_change_nothing() -> None:
    score, y = draw(800, 1.3)
    plain, weighted = (compute_calibration(forecasts_of(score, y, each)) for each in (None, np.full(800, 2.5)))
    for name in STATISTICS:
        assert weighted.errors[name].estimate.value == pytest.approx(plain.errors[name].estimate.value, abs=1e-12)
    assert weighted.slope.value == pytest.approx(plain.slope.value, abs=1e-9)
    assert weighted.slope.upper == pytest.approx(plain.slope.upper, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-8, 8), st.integers(0, 1)), min_size=2, max_size=60),
    st.integers(1, 12),
)
def test_rows_gathered_or_put_together_are_the_same_rows(rows: list[tuple[float, int]], parts: int) -> None:
    score, y = (np.array(each, np.float64) for each in zip(*rows, strict=True))
    whole = forecasts_of(score, y)
    pieces = [forecasts_of(score[k::parts], y[k::parts]) for k in range(parts) if len(score[k::parts])]
    joined = together(pieces)
    assert joined.score == pytest.approx(whole.score)
    assert joined.n == pytest.approx(whole.n)
    few = whole.gathered(5)
    assert len(few.rows) <= 5
    assert few.n.sum(axis=0) == pytest.approx(whole.n.sum(axis=0))
    assert (few.weight * few.probability).sum() == pytest.approx((whole.weight * whole.probability).sum())
    assert (np.diff(few.probability) >= 0).all()
    squares, logs = losses_at(whole.probability)
    assert whole.squares == pytest.approx(whole.w * squares)
    assert whole.logs == pytest.approx(whole.w * logs)


def test_nothing_is_made_of_nothing() -> None:
    found = compute_calibration(Forecasts.of(build(np.zeros(3), np.full(3, 0.3))))
    assert found.reason == "no row has both a label and a score"
    assert found.curve is None
    assert all(not each.estimate.is_defined for each in found.errors.values())
    assert all(not each.is_defined for each in (found.slope, found.offset, found.spiegelhalter_z))


def test_one_class_has_errors_but_no_slope() -> None:
    found = compute_calibration(forecasts_of(np.linspace(-2, 2, 50), np.ones(50)))
    assert found.slope.reason == "only one class"
    assert found.errors["expected_calibration_error"].estimate.value == pytest.approx(
        1 - special.expit(np.linspace(-2, 2, 50)).mean()
    )
    assert found.parts["brier_uncertainty"].value == 0.0


def test_one_row_and_one_score() -> None:
    for n in (1, 20):
        y = (np.arange(n) % 2).astype(np.float64)
        found = compute_calibration(forecasts_of(np.full(n, 0.4), y))
        assert found.errors["smooth_calibration_error"].estimate.is_defined
        assert not found.slope.is_defined


def test_coarse_cells_say_that_they_cannot_be_cut_into_bins() -> None:
    found = compute_calibration(forecasts_of(*draw(500), resolution=COARSE))
    assert "too coarsely" in found.errors["expected_calibration_error"].estimate.reason
    assert found.errors["smooth_calibration_error"].estimate.is_defined


def test_probabilities_of_nought_and_one_are_finite() -> None:
    most = special.logit(1 - np.finfo(float).eps)
    found = compute_calibration(forecasts_of(np.repeat([-most, most], 20), np.tile([0.0, 1.0], 20)))
    assert found.errors["expected_calibration_error"].estimate.value == pytest.approx(0.5)
    assert np.isfinite(found.log_loss)
    assert all(np.isfinite(each.estimate.upper) for each in found.errors.values())


def test_every_number_has_an_interval_around_or_beside_it() -> None:
    found = compute_calibration(forecasts_of(*draw(1_000, 1.4)))
    for name in STATISTICS:
        each = found.errors[name].estimate
        assert each.upper > 0
        # A lower end says that a calibrated model is ruled out.
        assert np.isnan(each.lower) or 0 < each.lower <= each.upper
        assert np.isnan(each.lower) or found.errors[name].p_value < 0.06
    assert set(found.parts) == set(PARTS)
    for each in found.parts.values():
        assert each.lower <= each.upper


def test_an_error_that_no_drawn_file_has_gets_no_interval() -> None:
    # Too low and too high in turns, finer than any line with three bends can follow.
    p = np.repeat((np.arange(1, 14) + 0.5) / 15, 600)
    truth = p + 0.08 * np.where(np.arange(13).repeat(600) % 2 == 0, 1, -1)
    y = (np.random.default_rng(3).random(len(p)) < truth).astype(np.float64)
    found = compute_calibration(forecasts_of(special.logit(p), y))
    error = found.errors["expected_calibration_error"]
    assert error.estimate.value > 0.05
    assert error.p_value < 0.01
    assert np.isnan(error.estimate.lower)
    assert np.isnan(error.estimate.upper)
