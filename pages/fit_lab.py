"""Fit lab: hinge and logistic loss fitted to the file's own rows, or to vectors of the same ids, side by side."""

import streamlit as st

from lib.figures.fit_lab import plot_lab_margins, plot_lab_reliability, plot_plane
from lib.figures.fit_lab_view import LOSSES, FitLabView
from lib.ui.downloads import offer_csv
from lib.ui.ending import end_page
from lib.ui.figure import current_look, show_figure, side_by_side
from lib.ui.fit_lab import choose_request, choose_vectors, say_why_not, settle_lab, show_comparison, vectors_beside
from lib.ui.html import show_answer, show_note
from lib.ui.page import need_rows, open_page


def show_lab(view: FitLabView) -> None:
    """Both fits: what they were fitted to, the plane, the numbers, margins and calibration."""
    show_note(*view.notes())
    for (place, half), loss in zip(side_by_side(), LOSSES, strict=True):
        with place:
            figure = plot_plane(view, loss, half)
            show_figure(figure, f"{loss}-plane", name=f"{loss}-plane", table=view.points_frame(loss))
    show_comparison(view)
    offer_csv(view.metrics_frame, "fits", provenance=view.provenance, key="fits:csv")
    look = current_look()
    margins = plot_lab_margins(view, look)
    show_figure(margins, "lab-margins", name="fit-margins", table=view.distribution.frame())
    curves = plot_lab_reliability(view, look)
    show_figure(curves, "lab-reliability", name="fit-reliability", table=view.reliability_frame())


diagnosis = open_page("fit_lab", "Fit lab")
beside = vectors_beside(diagnosis)
scan = need_rows(diagnosis, say_why_not(diagnosis, beside))
answer = st.container()
vectors = choose_vectors(diagnosis, beside)
request = choose_request(diagnosis, beside, vectors)
if request is None:
    end_page()
fitted = settle_lab(scan, request, vectors)
view = None if fitted is None else FitLabView(diagnosis, request, fitted)
with answer:
    show_answer("Hinge against logistic loss on your own rows: fit both." if view is None else view.sentence())
if view is not None:
    show_lab(view)
