"""What is wrong with a part of the rows from a deploy on is told with it, and what to do is another thing then."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from lib.checks import CheckResult, run_checks
from lib.checks.beginnings import REMEDY, find_beginning
from lib.schema import Filter
from tests.checks.crossed import DAY, DEPLOYED, crossed_world
from tests.checks.tables import diagnose

COHORTS = ("tenant", "channel")


def found(frame: pd.DataFrame, name: str, where: Filter = Filter()) -> list[CheckResult]:
    diagnosis = diagnose(frame, COHORTS).with_settings(where=where)
    return [each for each in run_checks(diagnosis) if each.name == name and each.is_finding]


def changed(frame: pd.DataFrame, rows: pd.Series, factor: float = 1.0, shift: float = 0.0) -> pd.DataFrame:
    return frame.assign(score=expit(logit(frame["score"]) * np.where(rows, factor, 1) + np.where(rows, shift, 0)))


def seconds(frame: pd.DataFrame) -> pd.Series:
    return (frame["time"] - pd.Timestamp(0, tz="UTC")).dt.total_seconds()


@pytest.mark.parametrize("seed", range(3))
def test_a_crossing_that_is_worse_from_a_deploy_on_is_told_with_it(seed: int) -> None:
    (result,) = found(crossed_world(seed=seed), "false-positive-rise")
    assert result.where.cohort == {"tenant": "b", "channel": "web"}
    assert result.explanation.startswith("It began on 2026-01-17 00:00 UTC (95 % interval 2026-01-1")
    assert ", when v2 was deployed. Other rows were not hit like these" in result.explanation
    assert result.remedy == REMEDY
    assert result.evidence["began_at_deploy"] == {"name": "v2", "kind": "deploy", "at": "2026-01-17T00:00:00Z"}


def test_one_cohort_too() -> None:
    frame = crossed_world(shift=0)
    frame = changed(frame, (frame["tenant"] == "b") & (frame["version"] == "v2"), 0.3)
    (result,) = [*found(frame, "cohort-disparity"), *found(frame, "margin-collapse")][:1]
    assert result.where.cohort == {"tenant": "b"}
    assert "when v2 was deployed" in result.explanation


def test_what_was_always_worse_is_no_matter_of_a_deploy() -> None:
    frame = crossed_world(shift=0)
    (always,) = found(changed(frame, frame["tenant"] == "b", shift=2), "cohort-disparity")
    assert always.version is None
    assert always.remedy.startswith("Rebalance the training data")
    assert "began_at_deploy" not in always.evidence


def test_it_has_to_rise_at_the_deploy_and_by_more_than_for_all_rows() -> None:
    frame = crossed_world(shift=0)
    served, own = frame["version"] == "v2", frame["tenant"] == "b"
    late = seconds(frame) >= DEPLOYED + 3.5 * DAY

    def begun(rows: pd.Series) -> bool:
        beginning = find_beginning(diagnose(changed(frame, rows, shift=2), COHORTS), "v2", {"tenant": "b"})
        return beginning is not None

    assert begun(served & own)
    assert not begun(served & own & late)
    assert not begun(served)
    assert not begun(~served & own)
    assert find_beginning(diagnose(changed(frame, served & own, shift=2), COHORTS), "v1", {"tenant": "b"}) is None


def test_margins_that_collapse_at_a_deploy_in_a_part_of_the_rows_are_no_reason_to_train_anew() -> None:
    frame = crossed_world(shift=0)
    both = (frame["tenant"] == "b") & (frame["channel"] == "web") & (frame["version"] == "v2")
    filters = (Filter(cohorts=(("tenant", "b"),)), Filter(cohorts=(("tenant", "b"), ("channel", "web"))))
    for where in filters:
        (result,) = found(changed(frame, both, 0.2), "margin-collapse", where)
        assert result.explanation.startswith("It began on 2026-01-17 00:")
        assert result.remedy == REMEDY
    (whole,) = found(changed(frame, frame["version"] == "v2", 0.2), "margin-collapse")
    assert "retrain on recent data" in whole.remedy
    late = both & (seconds(frame) >= DEPLOYED + 4 * DAY)
    (later,) = found(changed(frame, late, 0.05), "margin-collapse", filters[0])
    assert later.where.window is not None
    assert "retrain on recent data" in later.remedy
