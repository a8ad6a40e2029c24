"""The report in a terminal: findings first, within its width, and nothing from data moves the cursor."""

import dataclasses
from collections.abc import Callable

import pytest

from lib.checks import CheckResult, Severity, Status, Where, run_checks
from lib.diagnose import Diagnosis
from lib.figures.slices_view import SlicesView
from lib.reports import Report, build_report, render_markdown, render_text
from lib.reports.finding_texts import finding_texts, slices_text
from lib.reports.text import display_width
from lib.settings import Settings
from lib.slices import search_slices
from lib.sources import Answers
from tests.reports.conftest import SAMPLES, sample_report, scan_of


@pytest.mark.parametrize("width", [80, 100])
def test_lines_fit(report: Report, width: int) -> None:
    for line in render_text(report, width).splitlines():
        assert display_width(line) <= width, line
        assert line == line.rstrip()


def test_findings_come_first_then_versions_change_cohorts_and_inputs(report: Report) -> None:
    text = render_text(report)
    titles = [
        "Findings: ",
        "\nVersions\n",
        "\nChange from ",
        "\nBy class",
        "\nWorst cohorts\n",
        "\nInputs\n",
        "\nMapping\n",
    ]
    places = [text.index(title) for title in titles]
    assert places == sorted(places)


def test_the_incident_opens_with_its_cause() -> None:
    lines = render_text(sample_report("incident.csv.gz")).splitlines()
    first = next(line for line in lines if line.startswith("ERROR"))
    assert first.startswith("ERROR Scores are reversed for language = pt in version 2026.04")
    assert any(line.startswith("  → Compare the scores of these rows before and after that deploy") for line in lines)


def test_several_findings_of_one_check_say_once_what_to_do() -> None:
    text = render_text(sample_report("digits_hinge.csv"))
    assert text.count("cohort-disparity, H-F9") == 2
    assert text.count("→ Rebalance") == 1
    assert text.count("→ ") == 2
    assert "what to do: as above" in text


def test_undefined_is_said_in_words() -> None:
    text = render_text(sample_report("digits_hinge.csv"))
    assert "Log loss is undefined: the score is a raw decision score, not a probability." in text


def test_changes_are_marked_paired_or_not() -> None:
    alone, paired = (render_text(sample_report(name)) for name in ("incident.csv.gz", "digits_hinge.csv"))
    assert "unpaired" in alone
    said = " ".join(alone.split())
    assert "Changes are unpaired: the two versions are taken as independent samples. No scored row has the same" in said
    said = " ".join(paired.split())
    assert "unpaired" not in said
    assert "Changes are paired by id, on 1,797 rows in both. Of 1,797 labelled rows, 104 were fixed" in said


def test_rejected_rows_are_told_with_their_reason() -> None:
    text = render_text(sample_report("many_things_wrong.csv"))
    assert "the weight is missing, negative or not a number" in text
    assert "time-unreadable" in text


def test_scores_on_another_scale_are_not_compared() -> None:
    text = render_text(sample_report("digits_hinge_vs_logistic.csv"))
    (line,) = (each for each in text.splitlines() if each.startswith("  Average hinge loss  "))
    assert line.endswith("not comparable")
    said = " ".join(text.split())
    assert "Margins of logistic-2 spread 1.87 times as wide as those of hinge-2" in said
    assert "Not comparable" not in render_text(sample_report("digits_hinge.csv"))


@pytest.mark.parametrize("render", [render_text, render_markdown])
def test_many_unusable_records_are_a_finding(report_of_csv: Callable[..., Report], render) -> None:
    rows = "".join(f"{i},{i % 2},{'oops' if i % 7 == 0 else i % 2 - 0.5 + i % 5 / 9:}\n" for i in range(700))
    report = report_of_csv(f"id,y,score\n{rows}", answers=Answers(score_kind="decision", roles={"score": "score"}))
    said = " ".join(render(report).split())
    assert "14 % of records cannot be used (100 of 700): the score is not a number (100)" in said


def hostile_report(make: Callable[..., Report]) -> Report:
    cohorts = ["\x1b[31mred\x1b[0m", "\u202eevil\u202c", "日本語の長い名前" * 6]
    rows = "".join(f"{i},{i % 2},{(i % 7) - 3 + (i % 2):.1f},{cohorts[i % 3]},v{i % 2}\n" for i in range(300))
    return make(f"id,y,score,group,version\n{rows}", "wide.csv", Answers(score_kind="decision"))


def test_words_from_data_cannot_move_the_cursor(report_of_csv: Callable[..., Report]) -> None:
    text = render_text(hostile_report(report_of_csv))
    assert "red" in text
    assert not [each for each in text if (ord(each) < 32 and each != "\n") or each in "\x7f\x9b\u202e\u202c"]


@pytest.mark.parametrize("width", [80, 100])
def test_wide_characters_take_two_columns(report_of_csv: Callable[..., Report], width: int) -> None:
    text = render_text(hostile_report(report_of_csv), width)
    assert max(display_width(line) for line in text.splitlines()) <= width
    assert display_width("日本a") == 5


def test_no_labels_and_one_version(report_of_csv: Callable[..., Report]) -> None:
    answers = Answers(score_kind="probability", roles={"score": "p"})
    text = render_text(report_of_csv("id,p\na,0.2\nb,0.9\nc,0.4\n", answers=answers))
    assert "Violation rate is undefined: no labelled rows." in text
    assert "Change from" not in text
    assert "nan" not in text.lower()


def test_that_slices_were_not_searched_is_said_where_there_is_something_to_search() -> None:
    scan = scan_of(SAMPLES / "digits_hinge.csv")
    diagnosis = Diagnosis(scan, Settings.choose(scan.facts))
    said = "--slices violation_rate, or error_rate, does that"
    assert said in " ".join(render_text(build_report(diagnosis, run_checks(diagnosis))).split())
    query = diagnosis.slice_query(diagnosis.slice_columns[:2], "violation_rate", 2)
    slices = SlicesView.of(diagnosis, search_slices(scan, query))
    searched = render_text(build_report(diagnosis, run_checks(diagnosis), slices=slices))
    assert said not in " ".join(searched.split())
    assert slices_text(dataclasses.replace(scan.facts, saved=True)) == ""
    bare = dataclasses.replace(scan.facts, cohorts=(), mapping=dataclasses.replace(scan.facts.mapping, features=()))
    assert slices_text(bare) == ""


def test_findings_of_one_check_that_mean_something_else_say_what_to_do_each() -> None:
    plain = CheckResult(
        "H-F9",
        "cohort-disparity",
        Status.WARN,
        Severity.WARNING,
        "v2",
        Where(),
        "One",
        {},
        "Usual.",
        "Mend.",
        "cohorts",
    )
    other = dataclasses.replace(plain, title="Two", explanation="It began then.", remedy="Roll back.")
    three, four = (dataclasses.replace(plain, title=title) for title in ("Three", "Four"))
    texts = finding_texts([plain, other, three, four])
    assert [each.remedy for each in texts] == ["Mend.", "Roll back.", "Mend.", ""]
    assert [each.name.endswith("as above") for each in texts] == [False, False, False, True]
