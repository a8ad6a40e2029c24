"""The report as GitHub's Markdown, ready for a pull request or a postmortem."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lib.reports.outline import FindingText, Outline, Table, harmless
from lib.reports.report import Report
from lib.reports.report_outline import build_outline
from lib.reports.training import TrainingReport

_SPECIAL = re.compile(r"([\\`*_\[\]|~$])")
_BEGINS_BLOCK = re.compile(r"^([-+=#]|\d+(?=[.)]\s))")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WORD_JOINER = "\N{WORD JOINER}"


def render_markdown(report: Report | TrainingReport | Outline) -> str:
    """The report as headings, sentences and tables; what comes from data is shown as it is, and does nothing."""
    outline = report if isinstance(report, Outline) else build_outline(report)
    lines = ["# Marginalia", "", escape(outline.subject), "", f"## {escape(outline.verdict)}", ""]
    if outline.compared:
        lines += [escape(outline.compared), ""]
    for finding in outline.findings:
        lines += [*_finding(finding), ""]
    if outline.checked:
        lines += [*(f"- {escape(each)}" for each in outline.checked), ""]
    for table in outline.tables:
        lines += [f"## {escape(table.title)}", "", *([*_table(table), ""] if table.rows else [])]
        for note in table.notes:
            lines += [escape(note), ""]
    lines += ["---", "", escape(outline.provenance)]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text on one line that Markdown shows as it is: no markup, HTML, link, mention or table border."""
    shown = harmless(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = _SPECIAL.sub(r"\\\1", shown)
    shown = shown.replace("://", "&#58;//").replace("www.", "www&#46;").replace("@", f"@{_WORD_JOINER}")
    # At the start of a line these would begin a list, a heading or a rule; "3." is one only before a blank.
    return _BEGINS_BLOCK.sub(lambda found: found[0] + "\\" if found[0].isdigit() else "\\" + found[0], shown)


def escape_cell(text: str) -> str:
    """A cell with words from data: escaped, and nothing that a spreadsheet would run once it is pasted there."""
    return escape(f"'{text}" if text.lstrip().startswith(_FORMULA) else text)


def _finding(finding: FindingText) -> Iterable[str]:
    yield f"### {escape(finding.badge)}: {escape(finding.title)}"
    yield ""
    for each in finding.consequences:
        yield f"- {escape(each)}"
    if finding.consequences:
        yield ""
    if finding.explanation:
        yield escape(finding.explanation)
        yield ""
    if finding.remedy:
        yield f"**What to do:** {escape(finding.remedy)} ({escape(finding.name)})"
    else:
        yield f"({escape(finding.name)})"


def _table(table: Table) -> Iterable[str]:
    titles = [
        escape_cell(each) if column.is_data else escape(each)
        for column in table.columns
        for each in [column.title.replace("\n", " ")]
    ]
    yield f"| {' | '.join(titles)} |"
    yield f"| {' | '.join('---:' if column.is_number else ':---' for column in table.columns)} |"
    for row in table.rows:
        cells = [
            escape_cell(cell) if column.is_data else escape(cell)
            for cell, column in zip(row, table.columns, strict=True)
        ]
        yield f"| {' | '.join(cells)} |"
