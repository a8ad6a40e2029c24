import numpy as np

from lib.checks import Severity, Status
from tests.checks.conftest import day

NAME = "constant-score"


def constant(frame, part, value=0.37):
    return frame.assign(score=np.where(part, value, frame["score"]))


def test_a_window(world, check):
    frame = world()
    (found,) = check(constant(frame, frame["day"].between(3, 4)), NAME)
    assert (found.status, found.severity) == (Status.FAIL, Severity.ERROR)
    assert found.where.window == (day(3), day(5))
    assert found.evidence["share"] == 1.0


def test_a_cohort_in_a_window_and_no_collapse_beside_it(world, check):
    frame = constant(world(6_000), False)
    frame = constant(frame, (frame["language"] == "pt") & frame["day"].between(3, 6), 0.5001)
    (found,) = check(frame, NAME)
    assert (found.where.cohort, found.where.window) == ({"language": "pt"}, (day(3), day(7)))
    assert check(frame, "margin-collapse")[0].status is Status.PASS


def test_hard_decisions(world, check):
    frame = world(versions=2)
    (found,) = check(frame.assign(score=np.where(frame["score"] > 0.5, 0.9, 0.1)), NAME)
    assert (found.version, found.evidence["n_distinct"]) == (None, 2)
    part = frame["version"] == "v2"
    mixed = frame.assign(score=np.where(part, np.where(frame["score"] > 0.5, 0.9, 0.1), frame["score"]))
    (found,) = check(mixed, NAME)
    assert (found.version, found.evidence["n_distinct"]) == ("v2", 2)


def test_rounding_and_clipping_are_no_constants(world, check):
    frame = world()
    for decimals in (1, 2, 4):
        p = frame["score"].round(decimals).clip(10.0**-decimals, 1 - 10.0**-decimals)
        (found,) = check(frame.assign(score=p), NAME)
        assert found.status is Status.PASS


def test_nearly_equal_scores_in_one_coarse_bin_are_no_constant(world, check):
    frame = world()
    jitter = np.random.default_rng(1).normal(0, 0.001, len(frame))
    frame = frame.assign(score=np.where(frame["language"] == "pt", 0.37 + jitter, frame["score"]))
    (found,) = check(frame, NAME, budget=2_000)
    assert found.status is Status.PASS


def test_found_at_a_coarse_resolution(world, check):
    frame = world()
    (found,) = check(constant(frame, frame["language"] == "pt"), NAME, budget=500)
    assert found.where.cohort == {"language": "pt"}


def test_no_scores(world, check):
    assert check(world().assign(score=np.nan), NAME)[0].status is Status.NOT_APPLICABLE
