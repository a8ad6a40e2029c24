"""From raw tables to a proposed mapping: every choice with its evidence, every ambiguity as a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.errors import AmbiguityError
from lib.schema import (
    Evidence,
    Mapping,
    Question,
    Role,
)
from lib.sources import roles as rules
from lib.sources.answers import Answers
from lib.sources.builder import Builder
from lib.sources.classes import (
    FEWEST,
)
from lib.sources.columns import unite_columns
from lib.sources.fit import validate_files
from lib.sources.settling import (
    ask_about_clash,
    explain_unused,
    settle_classes,
    settle_groups,
    settle_label,
    settle_score,
    settle_score_kind,
    settle_time,
    take_files_as_versions,
)
from lib.sources.sql import NUMBER_KINDS
from lib.sources.tables import RawTable
from lib.sources.unlabelled import settle_unlabelled


@dataclass(frozen=True)
class Inference:
    """A proposed mapping: the role of every column, the evidence for each choice, and what has to be asked.

    `unused` are the columns without a role, each with the reason; `settled` is None while a question is open.
    `patterns` stand for the columns that may be the scores of several classes.
    """

    roles: dict[str, Role]
    evidence: tuple[Evidence, ...]
    questions: tuple[Question, ...]
    unused: tuple[tuple[str, str], ...]
    settled: Mapping | None
    patterns: tuple[str, ...] = ()

    @property
    def mapping(self) -> Mapping:
        """The mapping, once nothing is open; `AmbiguityError` says what is."""
        if self.settled is None:
            raise AmbiguityError(" ".join(question.sentence for question in self.questions))
        return self.settled


def infer_mapping(tables: Sequence[RawTable], answers: Answers = Answers()) -> Inference:
    """What the columns of these files mean, as far as names and values settle it.

    Whatever an answer could settle is a question, also where an answer was given that does not fit. Raises `DataError`
    where none could help (no column of numbers, the same file twice), `SettingsError` for an answer that names nothing.
    """
    validate_files(tables)
    builder = Builder(tables, answers)
    label = builder.settle(Role.LABEL, rules.choose_label)
    label, unlabelled = settle_unlabelled(builder, label)
    reading = settle_classes(builder, label)
    score = None if builder.class_columns else settle_score(builder)
    for role in (Role.VERSION, Role.SPLIT):
        builder.settle(role, lambda free, role=role: rules.choose_by_name(role, free))
    time_format = settle_time(builder)
    for role in (Role.WEIGHT, Role.LATENCY, Role.COST, Role.ID):
        builder.settle(role, lambda free, role=role: rules.choose_by_name(role, free))
    if Role.VERSION not in builder.held and not builder.is_asked("version"):
        take_files_as_versions(builder)
    kind = settle_score_kind(builder, score)
    encoding = None if builder.may_be_several else settle_label(builder, label)
    cohorts, above, features = settle_groups(builder)
    ask_about_clash(builder, cohorts, features)
    roles = dict.fromkeys(builder.columns, Role.IGNORED)
    roles |= dict.fromkeys(features, Role.FEATURE) | dict.fromkeys(cohorts, Role.COHORT)
    roles |= dict.fromkeys(builder.class_columns, Role.SCORE)
    roles |= {column: role for role, column in builder.held.items()}
    unused = explain_unused(builder, roles, above)
    settled = None
    if not builder.questions:
        assert kind is not None
        settled = Mapping(
            score=builder.held[Role.SCORE] if reading is None else reading.family.pattern,
            score_kind=kind,
            label_encoding=encoding,
            time_format=time_format,
            cohorts=tuple(cohorts),
            features=tuple(features),
            classes=() if reading is None else reading.classes,
            unlabelled=unlabelled,
            unused=unused,
            **{role.value: column for role, column in builder.held.items() if role is not Role.SCORE},
        )
    evidence = tuple(answers.credit(each) for each in builder.evidence)
    patterns = tuple(each.pattern for each in builder.families if len(each.members) >= FEWEST)
    return Inference(roles, evidence, tuple(builder.questions), unused, settled, patterns)


def compute_shape(tables: Sequence[RawTable]) -> frozenset[tuple[str, str]]:
    """The names and kinds of the columns of these files: files of one shape are likely to mean the same."""
    columns = unite_columns(tables).values()
    return frozenset((each.name, "number" if each.kind in NUMBER_KINDS else each.kind) for each in columns)
