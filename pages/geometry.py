"""Geometry: how vectors lie, how far right answers are from wrong ones, who is alone, who is there twice."""

import streamlit as st

from lib.ui.embeddings_page import open_embeddings_page
from lib.ui.geometry import read_geometries, show_geometry
from lib.ui.html import show_answer
from lib.ui.near_duplicates import show_duplicates, show_outliers
from lib.ui.triplets import show_triplets
from lib.ui.vector_checks import watch_checks

diagnosis = open_embeddings_page("geometry", "Geometry")
checking, answer = st.container(), st.container()
view = read_geometries(diagnosis)
with answer:
    show_answer(view.answer())
show_geometry(diagnosis, view)
show_triplets(diagnosis)
show_outliers(diagnosis)
show_duplicates(diagnosis)
with checking:
    watch_checks(diagnosis)
