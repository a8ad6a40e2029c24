"""What checks say of the rows that a filter leaves: also where it leaves no row of a version or cohort."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lib.checks import CheckResult, Status, run_checks
from lib.diagnose import Diagnosis
from lib.schema import Filter
from tests.checks.class_worlds import cycle, diagnose_classes, exchange, make_classes
from tests.checks.conftest import make_world
from tests.checks.tables import diagnose

COHORTS = ("language", "plan")


def named(diagnosis: Diagnosis, name: str) -> CheckResult:
    (found,) = [each for each in run_checks(diagnosis) if each.name == name]
    return found


def within(diagnosis: Diagnosis, where: Filter) -> Diagnosis:
    return diagnosis.with_settings(where=where)


@pytest.fixture(scope="module")
def reversed_for_pt() -> Diagnosis:
    frame = make_world(seed=3)
    part = frame["language"] == "pt"
    return diagnose(frame.assign(score=np.where(part, 1 - frame["score"], frame["score"])), COHORTS)


def test_a_reversed_cohort_alone_in_view_is_no_wrong_positive_class(reversed_for_pt: Diagnosis) -> None:
    view = within(reversed_for_pt, Filter(cohorts=(("language", "pt"),)))
    flip, encoding = named(view, "label-flip"), named(view, "label-encoding")
    assert encoding.status is Status.PASS
    assert flip.status is Status.FAIL
    assert flip.where.cohort == {"language": "pt"}
    assert "in all rows that the filter leaves" in flip.title


def test_everything_reversed_is_a_wrong_positive_class_under_a_filter_too() -> None:
    frame = make_world(seed=4)
    diagnosis = diagnose(frame.assign(score=1 - frame["score"]), COHORTS)
    view = within(diagnosis, Filter(cohorts=(("language", "pt"),)))
    assert named(view, "label-encoding").status is Status.FAIL
    assert named(view, "label-flip").status is Status.PASS


def test_of_scores_without_information_no_class_is_said_to_be_right() -> None:
    frame = make_world(seed=5)
    coin = frame.assign(score=np.random.default_rng(0).permutation(frame["score"]))
    result = named(diagnose(coin, COHORTS), "label-encoding")
    assert result.status is Status.NOT_APPLICABLE
    assert "no better than chance" in result.title


@pytest.fixture(scope="module")
def classes() -> pd.DataFrame:
    return make_classes(2, n=3_000)


def test_exchanged_classes_alone_in_view_are_a_part(classes: pd.DataFrame) -> None:
    diagnosis = diagnose_classes(exchange(classes, (classes["language"] == "pt").to_numpy(), cycle(4, 0, 1)))
    view = within(diagnosis, Filter(cohorts=(("language", "pt"),)))
    assert named(view, "label-encoding").status is Status.PASS
    flip = named(view, "label-flip")
    assert flip.status is Status.FAIL
    assert "Classes c00 and c01 are exchanged in all rows that the filter leaves" in flip.title
    assert flip.where.cohort == {"language": "pt"}
