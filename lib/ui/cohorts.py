"""Pieces of the Cohorts page: rates by class, and one cohort by itself."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.cohorts_view import CohortsView, one_cohort
from lib.figures.format import POINTS, format_change, format_count, format_interval, format_value
from lib.figures.samples import COHORTS
from lib.figures.text import MISSING
from lib.metrics.catalogue import Metric, Unit, metric_named
from lib.metrics.estimates import Estimate
from lib.scan import RowQuery, Scan
from lib.ui import state
from lib.ui.html import Cell, Column, show_table
from lib.ui.lookup import Offer, offer_values
from lib.ui.rows import offer_samples
from lib.ui.sidebar import look_at


def estimate_cell(estimate: Estimate, unit: Unit = "share", *, change: bool = False, tone: str = "") -> Cell:
    """A number with its interval beneath, or why there is none; a difference with its sign."""
    if not estimate.is_defined:
        return Cell("undefined", estimate.reason)
    if not change:
        around = format_interval(estimate.lower, estimate.upper, unit)
        return Cell(format_value(estimate.value, unit), around, tone)
    ends = [format_change(end, unit) for end in (estimate.lower, estimate.upper)]
    return Cell(format_change(estimate.value, unit), f"{ends[0].removesuffix(POINTS)} to {ends[1]}", tone)


def show_classes(view: CohortsView, values: tuple[str, ...], version: str) -> None:
    """The violation rate of each class within each cohort of a version: imbalance hides in the total."""
    rows = [
        [
            Cell(row.value or MISSING),
            Cell(format_count(row.n_labelled)),
            estimate_cell(row.violation),
            estimate_cell(row.negative),
            estimate_cell(row.positive),
        ]
        for value in values
        if (row := view.rows.get((version, value))) is not None
    ]
    rate = Column("Violation rate", metric_named("violation_rate").definition)
    show_table(
        [Column(view.column), Column("Labelled rows"), rate, Column("Negative class"), Column("Positive class")], rows
    )


def offer_cohort(diagnosis: Diagnosis, view: CohortsView, metric: str) -> None:
    """Choose one cohort, whether the figure has it or not: its numbers, its rows, and it alone on every page.

    Where a search found none there is nothing to choose.
    """
    tables, column = diagnosis.tables, view.column
    where = diagnosis.settings.where
    chosen = any(each == column for each, _value in where.cohorts)
    linked = state.get("one")
    offer = Offer(view.values) if chosen else offer_values(tables, column, view.values, "one", keep=linked)
    if not offer.values:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        value = state.choose("one", f"One {column}", offer.values, default=offer.values[0], words=offer.words)
        st.button("Look only at this cohort", on_click=look_at, args=((column, value),), icon=":material/filter_alt:")
        held = {**dict(where.cohorts), column: value}
        if isinstance(tables, Scan) and len(held) <= len(COHORTS):
            here = replace(where, cohorts=tuple(held.items()))
            offer_samples(RowQuery(here, version=view.versions[-1]), "Look at its rows")
    if value not in view.drawn:
        with st.spinner(f"Reading the rows of {value}", show_time=True):
            show_one_cohort(diagnosis, column, value, metric_named(metric))


def show_one_cohort(diagnosis: Diagnosis, column: str, value: str, metric: Metric) -> None:
    """A metric of one cohort against the rest of each version, for a cohort that the figure leaves out."""
    rows = [
        [
            Cell(row.version),
            Cell(format_count(row.estimate.n)),
            estimate_cell(row.estimate, metric.unit),
            estimate_cell(row.rest, metric.unit),
            estimate_cell(row.excess, metric.unit, change=True),
        ]
        for row in one_cohort(diagnosis, column, value, metric.name)
    ]
    heads = [Column("Version"), Column("Rows"), Column(metric.label, metric.definition), Column("The rest")]
    show_table([*heads, Column("Difference")], rows)
