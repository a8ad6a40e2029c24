import numpy as np
import pytest

from lib.checks import Severity, Status, run_checks
from lib.checks.rises import design_effect
from lib.diagnose import Diagnosis
from lib.scan import Scan
from lib.settings import Settings
from lib.sources import Answers, build_dataset, infer_mapping, read_table

LATENCY, COST = "latency-regression", "cost-regression"


def served(frame, slower=1.0, dearer=1.0, load=0.1, seed=2):
    rng = np.random.default_rng(seed)
    late = (frame["version"] == "v2").to_numpy()
    busy = np.exp(load * rng.standard_normal(frame["day"].max() + 1))[frame["day"]]
    latency = 40 * busy * np.exp(0.5 * rng.standard_normal(len(frame))) * np.where(late, slower, 1)
    cost = 0.001 * busy * np.exp(0.3 * rng.standard_normal(len(frame))) * np.where(late, dearer, 1)
    return frame.assign(latency=latency, cost=cost)


def test_a_slower_candidate(world, check):
    frame = served(world(6_000, versions=2), slower=1.4)
    (found,) = check(frame, LATENCY)
    assert (found.status, found.severity, found.version) == (Status.WARN, Severity.WARNING, "v2")
    of = frame.groupby("version")["latency"]
    assert found.evidence["latency_p50"] == pytest.approx(of.median()["v2"], rel=0.01)
    assert found.evidence["latency_p95"] == pytest.approx(of.quantile(0.95)["v2"], rel=0.01)
    assert found.evidence["latency_p50_baseline"] == pytest.approx(of.median()["v1"], rel=0.01)
    assert found.title.startswith("The latency is higher in version v2 than in v1: median ")
    assert check(frame, COST)[0].status is Status.PASS
    (other,) = check(frame, LATENCY, baseline="v2", candidate="v1")
    assert other.status is Status.PASS


def test_a_longer_tail_alone(world, check):
    frame = served(world(6_000, versions=2))
    slow = (frame["version"] == "v2") & (np.random.default_rng(1).random(6_000) < 0.08)
    (found,) = check(frame.assign(latency=np.where(slow, 300.0, frame["latency"])), LATENCY)
    assert found.is_finding
    assert found.evidence["latency_p50"] < 1.1 * found.evidence["latency_p50_baseline"]


def test_a_dearer_candidate(world, check):
    frame = served(world(6_000, versions=2), dearer=1.3)
    (found,) = check(frame, COST)
    of = frame.groupby("version")["cost"].mean()
    assert found.evidence["cost_mean"] == pytest.approx(of["v2"])
    assert found.evidence["cost_mean_baseline"] == pytest.approx(of["v1"])
    assert check(frame, LATENCY)[0].status is Status.PASS


def test_too_little_to_matter(world, check):
    frame = served(world(40_000, versions=2), slower=1.06, dearer=1.06, load=0)
    assert check(frame, LATENCY)[0].status is Status.PASS
    assert check(frame, COST)[0].status is Status.PASS


def test_busy_days_are_no_regression(world, check):
    fired = [
        check(served(world(6_000, seed=seed, versions=2), load=0.4, seed=seed), name)[0].is_finding
        for seed in range(10)
        for name in (LATENCY, COST)
    ]
    assert sum(fired) <= 1


def test_the_design_effect():
    rng = np.random.default_rng(1)
    n, version = np.full(400, 200.0), np.repeat(["a", "b"], 200)
    assert design_effect(rng.binomial(200, 0.3, 400).astype(float), n, version) == pytest.approx(1, abs=0.2)
    uneven = rng.binomial(200, np.clip(rng.normal(0.3, 0.1, 400), 0, 1)).astype(float)
    assert design_effect(uneven, n, version) == pytest.approx(1 + 200 * 0.01 / 0.21, rel=0.3)


def test_reasons(world, check):
    assert "no latency column" in check(world(versions=2), LATENCY)[0].title
    assert "one version" in check(served(world()), COST)[0].title
    few = served(world(6_000, versions=2))
    few = few.assign(cost=few["cost"].where((few["version"] == "v1") | (few.index % 100 == 0)))
    assert "do not both have 100 rows" in check(few, COST)[0].title
    free = served(world(6_000, versions=2)).assign(cost=0.0)
    assert check(free, COST)[0].status is Status.PASS


def test_a_warm_scan_holds_what_these_checks_read(world, tmp_path, monkeypatch):
    path = tmp_path / "rows.parquet"
    served(world(3_000, versions=2), slower=1.5).drop(columns="day").to_parquet(path, index=False)
    table = read_table(path, "rows.parquet", tmp_path / "store")
    answers = Answers(score_kind="probability", roles={"latency": "latency", "cost": "cost"})
    scan = Scan(build_dataset([table], infer_mapping([table], answers).mapping), tmp_path / "store")
    said: list[str] = []
    scan.warm(on_progress=lambda _share, words: said.append(words))
    assert said[-2:] == ["Summarising latency", "Summarising cost"]
    monkeypatch.setattr(scan, "_make_values", None)
    found = {each.name: each.status for each in run_checks(Diagnosis(scan, Settings.choose(scan.facts)))}
    assert (found[LATENCY], found[COST]) == (Status.WARN, Status.PASS)


LANGUAGES = {"en": 1.0, "es": 2.0, "pt": 0.5}


def served_by_cohort(frame, slower=1.0, of=(), by=1.0, busy=0.0, seed=2):
    """Languages that always differ, have busy days of their own, and of which some are slower in v2 by a factor."""
    rng = np.random.default_rng(seed)
    own = {name: np.exp(busy * rng.standard_normal(frame["day"].max() + 1)) for name in LANGUAGES}
    load = np.array([own[name][day] for name, day in zip(frame["language"], frame["day"], strict=True)])
    late = frame["version"] == "v2"
    latency = 40 * frame["language"].map(LANGUAGES) * load * np.exp(0.5 * rng.standard_normal(len(frame)))
    latency *= np.where(late, slower, 1) * np.where(late & frame["language"].isin(of), by, 1)
    return frame.assign(latency=latency)


def test_one_cohort_that_is_slower_is_named_by_itself(world, check):
    frame = served_by_cohort(world(8_000, versions=2), of=["pt"], by=1.6)
    (found,) = check(frame, LATENCY)
    assert (found.status, found.version, found.where.cohort) == (Status.WARN, "v2", {"language": "pt"})
    assert found.title.startswith("The latency is higher for language = pt in version v2 than in v1: median ")
    assert ", in the rest median " in found.title
    assert found.remedy.startswith("Trace some slow requests of this cohort")
    of = frame[frame["language"] == "pt"].groupby("version")["latency"].median()
    slowest = found.evidence["slowest"]
    assert slowest["latency_p50"] == pytest.approx(of["v2"], rel=0.02)
    assert slowest["latency_p50_baseline"] == pytest.approx(of["v1"], rel=0.02)
    assert (slowest["column"], slowest["value"], slowest["also"]) == ("language", "pt", [])


def test_where_all_are_slower_the_one_that_is_most_is_told_with_them(world, check):
    (found,) = check(served_by_cohort(world(8_000, versions=2), slower=1.3, of=["es"], by=1.5), LATENCY)
    assert found.where.cohort == {}
    assert found.title.startswith("The latency is higher in version v2 than in v1: median ")
    assert ", most for language = es: median " in found.title
    assert found.title.count(" against ") == 4
    assert found.remedy.startswith("Compare the two under the same load")
    (alike,) = check(served_by_cohort(world(8_000, versions=2), slower=1.5), LATENCY)
    assert "most for" not in alike.title
    assert "slowest" not in alike.evidence


def test_two_values_of_a_column_are_one_finding(world, check):
    (found,) = check(served_by_cohort(world(8_000, versions=2), of=["pt", "es"], by=1.7), LATENCY)
    slowest = found.evidence["slowest"]
    assert {slowest["value"], *slowest["also"]} == {"pt", "es"}
    assert "; so it is for " in found.title


def test_a_larger_share_of_a_slow_cohort_and_its_busy_days_are_no_regression_of_it(world, check):
    frame = world(8_000, versions=2)
    mixed = frame[(frame["version"] == "v1") | (frame["language"] != "en") | (frame.index % 3 == 0)]
    assert "slowest" not in check(served_by_cohort(mixed), LATENCY)[0].evidence
    fired = [
        "slowest"
        in check(served_by_cohort(world(6_000, seed=seed, versions=2), busy=0.3, seed=seed), LATENCY)[0].evidence
        for seed in range(15)
    ]
    assert sum(fired) <= 1
