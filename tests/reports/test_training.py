"""Training histories in reports and on the command line: alone and beside predictions."""

import json

import pytest

from lib.__main__ import main
from lib.checks import CHECKS, run_checks
from lib.reports import build_training_report, render_json, render_markdown, render_text
from tests.checks.training_worlds import curve, training
from tests.reports.conftest import SAMPLES

SAMPLE = str(SAMPLES / "training_curves.csv")


@pytest.fixture
def check(capfd):
    def run(*arguments):
        status = main(["check", *map(str, arguments)])
        out, err = capfd.readouterr()
        return status, out, err

    return run


def test_alone(check):
    status, out, err = check(SAMPLE, "--format", "json")
    assert (status, err) == (0, "")
    document = json.loads(out)
    assert (document["format_version"], document["inputs"], document["versions"]) == (1, [], {})
    assert sorted(each["code"] for each in document["checks"]) == sorted(each.code for each in CHECKS)
    assert document["checks"][0]["name"] == "overfitting"
    (file,) = document["training"]["files"]
    assert (file["name"], file["runs"], len(file["sha256"])) == ("training_curves.csv", ["small", "large"], 64)
    small, large = document["training"]["runs"]
    assert (small["run"], large["run"]) == ("small", "large")
    validation = next(each for each in large["curves"] if each["written"] == "val_loss")
    assert (validation["best"], validation["best_epoch"], validation["n"]) == (0.5019, 8, 50)
    assert validation["gap_at_end"] > 0.5
    assert validation["best_step"] is None
    assert "best_step" in validation["undefined"]


def test_every_null_has_its_reason():
    given = training(curve([float("nan")]), curve([1.0, 2.0], metric="learning_rate"), curve([1.0], "validation"))
    document = json.loads(render_json(build_training_report(given, run_checks(None, given))))
    for of_curve in document["training"]["runs"][0]["curves"]:
        nulls = {name for name, value in of_curve.items() if value is None}
        assert nulls == set(of_curve["undefined"])
        assert all(of_curve["undefined"].values())


def test_in_words(check):
    status, out, _ = check(SAMPLE)
    assert status == 0
    assert "WARNING Run large: val_loss rose" in " ".join(out.split())
    assert "0.502 at epoch 8" in out
    assert "no predictions were given" not in out
    _, markdown, _ = check(SAMPLE, "--format", "markdown")
    assert "## Training" in markdown


def test_beside_predictions(check, tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("id,y,score\n" + "".join(f"{n},{n % 2},{(n % 2) * 3 - 1.2 + n % 7 / 5}\n" for n in range(60)))
    status, out, err = check(path, SAMPLE, "--format", "json")
    assert (status, err) == (0, "")
    document = json.loads(out)
    assert [each["name"] for each in document["inputs"]] == ["p.csv"]
    assert len(document["training"]["runs"]) == 2
    assert next(each for each in document["checks"] if each["name"] == "overfitting")["status"] == "warn"
    _, alone, _ = check(path, "--format", "json")
    assert "training" not in json.loads(alone)


def test_no_number_at_the_end_is_status_1(check, tmp_path):
    path = tmp_path / "h.csv"
    path.write_text("epoch,loss\n1,2\n2,nan\n")
    assert check(path)[0] == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("epoch,loss\n1,x\n2,1\n3,1\n", "h.csv holds 'x' in column loss at line 2"),
        ("epoch,loss\n1,\n", "h.csv looks like a Keras CSVLogger file"),
    ],
)
def test_bad_ones_are_sentences(check, tmp_path, content, words):
    path = tmp_path / "h.csv"
    path.write_text(content)
    status, out, err = check(path)
    assert (status, out) == (2, "")
    assert words in err
    assert len(err.splitlines()) == 1


def test_options_of_predictions_are_of_no_use_to_histories(check, capfd):
    assert "no file holds predictions" in check(SAMPLE, "--label", "y")[2]
    assert "no file holds predictions" in check(SAMPLE, "--candidate", "v1")[2]
    assert main(["cells", SAMPLE, "-o", "never.parquet"]) == 2
    assert "of which there are no cells" in capfd.readouterr().err


def test_names_cannot_move_the_cursor_or_make_markup():
    given = training(curve([3.0, 2, 1], run="\x1b[2J<script>|a|"))
    report = build_training_report(given, run_checks(None, given))
    assert "\x1b" not in render_text(report)
    assert "<script>" not in render_markdown(report)
