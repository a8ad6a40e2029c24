from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from statsmodels.stats.proportion import proportion_confint

from lib.grid import EXACT, FINE, MEDIUM, RESOLUTIONS, Resolution
from lib.metrics import classification as c
from lib.metrics.estimates import NO_USABLE_ROWS, NOT_A_PROBABILITY
from lib.schema import ScoreKind
from tests.metrics.conftest import Rows, build, draw, metric_of

each_resolution = pytest.mark.parametrize("resolution", RESOLUTIONS, ids=lambda r: r.name)
weighted_or_not = pytest.mark.parametrize("weighted", [False, True])
LOGIT = ScoreKind.LOGIT
EPSILON = np.finfo(float).eps


def probability(score: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -np.nan_to_num(score)))


@each_resolution
@weighted_or_not
def test_decisions_are_those_of_scikit_learn(rows: Rows, resolution: Resolution, weighted: bool) -> None:
    cells = rows.cells(resolution, weighted=weighted)
    for g, version in enumerate(cells.groups["version"]):
        part = rows.of(version)
        w = part.weight if weighted else None
        truth, called = part.label > 0, part.score > 0
        for ours, theirs in (
            ("accuracy", reference.accuracy_score),
            ("precision", reference.precision_score),
            ("recall", reference.recall_score),
            ("f1", reference.f1_score),
        ):
            estimate = metric_of(ours, cells)[g]
            assert estimate.value == pytest.approx(theirs(truth, called, sample_weight=w), abs=1e-9)
            assert estimate.bound == 0
            assert estimate.lower < estimate.value < estimate.upper
        weights = np.ones(len(truth)) if w is None else w
        false_positives = np.average(called[~truth], weights=weights[~truth])
        assert metric_of("false_positive_rate", cells)[g].value == pytest.approx(false_positives, abs=1e-9)
        assert metric_of("positive_share", cells)[g].value == pytest.approx(
            np.average(truth, weights=weights), abs=1e-9
        )
        table = c.confusion(cells)
        tn, fp, fn, tp = reference.confusion_matrix(truth, called).ravel()
        found = [
            sums.n[g] for sums in (table.true_negative, table.false_positive, table.false_negative, table.true_positive)
        ]
        assert found == [tn, fp, fn, tp]


@each_resolution
@weighted_or_not
def test_probability_scores_are_those_of_scikit_learn(rows: Rows, resolution: Resolution, weighted: bool) -> None:
    # As a probability column arrives: what is known of the row is p, and its score is the logit of that.
    p_all = np.clip(probability(rows.score), EPSILON, 1 - EPSILON)
    rows = replace(rows, score=np.where(np.isnan(rows.score), np.nan, np.log(p_all) - np.log1p(-p_all)))
    cells = rows.cells(resolution, weighted=weighted)
    for g, version in enumerate(cells.groups["version"]):
        part, p = rows.of(version), p_all[rows.usable & (rows.version == version)]
        w = part.weight if weighted else None
        brier, loss = c.brier_score(cells, LOGIT)[g], c.log_loss(cells, LOGIT)[g]
        assert brier.value == pytest.approx(reference.brier_score_loss(part.label, p, sample_weight=w), abs=1e-9)
        expected = reference.log_loss(part.label > 0, p, sample_weight=w)
        assert abs(loss.value - expected) <= loss.bound + 1e-9
        assert resolution is not EXACT or loss.bound == 0
        y = part.label > 0
        errors = (p - y) ** 2
        if not weighted:
            half = 1.974 * errors.std(ddof=1) / np.sqrt(len(errors))
            tolerance = 0.002 if resolution.order < 2 else 0.1
            assert (brier.upper - brier.lower) / 2 == pytest.approx(half, rel=tolerance + 0.002)


@each_resolution
def test_log_loss_clips_as_scikit_learn_does(resolution: Resolution) -> None:
    score = np.array([-800.0, -36.5, -36.0, -30.0, 800.0, 3.0])
    cells = build(np.ones(6), score, None, None, resolution)
    expected = reference.log_loss(np.ones(6), probability(score), labels=[0, 1])
    estimate = c.log_loss(cells, LOGIT)[0]
    assert abs(estimate.value - expected) <= estimate.bound + 1e-6
    assert resolution is not EXACT or estimate.value == pytest.approx(expected, abs=1e-9)


def test_a_decision_score_is_no_probability() -> None:
    cells = draw(1).cells()
    for metric in (c.log_loss, c.brier_score):
        assert set(metric(cells, ScoreKind.DECISION).reason) == {NOT_A_PROBABILITY}
        assert np.isnan(metric(cells, ScoreKind.DECISION).value).all()
        assert (metric(cells, ScoreKind.PROBABILITY).value > 0).all()


def test_by_hand_and_strict_at_the_threshold() -> None:
    # A score of exactly 0 is not a positive prediction.
    cells = build([1, 1, 1, -1, -1, 0], [2.0, 1.0, 0.0, 0.0, 1.0, 1.0])
    assert metric_of("accuracy", cells)[0].value == 3 / 5
    assert metric_of("precision", cells)[0].value == 2 / 3
    assert metric_of("recall", cells)[0].value == 2 / 3
    assert metric_of("f1", cells)[0].value == pytest.approx(2 / 3)
    assert metric_of("f1", cells)[0].n == 4
    assert metric_of("false_positive_rate", cells)[0].value == 1 / 2
    assert metric_of("positive_share", cells)[0].value == 3 / 5
    assert metric_of("predicted_positive_share", cells)[0].value == 4 / 6
    low, high = proportion_confint(3, 5, method="wilson")
    assert (metric_of("accuracy", cells)[0].lower, metric_of("accuracy", cells)[0].upper) == pytest.approx((low, high))


def test_thresholds_in_score_and_in_probability() -> None:
    part = draw(2).of("a")
    cells = build(part.label, part.score, None, None, FINE)
    truth, p = part.label > 0, probability(part.score)
    precision = c.confusion(cells, 0.9, "probability").precision.estimates()
    assert precision[0].value == pytest.approx(truth[p > 0.9].mean())
    assert c.confusion(cells, -0.5).recall.estimates()[0].value == pytest.approx((part.score > -0.5)[truth].mean())


def test_f1_interval_is_the_delta_method_to_first_order() -> None:
    generator = np.random.default_rng(0)
    y = generator.choice([-1, 1], 40_000)
    s = generator.normal(y, 1.5)
    estimate, table = metric_of("f1", build(y, s, None, None, MEDIUM))[0], c.confusion(build(y, s, None, None, MEDIUM))
    tp, fp, fn = (sums.n[0] for sums in (table.true_positive, table.false_positive, table.false_negative))
    d = 2 * tp + fp + fn
    se = np.sqrt(tp * 4 * (1 - estimate.value) ** 2 + (fp + fn) * estimate.value**2) / d
    assert (estimate.upper - estimate.lower) / 2 == pytest.approx(1.96 * se, rel=1e-3)


def test_undefined_has_a_reason() -> None:
    cells = build([-1, -1, 1, 1, 0], [-1.0, -2.0, 1.0, 2.0, 1.0], None, {"k": ["a", "a", "b", "b", "c"]})
    assert metric_of("precision", cells).reason == (c.NO_POSITIVE_PREDICTIONS, "", c.NO_POSITIVE_PREDICTIONS)
    assert metric_of("recall", cells).reason == (c.NO_POSITIVES, "", c.NO_POSITIVES)
    assert metric_of("false_positive_rate", cells).reason == ("", c.NO_NEGATIVES, c.NO_NEGATIVES)
    assert metric_of("f1", cells).reason[0] == "no positive rows and no positive predictions"
    assert metric_of("accuracy", cells).reason == ("", "", NO_USABLE_ROWS)
    assert metric_of("predicted_positive_share", cells).value.tolist() == [0, 1, 1]
    missed = build([1, -1], [-1.0, -1.0])
    assert metric_of("f1", missed)[0].value == 0, "defined, and zero: a positive row was there and was missed"
    assert metric_of("precision", missed)[0].reason == c.NO_POSITIVE_PREDICTIONS


@given(st.integers(0, 2**31), st.booleans())
@settings(max_examples=25, deadline=None)
def test_relations_between_the_numbers(seed: int, weighted: bool) -> None:
    cells = draw(seed, 60).cells(weighted=weighted).rollup([])
    accuracy, share = metric_of("accuracy", cells)[0].value, metric_of("positive_share", cells)[0].value
    recall, false = metric_of("recall", cells)[0].value, metric_of("false_positive_rate", cells)[0].value
    if np.isfinite([recall, false]).all():
        assert accuracy == pytest.approx(share * recall + (1 - share) * (1 - false), abs=1e-9)
    p, f = metric_of("precision", cells)[0].value, metric_of("f1", cells)[0].value
    if np.isfinite([p, recall]).all() and p + recall > 0:
        assert f == pytest.approx(2 * p * recall / (p + recall), abs=1e-9)
