"""The choices of a mapping as they are made: which column is taken, why, and what has to be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from lib.errors import SettingsError
from lib.schema import (
    SINGLE_ROLES,
    Evidence,
    Question,
    Role,
)
from lib.sources import roles as rules
from lib.sources.answers import Answers
from lib.sources.classes import (
    Family,
    Reading,
)
from lib.sources.columns import Column, join_names, shorten, unite_columns
from lib.sources.fit import find_misfit
from lib.sources.names import EXACT, match_role
from lib.sources.roles import Choice
from lib.sources.tables import RawTable

_DECISIVE: Final = frozenset({Role.LABEL, Role.VERSION, Role.TIME, Role.WEIGHT})
"""Roles without which all numbers, or what is compared, are others."""


class Builder:
    """Collects choices; a column that plays a role is free for no other."""

    def __init__(self, tables: Sequence[RawTable], answers: Answers) -> None:
        self.tables, self.answers = tables, answers
        self.columns = unite_columns(tables)
        self.held: dict[Role, str] = {}
        self.evidence: list[Evidence] = []
        self.questions: list[Question] = []
        self.asked_about: dict[str, str] = {}
        self.families: list[Family] = []
        self.readings: list[Reading] = []
        self.class_columns: tuple[str, ...] = ()
        self.is_waiting = False
        self.siblings: set[str] = set()
        for name, column in answers.roles.items():
            if name not in {role.value for role in SINGLE_ROLES}:
                raise SettingsError(
                    f"There is no role {name}: the roles are {join_names([r.value for r in SINGLE_ROLES], 9)}."
                )
            if column and not self.is_pattern(column):
                self.require(column)
        for column in (*(answers.cohorts or ()), *(answers.features or ())):
            self.require(column)

    def require(self, name: str) -> Column:
        """The column of this name, in whichever file; `DataError` with the nearest name otherwise."""
        if name not in self.columns:
            self.tables[0].column(name)
        return self.columns[name]

    def is_pattern(self, answer: str) -> bool:
        """Whether an answer stands for several columns: "prob_*"."""
        return answer.endswith("*") and answer not in self.columns

    @property
    def free(self) -> list[Column]:
        """Columns that no answer and no choice has claimed."""
        claimed = {*self.held.values(), *self.answers.roles.values(), *self.asked_about, *self.class_columns}
        claimed |= self.siblings
        claimed |= {*(self.answers.cohorts or ()), *(self.answers.features or ())}
        return [column for column in self.columns.values() if column.name not in claimed]

    @property
    def cohorts(self) -> list[Column]:
        """Columns that an answer makes cohorts."""
        return [self.columns[name] for name in self.answers.cohorts or ()]

    def ask_for_taken(self, role: Role, name: str | None) -> Choice | None:
        """What to ask where a cohort is named like a role that decides on numbers and that no other column plays."""
        if name is None or role not in _DECISIVE or match_role(name, role) != EXACT:
            return None
        sentence = (
            f"{shorten(name)} was named as a cohort, which takes it from the {role}, and no other column looks like "
            "one: name another column, or say that there is none."
        )
        return Choice(question=Question(role.value, sentence, (("", f"no column is the {role}"),)))

    def ask(self, question: Question) -> None:
        """Leave something open; the columns among the answers are free for no role until it is said."""
        self.questions.append(question)
        if question.topic in {role.value for role in SINGLE_ROLES}:
            self.asked_about |= {value: question.topic for value, _ in question.options if value}

    @property
    def may_be_several(self) -> bool:
        """Whether there are several classes, or it is asked: which of two is positive is then no question."""
        asked = [value for each in self.questions if each.topic == "score" for value, _ in each.options]
        return bool(self.class_columns) or any(map(self.is_pattern, asked))

    def wait_for(self, columns: Sequence[Column], topic: str) -> None:
        """Columns that an open question is about, so that they are free for no role."""
        self.asked_about |= {column.name: topic for column in columns}

    def is_asked(self, topic: str) -> bool:
        """Whether a question of that topic is open."""
        return any(question.topic == topic for question in self.questions)

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
            if choice.column is None and choice.question is None:
                choice = self.ask_for_taken(role, infer(self.cohorts).column) or choice
        if choice.evidence is not None:
            self.evidence.append(choice.evidence)
        if choice.question is not None:
            self.ask(choice.question)
        if choice.column is None:
            return None
        if misfit := find_misfit(role, self.columns[choice.column]):
            self.ask(Question(role.value, misfit))
            self.asked_about[choice.column] = role.value
            return None
        self.held[role] = choice.column
        return self.columns[choice.column]
