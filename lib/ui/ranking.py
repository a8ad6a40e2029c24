"""The ranking of features: how far each moved in every comparison, and what it explains of violations."""

from __future__ import annotations

from lib.diagnose import Diagnosis
from lib.figures.features_view import FeatureRow, distance_words, floor_words, place_words
from lib.figures.format import format_interval, format_share
from lib.metrics.feature_moves import Against
from lib.ui.html import Cell, Column, show_table

DISTANCE = (
    "Kolmogorov–Smirnov distance of numbers, change of the share of the category that stands out most otherwise; "
    "beneath it what chance makes of that in one file of a hundred"
)
EXPLAINED = "Share of the variance of being a violation (R²), each tenth of the rows predicted from the others"


def show_ranking(rows: tuple[FeatureRow, ...], diagnosis: Diagnosis) -> None:
    """One row per feature: how far it moved in each comparison, and what it explains."""
    facts = diagnosis.facts
    comparisons: list[tuple[Against, str]] = [
        *([("baseline", f"Against {diagnosis.settings.baseline}")] if diagnosis.is_compared else []),
        *([("other splits", "Between splits")] if facts.splits else []),
        *([("other times", "Over time")] if facts.windows else []),
    ]
    width = facts.windows.width if facts.windows else 0
    table = [
        [
            Cell(row.column),
            _missing_cell(row, width),
            *(_move_cell(row, against, width) for against, _head in comparisons),
            Cell(
                format_share(row.explained.share.value),
                format_interval(row.explained.share.lower, row.explained.share.upper, "share")
                or row.explained.share.reason,
            ),
        ]
        for row in rows
    ]
    heads = [Column(head, DISTANCE) for _against, head in comparisons]
    show_table([Column("Feature"), Column("Missing"), *heads, Column("Explains", EXPLAINED)], table)


def _move_cell(row: FeatureRow, against: Against, width: int) -> Cell:
    """How far a feature moved under one comparison, where, and how far chance would have moved it."""
    move = row.drift.move(against)
    if move is None:
        return Cell("")
    place = "" if against == "baseline" else f"{place_words(move, width)}; "
    is_cause = any((what, cause.against) == ("distribution", against) for what, cause in row.drift.causes)
    return Cell(distance_words(move), f"{place}chance up to {floor_words(move)}", "worse" if is_cause else "")


def _missing_cell(row: FeatureRow, width: int) -> Cell:
    """How much is missing, and where more is."""
    found = [cause for what, cause in row.drift.causes if what == "missing"]
    places = [f"{place_words(cause, width)}: {format_share(cause.missing)}" for cause in found[:1]]
    return Cell(format_share(row.drift.missing), "".join(places), "worse" if found else "")
