"""What happened to recall?: the causes and their shares, what would undo it, the parts, and every lost query."""

import streamlit as st

from lib.figures.recall_view import nothing_words
from lib.ui.embeddings_page import open_embeddings_page
from lib.ui.ending import end_page
from lib.ui.html import show_answer, show_note
from lib.ui.lost_queries import show_ledger
from lib.ui.recall import read_view, show_causes, show_counterfactuals, show_groups, show_parts
from lib.ui.vector_checks import watch_checks

diagnosis = open_embeddings_page("recall", "What happened to recall?")
checking = st.container()
if nothing := nothing_words(diagnosis):
    show_answer(nothing)
    end_page()
answer = st.container()
view = read_view(diagnosis)
with answer:
    show_answer(view.answer())
    show_note(*view.notes())
show_causes(view)
show_counterfactuals(view)
show_parts(view)
show_ledger(view)
show_groups(view)
with checking:
    watch_checks(diagnosis)
