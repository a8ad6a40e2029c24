import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from lib.checks import Severity, Status, run_checks
from lib.diagnose import Diagnosis
from lib.scan.saved import SavedCells
from lib.scan.tables import default_tables
from lib.settings import Settings
from sample_data.make import INCIDENT, make_clean, make_incident
from tests.checks.conftest import day
from tests.checks.tables import FrameTables, diagnose

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
    for seed in range(10):
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


def auc_of(frame, part):
    rows = frame[part & frame["label"].notna()]
    return roc_auc_score(rows["label"], rows["score"], sample_weight=rows.get("weight"))


@pytest.mark.parametrize("weighted", [False, True])
def test_numbers_are_those_of_the_rows(weighted):
    frame = moderation(make_incident())
    if weighted:
        frame["weight"] = np.random.default_rng(5).choice([0.5, 1.0, 4.0], len(frame))
    (found,) = [each for each in run_checks(diagnose(frame, ("language", "platform", "tenant"))) if each.name == NAME]
    assert found.where.window is not None
    start, end = (pd.Timestamp(second, unit="s", tz="UTC") for second in found.where.window)
    version = frame["version"].astype(str) == found.version
    part = version & (frame["language"] == "pt") & (frame["time"] >= start) & (frame["time"] < end)
    assert found.evidence["roc_auc"] == pytest.approx(auc_of(frame, part), abs=1e-9)
    assert found.evidence["roc_auc_elsewhere"] == pytest.approx(auc_of(frame, version & ~part), abs=1e-9)
    assert found.evidence["n"] == frame["label"][part].notna().sum()
    assert found.evidence["n_positive"] == (frame["label"][part] == 1).sum()
    assert found.evidence["bounds"] == {}
    before, after = auc_of(frame, version), auc_of(frame, version & ~part)
    said = f"version 2026.04 as a whole: AUC {before:.2f} with these rows, {after:.2f} without them"
    assert found.evidence["consequences"][0] == said
    assert f"(AUC {auc_of(frame, part):.2f} against {after:.2f} in the rest of the version, n = " in found.title


def test_coarse_cells_state_how_far_they_may_be_off(world, check):
    frame = world(6_000)
    part = (frame["language"] == "pt") & frame["day"].between(4, 9)
    frame = flip(frame, part)
    (found,) = check(frame, NAME, budget=1_500)
    for name, rows in (("roc_auc", part), ("roc_auc_elsewhere", ~part)):
        bound = found.evidence["bounds"].get(name, 0.0)
        assert abs(found.evidence[name] - auc_of(frame, rows)) <= bound + 1e-9
    assert found.evidence["bounds"]["roc_auc_elsewhere"] > 0


def test_elsewhere_leaves_out_every_reversed_part(world, check):
    frame = world(9_000, versions=3)
    pt, late = frame["language"] == "pt", frame["version"] == "v3"
    part = (pt & frame["day"].between(7, 12) & (frame["version"] == "v2")) | late
    frame = flip(frame, part)
    whole, pt_in_v2 = check(frame, NAME)
    assert (whole.version, pt_in_v2.version) == ("v3", "v2")
    assert whole.evidence["roc_auc_elsewhere"] == pytest.approx(auc_of(frame, ~part), abs=1e-9)
    assert "in the other versions apart from other reversed parts" in whole.title
    in_v2 = frame["version"] == "v2"
    assert pt_in_v2.evidence["roc_auc_elsewhere"] == pytest.approx(auc_of(frame, in_v2 & ~part), abs=1e-9)


def test_a_correlated_column_is_a_consequence(world, check):
    frame = world(6_000)
    pt = frame["language"] == "pt"
    for country, said in (
        (np.where(pt & (frame.index % 10 > 0), "br", "xx"), "country = br: AUC {:.2f}, 100 % of its rows are these"),
        (
            np.where((pt & (frame.index % 10 > 0)) | (frame.index % 10 == 0), "br", "xx"),
            "country = br: AUC {:.2f} with these rows, {:.2f} without them",
        ),
    ):
        changed = flip(frame.assign(country=country), pt)
        (found,) = check(changed, NAME, ("country", "language", "plan"))
        assert found.where.cohort == {"language": "pt"}
        br = changed["country"] == "br"
        numbers = [auc_of(changed, br)] + ([auc_of(changed, br & ~pt)] if "without" in said else [])
        assert said.format(*numbers) in found.evidence["consequences"]
        assert not [each for each in found.evidence["consequences"] if "plan" in each or "xx" in each]


def test_saved_cells_tell_what_their_tables_hold(world):
    frame = world(12_000, versions=3)
    pt, paid, v2 = frame["language"] == "pt", frame["plan"] == "paid", frame["version"] == "v2"
    country = np.where(pt & (frame.index % 10 > 0), "br", "xx")
    frame = flip(frame.assign(country=country), (paid & v2) | (pt & ~v2))
    tables = FrameTables(frame, ("country", "language", "plan"))
    defaults = default_tables(tables.facts.cohorts, has_time=True)
    saved = SavedCells(tables.facts, [(tables.cells(keys, finest=finest), finest) for keys, finest in defaults])
    found = [each for each in run_checks(Diagnosis(saved, Settings.choose(saved.facts))) if each.name == NAME]
    assert [(each.version, each.where.cohort) for each in found] == [
        ("v2", {"plan": "paid"}),
        (None, {"language": "pt"}),
    ]
    # How many rows the two share is in no table, so each is compared with what is outside itself.
    for each, part, whole in zip(found, (paid & v2, pt), (v2, pt | ~pt), strict=True):
        for name, rows in (("roc_auc", part), ("roc_auc_elsewhere", whole & ~part)):
            assert each.evidence[name] == pytest.approx(auc_of(frame, rows), abs=1e-9)
        assert "apart from" not in each.title
    rows = run_checks(Diagnosis(tables, Settings.choose(tables.facts)))
    in_v2, everywhere = [each for each in rows if each.name == NAME]
    flipped = pt | (paid & v2)
    assert in_v2.evidence["roc_auc_elsewhere"] == pytest.approx(auc_of(frame, v2 & ~flipped), abs=1e-9)
    assert everywhere.evidence["roc_auc_elsewhere"] == pytest.approx(auc_of(frame, ~flipped), abs=1e-9)
    assert "in the rest apart from other reversed parts" in everywhere.title


def test_what_is_dragged_down_no_more_than_its_version_is_not_told(world, check):
    frame = world(6_000, versions=2)
    device = np.where(frame.index % 3 > 0, "web", "app")
    frame = frame.assign(device=device)
    part = (frame["language"] == "pt") & (frame["version"] == "v2")
    (found,) = check(flip(frame, part), NAME, ("device", "language"))
    consequences = [each for each in found.evidence["consequences"] if "AUC" in each]
    assert len(consequences) == 1
    assert consequences[0].startswith("version v2 as a whole: AUC 0.")


def test_nothing_is_said_of_what_is_not_there(world, check):
    def passed(frame, cohorts=("language",)):
        (found,) = check(frame, NAME, cohorts)
        return found.title

    assert passed(world(versions=2)).startswith("No version, cohort or time range is reversed (")
    assert passed(world(versions=2).drop(columns="time")).startswith("No version or cohort is reversed (")
    assert passed(world().drop(columns="time")).startswith("No cohort is reversed (")
    assert passed(world().drop(columns="time"), ()).startswith("No part is reversed (")


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
