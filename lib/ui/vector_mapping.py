"""How the files of a set of vectors were read: each choice with its evidence, settled by a click."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from lib.errors import AmbiguityError
from lib.schema import Evidence
from lib.sources.embeddings import EmbeddingAnswers, EmbeddingSet
from lib.ui.html import show_note
from lib.ui.mapping import as_plain_markdown, show_evidence
from lib.ui.vector_sets import KINDS, METADATA, VECTORS, VectorFiles

NOBODY = ""
WORDS = {
    "id": "Id",
    "label": "Label",
    "version": "Version",
    "split": "Split",
    "time": "Time",
    "query": "Query or gallery",
    "text": "Text",
    "image": "Image",
}
MANY = {"cohorts": "Cohorts", "sensitive": "Sensitive"}
KIND_WORDS = {
    "": "Nothing, it is left out",
    VECTORS: "Vectors",
    METADATA: "Metadata: a row for each vector",
    "pairs": "Right answers: pairs of ids",
    "qrels": "Right answers: qrels of TREC",
    "neighbours": "Answers of an index: id, neighbour, rank",
}
QUESTIONS = {
    "id": "Which column of the metadata is the id?",
    "label": "Which column is the label?",
    "vectors": "Which holds the vectors?",
    METADATA: "Which file is the metadata?",
}
NONE_OF_THEM = {"id": "None: join by row order", "label": "None of them"}
Settle = Callable[[VectorFiles], None]
_OPTION = re.compile(r" with --\w+( \S+)?")


def on_a_page(problem: str) -> str:
    """A sentence of a problem without the options of the command line that would settle it there."""
    return _OPTION.sub(" below", problem)


def show_vector_question(files: VectorFiles, question: AmbiguityError, settle: Settle) -> None:
    """What only a person can say: a sentence, and a button for each answer."""
    with st.container(key="finding-care-question-vectors"):
        asked = QUESTIONS.get(question.topic, "")
        st.markdown(f"**{as_plain_markdown(question.question)}** {asked}")
        for value in question.options:
            st.button(
                as_plain_markdown(value or NONE_OF_THEM.get(question.topic, "None")),
                key=f"vectors:answer:{value}",
                on_click=lambda value=value: settle(_answered(files, question.topic, value)),
            )


def show_vector_mapping(files: VectorFiles, embeddings: EmbeddingSet | None, settle: Settle) -> None:
    """A row for each choice: a control that changes it, and beside it the evidence and example values.

    Args:
        files: what is read, and what is settled of it.
        embeddings: what was read; None while something has to be asked first.
        settle: told the files with another answer.
    """
    if len(files.files) > 1:
        _show_files(files, settle)
    if files.answers.vectors is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            show_note(f"The vectors are taken from {files.answers.vectors}.")
            st.button("Choose again", on_click=settle, args=(replace_answers(files, vectors=None),))
    if embeddings is None:
        return
    tables = embeddings.metadata.values()
    columns = list(dict.fromkeys(name for table in tables for name in table.column_names))
    if not columns:
        show_note("Nothing is known of the rows but their order: add a file of metadata to name, label and group them.")
        return
    roles = embeddings.roles
    evidence = {each.topic: each for each in roles.evidence}
    for role in WORDS:
        _show_one(files, role, columns, roles.column(role) or NOBODY, evidence.get(role), settle)
    sensitive = {each.choice: each for each in roles.evidence if each.topic == "sensitive"}
    for topic, chosen in (("cohorts", roles.cohorts), ("sensitive", roles.sensitive)):
        taken = set(roles.single.values())
        offered = [name for name in columns if name not in taken]
        said = [each.sentence for each in sensitive.values()] if topic == "sensitive" else []
        _show_many(files, topic, offered, chosen, said, settle)
    if roles.unused:
        show_note("Columns that play no role:", *(f"{name}: {reason}." for name, reason in roles.unused))


def replace_answers(files: VectorFiles, **changes: object) -> VectorFiles:
    """The files with other answers."""
    return replace(files, answers=replace(files.answers, **changes))


def _answered(files: VectorFiles, topic: str, value: str) -> VectorFiles:
    if topic == METADATA:
        chosen = next(each for each in files.files if each.name == value)
        return files.with_kind(chosen.sha256, METADATA)
    if topic == "vectors":
        return replace_answers(files, vectors=value)
    return replace(files, answers=with_role(files.answers, topic, value))


def with_role(answers: EmbeddingAnswers, role: str, column: str) -> EmbeddingAnswers:
    """The answers with one more; a column that is given a role loses another that it was given before."""
    others = {name: held for name, held in answers.roles.items() if held != column or not column}
    cohorts, sensitive = (
        None if held is None else tuple(name for name in held if name != column)
        for held in (answers.cohorts, answers.sensitive)
    )
    return replace(answers, roles={**others, role: column}, cohorts=cohorts, sensitive=sensitive)


def _show_files(files: VectorFiles, settle: Settle) -> None:
    for each in files.files:
        key = f"vectors:file:{each.sha256}"
        st.session_state[key] = each.kind
        control, _rest = st.columns([2, 5], vertical_alignment="center")
        control.selectbox(
            as_plain_markdown(each.name),
            [NOBODY, *KINDS],
            key=key,
            format_func=KIND_WORDS.__getitem__,
            on_change=lambda sha256=each.sha256, key=key: settle(files.with_kind(sha256, str(st.session_state[key]))),
        )


def _show_one(
    files: VectorFiles, role: str, columns: list[str], chosen: str, evidence: Evidence | None, settle: Settle
) -> None:
    key = f"vectors:map:{role}"
    st.session_state[key] = chosen
    control, why = st.columns([2, 5], vertical_alignment="center")
    nobody = "None: rows go by their order" if role == "id" else "None"
    control.selectbox(
        WORDS[role],
        [NOBODY, *columns],
        key=key,
        format_func=lambda value: value or nobody,
        on_change=lambda: settle(replace(files, answers=with_role(files.answers, role, str(st.session_state[key])))),
    )
    with why:
        show_evidence(evidence)


def _show_many(
    files: VectorFiles, topic: str, columns: list[str], chosen: tuple[str, ...], said: list[str], settle: Settle
) -> None:
    key = f"vectors:map:{topic}"
    st.session_state[key] = list(chosen)
    control, why = st.columns([2, 5], vertical_alignment="center")
    control.multiselect(
        MANY[topic],
        columns,
        key=key,
        placeholder="None",
        on_change=lambda: settle(replace_answers(files, **{topic: tuple(str(name) for name in st.session_state[key])})),
    )
    with why:
        if topic == "sensitive":
            show_note(*said, "Leakage asks whether vectors tell these; they are treated as personal data.")
        else:
            show_note("Recall and everything else that is measured is also told for each value of these.")
