import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from lib.checks import Status
from lib.schema import ScoreKind
from tests.checks.conftest import day

NAME = "margin-collapse"


def shrink(frame, part, factor=0.15):
    return frame.assign(score=np.where(part, expit(factor * logit(frame["score"])), frame["score"]))


def test_a_version_against_the_baseline(world, check):
    frame = world(versions=2)
    (found,) = check(shrink(frame, frame["version"] == "v2"), NAME)
    assert (found.version, found.where.cohort, found.status) == ("v2", {}, Status.FAIL)
    assert found.evidence["share_small"] > 0.6


def test_a_better_candidate_says_nothing_against_the_baseline(world, check):
    frame = world(versions=2)
    (found,) = check(shrink(frame, frame["version"] == "v1"), NAME)
    assert found.status is Status.PASS


def test_half_of_a_versions_time(world, check):
    frame = world()
    (found,) = check(shrink(frame, frame["day"] >= 11), NAME)
    assert found.where.window == (day(11), day(20))


def test_a_cohort_in_a_window(world, check):
    frame = world(6_000)
    (found,) = check(shrink(frame, (frame["language"] == "pt") & frame["day"].between(5, 9)), NAME)
    assert (found.where.cohort, found.where.window) == ({"language": "pt"}, (day(5), day(10)))


def test_another_scale_is_no_collapse(world, check):
    frame = world(versions=2)
    (found,) = check(shrink(frame, frame["version"] == "v2", 0.6), NAME)
    assert found.status is Status.PASS


def test_another_class_balance_is_no_collapse(world, check):
    frame = world(12_000, versions=2)
    keep = (frame["version"] == "v1") | (frame["label"] == 1) | (frame.index % 8 == 0)
    (found,) = check(frame[keep].reset_index(drop=True), NAME)
    assert found.status is Status.PASS


def test_without_labels_all_rows_count(world, check):
    frame = world().drop(columns="label")
    (found,) = check(shrink(frame, frame["day"] >= 15), NAME)
    assert found.where.window == (day(15), day(20))


def test_decision_scores_of_a_small_scale(world, check):
    frame = world()
    frame = frame.assign(score=logit(frame["score"]) / 20)
    frame = frame.assign(score=np.where(frame["day"] >= 15, 0.15, 1.0) * frame["score"])
    (found,) = check(frame, NAME, score_kind=ScoreKind.DECISION)
    assert found.where.window == (day(15), day(20))


@pytest.mark.parametrize("factor", [0.05, 0.3, 4.0])
@pytest.mark.parametrize("d", [0.8, 2.5])
def test_another_unit_of_decision_scores_is_no_collapse(world, check, factor, d):
    frame = world(versions=2, d=d)
    frame = frame.assign(score=logit(frame["score"]) * np.where(frame["version"] == "v2", factor, 1.0))
    for named in ({}, {"baseline": "v2", "candidate": "v1"}):
        (found,) = check(frame, NAME, score_kind=ScoreKind.DECISION, **named)
        assert found.status is Status.PASS


def test_two_families_of_models_on_the_same_rows(check):
    x, y = load_digits(return_X_y=True)
    even, fitted = (y % 2 == 0).astype(float), np.arange(len(y)) % 2 == 0
    frames = [
        pd.DataFrame({"version": name, "label": even[~fitted], "score": score})
        for name, model in (("logistic", LogisticRegression(max_iter=200)), ("svc", SVC()))
        for score in [make_pipeline(StandardScaler(), model).fit(x[fitted], even[fitted]).decision_function(x[~fitted])]
    ]
    (found,) = check(pd.concat(frames, ignore_index=True), NAME, (), score_kind=ScoreKind.DECISION, baseline="logistic")
    assert found.status is Status.PASS


@pytest.mark.parametrize("unit", [0.1, 1.0, 10.0])
def test_decision_scores_that_lose_separation_in_a_whole_version(world, check, unit):
    frame = world(versions=2)
    noise = 3 * np.random.default_rng(2).standard_normal(len(frame))
    lost = 0.15 * (logit(frame["score"]) + noise)
    frame = frame.assign(score=unit * np.where(frame["version"] == "v2", lost, logit(frame["score"])))
    (found,) = check(frame, NAME, score_kind=ScoreKind.DECISION)
    assert (found.version, found.status) == ("v2", Status.FAIL)
    assert found.evidence["roc_auc"] < found.evidence["roc_auc_reference"] - 0.03
    assert f"; AUC {found.evidence['roc_auc']:.2f} against" in found.title


def test_decision_scores_that_collapse_within_a_version_need_no_other_sign(world, check):
    frame = world()
    frame = frame.assign(score=logit(frame["score"]) * np.where(frame["day"] >= 15, 0.15, 1.0))
    (found,) = check(frame, NAME, score_kind=ScoreKind.DECISION)
    assert found.where.window == (day(15), day(20))
    assert "roc_auc" not in found.evidence


def test_scores_that_saturate_and_move_a_little_are_no_collapse(world, check):
    frame = world()
    squeezed = np.tanh(2 * logit(frame["score"]))
    frame = frame.assign(score=squeezed * np.where(frame["day"] >= 15, 0.9, 1.0))
    assert check(frame, NAME, score_kind=ScoreKind.DECISION)[0].status is Status.PASS
    frame = frame.assign(score=squeezed * np.where(frame["day"] >= 15, 0.15, 1.0))
    assert check(frame, NAME, score_kind=ScoreKind.DECISION)[0].where.window == (day(15), day(20))


def test_probabilities_that_are_no_longer_too_sure_are_no_collapse(world, check):
    frame = world(versions=2)
    too_sure = frame.assign(score=expit(6 * logit(frame["score"])))
    (found,) = check(shrink(too_sure, frame["version"] == "v2", 1 / 6), NAME)
    assert found.status is Status.PASS
    (found,) = check(shrink(frame, frame["version"] == "v2", 1 / 6), NAME)
    assert found.status is Status.FAIL
    assert found.evidence["average_logistic_loss"] > 1.1 * found.evidence["average_logistic_loss_reference"]


def test_versions_without_labels_are_compared_where_scores_have_a_unit(world, check):
    frame = shrink(world(versions=2), world(versions=2)["version"] == "v2").drop(columns="label")
    (found,) = check(frame, NAME)
    assert (found.version, found.status) == ("v2", Status.FAIL)
    (found,) = check(frame.assign(score=logit(frame["score"])), NAME, score_kind=ScoreKind.DECISION)
    assert found.status is Status.PASS


def test_too_few_rows(world, check):
    assert check(world().head(40), NAME)[0].status is Status.NOT_APPLICABLE
