"""Cohorts: whom the model fails, ranked by how surely each is worse than the rest."""

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.cohorts import plot_cohorts
from lib.figures.cohorts_view import CohortsView
from lib.figures.crossing import plot_crossing
from lib.figures.crossing_view import CrossingView
from lib.figures.format import format_plural
from lib.figures.frame import provenance_line
from lib.metrics.catalogue import METRICS, metric_named
from lib.metrics.cohorts import SMALL
from lib.ui import state
from lib.ui.cohorts import offer_cohort, show_classes
from lib.ui.figure import current_look, show_figure
from lib.ui.findings import column_of_findings
from lib.ui.html import show_answer, show_note
from lib.ui.page import open_page


def show_crossing(diagnosis: Diagnosis, column: str, metric: str) -> None:
    """The chosen column crossed with another, where one is chosen."""
    others = [each for each in diagnosis.facts.cohorts if each != column]
    if not others:
        return
    name = f"Cross {column} with"
    other = state.choose("crossed", name, ["", *others], default="", words=lambda each: each or "Nothing")
    if other:
        with st.spinner("Crossing the two columns", show_time=True):
            crossing = CrossingView.of(diagnosis, column, other, metric)
        figure = plot_crossing(crossing, current_look(), provenance_line(diagnosis))
        show_figure(figure, "crossing-figure", name=f"crossing-{metric}", table=crossing.frame())


def show_cohorts(diagnosis: Diagnosis) -> None:
    """The page of a dataset that has cohorts."""
    look, provenance = current_look(), provenance_line(diagnosis)
    answer = st.container()
    columns = diagnosis.facts.cohorts
    chosen = [column for column, _value in diagnosis.settings.where.cohorts]
    # Of a column that the filter holds to one value there is nothing to rank.
    found = column_of_findings(diagnosis)
    default = next((each for each in (found, *columns) if each in columns and each not in chosen), columns[0])
    with st.container(horizontal=True):
        column = state.choose("by", "Cohorts of", columns, default=default)
        metric = state.choose(
            "metric",
            "Metric",
            [each.name for each in METRICS if each.is_of(diagnosis.metric_settings)],
            default="violation_rate",
            words=lambda name: metric_named(name).label,
        )
    view = CohortsView.of(diagnosis, column, metric)
    with answer:
        show_answer(view.answer())
    show_note(metric_named(metric).definition)
    if view.nothing:
        return
    show_figure(plot_cohorts(view, look, provenance), "cohorts-figure", name=f"cohorts-{metric}", table=view.frame())
    offer_cohort(diagnosis, view, metric)
    show_crossing(diagnosis, column, metric)
    if diagnosis.facts.mapping.is_multiclass:
        return
    st.subheader("By class", anchor=False)
    version = view.versions[-1]
    if len(view.versions) > 1:
        version = state.choose("class_version", "Of", view.versions, default=version, draw=st.segmented_control)
    show_classes(view, view.drawn, version)
    if view.folded:
        words = format_plural(len(view.small), "small cohort") if view.small else "Cohorts ranked lower"
        with st.expander(f"{words} (a cohort is small below {SMALL} labelled rows)"):
            show_classes(view, view.folded, version)


diagnosis = open_page("cohorts", "Cohorts")
if diagnosis.facts.cohorts:
    show_cohorts(diagnosis)
else:
    show_note("No column was read as a cohort. Give one that role on the Home page, under how the columns were read.")
