"""Home: files in, their columns explained, then every version at a glance and what was found."""

from functools import partial

import streamlit as st

from lib.scan import Scan
from lib.ui.datasets import Draft
from lib.ui.embeddings_page import current_vector_draft, current_vectors, diagnose_vectors, show_vector_sets
from lib.ui.findings import show_findings
from lib.ui.histories import show_training_link
from lib.ui.html import show_answer, show_note
from lib.ui.intake import (
    apply_draft,
    drop_draft,
    settle_draft,
    settle_opened,
    show_samples,
    show_uploader,
    show_welcome,
    take_files,
)
from lib.ui.mapping import show_mapping, show_questions
from lib.ui.overview import overview_sentence, show_overview, show_trend
from lib.ui.page import current_dataset, current_draft, diagnose, watch_features
from lib.ui.rejected import show_rejected
from lib.ui.sidebar import show_closed, show_datasets
from lib.ui.vector_checks import watch_checks
from lib.ui.vector_findings import show_vector_findings
from lib.ui.vector_sets import VectorFiles
from lib.ui.vectors_home import is_sample, show_open_vectors, show_vector_draft, take_vectors, vectors_sentence
from lib.workspace import HeldDraft, OpenDataset


def show_draft(held: HeldDraft, draft: Draft) -> None:
    """The mapping of files that were read but are not open yet, or are to be read otherwise."""
    settle = partial(settle_draft, held)
    st.title("How the columns are read", anchor=False)
    if held.problem:
        st.error(held.problem, icon=":material/error:")
    if draft.inference.questions:
        show_answer("This has to be said before anything is computed; the rest can be changed here too.")
        show_questions(draft, settle)
    else:
        show_answer("Nothing is left to be asked. Look it over, change what is wrong, then open it.")
    with st.container(horizontal=True):
        st.button(
            "Open with this mapping",
            type="primary",
            disabled=bool(draft.inference.questions),
            on_click=apply_draft,
            args=(held,),
        )
        st.button("Discard", on_click=drop_draft, args=(held,))
    show_mapping(draft, settle)


def show_opened(opened: OpenDataset) -> None:
    """The findings of an open dataset, its overview, and how it was read."""
    diagnosis = diagnose(opened)
    show_answer(overview_sentence(diagnosis))
    show_training_link()
    show_findings(diagnosis)
    if not diagnosis.facts.mapping.label:
        show_note("No column holds labels, so nothing that needs one is defined: margins, losses, rates of errors.")
    st.subheader("Versions", anchor=False)
    show_overview(diagnosis)
    show_trend(diagnosis)
    if isinstance(opened.tables, Scan) and diagnosis.facts.problems:
        show_rejected(opened.tables, diagnosis.facts)
    if isinstance(opened.draft, Draft):
        with st.expander("How the columns were read"):
            show_mapping(opened.draft, partial(settle_opened, opened))
    watch_features(diagnosis)


take_files()
take_vectors()
show_closed()
opened, vectors = current_dataset(), current_vectors()
with st.sidebar:
    show_datasets()
    show_vector_sets()
held, held_vectors = current_draft(), current_vector_draft()
if held_vectors is not None and isinstance(held_vectors.content, VectorFiles):
    show_vector_draft(held_vectors, held_vectors.content)
elif held is not None and isinstance(held.content, Draft):
    show_draft(held, held.content)
elif opened is None and vectors is None:
    show_welcome()
    show_training_link()
else:
    is_own = any(each is not None and not is_sample(each.token) for each in (opened, vectors))
    of_vectors = None if vectors is None else diagnose_vectors(vectors, beside=opened is not None)
    checking = st.container()
    if vectors is not None and of_vectors is not None:
        with checking:
            st.title(vectors.name, anchor=False)
            show_answer(vectors_sentence(vectors.embeddings))
            show_vector_findings(of_vectors)
        show_open_vectors(vectors)
    if opened is not None:
        (st.title if vectors is None else st.header)(opened.name, anchor=False)
    if not is_own:
        show_uploader()
        with st.expander("This is a bundled sample: what a file of your own holds, and other samples"):
            show_samples()
    if opened is not None:
        show_opened(opened)
    else:
        show_training_link()
    if is_own:
        with st.expander("Load other files or a sample"):
            show_uploader()
            show_samples()
    if of_vectors is not None:
        with checking:
            watch_checks(of_vectors, offers=True)
