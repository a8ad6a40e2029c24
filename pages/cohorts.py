"""Cohorts: whom the model fails, ranked by how surely each is worse than the rest."""

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.cohorts import plot_cohorts
from lib.figures.cohorts_view import CohortsView
from lib.figures.crossing import plot_crossing
from lib.figures.crossing_view import CrossingView
from lib.figures.format import format_count, format_interval, format_plural, format_value
from lib.figures.frame import provenance_line
from lib.metrics.catalogue import METRICS, metric_named
from lib.metrics.cohorts import SMALL
from lib.metrics.estimates import Estimate
from lib.scan import RowQuery, Scan
from lib.schema import Filter
from lib.ui import state
from lib.ui.figure import current_look, show_figure
from lib.ui.html import Cell, Column, show_answer, show_note, show_table
from lib.ui.page import open_page
from lib.ui.rows import offer_samples
from lib.ui.sidebar import look_at


def share_cell(estimate: Estimate) -> Cell:
    """A rate with its interval beneath, or why there is none."""
    if not estimate.is_defined:
        return Cell("undefined", estimate.reason)
    return Cell(format_value(estimate.value, "share"), format_interval(estimate.lower, estimate.upper, "share"))


def show_classes(view: CohortsView, values: tuple[str, ...], version: str) -> None:
    """The violation rate of each class within each cohort of a version: imbalance hides in the total."""
    rows = [
        [
            Cell(row.value or "(missing)"),
            Cell(format_count(row.n_labelled)),
            share_cell(row.violation),
            share_cell(row.negative),
            share_cell(row.positive),
        ]
        for value in values
        if (row := view.rows.get((version, value))) is not None
    ]
    rate = Column("Violation rate", metric_named("violation_rate").definition)
    show_table(
        [Column(view.column), Column("Labelled rows"), rate, Column("Negative class"), Column("Positive class")], rows
    )


def offer_filter(view: CohortsView, *, has_rows: bool) -> None:
    """Choose one cohort and look only at it, everywhere."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        value = st.selectbox(
            f"One {view.column}", view.values, key=f"only:{view.column}", format_func=lambda name: name or "(missing)"
        )
        st.button("Look only at this cohort", on_click=look_at, args=(view.column, value), icon=":material/filter_alt:")
        if has_rows:
            offer_samples(RowQuery(Filter(((view.column, value),)), version=view.versions[-1]), "Look at its rows")


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
    default = next((each for each in columns if each not in chosen), columns[0])
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
    offer_filter(view, has_rows=isinstance(diagnosis.tables, Scan))
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
