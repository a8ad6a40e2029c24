"""From raw tables to a proposed mapping: every choice with its evidence, every ambiguity as a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lib.errors import AmbiguityError, DataError, SettingsError
from lib.schema import (
    MAX_COHORT_VALUES,
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
from lib.sources.classes import (
    FEWEST,
    Family,
    Reading,
    count_sums,
    describe_family,
    explain_classes,
    find_families,
    find_trouble,
    read_labels,
)
from lib.sources.columns import Column, describe_commas, describe_distinct, join_names, shorten, unite_columns
from lib.sources.fit import find_clash, find_misfit, find_stem_trouble, validate_files
from lib.sources.labels import infer_encoding
from lib.sources.names import EXACT, is_named_labeller, match_role
from lib.sources.roles import Choice
from lib.sources.scores import infer_score_kind
from lib.sources.sql import NUMBER_KINDS
from lib.sources.tables import RawTable
from lib.sources.times import TimeReading, ask_for_format, infer_time_format


def _no_roles() -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Answers:
    """What a person or the command line has settled; None or absent means: infer it.

    `roles` maps a role to a column, or to an empty text for "no column plays it". `source` is the file that the answers
    were taken over from, empty where they were given; `given` are the topics that were said for this file all the same.
    """

    roles: dict[str, str] = field(default_factory=_no_roles)
    cohorts: tuple[str, ...] | None = None
    features: tuple[str, ...] | None = None
    score_kind: str | None = None
    pos_label: str | None = None
    time_pattern: str | None = None
    timezone: str | None = None
    source: str = ""
    given: frozenset[str] = frozenset()

    @classmethod
    def of_mapping(cls, mapping: Mapping, source: str) -> Answers:
        """What was settled for another file, as answers for the next one like it."""
        encoding, time_format = mapping.label_encoding, mapping.time_format
        return cls(
            roles={role.value: mapping.roles().get(role.value, "") for role in SINGLE_ROLES},
            cohorts=mapping.cohorts,
            features=mapping.features,
            score_kind=mapping.score_kind.value,
            pos_label=None if encoding is None else encoding.pos_label,
            time_pattern=None if time_format is None else time_format.pattern,
            timezone=None if time_format is None else time_format.timezone,
            source=source,
        )

    def credit(self, evidence: Evidence) -> Evidence:
        """Evidence in the words of what was taken over, where it was."""
        if not self.source or evidence.topic in self.given:
            return evidence
        source = f"s for {shorten(self.source)}"
        sentence = evidence.sentence.replace("Declared", f"A{source}", 1)
        return replace(evidence, sentence=sentence.replace("was declared positive", f"is positive a{source}", 1))


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


_DECISIVE: Final = frozenset({Role.LABEL, Role.VERSION, Role.TIME, Role.WEIGHT})
"""Roles without which all numbers, or what is compared, are others."""


class _Builder:
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


def infer_mapping(tables: Sequence[RawTable], answers: Answers = Answers()) -> Inference:
    """What the columns of these files mean, as far as names and values settle it.

    Whatever an answer could settle is a question, also where an answer was given that does not fit. Raises `DataError`
    where none could help (no column of numbers, the same file twice), `SettingsError` for an answer that names nothing.
    """
    validate_files(tables)
    builder = _Builder(tables, answers)
    label = builder.settle(Role.LABEL, rules.choose_label)
    reading = _settle_classes(builder, label)
    score = None if builder.class_columns else _settle_score(builder)
    for role in (Role.VERSION, Role.SPLIT):
        builder.settle(role, lambda free, role=role: rules.choose_by_name(role, free))
    time_format = _settle_time(builder)
    for role in (Role.WEIGHT, Role.LATENCY, Role.COST, Role.ID):
        builder.settle(role, lambda free, role=role: rules.choose_by_name(role, free))
    if Role.VERSION not in builder.held and not builder.is_asked("version"):
        _take_files_as_versions(builder)
    kind = _settle_score_kind(builder, score)
    encoding = None if builder.may_be_several else _settle_label(builder, label)
    cohorts, above, features = _settle_groups(builder)
    _ask_about_clash(builder, cohorts, features)
    roles = dict.fromkeys(builder.columns, Role.IGNORED)
    roles |= dict.fromkeys(features, Role.FEATURE) | dict.fromkeys(cohorts, Role.COHORT)
    roles |= dict.fromkeys(builder.class_columns, Role.SCORE)
    roles |= {column: role for role, column in builder.held.items()}
    unused = _explain_unused(builder, roles, above)
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


def _settle_classes(builder: _Builder, label: Column | None) -> Reading | None:
    """Several classes with a column each, where there are such; the column of the positive one is the score of two.

    Where that is not known yet, the columns wait for it.
    """
    answer = builder.answers.roles.get(Role.SCORE.value)
    builder.families = find_families(builder.free, label)
    if answer is not None and not builder.is_pattern(answer):
        return None
    readings = builder.readings = [read_labels(family, label) for family in builder.families]
    if answer is not None:
        chosen = [each for each in readings if each.family.pattern == answer]
        if not chosen:
            raise DataError(f"{answer} stands for no two columns of numbers that are named like scores of classes.")
    else:
        chosen = [each for each in readings if each.fits]
    if label is not None and chosen and chosen[0].n_held and _is_pair(builder, label, chosen[0]):
        _settle_pair(builder, label, [each.family for each in chosen])
        return None
    chosen = [each for each in chosen if answer is not None or len(each.family.members) >= FEWEST]
    if len(chosen) > 1:
        patterns = [each.family.pattern for each in chosen]
        sentence = f"Each of {join_names(patterns)} has a column for every class: which of them is the score?"
        options = tuple((each.family.pattern, describe_family(each.family)) for each in chosen)
        builder.ask(Question("score", sentence, options))
        builder.wait_for([column for each in chosen for column in each.family.columns], "score")
    if len(chosen) != 1:
        return None
    reading = chosen[0]
    builder.class_columns = tuple(column.name for column in reading.family.columns)
    if trouble := find_trouble(reading.family, reading, label):
        builder.ask(Question("score", trouble))
        return None
    why = "Declared" if answer is not None else f"Named {reading.family.pattern}"
    builder.evidence.append(explain_classes(reading, label, why))
    if label is not None:
        sentence = "No class is the positive one: each has a column. Choose one to set it against all others."
        builder.evidence.append(Evidence("pos_label", "", sentence))
    return reading


def _is_pair(builder: _Builder, label: Column, reading: Reading) -> bool:
    """Whether one class is set against the rest: of two, or because it was said which."""
    return builder.answers.pos_label is not None or (len(reading.family.members) == 2 and label.n_distinct <= 2)


def _settle_pair(builder: _Builder, label: Column, families: Sequence[Family]) -> None:
    """The column of the positive class as the score; where that class is asked, the columns wait for it."""
    encoding = infer_encoding(label, builder.answers.pos_label).encoding
    names = set() if encoding is None else set(encoding.positive)
    found = [
        next(column for each, column in zip(read_labels(family, label).classes, family.columns, strict=True)
             if names & set(each.labels))
        for family in families
        if any(names & set(each.labels) for each in read_labels(family, label).classes)
    ]  # fmt: skip
    if len(found) == 1:
        why = f"Named {families[0].pattern}, and {shorten(next(iter(names)))} is the positive class"
        builder.evidence.append(rules.explain_choice(Role.SCORE, found[0], why))
        builder.held[Role.SCORE] = found[0].name
        builder.siblings = {column.name for column in families[0].columns if column is not found[0]}
    elif not found:
        builder.wait_for([column for family in families for column in family.columns], "score")
        builder.is_waiting = True


def _settle_score(builder: _Builder) -> Column | None:
    """The column of the score, unless the classes have settled it."""
    if Role.SCORE in builder.held:
        return builder.columns[builder.held[Role.SCORE]]
    if builder.is_waiting or builder.is_asked("score"):
        return None
    score = builder.settle(Role.SCORE, lambda free: rules.choose_score(free, builder.readings))
    if score is None and not builder.is_asked("score"):
        _ask_for_score(builder)
    return score


def _ask_for_score(builder: _Builder) -> None:
    """Ask which column of numbers is the score; `DataError` where there is none."""
    columns = list(builder.columns.values())
    commas = "".join(f" {c.name}: {describe_commas(c)}." for c in columns if c.comma_number)
    usable = [c for c in columns if c.is_numeric and c.n_distinct > 2 and not find_misfit(Role.SCORE, c)]
    if usable:
        names = join_names([column.name for column in usable], last="or")
        options = tuple((column.name, rules.describe_column(column)) for column in usable[: rules.MAX_OPTIONS])
        builder.ask(Question("score", f"There is no analysis without a score: is it {names}?{commas}", options))
        return
    where = " in every file" if any(column.is_numeric and column.absent_from for column in columns) else ""
    listed = join_names([f"{column.name} ({column.kind})" for column in columns])
    raise DataError(f"There is no column of numbers{where} that could be the score; there is {listed}.{commas}")


def _take_files_as_versions(builder: _Builder) -> None:
    if trouble := find_stem_trouble(builder.tables):
        fitting = [c for c in builder.free if c.n_distinct > 1 and not find_misfit(Role.VERSION, c)]
        options = [(column.name, rules.describe_column(column)) for column in fitting[: rules.MAX_OPTIONS]]
        builder.ask(Question("version", trouble, tuple(options)))
        return
    stems = join_names([table.stem for table in builder.tables], 4)
    told = [each for each in builder.evidence if each.topic == "version"]
    sentences = [*(each.sentence for each in told), f"No version column: each file is a version ({stems})."]
    builder.evidence = [each for each in builder.evidence if each not in told]
    builder.evidence.append(Evidence("version", "", " ".join(sentences)))


def _ask_about_clash(builder: _Builder, cohorts: Sequence[str], features: Sequence[str]) -> None:
    held = [(column, role) for role, column in builder.held.items()]
    held += [(column, Role.COHORT) for column in cohorts] + [(column, Role.FEATURE) for column in features]
    if (clash := find_clash(held)) is not None:
        role, sentence = clash
        builder.ask(Question({Role.COHORT: "cohorts", Role.FEATURE: "features"}.get(role, role.value), sentence))


def _explain_unused(builder: _Builder, roles: dict[str, Role], above: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Each column without a role, those that no engine can use included, with the reason."""
    unused = {name: rules.explain_unused(builder.columns[name]) for name, role in roles.items() if role is Role.IGNORED}
    unused |= dict.fromkeys(above, f"{rules.MAX_COHORTS} other columns are cohorts, as many as are taken unasked")
    unused |= {name: f"may be the {topic}, which is asked" for name, topic in builder.asked_about.items()}
    unused |= dict.fromkeys(builder.siblings, "the score of another class than the positive one")
    unused |= {name: "a list, a structure or bytes" for table in builder.tables for name in table.unusable}
    return tuple((name, reason) for name, reason in unused.items() if roles.get(name, Role.IGNORED) is Role.IGNORED)


def _settle_score_kind(builder: _Builder, score: Column | None) -> ScoreKind | None:
    answer = builder.answers.score_kind
    if answer is not None and answer not in {kind.value for kind in ScoreKind}:
        raise SettingsError(
            f"There is no score kind {answer}: use {join_names([kind.value for kind in ScoreKind], last='or')}."
        )
    if score is not None:
        kind, evidence, question = infer_score_kind([score], score.name, answer)
    elif builder.class_columns and not builder.is_asked("score"):
        columns = [builder.columns[name] for name in builder.class_columns]
        family = next(each for each in builder.families if set(each.columns) == set(columns))
        kind, evidence, question = infer_score_kind(columns, family.pattern, answer, count_sums(family))
    else:
        return None
    if evidence is not None:
        builder.evidence.append(evidence)
    if question is not None:
        builder.ask(question)
    return kind


def _settle_label(builder: _Builder, label: Column | None) -> LabelEncoding | None:
    if label is None:
        return None
    reading = infer_encoding(label, builder.answers.pos_label)
    if reading.evidence is not None:
        builder.evidence.append(reading.evidence)
    if reading.question is not None:
        builder.ask(reading.question)
    return reading.encoding


def _settle_time(builder: _Builder) -> TimeFormat | None:
    pattern, zone = builder.answers.time_pattern, builder.answers.timezone
    answer = builder.answers.roles.get(Role.TIME.value)
    if answer:
        column = builder.settle(Role.TIME, lambda _free: Choice())
        assert column is not None
        reading = infer_time_format(column, pattern, zone)
        if reading.time_format is None and reading.question is None:
            builder.ask(ask_for_format(column))
        return _take_time(builder, reading)
    if answer == "":
        builder.settle(Role.TIME, lambda _free: Choice())
        return None
    column = builder.settle(Role.TIME, lambda columns: _find_time(builder.answers, columns)[0])
    return None if column is None else _take_time(builder, _find_time(builder.answers, [column])[1])


def _find_time(answers: Answers, columns: Sequence[Column]) -> tuple[Choice, TimeReading]:
    """The column that holds the time and how it is read; of one that is only named so and hardly read, the question."""
    pattern, zone = answers.time_pattern, answers.timezone
    doubtful = Choice(), TimeReading(None)
    for column, why in rules.find_time_candidates(columns):
        named = why.startswith("Named")
        if doubtful[0].column is not None and not named:
            break
        if column.is_all_missing or (column.kind in ("integer", "float", "float32") and not named):
            continue
        # A declared pattern is for the column that is named or declared as a time, and for one whose pattern is asked.
        reading = infer_time_format(column, pattern if named else None, zone)
        if reading.question is not None and not named:
            reading = infer_time_format(column, pattern, zone)
        choice = Choice(column.name, rules.explain_choice(Role.TIME, column, why))
        if reading != TimeReading(None):
            return choice, reading
        if named and doubtful[0].column is None and (question := ask_for_format(column)).options:
            doubtful = choice, TimeReading(None, (), question)
    return doubtful


def _take_time(builder: _Builder, reading: TimeReading) -> TimeFormat | None:
    builder.evidence.extend(reading.evidence)
    if reading.question is not None:
        builder.ask(reading.question)
    return reading.time_format


def _describe_gathered(column: Column) -> str:
    """That a cohort column has more values than tables hold, where it has."""
    if column.n_distinct <= MAX_COHORT_VALUES:
        return ""
    return (
        f" {shorten(column.name)} has {describe_distinct(column)}: tables hold the {MAX_COHORT_VALUES - 1} most "
        f"frequent and the others together, and each is found by its name."
    )


def _settle_groups(builder: _Builder) -> tuple[list[str], list[str], list[str]]:
    """Cohort columns, those that are too many to be ones unasked, and feature columns."""
    answers, free = builder.answers, builder.free
    cohorts, above = rules.choose_cohorts(free, ()) if answers.cohorts is None else (list(answers.cohorts), [])
    taken = {*cohorts, *above}
    features = rules.choose_features(free, taken) if answers.features is None else list(answers.features)
    if cohorts:
        sentence = f"2 to {MAX_COHORT_VALUES} distinct values: {join_names(cohorts, 12)}."
        if answers.cohorts is not None:
            sentence = f"Declared: {join_names(cohorts, 12)}."
        sentence += "".join(_describe_gathered(builder.columns[name]) for name in cohorts)
        if labellers := [name for name in cohorts if is_named_labeller(name)]:
            sentence += f" Named like who gave the label: {join_names(labellers)}."
        if above:
            sentence += f" Above the bound of {rules.MAX_COHORTS}: {join_names(above)}."
        builder.evidence.append(Evidence("cohorts", ", ".join(cohorts), sentence))
    if features:
        sentence = f"Other columns of numbers: {join_names(features)}."
        builder.evidence.append(Evidence("features", ", ".join(features), sentence))
    for topic, role, names in (("cohorts", Role.COHORT, cohorts), ("features", Role.FEATURE, features)):
        for name in names:
            if misfit := find_misfit(role, builder.columns[name]):
                builder.ask(Question(topic, misfit))
    return cohorts, above, features
