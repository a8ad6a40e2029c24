import numpy as np
import pytest
from scipy.special import expit, logit

from lib.checks import Severity, Status
from lib.schema import ScoreKind

NAME = "boundary-mass"


def tied(frame, value, share=0.08, seed=1):
    hit = np.random.default_rng(seed).random(len(frame)) < share
    return frame.assign(score=np.where(hit, value, frame["score"])), int(hit.sum())


@pytest.mark.parametrize("budget", [250_000, 2_500])
def test_answers_of_one_half(world, check, budget):
    frame, n = tied(world(6_000), 0.5)
    (found,) = check(frame, NAME, budget=budget)
    assert (found.status, found.severity, found.version) == (Status.WARN, Severity.WARNING, None)
    assert (found.evidence["score"], found.evidence["n_at"]) == (0.0, n)
    assert found.evidence["share"] == pytest.approx(n / 6_000)
    assert "exactly at p = 0.5 (n = 6,000)" in found.title


@pytest.mark.parametrize("value", [-1.0, 0.0, 1.0])
def test_decision_scores_at_the_margin(world, check, value):
    frame = world(6_000)
    frame, n = tied(frame.assign(score=logit(frame["score"])), value)
    (found,) = check(frame, NAME, score_kind=ScoreKind.DECISION)
    assert (found.evidence["score"], found.evidence["n_at"]) == (value, n)
    assert f"at a score of {value:.4g}" in found.title


@pytest.mark.parametrize(("low", "high", "ends"), [(0.2, 1.0, 1), (0.2, 0.8, 2)])
def test_clipped_at_a_limit(world, check, low, high, ends):
    frame = world(6_000)
    found = check(frame.assign(score=frame["score"].clip(low, high)), NAME)
    assert len(found) == ends
    assert {each.status for each in found} == {Status.WARN}


def test_clipped_at_zero_and_one(world, check):
    frame = world(6_000, d=4.0)
    (found, other) = check(
        frame.assign(score=frame["score"].clip(1e-3, 1 - 1e-3).replace({1e-3: 0, 1 - 1e-3: 1})), NAME
    )
    assert {each.title.split(" at ")[1].split(" (")[0] for each in (found, other)} >= {"p = 1"}


@pytest.mark.parametrize("decimals", [1, 2, 3, 4])
@pytest.mark.parametrize("d", [1.0, 2.5, 4.0])
def test_rounded_scores_are_no_fault(world, check, decimals, d):
    frame = world(6_000, d=d)
    p = frame["score"].round(decimals)
    assert check(frame.assign(score=p), NAME)[0].status is Status.PASS
    safe = p.clip(10.0**-decimals, 1 - 10.0**-decimals)
    assert check(frame.assign(score=safe), NAME)[0].status is Status.PASS
    s = logit(frame["score"]).round(decimals)
    assert check(frame.assign(score=s), NAME, score_kind=ScoreKind.DECISION)[0].status is Status.PASS


def test_ties_among_rounded_scores_are_told(world, check):
    frame, n = tied(world(6_000).assign(score=world(6_000)["score"].round(2)), 0.5)
    (found,) = check(frame, NAME)
    assert found.evidence["n_at"] == pytest.approx(n, abs=60)


def test_a_model_that_answers_in_steps_is_no_fault(world, check):
    frame = world(6_000)
    rng = np.random.default_rng(3)
    leaves = np.sort(np.append(rng.normal(0, 3, 60), [-np.inf, np.inf]))
    means = np.sort(rng.normal(0, 3, 61))
    steps = means[np.clip(np.searchsorted(leaves, logit(frame["score"])) - 1, 0, 60)]
    assert check(frame.assign(score=expit(steps)), NAME)[0].status is Status.PASS


def test_the_same_in_both_versions_is_one_finding(world, check):
    frame, _ = tied(world(8_000, versions=2), 0.5)
    (found,) = check(frame, NAME)
    assert (found.version, len(found.evidence["versions"])) == (None, 2)
    late = frame["version"] == "v2"
    (found,) = check(world(8_000, versions=2).assign(score=frame["score"].where(late, world(8_000)["score"])), NAME)
    assert found.version == "v2"


def test_what_constant_score_names_is_not_named_again(world, check):
    frame = world(6_000)
    frame = frame.assign(score=np.where(frame["day"] < 4, 0.5, frame["score"]))
    assert check(frame, "constant-score")[0].status is Status.FAIL
    assert check(frame, NAME)[0].status is Status.PASS


def test_too_small_a_share_and_too_few_rows(world, check):
    frame, _ = tied(world(6_000), 0.5, 0.03)
    assert check(frame, NAME)[0].status is Status.PASS
    assert check(world(150), NAME)[0].status is Status.NOT_APPLICABLE
