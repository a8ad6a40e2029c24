import numpy as np
import pandas as pd
import pytest

from lib.checks import Severity, Status, run_checks
from sample_data.make import INCIDENT, make_clean, make_incident
from tests.checks.conftest import day
from tests.checks.tables import diagnose

NAME = "label-flip"


def flip(frame, part):
    return frame.assign(score=np.where(part, 1 - frame["score"], frame["score"]))


def moderation(frame):
    frame = frame.rename(columns={"y_true": "label", "y_prob": "score"})
    return frame.assign(label=frame["label"].astype(float), time=pd.to_datetime(frame["time"], utc=True))


def incident_findings(frame):
    found = run_checks(diagnose(moderation(frame), ("language", "platform", "tenant")))
    return [each for each in found if each.is_finding]


@pytest.mark.parametrize("seed", [2026, 0, 1])
def test_the_incident_is_one_finding_named_by_cohort_and_window(seed):
    (found,) = incident_findings(make_incident(seed))
    assert (found.code, found.status, found.severity) == ("H-F5", Status.FAIL, Severity.ERROR)
    assert found.version == INCIDENT.candidate
    assert found.where.cohort == {INCIDENT.cohort_column: INCIDENT.cohort_value}
    assert found.where.window is not None
    start, end = found.where.window
    assert start <= INCIDENT.deploy.timestamp() < start + 86_400
    assert end - 86_400 < INCIDENT.rollback.timestamp() <= end
    assert "language = pt" in found.title
    assert "from 2 to 5 April" in found.title
    assert any("2026.04 as a whole" in each for each in found.evidence["consequences"])


@pytest.mark.parametrize("seed", range(2))
def test_the_same_month_without_the_fault_is_silent(seed):
    assert incident_findings(make_clean(seed)) == []


def test_over_many_seeds_of_smaller_incidents():
    for seed in range(20):
        (found,) = incident_findings(make_incident(seed, 8_000))
        assert (found.name, found.where.cohort) == (NAME, {"language": "pt"})
        assert not [each for each in incident_findings(make_clean(seed, 8_000)) if each.name == NAME]


def test_a_version_is_one_finding_and_not_one_per_cohort(world, check):
    frame = world(versions=2)
    (found,) = check(flip(frame, frame["version"] == "v2"), NAME)
    assert (found.version, found.where.cohort) == ("v2", {})
    assert found.evidence["roc_auc"] < 0.1 < 0.9 < found.evidence["roc_auc_elsewhere"]


def test_a_run_of_windows_over_all_versions_is_one_finding(world, check):
    frame = world(versions=2)
    (found,) = check(flip(frame, frame["day"].between(8, 11)), NAME)
    assert found.version is None
    assert found.where.window == (day(8), day(12))
    assert "from 13 to 16 January" in found.title


def test_a_cohort_for_good_has_no_window(world, check):
    frame = world()
    (found,) = check(flip(frame, frame["language"] == "pt"), NAME)
    assert found.where.cohort == {"language": "pt"}
    assert found.where.window is None


def test_a_correlated_column_is_a_consequence(world, check):
    frame = world()
    country = np.where((frame["language"] == "pt") & (frame.index % 10 > 0), "br", "xx")
    (found,) = check(flip(frame.assign(country=country), frame["language"] == "pt"), NAME, ("country", "language"))
    assert found.where.cohort == {"language": "pt"}


def test_two_incidents_are_two_findings(world, check):
    frame = world(6_000)
    part = ((frame["language"] == "pt") & frame["day"].between(2, 5)) | (
        (frame["language"] == "es") & frame["day"].between(12, 15)
    )
    found = check(flip(frame, part), NAME)
    assert {(each.where.cohort["language"], each.where.window) for each in found} == {
        ("pt", (day(2), day(6))),
        ("es", (day(12), day(16))),
    }


def test_without_times_a_cohort_is_found(world, check):
    frame = world().drop(columns="time")
    (found,) = check(flip(frame, frame["language"] == "pt"), NAME)
    assert (found.where.cohort, found.where.window) == ({"language": "pt"}, None)


def test_without_cohorts_a_window_is_found(world, check):
    frame = world()
    (found,) = check(flip(frame, frame["day"] >= 15), NAME, ())
    assert found.where.window == (day(15), day(20))


def test_flipped_labels_are_a_flip_too(world, check):
    frame = world()
    (found,) = check(frame.assign(label=np.where(frame["day"] == 4, 1 - frame["label"], frame["label"])), NAME)
    assert found.where.window == (day(4), day(5))


def test_a_useless_model_is_no_flip(world, check):
    (found,) = check(world(d=0.01), NAME)
    assert found.status is Status.PASS


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda frame: frame.drop(columns="label"), "no label column"),
        (lambda frame: frame.assign(label=1.0), "of one class"),
        (lambda frame: frame.assign(label=np.nan), "both a label and a score"),
        (lambda frame: frame.assign(score=np.nan), "both a label and a score"),
        (lambda frame: frame.assign(score=0.5), "all scores are equal"),
        (lambda frame: frame.head(12), "too few"),
    ],
)
def test_what_cannot_be_said_has_a_reason(world, check, change, reason):
    for name in (NAME, "label-encoding"):
        (found,) = check(change(world()), name)
        assert found.status is Status.NOT_APPLICABLE
        assert reason in found.title.lower()


def test_labels_or_scores_may_be_at_fault(world, check):
    frame = world(versions=2)
    part = frame["version"] == "v2"
    (scores,) = check(flip(frame, part), NAME)
    (labels,) = check(frame.assign(label=np.where(part, 1 - frame["label"], frame["label"])), NAME)
    assert (scores.title, scores.version) == (labels.title, labels.version)
    assert "scores were turned around" in scores.explanation
    assert "or the labels were" in scores.explanation
    assert "whether score or label is wrong" in scores.remedy
