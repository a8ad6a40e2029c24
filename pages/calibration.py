"""Calibration: whether a probability means what it says, and which map would mend it."""

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.calibration import plot_bins, plot_parts, plot_reliability
from lib.figures.calibration_view import EQUAL_MASS, EQUAL_WIDTH, CalibrationView
from lib.figures.calibration_words import TOP_LABEL, class_words
from lib.figures.frame import provenance_line
from lib.figures.training_rows import training_rows_words
from lib.metrics.calibration import BINS, WIDTHS
from lib.ui import state
from lib.ui.calibration import show_errors, show_parts_of_data, show_recalibration
from lib.ui.figure import current_look, show_figure
from lib.ui.html import show_answer, show_note
from lib.ui.page import open_page

WORDS = """
**Calibrated**: of the rows with a probability p, a share p is positive, at every p.

**Reliability curve** (CORP): the share of positives along p, smoothed to one that only rises (an isotonic fit). The
band is where the curve of a calibrated model lies in 95 % of such files.

**Miscalibration, discrimination, uncertainty**: the Brier score and the log loss are the first, less the second, plus
the third: what a better map of the same scores would save, what the ranking brings, and what the classes' shares cost.

**ECE, ACE, MCE**: |share − mean p| over bins of equal width, over bins of equal mass, and the largest of any bin. All
grow by chance in few rows: hence the floor, and the **debiased error**, whose mean is right. **Smooth ECE** has
no bins.

**Slope and intercept**: of a logistic regression on the log odds; 1 and 0 where calibrated. Below 1: too sure of
itself.

**Recalibration**: a map of the score to a better probability. **Platt** shifts and stretches the log odds,
**temperature** stretches them, **beta** bends each end on its own, **isotonic** takes any rising form and needs the
most rows.
"""
BY = {EQUAL_WIDTH: "Equal width", EQUAL_MASS: "Equal mass"}


def show_bins(view: CalibrationView, provenance: str) -> None:
    """The binned diagram."""
    ways = [EQUAL_MASS] if view.is_too_coarse() else list(BY)
    with st.container(horizontal=True):
        by = state.choose("bins_by", "Bins of", ways, default=ways[0], draw=st.segmented_control, words=BY.__getitem__)
        n_bins = int(state.choose("n_bins", "Number", [str(each) for each in WIDTHS], default=str(BINS)))
    figure = plot_bins(view, n_bins, by, current_look(), provenance)
    show_figure(figure, "bins-figure", name="reliability-bins", table=view.bins_frame(n_bins, by))


def show_calibration(diagnosis: Diagnosis, view: CalibrationView) -> None:
    """What there is to see of probabilities."""
    look, provenance = current_look(), provenance_line(diagnosis)
    figure = plot_reliability(view, look, provenance)
    show_figure(figure, "reliability-figure", name="reliability", table=view.curve_frame())
    show_errors(view)
    show_figure(plot_parts(view, look, provenance), "parts-figure", name="parts-of-scores", table=view.parts_frame())
    show_bins(view, provenance)


diagnosis = open_page("calibration", "Calibration")
answer = st.container()
name = ""
if diagnosis.facts.mapping.is_multiclass:
    options = [TOP_LABEL, *diagnosis.facts.mapping.class_names]
    chosen = state.choose("class", "Probability of", options, default=TOP_LABEL, words=class_words)
    name = "" if chosen == TOP_LABEL else chosen
view = CalibrationView.of(diagnosis, name)
with answer:
    show_answer(view.answer())
    show_note(training_rows_words(diagnosis), view.rounding_words(), view.marked_words())
with st.popover("What the words mean", icon=":material/dictionary:", type="tertiary"):
    st.markdown(WORDS)
if not view.nothing:
    show_calibration(diagnosis, view)
if view.can_recalibrate:
    show_recalibration(diagnosis)
if not view.nothing:
    show_parts_of_data(diagnosis)
