"""The command line as other programs meet it: exit statuses, one sentence on standard error, files written whole."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lib import __version__
from lib.__main__ import main
from lib.cli.options import SINGLE_ROLES, SLICE_METRICS, parse_options
from lib.errors import SettingsError
from lib.figures.slices_view import OUTCOMES
from lib.schema import SINGLE_ROLES as SCHEMA_ROLES
from lib.schema import ScoreKind

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "sample_data"
TINY = "id,y,score,group\na,1,2.0,x\nb,0,-1.5,y\nc,1,0.3,x\nd,0,0.4,y\n"


def start(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **options.pop("env", {})}  # type: ignore[dict-item]
    return subprocess.Popen(
        [sys.executable, "-m", "lib", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,  # type: ignore[arg-type]
    )


def run(*arguments: object, **options: object) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of the command line."""
    with start(*arguments, **options) as process:
        out, err = process.communicate(timeout=300)
    return process.returncode, out.decode(), err.decode()


def assert_sentence(err: str, *words: str) -> None:
    """One line that reads like a sentence, and no traceback."""
    assert "Traceback" not in err
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0][-1] in ".?", err
    for each in words:
        assert each in err


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.csv"
    path.write_text(TINY, "utf-8")
    return path


@pytest.fixture
def complain(capfd: pytest.CaptureFixture[str]):
    """Run in this process, expecting status 2, nothing on standard output and one sentence with these words."""

    def check(arguments: Sequence[object], *words: str) -> None:
        assert main([str(each) for each in arguments]) == 2
        out, err = capfd.readouterr()
        assert out == ""
        assert_sentence(err, *words)

    return check


# --- exit statuses ---------------------------------------------------------------------------------------------------


def test_all_good_is_0(tmp_path: Path) -> None:
    status, out, err = run("check", SAMPLES / "digits_hinge.csv", env={"TMPDIR": str(tmp_path)})
    assert (status, err) == (0, "")
    assert out.startswith("digits_hinge.csv · 3,594 rows")
    assert list(tmp_path.iterdir()) == []  # the private store is gone


def test_a_failed_check_is_1_in_every_format(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # The scores of version b are turned around.
    rows = [
        (version, y, (2 * y - 1) * (1 + i % 5) / 2 * turn)
        for version, turn in (("a", 1), ("b", -1))
        for i in range(600)
        for y in (i % 2,)
    ]
    path = tmp_path / "flipped.csv"
    path.write_text("version,y,score\n" + "".join(f"{v},{y},{s}\n" for v, y, s in rows), "utf-8")
    for form, begin in (("json", "{"), ("markdown", "# Marginalia"), ("text", "flipped.csv · 1,200 rows")):
        assert main(["check", str(path), "--score-kind", "decision", "--format", form]) == 1
        out, err = capfd.readouterr()
        assert err == ""
        assert out.startswith(begin)
        assert "label-flip" in out


def test_several_classes_or_one_of_them_against_the_rest(capfd: pytest.CaptureFixture[str]) -> None:
    path = str(SAMPLES / "which_digit.csv.gz")
    assert main(["check", path, "--score", "prob_*", "--format", "json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["inputs"][0]["mapping"]["score"] == "prob_*"
    assert list(document["versions"]["softmax-1"]["one_vs_rest"])[:2] == ["eight", "five"]
    assert document["versions"]["softmax-1"]["one_vs_rest"]["one"]["taken_for"] == "nine"
    assert main(["check", path, "--positive", "one", "--format", "json"]) == 0
    alone = json.loads(capfd.readouterr().out)
    assert alone["inputs"][0]["mapping"]["score"] == "prob_one"
    assert alone["inputs"][0]["class_columns"] is None
    for name in ("roc_auc", "average_precision", "log_loss", "brier_score", "positive_share"):
        for version, numbers in alone["versions"].items():
            assert document["versions"][version]["one_vs_rest"]["one"][name] == numbers[name]
    assert main(["check", path]) == 0
    told = capfd.readouterr().out
    assert "20 of 20 classes and versions, lowest recall first." in told
    assert "probability, one for each of 10 classes" in " ".join(told.split())
    assert main(["check", path, "--format", "markdown"]) == 0
    assert "## Classes" in capfd.readouterr().out


def test_two_columns_of_scores_exchanged_are_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    digits = pd.read_csv(SAMPLES / "which_digit.csv.gz")
    rows = digits["version"] == "softmax-2"
    digits.loc[rows, ["prob_three", "prob_eight"]] = digits.loc[rows, ["prob_eight", "prob_three"]].to_numpy()
    digits.to_csv(tmp_path / "digits.csv", index=False)
    assert main(["check", str(tmp_path / "digits.csv"), "--format", "json"]) == 1
    raised = [each for each in json.loads(capfd.readouterr().out)["checks"] if each["status"] == "fail"]
    assert [(each["name"], each["version"]) for each in raised] == [("label-flip", "softmax-2")]
    assert raised[0]["evidence"]["exchanged"] == {"eight": "three", "three": "eight"}


def test_a_missing_file_is_2() -> None:
    status, out, err = run("check", SAMPLES / "digits_hing.csv")
    assert (status, out) == (2, "")
    assert_sentence(err, "There is no file", "digits_hing.csv. Did you mean", "digits_hinge.csv?")


def test_ambiguity_is_2_and_names_the_option(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,y,score\na,1,0.9\nb,0,0.2\nc,1,0.7\nd,0,0.4\n", "utf-8")
    status, out, err = run("check", path)
    assert (status, out) == (2, "")
    assert_sentence(err, "score lies within 0 and 1", "--score-kind", "probability")


def test_the_incident_of_rows_is_1() -> None:
    status, out, err = run("check", SAMPLES / "incident.csv.gz", "--format", "json")
    assert (status, err) == (1, "")
    assert json.loads(out)["checks"][0]["code"] == "H-F5"


# --- usage errors ----------------------------------------------------------------------------------------------------


def test_usage_errors_are_sentences() -> None:
    for arguments, words in (
        ([], ["Name a command: check, gate, cells or embed", "--help"]),
        (["chek"], ["invalid choice", "--help"]),
        (["check"], ["Name at least one file"]),
        (["check", "--cohort", "a", "b.csv"], ["Name at least one file", "before --cohort"]),
        (["check", "a.csv", "--lable", "y"], ["There is no option --lable", "Did you mean --label?"]),
        (["check", "a.csv", "--xyzzy"], ["There is no option --xyzzy", "check --help"]),
        (["check", "a.csv", "--label"], ["--label", "expected one argument"]),
        (["check", "a.csv", "--score-kind", "odds"], ["--score-kind", "invalid choice"]),
        (["check", "a.csv", "--format", "xml"], ["--format", "invalid choice"]),
        (["check", "a.csv", "--slices", "recall"], ["--slices", "invalid choice"]),
        (["check", "a.csv", "--gamma", "one"], ["--gamma", "margin target"]),
        (["check", "a.csv", "--gamma", "nan"], ["--gamma", "margin target"]),
        (["check", "a.csv", "--gamma", "-1"], ["--gamma", "margin target"]),
        (["check", "a.csv", "--gamma", "1e12"], ["--gamma", "'1e12' is no margin target: a number from 0 to 100"]),
        (["check", "a.csv", "--gamma", "inf"], ["--gamma", "margin target"]),
        (["cells", "a.csv"], ["-o/--output"]),
        (["cells", "a.csv", "-o", "c.parquet", "--gamma", "1"], ["There is no option --gamma"]),
    ):
        with pytest.raises(SettingsError) as caught:
            parse_options(arguments)
        assert_sentence(str(caught.value), *words)


def test_files_may_stand_anywhere() -> None:
    assert parse_options(["check", "a.csv", "--label", "y", "b.csv"]).files == ["a.csv", "b.csv"]
    assert parse_options(["check", "--label", "y", "a.csv", "b.csv"]).files == ["a.csv", "b.csv"]
    options = parse_options(["check", "a.csv", "--cohort", "x", "y", "--cohort", "z", "--positive", "-1"])
    assert (options.cohort, options.positive) == (["x", "y", "z"], "-1")


def test_every_role_and_score_kind_has_its_option() -> None:
    assert set(SINGLE_ROLES) == {role.value for role in SCHEMA_ROLES}
    for kind in ScoreKind:
        assert parse_options(["check", "a.csv", "--score-kind", kind.value]).score_kind == kind.value


def test_version_and_help() -> None:
    assert run("--version") == (0, f"Marginalia {__version__}\n", "")
    for arguments in (["--help"], ["check", "--help"], ["cells", "--help"]):
        status, out, err = run(*arguments)
        assert (status, err) == (0, "")
        assert "examples:" in out
        assert "python -m lib check" in out


def test_help_is_instant() -> None:
    script = (
        "import sys; sys.argv = ['lib', '--help']; import lib.__main__ as m\ntry: m.main()\nexcept SystemExit: pass\n"
    )
    script += "print(sorted({'numpy', 'pandas', 'duckdb', 'ibis', 'scipy', 'pyarrow', 'plotly'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    fastest = 9.0
    for _ in range(5):
        began = time.perf_counter()
        run("--help")
        fastest = min(fastest, time.perf_counter() - began)
    assert fastest < 0.3


# --- data errors -----------------------------------------------------------------------------------------------------


def test_data_errors_are_sentences(tmp_path: Path, tiny: Path, complain) -> None:
    empty, picture, broken = (tmp_path / name for name in ("empty.csv", "p.png", "broken.csv.gz"))
    empty.write_bytes(b"")
    picture.write_bytes(b"\x89PNG\r\n\x1a\n0000")
    broken.write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00garbage")
    (tmp_path / "none").mkdir()
    complain(["check", tmp_path / "none"], "none is a folder without a table: it holds no files")
    (tmp_path / "none" / "notes.md").write_text("x")
    complain(["check", tmp_path / "none"], "none of its 1 files ends like one")
    complain(["check", tmp_path / "*.xyz"], "No file fits the pattern", "*.xyz.")
    complain(["check", tmp_path / "no" / "where.csv"], "There is no file", "its folder")
    complain(["check", empty], "empty.csv is empty")
    complain(["check", picture], "p.png", "PNG picture")
    complain(["check", broken], "broken.csv.gz", "damaged")
    complain(["check", "/dev/null"], "no ordinary file")
    complain(["check", tiny, "--label", "z"], "no column z")
    complain(["check", tiny, "--cohort", "grup"], "no column grup", "did you mean group")
    complain(["check", tiny, "--label", "y", "--score", "group"], "group")
    complain(
        ["check", tiny, "--score-kind", "decision", "--baseline", "tini"], "no version 'tini'", "Did you mean 'tiny'"
    )
    complain(["check", tiny, "--score-kind", "decision", "--positive", "7"], "7")
    complain(["check", tiny, tiny, "--score-kind", "decision"], "tiny")
    complain(["check", tiny, "--timezone", "Mars/Olympus", "--time", "id"], "")


def test_dates_that_can_be_read_in_two_ways_are_asked(tmp_path: Path, complain) -> None:
    path = tmp_path / "dates.csv"
    path.write_text(
        "id,time,y,score\n" + "".join(f"{i},0{i % 9 + 1}/04/2026,{i % 2},{i - 4.5}\n" for i in range(9)), "utf-8"
    )
    complain(["check", path, "--score-kind", "decision"], "--date-format")
    assert main(["check", str(path), "--score-kind", "decision", "--date-format", "%d/%m/%Y", "-o", os.devnull]) == 0


def test_what_an_answer_could_settle_names_its_option(tmp_path: Path, tiny: Path, complain) -> None:
    classes, ids = tmp_path / "classes.csv", tmp_path / "ids.csv"
    classes.write_text("y,score\n" + "".join(f"{'abc'[i % 3]},{i - 4.5}\n" for i in range(9)), "utf-8")
    ids.write_text("id,y,score\n" + "".join(f"r{i},{i % 2},{i - 99.5}\n" for i in range(200)), "utf-8")
    complain(["check", classes], "y has 3 classes", "Say it with --positive, one of: a, b or c.")
    complain(["check", classes, "--positive", "d"], "y has no label d.", "--positive, one of: a, b or c.")
    for role, bound in (("version", "at most 100"), ("split", "at most 20")):
        complain(
            ["check", ids, f"--{role}", "id"], f"id cannot be the {role}", "200 distinct", bound, f"with --{role}."
        )
    complain(["check", ids, "--weight", "id"], "id cannot be the weight", "Say it with --weight.")
    complain(["check", ids, "--time", "id"], "cannot be read as the time", "Say it with --date-format.")
    complain(["check", ids, "--score", ""], "no analysis without a score", "Say it with --score, one of: score.")
    complain(["check", ids, "--version", "y", "--cohort", "y"], "version and cohort at once", "Say it with --cohort.")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "tiny.csv").write_text(TINY.replace("2.0", "3"), "utf-8")
    complain(
        ["check", tiny, tmp_path / "other" / "tiny.csv", "--score-kind", "decision"], "files are named", "--version"
    )


def test_the_same_rows_twice_are_refused(tmp_path: Path, tiny: Path, complain) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_text(TINY, "utf-8")
    arguments = ["--score-kind", "decision", "--version", "group"]
    complain(["check", tiny, copy, *arguments], "tiny.csv and copy.csv are byte for byte the same")
    complain(["check", tiny, tiny, *arguments], "tiny.csv is given twice")
    complain(["cells", tiny, copy, "-o", tmp_path / "cells.parquet"], "byte for byte the same")


def test_the_same_rows_plain_and_compressed_are_refused(tmp_path: Path, tiny: Path, complain) -> None:
    packed, again = tmp_path / "tiny.csv.gz", tmp_path / "again.csv.gz"
    packed.write_bytes(gzip.compress(TINY.encode(), 1))
    again.write_bytes(gzip.compress(TINY.encode(), 9, mtime=1))
    arguments = ["--score-kind", "decision", "--version", "group"]
    complain(
        ["check", tiny, packed, *arguments],
        "tiny.csv and tiny.csv.gz are byte for byte the same when unpacked",
        "would count twice",
    )
    complain(["check", packed, again, *arguments], "again.csv.gz are byte for byte the same when unpacked")


def test_a_reading_under_which_most_records_are_lost_fails(
    tmp_path: Path, complain, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "scores.csv"
    for usable, severity in ((5, ""), (30, "error"), (60, "warning")):
        rows = "".join(f"r{i},{i % 2},{0.3 + i % 2 / 2 if i < usable else 3 + i / 7},{i % 3}\n" for i in range(100))
        path.write_text(f"id,y,score,group\n{rows}", "utf-8")
        arguments = ["check", path, "--score-kind", "probability"]
        if not severity:
            complain(
                arguments,
                "Only 5.0 % of the 100 records of scores.csv can be used",
                "the score is outside [0, 1] though it is read as a probability (95)",
                "Divide per cent by 100 in the file, or choose another score kind or score column.",
                "Say it with --score-kind or --score.",
            )
            complain(
                arguments[:2], "score looks like per cent or a count", "Say it with --score-kind, one of: decision"
            )
            continue
        status = main([*map(str, arguments), "--format", "json"])
        assert status == 1 or severity == "warning"
        found = [each for each in json.loads(capfd.readouterr().out)["checks"] if each["code"] == "H-F18"]
        assert [each["severity"] for each in found] == [severity]


def test_decimal_commas_are_read_and_doubtful_ones_told(
    tmp_path: Path, complain, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "commas.csv"
    path.write_text("y;prob\n" + "".join(f"{i % 2};0,{i}7\n" for i in range(9)), "utf-8")
    assert main(["check", str(path), "--format", "json"]) in (0, 1)
    assert json.loads(capfd.readouterr().out)["inputs"][0]["mapping"]["score"] == "prob"
    path.write_text("y;prob\n" + "".join(f"{i % 2};1,{i}67\n" for i in range(9)), "utf-8")
    complain(["check", path], "prob: its numbers are written with commas (1,067, which may be 1067 or 1.067)")
    complain(["check", path, "--score", "prob"], "prob cannot be the score", "(1,067, which may be 1067 or 1.067)")


def test_columns_without_a_role_are_in_the_json(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, cells = tmp_path / "odd.csv", tmp_path / "cells.parquet"
    rows = "".join(f"{i % 2},{i / 7 - 20},a text {i},,x\n" for i in range(300))
    path.write_text("y,margin,comment,nothing,one\n" + rows, "utf-8")
    unused = {
        "comment": "300 distinct values, and at most 200 make a cohort column unasked",
        "nothing": "all 300 values are missing",
        "one": "one value only",
    }
    assert main(["cells", str(path), "-o", str(cells)]) == 0
    for each in (path, cells):
        assert main(["check", str(each), "--format", "json"]) in (0, 1)
        assert json.loads(capfd.readouterr().out)["inputs"][0]["unused"] == unused


def test_columns_without_a_role_are_in_the_text_those_named_like_one_first(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd.csv"
    rows = "".join(f"{i % 2},{i / 7 - 20},{',' * 5}t{i % 150},m{i % 250},0\n" for i in range(600))
    path.write_text(f"y,margin,a,b,c,d,e,tenant,model,weight\n{rows}", "utf-8")
    assert main(["check", str(path)]) in (0, 1)
    text = " ".join(capfd.readouterr().out.split())
    assert "Without a role: weight (one value only)." in text
    assert "Without a role: model (model cannot be the version: it has 250 distinct values, and at most 100" in text
    assert text.index("Without a role: weight") < text.index("Without a role: a (")
    assert "Without a role: d (all 600 values are missing). Without a role: 1 more column." in text


def test_a_column_of_too_many_cohorts_is_said_with_what_to_do(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tenants.csv"
    rows = "".join(f"{i % 2},{i / 7 - 200},t{i % 250}\n" for i in range(3_000))
    path.write_text(f"y,margin,tenant\n{rows}", "utf-8")
    assert main(["check", str(path)]) in (0, 1)
    text = " ".join(capfd.readouterr().out.split())
    assert "Without a role: tenant (250 distinct values" in text
    assert "as a cohort column each is found by its name" in text


def test_unreadable_files_are_told(tiny: Path, complain) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    tiny.chmod(0)
    complain(["check", tiny], "cannot be read", "Permission denied")


def test_outputs_are_checked_before_the_work(tmp_path: Path, tiny: Path, complain) -> None:
    complain(["check", tiny, "-o", tmp_path], "is a folder")
    complain(["check", tiny, "-o", tmp_path / "no" / "report.json"], "There is no folder")
    complain(["check", tiny, "-o", tiny], "one of the files to read")
    complain(["cells", tiny, "-o", tiny], "one of the files to read")
    assert tiny.read_text("utf-8") == TINY


def test_names_that_are_no_text_or_hold_escapes_are_shown_safely(tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/caf\xe9\x1b[31m.csv"
    with open(odd, "wb") as file:  # noqa: PTH123 - a name that is bytes
        file.write(TINY.encode())
    command = [
        sys.executable.encode(),
        b"-m",
        b"lib",
        b"check",
        odd,
        b"--score-kind",
        b"decision",
        b"--format",
        b"json",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b" not in done.stdout
    assert json.loads(done.stdout)["inputs"][0]["name"] == "caf�\x1b[31m.csv"
    done = subprocess.run([*command[:4], odd + b"x"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"\x1b" not in done.stderr
    done.stderr.decode()


# --- what is written -------------------------------------------------------------------------------------------------


def test_labels_that_say_that_there_is_none(tmp_path: Path, complain, capfd: pytest.CaptureFixture[str]) -> None:
    path, classes = tmp_path / "unsure.csv", tmp_path / "classes.csv"
    path.write_text(
        "y,score\n" + "".join(f"{('yes', 'no', 'maybe')[i % 3]},{i / 9 - 4.5}\n" for i in range(90)), "utf-8"
    )
    complain(
        ["check", path], "Does maybe mean that a row has no label?", "Say it with --unlabelled, one of: maybe or ''."
    )
    complain(
        ["check", path, "--unlabelled", ""], "y has 3 classes", "Labels that say that there is none are named with"
    )
    assert main(["check", str(path), "--unlabelled", "maybe", "--format", "json"]) in (0, 1)
    document = json.loads(capfd.readouterr().out)
    assert document["inputs"][0]["unlabelled"] == ["maybe"]
    assert document["settings"]["n_rejected"] == {}
    numbers = document["versions"]["unsure"]
    assert (numbers["n"], numbers["n_labelled"], numbers["n_unlabelled"]) == (90, 60, 30)
    assert main(["check", str(path), "--unlabelled", "maybe"]) in (0, 1)
    assert "positive: yes; negative: no; no label: maybe" in capfd.readouterr().out
    # Saved cells know it, and are not merged with those that count it as a class.
    kept, other = tmp_path / "kept.parquet", tmp_path / "other.parquet"
    assert main(["cells", str(path), "--unlabelled", "maybe", "-o", str(kept)]) == 0
    classes.write_text(path.read_text("utf-8") + "yes,1\n", "utf-8")
    assert main(["cells", str(classes), "--unlabelled=", "--positive", "yes", "-o", str(other)]) == 0
    complain(["check", kept, other], "maybe is no label in kept.parquet and a class in other.parquet")


def test_options_settle_the_mapping(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(
        "a,b,c,d,e\n" + "".join(f"{i},{'ja' if i % 3 else 'nein'},{i / 9 - 2},{i % 2},{i}\n" for i in range(40)),
        "utf-8",
    )
    arguments = ["--id", "a", "--label", "b", "--positive", "nein", "--score", "c", "--score-kind", "logit"]
    arguments += ["--version", "d", "--cohort", "", "--gamma", "0.5", "--baseline", "1", "--candidate", "0"]
    assert main(["check", str(path), *arguments, "--format", "json"]) in (0, 1)
    document = json.loads(capfd.readouterr().out)
    mapping = document["inputs"][0]["mapping"]
    assert {role: mapping[role] for role in ("id", "label", "score", "version")} == {
        "id": "a", "label": "b", "score": "c", "version": "d",
    }  # fmt: skip
    assert mapping["cohort"] == []
    assert document["inputs"][0]["score_kind"] == "logit"
    assert document["inputs"][0]["pos_label"] == "nein"
    assert document["settings"]["margin_target"] == 0.5
    assert (document["comparison"]["baseline"], document["comparison"]["candidate"]) == ("1", "0")


def test_slices_are_searched_where_they_are_asked_for(
    tmp_path: Path, tiny: Path, complain, capfd: pytest.CaptureFixture[str]
) -> None:
    assert set(SLICE_METRICS) == set(OUTCOMES)
    path = tmp_path / "world.csv"
    rows = [(i, i % 2, "abc"[i // 2 % 3], "xy"[i // 6 % 2], i * 7919 % 100) for i in range(3_000)]
    wrong = {i: (draw < 60 if (one, two) == ("b", "y") else draw < 10) for i, _label, one, two, draw in rows}
    lines = [f"{i},{label},{(2 * label - 1) * (-1 if wrong[i] else 1)},{one},{two}" for i, label, one, two, _ in rows]
    path.write_text("\n".join(["id,y,s,one,two", *lines]), "utf-8")
    arguments = [
        "check",
        str(path),
        "--label",
        "y",
        "--score",
        "s",
        "--score-kind",
        "decision",
        "--cohort",
        "one",
        "two",
    ]
    assert main([*arguments, "--slices", "error_rate", "--format", "json"]) in (0, 1)
    slices = json.loads(capfd.readouterr().out)["slices"]
    (found,) = slices["found"]
    assert found["conditions"] == [{"column": "one", "value": "b"}, {"column": "two", "value": "y"}]
    own = [wrong[i] for i, _label, one, two, _ in rows if (one, two) == ("b", "y")]
    assert found["n"] == len(own)
    assert found["mean_ci"][0] < sum(own) / len(own) < found["mean_ci"][1]
    assert (found["change"], found["undefined"]["change"]) == (None, "one version is there, and no baseline")
    assert slices["n_explored"] + slices["n_confirming"] == 3_000
    assert slices["mean"] == pytest.approx(sum(wrong.values()) / 3_000)
    for form in ("text", "markdown"):
        assert main([*arguments, "--slices", "error_rate", "--format", form]) in (0, 1)
        shown = " ".join(capfd.readouterr().out.split())
        assert "Worst slices of world" in shown
        assert "one = b and two = y" in shown.replace("\\", "")
    assert main([*arguments, "--format", "json"]) in (0, 1)
    assert "slices" not in json.loads(capfd.readouterr().out)
    complain(["check", str(path), *arguments[2:-2], "", "--slices", "error_rate"], "no cohort and no feature columns")
    assert main(["cells", str(tiny), "-o", str(tmp_path / "cells.parquet"), "--score-kind", "decision"]) == 0
    capfd.readouterr()
    complain(["check", str(tmp_path / "cells.parquet"), "--slices", "error_rate"], "Saved cells hold no rows")
    classes = ["label,prob_a,prob_b,prob_c,one", *(f"{'abc'[i % 3]},0.5,0.3,0.2,{'xy'[i % 2]}" for i in range(60))]
    path.write_text("\n".join(classes), "utf-8")
    arguments = ["check", str(path), "--label", "label", "--cohort", "one"]
    complain([*arguments, "--slices", "miss_rate"], "Of several classes none is positive")


def test_several_files_are_versions(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("v1", "v2"):
        (tmp_path / f"{name}.csv").write_text(TINY.replace("2.0", name[1:]), "utf-8")
    paths = [str(tmp_path / f"{name}.csv") for name in ("v1", "v2")]
    assert main(["check", *paths, "--score-kind", "decision", "--format", "json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert list(document["versions"]) == ["v1", "v2"]
    assert [each["name"] for each in document["inputs"]] == ["v1.csv", "v2.csv"]


def test_a_report_in_a_file_is_the_one_on_the_screen(tiny: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for form in ("text", "json", "markdown"):
        arguments = ["check", str(tiny), "--score-kind", "decision", "--format", form]
        assert main(arguments) == 0
        shown = capfd.readouterr().out
        assert main([*arguments, "-o", str(tiny.with_name("report"))]) == 0
        assert capfd.readouterr().out == ""
        assert tiny.with_name("report").read_text("utf-8") == shown
        assert [each.name for each in tiny.parent.iterdir() if "partial" in each.name] == []


def leave_out_rows(document: dict[str, Any]) -> dict[str, Any]:
    """What saved cells can give: no feature, pair or time finer than windows, of ids in several files nothing."""
    left_out = ("features", "monitoring")
    checks = [each for each in document["checks"] if each["code"] not in ("H-F15", "H-F21")]
    compared = {**document["comparison"], "undefined": {}}
    return {
        **{key: value for key, value in document.items() if key not in left_out},
        "checks": checks,
        "comparison": compared,
    }


def test_saved_cells_stand_for_the_rows(
    tmp_path: Path, tiny: Path, complain, capfd: pytest.CaptureFixture[str]
) -> None:
    cells = tmp_path / "cells.parquet"
    assert main(["cells", str(tiny), "--score-kind", "decision", "-o", str(cells)]) == 0
    assert main(["check", str(tiny), "--score-kind", "decision", "--format", "json"]) == 0
    rows = json.loads(capfd.readouterr().out)
    assert main(["check", str(cells), "--format", "json"]) == 0
    saved = json.loads(capfd.readouterr().out)
    assert (rows.pop("inputs")[0]["saved_cells"], saved.pop("inputs")[0]["saved_cells"]) == (False, True)
    assert leave_out_rows(rows) == leave_out_rows(saved)
    complain(["check", cells, tiny], "cells.parquet holds saved cells and tiny.csv rows", "not read together")
    complain(["check", cells, "--label", "y"], "mapping options")
    again = tmp_path / "again.parquet"
    assert main(["cells", str(cells), "-o", str(again)]) == 0
    assert main(["check", str(again), "--format", "json"]) == 0
    document = json.loads(capfd.readouterr().out)
    document.pop("inputs")
    assert leave_out_rows(document) == leave_out_rows(saved)
    complain(["check", cells, again], "both hold the rows of tiny.csv, which would count twice")


def write_days(folder: Path, count: int = 4) -> list[Path]:
    """Files of one day each, with a version, a cohort, a weight and times."""
    folder.mkdir()
    paths = [folder / f"day-{day + 1:02d}.csv" for day in range(count)]
    for day, path in enumerate(paths):
        rows = "".join(
            f"d{day}r{i},{i % 2},{(i * 37 % 101) / 20 - 2.5 + i % 2},{'ab'[i % 3 // 2]},v{i % 2 + 1},"
            f"2026-04-{day + 1:02d}T{i % 24:02d}:00:00Z,{1 + i % 3}\n"
            for i in range(240 + day)
        )
        path.write_text(f"id,y,margin,site,version,time,weight\n{rows}", "utf-8")
    return paths


def test_folders_and_patterns_stand_for_their_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    days = write_days(tmp_path / "logs")
    for name in (".hidden.csv", "_SUCCESS", "readme.md"):
        (tmp_path / "logs" / name).write_text("no table")
    assert main(["check", *map(str, days), "--format", "json"]) in (0, 1)
    named = json.loads(capfd.readouterr().out)
    assert [each["name"] for each in named["inputs"]] == [path.name for path in days]
    for what in (tmp_path / "logs", tmp_path / "logs" / "day-*.csv", tmp_path / "**" / "day-??.csv"):
        assert main(["check", str(what), "--format", "json"]) in (0, 1)
        assert json.loads(capfd.readouterr().out) == named
    ninth, tenth = tmp_path / "logs" / "day-9.csv", tmp_path / "logs" / "day-10.csv"
    for path, day in ((tenth, days[0]), (ninth, days[1])):
        path.write_text(day.read_text("utf-8").replace("d0r", "x").replace("d1r", "y"), "utf-8")
    for what in (tmp_path / "logs", tmp_path / "logs" / "day-*.csv"):
        assert main(["check", str(what), "--format", "json"]) in (0, 1)
        names = [each["name"] for each in json.loads(capfd.readouterr().out)["inputs"]]
        assert names.index("day-9.csv") < names.index("day-10.csv")
    # A name that looks like a pattern is a name where there is such a file.
    odd = tmp_path / "logs[1].csv"
    odd.write_bytes(days[0].read_bytes())
    assert main(["check", str(odd), "--format", "json"]) in (0, 1)
    assert json.loads(capfd.readouterr().out)["inputs"][0]["name"] == "logs[1].csv"


def test_saved_cells_of_days_are_merged(tmp_path: Path, complain, capfd: pytest.CaptureFixture[str]) -> None:
    days = write_days(tmp_path / "logs")
    (tmp_path / "cells").mkdir()
    for path in days:
        assert main(["cells", str(path), "-o", str(tmp_path / "cells" / f"{path.stem}.parquet")]) == 0
    assert main(["cells", str(tmp_path / "cells"), "-o", str(tmp_path / "all.parquet")]) == 0
    documents = []
    for what in (tmp_path / "logs", tmp_path / "cells", tmp_path / "cells" / "*.parquet", tmp_path / "all.parquet"):
        assert main(["check", str(what), "--format", "json"]) in (0, 1)
        document = json.loads(capfd.readouterr().out)
        assert [each["name"] for each in document.pop("inputs")] == [path.name for path in days]
        document["settings"].pop("dataset")
        documents.append(document)
    assert documents[1] == documents[2] == documents[3]
    assert leave_out_rows(documents[0]) == leave_out_rows(documents[1])
    complain(["cells", tmp_path / "cells", "-o", tmp_path / "cells" / "day-01.parquet"], "one of the files to read")
    assert main(["cells", str(days[0]), "--cohort", "", "-o", str(tmp_path / "cells" / "day-01.parquet")]) == 0
    complain(["check", tmp_path / "cells"], "day-01.parquet has no cells by site", "same --cohort columns")


def test_output_is_utf_8_whatever_the_terminal_says(tiny: Path) -> None:
    status, out, _ = run("check", tiny, "--score-kind", "decision", env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert status == 0
    assert "γ = 1" in out


# --- ends before the end ---------------------------------------------------------------------------------------------


def test_a_closed_pipe_is_no_traceback(tiny: Path) -> None:
    with start("check", tiny, "--score-kind", "decision") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read().decode()
    assert process.returncode == 2
    assert_sentence(err, "output was closed")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_is_130_at_any_moment_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    rows = "".join(f"{i},{i % 2},{(i * 7919) % 10007 / 1000 - 5},g{i % 9}\n" for i in range(200_000))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "big.csv").write_text("id,y,score,group\n" + rows, "utf-8")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    for wait in (0.0, 1.0):
        with start(
            "check",
            tmp_path / "data" / "big.csv",
            "--score-kind",
            "decision",
            env={"TMPDIR": str(temporary)},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        ) as process:
            while not list(temporary.iterdir()) and process.poll() is None:
                time.sleep(0.01)
            time.sleep(wait)
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        assert b"Traceback" not in err
        if process.returncode != 0:  # 0: a fast machine was done before
            assert process.returncode == 130
        assert list(temporary.iterdir()) == []


def test_a_fault_of_the_product_is_a_sentence_too(monkeypatch: pytest.MonkeyPatch, tiny: Path, complain) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("lib.cli.check.read_diagnosis", fail)
    monkeypatch.delenv("MARGINALIA_TRACEBACK", raising=False)
    complain(["check", tiny], "Marginalia itself has a fault", "RuntimeError: a bug")


def test_progress_is_for_terminals_only(tiny: Path) -> None:
    if not hasattr(os, "openpty"):
        pytest.skip("no pseudo-terminals here")
    leader, follower = os.openpty()
    command = [sys.executable, "-m", "lib", "check", str(tiny), "--score-kind", "decision", "-o", os.devnull]
    done = subprocess.run(command, cwd=ROOT, stderr=follower, check=False)
    os.close(follower)
    shown = b""
    while chunk := read_end(leader):
        shown += chunk
    os.close(leader)
    assert done.returncode == 0
    assert b"Running the checks" in shown
    assert shown.endswith(b"\r\x1b[K")  # and leaves a clean line


def read_end(leader: int) -> bytes:
    try:
        return os.read(leader, 65536)
    except OSError:  # Linux says so when the other end is closed
        return b""
