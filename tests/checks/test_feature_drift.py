"""H-F15: silent on clean worlds, sure of injected faults, one finding for each cause, and its words."""

from __future__ import annotations

from typing import Any

import pytest

from lib.checks import run_checks
from lib.checks.feature_drift import check_feature_drift
from lib.checks.result import NotApplicable, Passed
from tests.checks.conftest import make_world
from tests.checks.feature_tables import diagnose_features
from tests.checks.feature_worlds import FAULTS, FEATURES, SCOPES, break_feature, clean_features, findings_of, is_found

N_CLEAN, MOST_ALARMS = 30, 2
N_FAULTY, LEAST_FOUND = 5, 4


def answer_of(frame, features=FEATURES, cohorts=()) -> Any:
    diagnosis = diagnose_features(frame, features, cohorts)
    if diagnosis.can_read_features:
        diagnosis.read_features()
    return check_feature_drift(diagnosis)


def test_clean_features_raise_no_alarm() -> None:
    assert sum(bool(findings_of(*clean_features(seed))) for seed in range(N_CLEAN)) <= MOST_ALARMS


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scope", SCOPES)
def test_faults_are_found_and_named_once(fault: str, scope: str) -> None:
    truths = [break_feature(2_000 + seed, fault, scope) for seed in range(N_FAULTY)]
    found = [(findings_of(truth.frame, truth.cohorts), truth) for truth in truths]
    assert sum(any(is_found(each, truth) for each in findings) for findings, truth in found) >= LEAST_FOUND
    assert sum(len(findings) <= 1 for findings, _truth in found) >= LEAST_FOUND


def test_several_features_in_one_place_are_one_finding() -> None:
    frame = make_world(6_000, versions=2)
    late = frame["version"] == "v2"
    frame["one"] = frame.index % 97 + 500.0 * late
    frame["two"] = frame.index % 13 + 40.0 * late
    (finding,) = answer_of(frame, ("one", "two"))
    assert {each["feature"] for each in finding.evidence["features"]} == {"one", "two"}
    assert finding.title.startswith("2 features moved in version v2 against version v1: ")
    assert finding.version == "v2"


def test_a_category_is_said_with_its_shares() -> None:
    frame = make_world(6_000, versions=2)
    late = frame["version"] == "v2"
    frame.loc[late & (frame.index % 10 == 0), "plan"] = "trial"
    (finding,) = answer_of(frame, (), ("language", "plan"))
    assert "plan is trial in 10.0 % of rows against 0 %" in finding.title


def test_passed_says_how_many_were_compared() -> None:
    frame = make_world(3_000, versions=2)
    answer = answer_of(frame, (), ("language", "plan"))
    assert isinstance(answer, Passed)
    assert "(2 compared)" in answer.title


def test_not_applicable() -> None:
    frame = make_world(500)
    assert isinstance(answer_of(frame, ()), NotApplicable)
    unread = check_feature_drift(diagnose_features(frame, (), ("plan",)))
    assert isinstance(unread, NotApplicable)
    assert "not read yet" in unread.reason
    alone = answer_of(frame.drop(columns="time"), (), ("plan",))
    assert isinstance(alone, NotApplicable)
    assert "no two versions" in alone.reason


def test_it_does_not_depend_on_the_margin_target() -> None:
    truth = break_feature(2_000, "unit", "version")
    diagnosis = diagnose_features(truth.frame, FEATURES, truth.cohorts)
    diagnosis.read_features()
    other = diagnosis.with_settings(margin_target=0.5)
    assert other.features is diagnosis.features
    assert [each.share for each in other.explained()] != [each.share for each in diagnosis.explained()]


def test_it_tells_of_scores_that_drift_in_the_same_place() -> None:
    truth = break_feature(2_001, "unit", "window")
    frame = truth.frame
    second = frame["time"].astype("datetime64[s, UTC]").astype("int64")
    assert truth.window is not None
    inside = (second >= truth.window[0]) & (second < truth.window[1])
    frame.loc[inside, "score"] = frame.loc[inside, "score"] ** 0.3
    diagnosis = diagnose_features(frame, FEATURES, truth.cohorts)
    diagnosis.read_features()
    results = run_checks(diagnosis)
    drifts = [each.title for each in results if each.is_finding and each.name == "score-drift"]
    moved = next(each for each in results if each.is_finding and each.name == "feature-drift")
    assert moved.evidence["consequences"] == drifts
