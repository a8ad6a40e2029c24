"""The gate on the command line: exit statuses, sentences, and files written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.__main__ import main
from tests.test_cli import SAMPLES, TINY, assert_sentence

HINGE = str(SAMPLES / "digits_hinge.csv")
KEEPS = '[[limits]]\nmetric = "accuracy"\nat_least = 0.8\n'
BREAKS = '[[limits]]\nmetric = "accuracy"\nat_least = 0.999\n'
CURVES = SAMPLES / "training_curves.csv"


@pytest.fixture
def policy(tmp_path: Path):
    def write(text: str) -> str:
        path = tmp_path / "policy.toml"
        path.write_text(text, "utf-8")
        return str(path)

    return write


def test_a_candidate_that_passes_is_0_and_one_that_does_not_is_1(
    policy, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = {name: tmp_path / name for name in ("gate.xml", "gate.md", "gate.prom")}
    options = ["--junit", files["gate.xml"], "--markdown", files["gate.md"], "--openmetrics", files["gate.prom"]]
    for text, status, words in ((KEEPS, 0, "hinge-2 passes"), (KEEPS + BREAKS.replace("least", "most"), 0, "2 limits")):
        assert main(["gate", HINGE, "--policy", policy(text)]) == status
        out, err = capfd.readouterr()
        assert err == ""
        assert words in out
    assert main(["gate", HINGE, "--policy", policy(BREAKS), *map(str, options)]) == 1
    out, err = capfd.readouterr()
    assert (err, "hinge-2 does not pass" in out) == ("", True)
    begins = {"gate.xml": "<?xml", "gate.md": "# Marginalia", "gate.prom": "# TYPE"}
    assert all(path.read_text("utf-8").startswith(begins[name]) for name, path in files.items())
    assert sorted(each.name for each in tmp_path.iterdir()) == [*sorted(files), "policy.toml"]


def test_the_first_file_is_the_baseline_and_the_last_the_candidate(
    policy, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, flipped in (("main", 0), ("candidate", 30)):
        rows = (f"{(i + (i < flipped)) % 2},{i % 2 * 2 - 1 + i / 1000}" for i in range(200))
        (tmp_path / f"{name}.csv").write_text("y,margin\n" + "\n".join(rows) + "\n", "utf-8")
    rule = policy('[gate]\non_cannot_tell = "pass"\n[[limits]]\nmetric = "accuracy"\nworsens_by_at_most = 0.01\n')
    for given, status in ((("main", "candidate"), 1), (("candidate", "main"), 0)):
        files = [str(tmp_path / f"{name}.csv") for name in given]
        assert main(["gate", *files, "--policy", rule]) == status
        out, _err = capfd.readouterr()
        assert f"candidate {given[1]} · baseline {given[0]}" in out
        for name in given:
            assert main(["cells", str(tmp_path / f"{name}.csv"), "-o", str(tmp_path / f"{name}.parquet")]) == 0
        assert main(["gate", *(file.replace(".csv", ".parquet") for file in files), "--policy", rule]) == status
        capfd.readouterr()


def test_findings_are_asked_of_the_checks(policy, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tiny.csv"
    path.write_text(TINY, "utf-8")
    for rules, status in (('severity = "error"', 0), ('forbid = ["small-sample"]', 1)):
        arguments = ["gate", str(path), "--score-kind", "decision", "--policy", policy(f"[findings]\n{rules}\n")]
        assert main(arguments) == status
        out, _err = capfd.readouterr()
        assert ("small-sample, H-F16" in out) == bool(status)


def test_saved_cells_give_the_same(policy, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cells, told = tmp_path / "cells.parquet", []
    assert main(["cells", HINGE, "-o", str(cells)]) == 0
    for file in (HINGE, str(cells)):
        assert main(["gate", file, "--policy", policy(BREAKS), "--baseline", "hinge-1"]) == 1
        told.append(capfd.readouterr().out.split("Limits")[1].split("Marginalia")[0])
    assert told[0] == told[1]


WRONG = [
    ([HINGE], KEEPS, ["--policy"]),
    ([HINGE, "--policy", "nowhere.toml"], KEEPS, ["nowhere.toml", "cannot be read"]),
    ([HINGE, "--policy", str(SAMPLES / "incident.csv.gz")], KEEPS, ["no UTF-8 text"]),
    ([HINGE, "--policy", "POLICY"], KEEPS + "at_most = 2\n", ["policy.toml, line 4", "only one of them"]),
    ([HINGE, "--policy", "POLICY"], KEEPS + 'cohorts = "x"\n', ["policy.toml, line 4", "no cohort column"]),
    ([HINGE, "--policy", "POLICY"], "", ["policy.toml limits nothing"]),
    ([HINGE, "--policy", "POLICY", "--candidate", "hinge-3"], KEEPS, ["There is no version 'hinge-3'"]),
    ([HINGE, "--policy", "POLICY", "--junit", HINGE], KEEPS, ["is one of the files to read"]),
    ([HINGE, "--policy", "POLICY", "--junit", "POLICY"], KEEPS, ["is one of the files to read"]),
    ([HINGE, "--policy", "POLICY", "--junit", "POLICY.x", "--markdown", "POLICY.x"], KEEPS, ["to be written twice"]),
    ([HINGE, "--policy", "POLICY", "--junit", "/nowhere/x"], KEEPS, ["There is no folder /nowhere"]),
    ([HINGE, "--policy", "POLICY", "--format", "json"], KEEPS, ["There is no option --format"]),
    ([str(CURVES), "--policy", "POLICY"], KEEPS, ["training curves", "which the gate judges"]),
]


@pytest.mark.parametrize(("arguments", "text", "words"), WRONG, ids=[" ".join(words) for *_, words in WRONG])
def test_what_is_wrong_is_2_and_one_sentence(
    arguments: list[str], text: str, words: list[str], policy, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = policy(text)
    assert main(["gate", *(each.replace("POLICY", path) for each in arguments)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert_sentence(err, *words)
    assert [each.name for each in tmp_path.iterdir()] == ["policy.toml"]
    assert Path(path).read_text("utf-8") == text
