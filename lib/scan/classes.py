"""Several classes with a score each: the margin of a row, and its scores for each class against the rest.

The margin is Crammer and Singer's: the score of the true class minus the best of the others; for probabilities, each
clipped to [ε, 1 − ε], that of their logarithms, which for logits is the same difference. So it is above 0 where the
true class is answered, and 0, which is no right answer, where it shares the highest score. A row without a label has
the lead of the highest score over the second in its place, and is in no loss.

Against the rest, the score for a class is the logit of its probability, of logits that of their softmax; a decision
score stays as it is.
"""

from __future__ import annotations

from typing import Any

import ibis
from ibis import _

from lib.grid import EPSILON, MAX_ABS_SCORE
from lib.scan.columns import Expression
from lib.schema import CLASS, MISSING_KEY, ONE_VS_REST, PREDICTED, TOP_LABEL, Mapping, ScoreKind
from lib.sources.classes import SUM_TOLERANCE


def class_categories(mapping: Mapping) -> dict[str, tuple[str, ...]]:
    """The texts of the keys that speak of classes, each in ascending order; none with two classes."""
    if not mapping.is_multiclass:
        return {}
    texts = tuple(sorted((*mapping.class_names, MISSING_KEY)))
    return {**dict.fromkeys((CLASS, PREDICTED, ONE_VS_REST), texts), TOP_LABEL: (TOP_LABEL,)}


def class_problems(mapping: Mapping) -> list[tuple[Any, str]]:
    """Conditions on `given_scores` under which a row cannot be used, with the codes of `row_problems.PROBLEMS`."""
    least, most = _.given_scores.mins(), _.given_scores.maxs()
    problems: list[tuple[Any, str]] = [((most > MAX_ABS_SCORE) | (least < -MAX_ABS_SCORE), "score-infinite")]
    if mapping.score_kind is ScoreKind.PROBABILITY:
        problems.append(((least < 0) | (most > 1), "score-not-a-probability"))
        off = (_.given_scores.sums() - 1).abs() > SUM_TOLERANCE
        problems.append((off & _is_complete(_.given_scores), "probabilities-sum"))
    return problems


def with_class_margins(rows: Expression, mapping: Mapping, texts: tuple[str, ...]) -> Expression:
    """Rows with the margin as `given`, and with `class`, `predicted` and `class_scores`.

    A row in which a class has no score has none: its margin and `class_scores` are null.

    Args:
        rows: with `given_scores` in the order of the classes, `place` (of the true class among them, null without a
            label) and `usable`.
        mapping: which says what the scores are.
        texts: the categories, by whose place `class` and `predicted` name a class.
    """
    codes = ibis.array([texts.index(name) for name in mapping.class_names])
    none = texts.index(MISSING_KEY)
    scores = rows.given_scores
    if mapping.score_kind is ScoreKind.PROBABILITY:
        scores = scores.map(_clipped)
    held = rows.usable & _is_complete(rows.given_scores)
    rows = rows.mutate(scores=ibis.ifelse(held, scores, ibis.null("array<float64>")))
    ranked = rows.scores.sort()
    rows = rows.mutate(first=ranked[-1], second=ranked[-2])
    rows = rows.mutate(best=rows.scores.index(rows["first"]), own=rows.scores[rows.place])
    # A true class that shares the highest score is no better than the second.
    other: Expression = ibis.ifelse(rows.place.isnull() | (rows.own == rows["first"]), rows.second, rows["first"])
    own: Expression = ibis.ifelse(rows.place.isnull(), rows["first"], rows.own)
    return rows.mutate(
        given=(own / other).ln() if mapping.score_kind is ScoreKind.PROBABILITY else own - other,
        class_scores=_against_the_rest(rows, mapping),
        **{
            CLASS: ibis.ifelse(rows.place.isnull(), none, codes[rows.place]).cast("int32"),
            PREDICTED: ibis.ifelse(rows.scores.isnull(), none, codes[rows.best]).cast("int32"),
        },
    )


def _against_the_rest(rows: Expression, mapping: Mapping) -> Any:
    if mapping.score_kind is ScoreKind.DECISION:
        return rows.scores
    if mapping.score_kind is ScoreKind.PROBABILITY:
        return rows.scores.map(_logit)
    highest, parts = rows["first"], rows.scores
    grown = parts.map(lambda score: (score - highest).exp())
    whole = grown.sums()
    return grown.map(lambda part: _logit(_clipped(part / whole)))


def _clipped(probability: Any) -> Any:
    least, most = EPSILON, 1 - EPSILON
    return ibis.cases((probability < least, least), (probability > most, most), else_=probability)


def _logit(probability: Any) -> Any:
    return (probability / (1 - probability)).ln()


def _is_complete(scores: Any) -> Any:
    return scores.filter(lambda score: score.isnull()).length() == 0


def against_the_rest(rows: Expression, texts: tuple[str, ...], class_names: tuple[str, ...]) -> Expression:
    """Each scored row of prepared ones once for every class: `one_vs_rest`, `label` (−1, 0, +1) and `score`.

    Args:
        rows: the prepared rows, or some of them.
        texts: the categories of classes.
        class_names: in the order of `class_scores`.
    """
    codes = ibis.array([texts.index(name) for name in class_names])
    apart = rows.drop("score", "probability", "loss", "score_bin", "probability_bin")
    apart = apart.unnest("class_scores", offset="at")
    apart = apart.mutate(**{ONE_VS_REST: codes[apart["at"]].cast("int32")})
    label = ibis.cases((apart.label == 0, 0), (apart[CLASS] == apart[ONE_VS_REST], 1), else_=-1)
    return apart.mutate(label=label.cast("int8"), score=apart.class_scores)


def of_the_answer(rows: Expression) -> Expression:
    """Prepared rows with `top_label`, the highest score for a class against the rest, and whether its class is true.

    `label` is 0 without one, +1 where the margin is above 0, else −1: a shared highest score is wrong.
    """
    right = ibis.cases((rows.label == 0, 0), (rows.score > 0, 1), else_=-1)
    highest = rows.class_scores.maxs()
    apart = rows.mutate(label=right.cast("int8"), score=highest, **{TOP_LABEL: ibis.literal(0, "int32")})
    return apart.drop("probability", "loss", "score_bin", "probability_bin")
