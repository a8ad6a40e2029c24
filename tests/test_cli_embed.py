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
from lib.cli.options import DISTANCES, EMBED_ROLES, parse_options
from lib.sources.embeddings.dataset import SINGLE_ROLES
from lib.vectors import Distance

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
    assert (status, err) == (0, "")
    report: dict[str, Any] = json.loads(out)
    assert list(report) == ["format_version", "inputs", "settings", "versions", "cohorts", "comparison", "checks"]
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
    assert (status, out) == (0, "")
    text = " ".join((tmp_path / "report.out").read_text("utf-8").split())
    for words in (
        "not consistent in 1 version",
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
        (["v1.npz", "--candidate", "v9"], ["There is no version v9 for --candidate: there are v1."]),
        (["v1.npz", "rows.csv", "--label", "lable"], ["has no column lable: did you mean label?"]),
        (["v1.npz", "--pairs", "pairs.csv", "--qrels", "pairs.csv"], ["--pairs and by --qrels"]),
        (["v1.npz", "--k", "0,5"], ["whole numbers from 1 to 1,000"]),
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
    assert parse_options(["embed", "a.npy"]).k == (1, 5, 10)
