"""One number, three faces: the page, the JSON and the Markdown of the command line, over every sample.

The page is read as its HTML, the others as the command line prints them; each is asked for the same thing.
"""

import html
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.checks import run_checks
from lib.cli.options import parse_options
from lib.cli.reading import read_tables
from lib.diagnose import Diagnosis
from lib.figures.format import format_change, format_count, format_interval, format_score, format_share, format_value
from lib.metrics.catalogue import METRICS
from lib.reports import build_report, render_json, render_markdown
from lib.settings import Settings
from lib.sources import Run
from lib.sources.inputs import find_inputs
from lib.workspace import SAMPLES as OFFERED
from lib.workspace import SAMPLES_FOLDER
from tests.ui.conftest import ROOT, Shown, answer, findings, go_to, open_app, run, tables, text_of

CASES = [*((sample.token, 1.0) for sample in OFFERED), ("sample-losses", 0.5)]
FILES = {sample.token: sample.file for sample in OFFERED}
# What a person answers on the page, the command line is told.
ANSWERED = {"sample-wrong": "probability"}
NO_BREAK = "\N{NO-BREAK SPACE}"
LABELS = {metric.label: metric for metric in METRICS}


@dataclass(frozen=True)
class Faces:
    """What the command line prints of a sample, and the same sample on a page."""

    token: str
    gamma: float
    json: dict[str, Any]
    markdown: str

    def page(self, name: str) -> AppTest:
        """The page of the sample; what it asks is answered."""
        view = {"dataset": self.token, "gamma": f"{self.gamma:g}"}
        if self.token not in ANSWERED:
            return open_app(name, **view)
        app = open_app(**view)
        app.button(key=f"answer:score_kind:{ANSWERED[self.token]}").click()
        run(app)
        next(button for button in app.button if button.label == "Open with this mapping").click()
        run(app)
        return app if name == "home" else go_to(app, name)


def options_of(token: str, gamma: float, form: str) -> list[str]:
    """The command line's words for a sample."""
    answered = ["--score-kind", ANSWERED[token]] if token in ANSWERED else []
    return ["check", str(SAMPLES_FOLDER / FILES[token]), "--gamma", str(gamma), "--format", form, *answered]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]:g}")
def faces(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Faces:
    """Both forms from the command line's own steps; that it prints just these is tested below."""
    token, gamma = request.param
    options = parse_options(options_of(token, gamma, "json"))
    store = tmp_path_factory.mktemp("store")
    inputs = find_inputs(options.files, [], store)
    tables = read_tables(inputs, options, store, Run(), lambda _share, _words: None)
    diagnosis = Diagnosis(tables, Settings.choose(tables.facts, margin_target=options.gamma))
    if diagnosis.can_read_features:
        diagnosis.read_features()
    report = build_report(diagnosis, run_checks(diagnosis))
    return Faces(token, gamma, json.loads(render_json(report)), render_markdown(report))


@pytest.mark.parametrize("faces", [("sample-wrong", 1.0)], indirect=True, ids=str)
@pytest.mark.parametrize("form", ["json", "markdown"])
def test_the_command_line_prints_what_is_compared_here(faces: Faces, form: str) -> None:
    command = [sys.executable, "-m", "lib", *options_of(faces.token, faces.gamma, form)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr.decode()
    text = done.stdout.decode()
    assert (json.loads(text) if form == "json" else text) == (faces.json if form == "json" else faces.markdown)


def shown_as(value: float | None, ends: list[float] | None, unit: Any) -> tuple[str, str]:
    """A number of the JSON as a page writes it, with its interval."""
    if value is None:
        return "undefined", ""
    low, high = ends or (float("nan"), float("nan"))
    return format_value(value, unit), format_interval(low, high, unit)


def is_same(cell: Shown, value: float | None, ends: list[float] | None, unit: Any, reason: str = "") -> bool:
    """Whether a cell shows that number and that interval, or why there is none."""
    text, around = shown_as(value, ends, unit)
    if value is None:
        return cell.text == text and cell.detail == reason
    return cell.text == text and cell.detail.partition(" ± ")[0] == around


def test_the_overview_shows_the_numbers_of_the_json(faces: Faces) -> None:
    report, (table, *_) = faces.json, tables(faces.page("home"))
    versions = report["versions"]
    compared = report["comparison"]["deltas"]
    assert [row[0].text for row in table.rows] == [*versions, *(["Change"] if compared else [])]
    metrics = [(head, LABELS[head]) for head in table.heads if head in LABELS]
    assert len(metrics) == len(table.heads) - 2
    assert {"violation_rate", "average_hinge_loss", "median_margin", "roc_auc"} <= {each.name for _, each in metrics}
    for version, numbers in versions.items():
        assert table[version, "Rows"].text == format_count(numbers["n"])
        unlabelled = numbers["n_unlabelled"]
        assert (f"{format_count(unlabelled)} unlabelled" == table[version, "Rows"].detail) is (unlabelled > 0)
        for head, metric in metrics:
            value, ends = numbers[metric.name], numbers[f"{metric.name}_ci"]
            cell = table[version, head]
            assert is_same(cell, value, ends, metric.unit, numbers["undefined"].get(metric.name, "")), (version, head)
    for head, metric in metrics if compared else []:
        change = compared[metric.name]
        cell = table["Change", head]
        if change["value"] is None:
            assert cell.text == "undefined"
            continue
        assert cell.text == format_change(change["value"], metric.unit), head
        low, high = (format_change(end, metric.unit) for end in change["ci"])
        assert cell.detail == f"{low.removesuffix(f'{NO_BREAK}points')} to {high}", head
        assert cell.tone == (change["verdict"] or ""), head


def markdown_tables(text: str) -> dict[str, list[dict[str, str]]]:
    """The tables of a Markdown text by the heading above them, each row by its heads."""
    found: dict[str, list[dict[str, str]]] = {}
    heading, heads = "", list[str]()
    for line in text.splitlines():
        if line.startswith("## "):
            heading, heads = line.removeprefix("## "), []
        elif line.startswith("| "):
            cells = [re.sub(r"\\(.)", r"\1", cell.strip()) for cell in line.strip("|").split("|")]
            if not heads:
                heads = cells
            elif not set(line) <= set("|:- "):
                found.setdefault(heading, []).append(dict(zip(heads, cells, strict=True)))
    return found


def test_the_markdown_shows_the_numbers_of_the_page(faces: Faces) -> None:
    (table, *_) = tables(faces.page("home"))
    report = faces.json
    printed_tables = markdown_tables(faces.markdown)
    by_version = {row["Version"]: row for row in printed_tables["Versions"]}
    assert list(by_version) == list(report["versions"])
    for version, row in by_version.items():
        rate = table[version, "Violation rate"]
        assert row["Rows"] == table[version, "Rows"].text
        assert row["Violation rate and 95 % interval"] == f"{rate.text} ({rate.detail})"
        for short, head in (("Hinge loss", "Average hinge loss"), ("ROC AUC", "ROC AUC"), ("Accuracy", "Accuracy")):
            assert row[short] == table[version, head].text
    changes = next((rows for name, rows in printed_tables.items() if name.startswith("Change from ")), [])
    assert bool(changes) is bool(report["comparison"]["deltas"])
    for row in changes:
        if row["Metric"] in table.heads:
            cell = table["Change", row["Metric"]]
            around = cell.detail.removesuffix(f"{NO_BREAK}points")
            assert (
                row[next(name for name in row if name.startswith("Change and 95 % interval, "))]
                == f"{cell.text} ({around})"
            )
            assert row[""] == cell.tone


def test_findings_are_the_same_sentences(faces: Faces) -> None:
    app = faces.page("home")
    raised = [each for each in faces.json["checks"] if each["status"] in ("fail", "warn")]
    assert findings(app) == [f"{each['severity']} {each['title']}" for each in raised]
    printed, said = unescaped(faces.markdown), text_of(app)
    for each in faces.json["checks"]:
        assert each["title"] in said
        assert each["title"] in printed


def unescaped(text: str) -> str:
    """Markdown as its reader sees it."""
    return html.unescape(re.sub(r"\\(.)", r"\1", text)).replace("\N{WORD JOINER}", "")


def test_the_cohorts_table_shows_the_numbers_of_the_json(faces: Faces) -> None:
    app = faces.page("cohorts")
    column, candidate = app.selectbox(key="control:by").value, faces.json["settings"]["candidate"]
    expected = {
        row["value"]: row for row in faces.json["cohorts"] if row["column"] == column and row["version"] == candidate
    }
    assert len(expected) > 1
    if faces.json["inputs"][0]["class_columns"]:
        assert tables(app) == []  # there are no two classes to set side by side
        return
    seen: set[str] = set()
    for table in tables(app):
        for row in table.rows:
            cells = dict(zip(table.heads, row, strict=True))
            value = "" if row[0].text == "(missing)" else row[0].text
            numbers = expected[value]
            seen.add(value)
            assert cells["Labelled rows"].text == format_count(numbers["n_labelled"])
            rate, ends = numbers["violation_rate"], numbers["violation_rate_ci"]
            reasons = numbers["undefined"]
            assert is_same(cells["Violation rate"], rate, ends, "share", reasons.get("violation_rate", "")), value
            for label, head in (("-1", "Negative class"), ("1", "Positive class")):
                rate, ends = (numbers[f"violation_rate_by_class{part}"][label] for part in ("", "_ci"))
                reason = reasons.get(f"violation_rate_by_class.{label}", "")
                assert is_same(cells[head], rate, ends, "share", reason), (value, head)
    assert seen == set(expected)


def test_the_ranking_of_features_shows_the_numbers_of_the_json(faces: Faces) -> None:
    app = faces.page("features")
    listed = faces.json.get("features", [])
    if not listed:
        assert "No column was read as a feature" in text_of(app)
        return
    (table, *_) = tables(app)
    assert [row[0].text for row in table.rows] == [each["feature"] for each in listed]
    heads = {"baseline": f"Against {faces.json['settings']['baseline']}", "other splits": "Between splits"}
    heads |= {"other times": "Over time"}
    for each in listed:
        assert table[each["feature"], "Missing"].text == format_share(each["missing"])
        reason = each["undefined"].get("explained", "")
        assert is_same(table[each["feature"], "Explains"], each["explained"], each["explained_ci"], "share", reason)
        for move in each["moves"]:
            cell = table[each["feature"], heads[move["against"]]]
            shown = format_score(move["distance"])
            if move["category"]:
                shown = f"{format_change(move['distance'], 'share')} of {move['category']}"
            assert cell.text == shown


@pytest.mark.parametrize("place", range(4))
def test_the_thresholds_page_shows_the_numbers_of_the_json(faces: Faces, place: int) -> None:
    versions = faces.json["versions"]
    if faces.json["inputs"][0]["class_columns"]:
        assert not next(iter(versions.values()))["thresholds"]["chosen"]
        return
    rules = [chosen["rule"] for chosen in next(iter(versions.values()))["thresholds"]["chosen"]]
    view = {"threshold_by": rules[place]["by"]}
    if rules[place]["by"] == "cost":
        view["cost_of_miss"] = f"{rules[place]['costs']['false_negative']:g}"
    app = faces.page("thresholds") if faces.token in ANSWERED else open_app("thresholds", dataset=faces.token, **view)
    if faces.token in ANSWERED:
        app.segmented_control(key="control:threshold_by").set_value(view["threshold_by"])
        run(app)
        if "cost_of_miss" in view:
            app.number_input(key="control:cost_of_miss").set_value(float(view["cost_of_miss"]))
            run(app)
    table = tables(app)[0]
    compared = {faces.json["settings"][name] for name in ("baseline", "candidate")}
    assert {row[0].text for row in table.rows} == compared & set(versions)
    heads = {"Precision": "precision", "Recall": "recall", "F1": "f_beta", "Flagged share": "flagged_share"}
    for version in compared & set(versions):
        of = versions[version]["thresholds"]
        chosen = of["chosen"][place]
        if chosen["threshold"] is None:
            assert table[version, "Threshold"].detail == chosen["undefined"]["threshold"]
            continue
        value, (low, _) = chosen["threshold"], chosen["threshold_ci"]
        if of["scale"] == "score":
            assert table[version, "Threshold"].text == format_score(value)
            assert low is None or format_score(low) in table[version, "Threshold"].detail
        else:
            assert float(table[version, "Threshold"].text) == pytest.approx(value, abs=6e-4)
        for head, name in heads.items():
            held = chosen["held_out"]
            cell = table[version, head]
            if held is None:
                assert cell.detail == chosen["undefined"]["held_out"]
                continue
            reason = held["undefined"].get(name, "")
            assert is_same(cell, held[name], held[f"{name}_ci"], "share", reason), (version, head)


def test_the_sentences_of_losses_and_margins_hold_the_numbers_of_the_json(faces: Faces) -> None:
    candidate = faces.json["settings"]["candidate"]
    numbers = faces.json["versions"][candidate]
    margins, losses, home = (answer(faces.page(name)) for name in ("margins", "losses", "home"))
    assert f"{format_share(numbers['violation_rate'])} of the rows of {candidate}" in margins
    assert f"the median margin is {format_score(numbers['median_margin'])}" in margins
    assert f"learning from {format_share(numbers['zero_hinge_gradient_share'], 0)} of the rows" in losses
    assert format_share(numbers["logistic_gradient_share_from_correct"], 0) in losses
    assert f"in {format_share(numbers['violation_rate'])} of" in home


def test_the_kinds_of_support_vectors_are_those_of_the_json(faces: Faces) -> None:
    app = faces.page("support_vectors")
    words = {
        "wrong_side": "On the wrong side",
        "inside": "Inside the margin",
        "on_margin": "On the margin",
        "free": "Free",
    }
    (table, *_) = tables(app)
    for row in table.rows:
        cells = dict(zip(table.heads, row, strict=True))
        told = faces.json["versions"][cells["Version"].text]["support_vectors"]
        splits = told["splits"]
        if cells["Class"].text != "both classes":
            continue
        numbers = splits.get("train", told)
        assert cells["Rows"].text == format_count(numbers["n"])
        assert cells["Support vectors"].text == format_count(numbers["n_support"])
        assert is_same(cells["Mean slack"], numbers["mean_slack"], numbers["mean_slack_ci"], "loss")
        for kind, head in words.items():
            assert cells[head].text == format_count(numbers["n_by_kind"][kind])
            assert cells[head].detail.partition(" ± ")[0] == format_share(numbers[kind])
    candidate = faces.json["settings"]["candidate"]
    training = faces.json["versions"][candidate]["support_vectors"]["training"]
    theory = [each for each in tables(app) if each.heads[0] == "On the training rows"]
    assert bool(theory) is (training is not None)
    if training is not None:
        shown = theory[0]
        assert shown["Mean slack", candidate].text == format_value(training["mean_slack"], "loss")
        low, high = training["nu"]
        assert shown["ν = Σα/(nC)", candidate].text == format_interval(low, high, "share")


def is_share(text: str, value: float) -> bool:
    """Whether a share is written as a page writes it; one half of the last digit may go either way."""
    return text in {format_share(each) for each in (value, value - 1e-9, value + 1e-9)}


def test_the_parts_on_the_calibration_page_are_those_of_the_json(faces: Faces) -> None:
    app, report = faces.page("calibration"), faces.json
    by_cohort = {(each["column"], each["value"], each["version"]): each for each in report["cohorts"]}
    kinds: set[str] = set()
    for table in (each for each in tables(app) if "Came true" in each.heads):
        what = table.heads[0]
        for row in table.rows:
            cells = dict(zip(table.heads, row, strict=True))
            value, version = cells[what].text, cells["Version"].text
            whole = report["versions"][version]
            if value.startswith("all "):
                kinds.add("whole")
                numbers = whole | {"positive_share": whole["calibration"]["positive_share"]}
                floors = whole["calibration"]["floors"]
                assert whole["expected_calibration_error_floor"] == floors["expected_calibration_error"]
            elif what == "Class":
                kinds.add("class")
                numbers = whole["calibration"]["one_vs_rest"][value]
            elif what == "From":
                kinds.add("window")
                near = [each for each in report["windows"] if each["version"] == version and each["start"]]
                numbers = next(each for each in near if each["start"].replace("T", " ").startswith(value[:16]))
            else:
                kinds.add("cohort")
                numbers = by_cohort[what, "" if value == "(missing)" else value, version]
            low, high = (format_change(each, "share") for each in numbers["calibration_gap_ci"])
            assert is_share(cells["Mean p"].text, numbers["mean_probability"])
            if numbers.get("positive_share") is not None:
                assert is_share(cells["Came true"].text, numbers["positive_share"])
            assert cells["Gap"].text == format_change(numbers["calibration_gap"], "share")
            assert cells["Gap"].detail.startswith(f"{low} to {high}; ")
            for head, name in (("ECE", "expected_calibration_error"), ("Debiased error", "debiased_calibration_error")):
                if numbers[name] is None:
                    assert cells[head].detail == numbers["undefined"][name]
                    continue
                assert is_share(cells[head].text, numbers[name])
                assert is_share(cells[head].detail.removeprefix("floor "), numbers[f"{name}_floor"])
    wanted = {
        "sample-incident": {"whole", "cohort", "window"},
        "sample-digits": {"whole", "class"},
        "sample-hinge": set(),
    }
    assert kinds >= wanted.get(faces.token, set())


def test_monitoring_shows_the_numbers_of_the_json(faces: Faces) -> None:
    app, told = faces.page("monitoring"), faces.json.get("monitoring")
    if told is None:
        assert "Monitoring needs times and labels" in text_of(app) or "there is nothing to monitor" in text_of(app)
        return
    found = {heads: table for table in tables(app) for heads in table.heads}
    for each in told["deploys"]:
        row = next(row for row in found["Restored"].rows if row[0].text == each["name"])
        cells = dict(zip(found["Restored"].heads, row, strict=True))
        for head in ("before", "after"):
            assert is_same(cells[head.capitalize()], each[head], each[f"{head}_ci"], "share"), head
        assert cells["Change"].text == format_change(each["change"], "share")
    for each in told["onsets"]:
        (column, value), *_others = each["cohort"].items() or [("", "")]
        shown = f"{column} = {value}" if column else "all rows"
        row = next(
            row for row in found["Deploy"].rows
            if row[0].text == shown and row[1].text.startswith(each["at"][:16].replace("T", " "))
        )  # fmt: skip
        assert is_same(row[2], each["before"], each["before_ci"], "share")
        assert is_same(row[3], each["after"], each["after_ci"], "share")
    opened = [each["opened"] for objective in told["objectives"] for each in objective["incidents"]]
    listed = [row[1].text for row in found["Burn"].rows] if "Burn" in found else []
    assert listed == [f"{each[:10]} {each[11:16]} UTC" for each in opened]
    app.segmented_control(key="control:role").set_value("executive")
    (table,) = (table for table in tables(run(app)) if "Budget left" in table.heads)
    for each in told["objectives"]:
        assert is_same(table[each["name"], "Rate"], each["rate"], each["rate_ci"], "share")
        pages = [incident for incident in each["incidents"] if incident["action"] == "page"]
        assert table[each["name"], "Pages"].text == str(len(pages))
        assert table[each["name"], "Missed for days"].text == format_share(each["sustained_share"])
