"""Slices: the worst combinations of columns, found on one half of the rows and confirmed on the other."""

import streamlit as st

from lib.figures.frame import provenance_line
from lib.figures.slices import plot_slices
from lib.figures.slices_view import SlicesView
from lib.ui.ending import end_page
from lib.ui.figure import current_look, show_figure
from lib.ui.html import show_answer, show_note
from lib.ui.page import need_rows, open_page
from lib.ui.slices import choose_query, say_why_not, settle_slices, show_one_slice, show_slices_table

diagnosis = open_page("slices", "Slices")
scan = need_rows(diagnosis, say_why_not(diagnosis))
answer = st.container()
query = choose_query(diagnosis)
if query is None:
    end_page()
found = settle_slices(scan, query)
with answer:
    view = None if found is None else SlicesView.of(diagnosis, found)
    show_answer("Where the model is worse than in the rest: search." if view is None else f"{view.title()}.")
if view is None:
    end_page()
show_note(*view.notes())
if view.slices:
    figure = plot_slices(view, current_look(), provenance_line(diagnosis))
    show_figure(figure, "slices-figure", name="worst-slices", table=view.frame())
    show_slices_table(view)
    show_one_slice(diagnosis, view, scan)
