"""What the gate has decided, laid out for a terminal and for a pull request."""

from __future__ import annotations

from lib import __version__
from lib.figures.format import UNDEFINED, format_count, format_plural, format_time
from lib.figures.gate_view import DecisionRow, GateView, OpenLimit, rows_of
from lib.figures.text import MISSING
from lib.gate import GateResult
from lib.reports.finding_texts import finding_texts
from lib.reports.outline import Column, Outline, Table

MOST_ROWS = 60
"""Rows that are shown: those that matter most come first, and what is left out is counted."""
NEAREST = 3
"""Of the parts of a limit that cannot be told so many are named."""


def gate_outline(result: GateResult) -> Outline:
    """Lay the decisions of a gate out."""
    view = GateView.of(result)
    facts, settings = result.facts, result.settings
    subject = [facts.name, format_plural(facts.n_rows, "row"), f"candidate {settings.candidate or MISSING}"]
    if settings.baseline != settings.candidate:
        subject.append(f"baseline {settings.baseline or MISSING}")
    tables = [_decisions(view)] if view.rows else []
    return Outline(
        subject=" · ".join([*subject, f"γ = {settings.margin_target:g}", f"policy {result.policy.name}"]),
        verdict=f"Gate: {view.answer()}",
        compared="",
        findings=finding_texts(result.forbidden),
        checked=(),
        tables=tuple(tables),
        provenance=" · ".join(
            [
                f"Marginalia {__version__}",
                f"dataset {facts.key}",
                *(f"{each.name} sha256 {each.sha256[:10]}" for each in facts.inputs[:4]),
                format_time(int(result.made_at.timestamp()), 60),
            ]
        ),
    )


def _decisions(view: GateView) -> Table:
    columns = (
        Column("Verdict", is_number=False),
        Column("Limit", is_number=False),
        Column("Of", is_number=False, is_data=True),
        Column("Number and\ninterval"),
        Column("Rows"),
    )
    shown, left = view.lines[:MOST_ROWS], [row for line in view.lines[MOST_ROWS:] for row in rows_of(line)]
    notes = [f"{line.limit}{told}." for line in shown if (told := _told(line))]
    if left:
        passed = sum(row.verdict == "pass" for row in left)
        notes.insert(0, f"{format_plural(len(left), 'more number')} not shown, of which {format_count(passed)} pass.")
    if view.correction:
        notes.append(view.correction)
    return Table("Limits", columns, tuple(map(_row, shown)), tuple(notes))


def _told(line: DecisionRow | OpenLimit) -> str:
    """What would tell what cannot be told; "" where it can."""
    if isinstance(line, OpenLimit):
        return f": {line.sentence(NEAREST)}"
    return f", {line.part}: {line.remark}" if line.remark else ""


def _row(line: DecisionRow | OpenLimit) -> tuple[str, ...]:
    if isinstance(line, OpenLimit):
        return line.rows[0].verdict, line.limit, line.share, "", ""
    number = line.number + (f" ({line.interval})" if line.interval and line.number != UNDEFINED else "")
    return line.verdict, line.limit, line.part, number, line.rows
