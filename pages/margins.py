"""Margins: how they are distributed, over time too, and the rows behind any bar."""

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.format import format_bound, format_interval, format_score, format_share
from lib.figures.frame import provenance_line
from lib.figures.margins import plot_margins
from lib.figures.margins_view import BY_VERSION, QUANTILES, MarginsView, panel_choices
from lib.figures.rows import (
    HIGHEST,
    LOWEST,
    Choice,
    chosen_bars,
    range_options,
    range_words,
    row_query,
    rows_sentence,
)
from lib.figures.windows import plot_windows
from lib.figures.windows_view import WindowsView
from lib.metrics.estimates import Estimate
from lib.scan import Scan, count_rows
from lib.schema import cohort_column
from lib.ui import state
from lib.ui.classes import show_classes
from lib.ui.ending import end_page
from lib.ui.figure import current_look, show_figure
from lib.ui.findings import findings_of
from lib.ui.html import Cell, Column, show_answer, show_note, show_table
from lib.ui.page import open_page
from lib.ui.rows import offer_samples, show_rows


def quantile_cell(each: Estimate) -> Cell:
    """A quantile with its interval, or why there is none."""
    if not each.is_defined:
        return Cell("undefined", each.reason)
    around = format_interval(each.lower, each.upper, "score")
    return Cell(format_score(each.value), f"{around}{format_bound(each.bound, 'score')}")


def show_quantiles(view: MarginsView) -> None:
    """Quantiles of the margin, one row per group."""
    rows = [[Cell(group.name), *(quantile_cell(each) for each in group.quantiles)] for group in view.groups]
    heads = [
        Column(format_share(q, 0), f"{format_share(q, 0)} of the margins are no larger than this") for q in QUANTILES
    ]
    show_table([Column("Quantile of the margin"), *heads], rows)


def take_selection(view: MarginsView, points: list[dict[str, object]]) -> None:
    """Let a bar that was just selected set the range; the range stays changeable afterwards."""
    choice = chosen_bars(view, points)
    taken = st.session_state.get("bar taken")
    st.session_state["bar taken"] = choice
    if choice is None or choice == taken:
        return
    state.put("rows_of", choice.group)
    state.put("margins", f"{choice.first}..{choice.last}")


def show_chosen(diagnosis: Diagnosis, view: MarginsView) -> None:
    """The rows of one group within a range of margins, as they stand in the file."""
    st.subheader("The rows behind", anchor=False)
    tables = diagnosis.tables
    if not isinstance(tables, Scan):
        show_note("Only saved cells are loaded: they hold counts, not rows. Load the file itself to list rows.")
        return
    show_note("Select a bar above, or choose here.")
    names = [group.name for group in view.groups]
    group = state.choose("rows_of", "Rows of", names, default=view.leading.name if view.leading else names[-1])
    first, last = state.slide_between("margins", "Margin from … up to", range_options(view), words=range_words)
    choice = Choice(group, first, last if last != LOWEST else HIGHEST)
    where = diagnosis.settings.where
    query = row_query(view, choice, where)
    total = count_rows(tables, query)
    show_answer(rows_sentence(view, choice, total))
    if not total:
        return
    show_rows(tables, query, total, "rows")
    offer_samples(query)


diagnosis = open_page("margins", "Margins")
look, provenance = current_look(), provenance_line(diagnosis)
answer = st.container()
by = state.choose(
    "apart",
    "Apart by",
    panel_choices(diagnosis),
    default=BY_VERSION,
    draw=st.segmented_control,
    words=lambda name: cohort_column(name) or name.capitalize(),
)
view = MarginsView.of(diagnosis, by)
with answer:
    show_answer(view.answer())
if view.nothing:
    end_page()
event = show_figure(
    plot_margins(view, look, provenance), "margins-figure", name="margins", table=view.frame(), on_select="rerun"
)
show_quantiles(view)
show_classes(diagnosis)
windows = WindowsView.of(diagnosis, findings=findings_of(diagnosis))
if windows is not None:
    over_time = plot_windows(windows, look, provenance)
    show_figure(over_time, "windows-figure", name="margins-over-time", table=windows.frame())
take_selection(view, event.selection.points)
show_chosen(diagnosis, view)
