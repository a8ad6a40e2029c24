"""What a score column holds: a decision score, a logit or a probability."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Final

from lib.schema import Evidence, Question, ScoreKind
from lib.sources.columns import Column, format_count, format_share, shorten
from lib.sources.engine import Run
from lib.sources.names import name_score_kind
from lib.sources.sql import fetch, number_of, table_of

_OUTSIDE: Final = "v < 0 OR v > 1"
_CLIPPED: Final = (
    f"v BETWEEN 0 AND '{sys.float_info.epsilon!r}'::DOUBLE OR v BETWEEN '{1 - sys.float_info.epsilon!r}'::DOUBLE AND 1"
)
"""Probabilities without a logit of any sense: `lib.scan.rows` clips them."""

_MEANING = {
    "probability": "probability: its logit becomes the decision score",
    "decision": "a decision score of any scale, above 0 means positive",
    "logit": "log odds: turned into a probability by the logistic function",
}


def infer_score_kind(column: Column, answer: str | None) -> tuple[ScoreKind | None, Evidence | None, Question | None]:
    """The kind of a score with the evidence for it, or the question that would settle it."""
    named = name_score_kind(column.name)
    span = f"values from {format_number(column.minimum)} to {format_number(column.maximum)}"
    within = column.minimum >= 0 and column.maximum <= 1

    def settle(kind: ScoreKind, sentence: str) -> tuple[ScoreKind, Evidence, None]:
        if kind is ScoreKind.PROBABILITY and (clipped := _count(column, _CLIPPED)):
            sentence += f" {format_count(clipped, 'value')} at or next to 0 or 1: clipped as scikit-learn does."
        return kind, Evidence("score_kind", kind.value, sentence, column.examples), None

    if answer is not None:
        kind = ScoreKind(answer)
        sentence = f"Declared; {span}."
        if kind is ScoreKind.PROBABILITY and not within:
            outside = _count(column, _OUTSIDE)
            sentence = f"Declared; {format_count(outside, 'value')} of {column.n_held:,} outside 0 to 1 cannot be used."
        return settle(kind, sentence)
    if column.n_numbers == 0:
        return settle(ScoreKind.DECISION, "There is no score to judge by: every value is missing.")
    if named == "probability" and within:
        return settle(ScoreKind.PROBABILITY, f"Its name speaks of a probability; {span}.")
    if named == "logit":
        return settle(ScoreKind.LOGIT, f"Its name speaks of log odds; {span}.")
    if named == "decision":
        return settle(ScoreKind.DECISION, f"Its name speaks of a decision score; {span}.")
    if named == "probability":
        outside = _count(column, _OUTSIDE)
        sentence = (
            f"{shorten(column.name)} is named like a probability, but {outside:,} of {column.n_held:,} values "
            f"({format_share(outside, column.n_held)}) lie outside 0 to 1. What is it?"
        )
        return None, None, _ask(sentence, ("decision", "logit", "probability"), outside)
    if not within:
        return settle(ScoreKind.DECISION, f"No probability: {span}. The name does not speak of log odds.")
    sentence = f"{shorten(column.name)} lies within 0 and 1: is it a probability or a raw decision score?"
    return None, None, _ask(sentence, ("probability", "decision", "logit"), 0)


def _ask(sentence: str, kinds: tuple[str, ...], outside: int) -> Question:
    options = [(kind, _MEANING[kind]) for kind in kinds]
    if outside:
        lost = f"; the {format_count(outside, 'row')} outside 0 to 1 cannot be used"
        options = [(kind, text + lost if kind == "probability" else text) for kind, text in options]
    return Question("score_kind", sentence, tuple(options))


def _count(column: Column, condition: str) -> int:
    """How many numbers `v` of a column fulfil a condition; infinite ones are numbers, missing ones are not."""
    return sum(
        _count_in(table.parquet, table.sha256, column.name, table.column(column.name).kind, condition)
        for table in column.tables
    )


@functools.lru_cache(maxsize=256)
def _count_in(parquet: Path, sha256: str, name: str, kind: str, condition: str) -> int:
    number = number_of(name, kind)
    query = f"SELECT count(*) FILTER ({condition}) FROM (SELECT {number} AS v FROM {table_of(parquet)})"
    with Run().cursor() as cursor:
        return int(str(fetch(cursor, query)[0][0]))


def format_number(number: float) -> str:
    """A number with sensible digits: four significant ones, and no exponent for ordinary sizes."""
    return f"{number:.4g}" if abs(number) < 1e6 else f"{number:.3e}"
