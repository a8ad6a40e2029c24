import numpy as np
from scipy.special import expit, logit

from lib.checks import Status, run_checks
from lib.errors import SettingsError
from tests.checks.tables import diagnose

WORSE = ("threshold-shift", "false-positive-rise", "quality-regression")
NAME = "cohort-disparity"


def blurred(frame, part, seed=3):
    noise = 6 * np.random.default_rng(seed).standard_normal(len(frame))
    return frame.assign(score=expit(logit(frame["score"]) + np.where(part, noise, 0.0)))


def test_one_finding_per_column_and_version_with_the_worst_first(world, check):
    frame = world(6_000)
    (found,) = check(blurred(frame, frame["language"] != "en"), NAME)
    assert found.where.cohort["language"] in ("es", "pt")
    assert {each["value"] for each in found.evidence["values"]} == {"es", "pt"}
    diagnosis = diagnose(blurred(frame, frame["language"] != "en"), ("language", "plan"))
    page = diagnosis.cohorts("language")
    place = list(page.groups["cohort:language"]).index(found.where.cohort["language"])
    assert found.evidence["violation_rate"] == page.estimate.value[place]


def test_the_same_cohorts_in_both_versions_are_one_finding(world, check):
    frame = world(9_000, versions=2)
    (found,) = check(blurred(frame, frame["language"] == "es"), NAME)
    assert (found.version, found.where.cohort) == (None, {"language": "es"})
    assert [each["version"] for each in found.evidence["versions"]] == ["v1", "v2"]
    assert all(value["value"] == "es" for each in found.evidence["versions"] for value in each["values"])
    assert found.title.startswith("More margin violations for language = es than in the rest: ")
    assert "in version v1 (n = " in found.title
    assert "in version v2 (n = " in found.title
    rates = [each["values"][0]["violation_rate"] for each in found.evidence["versions"]]
    assert found.evidence["violation_rate"] in rates


def test_other_cohorts_in_each_version_are_two_findings(world, check):
    frame = world(9_000, versions=2)
    part = np.where(frame["version"] == "v1", frame["language"] == "es", frame["language"] == "pt")
    given = blurred(frame, part)
    (found,) = check(given, NAME)
    assert (found.version, found.where.cohort) == ("v1", {"language": "es"})
    # What the candidate does worse than the baseline is told by that.
    (worse,) = [each for name in WORSE for each in check(given, name) if each.is_finding]
    assert (worse.version, worse.where.cohort) == ("v2", {"language": "pt"})
    assert any("violation rate for language = pt in version v2" in each for each in worse.evidence["consequences"])


def test_too_small_to_matter(world, check):
    frame = world(40_000)
    slightly = (frame["plan"] == "free") & (np.random.default_rng(5).random(len(frame)) < 0.05)
    assert check(blurred(frame, slightly), NAME)[0].status is Status.PASS


def flipped(frame):
    part = (frame["language"] == "pt") & frame["day"].between(5, 12)
    return frame.assign(score=np.where(part, 1 - frame["score"], frame["score"]))


def test_a_flip_explains_it(world, check):
    frame = flipped(world(6_000))
    assert check(frame, NAME)[0].status is Status.PASS
    (flip,) = check(frame, "label-flip")
    assert any("violation rate for language = pt" in each for each in flip.evidence["consequences"])


def test_a_flip_does_not_explain_what_stays_without_it(world, check):
    frame = blurred(flipped(world(8_000)), world(8_000)["plan"] == "free")
    (found,) = check(frame, NAME)
    assert found.where.cohort == {"plan": "free"}


def test_tables_without_crossings_leave_out_the_time_of_the_flip(world):
    diagnosis = diagnose(blurred(flipped(world(8_000)), world(8_000)["plan"] == "free"), ("language", "plan"))
    make = diagnosis.tables.cells

    def cells(keys, where=None, **options):
        if len([key for key in keys if key.startswith("cohort:")]) > 1:
            raise SettingsError("no such table")
        return make(keys, **options)

    diagnosis.tables.cells = cells
    found = [each for each in run_checks(diagnosis) if each.name == NAME]
    assert [each.where.cohort for each in found] == [{"plan": "free"}]


def test_reasons(world, check):
    assert "no cohort column" in check(world(), NAME, ())[0].title
    assert check(world().drop(columns="label"), NAME)[0].status is Status.NOT_APPLICABLE
    assert check(world().assign(language="en"), NAME, ("language",))[0].status is Status.NOT_APPLICABLE
