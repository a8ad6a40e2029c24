"""From raw tables to a proposed mapping: every choice with its evidence, every ambiguity as a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lib.errors import AmbiguityError, DataError, SettingsError
from lib.schema import (
    SINGLE_ROLES,
    Evidence,
    LabelEncoding,
    Mapping,
    Question,
    Role,
    ScoreKind,
    TimeFormat,
)
from lib.sources import roles as rules
from lib.sources.columns import Column, join_names, unite_columns
from lib.sources.labels import infer_encoding
from lib.sources.roles import Choice
from lib.sources.scores import infer_score_kind
from lib.sources.tables import RawTable
from lib.sources.times import TimeReading, infer_time_format


def _no_roles() -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Answers:
    """What a person or the command line has settled; None or absent means: infer it.

    `roles` maps a role to a column, or to an empty text for "no column plays it".
    """

    roles: dict[str, str] = field(default_factory=_no_roles)
    cohorts: tuple[str, ...] | None = None
    features: tuple[str, ...] | None = None
    score_kind: str | None = None
    pos_label: str | None = None
    time_pattern: str | None = None
    timezone: str | None = None


@dataclass(frozen=True)
class Inference:
    """A proposed mapping: the role of every column, the evidence for each choice, and what has to be asked."""

    roles: dict[str, Role]
    evidence: tuple[Evidence, ...]
    questions: tuple[Question, ...]
    settled: Mapping | None = None

    @property
    def mapping(self) -> Mapping:
        """The mapping, once nothing is open; `AmbiguityError` names the question and the option that settles it."""
        if self.questions or self.settled is None:
            listed = [
                f"{question.sentence} Say it with {question.option_name}, one of: "
                f"{join_names([value or '(empty)' for value, _ in question.options], 10, 'or')}."
                for question in self.questions
            ]
            raise AmbiguityError(" ".join(listed) or "No column is the score: name it with --score.")
        return self.settled


class _Builder:
    """Collects choices; a column that plays a role is free for no other."""

    def __init__(self, tables: Sequence[RawTable], answers: Answers) -> None:
        self.tables, self.answers = tables, answers
        self.columns = unite_columns(tables)
        self.held: dict[Role, str] = {}
        self.evidence: list[Evidence] = []
        self.questions: list[Question] = []
        self.asked_about: set[str] = set()
        for name, column in answers.roles.items():
            if name not in {role.value for role in SINGLE_ROLES}:
                raise SettingsError(
                    f"There is no role {name}: the roles are {join_names([r.value for r in SINGLE_ROLES], 9)}."
                )
            if column:
                self.require(column)
        for column in (*(answers.cohorts or ()), *(answers.features or ())):
            self.require(column)

    def require(self, name: str) -> Column:
        """The column of this name, in whichever file; `DataError` with the nearest name otherwise."""
        if name not in self.columns:
            self.tables[0].column(name)
        return self.columns[name]

    @property
    def free(self) -> list[Column]:
        """Columns that no answer and no choice has claimed."""
        claimed = {*self.held.values(), *self.answers.roles.values(), *self.asked_about}
        claimed |= {*(self.answers.cohorts or ()), *(self.answers.features or ())}
        return [column for column in self.columns.values() if column.name not in claimed]

    def settle(self, role: Role, infer: Callable[[Sequence[Column]], Choice]) -> Column | None:
        """The column of a role, from the answers or else by `infer` over the free columns."""
        answer = self.answers.roles.get(role.value)
        if answer == "":
            self.evidence.append(Evidence(role.value, "", f"Declared: no column is the {role.value}."))
            return None
        if answer is not None:
            choice = Choice(answer, rules.explain_choice(role, self.require(answer), "Declared"))
        else:
            choice = infer(self.free)
        if choice.evidence is not None:
            self.evidence.append(choice.evidence)
        if choice.question is not None:
            self.questions.append(choice.question)
            self.asked_about |= {value for value, _ in choice.question.options if value}
        if choice.column is None:
            return None
        self.held[role] = choice.column
        return self.columns[choice.column]


def infer_mapping(tables: Sequence[RawTable], answers: Answers = Answers()) -> Inference:
    """What the columns of these files mean, as far as names and values settle it.

    Raises `DataError` where no answer could help (no number column, a label of 500 classes), `SettingsError` for an
    answer that names nothing.
    """
    if not tables:
        raise DataError("There is no file to read. Give at least one.")
    builder = _Builder(tables, answers)
    label = builder.settle(Role.LABEL, rules.choose_label)
    score = builder.settle(Role.SCORE, rules.choose_score)
    if score is None and answers.roles.get("score") == "":
        raise DataError("There is no analysis without a score. Name its column with --score.")
    for role in (Role.VERSION, Role.SPLIT):
        builder.settle(role, lambda free, role=role: rules.choose_by_name(role, free))
    time_format = _settle_time(builder)
    for role in (Role.WEIGHT, Role.LATENCY, Role.COST, Role.ID):
        builder.settle(role, lambda free, role=role: rules.choose_by_name(role, free))
    if Role.VERSION not in builder.held:
        stems = join_names([table.stem for table in tables], 4)
        builder.evidence.append(Evidence("version", "", f"No version column: each file is a version ({stems})."))
    kind = _settle_score_kind(builder, score)
    encoding = _settle_label(builder, label)
    cohorts, features = _settle_groups(builder)
    settled = None
    if score is not None and not builder.questions and kind is not None:
        held = {role.value: column for role, column in builder.held.items() if role is not Role.SCORE}
        settled = Mapping(
            score=score.name,
            score_kind=kind,
            label_encoding=encoding,
            time_format=time_format,
            cohorts=tuple(cohorts),
            features=tuple(features),
            **held,
        )
    roles = dict.fromkeys(builder.columns, Role.IGNORED)
    roles |= dict.fromkeys(features, Role.FEATURE) | dict.fromkeys(cohorts, Role.COHORT)
    roles |= {column: role for role, column in builder.held.items()}
    return Inference(roles, tuple(builder.evidence), tuple(builder.questions), settled)


def _settle_score_kind(builder: _Builder, score: Column | None) -> ScoreKind | None:
    answer = builder.answers.score_kind
    if answer is not None and answer not in {kind.value for kind in ScoreKind}:
        raise SettingsError(
            f"There is no score kind {answer}: use {join_names([kind.value for kind in ScoreKind], last='or')}."
        )
    if score is None:
        return None
    if not score.is_numeric and not score.is_all_missing:
        raise DataError(
            f"{score.name} cannot be the score: its values are no numbers, for example "
            f"{join_names(score.examples[:3])}."
        )
    kind, evidence, question = infer_score_kind(score, answer)
    if evidence is not None:
        builder.evidence.append(evidence)
    if question is not None:
        builder.questions.append(question)
    return kind


def _settle_label(builder: _Builder, label: Column | None) -> LabelEncoding | None:
    if label is None:
        return None
    reading = infer_encoding(label, builder.answers.pos_label)
    if reading.evidence is not None:
        builder.evidence.append(reading.evidence)
    if reading.question is not None:
        builder.questions.append(reading.question)
    return reading.encoding


def _settle_time(builder: _Builder) -> TimeFormat | None:
    pattern, zone = builder.answers.time_pattern, builder.answers.timezone
    answer = builder.answers.roles.get(Role.TIME.value)
    if answer:
        column = builder.settle(Role.TIME, lambda _free: Choice())
        assert column is not None
        reading = infer_time_format(column, pattern, zone)
        if reading.time_format is None and reading.question is None:
            raise DataError(
                f"{column.name} cannot be read as the time, for example {join_names(column.examples[:2])}. "
                "Say its pattern with --date-format."
            )
        return _take_time(builder, reading)
    if answer == "":
        builder.settle(Role.TIME, lambda _free: Choice())
        return None
    for column, why in rules.find_time_candidates(builder.free):
        named = why.startswith("Named")
        if column.is_all_missing or (column.kind in ("integer", "float", "float32") and not named):
            continue
        # A declared pattern is for the column that is named or declared as a time.
        reading = infer_time_format(column, pattern if named else None, zone)
        if reading.time_format is None and reading.question is None:
            continue
        builder.settle(Role.TIME, lambda _free, c=column, w=why: Choice(c.name, rules.explain_choice(Role.TIME, c, w)))
        return _take_time(builder, reading)
    return None


def _take_time(builder: _Builder, reading: TimeReading) -> TimeFormat | None:
    builder.evidence.extend(reading.evidence)
    if reading.question is not None:
        builder.questions.append(reading.question)
    return reading.time_format


def _settle_groups(builder: _Builder) -> tuple[list[str], list[str]]:
    """Cohort and feature columns, and a sentence on what is left over."""
    answers, free = builder.answers, builder.free
    cohorts, above = rules.choose_cohorts(free, ()) if answers.cohorts is None else (list(answers.cohorts), [])
    taken = {*cohorts, *above}
    features = rules.choose_features(free, taken) if answers.features is None else list(answers.features)
    if cohorts:
        sentence = f"2 to {rules.MAX_COHORT_VALUES} distinct values: {join_names(cohorts, 12)}."
        if answers.cohorts is not None:
            sentence = f"Declared: {join_names(cohorts, 12)}."
        if above:
            sentence += f" Above the bound of {rules.MAX_COHORTS}: {join_names(above)}."
        builder.evidence.append(Evidence("cohorts", ", ".join(cohorts), sentence))
    if features:
        sentence = f"Other columns of numbers: {join_names(features)}."
        builder.evidence.append(Evidence("features", ", ".join(features), sentence))
    ignored = [c for c in free if c.name not in {*cohorts, *above, *features}]
    if ignored:
        listed = join_names([rules.describe_ignored(c) for c in ignored], 4)
        builder.evidence.append(Evidence("ignored", "", f"Not used: {listed}."))
    return cohorts, features
