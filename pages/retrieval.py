"""Retrieval: how well each version finds right answers, which cohort lost, hubs, neighbours kept, and the index."""

import streamlit as st

from lib.ui.embeddings_page import open_embeddings_page
from lib.ui.html import show_answer, show_note
from lib.ui.retrieval import read_view, show_cohorts, show_index, show_measures, show_neighbourhoods
from lib.ui.vector_checks import watch_checks

diagnosis = open_embeddings_page("retrieval", "Retrieval")
checking, answer = st.container(), st.container()
view = read_view(diagnosis)
with answer:
    show_answer(view.answer())
    show_note(*view.notes())
show_measures(view)
show_cohorts(view)
show_neighbourhoods(view)
show_index(view)
with checking:
    watch_checks(diagnosis)
