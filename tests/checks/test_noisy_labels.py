import numpy as np
import pytest
from scipy.special import expit, logit

from lib.checks import Severity, Status
from lib.schema import ScoreKind
from tests.checks.conftest import day

NAME = "noisy-labels"


def turned(frame, part, share=0.2, seed=1):
    hit = part & (np.random.default_rng(seed).random(len(frame)) < share)
    return frame.assign(label=np.where(hit, 1 - frame["label"], frame["label"]))


@pytest.mark.parametrize("kind", [ScoreKind.PROBABILITY, ScoreKind.DECISION])
def test_a_labeller(world, check, kind):
    frame = world(8_000)
    frame = turned(frame, frame["language"] == "pt")
    if kind is ScoreKind.DECISION:
        frame = frame.assign(score=logit(frame["score"]) / 7)
    (found,) = check(frame, NAME, score_kind=kind)
    assert (found.status, found.severity, found.where.cohort) == (Status.WARN, Severity.WARNING, {"language": "pt"})
    assert found.evidence["share_noise"] == pytest.approx(0.2, abs=0.04)
    own = frame[frame["language"] == "pt"]
    s = own["score"] if kind is ScoreKind.DECISION else logit(own["score"])
    sure = s.abs() >= (2 if kind is ScoreKind.PROBABILITY else frame["score"].abs().median())
    assert found.evidence["n"] == pytest.approx(sure.sum(), rel=0.06)
    wrong = ((s > 0) != (own["label"] == 1))[sure]
    assert found.evidence["share_wrong"] == pytest.approx(wrong.mean(), abs=0.02)


def test_a_labeller_for_some_days(world, check):
    frame = world(12_000)
    (found,) = check(turned(frame, (frame["plan"] == "paid") & frame["day"].between(6, 11)), NAME)
    assert (found.where.cohort, found.where.window) == ({"plan": "paid"}, (day(6), day(12)))


def test_a_disparity_that_follows_is_no_finding_of_its_own(world, check):
    frame = world(8_000)
    frame = turned(frame, frame["language"] == "pt")
    assert check(frame, "cohort-disparity")[0].status is Status.PASS
    (found,) = check(frame, NAME)
    assert any("violation rate for language = pt" in each for each in found.evidence["consequences"])


def test_a_model_that_is_weaker_there_is_no_noise(world, check):
    frame = world(8_000)
    noise = 6 * np.random.default_rng(3).standard_normal(len(frame))
    weak = frame.assign(score=expit(logit(frame["score"]) + np.where(frame["language"] == "pt", noise, 0.0)))
    assert check(weak, NAME)[0].status is Status.PASS
    assert check(weak, "cohort-disparity")[0].is_finding


def test_a_flip_is_no_noise(world, check):
    frame = world(8_000)
    frame = turned(frame, frame["language"] == "pt", 1.0)
    assert check(frame, NAME)[0].status is Status.PASS
    assert check(frame, "label-flip")[0].is_finding


def test_too_little_to_matter_and_the_same_everywhere(world, check):
    frame = world(20_000)
    assert check(turned(frame, frame["language"] == "pt", 0.03), NAME)[0].status is Status.PASS
    assert check(turned(frame, frame["day"] >= 0, 0.2), NAME)[0].status is Status.PASS


def test_reasons(world, check):
    assert check(world().drop(columns="label"), NAME)[0].status is Status.NOT_APPLICABLE
    assert check(world().assign(score=1 - world()["score"]), NAME)[0].status is Status.NOT_APPLICABLE
    unsure = world().assign(score=0.5 + (world()["score"] - 0.5) / 3)
    assert "sure of no" in check(unsure, NAME)[0].title
