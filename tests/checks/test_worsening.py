"""A moved threshold, more false positives, a plain regression, and faults where two cohorts cross: one finding each."""

import numpy as np
import pytest
from scipy.special import expit, logit

from lib.checks import Status, run_checks, says_worse
from lib.checks.answer_counts import Counts, is_moved, p_of_errors
from lib.checks.worse_words import threshold_that_flags
from lib.schema import VERSION, ScoreKind
from sample_data.faults import make_predictions
from tests.checks.class_worlds import class_findings, make_classes
from tests.checks.tables import diagnose

OWN = ("threshold-shift", "false-positive-rise", "quality-regression")


def names(frame, **options):
    return [each.name for each in run_checks(diagnose(frame, **options)) if each.is_finding]


def versions(world, change, n=8_000, **options):
    """Two versions one after the other, the second with other log odds: a function of the log odds and the labels."""
    frame = world(n, versions=2, **options)
    odds, second = logit(frame["score"]), frame["version"] == "v2"
    return frame.assign(score=expit(np.where(second, change(odds, frame["label"]), odds)))


def test_a_threshold_that_moved_says_where_it_flags_as_many_negatives_as_before(world):
    frame = versions(world, lambda s, _label: s + 3.0)
    diagnosis = diagnose(frame, ("language", "plan"))
    (found,) = [each for each in run_checks(diagnosis) if each.is_finding]
    assert (found.name, found.version, found.status) == ("threshold-shift", "v2", Status.FAIL)
    assert found.title.startswith("The threshold flags more in version v2: ")
    assert any("Probabilities are off in version v2" in each for each in found.evidence["consequences"])
    second, first = (frame[frame["version"] == each] for each in ("v2", "v1"))
    before = (first["score"][first["label"] == 0] > 0.5).mean()
    assert found.evidence["false_positive_rate_reference"] == pytest.approx(before)
    assert found.evidence["accuracy"] == pytest.approx(((second["score"] > 0.5) == (second["label"] == 1)).mean())
    cells = diagnosis.cells(VERSION).among(VERSION, ("v2",))
    at = expit(threshold_that_flags(cells, before))
    negatives = second["score"][second["label"] == 0]
    assert (negatives > at).mean() == pytest.approx(before, abs=0.01)
    assert f"Beyond p = {at:.4g} it would flag as many negatives as before" in found.title


def test_more_false_positives_are_told_by_their_rate(world):
    frame = versions(world, lambda s, label: np.where(label == 0, s + 2.0, s))
    (found,) = [each for each in run_checks(diagnose(frame, ("language", "plan"))) if each.is_finding]
    assert (found.name, found.version) == ("false-positive-rise", "v2")
    assert "More false positives in version v2: " in found.title
    assert found.topic == "thresholds"


@pytest.mark.parametrize("kind", [ScoreKind.PROBABILITY, ScoreKind.DECISION])
def test_a_weaker_candidate_is_one_finding_on_whatever_scale(world, kind):
    rng = np.random.default_rng(1)
    frame = versions(world, lambda s, _label: 0.7 * s + 2.5 * rng.standard_normal(len(s)))
    if kind is ScoreKind.DECISION:
        odds = logit(frame["score"])
        frame["score"] = np.where(frame["version"] == "v2", 0.05 * odds, odds)
    results = run_checks(diagnose(frame, ("language", "plan"), score_kind=kind))
    assert [each.name for each in results if each.is_finding] in (["quality-regression"], ["margin-collapse"])
    assert says_worse(results) or kind is ScoreKind.DECISION


def test_a_better_candidate_and_another_operating_point_are_no_fault(world):
    assert not {*names(versions(world, lambda s, label: s + np.where(label == 1, 1.0, -1.0)))} & {*OWN}
    # A mix of the classes that differs between versions changes the accuracy, not the model.
    frame = world(12_000, versions=2, d=1.5)
    rng = np.random.default_rng(2)
    drop = (frame["version"] == "v2") & (frame["label"] == 0) & (rng.random(len(frame)) < 0.7)
    assert not {*names(frame[~drop].reset_index(drop=True))} & {*OWN}


def test_a_weaker_time_is_found_and_named(world):
    frame = world(8_000)
    part = frame["day"].between(8, 12)
    odds = logit(frame["score"]) + np.where(part, 6 * np.random.default_rng(3).standard_normal(len(frame)), 0.0)
    found = run_checks(diagnose(frame.assign(score=expit(odds)), ("language", "plan")))
    (own,) = [each for each in found if each.is_finding and each.name == "quality-regression"]
    assert own.where.window is not None
    start, end = own.where.window
    assert (start - 1_767_571_200, end - 1_767_571_200) == (8 * 86_400, 13 * 86_400)
    assert "at other times" in own.title


def test_a_weaker_version_of_several_classes_is_told_by_its_accuracy():
    frame = make_classes(5, versions=2)
    scores = [name for name in map(str, frame) if name.startswith("score_")]
    rng = np.random.default_rng(5)
    rows = frame.index[(frame["version"] == "v2") & (rng.random(len(frame)) < 0.3)]
    frame.loc[rows, scores] = frame.loc[rng.permutation(rows), scores].to_numpy()
    (own,) = [each for each in class_findings(frame) if each.name == "quality-regression"]
    right = frame[scores].to_numpy().argmax(axis=1) == frame["label"].str[1:].astype(int)
    assert own.evidence["accuracy"] == pytest.approx(right[frame["version"] == "v2"].mean())
    assert own.title.startswith("More wrong answers in version v2: accuracy ")
    assert "nan" not in own.title
    assert own.evidence["false_positive_rate"] is None


def test_what_another_check_names_is_a_consequence(world):
    frame = world(8_000, versions=2)
    part = (frame["version"] == "v2") & (frame["language"] != "en")
    frame["score"] = np.where(part, 1 - frame["score"], frame["score"])
    found = [each for each in run_checks(diagnose(frame, ("language", "plan"))) if each.is_finding]
    assert {each.name for each in found} == {"label-flip"}
    assert any(
        "answers of version v2 as a whole: accuracy" in each for one in found for each in one.evidence["consequences"]
    )


def test_ten_million_rows_make_a_small_change_certain_and_no_finding():
    before = Counts(positives=2e6, negatives=3e6, false_negatives=2e5, false_positives=3e5)
    less = Counts(positives=2e6, negatives=3e6, false_negatives=2.3e5, false_positives=3.5e5)
    assert less.accuracy < before.accuracy
    assert p_of_errors(less, before) == 1.0
    worse = Counts(positives=2e6, negatives=3e6, false_negatives=2.5e5, false_positives=3.6e5)
    assert p_of_errors(worse, before) < 1e-9
    moved = Counts(positives=2e6, negatives=3e6, false_negatives=1.4e5, false_positives=4.5e5)
    assert not is_moved(moved, before, 0.0)


def test_rates_by_hand():
    counts = Counts(positives=40, negatives=60, false_negatives=10, false_positives=6)
    assert counts.rates == (0.75, 0.1)
    assert counts.accuracy == 0.84


def test_without_labels_or_anything_to_compare_it_is_said(world):
    frame = world(2_000)
    for given, words in ((frame.drop(columns="label"), "no label column"), (frame.drop(columns="time"), "one version")):
        for each in run_checks(diagnose(given, ())):
            if each.name in OWN:
                assert each.status is Status.NOT_APPLICABLE
                assert words in each.title


@pytest.mark.parametrize("reverse", [True, False])
@pytest.mark.parametrize("kind", [ScoreKind.PROBABILITY, ScoreKind.DECISION])
def test_a_fault_where_two_cohorts_cross_is_one_finding_that_names_both(world, reverse, kind):
    frame = world(12_000, versions=2)
    part = (frame["language"] == "es") & (frame["plan"] == "paid")
    odds = logit(frame["score"])
    odds = np.where(part, -odds if reverse else np.random.default_rng(1).permutation(odds), odds)
    given = frame.assign(score=expit(odds) if kind is ScoreKind.PROBABILITY else odds)
    (found,) = [each for each in run_checks(diagnose(given, ("language", "plan"), score_kind=kind)) if each.is_finding]
    assert found.where.cohort == {"language": "es", "plan": "paid"}
    assert found.name == ("label-flip" if reverse else "noisy-labels")
    assert "language = es and plan = paid" in found.title or "plan = paid and language = es" in found.title
    if reverse:
        assert found.evidence["n"] == int(part.sum())


def test_a_cohort_that_is_wrong_as_a_whole_is_no_crossing(world):
    frame = world(12_000)
    frame["score"] = np.where(frame["language"] == "es", 1 - frame["score"], frame["score"])
    (found,) = [each for each in run_checks(diagnose(frame, ("language", "plan"))) if each.is_finding]
    assert found.where.cohort == {"language": "es"}


def test_clean_data_of_faults_has_none_of_them():
    frame, _truth = make_predictions(3, n=5_000, n_versions=2)
    assert not {*names(frame)} & {*OWN}
