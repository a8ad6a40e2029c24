"""Samples: the rows themselves, those that cost most first, or those that another page leads to."""

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.samples import ANY, MARGIN_STEP, ORDERS, SampleChoice, class_options, class_words
from lib.scan import Order, Scan, count_rows
from lib.ui import state
from lib.ui.confident import show_confident
from lib.ui.html import show_answer, show_note
from lib.ui.page import open_page
from lib.ui.rows import show_rows


def choose_rows(diagnosis: Diagnosis) -> SampleChoice:
    """The choices of this page, in its controls."""
    versions = [ANY, *diagnosis.facts.versions]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        version = state.choose(
            "rows_version",
            "Version",
            versions,
            default=ANY,
            words=lambda name: name or "All versions",
        )
        label = state.choose(
            "rows_class",
            "Class",
            class_options(diagnosis.facts.mapping),
            default=ANY,
            words=lambda name: class_words(name) or "All classes",
        )
        order = state.choose(
            "order", "Order", [each.value for each in Order], default=Order.LOSS.value, words=order_words
        )
        low = state.number("margin_from", "Margin from", MARGIN_STEP)
        high = state.number("margin_to", "Margin up to", MARGIN_STEP)
    return SampleChoice(version, label, low, high, Order(order))


def order_words(order: str) -> str:
    """An order as the list of orders shows it."""
    return ORDERS[Order(order)].capitalize()


def show_samples(diagnosis: Diagnosis, scan: Scan) -> None:
    """The rows that pass the filter of all pages and the choices of this one."""
    answer = st.container()
    choice = choose_rows(diagnosis)
    query = choice.query(diagnosis.settings.where)
    total = count_rows(scan, query)
    with answer:
        show_answer(choice.sentence(total))
    if not total:
        show_note(
            "Widen the range of margins, choose another class or version, or take the filter in the sidebar away."
        )
        return
    show_rows(scan, query, total, "samples")
    show_note(
        "Columns of the file stand to the right of what was made of them. What looks like personal data (addresses, "
        "telephone numbers, cards, accounts) is masked here and in the download."
    )


def show_confident_rows(diagnosis: Diagnosis, version: str) -> None:
    """Where rows gather that contradict the surest answers of a version."""
    mapping = diagnosis.facts.mapping
    if mapping.label and mapping.cohorts and not mapping.is_multiclass:
        show_confident(diagnosis, version or diagnosis.settings.candidate)


diagnosis = open_page("samples", "Samples")
if isinstance(diagnosis.tables, Scan):
    show_samples(diagnosis, diagnosis.tables)
    show_confident_rows(diagnosis, state.get("rows_version"))
else:
    show_note("Only saved cells are loaded: they hold counts, not rows. Load the file itself to look at rows.")
