"""How each part of a mapping is settled from names and values, from the answers, or asked."""

from __future__ import annotations

from collections.abc import Sequence

from lib.errors import DataError, SettingsError
from lib.schema import (
    MAX_COHORT_VALUES,
    Evidence,
    LabelEncoding,
    Question,
    Role,
    ScoreKind,
    TimeFormat,
)
from lib.sources import roles as rules
from lib.sources.answers import Answers
from lib.sources.builder import Builder
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
from lib.sources.columns import Column, describe_distinct, describe_unread, join_names, shorten
from lib.sources.fit import find_clash, find_misfit, find_stem_trouble
from lib.sources.labels import infer_encoding
from lib.sources.names import is_named_labeller
from lib.sources.roles import Choice
from lib.sources.scores import infer_score_kind
from lib.sources.times import TimeReading, ask_for_format, infer_time_format


def settle_classes(builder: Builder, label: Column | None) -> Reading | None:
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


def _is_pair(builder: Builder, label: Column, reading: Reading) -> bool:
    """Whether one class is set against the rest: of two, or because it was said which."""
    return builder.answers.pos_label is not None or (len(reading.family.members) == 2 and label.n_distinct <= 2)


def _settle_pair(builder: Builder, label: Column, families: Sequence[Family]) -> None:
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


def settle_score(builder: Builder) -> Column | None:
    """The column of the score, unless the classes have settled it."""
    if Role.SCORE in builder.held:
        return builder.columns[builder.held[Role.SCORE]]
    if builder.is_waiting or builder.is_asked("score"):
        return None
    score = builder.settle(Role.SCORE, lambda free: rules.choose_score(free, builder.readings))
    if score is None and not builder.is_asked("score"):
        _ask_for_score(builder)
    return score


def _ask_for_score(builder: Builder) -> None:
    """Ask which column of numbers is the score; `DataError` where there is none."""
    columns = list(builder.columns.values())
    unread = "".join(f" {c.name}: {describe_unread(c)}." for c in columns if c.unread_number)
    usable = [c for c in columns if c.is_numeric and c.n_distinct > 2 and not find_misfit(Role.SCORE, c)]
    if usable:
        names = join_names([column.name for column in usable], last="or")
        options = tuple((column.name, rules.describe_column(column)) for column in usable[: rules.MAX_OPTIONS])
        builder.ask(Question("score", f"There is no analysis without a score: is it {names}?{unread}", options))
        return
    where = " in every file" if any(column.is_numeric and column.absent_from for column in columns) else ""
    listed = join_names([f"{column.name} ({column.kind})" for column in columns])
    raise DataError(f"There is no column of numbers{where} that could be the score; there is {listed}.{unread}")


def take_files_as_versions(builder: Builder) -> None:
    """Each file as a version, named after it; or what to ask where the names tell none apart."""
    if trouble := find_stem_trouble(builder.tables):
        fitting = [c for c in builder.free if c.n_distinct > 1 and not find_misfit(Role.VERSION, c)]
        options = [(column.name, rules.describe_column(column)) for column in fitting[: rules.MAX_OPTIONS]]
        builder.ask(Question("version", trouble, tuple(options)))
        return
    stems = join_names([table.stem for table in builder.tables], 4)
    told = [each for each in builder.evidence if each.topic == "version"]
    ordered = ", in this order" if len(builder.tables) > 1 else ""
    sentences = [*(each.sentence for each in told), f"No version column: each file is a version{ordered} ({stems})."]
    builder.evidence = [each for each in builder.evidence if each not in told]
    builder.evidence.append(Evidence("version", "", " ".join(sentences)))


def ask_about_clash(builder: Builder, cohorts: Sequence[str], features: Sequence[str]) -> None:
    """Ask where a name would stand for two columns of the tables that are made."""
    held = [(column, role) for role, column in builder.held.items()]
    held += [(column, Role.COHORT) for column in cohorts] + [(column, Role.FEATURE) for column in features]
    if (clash := find_clash(held)) is not None:
        role, sentence = clash
        builder.ask(Question({Role.COHORT: "cohorts", Role.FEATURE: "features"}.get(role, role.value), sentence))


def explain_unused(builder: Builder, roles: dict[str, Role], above: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Each column without a role, those that no engine can use included, with the reason."""
    unused = {name: rules.explain_unused(builder.columns[name]) for name, role in roles.items() if role is Role.IGNORED}
    unused |= dict.fromkeys(above, f"{rules.MAX_COHORTS} other columns are cohorts, as many as are taken unasked")
    unused |= {name: f"may be the {topic}, which is asked" for name, topic in builder.asked_about.items()}
    unused |= dict.fromkeys(builder.siblings, "the score of another class than the positive one")
    unused |= {name: "a list, a structure or bytes" for table in builder.tables for name in table.unusable}
    return tuple((name, reason) for name, reason in unused.items() if roles.get(name, Role.IGNORED) is Role.IGNORED)


def settle_score_kind(builder: Builder, score: Column | None) -> ScoreKind | None:
    """What the score is: decision, logit or probability."""
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


def settle_label(builder: Builder, label: Column | None) -> LabelEncoding | None:
    """Which labels are positive and which negative."""
    if label is None:
        return None
    reading = infer_encoding(label, builder.answers.pos_label)
    if reading.evidence is not None:
        builder.evidence.append(reading.evidence)
    if reading.question is not None:
        builder.ask(reading.question)
    return reading.encoding


def settle_time(builder: Builder) -> TimeFormat | None:
    """The column of the time, its date format and its time zone."""
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


def _take_time(builder: Builder, reading: TimeReading) -> TimeFormat | None:
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


def settle_groups(builder: Builder) -> tuple[list[str], list[str], list[str]]:
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
