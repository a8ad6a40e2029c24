"""Thresholds: what flagging above one does, how to choose one, and what another for each cohort would change."""

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.frame import provenance_line
from lib.figures.thresholds import plot_costs, plot_thresholds
from lib.figures.thresholds_view import ThresholdsView
from lib.figures.training_rows import training_rows_words
from lib.ui import state
from lib.ui.ending import end_page
from lib.ui.figure import current_look, show_figure
from lib.ui.html import show_answer, show_note
from lib.ui.page import open_page, read_folds
from lib.ui.thresholds import ask, offer_choice, pos_label, show_cohorts, show_confusion, show_measures

WORDS = """
**Threshold**: a row is flagged where its score is above it, and not where it is equal.

**Chosen**: the threshold to use is picked on all rows. What it does is told of rows that did not pick it: each tenth of
the ids is decided by the threshold that the other nine tenths pick.

**By precision**: the least threshold that reaches it. Precision may fall as the threshold rises, by chance above all;
so the share of positives along the score is first smoothed to one that only rises (an isotonic fit).

**By recall**: the greatest threshold that reaches it. **By flags**: the least that keeps the budget.

**By cost**: the threshold of least cost on these rows: where a row is as likely positive as a false alarm costs, of
what a false alarm, a miss and a caught positive are worth together.

**Interval of a threshold**: where the threshold of very many such rows lies, 95 %. By cost it takes for granted that a
higher score never means a smaller share of positives.

**No interval** stands beside what a chosen threshold does where the tenths decide too differently from it, as they do
by cost: its numbers are those of other thresholds then, and an interval of these would not hold what it does itself.

**Net benefit**: what flagging brings beside flagging none, in caught positives a row; a false alarm takes off p/(1 − p)
of one, p being the threshold.
"""


def show_thresholds(diagnosis: Diagnosis, of_class: str) -> None:
    """The page of a dataset that has decisions to make."""
    look, provenance = current_look(), provenance_line(diagnosis)
    answer = st.container()
    question = ask(diagnosis, of_class)
    tables = diagnosis.thresholds(of_class).fold_tables(question.column)
    if question.how != "threshold" and (problem := read_folds(diagnosis, *tables)):
        show_note(f"No threshold can be chosen and judged on other rows. {problem}")
        end_page()
    view = ThresholdsView.of(diagnosis, question, of_class)
    with answer:
        show_answer(view.answer())
        if view.nothing:
            end_page()
        show_note(training_rows_words(diagnosis))
    show_measures(view)
    show_cohorts(view)
    show_figure(
        plot_thresholds(view, look, provenance), "thresholds-figure", name="thresholds", table=view.frame(),
        alt=view.answer(),
    )  # fmt: skip
    show_confusion(view, of_class or pos_label(diagnosis))
    offer_choice(diagnosis, view)
    show_figure(plot_costs(view, look, provenance), "costs-figure", name="decision-costs")


diagnosis = open_page("thresholds", "Thresholds")
of_class = ""
if diagnosis.facts.mapping.is_multiclass:
    names = diagnosis.facts.mapping.class_names
    of_class = state.choose("threshold_class", "Flag rows of class", names, default=names[0])
with st.popover("What the words mean", icon=":material/dictionary:", type="tertiary"):
    st.markdown(WORDS)
show_thresholds(diagnosis, of_class)
