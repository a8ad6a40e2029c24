"""Why there is nothing to draw: what no row has."""

from __future__ import annotations

from lib.diagnose import Diagnosis
from lib.metrics.parts import count_usable
from lib.schema import VERSION


def nothing_words(diagnosis: Diagnosis) -> str:
    """Why no row of the chosen versions has a margin, without a full stop; "" where one has."""
    cells = diagnosis.cells(VERSION).among(VERSION, diagnosis.shown_versions)
    labelled, scored, both = (float(each.sum()) for each in count_usable(cells))
    if both:
        return ""
    rows = "No row" if len(diagnosis.shown_versions) == len(diagnosis.facts.versions) else "No row of what is compared"
    if not cells.n_groups:
        return f"{rows} passes the filter"
    if not diagnosis.settings.where.is_everything:
        rows += " that passes the filter"
    return f"{rows} has {'both a label and a score' if labelled and scored else 'a score' if labelled else 'a label'}"
