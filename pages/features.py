"""Features: what the model was given, which of it moved, and which explains violations."""

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.features import plot_along, plot_distribution, plot_feature_windows
from lib.figures.features_view import (
    EXPLAINS,
    MOST_ROWS,
    MOVED,
    FeatureRow,
    FeatureView,
    RankingView,
)
from lib.figures.format import format_count, format_plural
from lib.figures.frame import provenance_line
from lib.ui import state
from lib.ui.downloads import offer_csv
from lib.ui.figure import current_look, show_figure
from lib.ui.html import show_answer, show_note
from lib.ui.page import open_page, read_feature, read_features
from lib.ui.ranking import show_ranking

RANKS = {MOVED: "How far they moved", EXPLAINS: "What they explain"}


def show_feature(diagnosis: Diagnosis, row: FeatureRow) -> None:
    """One feature in full."""
    look, provenance = current_look(), provenance_line(diagnosis)
    by = "version"
    if diagnosis.facts.splits:
        by = state.choose("feature_by", "Apart by", ["version", "split"], default=by, draw=st.segmented_control)
    read_feature(diagnosis, row.column)
    view = FeatureView.of(diagnosis, row.column, "split" if by == "split" else "version")
    move = row.drift.move("other splits" if by == "split" else "baseline")
    figure = plot_distribution(view, move, look, provenance)
    show_figure(figure, "distribution-figure", name="feature-distribution", table=view.distribution_frame())
    along = plot_along(view, look, provenance, does_explain=row.does_explain)
    show_figure(along, "along-figure", name="violations-along-feature", table=view.along_frame())
    if view.has_course:
        course = plot_feature_windows(view, look, provenance)
        show_figure(course, "course-figure", name="feature-over-time", table=view.time_frame())


def show_features(diagnosis: Diagnosis) -> None:
    """The page of a dataset that has features."""
    answer = st.container()
    rank = state.choose(
        "rank", "Ranked by", list(RANKS), default=MOVED, draw=st.segmented_control, words=RANKS.__getitem__
    )
    ranking = RankingView.of(diagnosis, rank)
    with answer:
        show_answer(ranking.answer())
    if ranking.one_in > 1:
        show_note(f"Of so many values one row in {ranking.one_in} is compared (n = {format_count(ranking.n)}).")
    show_ranking(ranking.rows[:MOST_ROWS], diagnosis)
    if len(ranking.rows) > MOST_ROWS:
        with st.expander(format_plural(len(ranking.rows[MOST_ROWS:]), "other feature")):
            show_ranking(ranking.rows[MOST_ROWS:], diagnosis)
    offer_csv(ranking.frame, "features", provenance=provenance_line(diagnosis), key="features:csv")
    names = [row.column for row in ranking.rows]
    column = state.choose("feature", "One feature", names, default=names[0])
    show_feature(diagnosis, next(row for row in ranking.rows if row.column == column))


diagnosis = open_page("features", "Features")
if not diagnosis.feature_columns:
    show_note(
        "No column was read as a feature. Any column of numbers can be one: give it that role on the Home page, under "
        "how the columns were read. Cohort columns are compared here too."
    )
elif not diagnosis.can_read_features:
    show_note("Only saved cells are loaded: they hold no features. Load the file itself to compare them.")
else:
    read_features(diagnosis)
    show_features(diagnosis)
