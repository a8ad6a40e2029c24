"""Which column plays which role: by its name first, by its values always, and asked where two fit alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from lib.schema import MAX_COHORT_VALUES, MAX_SPLITS, MAX_VERSIONS, Evidence, Question, Role
from lib.sources.classes import FEWEST, Reading, describe_family
from lib.sources.columns import (
    Column,
    describe_distinct,
    describe_unread,
    format_count,
    format_share,
    format_values,
    join_names,
)
from lib.sources.fit import LEAST_ROWS, find_misfit
from lib.sources.labels import normalise_label
from lib.sources.names import EXACT, PART, is_named_labeller, is_named_prediction, match_role, name_score_kind
from lib.sources.scores import format_number
from lib.sources.sql import NUMBER_KINDS, TEXT
from lib.sources.times import TimeReading, ask_for_format, infer_time_format

MAX_COHORT_INTEGERS: Final = 20
MAX_COHORTS: Final = 12
MAX_OPTIONS: Final = 10
_SPLIT_NAMES: Final = frozenset(
    {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "holdout", "hold_out", "production"}
)


@dataclass(frozen=True)
class Choice:
    """The column chosen for a role and why; or a question; or neither."""

    column: str | None = None
    evidence: Evidence | None = None
    question: Question | None = None


def describe_column(column: Column) -> str:
    """What a column holds, in a few words: for evidence and for the options of a question."""
    if column.is_all_missing:
        return f"all {format_count(column.n_rows, 'value')} are missing"
    if (column.values and column.n_distinct <= 20) or not column.is_numeric:
        listed = f": {format_values(column.values, 3)}" if column.values and column.n_distinct <= 20 else ""
        return describe_distinct(column) + listed
    bad = column.n_held - column.n_numbers
    words = f"numbers from {format_number(column.minimum)} to {format_number(column.maximum)}"
    words += f", written with {column.written}" if column.written else ""
    return words + (f", {format_count(bad, 'value')} no number" if bad else "")


def explain_choice(role: Role, column: Column, why: str) -> Evidence:
    """One sentence from the name and the values of a column."""
    sentence = f"{why}; {describe_column(column)}."
    if column.absent_from:
        sentence += f" Not in {join_names(column.absent_from, 2)}."
    return Evidence(role.value, column.name, sentence, column.examples)


def choose_label(columns: Sequence[Column]) -> Choice:
    """The label: a column named so, with few values; without one, two-valued columns are asked about."""
    named = {fit: [c for c in columns if match_role(c.name, Role.LABEL) == fit] for fit in (EXACT, PART)}
    for fit, candidates in named.items():
        usable = [c for c in candidates if (c.values and c.n_distinct <= 1_000) or c.is_all_missing]
        if fit == PART:
            usable = [c for c in usable if c.n_distinct <= 2]
        two_valued = [c for c in usable if c.n_distinct <= 2]
        if len(two_valued) > 1:
            return Choice(question=_ask(Role.LABEL, two_valued, "Several columns may be the label", optional=True))
        chosen = two_valued or usable
        if len(chosen) == 1:
            return Choice(chosen[0].name, explain_choice(Role.LABEL, chosen[0], f"Named {chosen[0].name}"))
        if len(chosen) > 1:
            return Choice(question=_ask(Role.LABEL, chosen, "Several columns may be the label", optional=True))
    binary = [c for c in columns if _looks_binary(c) and not is_named_prediction(c.name)]
    if binary:
        return Choice(question=_ask(Role.LABEL, binary, "No column is named like a label", optional=True))
    refusal = _explain_refusal(Role.LABEL, columns)
    why = "No column looks like a label" if refusal is None else refusal.sentence.rstrip(".")
    return Choice(evidence=Evidence("label", "", f"{why}: all rows are unlabelled."))


def _looks_binary(column: Column) -> bool:
    """Two values, and they read like a truth rather than like two groups."""
    if column.n_distinct != 2 or not column.values:
        return False
    normal = {normalise_label(text) for text, _ in column.values}
    return column.kind == "boolean" or normal in (
        {"0", "1"}, {"-1", "1"}, {"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"}, {"positive", "negative"},
        {"pos", "neg"}, {"spam", "ham"}, {"good", "bad"}, {"fraud", "legit"},
    )  # fmt: skip


def choose_score(columns: Sequence[Column], readings: Sequence[Reading] = ()) -> Choice:
    """The score: a number column named so; without one, the only column of fractions; else a question.

    No choice where no column is left that every file has. Columns that may be those of several classes, though not all
    labels say so, are asked about together.
    """
    choice = _choose_score(columns)
    asked = choice.question
    named = {choice.column} if asked is None else {value for value, _meaning in asked.options}
    several = [
        each
        for each in readings
        if len(each.family.members) >= FEWEST and named & {column.name for column in each.family.columns}
    ]
    if not several:
        return choice
    first = several[0]
    options = [(each.family.pattern, describe_family(each.family)) for each in several]
    options += [(c.name, describe_column(c)) for c in columns if c.name in named]
    sentence = f"{first.family.pattern} may be the scores of {len(first.family.members)} classes"
    if first.n_held:
        share = format_share(first.n_unmatched, first.n_labels)
        texts = join_names([text for text, _count in first.unmatched], 3)
        sentence += f", but {format_count(first.n_unmatched, 'label')} ({share}) have no column ({texts})"
    return Choice(question=Question("score", f"{sentence}. Are they, or which column is the score?", tuple(options)))


def _choose_score(columns: Sequence[Column]) -> Choice:
    numeric = [c for c in columns if c.is_numeric]
    # What a prediction took or cost is none, however much it looks like one.
    unnamed = [c for c in numeric if not (match_role(c.name, Role.LATENCY) or match_role(c.name, Role.COST))]
    for fit in (EXACT, PART):
        named = [c for c in columns if match_role(c.name, Role.SCORE) == fit]
        candidates = [c for c in named if c in numeric] or [c for c in named if c.is_all_missing]
        # Hard predictions (0 or 1) are no scores while there is a column that is one.
        candidates = (
            [c for c in candidates if c.n_distinct > 2]
            or [
                c for c in candidates if not (is_named_prediction(c.name) and name_score_kind(c.name) == "" and numeric)
            ]
            or candidates
        )
        candidates = [c for c in candidates if not c.absent_from] or candidates[:1]
        if len(candidates) == 1:
            return Choice(candidates[0].name, explain_choice(Role.SCORE, candidates[0], f"Named {candidates[0].name}"))
        if candidates:
            return Choice(question=_ask(Role.SCORE, candidates, "Several columns may be the score"))
        unread = next((c for c in named if c.unread_number), None)
        if unread is not None and numeric:
            return _ask_beside(unread, "is named like the score", unnamed)
    percents = [c for c in columns if c.is_percent and c.n_distinct > MAX_COHORT_INTEGERS]
    if percents and numeric:
        return _ask_beside(percents[0], "may be the score", unnamed)
    numeric = [c for c in unnamed if not c.absent_from]
    fractions = [c for c in numeric if c.kind in ("float", "float32", "text") and c.n_distinct > MAX_COHORT_INTEGERS]
    if len(fractions) == 1:
        return Choice(fractions[0].name, explain_choice(Role.SCORE, fractions[0], "The only column of fractions"))
    if numeric:
        return Choice(question=_ask(Role.SCORE, fractions or numeric, "No column is named like a score"))
    return Choice()


def _ask_beside(unread: Column, why: str, others: Sequence[Column]) -> Choice:
    """Ask for the score where the column that should be it holds numbers that could not be read."""
    sentence = f"{unread.name} {why}, but {describe_unread(unread)}"
    if others:
        return Choice(question=_ask(Role.SCORE, others, f"{sentence}. If another column is the score"))
    return Choice(question=Question(Role.SCORE.value, f"{sentence} and load the file again, or name the score."))


def _ask(role: Role, candidates: Sequence[Column], why: str, optional: bool = False) -> Question:
    options = [(c.name, describe_column(c)) for c in candidates[:MAX_OPTIONS]]
    if optional:
        options.append(("", "the rows are unlabelled"))
    names = join_names([c.name for c in candidates], last="or")
    return Question(role.value, f"{why}: which one is it, {names}?", tuple(options))


def choose_by_name(role: Role, columns: Sequence[Column]) -> Choice:
    """The column best named for one of the other roles whose values can play it; the first one if several fit."""
    for fit in (EXACT, PART):
        for column in columns:
            if match_role(column.name, role) == fit and _can_play(role, column, fit):
                return Choice(column.name, explain_choice(role, column, f"Named {column.name}"))
    choice = _choose_by_values(role, columns)
    return choice if choice.column is not None else Choice(evidence=_explain_refusal(role, columns))


def _explain_refusal(role: Role, columns: Sequence[Column]) -> Evidence | None:
    """Why a column that is named for a role does not play it."""
    named = [column for column in columns if match_role(column.name, role) == EXACT]
    misfit = next((sentence for column in named if (sentence := find_misfit(role, column))), "")
    return Evidence(role.value, "", misfit) if misfit else None


def _can_play(role: Role, column: Column, fit: int) -> bool:
    if column.is_all_missing:
        return False
    if role is Role.ID:
        # The same rows scored by several versions in one file repeat their ids.
        return column.distinct_share >= (0.15 if fit == EXACT else 0.9) and column.kind not in ("float", "float32")
    if role is Role.VERSION:
        return column.n_distinct <= MAX_VERSIONS and column.kind in {TEXT, *NUMBER_KINDS}
    if role is Role.SPLIT:
        return column.n_distinct <= MAX_SPLITS and column.kind in {TEXT, "boolean", *NUMBER_KINDS}
    if role is Role.WEIGHT:
        # Rows with a negative weight are unusable one by one.
        return column.is_numeric and column.maximum > 0
    return column.is_numeric and column.minimum >= 0


def _choose_by_values(role: Role, columns: Sequence[Column]) -> Choice:
    for column in columns:
        texts = {text.strip().casefold() for text, _ in column.values}
        if role is Role.SPLIT and len(texts) > 1 and texts <= _SPLIT_NAMES:
            return Choice(column.name, explain_choice(role, column, "Its values name splits"))
        if role is Role.ID and column.kind == TEXT and column.n_held > 20 and not column.is_numeric:
            single_words = all(" " not in text and len(text) <= 64 for text in column.examples)
            texts_are_names = ":" not in "".join(column.examples) and not column.unread_number
            if column.distinct_share >= 0.97 and single_words and texts_are_names:
                return Choice(column.name, explain_choice(role, column, "Its values are all different"))
    return Choice()


def find_time_candidates(columns: Sequence[Column]) -> list[tuple[Column, str]]:
    """Columns that may hold the time, best first, each with why; whether they do is decided on their values."""
    found = [(c, f"Named {c.name}") for fit in (EXACT, PART) for c in columns if match_role(c.name, Role.TIME) == fit]
    found += [
        (c, f"The file declares it as {c.kind}s")
        for c in columns
        if c.kind in ("timestamp", "date") and all(c is not other for other, _ in found)
    ]
    return found + [
        (c, "Its values are dates")
        for c in columns
        if c.kind == "text" and not c.is_numeric and all(c is not other for other, _ in found)
    ]


def choose_cohorts(columns: Sequence[Column], taken: Collection[str]) -> tuple[list[str], list[str]]:
    """Cohort columns in the order of the file, and those that would be too but are above the bound."""
    fitting = [c.name for c in columns if c.name not in taken and _fits_cohort(c)]
    return fitting[:MAX_COHORTS], fitting[MAX_COHORTS:]


def _fits_cohort(column: Column) -> bool:
    if not 2 <= column.n_distinct <= MAX_COHORT_VALUES or is_named_prediction(column.name) or column.unread_number:
        return False
    if _is_nearly_unique(column):
        return False
    if column.kind == "integer":
        return column.n_distinct <= MAX_COHORT_INTEGERS or is_named_labeller(column.name)
    return column.kind == "boolean" or (column.kind == "text" and not column.is_numeric)


def _is_nearly_unique(column: Column) -> bool:
    """Whether nearly every row has a value of its own: free text or a key, in a short file."""
    return column.n_held > 20 and column.n_distinct * LEAST_ROWS > column.n_held


def choose_features(columns: Sequence[Column], taken: Collection[str]) -> list[str]:
    """The other number columns that vary and are no ids."""
    return [
        c.name
        for c in columns
        if c.name not in taken
        and c.is_numeric
        and c.n_distinct > 1
        and not is_named_prediction(c.name)
        and not (c.kind == "integer" and (match_role(c.name, Role.ID) or c.name.startswith("column_")))
    ]


def explain_unused(column: Column) -> str:
    """Why a column plays no role, in a few words."""
    if column.is_all_missing:
        return describe_column(column)
    if column.n_distinct == 1:
        return "one value only"
    if is_named_prediction(column.name):
        return "named like a prediction, and another column is the score"
    if column.unread_number:
        return describe_unread(column)
    for role in (Role.LABEL, Role.VERSION, Role.SPLIT):
        if match_role(column.name, role) == EXACT and (misfit := find_misfit(role, column)):
            return misfit.rstrip(".")
    if column.kind in ("timestamp", "date"):
        return "dates or times, and it is not the time column"
    if column.kind == TEXT and not column.is_numeric and match_role(column.name, Role.TIME):
        if infer_time_format(column, None, None) != TimeReading(None):
            return "dates or times, and it is not the time column"
        which = "most of its values" if ask_for_format(column).options else "its values"
        return f"{which} cannot be read as times, for example {join_names(column.examples[:2])}"
    if column.is_numeric:
        return "whole numbers that name things" if match_role(column.name, Role.ID) else "not chosen as a feature"
    if column.n_distinct > MAX_COHORT_VALUES:
        often = "" if find_misfit(Role.COHORT, column) else "; as a cohort column each is found by its name"
        return f"{describe_distinct(column)}, and at most {MAX_COHORT_VALUES} make a cohort column unasked{often}"
    if _is_nearly_unique(column):
        return f"{describe_distinct(column)} in {format_count(column.n_held, 'row')}: free text or a key"
    return "not chosen as a cohort"
