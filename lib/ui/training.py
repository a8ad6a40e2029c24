"""The words and the table of the Training page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from lib.checks.training_runs import TrainingLook
from lib.figures.format import format_change, format_count, format_loss, format_plural
from lib.figures.training_view import CurveRow, curve_rows
from lib.sources.columns import shorten
from lib.sources.training_names import VALIDATION
from lib.ui import state
from lib.ui.html import Cell, Column

MOST_ROWS = 60
COLUMNS = (
    Column("Curve"),
    Column("Split"),
    Column("Values", "How often it was logged; values that are NaN or infinite are said beneath."),
    Column("Best", "The best value and where it is; after it, values until the end."),
    Column("Last", "The last value, and how much worse it is than the best."),
    Column("Gap at best", "Train–validation gap: how much worse validation is than training; positive = overfitting."),
    Column("Gap at end", "The same at the last validation."),
    Column("Oscillation", "0 for a smooth trend, 1 for noise without one, 2 where values jump to and fro."),
)


def made_at() -> datetime:
    """Now, as figures say it."""
    return datetime.now(UTC)


def answer_of(look: TrainingLook) -> str:
    """What is loaded and where each run is best; of many the first three, and how many more the table has."""
    said = f"{format_plural(len(look.runs), 'run')} from {format_plural(len(look.training.histories), 'file')}."
    rows = {id(row.curve): row for row in curve_rows(look)}
    best = [(run.name, rows[id(run.main)]) for run in look.runs[:3]]
    parts = [
        f"{name}: {row.curve.written} is best at {row.best_words.split(' at ')[-1]}"
        for name, row in best
        if row.best_words
    ]
    left = len(look.runs) - 3
    more = f"; the other {format_plural(left, 'run')} in the table below" if left > 0 else ""
    return f"{said} {'; '.join(parts)}{more}." if parts else said


def table_of(look: TrainingLook) -> tuple[tuple[Column, ...], list[list[Cell]]]:
    """A row for each curve that has a direction, validation first within a run."""
    rows = [row for row in curve_rows(look) if row.summary.higher is not None]
    order = {name: place for place, name in enumerate(look.training.runs)}
    rows.sort(key=lambda row: (order[row.curve.run], row.curve.split != VALIDATION))
    return COLUMNS, [_cells(row) for row in rows[:MOST_ROWS]]


def _cells(row: CurveRow) -> list[Cell]:
    summary, (at_best, at_end) = row.summary, row.gaps
    bad = f"{format_count(summary.n_undefined)} no number" if summary.n_undefined else ""
    value, _, place = row.best_words.partition(" at ")
    worse = summary.final_versus_best
    behind = f"{format_loss(worse)} worse" if worse > 0 else ""
    return [
        Cell(row.curve.run, row.curve.written),
        Cell(row.curve.split),
        Cell(format_count(summary.n), bad),
        Cell(value or "undefined", place),
        Cell(format_loss(summary.last), behind),
        *(Cell("" if math.isnan(gap) else format_change(gap, "loss")) for gap in (at_best, at_end)),
        Cell("" if math.isnan(summary.oscillation) else f"{summary.oscillation:.2f}"),
    ]


def choose_runs(names: Sequence[str]) -> list[str]:
    """The runs to draw; in the link they are numbers, since a name may hold anything."""
    if len(names) < 2:
        return list(names)
    numbers = {str(number): name for number, name in enumerate(names, 1)}
    chosen = state.choose_many(
        "runs", "Runs", list(numbers), default=list(numbers), words=lambda number: shorten(numbers[number])
    )
    return [numbers[number] for number in chosen]
