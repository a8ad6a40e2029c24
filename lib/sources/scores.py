"""What a score column holds: a decision score, a logit or a probability."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lib.schema import Evidence, Question, ScoreKind
from lib.sources.columns import Column, format_count, format_share, shorten
from lib.sources.engine import Run
from lib.sources.labels import MOST_UNUSABLE
from lib.sources.names import name_score_kind
from lib.sources.sql import fetch, number_of, table_of

_OUTSIDE: Final = "v < 0 OR v > 1"
_CLIPPED: Final = (
    f"v BETWEEN 0 AND '{sys.float_info.epsilon!r}'::DOUBLE OR v BETWEEN '{1 - sys.float_info.epsilon!r}'::DOUBLE AND 1"
)
"""Probabilities without a logit of any sense: `lib.scan.rows` clips them."""

MOST_PERCENT: Final = 100

_MEANING = {
    "probability": "probability: its logit becomes the decision score",
    "decision": "a decision score of any scale, above 0 means positive",
    "logit": "log odds: turned into a probability by the logistic function",
}


_DIVIDE: Final = "Divide per cent by 100 and load the file again."


def is_like_percent(columns: Sequence[Column]) -> bool:
    """Whether no number of some columns is below 0 or above 100, and most are above 1: per cent, or a count."""
    minimum, maximum = _find_range(columns)
    held = sum(column.n_held for column in columns)
    return minimum >= 0 and 1 < maximum <= MOST_PERCENT and _count(columns, _OUTSIDE) * 2 > held


def _find_range(columns: Sequence[Column]) -> tuple[float, float]:
    """The least and the greatest number of some columns; NaN where there is none."""
    minimum = min((c.minimum for c in columns if not math.isnan(c.minimum)), default=math.nan)
    return minimum, max((c.maximum for c in columns if not math.isnan(c.maximum)), default=math.nan)


def infer_score_kind(
    columns: Sequence[Column], name: str, answer: str | None, off_sum: tuple[int, int] = (0, 0)
) -> tuple[ScoreKind | None, Evidence | None, Question | None]:
    """The kind of a score with the evidence for it, or the question that would settle it.

    Args:
        columns: the column of the score, or those of all classes.
        name: what it is called: the column's name, or what several have in common.
        answer: what was said of it.
        off_sum: of several columns the rows that have all scores, and those of them in which they do not add up to 1.
    """
    named = name_score_kind(name)
    minimum, maximum = _find_range(columns)
    n_held, examples = sum(column.n_held for column in columns), columns[0].examples
    span = f"values from {format_number(minimum)} to {format_number(maximum)}"
    within = minimum >= 0 and maximum <= 1
    divide = f" {_DIVIDE}" if is_like_percent(columns) else ""
    n_rows, n_off = off_sum
    adds_up = len(columns) > 1 and n_rows > 0 and n_off <= MOST_UNUSABLE * n_rows

    def settle(kind: ScoreKind, sentence: str) -> tuple[ScoreKind, Evidence, None]:
        if kind is ScoreKind.PROBABILITY and (clipped := _count(columns, _CLIPPED)):
            sentence += f" {format_count(clipped, 'value')} at or next to 0 or 1: clipped as scikit-learn does."
        if kind is ScoreKind.PROBABILITY and n_off:
            sentence += f" {_say_sums(n_off, n_rows)}, and cannot be used."
        return kind, Evidence("score_kind", kind.value, sentence, examples), None

    if answer is not None:
        kind = ScoreKind(answer)
        sentence = f"Declared; {span}."
        if kind is ScoreKind.PROBABILITY and not within:
            outside = _count(columns, _OUTSIDE)
            sentence = (
                f"Declared; {format_count(outside, 'value')} of {n_held:,} outside 0 to 1 cannot be used.{divide}"
            )
        return settle(kind, sentence)
    if not any(column.n_numbers for column in columns):
        return settle(ScoreKind.DECISION, "There is no score to judge by: every value is missing.")
    if named != "decision" and named != "logit" and within and len(columns) > 1:
        if adds_up:
            return settle(ScoreKind.PROBABILITY, f"The scores of a row add up to 1; {span}.")
        sentence = f"{shorten(name)} lies within 0 and 1, but {_say_sums(n_off, n_rows)[:1].lower()}"
        sentence += f"{_say_sums(n_off, n_rows)[1:]}. What is it?"
        return None, None, _ask(sentence, ("decision", "probability", "logit"), n_off, "that do not add up to 1")
    if named == "probability" and within:
        return settle(ScoreKind.PROBABILITY, f"Its name speaks of a probability; {span}.")
    if named == "logit":
        return settle(ScoreKind.LOGIT, f"Its name speaks of log odds; {span}.")
    if named == "decision":
        return settle(ScoreKind.DECISION, f"Its name speaks of a decision score; {span}.")
    if named == "probability":
        outside = _count(columns, _OUTSIDE)
        sentence = (
            f"{shorten(name)} is named like a probability, but {outside:,} of {n_held:,} values "
            f"({format_share(outside, n_held)}) lie outside 0 to 1.{divide} What is it?"
        )
        return None, None, _ask(sentence, ("decision", "logit", "probability"), outside)
    if minimum >= 0 and 1 < maximum <= MOST_PERCENT:
        outside = _count(columns, _OUTSIDE)
        sentence = f"{shorten(name)} lies within 0 and 1 but for {format_count(outside, 'value')}: {span}."
        if divide:
            sentence = (
                f"{shorten(name)} looks like per cent or a count: {span}, while decision scores are negative too."
            )
        kinds = ("decision", "logit", "probability") if divide else ("probability", "decision", "logit")
        return None, None, _ask(f"{sentence}{divide} What is it?", kinds, outside)
    if not within:
        return settle(ScoreKind.DECISION, f"No probability: {span}. The name does not speak of log odds.")
    sentence = f"{shorten(name)} lies within 0 and 1: is it a probability or a raw decision score?"
    return None, None, _ask(sentence, ("probability", "decision", "logit"), 0)


def _say_sums(n_off: int, n_rows: int) -> str:
    rows = format_count(n_off, "row")
    return f"In {rows} ({format_share(n_off, n_rows)}) the scores do not add up to 1"


def _ask(sentence: str, kinds: tuple[str, ...], lost: int, why: str = "outside 0 to 1") -> Question:
    options = [(kind, _MEANING[kind]) for kind in kinds]
    if lost:
        said = f"; the {format_count(lost, 'row')} {why} cannot be used"
        options = [(kind, text + said if kind == "probability" else text) for kind, text in options]
    return Question("score_kind", sentence, tuple(options))


def _count(columns: Sequence[Column], condition: str) -> int:
    """How many numbers `v` of some columns fulfil a condition; infinite ones are numbers, missing ones are not."""
    return sum(
        _count_in(table.parquet, table.sha256, column.name, table.column(column.name).kind, condition)
        for column in columns
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
