"""The set of vectors on Home: what it holds, how it was read, what can be added, and the way to its pages."""

from __future__ import annotations

import streamlit as st

from lib.errors import MarginaliaError
from lib.figures.format import format_count, format_plural
from lib.sources.columns import join_names
from lib.sources.embeddings import EmbeddingSet
from lib.ui import state
from lib.ui.datasets import sample_named, workspace
from lib.ui.html import Cell, Column, show_note, show_table
from lib.ui.jobs import begin, settle
from lib.ui.uploader import render_uploader
from lib.ui.vector_mapping import KIND_WORDS, Settle, on_a_page, show_vector_mapping, show_vector_question
from lib.ui.vector_sets import (
    KINDS,
    METADATA,
    VECTORS,
    VectorFiles,
    add_files,
    files_of,
    hold_vectors,
    open_vectors,
    reopen_vectors,
    vector_sample,
)
from lib.vectors import Vectors
from lib.workspace import HeldDraft, OpenEmbeddings

JOB = "vectors"
_PROBLEM = "vectors-problem"
READING = "Reading the vectors"
NO_TRUTH = (
    "Nothing tells which rows are right answers: recall is not defined. If a column of the metadata does, unfold "
    "How the vectors were read and choose it as Label (on the command line: --label)."
)


def take_vectors() -> None:
    """Take over a set that a job has read otherwise; a problem is said, and what was open stays."""
    job = settle(JOB)
    if job is not None and isinstance(job.result, OpenEmbeddings | HeldDraft):
        hold_vectors(job.result.token)
        state.put(state.VECTORS, job.result.token)
    elif job is not None and job.problem:
        st.session_state[_PROBLEM] = on_a_page(job.problem)
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(problem, icon=":material/error:")


def show_vector_draft(held: HeldDraft, files: VectorFiles) -> None:
    """Files of vectors of which something has to be said first."""
    st.title("How the vectors are read", anchor=False)
    question = files.problem
    assert question is not None, "a draft has a question"

    def read(answered: VectorFiles) -> None:
        begin(JOB, READING, lambda run, report: open_vectors(answered, run, report, held.token))

    def settle_question(answered: VectorFiles) -> None:
        is_open = any(not each.kind for each in answered.files) and not question.topic
        if is_open:
            held.content = answered
        else:
            read(answered)

    show_vector_question(files, question, settle_question)
    with st.container(horizontal=True):
        if not question.topic:
            st.button("Open", type="primary", disabled=not files.named(VECTORS), on_click=read, args=(files,))
        st.button("Discard", on_click=_discard, args=(held.token,))
    show_vector_mapping(files, None, settle_question)


def _discard(token: str) -> None:
    workspace().close(token)
    state.look_at(state.VECTORS, "")


def is_sample(token: str) -> bool:
    """Whether a token is that of a bundled dataset or set of vectors."""
    return sample_named(token) is not None or vector_sample(token) is not None


def show_open_vectors(opened: OpenEmbeddings) -> None:
    """What an open set holds and the way to its pages; how it was read, and what can be added."""
    data = opened.embeddings
    show_table(
        [Column("Version"), Column("Vectors"), Column("Dimension"), Column("Stored as"), Column("Queries, gallery")],
        [_version_row(name, vectors) for name, vectors in data.versions.items()],
    )
    st.page_link(
        "pages/projection.py", label="Look at the map", icon=":material/scatter_plot:", query_params=state.current()
    )
    files = files_of(opened)
    if files is None:
        return

    def read(answered: VectorFiles) -> None:
        begin(JOB, READING, lambda run, report: reopen_vectors(opened, answered, run, report))

    with st.expander("How the vectors were read"):
        show_note(*data.notes, *(note for each in data.inputs for note in each.notes))
        show_vector_mapping(files, data, read)
    if vector_sample(opened.token) is None:
        with st.expander("Add metadata, right answers or another version"):
            _show_adding(files, read)


def _show_adding(files: VectorFiles, read: Settle) -> None:
    kinds = [kind for kind in KINDS if kind != VECTORS]
    kind = st.radio(
        "A file without vectors is",
        kinds,
        index=kinds.index(METADATA),
        format_func=KIND_WORDS.__getitem__,
        key="vectors:kind",
        horizontal=True,
    )
    show_note("A file of vectors becomes another version, or another part of one; the file that it replaces goes.")
    uploads = render_uploader("vector-files", label="Choose a file")
    seen = st.session_state.setdefault("read-vector-files", set())
    fresh = [upload for upload in uploads if upload.path not in seen]
    if fresh:
        seen |= {upload.path for upload in fresh}
        try:
            read(add_files(files, fresh, kind))
        except MarginaliaError as error:
            st.session_state[_PROBLEM] = str(error)
        st.rerun()


def vectors_sentence(data: EmbeddingSet) -> str:
    """What a set holds, in a sentence."""
    n = sum(vectors.n for vectors in data.versions.values())
    parts = [f"{format_plural(n, 'vector')} in {format_plural(len(data.versions), 'version')}"]
    label, roles = data.roles.column("label"), data.roles
    parts.append(f"right answers by {label}" if label and data.truth else "right answers given" if data.truth else "")
    parts.append(f"cohorts {join_names(roles.cohorts)}" if roles.cohorts else "")
    said = "; ".join(part for part in parts if part)
    return f"{said}. {'' if data.truth else NO_TRUTH}"


def _version_row(name: str, vectors: Vectors) -> list[Cell]:
    unusable = int((~vectors.is_good).sum())
    both = bool((vectors.is_query & vectors.is_gallery).all())
    return [
        Cell(name),
        Cell(format_count(vectors.n), f"{format_count(unusable)} cannot be used" if unusable else ""),
        Cell(format_count(vectors.dimension)),
        Cell(vectors.stored_as),
        Cell("all are both")
        if both
        else Cell(f"{format_count(int(vectors.is_query.sum()))}, {format_count(int(vectors.is_gallery.sum()))}"),
    ]
