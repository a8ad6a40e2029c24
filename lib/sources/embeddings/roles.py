"""Which column of the metadata is what: the words and the rules of predictions, and what only vectors have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from lib.errors import AmbiguityError, DataError, SettingsError
from lib.schema import Evidence, Role, TimeFormat
from lib.sources import roles as rules
from lib.sources.columns import Column, join_names, unite_columns
from lib.sources.embeddings.dataset import SINGLE_ROLES, EmbeddingAnswers, EmbeddingRoles
from lib.sources.fit import find_misfit
from lib.sources.names import EXACT, PART, as_words, match_role, normalise_name
from lib.sources.sql import TEXT
from lib.sources.tables import RawTable
from lib.sources.times import infer_time_format

QUERY: Final = as_words("query queries q probe probes")
GALLERY: Final = as_words(
    """gallery corpus doc docs document documents index database db passage passages item items catalog catalogue
    base"""
)
YES: Final = frozenset({"true", "1", "yes"})
NO: Final = frozenset({"false", "0", "no"})
_TEXTS: Final = as_words("text texts sentence document title caption description content body question")
_IMAGES: Final = as_words("image images img image_url img_url url thumbnail picture photo image_path")
_SENSITIVE: Final = as_words(
    """gender sex age race ethnicity ethnic religion nationality disability marital orientation birth birthday dob"""
)


def infer_embedding_roles(tables: Sequence[RawTable], answers: EmbeddingAnswers) -> EmbeddingRoles:
    """The role of each column of the metadata, each choice with its evidence.

    Raises:
        SettingsError: an answer names a role that there is not.
        DataError: an answer names a column that there is not, or that cannot play the role.
        AmbiguityError: several columns may be the label; the text names the option.
    """
    columns = unite_columns(tables)
    _check_answers(tables, columns, answers)
    held: dict[str, str] = {role: column for role, column in answers.roles.items() if column}
    evidence = [
        rules.explain_choice(Role(role), columns[column], "Declared")
        if role in list(Role)
        else Evidence(role, column, f"Declared; {rules.describe_column(columns[column])}.", columns[column].examples)
        for role, column in held.items()
    ]
    claimed = {*held.values(), *(answers.cohorts or ()), *(answers.sensitive or ())}

    def settle(role: str, choose: Callable[[list[Column]], tuple[Column, str] | None]) -> None:
        if role in answers.roles:
            return
        found = choose([column for column in columns.values() if column.name not in claimed])
        if found is not None:
            column, why = found
            held[role] = column.name
            claimed.add(column.name)
            evidence.append(Evidence(role, column.name, f"{why}; {rules.describe_column(column)}.", column.examples))

    settle("query", _choose_query)
    settle("label", _choose_label)
    for role in (Role.VERSION, Role.SPLIT, Role.ID):
        settle(role.value, lambda free, role=role: _choose_plain(role, free))
    time_format = _settle_time(answers, columns, settle, held)
    settle("image", lambda free: _choose_named(free, _IMAGES, lambda column: column.kind == TEXT))
    settle("text", _choose_text)
    cohorts, above = (
        (list(answers.cohorts), [])
        if answers.cohorts is not None
        else (rules.choose_cohorts(list(columns.values()), {*held.values(), *(answers.sensitive or ())}))
    )
    sensitive = (
        list(answers.sensitive)
        if answers.sensitive is not None
        else [
            column.name
            for column in columns.values()
            if set(normalise_name(column.name).split("_")) & _SENSITIVE and column.name not in held.values()
        ]
    )
    for name in sensitive:
        why = f"Named {name}" if answers.sensitive is None else "Declared"
        evidence.append(Evidence("sensitive", name, f"{why}; {rules.describe_column(columns[name])}."))
    used = {*held.values(), *cohorts, *sensitive}
    unused = [(name, _explain_unused(column, above)) for name, column in columns.items() if name not in used]
    ordered = {role: held[role] for role in SINGLE_ROLES if role in held}
    return EmbeddingRoles(ordered, time_format, tuple(cohorts), tuple(sensitive), tuple(evidence), tuple(unused))


def _check_answers(tables: Sequence[RawTable], columns: dict[str, Column], answers: EmbeddingAnswers) -> None:
    for role in answers.roles:
        if role not in SINGLE_ROLES:
            raise SettingsError(f"There is no role {role}: the roles are {join_names(SINGLE_ROLES, 9)}.")
    named = [(role, column) for role, column in answers.roles.items() if column]
    named += [("cohort", column) for column in answers.cohorts or ()]
    named += [("sensitive", column) for column in answers.sensitive or ()]
    for role, column in named:
        if not tables:
            raise DataError(f"There is no column {column}: the vectors come without metadata. Give it with --metadata.")
        if column not in columns:
            tables[0].column(column)
        if role in ("version", "split", "cohort") and (misfit := find_misfit(Role(role), columns[column])):
            raise DataError(misfit)
    taken: dict[str, str] = {}
    for role, column in named:
        # A cohort may well be sensitive.
        if column in taken and {role, taken[column]} != {"cohort", "sensitive"}:
            raise DataError(f"{column} cannot be {taken[column]} and {role} at once. Give each column one role.")
        taken[column] = role


def _choose_query(columns: list[Column]) -> tuple[Column, str] | None:
    """A column whose values say which rows ask and which may be found."""
    for column in columns:
        texts = {text.strip().casefold() for text, _ in column.values}
        if texts & QUERY and texts & GALLERY and texts <= QUERY | GALLERY | {"both"}:
            return column, "Its values name queries and gallery"
        words = normalise_name(column.name).split("_")
        if words[0] == "is" and set(words) & QUERY and texts <= YES | NO and len(texts) > 1:
            return column, f"Named {column.name}"
    return None


def _choose_label(columns: list[Column]) -> tuple[Column, str] | None:
    for fit in (EXACT, PART):
        named = [
            column
            for column in columns
            if match_role(column.name, Role.LABEL) == fit
            and not column.is_all_missing
            and column.kind not in ("float", "float32", "timestamp")
            and column.n_distinct < column.n_held
        ]
        if len(named) > 1:
            names = [column.name for column in named]
            raise AmbiguityError(
                f"Several columns may be the label: {join_names(names)}.",
                f"Say which with --label, one of: {join_names([*names, chr(39) * 2], 12, 'or')}.",
                "label",
                (*names, ""),
            )
        if named:
            return named[0], f"Named {named[0].name}"
    return None


def _choose_plain(role: Role, columns: list[Column]) -> tuple[Column, str] | None:
    choice = rules.choose_by_name(role, columns)
    if choice.column is None:
        return None
    why = choice.evidence.sentence.split(";")[0] if choice.evidence is not None else ""
    return next(column for column in columns if column.name == choice.column), why


def _settle_time(
    answers: EmbeddingAnswers,
    columns: dict[str, Column],
    settle: Callable[[str, Callable[[list[Column]], tuple[Column, str] | None]], None],
    held: dict[str, str],
) -> TimeFormat | None:
    def choose(free: list[Column]) -> tuple[Column, str] | None:
        found = rules.find_time_candidates(free)
        return next((pair for pair in found if infer_time_format(pair[0], None, None).time_format is not None), None)

    settle("time", choose)
    if "time" not in held:
        return None
    found = infer_time_format(columns[held["time"]], None, None).time_format
    if found is None:
        raise DataError(
            f"{held['time']} cannot be read as times in one way, for example "
            f"{join_names(columns[held['time']].examples[:3])}. Write them as ISO 8601 (2026-04-30T12:00:00Z)."
        )
    return found


def _choose_named(
    columns: list[Column], names: frozenset[str], fits: Callable[[Column], bool]
) -> tuple[Column, str] | None:
    for column in columns:
        normal = normalise_name(column.name)
        if (normal in names or set(normal.split("_")) & names) and not column.is_all_missing and fits(column):
            return column, f"Named {column.name}"
    return None


def _choose_text(columns: list[Column]) -> tuple[Column, str] | None:
    def fits(column: Column) -> bool:
        return column.kind == TEXT and not column.is_numeric

    named = _choose_named(columns, _TEXTS, fits)
    if named is not None:
        return named
    spoken = [each for each in columns if fits(each) and each.n_distinct > rules.MAX_COHORT_INTEGERS]
    spoken = [each for each in spoken if sum(" " in text.strip() for text in each.examples) * 2 > len(each.examples)]
    return (spoken[0], "Its values are of several words") if spoken else None


def _explain_unused(column: Column, above: Sequence[str]) -> str:
    if column.name in above:
        return f"more than {rules.MAX_COHORTS} columns could be cohorts; name it as one"
    return "a number without a role" if column.is_numeric else rules.explain_unused(column)
