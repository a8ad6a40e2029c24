from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as reference

from lib.grid import EXACT, RESOLUTIONS, Resolution
from lib.metrics.estimates import NO_USABLE_ROWS, NO_WEIGHT
from lib.metrics.ranking import ONE_CLASS, average_precision, roc_auc
from tests.metrics.conftest import Rows, build

each_resolution = pytest.mark.parametrize("resolution", RESOLUTIONS, ids=lambda r: r.name)
weighted_or_not = pytest.mark.parametrize("weighted", [False, True])


@each_resolution
@weighted_or_not
def test_auc_and_average_precision_are_those_of_scikit_learn(
    rows: Rows, resolution: Resolution, weighted: bool
) -> None:
    cells = rows.cells(resolution, weighted=weighted)
    for g, version in enumerate(cells.groups["version"]):
        part = rows.of(version)
        w = part.weight if weighted else None
        for ours, theirs in (
            (roc_auc, reference.roc_auc_score),
            (average_precision, reference.average_precision_score),
        ):
            estimate, expected = ours(cells)[g], theirs(part.label > 0, part.score, sample_weight=w)
            assert abs(estimate.value - expected) <= estimate.bound + 1e-9
            assert estimate.lower < estimate.value < estimate.upper
            assert resolution is not EXACT or estimate.bound == 0


@given(st.integers(0, 2**31), st.sampled_from(RESOLUTIONS), st.integers(2, 80), st.booleans())
@settings(max_examples=80, deadline=None)
def test_bounds_hold(seed: int, resolution: Resolution, n: int, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    label = generator.choice([-1, 1], n, p=[0.7, 0.3])
    label[:2] = [-1, 1]
    score = np.round(generator.normal(0, 1.5, n), generator.integers(0, 5))
    weight = generator.gamma(0.5, 1.0, n) + 1e-3 if weighted else None
    cells = build(label, score, weight, None, resolution)
    for ours, theirs in ((roc_auc, reference.roc_auc_score), (average_precision, reference.average_precision_score)):
        estimate = ours(cells)[0]
        assert abs(estimate.value - theirs(label > 0, score, sample_weight=weight)) <= estimate.bound + 1e-9
        assert 0 <= estimate.value <= 1 + 1e-12
        assert np.isfinite([estimate.lower, estimate.upper]).all()


def test_by_hand() -> None:
    cells = build([1, -1, 1, -1], [0.9, 0.8, 0.7, 0.1])
    assert roc_auc(cells)[0].value == 0.75
    assert average_precision(cells)[0].value == pytest.approx((1 + 2 / 3) / 2)
    assert roc_auc(build([1, -1, 1, -1], [1.0, 1.0, 1.0, 1.0]))[0].value == 0.5


def test_delong_against_the_definition() -> None:
    generator = np.random.default_rng(3)
    positive, negative = np.round(generator.normal(1, 1, 40), 1), np.round(generator.normal(0, 1, 70), 1)
    kernel = (positive[:, None] > negative) + (positive[:, None] == negative) / 2
    auc = kernel.mean()
    variance = kernel.mean(axis=1).var(ddof=1) / 40 + kernel.mean(axis=0).var(ddof=1) / 70
    half = 1.959964 * np.sqrt(variance) / (auc * (1 - auc))
    estimate = roc_auc(build(np.r_[np.ones(40), -np.ones(70)], np.r_[positive, negative]))[0]
    assert estimate.value == pytest.approx(auc)
    logit = np.log(auc / (1 - auc))
    assert (estimate.lower, estimate.upper) == pytest.approx(
        (1 / (1 + np.exp(half - logit)), 1 / (1 + np.exp(-half - logit))), abs=1e-6
    )


@weighted_or_not
def test_average_precision_variance_is_what_a_bootstrap_converges_to(weighted: bool) -> None:
    generator = np.random.default_rng(8)
    n = 600
    label = generator.choice([-1, 1], n, p=[0.8, 0.2])
    score = np.round(generator.normal(label, 1.5), 2)
    weight = generator.gamma(2.0, 0.5, n) if weighted else np.ones(n)
    estimate = average_precision(build(label, score, weight if weighted else None))[0]
    draws = [
        reference.average_precision_score(label > 0, score, sample_weight=weight * generator.poisson(1.0, n))
        for _ in range(300)
    ]
    logit = np.log(np.array([estimate.lower, estimate.upper]) / (1 - np.array([estimate.lower, estimate.upper])))
    se = (logit[1] - logit[0]) / (2 * 1.96) * estimate.value * (1 - estimate.value)
    assert se == pytest.approx(np.std(draws), rel=0.15)


def test_perfect_separation_still_has_an_interval() -> None:
    cells = build([1] * 8 + [-1] * 20, [1.0] * 8 + [-1.0] * 20)
    for metric in (roc_auc, average_precision):
        estimate = metric(cells)[0]
        assert (estimate.value, estimate.upper) == (1, 1)
        assert estimate.lower == pytest.approx(8 / (8 + 1.959964**2), abs=1e-5)
    assert roc_auc(build([1, -1, -1], [0.0, -1.0, 1.0]))[0].lower < 0.5 < roc_auc(build([1, -1], [2.0, 1.0]))[0].upper


def test_undefined_has_a_reason() -> None:
    cells = build([1, 1, 0, -1, 1], [1.0, 2.0, 1.0, 0.0, 3.0], None, {"k": ["a", "a", "b", "c", "c"]})
    for metric in (roc_auc, average_precision):
        assert metric(cells).reason == (ONE_CLASS, NO_USABLE_ROWS, "")
        assert np.isnan(metric(cells).value).tolist() == [True, True, False]
        assert metric(build([1, -1], [1.0, 0.0], [1.0, 0.0]))[0].reason == NO_WEIGHT
        assert len(metric(build([], [], None, {"k": np.zeros(0, "U1")}))) == 0


def test_intervals_cover() -> None:
    generator = np.random.default_rng(4)
    group, label = np.repeat(np.arange(400), 200), np.tile(np.r_[np.ones(60), -np.ones(140)], 400)
    score = generator.normal(label * 0.6, 1.0)
    cells = build(label, score, None, {"g": group})
    truth = stats.norm.cdf(1.2 / np.sqrt(2))
    auc = roc_auc(cells)
    assert 0.92 <= ((auc.lower <= truth) & (truth <= auc.upper)).mean() <= 0.985
    many = generator.normal(np.repeat([0.6, -0.6], [60_000, 140_000]), 1.0)
    truth = reference.average_precision_score(np.repeat([1, 0], [60_000, 140_000]), many)
    precision = average_precision(cells)
    assert 0.91 <= ((precision.lower <= truth) & (truth <= precision.upper)).mean() <= 0.985
