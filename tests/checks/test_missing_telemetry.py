import numpy as np
import pytest

from lib.checks import Severity, Status
from tests.checks.conftest import day

NAME = "missing-telemetry"


def lose(frame, column, part, share=0.8, seed=1):
    lost = part & (np.random.default_rng(seed).random(len(frame)) < share)
    return frame.assign(**{column: frame[column].where(~lost)})


@pytest.mark.parametrize("column", ["score", "label"])
def test_a_cohort_in_a_window(world, check, column):
    frame = world(6_000)
    (found,) = check(lose(frame, column, (frame["language"] == "pt") & frame["day"].between(5, 9)), NAME)
    assert (found.where.cohort, found.where.window) == ({"language": "pt"}, (day(5), day(10)))
    assert (found.status, found.severity) == (Status.FAIL, Severity.WARNING)


def test_labels_that_are_late_are_information(world, check):
    frame = world()
    (found,) = check(lose(frame, "label", frame["day"] >= 17), NAME)
    assert (found.status, found.severity, found.evidence["recent"]) == (Status.WARN, Severity.INFO, True)
    (found,) = check(lose(frame, "score", frame["day"] >= 17), NAME)
    assert found.severity is Severity.WARNING


def test_too_little_to_matter(world, check):
    frame = world(20_000)
    assert check(lose(frame, "score", frame["language"] == "pt", 0.04), NAME)[0].status is Status.PASS
    assert check(lose(frame, "label", frame["language"] == "pt", 0.08), NAME)[0].status is Status.PASS


def test_a_gap(world, check):
    frame = world()
    (found,) = check(frame[~frame["day"].between(8, 10)].reset_index(drop=True), NAME)
    assert found.evidence["missing"] == "rows"
    assert found.where.window == (day(8), day(11))


@pytest.mark.parametrize("days", [10, 20])
def test_weekends_are_no_gap(world, check, days):
    frame = world(days=days)
    assert check(frame[frame["day"] % 7 < 5].reset_index(drop=True), NAME)[0].status is Status.PASS


def test_nights_are_no_gap(world, check):
    frame = world(days=5)
    assert check(frame[frame["time"].dt.hour.between(6, 17)].reset_index(drop=True), NAME)[0].status is Status.PASS


def test_no_times_no_cohorts_no_labels(world, check):
    frame = world().drop(columns=["time", "label"])
    assert check(frame, NAME, ())[0].status is Status.PASS
    (found,) = check(
        lose(frame.assign(version=np.where(frame.index < 900, "a", "b")), "score", frame.index < 900), NAME, ()
    )
    assert found.version == "a"
