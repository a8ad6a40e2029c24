"""The report in a pull request: tables that hold together, and words from data that do nothing."""

import re
from collections.abc import Callable

import pytest

from lib.reports import Report, render_markdown
from lib.reports.markdown import escape, escape_cell
from lib.sources import Answers


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a\\|b"),
        ("a\\|b", "a\\\\\\|b"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("&lt;", "&amp;lt;"),
        ("*bold* _it_ `code` ~~no~~", "\\*bold\\* \\_it\\_ \\`code\\` \\~\\~no\\~\\~"),
        ("[link](https://evil.example)", "\\[link\\](https&#58;//evil.example)"),
        ("www.evil.example", "www&#46;evil.example"),
        ("@team", "@\N{WORD JOINER}team"),
        ("# title", "\\# title"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("1.5", "1.5"),
        ("line\nbreak\r\n\ttab", "line break tab"),
        ("\x1b[31m\u202e", "\\[31m"),
        ("naïve 日本 😀 −1", "naïve 日本 😀 −1"),
        ("$x$", "\\$x\\$"),
    ],
)
def test_text_is_shown_as_it_is(text: str, shown: str) -> None:
    assert escape(text) == shown


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", " =cmd|' /C calc'!A0", "\t=1"])
def test_no_cell_from_data_begins_a_formula(text: str) -> None:
    assert escape_cell(text).startswith("'")


def test_other_cells_stay_as_they_are() -> None:
    assert escape_cell("en") == "en"
    assert escape_cell("a=b") == "a=b"


def test_tables_hold_together(report: Report) -> None:
    assert_tables_hold(render_markdown(report))


def assert_tables_hold(markdown: str) -> None:
    blocks = re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE)
    assert blocks
    for block in blocks:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block


def test_hostile_names_do_nothing(report_of_csv: Callable[..., Report]) -> None:
    cohorts = ["=HYPERLINK(1)", "a|b", "<script>x</script>", "@everyone", "![x](http://e.example/x.png)"]
    rows = "".join(f'{i},{i % 2},{(i % 7) - 3 + (i % 2):.1f},"{cohorts[i % 5]}","v|{i % 2}"\n' for i in range(600))
    report = report_of_csv(f"id,y,score,group,version\n{rows}", "<b>.csv", Answers(score_kind="decision"))
    markdown = render_markdown(report)
    assert_tables_hold(markdown)
    assert not re.search(r"<(?!!--)", markdown)
    assert "http://" not in markdown
    assert not re.search(r"@\w", markdown)
    assert not re.search(r"^\| *[=@]", markdown, re.MULTILINE)
    assert "v\\|0" in markdown


def test_formulas_in_cells_of_versions_are_quoted(report_of_csv: Callable[..., Report]) -> None:
    rows = "".join(f"{i},{i % 2},{(i % 7) - 3 + (i % 2):.1f},{['=1+1', '-2', '@x'][i % 3]}\n" for i in range(90))
    markdown = render_markdown(report_of_csv(f"id,y,score,version\n{rows}", answers=Answers(score_kind="decision")))
    assert "| '=1+1 |" in markdown
    assert "| '-2 |" in markdown
