"""Drift: how far the candidate's vectors are from the baseline's, whether it is a rotation, what they give away."""

import streamlit as st

from lib.ui.drift import read_view, show_cohorts, show_dimensions, show_measures, show_residuals
from lib.ui.drift_windows import show_over_time
from lib.ui.embeddings_page import open_embeddings_page
from lib.ui.html import show_answer
from lib.ui.leakage import show_leakage
from lib.ui.vector_checks import watch_checks

diagnosis = open_embeddings_page("drift", "Drift")
checking = st.container()
if diagnosis.is_compared:
    answer = st.container()
    view = read_view(diagnosis)
    with answer:
        show_answer(view.answer())
    show_measures(diagnosis, view)
    show_residuals(diagnosis, view)
    show_dimensions(diagnosis, view)
    show_cohorts(diagnosis, view)
else:
    show_answer("There is one version: what moved between versions can be told only of two.")
show_over_time(diagnosis)
show_leakage(diagnosis)
with checking:
    watch_checks(diagnosis)
