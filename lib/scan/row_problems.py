"""What can be wrong with a row, and whether it still counts."""

from __future__ import annotations

from typing import Any

import ibis
from ibis import _

from lib.grid import MAX_ABS_SCORE
from lib.scan.classes import class_problems
from lib.scan.columns import Expression, is_given
from lib.schema import Mapping, ScoreKind

PROBLEMS: dict[str, tuple[bool, str]] = {
    "score-unreadable": (False, "the score is not a number"),
    "score-infinite": (False, "the score is infinite or beyond 1e100"),
    "score-not-a-probability": (False, "the score is outside [0, 1] though it is read as a probability"),
    "probabilities-sum": (False, "the probabilities of the classes do not add up to 1"),
    "label-unknown": (False, "the label is neither of the two classes"),
    "class-unknown": (False, "the label is of a class without a column"),
    "weight-invalid": (False, "the weight is missing, negative or not a number"),
    "time-unreadable": (True, "the time does not fit the date format; the row counts, but in no window"),
}
"""Code of a problem: whether the row still counts, and the words for it. Earlier ones win."""


def with_problem(rows: Expression, mapping: Mapping) -> Expression:
    """Rows with `problem`, the code of what is wrong with them or null, and `usable`, whether they still count."""
    probability = mapping.score_kind is ScoreKind.PROBABILITY
    branches: list[tuple[Any, str]] = [(_.score_unreadable, "score-unreadable")]
    if mapping.is_multiclass:
        branches += class_problems(mapping)
    else:
        branches.append((_.given.abs() > MAX_ABS_SCORE, "score-infinite"))
    if probability and not mapping.is_multiclass:
        branches.append(((_.given < 0) | (_.given > 1), "score-not-a-probability"))
    branches.append((~_.label_known, "class-unknown" if mapping.is_multiclass else "label-unknown"))
    if mapping.weight is not None:
        branches.append((_.weight.isnull() | (_.weight < 0) | (_.weight > MAX_ABS_SCORE), "weight-invalid"))
    if mapping.time is not None:
        branches.append((ibis.ifelse(rows.time.isnull(), is_given(rows.time_given), False), "time-unreadable"))
    keeps = [code for code, (usable, _words) in PROBLEMS.items() if usable]
    return rows.mutate(problem=ibis.cases(*branches, else_=ibis.null("string"))).mutate(
        usable=_.problem.isnull() | _.problem.isin(keeps)
    )
