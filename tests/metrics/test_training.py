"""Numbers of training curves: worked by hand, against another implementation, properties, and what is undefined."""

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lib.metrics import training, training_course
from lib.metrics.training import (
    align,
    best_place,
    constant_loss,
    gap,
    is_higher_better,
    last_improvement,
    oscillation,
    smooth,
    summarise_curve,
)
from lib.metrics.training_course import levels, noise, running_means

NAN = math.nan
# What gives None for too few values, where there are enough.
batch_distributions: Any = training.batch_distributions
course: Any = training_course.course
rise_after_best: Any = training_course.rise_after_best
CURVES = st.lists(st.floats(-100, 100), min_size=1, max_size=80).map(lambda each: np.array(each))


@pytest.mark.parametrize("metric", ["loss", "log_loss", "triplet_loss", "error", "rmse", "perplexity"])
def test_less_is_better(metric):
    assert is_higher_better(metric) is False


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "recall_at_1", "score", "f1"])
def test_more_is_better(metric):
    assert is_higher_better(metric) is True


@pytest.mark.parametrize("metric", ["learning_rate", "grad_norm", "my_own_thing", "hard_triplet_share"])
def test_no_direction(metric):
    assert is_higher_better(metric) is None


def test_smoothing_by_hand():
    # (0.5·1 + 3) / 1.5, then (0.25·1 + 0.5·3 + 5) / 1.75
    assert smooth(np.array([1.0, 3.0, 5.0]), 0.5) == pytest.approx([1, 7 / 3, 27 / 7])
    assert smooth(np.array([NAN, 1.0, np.inf, 3.0]), 0.5) == pytest.approx([NAN, 1, 1, (0.25 + 3) / 1.25], nan_ok=True)
    with pytest.raises(ValueError, match=r"in \[0, 1\)"):
        smooth(np.ones(3), 1.0)


@given(CURVES, st.floats(0, 0.99))
def test_smoothing_is_that_of_pandas_and_stays_within_the_values(values, weight):
    found = smooth(values, weight)
    assert found == pytest.approx(pd.Series(values).ewm(alpha=1 - weight).mean().to_numpy(), abs=1e-8)
    assert found.min() >= values.min() - 1e-9
    assert found.max() <= values.max() + 1e-9


def test_noise():
    rng = np.random.default_rng(0)
    line = np.linspace(3, 1, 4_000)
    assert noise(line) == pytest.approx(0, abs=1e-12)
    assert noise(line + 0.2 * rng.standard_normal(4_000)) == pytest.approx(0.2, rel=0.05)
    # Second differences of 0, 1, 0, 1, 0 are ∓2: 1.4826 · 2 / √6
    assert noise(np.array([0.0, 1, 0, 1, 0])) == pytest.approx(1.4826 * 2 / math.sqrt(6))
    assert math.isnan(noise(np.array([1.0, NAN, 2, 3])))


@given(CURVES.filter(lambda each: len(each) > 3), st.floats(-5, 5), st.floats(0.1, 10))
def test_noise_knows_no_line_and_scales(values, slope, factor):
    tilted = factor * values + slope * np.arange(len(values))
    assert noise(tilted) == pytest.approx(factor * noise(values), abs=1e-7)


def test_best_and_what_came_after():
    values = np.array([3.0, NAN, 1.0, 1.0, 2.0])
    assert best_place(values, higher=False) == 2
    assert best_place(values, higher=True) == 0
    assert best_place(np.array([NAN, np.inf]), higher=False) is None
    falling = np.array([5.0, 4.0, 3.9, 3.8, 3.79, 3.9])
    assert last_improvement(falling, higher=False, least=0.0) == 4
    assert last_improvement(falling, higher=False, least=0.15) == 3
    assert last_improvement(falling, higher=False, least=10.0) == 0
    assert last_improvement(np.array([NAN]), higher=False, least=0.0) is None


@given(CURVES, st.floats(0, 20))
def test_waiting_is_that_of_early_stopping(values, least):
    best, place = math.inf, None
    for at, value in enumerate(values.tolist()):
        if value < best - (least if math.isfinite(best) else 0):
            best, place = value, at
    assert last_improvement(values, higher=False, least=least) == place
    assert last_improvement(-values, higher=True, least=least) == place


def test_oscillation():
    assert oscillation(np.arange(100.0)) < 0.01
    assert oscillation(np.tile([1.0, -1.0], 50)) == pytest.approx(2, rel=0.02)
    assert oscillation(np.random.default_rng(0).standard_normal(20_000)) == pytest.approx(1, abs=0.03)
    assert oscillation(np.array([1.0, 2, 1, 2])) == pytest.approx(3 / (2 * 1))
    assert math.isnan(oscillation(np.ones(9)))
    assert math.isnan(oscillation(np.array([1.0, 2, 3])))


@given(CURVES.filter(lambda each: len(each) > 3 and np.ptp(each) > 1e-3), st.floats(0.1, 10), st.floats(-50, 50))
def test_oscillation_knows_no_unit_and_is_bounded(values, factor, shift):
    assert 0 <= oscillation(values) <= 2 + 1e-9
    assert oscillation(factor * values + shift) == pytest.approx(oscillation(values), rel=1e-4)
    assert oscillation(values[::-1]) == pytest.approx(oscillation(values))


def test_the_gap_is_worse_validation():
    train, validation = np.array([1.0, 0.5, NAN]), np.array([1.5, 1.5, 1.0])
    assert gap(train, validation, higher=False) == pytest.approx([0.5, 1, NAN], nan_ok=True)
    assert gap(train, validation, higher=True) == pytest.approx([-0.5, -1, NAN], nan_ok=True)


def test_curves_are_aligned_by_what_lies_between():
    x, values = np.array([1.0, 2, 3, 4, 9]), np.array([8.0, 6, NAN, 4, 100])
    # Up to 2: (8 + 6) / 2; up to 4: 4 alone, NaN is left out; none since 4 at 5; nothing before 0.
    assert align(x, values, np.array([2.0, 4, 5])) == pytest.approx([7, 4, 4])
    assert math.isnan(align(x, values, np.array([0.0]))[0])
    # A loss that has become NaN is not what it was before: neither at 3, nor at 3.5 where nothing came since.
    assert align(x, values, np.array([2.0, 3, 3.5])) == pytest.approx([7, NAN, NAN], nan_ok=True)


@given(CURVES)
def test_a_curve_is_aligned_with_itself(values):
    x = np.arange(len(values), dtype=float)
    assert align(x, values, x) == pytest.approx(values, abs=1e-9)


@given(st.lists(st.floats(-100, 100), min_size=51, max_size=400).map(np.array))
def test_levels_keep_the_mean_of_pieces(values):
    found = levels(values)
    assert len(found) == 50
    ends = np.linspace(0, len(values), 51).astype(int)
    expected = [values[low:high].mean() for low, high in itertools.pairwise(ends)]
    assert found == pytest.approx(expected, abs=1e-9)
    assert levels(np.append(values[:20], NAN)).tolist() == values[:20].tolist()


def test_a_course_by_hand():
    found = course(np.array([8.0, 6, 4, 2, 2, 2, 3, 5]))
    assert (found.start, found.lowest, found.end) == (7, 2, 4)
    assert found.fall == pytest.approx(3 / 7)
    assert found.given_back == pytest.approx(2 / 5)
    # 2, 2, 3, 5 around 1.5 + x: residuals 0.5, −0.5, −0.5, 0.5
    assert found.swing == pytest.approx(math.sqrt(4 * 0.25 / 2))
    assert course(np.arange(5.0)) is None
    assert course(np.array([1.0, 2, 3, 4, 5, 6])).given_back == math.inf
    assert course(np.zeros(9)).given_back == 0
    assert math.isnan(course(np.zeros(9)).fall)


def test_a_rise_after_the_best_by_hand():
    values = np.array([4.0, 3, 2, 1, 1.1, 2, 3.1, 4])
    train = np.array([4.0, 3, 2, 1.5, 1, 0.8, 0.7, 0.6])
    found = rise_after_best(values, train)
    assert (found.place, found.best, found.end) == (4, pytest.approx(1.05), pytest.approx(3.55))
    assert found.lasting == 1
    assert found.other_fall == pytest.approx((1.25 - 0.65) / 1.25)
    t = 2.5 / (noise(values) * math.sqrt(2 / 2))
    assert found.p == pytest.approx(stats.t.sf(t, 3) * (8 - 2 * 2 + 1))
    assert rise_after_best(np.arange(8.0)[::-1], train).p == 1
    assert rise_after_best(values, np.full(8, NAN)) is None


def test_the_p_of_a_rise_holds_for_white_noise():
    rng = np.random.default_rng(0)
    curves = rng.standard_normal((2_000, 40)) + 10
    p = np.array([rise_after_best(each, each).p for each in curves])
    assert (p < 0.01).mean() < 0.015


def test_running_means():
    assert running_means(np.array([1.0, 2, 4, 8]), 2) == pytest.approx([1.5, 3, 6])


def test_a_summary():
    found = summarise_curve(np.array([3.0, 2, 1, 1.5, NAN]), "loss")
    assert (found.n, found.n_undefined, found.best, found.best_place) == (5, 1, 1, 2)
    assert (found.final_versus_best, found.since_best) == (0.5, 2)
    assert math.isnan(found.last)
    assert summarise_curve(np.array([0.5, 0.9, 0.8]), "accuracy").final_versus_best == pytest.approx(0.1)
    none = summarise_curve(np.array([1.0, 2.0]), "learning_rate")
    assert math.isnan(none.best)
    assert set(none.reasons) == {
        "best", "final_versus_best", "since_best", "since_improvement", "noise", "oscillation",
    }  # fmt: skip
    assert summarise_curve(np.array([NAN]), "loss").reasons["best"] == "no value is finite"


def test_batches_by_epoch():
    epoch = np.repeat([1.0, 1.5, 2.0, 3.0], [10, 10, 10, 3])
    values = np.concatenate([np.full(20, 2.0), np.full(10, 1.0), np.full(3, 9.0)])
    found = batch_distributions(epoch, values)
    assert found.epochs.tolist() == [1, 2]
    assert found.n.tolist() == [20, 10]
    assert found.median.tolist() == [2, 1]
    assert found.share.sum(axis=1) == pytest.approx([1, 1])
    assert batch_distributions(np.arange(30.0), np.ones(30)) is None
    constant = batch_distributions(np.repeat([1.0, 2.0], 8), np.zeros(16))
    assert constant.share.sum(axis=1) == pytest.approx([1, 1])


def test_the_loss_of_one_answer():
    assert constant_loss(np.array([5.0, 5.0])) == pytest.approx(math.log(2))
    assert constant_loss(np.full(10, 3.0)) == pytest.approx(math.log(10))
    assert constant_loss(np.array([80.0, 20.0])) == pytest.approx(stats.entropy([0.8, 0.2]))
    assert constant_loss(np.array([4.0, 0.0])) == 0
    assert math.isnan(constant_loss(np.zeros(2)))
