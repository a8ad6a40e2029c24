"""Comparison: candidate against baseline, paired by id where rows are the same, and what a change is made of."""

import streamlit as st

from lib.comparisons import Comparison
from lib.figures.comparison_view import ComparisonView
from lib.ui.comparison import (
    choose_samples,
    choose_tolerances,
    read_pairs,
    show_disagreement,
    show_ledger,
    show_metrics,
    show_parts,
)
from lib.ui.ending import end_page
from lib.ui.html import show_answer, show_note
from lib.ui.page import open_page
from lib.ui.versions import show_serving, show_versions

diagnosis = open_page("comparison", "Comparison")
answer = st.container()
samples = choose_samples(diagnosis)
if samples is None:
    show_answer("There is one version, and no two splits, windows or cohorts of it: nothing can be compared.")
    end_page()
comparison = Comparison(diagnosis, samples)
if comparison.is_of_versions:
    read_pairs(diagnosis)
points, per_cent = choose_tolerances()
view = ComparisonView.of(comparison, points, per_cent)
with answer:
    show_answer(view.answer())
    show_note(view.pairing())
show_metrics(view)
if view.flips is not None:
    show_ledger(view, view.flips)
    show_disagreement(comparison)
show_parts(comparison)
if comparison.is_of_versions:
    show_versions(diagnosis)
    show_serving(diagnosis)
