"""What is selected on a map: the samples, what they share, and what is truly near one of them in either version."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.projection import Numbering
from lib.embeddings.samples import (
    DISTANCE,
    ID,
    describe_samples,
    holds_graphs,
    list_neighbours,
    list_samples,
    read_graphs,
)
from lib.figures.map_view import map_provenance, shared_words, together_words
from lib.figures.samples import link_columns
from lib.figures.text import plain
from lib.scan.masking import mask_rows
from lib.ui import state
from lib.ui.downloads import offer_csv
from lib.ui.embeddings_page import read_topic
from lib.ui.figure import side_by_side
from lib.ui.html import show_note
from lib.ui.mapping import as_plain_markdown
from lib.ui.predictions_beside import Beside
from lib.ui.rows import FEW_ROWS, TABLE_HEIGHT
from lib.ui.selection_cohort import offer_cohort, settle_cohort
from lib.vectors import Rows

LISTED = 500
"""Rows of a selection that are listed on the page; the download holds all."""
OFFERED = 200
NOTHING = "Click a point, or choose Lasso and draw around some: their rows stand here, with what is truly near them."


def show_selection(diagnosis: EmbeddingDiagnosis, numbering: Numbering, numbers: Rows, beside: Beside | None) -> None:
    """The selected samples; nothing but how to select some where none are."""
    if not len(numbers):
        show_note(NOTHING)
        return
    title = "Selected sample" if len(numbers) == 1 else f"{len(numbers):,} selected samples"
    st.subheader(title, anchor=False)
    read_topic(
        "graphs",
        (diagnosis.embeddings.key, diagnosis.settings),
        "Looking for neighbours",
        lambda: holds_graphs(diagnosis),
        lambda run, report: read_graphs(diagnosis, run, report),
    )
    if len(numbers) > 1:
        found = describe_samples(diagnosis, numbering, numbers)
        show_note(*together_words(found), shared_words(found))
    listed = list_samples(diagnosis, numbering, numbers[:LISTED])
    has_pictures = bool(link_columns(mask_rows(listed, kept=[ID]))[1]) and st.toggle(
        "Show pictures", key="pictures:map", help="Your browser then fetches them from the addresses in the file."
    )
    show_samples(listed, has_pictures=has_pictures)
    if len(numbers) > LISTED:
        show_note(f"The first {LISTED} of {len(numbers):,} are listed; the download holds all.")
    with st.container(horizontal=True):
        offer_csv(
            lambda: mask_rows(list_samples(diagnosis, numbering, numbers)),
            "selection",
            provenance=map_provenance(diagnosis),
            key="selection:csv",
        )
        offer_cohort(diagnosis, numbering, numbers, beside)
    settle_cohort()
    _show_neighbours(diagnosis, numbering, numbers, listed[ID].astype(str).tolist(), has_pictures=has_pictures)


def _show_neighbours(
    diagnosis: EmbeddingDiagnosis, numbering: Numbering, numbers: Rows, ids: list[str], *, has_pictures: bool
) -> None:
    """What is near one of the samples in the original space, in either version."""
    options = dict(zip(ids[:OFFERED], numbers[:OFFERED].tolist(), strict=True))
    st.subheader("Nearest in the original space", anchor=False)
    chosen = ids[0]
    if len(options) > 1:
        chosen = state.choose("v_sample", "Neighbours of", list(options), default=ids[0], words=plain)
    found = list_neighbours(diagnosis, numbering, int(options[chosen]))
    places = [place for place, _look in side_by_side()] if len(found) > 1 else [st.container()]
    for place, (version, frame) in zip(places, found.items(), strict=True):
        with place:
            if len(found) > 1:
                st.markdown(f"**{as_plain_markdown(plain(version))}**")
            if frame is None:
                show_note(f"{plain(chosen)} has no neighbours in {plain(version)}: it is not there, or is no query.")
            else:
                show_samples(frame, has_pictures=has_pictures)


def show_samples(frame: pd.DataFrame, *, has_pictures: bool) -> None:
    """Rows as they stand in the metadata, with what looks like personal data masked; links only to the web."""
    shown = mask_rows(frame, kept=[ID, DISTANCE])
    links, pictures = link_columns(shown)
    columns: dict[str, Any] = {DISTANCE: st.column_config.NumberColumn(format="%.4f")}
    for name in links:
        columns[name] = (
            st.column_config.ImageColumn()
            if has_pictures and name in pictures
            else st.column_config.LinkColumn(validate=r"^https?://")
        )
    st.dataframe(
        shown,
        hide_index=True,
        height="content" if len(shown) < FEW_ROWS else TABLE_HEIGHT,
        column_config=columns,
    )
