"""The table of a report that sums up training curves."""

from __future__ import annotations

import math

from lib.checks.training_runs import TrainingLook
from lib.figures.format import UNDEFINED, format_change, format_count, format_loss, format_plural
from lib.figures.training_view import curve_rows
from lib.reports.outline import Column, Table
from lib.sources.training import Training

MOST_CURVES = 40


def training_table(training: Training) -> Table | None:
    """The curves of which more or less is better: best, last, and the gap; and how the files were read."""
    if not training.histories:
        return None
    rows = [row for row in curve_rows(TrainingLook(training)) if row.summary.higher is not None]
    columns = (
        Column("Run", is_number=False, is_data=True),
        Column("Curve", is_number=False, is_data=True),
        Column("Split", is_number=False),
        Column("Values"),
        Column("Best", is_number=False),
        Column("Last"),
        Column("Gap\nat best"),
        Column("Gap\nat end", is_extra=True),
    )
    cells = tuple(
        (
            row.curve.run,
            row.curve.written,
            row.curve.split,
            format_count(row.summary.n),
            row.best_words or UNDEFINED,
            format_loss(row.summary.last),
            *("" if math.isnan(gap) else format_change(gap, "loss") for gap in row.gaps),
        )
        for row in rows[:MOST_CURVES]
    )
    notes = [each.reading for each in training.histories]
    if len(rows) > MOST_CURVES:
        notes.append(f"{format_plural(len(rows) - MOST_CURVES, 'more curve')} in the JSON.")
    return Table("Training", columns, cells, tuple(notes))
