"""`python -m lib embed` as other programs meet it: the frame of the JSON, its options, one sentence where it cannot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lib.__main__ import main
from lib.checks.embeddings import run_embedding_checks
from lib.cli.options import DISTANCES, EMBED_ROLES, MOST_NEIGHBOURS, parse_options
from lib.embeddings import EmbeddingDiagnosis, EmbeddingSettings
from lib.embeddings.comparison import read_comparison
from lib.embeddings.everything import read_everything
from lib.embeddings.measures import (
    paired_rows,
    read_dimensions,
    read_drift,
    read_duplicates,
    read_geometry,
    read_leakage,
    read_outliers,
    read_seasons,
    read_triplets,
)
from lib.embeddings.recall_drop import read_recall_drop
from lib.embeddings.retrieval import cohort_retrieval, read_retrieval
from lib.embeddings.settings import KS, LONGEST
from lib.errors import Cancelled
from lib.figures.drift_view import DriftView
from lib.reports import render_text
from lib.reports.embeddings import embeddings_outline
from lib.reports.embeddings_json import EmbeddingReport
from lib.sources import Run
from lib.sources.embeddings import EmbeddingAnswers, read_embeddings
from lib.sources.embeddings.dataset import SINGLE_ROLES
from lib.sources.inputs import Input
from lib.vectors import Distance
from sample_data.embedding_faults import make_versions

N = 30
Embed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def embed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Embed:
    """Run `embed` in the folder of two versions, their metadata and a file of pairs."""
    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(N, 4)).astype(np.float32)
    ids = [f"r{k:02d}" for k in range(N)]
    np.savez(tmp_path / "v1.npz", embeddings=matrix, ids=np.array(ids))
    broken = matrix.astype(np.float16)
    broken[3], broken[7, 1] = 0, np.nan
    np.savez(tmp_path / "v2.npz", embeddings=broken, ids=np.array(ids))
    meta = pd.DataFrame(
        {"id": [*ids, "lost"], "label": np.arange(N + 1) % 3, "lang": np.where(np.arange(N + 1) % 2, "de", "en")}
    )
    meta.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "pairs.csv").write_text("query_id,relevant_id\nr00,r01\n")

    def run(*arguments: object) -> tuple[int, str, str]:
        named = [
            str(tmp_path / str(each)) if "." in str(each) and "," not in str(each) else str(each) for each in arguments
        ]
        status = main(["embed", *named])
        out, err = capfd.readouterr()
        return status, out, err

    return run


def test_json_has_the_frame_of_every_report(embed: Embed) -> None:
    status, out, err = embed(
        "v1.npz", "v2.npz", "rows.csv", "--format", "json", "--distance", "euclidean", "--k", "5,1"
    )
    assert (status, err) == (1, "")  # its index is not consistent
    report: dict[str, Any] = json.loads(out)
    frame = ["format_version", "inputs", "settings", "versions", "cohorts", "windows", "comparison", "checks"]
    assert list(report) == frame
    assert [(each["name"], each["kind"], each["rows"]) for each in report["inputs"]] == [
        ("v1.npz", "vectors", N),
        ("v2.npz", "vectors", N),
        ("rows.csv", "metadata", N + 1),
    ]
    assert report["inputs"][0]["mapping"] == {"id": "id", "label": "label", "cohort": ["lang"], "sensitive": []}
    assert (report["settings"]["distance"], report["settings"]["k"]) == ("euclidean", [1, 5])
    assert (report["settings"]["baseline"], report["settings"]["candidate"]) == ("v1", "v2")
    assert len(report["settings"]["notes"]) == 2
    first, second = report["versions"]["v1"], report["versions"]["v2"]
    assert (first["n"], first["dimension"], first["stored_as"]) == (N, 4, "float32")
    assert first["index_consistency"] == round(30 / 31, 10)  # "lost" has no vector
    assert second["stored_as"] == "float16"
    assert second["index_consistency"] == round(28 / 31, 10)
    assert second["n_missing_vectors"] == 1
    assert {each["name"]: each["places"] for each in second["index_problems"]} == {
        "nan": ["row 8 (id r07)"],
        "zero_norm": ["row 4 (id r03)"],
        "missing_vector": ["id lost"],
    }


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_text_and_markdown_say_the_same(embed: Embed, tmp_path: Path, form: str) -> None:
    status, out, _err = embed("v2.npz", "--metadata", "rows.csv", "--format", form, "-o", "report.out")
    assert (status, out) == (1, "")
    text = " ".join((tmp_path / "report.out").read_text("utf-8").split())
    for words in (
        "Findings: 1 error.",
        "The index is not consistent: 3 of 31 rows (9.7 %) cannot be relied on",
        "90.3",
        "float16",
        "has no direction",
        "joined to v2.npz by id",
        "Cohorts: lang",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["v1.npz", "v3.npz"], ["There is no file", "v3.npz"]),
        (["v1.npz", "--candidate", "v9"], ["There is no version v9 to be the candidate; there are v1."]),
        (["v1.npz", "rows.csv", "--label", "lable"], ["has no column lable: did you mean label?"]),
        (["v1.npz", "--pairs", "pairs.csv", "--qrels", "pairs.csv"], ["--pairs and by --qrels"]),
        (["v1.npz", "--k", "0,5"], ["whole numbers from 1 to 100"]),
        (["v1.npz", "--gamma", "1"], ["There is no option --gamma"]),
        (["rows.csv"], ["rows.csv holds no vectors"]),
        (["v1.npz", "-o", "v1.npz"], ["is one of the files to read"]),
        (["v1.npz", "--metadata", "rows.csv", "-o", "rows.csv"], ["is one of the files to read"]),
        (["--sensitive", "a"], ["Name at least one file."]),
    ],
)
def test_what_cannot_be_done_is_a_sentence(embed: Embed, arguments: list[str], words: list[str]) -> None:
    status, out, err = embed(*arguments)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert "fault" not in err
    for each in words:
        assert each in err


def test_options_are_those_of_the_library() -> None:
    assert EMBED_ROLES == SINGLE_ROLES
    assert list(Distance) == list(DISTANCES)
    assert parse_options(["embed", "a.npy"]).k == KS
    assert MOST_NEIGHBOURS == LONGEST


def test_vectors_that_moved_and_lost_nothing_are_a_warning_and_no_failure(tmp_path: Path) -> None:
    before = np.random.default_rng(1).normal(size=(300, 8))
    for name, matrix in (("v1", before), ("v2", before + 0.5)):
        np.savez(tmp_path / f"{name}.npz", embeddings=matrix.astype(np.float32), ids=np.arange(300))
    written = tmp_path / "report.json"
    files = [str(tmp_path / f"{name}.npz") for name in ("v1", "v2")]
    options = ["--distance", "euclidean", "--format", "json", "-o", str(written)]
    assert main(["embed", *files, *options]) == 0
    first = json.loads(written.read_text("utf-8"))["checks"][0]
    assert (first["name"], first["status"], first["severity"]) == ("embedding-drift", "fail", "warning")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], EmbeddingDiagnosis]:
    """What `embed` prints of an index of which a third is stale, and the diagnosis of the same files."""
    folder = tmp_path_factory.mktemp("stale")
    before, after, _truth = make_versions(1, 500, 16, faults=("stale-rows",))
    for version in (before, after):
        np.savez(folder / f"{version.name}.npz", embeddings=version.matrix, ids=version.ids)
    pd.DataFrame(
        {
            "id": before.ids,
            "label": before.label,
            "source": before.cohort,
            "gender": np.where(before.matrix[:, 0] + 0.1 * before.matrix[:, 1] > 0, "f", "m"),
            "split": np.where(np.arange(500) % 4, "train", "test"),
            "created": pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(500), unit="h"),
        }
    ).to_csv(folder / "rows.csv", index=False)
    names = ("v1.npz", "v2.npz", "rows.csv")
    written = folder / "report.json"
    options = ["--cohort", "source", "--sensitive", "gender", "--format", "json", "-o", str(written), "--k", "1,5"]
    assert main(["embed", *(str(folder / name) for name in names), *options]) == 1
    answers = EmbeddingAnswers(cohorts=("source",), sensitive=("gender",))
    data = read_embeddings([Input(folder / name, name) for name in names], folder / "store", answers)
    settings = EmbeddingSettings.choose(data, ks=(1, 5))
    return json.loads(written.read_text("utf-8")), EmbeddingDiagnosis(data, settings, folder)


def near(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_numbers_of_a_version_are_those_of_the_diagnosis(
    told: tuple[dict[str, Any], EmbeddingDiagnosis], version: str
) -> None:
    report, diagnosis = told
    found = report["versions"][version]
    retrieval = read_retrieval(diagnosis, version)
    for (name, k), estimate in retrieval.overall.items():
        key = name if k is None else f"{name}.{k}"
        value, ends = found[name], found[f"{name}_ci"]
        assert (value if k is None else value[str(k)]) == near(estimate.value)
        assert (ends if k is None else ends[str(k)]) == [near(estimate.lower), near(estimate.upper)]
        assert found["n_by_metric"][key] == estimate.n
    for hubs in retrieval.hubness:
        assert found["hubness_skewness"][str(hubs.k)] == near(hubs.skewness.value)
        assert found["hub_share"][str(hubs.k)] == near(hubs.hub_share)
    geometry = read_geometry(diagnosis, version)
    assert found["geometry"]["participation_ratio"] == near(geometry.spectrum.participation_ratio)
    assert found["geometry"]["variance_share"] == [near(each) for each in geometry.spectrum.share]
    assert found["geometry"]["silhouette"] == near(geometry.silhouette.value)
    triplets = read_triplets(diagnosis, version)
    assert triplets is not None
    for each in found["triplets"]["by_margin"]:
        assert each["violation_rate"] == near(float((triplets[0].triplet_margin < each["margin"]).mean()))
    curve = read_dimensions(diagnosis, version)
    assert curve is not None
    assert [each["recall_at_k"] for each in found["dimensions"]["points"]] == [
        near(each.recall.value) for each in curve.points
    ]
    assert found["dimensions"]["smallest"]["n_bytes"] == curve.smallest.setting.n_bytes
    leak = read_leakage(diagnosis, version)["gender"]
    assert found["leakage"][0]["column"] == "gender"
    assert found["leakage"][0]["roc_auc"] == near(leak.area)
    close = read_duplicates(diagnosis, version)
    assert found["duplicates"]["n_expected"] == near(close.found.expected)
    assert found["duplicates"]["across_splits"]["n"] == 500
    assert found["outliers"]["n_beyond"] == read_outliers(diagnosis, version).n_beyond
    assert [each["cycle"] for each in found["seasons"]] == ["week"]
    assert found["seasons"][0]["shift"] == near(read_seasons(diagnosis, version)[0].shift)
    cohort = cohort_retrieval(diagnosis, version, "source", "recall_at_k", 5)
    own = {each["value"]: each for each in report["cohorts"] if each["version"] == version}
    for value, estimate in zip(cohort.values, cohort.estimates, strict=True):
        assert own[value]["recall_at_k"]["5"] == near(estimate.value)
        assert own[value]["n"] == estimate.n


def test_numbers_of_the_comparison_are_those_of_the_diagnosis(
    told: tuple[dict[str, Any], EmbeddingDiagnosis],
) -> None:
    report, diagnosis = told
    found, comparison = report["comparison"], read_comparison(diagnosis)
    assert found["neighbourhood_overlap"] == near(comparison.overlap_mean.value)
    assert found["neighbourhood_overlap_floor"] == near(comparison.floor)
    for (name, k), change in comparison.changes.items():
        assert found["deltas"][name if k is None else f"{name}.{k}"]["value"] == near(change.value)
    ledger = comparison.ledger
    assert ledger is not None
    assert found["ledger"]["n_lost"] == ledger.is_lost.sum()
    assert found["ledger"]["mcnemar_p"] == near(ledger.p_value)
    assert found["ledger"]["displacers"][0]["n"] == ledger.displacers.counts[0]
    drift = read_drift(diagnosis)
    parts = {"rows": drift.rows, "pairs": drift.pairs, "turned": drift.turned}
    for name, part in parts.items():
        assert part is not None
        for each in part.measures:
            assert found["drift"][name][each.measure.value] == near(each.value)
            assert found["drift"][name][f"{each.measure.value}_floor"] == near(each.floor)
    assert drift.alignment is not None
    assert found["drift"]["alignment"]["total_residual"] == near(drift.alignment.total_residual)
    shown = DriftView.of(diagnosis, drift).residuals_frame()
    assert {each["column"]: each["value"] for each in found["drift"]["furthest"]} == drift.furthest
    source = diagnosis.embeddings.texts("v2", "source")[paired_rows(diagnosis)[1]]
    assert list(shown["value"]) == [each["value"] for each in found["drift"]["residuals"]] == sorted(set(source))
    for row, each in zip(shown.to_dict("records"), found["drift"]["residuals"], strict=True):
        own = drift.alignment.residual[source == row["value"]]
        assert each["mean_residual"] == near(row["mean_residual"]) == near(float(own.mean()))
        assert each["mean_residual_ci"] == [near(row["mean_residual_low"]), near(row["mean_residual_high"])]
        assert each["n_by_metric"]["mean_residual"] == len(own)
    drop = read_recall_drop(diagnosis).drop
    assert [(each["name"], each["verdict"]) for each in found["hypotheses"]] == [
        (each.name, each.verdict.value) for each in drop.hypotheses
    ]
    assert {each["name"]: each["explains"] for each in found["hypotheses"]}["stale-rows"] == near(
        next(each.explains for each in drop.hypotheses if each.name == "stale-rows")
    )
    assert found["recall_drop"]["parts"]["change"] == near(drop.parts.change.value)
    parts_of_change = [found["recall_drop"]["parts"][name] for name in drop.parts.parts]
    assert sum(parts_of_change) == pytest.approx(drop.parts.change.value, abs=1e-8)
    checks = run_embedding_checks(diagnosis)
    assert [(each["code"], each["status"], each["title"]) for each in report["checks"]] == [
        (each.code, each.status.value, each.title) for each in checks
    ]
    assert report["checks"][0]["name"] == "recall-drop"
    assert report["settings"]["k"] == [1, 5]


MAY_BE_NULL = {"time_format", "window", "version", "verdict"}
"""Keys that are null where there is no such thing."""


def test_what_is_null_says_why(told: tuple[dict[str, Any], EmbeddingDiagnosis]) -> None:
    report, _diagnosis = told

    def walk(value: Any, path: tuple[str, ...], reasons: dict[str, str]) -> None:
        if isinstance(value, list):
            for each in value:
                walk(each, path, reasons)
        elif isinstance(value, dict):
            own = value.get("undefined", reasons)
            for key, each in value.items():
                walk(each, (*path, key), own)
        elif value is None and path[-1] not in MAY_BE_NULL:
            names = [each.removesuffix("_ci") for each in path[-2:]]
            assert reasons.get(names[-1]) or reasons.get(".".join(names)), path

    walk({key: report[key] for key in ("versions", "cohorts", "comparison")}, (), {})


def test_text_tells_the_numbers_of_the_json(told: tuple[dict[str, Any], EmbeddingDiagnosis]) -> None:
    report, diagnosis = told
    text = render_text(embeddings_outline(EmbeddingReport(diagnosis, run_embedding_checks(diagnosis))), 200)
    recall = report["versions"]["v2"]["recall_at_k"]["5"]
    assert f"{100 * recall:.1f}" in next(line for line in text.splitlines() if "Recall@5 (hit rate)" in line)
    assert report["checks"][0]["title"] in " ".join(text.split())
    assert f"{100 * report['comparison']['neighbourhood_overlap']:.1f}" in text
    assert next(line for line in text.splitlines() if line.strip().startswith("stale-rows")).split()[1] == "confirmed"


def test_what_was_cancelled_is_not_read(told: tuple[dict[str, Any], EmbeddingDiagnosis]) -> None:
    run = Run()
    run.cancel()
    with pytest.raises(Cancelled):
        read_everything(told[1], run)
