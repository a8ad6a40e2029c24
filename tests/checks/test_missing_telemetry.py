import dataclasses

import numpy as np
import pytest

from lib.checks import Severity, Status, run_checks
from lib.diagnose import Diagnosis
from lib.scan.facts import InputFile
from lib.settings import Settings
from tests.checks.conftest import day
from tests.checks.tables import FrameTables

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


@pytest.mark.parametrize(
    ("column", "title", "severity"),
    [("score", "No row has a score (n = 3,000)", Severity.ERROR), ("label", "No row has a label", Severity.WARNING)],
)
def test_a_column_that_is_empty_everywhere(world, check, column, title, severity):
    (found,) = check(world().assign(**{column: np.nan}), NAME)
    assert found.title.startswith(title)
    assert (found.status, found.severity, found.evidence["share_missing"]) == (Status.FAIL, severity, 1.0)


def test_scores_that_are_missing_everywhere_alike(world, check):
    frame = world()
    (found,) = check(lose(frame, "score", frame["day"] >= 0, 0.7), NAME)
    assert "of rows have no score" in found.title
    assert (found.version, found.where.cohort, found.severity) == (None, {}, Severity.WARNING)
    assert check(lose(frame, "label", frame["day"] >= 0, 0.7), NAME)[0].status is Status.PASS


def unusable(frame, n, problems):
    tables = FrameTables(frame, ("language", "plan"))
    rejected = sum(number for code, number in problems.items() if code != "time-unreadable")
    file = InputFile("rows.csv", "0" * 64, n, rejected)
    tables.facts = dataclasses.replace(tables.facts, inputs=(file,), problems=problems)
    return [each for each in run_checks(Diagnosis(tables, Settings.choose(tables.facts))) if each.name == NAME]


def test_records_that_cannot_be_used(world):
    problems = {"not-a-record": 40, "label-unknown": 410, "time-unreadable": 9}
    (found,) = unusable(world(), 3_450, problems)
    assert (found.status, found.severity) == (Status.WARN, Severity.WARNING)
    assert found.title == (
        "13 % of records cannot be used (450 of 3,450): the label is neither of the two classes (410) and the line "
        "could not be read as a record (40)"
    )
    assert found.evidence["reasons"] == {"label-unknown": 410, "not-a-record": 40}
    assert found.evidence["n_unusable"] == 450


@pytest.mark.parametrize(("n", "rejected"), [(3_030, 30), (50, 1), (3_000, 0)])
def test_few_unusable_records_are_no_finding(world, n, rejected):
    assert unusable(world(), n, {"score-unreadable": rejected})[0].status is Status.PASS


def test_most_records_unusable_is_an_error(world):
    (found,) = unusable(world(), 9_000, {"score-unreadable": 6_000})
    assert (found.status, found.severity) == (Status.FAIL, Severity.ERROR)


def untimed(frame, lost, blank=None):
    """Findings about times, where those of `lost` cannot be read and those of `blank` were not given."""
    gone = lost if blank is None else lost | blank
    tables = FrameTables(frame.assign(time=frame["time"].where(~gone)), ("language", "plan"))
    tables.facts = dataclasses.replace(tables.facts, problems={"time-unreadable": int(lost.sum())})
    results = run_checks(Diagnosis(tables, Settings.choose(tables.facts)))
    return [each for each in results if each.name == NAME and each.evidence.get("missing") == "times"]


def test_times_of_a_version_that_cannot_be_read(world):
    frame = world(versions=2)
    second = frame["version"] == "v2"
    (found,) = untimed(frame, second)
    n = int(second.sum())
    assert (found.version, found.status, found.severity) == ("v2", Status.FAIL, Severity.ERROR)
    assert found.title == (
        f"The time of 100 % of rows in version v2 cannot be read ({n:,} of {n:,}); they are in no window"
    )
    few = np.random.default_rng(1).random(len(frame)) < 0.1
    (found,) = untimed(frame, second & few)
    assert (found.version, found.status, found.severity) == ("v2", Status.WARN, Severity.WARNING)


def test_times_that_cannot_be_read_everywhere(world):
    frame = world(versions=2)
    share = np.random.default_rng(1).random(len(frame))
    (found,) = untimed(frame, frame["score"].notna() & (share < 0.3))
    assert (found.version, found.severity) == (None, Severity.WARNING)
    assert found.title.startswith("The time of 31 % of rows cannot be read (919 of 3,000)")
    assert found.title.endswith(": 32 % of v2 and 29 % of v1")
    assert set(found.evidence["share_missing_by_version"]) == {"v1", "v2"}
    (found,) = untimed(frame, frame["score"].notna())
    assert (found.version, found.severity, found.evidence["share_missing"]) == (None, Severity.ERROR, 1.0)


def test_times_that_were_not_given_are_none_that_cannot_be_read(world):
    frame = world(versions=2)
    share = np.random.default_rng(1).random(len(frame))
    assert untimed(frame, frame["score"].notna() & (share < 0.008)) == []
    assert untimed(frame, frame.index == 0, blank=frame["version"] == "v2") == []
