"""Files in: the uploader, the samples, and the way from a draft to an open dataset."""

from __future__ import annotations

import streamlit as st

from lib.errors import MarginaliaError
from lib.figures.text import plain
from lib.sources import Answers
from lib.sources.columns import join_names
from lib.ui import state
from lib.ui.arrivals import Arrived, read_uploads
from lib.ui.datasets import (
    Draft,
    answer,
    draft_again,
    find_same,
    hold,
    open_draft,
    remember,
    remembered,
    sample_named,
    workspace,
)
from lib.ui.histories import hold_histories, offer_training_sample
from lib.ui.html import show_answer, show_note
from lib.ui.jobs import Job, begin, is_at_work, resume, settle
from lib.ui.uploader import render_uploader
from lib.ui.vector_sets import find_same_vectors, hold_vectors
from lib.workspace import SAMPLES, VECTOR_SAMPLES, HeldDraft, OpenDataset

_PROBLEM, _READING, _SAME = "intake-problem", "intake-reading", "intake-same"


def show_welcome() -> None:
    """What stands here while nothing is open: the words of welcome, the uploader and the samples."""
    st.title("Marginalia", anchor=False)
    show_answer(
        "Drop in a file of predictions. See within seconds where the model is unsure, whom it fails, and what the "
        "last deploy changed."
    )
    show_uploader()
    show_samples(abreast=True)


def show_uploader() -> None:
    """Where files are dropped; those that have arrived are read."""
    uploads = render_uploader("files", label="Choose files")
    # Each arrival is read once and by itself, so that a file that could not be used does not spoil those after it.
    fresh = [upload for upload in uploads if upload.path not in st.session_state.setdefault("read-uploads", set())]
    if fresh:
        st.session_state["read-uploads"] |= {upload.path for upload in fresh}
        names = [upload.name for upload in fresh]
        if (same := find_same(fresh)) is not None:
            st.session_state[_SAME] = _same_words(names, same.name)
            _look_at(same.token)
            st.rerun()
        if (held := find_same_vectors(fresh)) is not None:
            st.session_state[_SAME] = _same_words(names, held.name)
            _look_at_vectors(held.token)
            st.rerun()
        known = dict(remembered())
        _end_reading()
        job = begin("files", f"Reading {fresh[0].name}", lambda run, report: read_uploads(fresh, run, report, known))
        st.session_state[_READING] = workspace().hold(fresh[0].name, job, None).token
        st.rerun()


def show_samples(*, abreast: bool = False) -> None:
    """What a file holds, and the samples, beside each other or one below the other."""
    show_note(
        "A row is one prediction: a label, a score, and whatever you want to cut by (version, time, language …). "
        "Several files at once are compared as versions. Files of vectors are recognised, with the metadata of their "
        "rows beside them, and training histories: those of Keras, "
        "Lightning, Hugging Face, XGBoost, LightGBM, scikit-learn, MLflow, Weights & Biases and TensorBoard. Files "
        "stay on this server, private to whoever has the link."
    )
    st.subheader("Or look at a sample", anchor=False)
    offered = [(state.DATASET, sample) for sample in SAMPLES] + [(state.VECTORS, sample) for sample in VECTOR_SAMPLES]
    n = len(offered) + 1
    # Four abreast: the titles of more would be cut.
    rows = [st.columns(4) for _row in range(0, n, 4)] if abreast else []
    places = [place for row in rows for place in row][:n] or [st.container() for _place in range(n)]
    with places[-1]:
        offer_training_sample()
    for place, (half, sample) in zip(places, offered, strict=False):
        with place:
            st.button(
                sample.title,
                key=f"open:{sample.token}",
                on_click=state.look_at,
                args=(half, sample.token),
                width="stretch",
            )
            show_note(sample.description)


def _follow_reading() -> None:
    """Put a reading that takes long into the link, and take up that of the link after a reload of the browser."""
    token = st.session_state.get(_READING) or state.get("reading")
    held = workspace().draft(token)
    if held is None or not isinstance(held.content, Job):
        state.put("reading", "")
        return
    if not is_at_work("files"):
        resume("files", held.content)
    st.session_state[_READING] = token
    if not held.content.wait():
        state.put("reading", token)


def _end_reading() -> None:
    workspace().close(st.session_state.pop(_READING, ""))
    state.put("reading", "")


def take_files() -> None:
    """Take over what a job has read: a dataset, or a draft to be settled, becomes the view; a problem is said.

    A job that a reload of the browser has left behind is found again by the link.
    """
    _follow_reading()
    for name in ("files", "open"):
        job = settle(name)
        if job is None:
            continue
        if name == "files":
            _end_reading()
        result = job.result
        if isinstance(result, Arrived):
            hold_histories(result.histories)
            if result.vectors is not None:
                hold_vectors(result.vectors.token)
                _look_at_vectors(result.vectors.token)
            elif result.dataset is None:
                st.switch_page("pages/training.py")
            result = result.dataset
        if isinstance(result, OpenDataset | HeldDraft):
            if isinstance(result, OpenDataset):
                remember(result)
            hold(result.token)
            _look_at(result.token)
        elif job.problem:
            st.session_state[_PROBLEM] = job.problem
    problem = st.session_state.pop(_PROBLEM, None)
    if problem:
        st.error(problem, icon=":material/error:")
    if said := st.session_state.pop(_SAME, None):
        show_note(said)


def _same_words(names: list[str], held: str) -> str:
    """What is said where files are opened that are open already."""
    given, verb, are = join_names(names), "has" if len(names) == 1 else "have", "is" if len(names) == 1 else "are"
    if given == held:
        return f"{plain(given)} {are} here already, byte for byte the same; this is it. It was not read again."
    return (
        f"{plain(given)} {verb} byte for byte the content of {plain(held)}, which is here already; this is it. "
        "Nothing was read again."
    )


def apply_draft(held: HeldDraft) -> None:
    """Scan a draft whose questions are settled."""
    draft = held.content
    assert isinstance(draft, Draft)
    begin("open", "Reading the rows", lambda run, report: open_draft(draft, run, report, held))


def drop_draft(held: HeldDraft) -> None:
    """Forget a draft; what was open before is looked at again."""
    workspace().close(held.token)
    if held.origin:
        state.put("dataset", held.origin)
    else:
        state.look_at(state.DATASET, "")


def settle_draft(held: HeldDraft, answers: Answers) -> None:
    """Infer again with one more answer; a sentence where the answer cannot be."""
    assert isinstance(held.content, Draft)
    try:
        held.content, held.problem = answer(held.content, answers), ""
    except MarginaliaError as error:
        st.session_state[_PROBLEM] = str(error)


def settle_opened(opened: OpenDataset, answers: Answers) -> None:
    """Begin to read an open dataset otherwise; it stays open as it was until the new mapping is applied."""
    try:
        state.put("dataset", draft_again(opened, answers).token)
    except MarginaliaError as error:
        st.session_state[_PROBLEM] = str(error)


def _look_at(token: str) -> None:
    state.look_at(state.DATASET, token)


def _look_at_vectors(token: str) -> None:
    """Look at vectors that were given; a bundled sample leaves the view, for its findings are not the person's."""
    if sample_named(state.get(state.DATASET)) is not None:
        state.look_at(state.DATASET, "")
    state.look_at(state.VECTORS, token)
