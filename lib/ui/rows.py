"""A list of rows: a page of it at a time, as they stand in the file, and all of them as CSV."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from lib.figures.frame import source_line
from lib.figures.rows import count_pages
from lib.figures.samples import link_columns, query_words, sample_link
from lib.scan import Scan, list_rows
from lib.scan.listing import EXPORT_ROWS, PAGE_ROWS, RowQuery
from lib.ui import state
from lib.ui.downloads import offer_csv

TABLE_HEIGHT, FEW_ROWS = 560, 14
"""In pixels; fewer rows take no more than they need."""
NUMBERS = {
    "score": "The decision score s; a probability p has become log(p / (1 − p))",
    "margin": "m = y·s, of several classes the true one's score minus the highest other: negative where the "
    "prediction is wrong",
    "loss": "Logistic loss of the row, log(1 + exp(−m))",
}


def show_rows(scan: Scan, query: RowQuery, total: int, key: str) -> None:
    """The rows that a query finds, with pages where they are many, and their download."""
    pages = count_pages(total)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        page = (
            int(st.number_input(f"Page of {pages:,}", 1, pages, key=f"page of {query}", width=160)) if pages > 1 else 1
        )
        frame = list_rows(scan, replace(query, offset=PAGE_ROWS * (page - 1)))
        links, pictures = link_columns(frame)
        shown = bool(pictures) and st.toggle(
            "Show pictures",
            key=f"pictures:{key}",
            help="Your browser then fetches them from the addresses in the file.",
        )
    if scan.dataset.tables[1:] == ():
        frame = frame.drop(columns="file")
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(frame) < FEW_ROWS else TABLE_HEIGHT,
        column_config=_columns(frame, links, pictures if shown else []),
    )
    everything = replace(query, limit=EXPORT_ROWS, offset=0)
    provenance = source_line(scan.facts, query_words(query), datetime.now(UTC))
    offer_csv(lambda: list_rows(scan, everything), "rows", provenance=provenance, key=f"{key}:csv")


def offer_samples(query: RowQuery, label: str = "Look at these rows on Samples") -> None:
    """A link to the page of rows, with the view and a query."""
    st.page_link(
        "pages/samples.py",
        label=label,
        icon=":material/table_rows:",
        query_params={name: value for name, value in (state.current() | sample_link(query)).items() if value},
    )


def _columns(frame: pd.DataFrame, links: list[str], pictures: list[str]) -> dict[str, Any]:
    configured: dict[str, Any] = {
        name: st.column_config.NumberColumn(format="%.3f", help=words)
        for name, words in NUMBERS.items()
        if name in frame.columns
    }
    for name in links:
        configured[name] = (
            st.column_config.ImageColumn() if name in pictures else st.column_config.LinkColumn(validate=r"^https?://")
        )
    return configured
