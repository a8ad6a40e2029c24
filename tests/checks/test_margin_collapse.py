import numpy as np
from scipy.special import expit, logit

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


def test_too_few_rows(world, check):
    assert check(world().head(40), NAME)[0].status is Status.NOT_APPLICABLE
