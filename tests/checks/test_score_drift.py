from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit

from lib.checks import Severity, Status
from lib.schema import ScoreKind
from tests.checks.conftest import day

NAME = "score-drift"


def moved(frame, part, by: Any = 2.5):
    return frame.assign(score=expit(logit(frame["score"]) + np.where(part, by, 0.0)))


@pytest.mark.parametrize("by", [2.5, -2.5])
def test_a_window_within_a_version(world, check, by):
    frame = world(6_000)
    (found,) = check(moved(frame, frame["day"].between(5, 9), by), NAME)
    assert (found.status, found.severity, found.where.window) == (Status.WARN, Severity.WARNING, (day(5), day(10)))
    assert f"moved {'up' if by > 0 else 'down'} from 10 to 14 January" in found.title
    assert "within the classes" in found.title
    assert found.evidence["stability_index"] > 0.2 < found.evidence["ks"] + 0.1
    s = logit(frame["score"])
    assert found.evidence["wasserstein"] == pytest.approx(2.5 / s[~frame["day"].between(5, 9)].std(), abs=0.06)


def test_a_cohort_in_a_window(world, check):
    frame = world(8_000)
    (found,) = check(moved(frame, (frame["language"] == "pt") & frame["day"].between(5, 9)), NAME)
    assert (found.where.cohort, found.where.window) == ({"language": "pt"}, (day(5), day(10)))


def test_another_mix_of_the_classes_is_information(world, check):
    frame = world(8_000)
    rng = np.random.default_rng(1)
    lost = frame["day"].between(5, 9) & (frame["label"] == 0) & (rng.random(len(frame)) < 0.8)
    (found,) = check(frame[~lost].reset_index(drop=True), NAME)
    assert found.severity is Severity.INFO
    assert found.evidence["share_from_class_mix"] == pytest.approx(1, abs=0.15)
    assert "because the classes have another mix" in found.title
    (found,) = check(frame[~lost].drop(columns="label").reset_index(drop=True), NAME)
    assert found.evidence["share_from_class_mix"] is None
    assert "too few labels to tell why" in found.title


def test_cohorts_that_score_otherwise_all_the_time_and_versions_do_not_drift(world, check):
    frame = world(8_000, versions=2)
    assert check(moved(frame, frame["language"] == "pt"), NAME)[0].status is Status.PASS
    assert check(moved(frame, frame["version"] == "v2"), NAME)[0].status is Status.PASS
    scaled = frame.assign(score=logit(frame["score"]) * np.where(frame["version"] == "v2", 20, 1))
    assert check(scaled, NAME, score_kind=ScoreKind.DECISION)[0].status is Status.PASS


def test_days_that_differ_all_the_time_are_no_drift(world, check):
    frame = world(40_000)
    wave = np.random.default_rng(4).normal(0, 2.5, 20)[frame["day"]]
    assert all(not each.is_finding for each in check(moved(frame, frame["day"] >= 0, wave), NAME))


def test_too_small_to_matter(world, check):
    frame = world(40_000)
    assert check(moved(frame, frame["day"].between(5, 9), 0.6), NAME)[0].status is Status.PASS


def test_splits(world, check):
    frame = world(6_000).drop(columns="time")
    frame["split"] = np.array(["train", "test", "production"])[np.arange(6_000) % 3]
    assert check(frame, NAME)[0].status is Status.PASS
    (found,) = check(moved(frame, frame["split"] == "production"), NAME)
    assert (found.evidence["split"], found.where.window) == ("test", None)
    assert "in split test" in found.title
    assert check(moved(frame, frame["split"] == "train"), NAME)[0].status is Status.PASS
    two = frame.assign(split=frame["split"].replace("production", "train"))
    assert check(two, NAME)[0].status is Status.NOT_APPLICABLE


def test_a_flip_explains_it(world, check):
    frame = world(6_000)
    keep = (frame["label"] == 0) | (np.arange(6_000) % 3 == 0)
    frame = frame[keep].reset_index(drop=True)
    part = frame["day"].between(5, 9)
    flipped = frame.assign(score=np.where(part, 1 - frame["score"], frame["score"]))
    assert check(flipped, NAME)[0].status is Status.PASS
    (flip,) = check(flipped, "label-flip")
    assert any(each.startswith("Scores have moved up") for each in flip.evidence["consequences"])


def test_a_constant_explains_it(world, check):
    frame = world(6_000)
    constant = frame.assign(score=np.where(frame["day"].between(5, 9), 0.97, frame["score"]))
    assert check(constant, NAME)[0].status is Status.PASS
    (found,) = check(constant, "constant-score")
    assert any("Scores have moved up" in each for each in found.evidence["consequences"])


def test_scores_all_alike_and_too_few(world, check):
    frame = world(4_000)
    close = frame.assign(score=0.5 + frame["score"] / 100)
    assert check(close, NAME)[0].status is Status.PASS
    assert check(frame.head(40), NAME)[0].status is Status.NOT_APPLICABLE
