"""Faults of one value among thousands that tables gather as one: found, named, and not seen where there are none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lib.checks import CheckResult, run_checks
from lib.checks.constant_score import check_constant_score
from lib.checks.label_flip import check_label_flip
from lib.checks.missing_telemetry import check_missing_telemetry
from lib.checks.worse_cohorts import check_cohort_disparity
from tests.checks.gathered import diagnose_gathered

CHECKS = (check_label_flip, check_constant_score, check_missing_telemetry, check_cohort_disparity)
TENANT = "tenant-01500"
ROWS, FREQUENT = 200, 250


def make_tenants(
    seed: int = 0, n: int = 120_000, tenants: int = 2_000, *, days: int = 10, versions: int = 2, rounded: bool = False
) -> pd.DataFrame:
    """A good model for tenants of which 250 have about 300 rows, #1500 has 200, and the others about 23."""
    rng = np.random.default_rng(seed)
    share = np.where(np.arange(tenants) < FREQUENT, 0.65 / FREQUENT, 0.35 / (tenants - FREQUENT))
    place = rng.choice(tenants, n, p=share)
    lacking = ROWS - int((place == 1_500).sum())
    place[rng.choice(np.flatnonzero(place < FREQUENT), lacking, replace=False)] = 1_500
    label = (rng.random(n) < 0.4).astype(float)
    score = 2.5 * ((label - 0.5) * 2.5 + rng.standard_normal(n)) + np.log(0.4 / 0.6)
    second = np.sort(rng.integers(0, days * 86_400, n))
    probability = 1 / (1 + np.exp(-score))
    return pd.DataFrame(
        {
            "time": pd.to_datetime(second + 1_767_571_200, unit="s", utc=True),
            "version": rng.choice([f"v{each + 1}" for each in range(versions)], n),
            "label": label,
            "score": probability.round(2) if rounded else probability,
            "language": rng.choice(["en", "es", "pt"], n),
            "tenant": np.char.add("tenant-", np.char.zfill(place.astype(str), 5)),
        }
    )


def reversed_in(frame: pd.DataFrame, part: pd.Series) -> pd.DataFrame:
    return frame.assign(score=np.where(part, 1 - frame["score"], frame["score"]))


def constant_in(frame: pd.DataFrame, part: pd.Series) -> pd.DataFrame:
    return frame.assign(score=np.where(part, 0.3125, frame["score"]))


def worse_in(frame: pd.DataFrame, part: pd.Series, seed: int = 0) -> pd.DataFrame:
    noise = np.random.default_rng(seed).standard_normal(len(frame))
    return frame.assign(score=np.where(part, 1 / (1 + np.exp(-noise)), frame["score"]))


def unscored_in(frame: pd.DataFrame, part: pd.Series, seed: int = 0) -> pd.DataFrame:
    lost = np.random.default_rng(seed).random(len(frame)) < 0.5
    return frame.assign(score=np.where(part & lost, np.nan, frame["score"]))


FAULTS = {
    "label-flip": (reversed_in, check_label_flip),
    "constant-score": (constant_in, check_constant_score),
    "missing-telemetry": (unscored_in, check_missing_telemetry),
    "cohort-disparity": (worse_in, check_cohort_disparity),
}


def findings_of(frame: pd.DataFrame, cohorts: tuple[str, ...] = ("tenant", "language"), **options) -> list[CheckResult]:
    return [each for each in run_checks(diagnose_gathered(frame, cohorts, **options)) if each.is_finding]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_one_rare_tenant_is_one_finding_that_names_it(name):
    frame = make_tenants()
    found = findings_of(FAULTS[name][0](frame, frame["tenant"] == TENANT))
    assert [(each.name, each.where.cohort) for each in found] == [(name, {"tenant": TENANT})]
    assert found[0].version is None
    counted = [found[0].evidence["n"]]
    if name == "cohort-disparity":
        counted = [each["values"][0]["n"] for each in found[0].evidence["versions"]]
    assert sum(counted) == ROWS


@pytest.mark.parametrize("name", FAULTS)
def test_in_one_version_it_is_named_too(name):
    frame = make_tenants(1, versions=2)
    part = (frame["tenant"] == TENANT) & (frame["version"] == "v2")
    found = [each for each in findings_of(FAULTS[name][0](frame, part)) if each.name == name]
    assert [(each.version, each.where.cohort) for each in found] == [("v2", {"tenant": TENANT})]


def test_a_reversed_version_is_one_finding_and_not_one_for_each_tenant():
    frame = make_tenants(2)
    found = findings_of(reversed_in(frame, frame["version"] == "v2"))
    assert [(each.name, each.version, each.where.cohort) for each in found] == [("label-flip", "v2", {})]


def test_beside_a_fault_in_another_column_the_tenant_is_found_in_what_is_left():
    frame = make_tenants(3)
    faulty = reversed_in(frame, (frame["language"] == "pt") | (frame["tenant"] == TENANT))
    found = [each.where.cohort for each in findings_of(faulty) if each.name == "label-flip"]
    assert found == [{"language": "pt"}, {"tenant": TENANT}]


def test_off_a_step_of_margin_the_numbers_are_those_of_the_rows():
    frame = make_tenants(4, versions=1)
    frame = worse_in(frame, frame["tenant"] == TENANT)
    (found,) = [each for each in findings_of(frame, margin_target=0.97) if each.name == "cohort-disparity"]
    margin = np.where(frame["label"] > 0, 1, -1) * np.log(frame["score"] / (1 - frame["score"]))
    own = frame["tenant"] == TENANT
    assert found.evidence["violation_rate"] == pytest.approx((margin[own] < 0.97).mean())
    assert found.evidence["violation_rate_rest"] == pytest.approx((margin[~own] < 0.97).mean())


def test_what_is_not_looked_at_by_itself_is_said():
    frame = make_tenants(5, 60_000)
    results = {each.name: each.title for each in run_checks(diagnose_gathered(frame, ("tenant",)))}
    counts = frame["tenant"].value_counts()
    beyond = len(counts) - 199
    for name, least in (("label-flip", 20), ("constant-score", 30), ("missing-telemetry", 30)):
        alone = int((counts[199:] >= least).sum())
        said = f"of {beyond:,} rarer values of tenant the {alone} with rows enough by themselves over all time"
        assert said in results[name]
    assert f"{beyond:,} rarer values of tenant only together" in results["margin-collapse"]


@pytest.mark.parametrize("seed", range(3))
def test_clean_tenants_are_no_finding(seed):
    frame = make_tenants(seed, versions=1 + seed % 2, rounded=seed == 1)
    diagnosis = diagnose_gathered(frame, ("tenant", "language"))
    assert not [each for check in CHECKS if isinstance(found := check(diagnosis), list) for each in found]
