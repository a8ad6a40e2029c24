"""Injected faults are found, one finding for one cause."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lib.checks import CheckResult, Severity, Status
from lib.checks.embeddings import run_embedding_checks
from lib.checks.embeddings.mending import REMEDIES
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.comparison import read_comparison
from lib.embeddings.measures import read_dimensions
from lib.embeddings.recall_drop import read_recall_drop
from lib.embeddings.saturation import read_saturation
from lib.figures.dimensions_view import DimensionsView
from lib.figures.recall_view import RecallView
from lib.metrics.dimensions import R_PRECISION, Way
from lib.reports.embedding_comparison_json import comparison_as_json
from lib.reports.embedding_version_json import version_as_json
from lib.sources.embeddings import RowFaults
from lib.vectors import Distance
from sample_data.embedding_faults import Fault, Version, make_versions
from tests.checks.embeddings.sets import NOTHING, diagnosis_of, made

ALL = "all"


def findings(diagnosis: EmbeddingDiagnosis) -> dict[str, CheckResult]:
    results = run_embedding_checks(diagnosis)
    json.dumps([each.evidence for each in results], allow_nan=False)
    found = [each for each in results if each.is_finding]
    assert list(results[: len(found)]) == found, "findings come first"
    assert len({each.name for each in found}) == len(found)
    return {each.name: each for each in found}


def pair_with(fault: Fault, seed: int = 1) -> tuple[Version, Version]:
    """Without cohorts, which would say that some items are harder."""
    before, after, _truth = make_versions(seed, 600, 16, faults=(fault,))
    return tuple(replace(each, cohort=np.full(len(each.ids), ALL)) for each in (before, after))  # type: ignore[return-value]


def blobs(rng: np.random.Generator, n: int = 400, d: int = 16, noise: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Vectors about a centre for each of n/10 labels."""
    label = np.arange(n) % (n // 10)
    return rng.normal(size=(n // 10, d))[label] + noise * rng.normal(size=(n, d)), label


@pytest.mark.parametrize("fault", ["stale-rows", "misaligned-ids", "truncated", "collapse", "quantised"])
def test_a_fall_of_recall_is_one_finding_with_its_cause(tmp_path: Path, fault: Fault) -> None:
    diagnosis = diagnosis_of(tmp_path, *pair_with(fault))
    found = findings(diagnosis)
    assert list(found) == ["recall-drop"]
    drop = found["recall-drop"]
    assert (drop.status, drop.severity, drop.version) == (Status.FAIL, Severity.ERROR, "v2")
    assert fault.replace("-", " ") in drop.title
    read = read_recall_drop(diagnosis).drop
    assert [each["name"] for each in drop.evidence["hypotheses"]] == [fault]
    assert drop.evidence["hypotheses"][0]["explains"] == pytest.approx(
        next(each.explains for each in read.hypotheses if each.name == fault)
    )
    can_be_mended = fault != "collapse" and drop.evidence["hypotheses"][0]["explains"] >= 0.8
    assert drop.remedy.startswith(REMEDIES[fault] if can_be_mended else "Roll back.")
    ledger = read.lost.ledger
    assert drop.evidence["n_lost"] == ledger.is_lost.sum()
    assert drop.evidence["recall_at_k"] == pytest.approx(ledger.is_answered.mean())
    assert any("nearest rows" in each for each in drop.evidence["consequences"])


def test_what_follows_from_a_collapse_stands_under_the_fall(tmp_path: Path) -> None:
    diagnosis = diagnosis_of(tmp_path, *pair_with("collapse"))
    results = {each.name: each for each in run_embedding_checks(diagnosis)}
    said = results["recall-drop"].evidence["consequences"]
    assert any(each.startswith("Vectors have collapsed: variance is in") for each in said)
    assert any(each.startswith("Vectors moved from version v1 to v2") for each in said)
    for name in ("collapse", "embedding-drift"):
        assert results[name].status is Status.PASS
        assert results[name].title == "Nothing beyond what recall-drop tells."


def test_a_rotation_is_no_drift(tmp_path: Path) -> None:
    diagnosis = diagnosis_of(tmp_path, *pair_with("rotation"))
    results = {each.name: each for each in run_embedding_checks(diagnosis)}
    assert not any(each.is_finding for each in results.values())
    assert "the coordinates are turned" in results["embedding-drift"].title


def test_a_segment_alone_that_falls_is_named(tmp_path: Path) -> None:
    matrix, label = blobs(np.random.default_rng(3))
    part = np.where(label < 8, "paper", "web")
    broken = matrix.copy()
    chosen = np.flatnonzero(part == "paper")
    broken[chosen] += 2 * np.random.default_rng(4).normal(size=(len(chosen), matrix.shape[1]))
    diagnosis = diagnosis_of(
        tmp_path, made(matrix, label, cohort=part), made(broken, label, "v2", cohort=part), ks=(1, 5)
    )
    drop = findings(diagnosis)["recall-drop"]
    assert [each["value"] for each in drop.evidence["values"]] == ["paper"]
    said = " ".join([drop.title, *drop.evidence["consequences"]])
    assert "source = paper" in said


def test_drift_that_costs_no_recall(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    matrix, label = blobs(rng, noise=0.2)
    moved = matrix + 0.05 * rng.normal(size=matrix.shape) + 0.6
    found = findings(diagnosis_of(tmp_path, made(matrix, label), made(moved, label, "v2")))
    assert list(found) == ["embedding-drift"]
    drift = found["embedding-drift"]
    assert drift.evidence["centroid_shift"] > 0.4 > drift.evidence["centroid_shift_floor"]
    assert "the mean moved by" in drift.title


def test_a_cohort_that_moved_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    matrix, label = blobs(rng, 900, noise=0.2)
    part = np.where(label < 9, "paper", "web")
    moved = matrix + 0.02 * rng.normal(size=matrix.shape)
    moved[part == "paper"] += 0.45
    others = np.array([f"new-{row}" for row in range(len(matrix))])  # so that rows are samples, not pairs
    found = findings(
        diagnosis_of(tmp_path, made(matrix, label, cohort=part), made(moved, label, "v2", cohort=part, ids=others))
    )
    assert list(found) == ["embedding-drift"]
    told = found["embedding-drift"]
    assert told.where.cohort == {"source": "paper"} or "1 of 2 cohorts" in told.evidence["consequences"][0]
    mixed = findings(diagnosis_of(tmp_path, made(matrix, label, cohort=part), made(moved, label, "v2", cohort=part)))[
        "embedding-drift"
    ]
    assert "rows of two kinds" in mixed.title
    assert mixed.evidence["n_far"] == (part == "paper").sum()
    assert mixed.where.cohort == {"source": "paper"}
    assert "nearly all of them of source = paper" in mixed.title


def test_broken_rows_of_either_version_are_told(tmp_path: Path) -> None:
    matrix = np.random.default_rng(0).normal(size=(200, 12))
    broken = matrix.copy()
    faults = {
        "v1": RowFaults(np.array([3]), np.array([5]), NOTHING),
        "v2": RowFaults(np.arange(4), np.full(4, 5), NOTHING),
    }
    broken[:4] = np.nan
    first = matrix.copy()
    first[3] = np.nan
    few = findings(diagnosis_of(tmp_path, made(first), faults={"v1": faults["v1"]}))["index-corruption"]
    assert (few.status, few.severity) == (Status.WARN, Severity.WARNING)
    both = findings(diagnosis_of(tmp_path, made(first), made(broken, name="v2"), faults=faults))["index-corruption"]
    assert (both.status, both.severity, both.version) == (Status.FAIL, Severity.ERROR, None)
    assert "4 of 200 rows (2.0 %)" in both.title
    assert both.title.endswith("version v1 shows it too")
    old = findings(diagnosis_of(tmp_path, made(first), made(matrix, name="v2"), faults={"v1": faults["v1"]}))
    assert old["index-corruption"].version == "v1"


def test_a_sensitive_column_that_leaks(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    group = rng.choice(["a", "b"], 300)
    matrix = rng.normal(size=(300, 12))
    silent = findings(diagnosis_of(tmp_path, made(matrix, cohort=group), sensitive=True))
    assert silent == {}
    matrix[group == "a", 2] += 1.5
    leak = findings(diagnosis_of(tmp_path, made(matrix, cohort=group), sensitive=True))["leakage"]
    assert leak.severity is Severity.WARNING
    assert leak.evidence["column"] == "source"
    assert leak.evidence["roc_auc"] > 0.75 > leak.evidence["roc_auc_floor"]


def test_a_segment_with_lower_recall(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    matrix, label = blobs(rng, 600, noise=0.3)
    part = np.where(label < 15, "paper", "web")
    matrix[part == "paper"] += 1.5 * rng.normal(size=(int((part == "paper").sum()), matrix.shape[1]))
    found = findings(diagnosis_of(tmp_path, made(matrix, label, cohort=part)))
    assert list(found) == ["segment-skew"]
    skew = found["segment-skew"]
    assert skew.where.cohort == {"source": "paper"}
    assert skew.evidence["recall_at_k"] < skew.evidence["recall_reference"] - 0.1


def test_hubs(tmp_path: Path) -> None:
    matrix = np.random.default_rng(3).normal(size=(500, 64))
    matrix[:5] *= 0.02  # near the middle, and so near to all
    found = findings(diagnosis_of(tmp_path, made(matrix), ks=(1, 10)))
    assert list(found) == ["hubness"]
    assert found["hubness"].evidence["hub_share"] > 0.4
    assert findings(diagnosis_of(tmp_path, made(matrix), ks=(1, 10), distance=Distance.COSINE)) == {}
    few = run_embedding_checks(diagnosis_of(tmp_path, made(matrix[:300], name="v9"), ks=(10,)))
    assert next(each for each in few if each.name == "hubness").title == "fewer than 400 rows can be found"


@pytest.mark.parametrize("kind", ["few axes", "dead", "one way", "equal"])
def test_collapse(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(4)
    matrix = rng.normal(size=(300, 24))
    words = {"few axes": "variance is in", "dead": "hold one value", "one way": "point one way", "equal": "are equal"}
    if kind == "few axes":
        matrix = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 24)) + 0.05 * matrix
    elif kind == "dead":
        matrix[:, 10:] = 0.3
    elif kind == "one way":
        matrix += 8
    else:
        matrix[:] = 1
    found = findings(diagnosis_of(tmp_path, made(matrix)))
    assert words[kind] in found["collapse"].title


def test_dimensions_that_recall_does_not_need(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    few, label = blobs(rng, 1500, 8, noise=0.3)
    turn = np.linalg.qr(rng.normal(size=(64, 64)))[0]
    matrix = np.concatenate([few, 0.001 * rng.normal(size=(1500, 56))], axis=1) @ turn
    found = findings(diagnosis_of(tmp_path, made(matrix, label)))
    assert list(found) == ["oversized-dimension"]
    assert found["oversized-dimension"].severity is Severity.INFO
    assert found["oversized-dimension"].evidence["smaller_dimension"] <= 16


@pytest.mark.parametrize(("noise", "is_easy"), [(0.9, False), (0.05, True)])
def test_no_size_is_recommended_by_a_recall_at_its_ceiling(tmp_path: Path, noise: float, is_easy: bool) -> None:
    """Classes in 64 dimensions, so close to each other that lists are not all right, or far apart."""
    matrix, label = blobs(np.random.default_rng(8), 1500, 64, noise=noise)
    diagnosis = diagnosis_of(tmp_path, made(matrix, label), ks=(10,))
    curve = read_dimensions(diagnosis, "v1")
    assert curve is not None
    quarter = next(each for each in curve.points if (each.setting.way, each.setting.dimension) == (Way.TRUNCATION, 16))
    assert curve.full.recall.value >= quarter.recall.value > 0.85
    assert (curve.measure, curve.is_at_ceiling) == (R_PRECISION, is_easy)
    said = DimensionsView.of(diagnosis, {"v1": curve}, None).answer()
    assert "Recall@10 is at its ceiling (100.0\N{NO-BREAK SPACE}%) and cannot tell sizes apart" in said
    assert ("no size is recommended" in said) == is_easy
    assert ("keeps its R-precision" in said) == (not is_easy)
    check = next(each for each in run_embedding_checks(diagnosis) if each.name == "oversized-dimension")
    assert check.status is (Status.NOT_APPLICABLE if is_easy else Status.PASS)
    written = version_as_json(diagnosis, "v1")["dimensions"]
    assert (written["smallest"] is None) == is_easy
    assert written["undefined"].keys() == ({"smallest"} if is_easy else set())


def test_duplicates_near_and_equal(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    matrix = rng.normal(size=(400, 16))
    near = matrix.copy()
    near[:20] = near[20:40] + 0.01 * rng.normal(size=(20, 16))
    found = findings(diagnosis_of(tmp_path, made(near), distance=Distance.COSINE))
    assert list(found) == ["duplicates"]
    assert "a near duplicate: 40" in found["duplicates"].title
    equal = matrix.copy()
    equal[:60] = equal[100]
    told = findings(diagnosis_of(tmp_path, made(equal), distance=Distance.EUCLIDEAN))["duplicates"]
    assert told.evidence["n_equal"] == 60
    assert told.status is Status.FAIL


def weekly(shift: float, weeks: int = 6, per_day: int = 25) -> tuple[np.ndarray, np.ndarray]:
    """Vectors over weeks from a Monday on, those of the weekend shifted, and when they were made."""
    rng = np.random.default_rng(7)
    day = np.repeat(np.arange(7 * weeks), per_day)
    times = 1_767_571_200 + 86_400 * day + rng.integers(0, 86_400, len(day))  # 5 January 2026
    matrix = rng.normal(size=(len(day), 12))
    matrix[day % 7 >= 5, 0] += shift
    return matrix, times


def test_a_shift_that_comes_back_is_a_note_and_no_alert(tmp_path: Path) -> None:
    matrix, times = weekly(2.0)
    found = findings(diagnosis_of(tmp_path, made(matrix), times=times))
    assert list(found) == ["seasonal-drift"]
    season = found["seasonal-drift"]
    assert season.severity is Severity.INFO
    assert (season.evidence["cycle"], season.evidence["n_cycles"]) == ("week", 6)
    assert np.argsort(season.evidence["phases"])[-2:].tolist() in ([5, 6], [6, 5])


def test_a_trend_does_not_come_back(tmp_path: Path) -> None:
    matrix, times = weekly(0.0)
    matrix[:, 0] += np.linspace(0, 4, len(matrix))
    results = {each.name: each for each in run_embedding_checks(diagnosis_of(tmp_path, made(matrix), times=times))}
    assert results["seasonal-drift"].status is Status.PASS
    few = diagnosis_of(tmp_path, made(matrix[:300]), times=times[:300])
    short = {each.name: each for each in run_embedding_checks(few)}
    assert short["seasonal-drift"].status is Status.NOT_APPLICABLE


def half_built(rng: np.random.Generator, stale: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of 50 rows each, turned but for stale rows, which still find each other: recall does not fall."""
    label = np.arange(len(stale)) % (len(stale) // 50)
    matrix = 2 * rng.normal(size=(len(stale) // 50, 16))[label] + 0.6 * rng.normal(size=(len(stale), 16))
    turned = matrix @ np.linalg.qr(rng.normal(size=(16, 16)))[0]
    return matrix, np.where(stale[:, None], matrix, turned), label


def stale_findings(results: tuple[CheckResult, ...]) -> list[CheckResult]:
    return [each for each in results if each.is_finding and each.title.startswith("Stale rows")]


@pytest.mark.parametrize("distance", Distance)
def test_stale_rows_are_a_finding_where_recall_did_not_fall(tmp_path: Path, distance: Distance) -> None:
    rng = np.random.default_rng(9)
    part = np.where(rng.random(600) < 0.4, "web", "paper")
    stale = (part == "web") & (rng.random(600) < 0.7)
    before, after, label = half_built(rng, stale)
    after[::3] *= 4  # of another length, stale or not
    given = made(before, label, cohort=part), made(after, label, "v2", cohort=part)
    results = run_embedding_checks(diagnosis_of(tmp_path, *given, distance=distance, ks=(10,)))
    (found,) = stale_findings(results)
    assert (found.name, found.status, found.severity) == ("embedding-drift", Status.WARN, Severity.WARNING)
    assert found.evidence["n_stale"] == stale.sum()
    assert f"({stale.sum()} of 600 ids in both versions)" in found.title
    assert found.where.cohort == {"source": "web"}
    assert found.title.endswith("nearly all of them of source = web")


def test_nothing_is_stale_where_nothing_was_rebuilt_or_rows_were_added(tmp_path: Path) -> None:
    rng = np.random.default_rng(10)
    before, _after, label = half_built(rng, np.zeros(600, np.bool_))
    ids = made(before).ids
    old = made(before[:400], label[:400], ids=ids[:400])
    # The same inputs but for a fifth, which the same model has embedded.
    edited = before + np.where(rng.random(600) < 0.2, 0.6, 0)[:, None] * rng.normal(size=before.shape)
    versions = {
        "same": (old, made(before[:400] * np.float32(1 + 1e-6), label[:400], "v2", ids=ids[:400])),
        "longer": (old, made(3 * before[:400], label[:400], "v2", ids=ids[:400])),
        "added": (old, made(before, label, "v2", ids=ids)),
        "edited": (made(before, label), made(edited, label, "v2")),
    }
    for name, pair in versions.items():
        for distance in Distance:
            folder = tmp_path / name / distance.value
            folder.mkdir(parents=True)
            assert not stale_findings(run_embedding_checks(diagnosis_of(folder, *pair, distance=distance))), name


def test_a_fall_that_recall_at_its_ceiling_hides_is_told_everywhere(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    label = np.arange(600) % 12
    before = 2 * rng.normal(size=(12, 16))[label] + 0.6 * rng.normal(size=(600, 16))
    after = before + 1.2 * rng.normal(size=before.shape)
    diagnosis = diagnosis_of(tmp_path, made(before, label), made(after, label, "v2"), ks=(10,))
    drop = findings(diagnosis)["recall-drop"]
    comparison = read_comparison(diagnosis)
    assert (drop.status, drop.severity) == (Status.WARN, Severity.WARNING)
    assert drop.evidence["metric"] == "r_precision"
    assert "Roll back" not in drop.remedy
    assert "R-precision or MAP@R" in drop.remedy
    assert drop.evidence["change"] == comparison.changes["r_precision", None].value < -0.1
    assert comparison.changes["recall_at_k", 10].value > -0.02
    assert drop.title.startswith("Recall@10 is at its ceiling and hides a fall")
    assert f"fell by {-100 * drop.evidence['change']:.1f} points" in drop.title
    assert RecallView.of(diagnosis).answer().startswith(f"{drop.title}. Recall@10 ")
    assert comparison_as_json(diagnosis)["recall_drop"]["notes"] == [f"{drop.title}."]
    # Not the other way round.
    risen = diagnosis_of(tmp_path, made(after, label), made(before, label, "v2"), ks=(10,))
    assert read_saturation(risen) is None
