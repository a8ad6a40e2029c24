"""The Slices page's controls, the search behind them, and one slice with its rows."""

from __future__ import annotations

import streamlit as st

from lib.checks import first_rate
from lib.diagnose import Diagnosis
from lib.figures.format import format_count, format_share, format_value
from lib.figures.monitoring_parts import crossings_of, part_words
from lib.figures.monitoring_words import first_words
from lib.figures.samples import COHORTS
from lib.figures.slices_view import DEPTHS, OUTCOMES, SlicesView, outcomes_of, part_of, query_of
from lib.metrics.incidents import SLIS, Part
from lib.monitoring import SUGGESTED, missing_for_monitoring
from lib.scan import Scan, count_rows
from lib.scan.slices import Outcome
from lib.slices import AT_FIRST, MOST_COLUMNS, SliceAnswer, SliceQuery, held_slices, search_slices
from lib.ui import state
from lib.ui.cohorts import estimate_cell
from lib.ui.columns import choose_columns
from lib.ui.findings import PAGES, findings_of
from lib.ui.html import Cell, Column, show_note, show_table
from lib.ui.jobs import settle_asked
from lib.ui.monitoring import held_policy, watched_at_once
from lib.ui.page import ROWS_WITHOUT_WAITING
from lib.ui.rows import offer_samples, show_rows
from lib.ui.sidebar import look_at

JOB = "slices"
EXPLAINS = "The share of the whole that would be gone if the slice were as the rest is"

ROWS_HELP = "Those that confirm, of which the numbers beside are; beneath, those of both halves and their share"


def say_why_not(diagnosis: Diagnosis) -> str:
    """Why nothing can be searched, in a sentence; "" where it can."""
    if not isinstance(diagnosis.tables, Scan):
        return "Only saved cells are loaded: they hold no rows. Load the file itself to search for slices."
    if diagnosis.facts.mapping.label is None:
        return "There are no labels, and without them no row is wrong. Choose a label column on the Home page."
    if not diagnosis.slice_columns:
        return (
            "No column was read as a cohort or as a feature, so that there is nothing to cut slices by. Give one that "
            "role on the Home page, under how the columns were read, or take the filter in the sidebar away."
        )
    return ""


def choose_query(diagnosis: Diagnosis) -> SliceQuery | None:
    """What is to be searched, from the controls; None while no column is chosen."""
    columns = choose_columns("slice_columns", "Columns", diagnosis.slice_columns, at_first=AT_FIRST, most=MOST_COLUMNS)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        results = findings_of(diagnosis)
        first = first_rate(diagnosis, results, watched_at_once(diagnosis))
        outcome = state.choose(
            "slice_metric",
            "Metric",
            outcomes_of(diagnosis.facts.mapping),
            default=first,
            words=lambda name: _named(name)[1],
        )
        depth = state.choose(
            "slice_depth", "Columns at once", list(DEPTHS), default="3", draw=st.segmented_control,
            words=DEPTHS.__getitem__,
        )  # fmt: skip
    show_note(first_words(first, results) if outcome == first else "")
    if not columns:
        show_note("Choose one column at least.")
        return None
    return diagnosis.slice_query(columns, _named(outcome)[0], int(depth))


def _named(name: str) -> tuple[Outcome, str]:
    return next(each for each in OUTCOMES.items() if each[0] == name)


def settle_slices(scan: Scan, query: SliceQuery) -> SliceAnswer | None:
    """What was found: of few rows at once, of many once a person has asked for it; it then follows the controls."""
    if scan.facts.n_rows <= ROWS_WITHOUT_WAITING and held_slices(scan, query) is None:
        with st.spinner("Searching for slices", show_time=True):
            return search_slices(scan, query)
    return settle_asked(
        JOB,
        query,
        lambda: held_slices(scan, query),
        lambda run, report: search_slices(scan, query, run=run, on_progress=report),
        button="Search",
        words="Searching for slices",
        cancelled="Cancelled: nothing was searched.",
    )


def show_slices_table(view: SlicesView) -> None:
    """Each slice in numbers."""
    rows = [
        [
            Cell(name, view.merged_words(each)),
            Cell(format_count(each.value.n), f"of {format_count(each.n)}, {format_share(each.share)}"),
            estimate_cell(each.value, view.unit),
            Cell(format_value(each.rest.value, view.unit)),
            estimate_cell(each.excess, view.unit, change=True, tone="worse"),
            *([] if each.before is None else [estimate_cell(each.before, view.unit, change=True)]),
            Cell(format_share(each.explained)),
        ]
        for name, each in zip(view.names(), view.slices, strict=True)
    ]
    heads = [
        Column("Slice"),
        Column(
            view.rows.capitalize(),
            ROWS_HELP,
        ),
    ]
    heads += [Column(view.label), Column("The rest"), Column("Difference")]
    baseline = view.found.query.baseline
    heads += [Column(f"In {baseline}", "The difference in the baseline")] if baseline else []
    heads.append(Column("Explains", EXPLAINS))
    show_table(heads, rows)


def over_time(diagnosis: Diagnosis, part: Part | None, outcome: Outcome) -> dict[str, str] | None:
    """The view in which Monitoring shows a slice of cohorts, with the same metric if that is one of its objectives.

    None of a slice that is cut by numbers, and where there are no times.
    """
    if part is None or missing_for_monitoring(diagnosis.tables):
        return None
    # A finding may name the same cohorts in another order.
    found = crossings_of(diagnosis, findings_of(diagnosis))
    part = next((each for each in found if {*each.cohorts} == {*part.cohorts}), part)
    given = held_policy(diagnosis).objectives
    names = [each.name for each in given if each.metric == outcome]
    names += [SLIS[rate].label for rate in SUGGESTED if rate == outcome and not given]
    return state.current() | {"part": part_words(part)} | ({"objective": names[0]} if names else {})


def show_one_slice(diagnosis: Diagnosis, view: SlicesView, scan: Scan) -> None:
    """One slice: its sentence, the way to it on other pages, and its rows."""
    names = view.names()
    chosen = state.choose("slice", "One slice", names, default=names[0])
    found = view.slices[names.index(chosen)]
    show_note(f"{view.sentence(found)}.", view.details(found))
    query, part = query_of(view, found), part_of(found)
    can_link = part is not None and len(query.where.cohorts) <= len(COHORTS)
    in_time = over_time(diagnosis, part, view.found.query.outcome)
    with st.container(horizontal=True, vertical_alignment="center"):
        if in_time is not None:
            st.page_link(
                PAGES["monitoring"], label="This slice over time", icon=":material/timeline:", query_params=in_time
            )
        if part is not None and can_link:
            only = "Look only at this cohort" if len(part.cohorts) == 1 else "Look only at these rows"
            st.button(only, on_click=look_at, args=part.cohorts, icon=":material/filter_alt:")
            offer_samples(query, "Open these rows on Samples")
    if not can_link and st.toggle("Show its rows, highest loss first", key="slice:rows"):
        show_rows(scan, query, count_rows(scan, query), "slice")
