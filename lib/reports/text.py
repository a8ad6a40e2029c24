"""The report as text for a terminal of 80 to 100 columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lib.figures.format import NO_BREAK
from lib.reports.outline import Column, FindingText, Outline, Table, harmless
from lib.reports.report import Report
from lib.reports.report_outline import build_outline
from lib.reports.training import TrainingReport

WIDTH = 100
NAME_LIMIT = 24
"""Characters of a name from data that the title of a column shows at most."""
CELL_LIMIT = 200
LEAST, TIGHT, GAP = 14, 10, 2
"""A column of words is not made narrower than the first, or than the second if all else fails; columns stand so far
apart."""


def render_text(report: Report | TrainingReport | Outline, width: int = WIDTH) -> str:
    """The report as lines of at most `width` columns, findings first; words from data cannot move the cursor."""
    outline = report if isinstance(report, Outline) else build_outline(report)
    lines = [*_wrapped(outline.subject, width), "", *_heading(outline.verdict)]
    if outline.compared:
        lines += _wrapped(outline.compared, width)
    for finding in outline.findings:
        lines += ["", *_finding(finding, width)]
    if (outline.findings or outline.compared) and outline.checked:
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
    """A sentence over lines, the first and the others indented."""
    lines = _folded(first.replace(" ", NO_BREAK) + harmless(text), width - len(rest))
    return [lines[0].replace(NO_BREAK, " ", len(first)), *(rest + line for line in lines[1:])]


@dataclass(frozen=True)
class _Laid:
    """One column of a table: its title and cells as text, and how wide it is allowed to be."""

    column: Column
    title: tuple[str, ...]
    cells: tuple[str, ...]
    most: int = CELL_LIMIT

    @property
    def size(self) -> int:
        """The columns of the terminal that it takes."""
        lines = [line for text in (*self.title, *self.cells) for line in _folded(text, self.most)]
        return max(display_width(line) for line in (*lines, ""))


def _table(table: Table, width: int) -> Iterable[str]:
    laid = [
        _Laid(
            column,
            tuple(harmless(part, NAME_LIMIT if column.is_data else CELL_LIMIT) for part in column.title.split("\n")),
            tuple(harmless(row[place], CELL_LIMIT) for row in table.rows),
        )
        for place, column in enumerate(table.columns)
    ]
    laid = _fitted(laid, width)
    titles = [[line for part in each.title for line in _folded(part, each.most)] for each in laid]
    height = max(len(lines) for lines in titles)
    yield from _lines([[""] * (height - len(lines)) + lines for lines in titles], laid)
    for row in range(len(table.rows)):
        yield from _lines([_folded(each.cells[row], each.most) for each in laid], laid)


def _fitted(laid: list[_Laid], width: int) -> list[_Laid]:
    """Too wide a table: words are broken over lines, widest column first; then go the columns one can do without.

    What is still too wide is broken more tightly, last column first.
    """

    def over() -> int:
        return sum(GAP + each.size for each in laid) - width

    while (excess := over()) > 0:
        words = [each for each in laid if not each.column.is_number or each.column.is_data]
        widest = max((each for each in words if each.size > LEAST), key=lambda each: each.size, default=None)
        extra = [each for each in laid if each.column.is_extra]
        if widest is not None:
            most = max(LEAST, widest.size - excess)
            laid[laid.index(widest)] = replace(widest, most=most)
        elif extra:
            laid.remove(extra[-1])
        elif tight := next((each for each in reversed(words) if each.size > TIGHT), None):
            laid[laid.index(tight)] = replace(tight, most=max(TIGHT, tight.size - excess))
        else:
            break
    return laid


def _folded(text: str, size: int) -> list[str]:
    """Lines of at most `size` columns, broken at blanks; a longer word is cut."""
    lines, line = list[str](), ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if display_width(longer) <= size:
            line = longer
            continue
        if line:
            lines.append(line)
        line = ""
        for each in word:
            if display_width(line + each) > size:
                lines.append(line)
                line = ""
            line += each
    return [*lines, line]


def _lines(cells: Sequence[Sequence[str]], laid: Sequence[_Laid]) -> Iterable[str]:
    """The lines of one row, the first line of each cell on top."""
    for level in range(max(len(lines) for lines in cells)):
        padded: list[str] = []
        for lines, each in zip(cells, laid, strict=True):
            text = lines[level] if level < len(lines) else ""
            blank = " " * (each.size - display_width(text))
            padded.append(blank + text if each.column.is_number else text + blank)
        yield " " * GAP + (" " * GAP).join(padded)
