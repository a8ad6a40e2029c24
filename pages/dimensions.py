"""Dimensions: how small vectors can be made without losing recall, and what that saves."""

import streamlit as st

from lib.figures.dimensions_view import DimensionsView
from lib.ui.dimensions import ask_price, read_curves, show_curves
from lib.ui.embeddings_page import open_embeddings_page
from lib.ui.html import show_answer
from lib.ui.vector_checks import watch_checks

diagnosis = open_embeddings_page("dimensions", "Dimensions")
checking, answer = st.container(), st.container()
curves = read_curves(diagnosis)
view = DimensionsView.of(diagnosis, curves, ask_price())
with answer:
    show_answer(view.answer())
show_curves(diagnosis, view)
with checking:
    watch_checks(diagnosis)
