"""Faults of a version that hit one cohort, or where two cross, and move neither the version nor any violation rate."""

from __future__ import annotations

import numpy as np
import pytest

from lib.checks import Severity
from lib.checks.answer_counts import Counts
from lib.checks.regressions import find_regressions
from tests.checks.class_worlds import class_findings, make_classes
from tests.checks.crossing_worlds import (
    CLEAN,
    COHORTS,
    FAULTS,
    findings,
    inside,
    make_cohorts,
    measure_crossings,
    scored,
)
from tests.checks.tables import diagnose


@pytest.mark.parametrize("seed", range(2))
def test_scores_that_moved_where_two_cohorts_cross_are_one_finding_that_names_both(seed: int) -> None:
    frame = make_cohorts(seed)
    part = inside(frame, {"region": "apac", "channel": "partner"})
    (found,) = findings(frame, -3.0 * part)
    assert (found.name, found.version, found.severity) == ("threshold-shift", "v2", Severity.ERROR)
    assert found.where.cohort == {"region": "apac", "channel": "partner"}
    assert " for region = apac and channel = partner in version v2: " in found.title
    assert "when v2 was deployed" in found.explanation
    assert "Roll that deploy back" in found.remedy
    rows, flagged = frame[part], (frame["s"] - 3.0 * part)[part] > 0
    before = frame[(frame["version"] == "v1") & (frame["region"] == "apac") & (frame["channel"] == "partner")]
    assert found.evidence["n"] == part.sum()
    assert found.evidence["recall"] == pytest.approx(flagged[rows["label"] == 1].mean())
    assert found.evidence["accuracy"] == pytest.approx((flagged == (rows["label"] == 1)).mean())
    assert found.evidence["accuracy_reference"] == pytest.approx(((before["s"] > 0) == (before["label"] == 1)).mean())
    rest = frame[(frame["version"] == "v2") & ~part]
    assert found.evidence["accuracy_rest"] == pytest.approx(((rest["s"] > 0) == (rest["label"] == 1)).mean())


def test_a_cohort_that_is_hit_as_a_whole_is_not_told_as_its_crossings() -> None:
    frame = make_cohorts(5)
    found = findings(frame, -3.0 * inside(frame, {"region": "latam"}))
    assert [each.where.cohort for each in found if "v2" in each.title] == [{"region": "latam"}]


def test_of_a_filter_to_one_of_the_two_cohorts_the_other_is_named() -> None:
    frame = make_cohorts(1)
    part = inside(frame, {"region": "apac", "channel": "partner"})
    only = frame["region"] == "apac"
    (found,) = findings(frame[only].reset_index(drop=True), -3.0 * part[only], ("channel", "tier"))
    assert (found.name, found.where.cohort) == ("threshold-shift", {"channel": "partner"})


def test_a_weaker_model_in_a_crossing_is_a_regression_and_reversed_scores_are_reversed() -> None:
    frame = make_cohorts(2)
    part = inside(frame, {"region": "emea", "tier": "l"})
    noise = 5 * np.random.default_rng(2).standard_normal(len(frame))
    noise += np.where(frame["label"] == 1, -1, 1)
    (found,) = findings(frame, noise * part)
    assert found.where.cohort == {"region": "emea", "tier": "l"}
    assert found.name in ("quality-regression", "false-positive-rise")
    assert "for region = emea and tier = l in version v2: " in found.title
    part = inside(frame, {"region": "latam", "channel": "api"})
    (found,) = findings(frame, -2.0 * frame["s"] * part)
    assert (found.name, found.where.cohort) == ("label-flip", {"region": "latam", "channel": "api"})
    assert "Scores are reversed for region = latam and channel = api in version v2 (AUC 0." in found.title


def test_values_that_are_sound_are_left_out() -> None:
    frame = make_cohorts(3, 60_000)
    part = inside(frame, {"region": "latam"}) & (frame["channel"] != "direct").to_numpy()
    (found,) = findings(frame, -4.0 * part)
    assert found.where.cohort == {"region": "latam"}
    assert "for region = latam in version v2 apart from channel = direct: " in found.title
    assert found.evidence["n"] == part.sum()
    assert found.evidence["apart"] == {"column": "channel", "values": ["direct"]}


def test_two_crossings_are_two_findings() -> None:
    frame = make_cohorts(4)
    crossings = {"region": "apac", "channel": "partner"}, {"region": "emea", "channel": "api"}
    first, second = (inside(frame, each) for each in crossings)
    found = findings(frame, -3.0 * (first | second))
    assert all(crossing in [each.where.cohort for each in found] for crossing in crossings)
    assert len(found) == 2


@pytest.mark.parametrize("wander", [0.0, 0.4])
@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_told_of_clean_data_even_where_cohorts_are_harder_on_some_days(seed: int, wander: float) -> None:
    frame = make_cohorts(seed, wander=wander)
    answer = find_regressions(diagnose(scored(frame), COHORTS))
    assert answer.found == []
    assert answer.trials == 4 + 3 + 3 + 12 + 12 + 9


def test_a_candidate_that_is_worse_everywhere_is_worse_in_no_cohort() -> None:
    frame = make_cohorts(6)
    found = findings(frame, -2.0 * inside(frame, {}))
    assert [each.where.cohort for each in found if each.name == "threshold-shift"] == [{}]


def test_where_positives_are_rare_the_mean_of_both_rates_is_looked_at() -> None:
    frame = make_cohorts(7, 60_000)
    frame = frame[(frame["label"] == 0) | (np.random.default_rng(7).random(len(frame)) < 0.15)].reset_index(drop=True)
    part = inside(frame, {"region": "na", "channel": "direct"})
    found = [each for each in findings(frame, -4.0 * part) if each.where.cohort]
    assert [each.where.cohort for each in found] == [{"region": "na", "channel": "direct"}]
    # Hardly four of a hundred answers more are wrong: nearly all that are to be found.
    assert found[0].evidence["accuracy_reference"] - found[0].evidence["accuracy"] < 0.05


def test_of_several_classes_wrong_answers_in_a_crossing_are_told() -> None:
    frame = make_classes(5, versions=2, n=12_000)
    scores = [name for name in map(str, frame) if name.startswith("score_")]
    values = {column: frame[column].value_counts().index[1] for column in ("language", "plan")}
    part = (frame["version"] == "v2") & np.logical_and.reduce([frame[each] == value for each, value in values.items()])
    rows = frame.index[part]
    frame.loc[rows, scores] = frame.loc[np.random.default_rng(5).permutation(rows), scores].to_numpy()
    own = [each for each in class_findings(frame) if each.name == "quality-regression"]
    assert [each.where.cohort for each in own] == [values]


def test_answers_that_are_left() -> None:
    every, part = Counts(40, 60, 10, 6), Counts(10, 20, 9, 1)
    assert every.without([part]) == Counts(30, 40, 1, 5)
    assert every.without([]) == every


def test_rates_on_a_few_data_sets() -> None:
    rows = list(measure_crossings(2, 2))
    assert [row for row in rows if row[1] == CLEAN and row[3] > 0] == []
    for check, data, _change in FAULTS:
        (row,) = (each for each in rows if each[:2] == (check, data))
        assert min(row[3:]) >= 1, row
