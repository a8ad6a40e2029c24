"""What the gate has decided, laid out for a terminal and for a pull request."""

from __future__ import annotations

from lib import __version__
from lib.figures.format import UNDEFINED, format_count, format_plural, format_time
from lib.figures.gate_view import DecisionRow, GateView
from lib.figures.text import MISSING
from lib.gate import GateResult
from lib.reports.finding_texts import finding_texts
from lib.reports.outline import Column, Outline, Table

MOST_ROWS, MOST_NOTES = 60, 20
"""Rows and remarks that are shown: those that matter most come first, and what is left out is counted."""


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
    shown = view.rows[:MOST_ROWS]
    notes = [f"{row.limit}, {row.part}: {row.remark}." for row in shown if row.remark]
    left = len(notes) - MOST_NOTES
    notes = [*notes[:MOST_NOTES], *([f"{left} more cannot be told."] if left > 0 else [])]
    if more := view.rows[MOST_ROWS:]:
        passed = sum(row.verdict == "pass" for row in more)
        notes.insert(0, f"{format_plural(len(more), 'more number')} not shown, of which {format_count(passed)} pass.")
    if view.correction:
        notes.append(view.correction)
    return Table("Limits", columns, tuple(map(_row, shown)), tuple(notes))


def _row(row: DecisionRow) -> tuple[str, ...]:
    number = row.number + (f" ({row.interval})" if row.interval and row.number != UNDEFINED else "")
    return row.verdict, row.limit, row.part, number, row.rows
