"""Fits judged: the metrics are scikit-learn's on the same scores, the change of the AUC is paired, nothing leaks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, hinge_loss, log_loss, roc_auc_score

from lib.cells import cells_of_rows
from lib.metrics.fit_judging import judge, paired_auc_change, run_lab
from lib.metrics.fit_lab import Fit, LabRows, LabSettings
from lib.metrics.ranking import roc_auc
from lib.metrics.recalibration_maps import fit_map
from tests.metrics.conftest import build
from tests.metrics.lab_worlds import lab_rows, worlds

ROWS = lab_rows(worlds()["a rare class"], share=0.5)


def test_metrics_are_scikit_learns_on_the_test_rows() -> None:
    lab = run_lab(ROWS, LabSettings("linear", 1.0))
    y, test = ROWS.label[~ROWS.is_train], ~ROWS.is_train
    for judged, fit in ((lab.hinge, lab.fits.hinge), (lab.logistic, lab.fits.logistic)):
        found, score = judged.metrics(1.0), fit.score[test]
        assert found["roc_auc"].value == pytest.approx(roc_auc_score(y, score))
        assert found["accuracy"].value == pytest.approx(accuracy_score(y, np.where(score > 0, 1, -1)))
        assert found["average_hinge_loss"].value == pytest.approx(hinge_loss(y, score))
        assert found["accuracy"].n == test.sum()
        share = np.mean(ROWS.label[~test] * fit.score[~test] <= 1.001)
        assert judged.support_share.value == pytest.approx(share)
    p = 1 / (1 + np.exp(-lab.fits.logistic.score[test]))
    assert lab.logistic.probability["log_loss"].value == pytest.approx(log_loss(y, p))
    assert lab.logistic.probability["brier_score"].value == pytest.approx(brier_score_loss(y, p))
    assert lab.hinge.support_share.value == pytest.approx(len(lab.fits.support) / ROWS.is_train.sum())


def test_platts_map_is_judged_on_folds_that_it_was_not_fitted_on() -> None:
    lab = run_lab(ROWS, LabSettings("linear", 1.0))
    test, total = ~ROWS.is_train, 0.0
    score, label, fold = lab.fits.hinge.score[test], ROWS.label[test], ROWS.fold[test]
    for each in range(10):
        here = fold == each
        order = np.argsort(score[~here])
        positive = (label[~here][order] > 0).astype(float)
        p = fit_map("platt", score[~here][order], 1 - positive, positive)(score[here])
        total -= np.log(np.where(label[here] > 0, p, 1 - p)).sum()
    assert lab.hinge.probability["log_loss"].value == pytest.approx(total / test.sum(), rel=1e-6)


def test_without_two_folds_there_is_no_map_and_it_is_said() -> None:
    rows = LabRows(ROWS.columns, ROWS.values, ROWS.label, ROWS.is_train, np.zeros_like(ROWS.fold))
    score = rows.label * 1.0 + rows.values[:, 0]
    judged = judge(Fit("hinge", score, 0.1, True, True, np.zeros(0), np.zeros((0, 0)), np.nan), rows)
    assert np.isnan(judged.probability["log_loss"].value)
    assert "one class" in judged.probability["log_loss"].reason
    assert judged.calibration is None


def test_the_change_of_an_auc_by_hand() -> None:
    # Of 2 × 2 pairs the first score has 3 in order, the second all 4.
    label = np.array([-1, 1, -1, 1])
    found = paired_auc_change(label, np.array([0.1, 0.4, 0.6, 0.8]), np.array([1, 3, 2, 4]))
    assert found.value == pytest.approx(0.25)
    # Placements change by (1/2, 0) and (0, 1/2): variance 1/8 each, over two rows each.
    assert found.upper - found.value == pytest.approx(1.959964 * np.sqrt(1 / 8 / 2 * 2))


def test_the_change_of_an_auc_is_that_of_two_and_nothing_for_one() -> None:
    generator = np.random.default_rng(0)
    label = generator.choice([-1, 1], 300)
    first = np.round(generator.normal(label, 2.0), 1)
    second = first + generator.normal(0, 0.5, 300)
    found = paired_auc_change(label, first, second)
    assert found.value == pytest.approx(roc_auc_score(label, second) - roc_auc_score(label, first))
    same = paired_auc_change(label, first, first * 3 + 1)
    assert (same.value, same.lower, same.upper) == (0, 0, 0)
    # Two scores that say nothing of each other: as far as their own intervals, squared and added.
    other = generator.normal(label, 2.0)
    alone = [roc_auc(build(label, score))[0] for score in (first, other)]
    apart = np.hypot(alone[0].upper - alone[0].lower, alone[1].upper - alone[1].lower)
    paired = paired_auc_change(label, first, other)
    assert paired.upper - paired.lower == pytest.approx(apart, rel=0.25)
    assert found.upper - found.lower < 0.5 * apart


def test_the_interval_of_the_change_holds_the_truth() -> None:
    held = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        label = generator.choice([-1, 1], 200)
        shared = generator.normal(0, 1, 200)
        first, second = label + shared + generator.normal(0, 1, 200), label + shared + generator.normal(0, 1, 200)
        found = paired_auc_change(label, first, second)
        held += found.lower <= 0 <= found.upper
    assert held / 200 > 0.9


def test_cells_of_rows_are_those_of_the_scan() -> None:
    generator = np.random.default_rng(1)
    label, score = generator.choice([-1, 1], 50), np.concatenate([generator.normal(0, 5, 48), [800.0, -800.0]])
    ours, theirs = (
        cells_of_rows(label, score, {"version": ["a"] * 50}),
        build(label, score, keys={"version": ["a"] * 50}),
    )
    assert (ours.score_bin == theirs.score_bin).all()
    assert ours.sums == pytest.approx(theirs.sums)
