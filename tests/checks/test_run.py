import json

import numpy as np
import pandas as pd
import pytest

from lib.checks import ALARM_RATE, CHECKS, Status, run_checks
from scripts.make_checks_doc import PAGE, RATES, render
from tests.checks.tables import diagnose

WITHOUT_COLUMNS = {
    "few-support-vectors",
    "many-support-vectors",
    "duplicate-ids",
    "leaky-split",
    "feature-drift",
    "latency-regression",
    "cost-regression",
}
"""Checks that need columns which the small world does not have."""
OF_TRAINING = {check.name for check in CHECKS if check.over == "training"}


def test_each_quiet_check_is_told_once(world):
    results = run_checks(diagnose(world(), ("language", "plan")))
    assert sorted(each.code for each in results) == sorted(check.code for check in CHECKS)
    assert {each.name for each in results if each.status is Status.NOT_APPLICABLE} == WITHOUT_COLUMNS | OF_TRAINING
    assert not any(each.is_finding for each in results)


def test_most_serious_first_and_plain_json(world):
    frame = world(6_000)
    pt, late = frame["language"] == "pt", frame["day"].between(12, 14)
    frame = frame.assign(score=np.where(pt, 1 - frame["score"], frame["score"])).assign(
        label=frame["label"].where(~(late & (frame.index % 5 > 0)))
    )
    results = run_checks(diagnose(frame, ("language", "plan")))
    assert [each.name for each in results[:2]] == ["label-flip", "missing-telemetry"]
    assert not any(each.is_finding for each in results[2:])
    json.dumps([each.evidence for each in results], allow_nan=False)
    assert all(each.title and each.explanation and each.remedy for each in results)


def test_empty_and_tiny_frames(world):
    for frame in (world().head(1), world().head(2), world().head(0).assign(version="v1")):
        if len(frame):
            assert run_checks(diagnose(frame, ("language",)))


def test_a_margin_target_off_the_grid(world):
    frame = world()
    frame = frame.assign(score=np.where(frame["language"] == "pt", 1 - frame["score"], frame["score"]))
    assert run_checks(diagnose(frame, ("language", "plan"), margin_target=0.73, budget=2_000))[0].name == "label-flip"


@pytest.mark.parametrize("check", CHECKS, ids=lambda each: each.name)
def test_the_table_is_complete(check):
    assert check.alarm_rate == ALARM_RATE
    assert all((check.reference, check.minimum_effect, check.cause, check.remedy))
    rooms = ("losses", "margins", "support_vectors", "cohorts", "features", "training", "calibration", "home")
    rooms += ("thresholds", "comparison")
    assert check.topic in rooms


def test_the_page_is_made_from_the_table():
    assert PAGE.read_text(encoding="utf-8") == render(pd.read_csv(RATES)), "run scripts/make_checks_doc.py"
