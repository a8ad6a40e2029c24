"""The report as text for a terminal of 80 to 100 columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from lib.reports.outline import Column, FindingText, Table, build_outline, harmless
from lib.reports.report import Report

WIDTH = 100
NAME_LIMIT = 24
"""Characters of a name from data that a cell shows at most, where a table would be too wide otherwise."""
CELL_LIMIT = 200
GAP = 2


def render_text(report: Report, width: int = WIDTH) -> str:
    """The report as lines of at most `width` columns, findings first; words from data cannot move the cursor."""
    outline = build_outline(report)
    lines = [*_wrapped(outline.subject, width), "", *_heading(f"Findings: {outline.verdict}")]
    for finding in outline.findings:
        lines += ["", *_finding(finding, width)]
    if outline.findings and outline.checked:
        lines.append("")
    for each in outline.checked:
        lines += _wrapped(each, width, "  ", "      ")
    for table in outline.tables:
        lines += ["", *_heading(table.title), *(_table(table, width) if table.rows else [])]
        for note in table.notes:
            lines += _wrapped(note, width, "  ", "  ")
    lines += ["", *_wrapped(outline.provenance, width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def display_width(text: str) -> int:
    """How many columns of a terminal a text takes: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def _heading(title: str) -> list[str]:
    shown = harmless(title)
    return [shown, "─" * display_width(shown)]


def _finding(finding: FindingText, width: int) -> Iterable[str]:
    yield from _wrapped(f"{finding.badge}  {finding.title}", width, "", "  ")
    for each in finding.consequences:
        yield from _wrapped(f"· {each}", width, "  ", "    ")
    if finding.explanation:
        yield from _wrapped(finding.explanation, width, "  ", "  ")
    if finding.remedy:
        yield from _wrapped(f"→ {finding.remedy}", width, "  ", "    ")
    yield from _wrapped(f"({finding.name})", width, "  ", "  ")


def _wrapped(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """Lines broken at blanks; a word that is longer than a line stands alone on one."""
    lines: list[str] = []
    line, begin = first, True
    for word in harmless(text).split(" "):
        longer = line + word if begin else f"{line} {word}"
        if not begin and display_width(longer) > width:
            lines.append(line)
            line = rest + word
        else:
            line = longer
        begin = False
    return [*lines, line]


def _table(table: Table, width: int) -> Iterable[str]:
    columns, rows = list(table.columns), [list(row) for row in table.rows]
    titles = [[harmless(part, 40) for part in column.title.split("\n")] for column in columns]
    cells = [[harmless(cell, CELL_LIMIT) for cell in row] for row in rows]
    kept = list(range(len(columns)))

    def widths() -> list[int]:
        return [
            max(display_width(each) for each in [*titles[place], *(row[place] for row in cells), ""]) for place in kept
        ]

    def total() -> int:
        return sum(widths()) + GAP * len(kept)

    # Too wide: first names are shortened, then the columns that one can do without go, from the right.
    if total() > width:
        for row in cells:
            for place, column in enumerate(columns):
                row[place] = harmless(row[place], NAME_LIMIT) if column.is_data else row[place]
    while total() > width and (extra := [place for place in kept if columns[place].is_extra]):
        kept.remove(extra[-1])
    sizes = widths()
    height = max(len(titles[place]) for place in kept)
    for level in range(height):
        title_row = [([""] * (height - len(titles[place])) + titles[place])[level] for place in kept]
        yield _line(title_row, [columns[place] for place in kept], sizes)
    for row in cells:
        yield _line([row[place] for place in kept], [columns[place] for place in kept], sizes)


def _line(cells: Sequence[str], columns: Sequence[Column], sizes: Sequence[int]) -> str:
    padded: list[str] = []
    for cell, column, size in zip(cells, columns, sizes, strict=True):
        blank = " " * (size - display_width(cell))
        padded.append(blank + cell if column.is_number else cell + blank)
    return " " * GAP + (" " * GAP).join(padded)
