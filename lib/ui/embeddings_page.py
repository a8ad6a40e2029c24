"""The frame of every page of vectors: which set, its versions, what near means; and topics read with progress."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

from lib.embeddings import EmbeddingDiagnosis, EmbeddingSettings
from lib.embeddings.settings import KS
from lib.sources import Run
from lib.sources.embeddings import EmbeddingSet
from lib.ui import state
from lib.ui.datasets import workspace
from lib.ui.ending import end_page
from lib.ui.html import show_note
from lib.ui.jobs import Progress, begin, forget, is_at_work, settle, watch
from lib.ui.page import need_frame
from lib.ui.sidebar import NONE, held_names, say_closed
from lib.ui.vector_findings import show_vector_findings
from lib.ui.vector_sets import held_vectors, hold_vectors, open_vector_sample, vector_sample
from lib.vectors import Distance
from lib.workspace import VECTOR_SAMPLES, HeldDraft, OpenEmbeddings

T = TypeVar("T")
LENGTHS = (1, 3, 5, 10, 20, 50, 100)
"""Of lists of neighbours, to choose from."""
DISTANCES = {Distance.COSINE.value: "Cosine", Distance.EUCLIDEAN.value: "Euclidean"}
DISTANCE_HELP = (
    "What near means. Cosine looks at directions alone: the lengths of vectors do not count, and a vector of zeros has "
    "no place. Euclidean looks at lengths too."
)
K_HELP = "How many nearest rows are looked at: recall@k asks whether a right answer is among them."


def current_vectors() -> OpenEmbeddings | None:
    """The set of vectors of the view; a sample is opened, anything that is no longer there is said."""
    need_frame()
    token = state.get(state.VECTORS)
    if not token:
        return None
    if current_vector_draft() is not None:
        hold_vectors(token)
        return None
    opened, sample = workspace().embeddings(token), vector_sample(token)
    if opened is None and sample is not None:
        opened = read_topic(
            "vector-sample",
            token,
            f"Opening {sample.title.lower()}",
            lambda: False,
            lambda run, report: open_vector_sample(sample, run, report),
        )
    if opened is None:
        st.warning(
            "The vectors of this link are no longer open here: they are kept for twelve hours after they were last "
            "looked at, and while the server runs. Load the files again; the link's settings are kept."
        )
        return None
    hold_vectors(opened.token)
    return opened


def current_vector_draft() -> HeldDraft | None:
    """The draft of the view's set of vectors, if something has to be asked first."""
    return workspace().draft(state.get(state.VECTORS))


def open_embeddings_page(topic: str, title: str) -> EmbeddingDiagnosis:
    """Draw the frame of a page of vectors, with what the checks of its topic found, and give the diagnosis.

    Without a set of vectors the page says how to get one, and ends.
    """
    opened = current_vectors()
    with st.sidebar:
        show_vector_sets()
    st.title(title, anchor=False)
    if opened is None:
        draft = current_vector_draft()
        if draft is None:
            show_note("No vectors are loaded yet. Drop files of vectors on the Home page, or pick a sample there.")
        else:
            show_note(f"How {draft.name} is read has to be settled on the Home page first.")
        st.page_link("pages/home.py", label="Go to Home", icon=":material/arrow_forward:", query_params=state.current())
        end_page()
    diagnosis = diagnose_vectors(opened)
    show_vector_findings(diagnosis, topic=topic)
    return diagnosis


def diagnose_vectors(opened: OpenEmbeddings, *, beside: bool = False) -> EmbeddingDiagnosis:
    """The diagnosis under the sidebar's settings, which stand `beside` those of a dataset or alone."""
    with st.sidebar:
        settings = _choose_settings(opened.embeddings, " of the vectors" if beside else "")
        _show_link(opened)
    return opened.diagnosis(settings)


def read_topic(
    name: str,
    wanted: Hashable,
    words: str,
    holds: Callable[[], bool],
    read: Callable[[Run, Progress], T],
    *,
    again: str = "Begin again",
) -> T:
    """What `read` gives: at once where it is held, else with progress and a button to cancel.

    Until it is there, and where it was cancelled or failed, the run of the page ends here.

    Args:
        name: of the job; a page that reads several things one after the other gives each its own.
        wanted: everything that the result depends on: work on something else that goes on under the name is cancelled.
        words: what is being done, until the work says so itself.
        holds: whether the result is held, so that `read` gives it without work.
        read: the work; called in a thread of its own unless it is held.
        again: what the button says after a cancelled or failed attempt.
    """
    asked = f"topic:{name}"
    if holds():
        # What still goes on under the name is of other settings, or was done since the run that waited for it.
        forget(name)
        return read(Run(), lambda _share, _words: None)
    if st.session_state.get(asked) != wanted or not is_at_work(name):
        st.session_state[asked] = wanted
        begin(name, words, read)
    job = settle(name)
    assert job is not None, "it was begun"
    if job.problem is not None:
        show_note(job.problem or "Cancelled: nothing was changed.")
        st.button(again, key=f"again:{name}")
        end_page()
    return job.result  # type: ignore[return-value]


def watch_topic(
    name: str,
    wanted: Hashable,
    words: str,
    holds: Callable[[], bool],
    read: Callable[[Run, Progress], object],
    *,
    cancelled: str,
    again: str,
) -> None:
    """Read something behind a page that is drawn without it, with progress and a button to cancel; then draw it again.

    As `read_topic`, but the page goes on: call it where the progress is to stand.
    """
    asked, refused = f"topic:{name}", f"topic refused:{name}"
    if holds():
        forget(name)
        return
    if st.session_state.get(refused, (None,))[0] == wanted:
        show_note(st.session_state[refused][1])
        st.button(again, key=f"again:{name}", on_click=lambda: st.session_state.pop(refused, None))
        return
    if st.session_state.get(asked) != wanted or not is_at_work(name):
        st.session_state[asked] = wanted
        begin(name, words, read)
    if not watch(name):
        return
    job = settle(name)
    if job is not None and job.problem is not None:
        st.session_state[refused] = (wanted, job.problem or cancelled)
    st.rerun()


def show_vector_sets() -> None:
    """The list of sets of vectors: this session's and the samples."""
    samples = {sample.token: sample.title for sample in VECTOR_SAMPLES}
    names = held_names(held_vectors(), workspace().embeddings, samples)
    present = state.get(state.VECTORS)
    present = present if present in names else NONE
    chosen = state.choose(
        state.VECTORS, "Vectors", list(names), default=present, words=names.__getitem__, always=bool(present)
    )
    if chosen != present:
        state.look_at(state.VECTORS, chosen)
        st.rerun()


def _choose_settings(embeddings: EmbeddingSet, whose: str) -> EmbeddingSettings:
    defaults, names = EmbeddingSettings.choose(embeddings), list(embeddings.versions)
    baseline = candidate = defaults.baseline
    if len(names) > 1:
        baseline = state.choose("v_baseline", f"Baseline{whose}", names, default=defaults.baseline)
        candidate = state.choose("v_candidate", f"Candidate{whose}", names, default=defaults.candidate)
    else:
        for name in ("v_baseline", "v_candidate"):
            state.judge(name, f"{baseline}, the only version", fits=state.get(name) == baseline)
    usual = EmbeddingSettings.choose(embeddings, baseline=baseline, candidate=candidate).distance
    by_lengths = usual is Distance.EUCLIDEAN
    distance = state.choose(
        "v_distance",
        "Distance",
        list(DISTANCES),
        default=usual.value,
        words=DISTANCES.__getitem__,
        always=by_lengths,
        help=DISTANCE_HELP,
    )
    if by_lengths:
        show_note(
            f"All vectors of {baseline} have length 1, those of {candidate} do not: the Euclidean distance sees that, "
            "the cosine distance does not."
        )
    k = state.choose(
        "v_k", "k, neighbours looked at", [str(each) for each in LENGTHS], default=str(KS[-1]), draw=st.select_slider,
        help=K_HELP,
    )  # fmt: skip
    return EmbeddingSettings.choose(
        embeddings,
        baseline=baseline,
        candidate=candidate,
        distance=Distance(distance),
        ks=(*(each for each in KS if each < int(k)), int(k)),
    )


def _show_link(opened: OpenEmbeddings) -> None:
    """Who can see this, and the way to take it back."""
    if vector_sample(opened.token) is not None:
        show_note("The address of this page is a link to this view.")
        return
    show_note("The address of this page is a link to this view: whoever you give it to sees these vectors.")
    if st.button("Close these vectors", help="Removes their files from the server; links to them no longer work."):
        workspace().close(opened.token)
        state.look_at(state.VECTORS, NONE)
        say_closed(opened.name)
        st.switch_page("pages/home.py")
