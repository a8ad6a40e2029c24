"""How the columns were read: each choice with its evidence and examples, each question, settled by a click."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import streamlit as st

from lib.schema import EPOCHS, SINGLE_ROLES, Evidence, Question, Role, ScoreKind
from lib.sources import Answers
from lib.sources.unlabelled import SEPARATOR
from lib.ui.datasets import Draft
from lib.ui.html import show_note

NOBODY = ""
NOBODY_WORDS = {"pos_label": "None of the labels found"}
WORDS = {
    "label": "Label",
    "score": "Score",
    "score_kind": "The score is",
    "pos_label": "Positive class",
    "unlabelled": "Counts as no label",
    "version": "Version",
    "split": "Split",
    "time": "Time",
    "time_format": "Date format",
    "timezone": "Time zone",
    "weight": "Weight",
    "latency": "Latency",
    "cost": "Cost",
    "id": "Id",
    "cohorts": "Cohorts",
    "features": "Features",
}
KIND_WORDS = {
    "decision": "a decision score",
    "logit": "a logit (log odds)",
    "probability": "a probability",
}
PATTERNS = (
    "iso", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d-%m-%Y", *EPOCHS,
)  # fmt: skip
ZONES = (
    "UTC", "Europe/London", "Europe/Berlin", "Europe/Paris", "America/New_York", "America/Chicago",
    "America/Los_Angeles", "America/Sao_Paulo", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney",
)  # fmt: skip
LONGEST_EXAMPLE = 40
_WITHIN_A_WORD = re.compile(r"(?<=[^\W_])[_.-](?=[^\W_])")
WORDED = ("score_kind", "unlabelled")
"""Topics whose options say in words what a value would not."""
_ROLES = {role.value for role in SINGLE_ROLES}
_TOPICS = {"date_format": "time_format"}
"""Topics of questions, where what they ask about has another name in the list of choices."""
_DEPENDENT = {"label": ("pos_label", "unlabelled"), "score": ("score_kind",), "time": ("time_pattern",)}
"""What was said about the values of a role's column, and means nothing for another one."""


def with_answer(answers: Answers, topic: str, value: str) -> Answers:
    """The answers with one more, in the words of an evidence's or a question's topic.

    A column that is given a role loses another that it was given before: the last word counts.
    """
    answers = dataclasses.replace(answers, given=answers.given | {_TOPICS.get(topic, topic)})
    if topic == "unlabelled":
        return dataclasses.replace(answers, unlabelled=tuple(value.split(SEPARATOR)) if value else ())
    if topic not in _ROLES:
        field = "time_pattern" if topic in ("date_format", "time_format") else topic
        return dataclasses.replace(answers, **{field: value or None})
    others = {role: column for role, column in answers.roles.items() if column != value or not value}
    groups = {
        name: None if held is None else tuple(column for column in held if column != value)
        for name, held in (("cohorts", answers.cohorts), ("features", answers.features))
    }
    changes = groups | dict.fromkeys(_DEPENDENT.get(topic, ()))
    return dataclasses.replace(answers, roles={**others, topic: value}, **changes)


def show_questions(draft: Draft, settle: Callable[[Answers], None]) -> None:
    """What only a person can say: a sentence, and a button for each answer."""
    for index, question in enumerate(draft.inference.questions):
        with st.container(key=f"finding-care-question-{index}"):
            st.markdown(f"**{as_plain_markdown(question.sentence)}**")
            _show_options(draft, question, settle)
            show_note(f"It can be chosen in the list below, as “{WORDS[_TOPICS.get(question.topic, question.topic)]}”.")


def _show_options(draft: Draft, question: Question, settle: Callable[[Answers], None]) -> None:
    for value, meaning in question.options:
        st.button(
            as_plain_markdown(
                _sentence(meaning) if question.topic in WORDED else f"{value or 'None of them'}: {meaning}"
            ),
            key=f"answer:{question.topic}:{value}",
            on_click=lambda value=value: settle(with_answer(draft.answers, question.topic, value)),
        )


def show_mapping(draft: Draft, settle: Callable[[Answers], None]) -> None:
    """A row for each choice: a control that changes it, and beside it the evidence and five example values."""
    evidence = {each.topic: each for each in draft.inference.evidence}
    asked = {_TOPICS.get(question.topic, question.topic) for question in draft.inference.questions}
    columns = list(draft.inference.roles)
    for topic in WORDS:
        if topic in ("cohorts", "features"):
            _show_many(draft, topic, columns, evidence.get(topic), settle)
        elif topic == "unlabelled":
            _show_unlabelled(draft, evidence.get(topic), settle, is_asked=topic in asked)
        elif topic in evidence or topic in asked or topic in _ROLES:
            _show_one(draft, topic, _options(draft, topic, columns), evidence.get(topic), topic in asked, settle)
    if draft.inference.unused:
        show_note("Columns that play no role:", *(f"{name}: {reason}." for name, reason in draft.inference.unused))
    if notes := [f"{table.name}: {note}" for table in draft.tables for note in table.notes]:
        show_note(*notes)


def _options(draft: Draft, topic: str, columns: list[str]) -> list[str]:
    if topic == "score_kind":
        return [kind.value for kind in ScoreKind]
    if topic == "pos_label":
        unlabelled = set(draft.answers.unlabelled or ())
        found = [label for label in _labels(draft) if label not in unlabelled]
        return [NOBODY, *found] if draft.inference.patterns else list(found)
    if topic == "time_format":
        return list(PATTERNS)
    if topic == "timezone":
        return list(ZONES)
    return [NOBODY, *columns] if topic != "score" else [*draft.inference.patterns, *columns]


def _show_one(
    draft: Draft,
    topic: str,
    options: list[str],
    evidence: Evidence | None,
    is_asked: bool,
    settle: Callable[[Answers], None],
) -> None:
    chosen = evidence.choice if evidence else NOBODY
    if chosen not in options:
        options = [chosen, *options]
    key = f"map:{topic}"
    st.session_state[key] = chosen
    control, why = st.columns([2, 5], vertical_alignment="center")
    words = KIND_WORDS if topic == "score_kind" else {}
    nobody = "Not said yet" if is_asked and not chosen else NOBODY_WORDS.get(topic, "None")
    if topic == "pos_label" and draft.inference.patterns:
        nobody = "Every class has its own score"
    control.selectbox(
        WORDS[topic],
        options,
        key=key,
        format_func=lambda value: words.get(value, value) or nobody,
        accept_new_options=topic in ("time_format", "timezone"),
        on_change=lambda: settle(with_answer(draft.answers, topic, str(st.session_state[key]))),
    )
    with why:
        show_evidence(evidence, is_asked=is_asked)


def _show_many(
    draft: Draft, topic: str, columns: list[str], evidence: Evidence | None, settle: Callable[[Answers], None]
) -> None:
    role = Role.COHORT if topic == "cohorts" else Role.FEATURE
    key = f"map:{topic}"
    st.session_state[key] = [name for name, held in draft.inference.roles.items() if held is role]
    free = [
        name for name, held in draft.inference.roles.items() if held in (role, Role.COHORT, Role.FEATURE, Role.IGNORED)
    ]

    def taken() -> None:
        values = tuple(str(name) for name in st.session_state[key])
        other = "features" if topic == "cohorts" else "cohorts"
        rest = tuple(
            name
            for name, held in draft.inference.roles.items()
            if held is (Role.FEATURE if topic == "cohorts" else Role.COHORT) and name not in values
        )
        given = draft.answers.given | {topic}
        settle(dataclasses.replace(draft.answers, given=given, **{topic: values, other: rest}))

    control, why = st.columns([2, 5], vertical_alignment="center")
    control.multiselect(WORDS[topic], [name for name in columns if name in free], key=key, on_change=taken)
    with why:
        show_evidence(evidence)


def _labels(draft: Draft) -> list[str]:
    """The texts of the label column, in the order of the files."""
    label = next((name for name, role in draft.inference.roles.items() if role is Role.LABEL), None)
    columns = (column for table in draft.tables for column in table.columns if column.name == label)
    return list(dict.fromkeys(value.strip() for column in columns for value, _count in column.values))


def _show_unlabelled(
    draft: Draft, evidence: Evidence | None, settle: Callable[[Answers], None], *, is_asked: bool
) -> None:
    """Which labels say that there is none; nothing where there is no label to say so."""
    labels, key = _labels(draft), "map:unlabelled"
    if not labels:
        return
    st.session_state[key] = [text for text in labels if evidence and text in evidence.choice.split(SEPARATOR)]
    control, why = st.columns([2, 5], vertical_alignment="center")
    control.multiselect(
        WORDS["unlabelled"],
        labels,
        key=key,
        placeholder="None",
        on_change=lambda: settle(with_answer(draft.answers, "unlabelled", SEPARATOR.join(st.session_state[key]))),
    )
    with why:
        if evidence is not None or is_asked:
            show_evidence(evidence, is_asked=is_asked)
        else:
            show_note("Rows with a label that is chosen here count as unlabelled.")


def show_evidence(evidence: Evidence | None, *, is_asked: bool = False) -> None:
    """Why a column was given a role, with examples of its values."""
    if evidence is None:
        show_note("This is asked above." if is_asked else "No column is taken for it.")
        return
    shown = [value if len(value) <= LONGEST_EXAMPLE else f"{value[:LONGEST_EXAMPLE]}…" for value in evidence.examples]
    show_note(evidence.sentence, "For example " + " · ".join(shown) if shown else "")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def as_plain_markdown(text: str) -> str:
    """Text of a file inside Markdown: nothing in it is markup.

    A point, a hyphen or an underscore within a word is none and stays as it is, for the label of a control is also read
    out, and then as it is written here.
    """
    within = () if "www" in text.lower() else {each.start() for each in _WITHIN_A_WORD.finditer(text)}
    return "".join(
        "\\" + character if character in "\\`*_{}[]<>#+-.!|~$:" and place not in within else character
        for place, character in enumerate(text)
    )
