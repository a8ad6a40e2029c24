from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import hinge_loss
from statsmodels.stats.proportion import proportion_confint

from lib.errors import SettingsError
from lib.grid import EXACT, FINE, RESOLUTIONS, Resolution
from lib.metrics import margins
from lib.metrics.estimates import NO_USABLE_ROWS, NO_WEIGHT
from tests.metrics.conftest import Rows, build, draw, metric_of

each_resolution = pytest.mark.parametrize("resolution", RESOLUTIONS, ids=lambda r: r.name)
weighted_or_not = pytest.mark.parametrize("weighted", [False, True])


@each_resolution
@weighted_or_not
@pytest.mark.parametrize("target", [0.0, 0.5, 1.0, 2.5])
def test_hinge_and_violations_equal_the_rows(rows: Rows, resolution: Resolution, weighted: bool, target: float) -> None:
    cells = rows.cells(resolution, weighted=weighted)
    hinge, violations = margins.average_hinge_loss(cells, target), margins.violation_rate(cells, target)
    resting = metric_of("zero_hinge_gradient_share", cells, target)
    by_class = margins.violation_rate_by_class(cells, target)
    for g, version in enumerate(cells.groups["version"]):
        part = rows.of(version)
        w = part.weight if weighted else np.ones(len(part.label))
        assert hinge[g].value == pytest.approx(np.average(np.maximum(target - part.margin, 0), weights=w), abs=1e-9)
        assert violations[g].value == pytest.approx(np.average(part.margin < target, weights=w), abs=1e-12)
        assert resting[g].value == pytest.approx(1 - violations[g].value, abs=1e-12)
        assert hinge[g].n == violations[g].n == len(w)
        assert hinge[g].bound == violations[g].bound == 0
        for label, estimates in by_class.items():
            of_class = part.label == label
            expected = np.average(part.margin[of_class] < target, weights=w[of_class])
            assert estimates[g].value == pytest.approx(expected, abs=1e-12)
            assert estimates[g].n == of_class.sum()


@weighted_or_not
def test_hinge_is_that_of_scikit_learn(rows: Rows, weighted: bool) -> None:
    cells = rows.cells(weighted=weighted)
    for g, version in enumerate(cells.groups["version"]):
        part = rows.of(version)
        expected = hinge_loss(part.label, part.score, sample_weight=part.weight if weighted else None)
        assert margins.average_hinge_loss(cells)[g].value == pytest.approx(expected, abs=1e-9)


def test_hinge_by_hand() -> None:
    cells = build([1, 1, -1, -1], [2.0, 0.5, -1.0, 0.5])  # margins 2, 0.5, 1, −0.5; losses 0, 0.5, 0, 1.5
    estimate = margins.average_hinge_loss(cells)[0]
    losses = np.array([0, 0.5, 0, 1.5])
    assert estimate.value == 0.5
    half = stats.t.ppf(0.975, 3) * losses.std(ddof=1) / 2
    assert (estimate.lower, estimate.upper) == pytest.approx((0.0, 0.5 + half))
    assert half > 0.5, "the lower end is cut at zero: no loss is negative"
    # The margin of 1 is no violation at γ = 1 (strict), and is a support vector.
    assert margins.violation_rate(cells)[0].value == 0.5
    assert metric_of("support_vector_share", cells)[0].value == 0.75


def test_intervals_without_weights_are_the_textbook_ones(rows: Rows) -> None:
    cells = rows.cells()
    for g, version in enumerate(cells.groups["version"]):
        part = rows.of(version)
        rate = margins.violation_rate(cells)[g]
        wilson = proportion_confint((part.margin < 1).sum(), len(part.margin), method="wilson")
        assert (rate.lower, rate.upper) == pytest.approx(wilson, abs=1e-12)
        mean, loss = margins.average_hinge_loss(cells)[g], np.maximum(1 - part.margin, 0)
        student = stats.t.interval(0.95, len(loss) - 1, loss.mean(), stats.sem(loss))
        assert (mean.lower, mean.upper) == pytest.approx((max(student[0], 0), student[1]), abs=1e-9)


@each_resolution
def test_equal_weights_change_nothing(resolution: Resolution) -> None:
    part = draw(1)
    plain = build(part.label, part.score, None, None, resolution)
    heavy = build(part.label, part.score, np.full(400, 2.5), None, resolution)
    for name in ("average_hinge_loss", "violation_rate", "support_vector_share"):
        one, other = metric_of(name, plain)[0], metric_of(name, heavy)[0]
        assert (one.value, one.lower, one.upper) == pytest.approx((other.value, other.lower, other.upper), abs=1e-9)
    one, other = margins.median_margin(plain)[0], margins.median_margin(heavy)[0]
    assert (one.lower, one.upper) == pytest.approx((other.lower, other.upper), abs=1e-9)


@each_resolution
@pytest.mark.parametrize("q", [0.0, 0.1, 0.5, 0.9, 0.975, 1.0])
@weighted_or_not
def test_quantiles_are_those_of_numpy(rows: Rows, resolution: Resolution, q: float, weighted: bool) -> None:
    cells = rows.cells(resolution, weighted=weighted)
    of_margin, of_hinge = margins.margin_quantile(cells, q), margins.hinge_loss_quantile(cells, q, 1.3)
    for g, version in enumerate(cells.groups["version"]):
        part = rows.of(version)
        for estimate, values in ((of_margin[g], part.margin), (of_hinge[g], np.maximum(1.3 - part.margin, 0))):
            if weighted:
                expected = np.quantile(values, q, weights=part.weight, method="inverted_cdf")
            else:
                expected = np.quantile(values, q)
            assert abs(estimate.value - expected) <= estimate.bound + 1e-9
            if resolution is EXACT:
                assert estimate.bound == 0
            assert not estimate.lower > expected + 1e-9
            assert not estimate.upper < expected - 1e-9


def test_quantile_by_hand() -> None:
    cells = build(np.ones(11), np.arange(11.0))
    assert margins.median_margin(cells)[0].value == 5
    assert margins.margin_quantile(cells, 0.25)[0].value == 2.5
    # Binomial(11, ½): P(X ≤ 1) = 0.6 %, P(X ≤ 2) = 3.3 %; so the 2nd and the 10th smallest.
    assert (margins.median_margin(cells)[0].lower, margins.median_margin(cells)[0].upper) == (1, 9)
    assert margins.hinge_loss_p90(build(-np.ones(11), np.arange(11.0)))[0].value == 10


def test_few_rows_bound_nothing() -> None:
    estimate = margins.median_margin(build(np.ones(5), np.arange(5.0)))[0]
    assert estimate.value == 2
    assert np.isnan(estimate.lower)
    assert np.isnan(estimate.upper)
    single = margins.average_hinge_loss(build([1], [0.25]))[0]
    assert (single.value, single.reason) == (0.75, "")
    assert np.isnan(single.lower)


@given(st.integers(0, 2**31), st.sampled_from(RESOLUTIONS), st.floats(0, 1), st.integers(1, 60), st.booleans())
@settings(max_examples=60, deadline=None)
def test_quantiles_property(seed: int, resolution: Resolution, q: float, n: int, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    label, score = generator.choice([-1, 1], n), np.round(generator.normal(0, 12, n), generator.integers(0, 5))
    weight = generator.gamma(1.0, 1.0, n) + 0.01
    cells = build(label, score, weight if weighted else None, None, resolution)
    estimate, m = margins.margin_quantile(cells, q)[0], label * score
    expected = np.quantile(m, q, weights=weight, method="inverted_cdf") if weighted else np.quantile(m, q)
    assert abs(estimate.value - expected) <= estimate.bound + 1e-9 * (1 + abs(expected))


@each_resolution
def test_support_vectors_within_the_bound(rows: Rows, resolution: Resolution) -> None:
    cells = rows.cells(resolution)
    for g, version in enumerate(cells.groups["version"]):
        estimate, expected = metric_of("support_vector_share", cells)[g], (rows.of(version).margin <= 1.001).mean()
        assert abs(estimate.value - expected) <= estimate.bound + 1e-12
        assert resolution is not EXACT or estimate.bound == 0


def test_support_vectors_are_margins_not_scores() -> None:
    assert metric_of("support_vector_share", build([-1, 1], [5.0, 5.0]))[0].value == 0.5
    assert metric_of("support_vector_share", build([1, 1], [1.0009, 1.0011]))[0].value == 0.5


@each_resolution
@weighted_or_not
def test_histogram_is_that_of_the_rows(rows: Rows, resolution: Resolution, weighted: bool) -> None:
    edges = np.arange(-6, 7) / 2
    histogram = margins.margin_histogram(rows.cells(resolution, weighted=weighted), edges)
    for g, version in enumerate(histogram.groups["version"]):
        part = rows.of(version)
        for index, label in enumerate((-1, 1)):
            m, w = part.margin[part.label == label], part.weight[part.label == label]
            inside = m < edges[-1]  # numpy closes its last bin, ours are all closed on the left only
            assert (histogram.n[g, index] == np.histogram(m[inside], edges)[0]).all()
            if weighted:
                expected = np.histogram(m[inside], edges, weights=w[inside])[0]
                np.testing.assert_allclose(histogram.w[g, index], expected, atol=1e-9)
            assert histogram.n_below[g, index] == (m < edges[0]).sum()
            assert histogram.n_above[g, index] == (m >= edges[-1]).sum()


@given(st.integers(0, 2**31), st.integers(0, 150))
@settings(max_examples=25, deadline=None)
def test_violations_grow_with_the_target_and_hinge_is_their_integral(seed: int, step: int) -> None:
    cells, low, high = draw(seed, 80).cells(FINE).rollup([]), step / 50, step / 50 + 0.02
    less, more = margins.violation_rate(cells, low)[0].value, margins.violation_rate(cells, high)[0].value
    assert less <= more
    grown = margins.average_hinge_loss(cells, high)[0].value - margins.average_hinge_loss(cells, low)[0].value
    assert 0.02 * less - 1e-9 <= grown <= 0.02 * more + 1e-9


@each_resolution
@weighted_or_not
def test_undefined_has_a_reason(resolution: Resolution, weighted: bool) -> None:
    weight = np.ones(4) if weighted else None
    cells = build([0, 0, 1, 1], [1.0, 2.0, np.nan, 0.5], weight, {"k": ["a", "a", "b", "c"]}, resolution)
    for name in (
        "average_hinge_loss",
        "violation_rate",
        "median_margin",
        "hinge_loss_p90",
        "support_vector_share",
        "zero_hinge_gradient_share",
    ):
        estimates = metric_of(name, cells)
        assert estimates.reason == (NO_USABLE_ROWS, NO_USABLE_ROWS, "")
        assert np.isnan(estimates.value).tolist() == [True, True, False]
        assert estimates.n.tolist() == [0, 0, 1]
    assert margins.violation_rate_by_class(cells)[-1].reason[2] == "no labelled, scored rows of class -1"


def test_weights_of_zero_are_not_rows_to_divide_by() -> None:
    cells = build([1, -1], [0.5, 0.5], [0.0, 0.0])
    for metric in (margins.average_hinge_loss, margins.violation_rate, margins.median_margin):
        assert metric(cells)[0].reason == NO_WEIGHT
        assert metric(cells)[0].n == 2


def test_no_rows_at_all() -> None:
    cells = build([], [], None, {"k": np.zeros(0, "U1")})
    assert len(margins.violation_rate(cells)) == len(margins.median_margin(cells)) == 0
    assert margins.margin_histogram(cells, [0, 1, 2]).n.shape == (0, 2, 2)


def test_a_target_between_the_steps_is_refused() -> None:
    with pytest.raises(SettingsError, match="between the steps"):
        margins.violation_rate(build([1], [0.5], None, None, FINE), 0.013)


@pytest.mark.parametrize("weighted", [False, True])
def test_intervals_cover(weighted: bool) -> None:
    """400 samples of 120 rows from one known distribution, as 400 groups."""
    generator = np.random.default_rng(5)
    group = np.repeat(np.arange(400), 120)
    m = generator.normal(1.5, 1.0, len(group))
    weight = generator.gamma(2.0, 0.5, len(group)) if weighted else None
    cells = build(np.ones(len(m)), m, weight, {"g": group})
    true_rate, true_hinge = stats.norm.cdf(-0.5), stats.norm.pdf(0.5) - 0.5 * stats.norm.cdf(-0.5)
    p90 = 1 - (1.5 + stats.norm.ppf(0.1))
    for estimates, truth in (
        (margins.violation_rate(cells), true_rate),
        (margins.average_hinge_loss(cells), true_hinge),
        (margins.median_margin(cells), 1.5),
        (margins.hinge_loss_p90(cells), p90),
    ):
        covered = ((estimates.lower <= truth) & (truth <= estimates.upper)).mean()
        assert 0.9 <= covered <= 0.995  # hinge loss is skewed, which costs a mean's interval a few per cent
