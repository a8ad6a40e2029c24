"""The checks of training: what each says, when it keeps silent, and why it cannot be made."""

import math

import numpy as np
import pytest

from lib.checks import CHECKS, Severity, Status, run_checks, run_training_checks
from lib.checks.training_runs import Run, TrainingLook, least_constant_loss, pair
from lib.sources.training import Training
from tests.checks.tables import diagnose
from tests.checks.training_worlds import curve, training

EPOCHS = np.arange(40.0)
FALLING = 2 * np.exp(-EPOCHS / 8) + 0.05
TURNING = np.where(EPOCHS < 15, FALLING + 0.1, FALLING[15] + 0.1 + 0.02 * (EPOCHS - 15))


def results(*curves, constant_loss=math.nan):
    look = TrainingLook(training(*curves), constant_loss)
    return {each.name: each for each in run_training_checks(look)}


def test_without_a_history_they_do_not_apply(world):
    found = {each.name: each for each in run_checks(diagnose(world()))}
    for check in CHECKS:
        if check.over == "training":
            assert found[check.name].status is Status.NOT_APPLICABLE
            assert found[check.name].title == "no training history was given"


def test_without_predictions_the_others_do_not_apply():
    found = run_checks(None, training(curve(FALLING)))
    assert {each.title for each in found if each.topic != "training"} == {"no predictions were given"}
    assert len(found) == len(CHECKS)


def test_a_healthy_run_passes():
    found = results(curve(FALLING), curve(FALLING + 0.1, "validation"))
    assert {name: each.status for name, each in found.items()} == {
        "high-loss": Status.PASS,
        "overfitting": Status.PASS,
        "non-convergence": Status.PASS,
        "bad-negatives": Status.NOT_APPLICABLE,
    }


def test_overfitting_says_best_end_and_gap():
    found = results(curve(FALLING), curve(TURNING, "validation"))["overfitting"]
    assert (found.status, found.severity) == (Status.WARN, Severity.WARNING)
    assert found.title.startswith("Run run: val_loss rose from 0.457 at epoch 16 to 0.937 at epoch 40")
    (run,) = found.evidence["runs"]
    assert run["gap_at_best"] == pytest.approx(0.1)
    assert run["gap_at_end"] == pytest.approx(TURNING[-1] - FALLING[-1])
    assert run["best_at"] == 16


def test_of_several_runs_one_finding_names_the_worst():
    steeper = TURNING + 2 * np.maximum(0, TURNING - TURNING[15])
    curves = [
        *(curve(FALLING, run=name) for name in ("good", "bad", "worse")),
        curve(FALLING + 0.1, "validation", run="good"),
        curve(TURNING, "validation", run="bad"),
        curve(steeper, "validation", run="worse"),
    ]
    found = results(*curves)["overfitting"]
    assert found.title.startswith("Run worse: ")
    assert found.title.endswith("1 other run shows it too")
    assert [each["run"] for each in found.evidence["runs"]] == ["worse", "bad"]
    assert found.evidence["consequences"][0].startswith("Run bad: val_loss rose")


def test_validation_that_rises_with_training_is_no_overfitting():
    assert results(curve(TURNING), curve(TURNING + 0.1, "validation"))["overfitting"].status is Status.PASS


def test_overfitting_needs_both_and_enough_of_them():
    assert "side by side" in results(curve(FALLING))["overfitting"].title
    few = results(curve(FALLING[:4]), curve(FALLING[:4], "validation"))
    assert "too few to tell" in few["overfitting"].title
    assert "too few to tell" in few["high-loss"].title


def test_an_accuracy_is_judged_beside_the_loss():
    found = results(curve(FALLING), curve(1 - TURNING / 3, "validation", "accuracy"))["overfitting"]
    assert "val_accuracy fell from 0.848 at epoch 16" in found.title
    assert found.evidence["runs"][0]["gap_at_best"] is None


def test_a_loss_at_ln_k_says_so():
    found = results(curve(np.full(20, math.log(10))))["high-loss"]
    assert (
        "did not fall and ended at 2.3: ln 10, what one answer for every row of 10 equal classes costs" in found.title
    )
    assert found.evidence["runs"][0]["constant_loss"] == pytest.approx(math.log(10))


def test_the_class_balance_of_the_predictions_is_the_better_reference(world):
    frame = world(2_000)
    share = frame["label"].mean()
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    assert least_constant_loss(diagnose(frame)) == pytest.approx(entropy)
    falls_to_it = curve(entropy + 0.5 * np.exp(-EPOCHS / 5), metric="log_loss")
    given = training(falls_to_it)
    alone = {each.name: each for each in run_checks(None, given)}
    beside = {each.name: each for each in run_checks(diagnose(frame), given)}
    assert alone["high-loss"].status is Status.PASS
    assert beside["high-loss"].status is Status.WARN
    assert "where one answer for every row costs" in beside["high-loss"].title


def test_a_low_flat_loss_is_no_finding():
    assert results(curve(np.full(20, 0.05)))["high-loss"].status is Status.PASS
    assert results(curve(np.full(20, 0.05)))["non-convergence"].status is Status.PASS


def test_no_number_that_stays_is_an_error():
    values = FALLING.copy()
    values[20:] = math.nan
    found = results(curve(values))["non-convergence"]
    assert (found.status, found.severity) == (Status.FAIL, Severity.ERROR)
    assert found.title == "Run run: loss is NaN from epoch 21 on"
    values = FALLING.copy()
    values[[20, 25]] = math.inf
    found = results(curve(values))["non-convergence"]
    assert (found.status, found.title) == (
        Status.WARN,
        "Run run: loss is infinite at epoch 21 (2 values), and recovers",
    )


def test_a_loss_that_only_climbs_diverges():
    found = results(curve(np.exp(np.arange(30) / 3)))["non-convergence"]
    assert found.evidence["runs"][0]["kind"] == "diverges"
    assert found.severity is Severity.ERROR


def test_swings_divergence_and_no_fall():
    swings = results(curve(1 + 0.5 * (-1) ** EPOCHS))["non-convergence"]
    assert swings.evidence["runs"][0]["kind"] == "oscillates"
    rises = results(curve(np.where(EPOCHS < 20, FALLING, 0.2 * (EPOCHS - 18))))["non-convergence"]
    assert rises.evidence["runs"][0]["kind"] == "diverges"
    assert rises.severity is Severity.ERROR
    flat = results(curve(np.full(20, 30.0), metric="mse"))
    assert flat["non-convergence"].evidence["runs"][0]["kind"] == "does not fall"
    assert flat["high-loss"].status is Status.PASS


def test_triplets():
    stalled = np.full(40, 0.3)
    easy = curve(np.full(40, 0.99), metric="easy_triplet_share")
    found = results(curve(stalled), easy)["bad-negatives"]
    assert found.title == "Run run: 99 % of triplets are easy, and the training loss has stalled at 0.3"
    assert results(curve(FALLING), easy)["bad-negatives"].status is Status.PASS
    hard = results(curve(stalled), curve(np.full(40, 0.7), metric="hard_triplet_share"))["bad-negatives"]
    assert "70 % are hard" in hard.title
    counts = curve(np.full(40, 120.0), metric="easy_triplet_share")
    assert results(curve(stalled), counts)["bad-negatives"].status is Status.NOT_APPLICABLE


def test_curves_that_nothing_places_together_are_no_pair():
    by_step = curve(FALLING, epochs=np.full(40, np.nan))
    assert pair(by_step, curve(FALLING, "validation")) is None
    made = pair(curve(FALLING), curve(FALLING, "validation"))
    assert made is not None
    assert made.gap is not None
    assert made.gap.tolist() == [0.0] * 40


def test_the_main_curve():
    curves = (curve(FALLING, metric="mse"), curve(FALLING), curve(FALLING, "validation", "accuracy"))
    assert Run("run", curves).loss is curves[1]
    assert Run("run", curves).main is curves[2]
    assert Training().runs == ()
