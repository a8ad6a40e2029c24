"""Support vectors: the rows that a hinge-trained model rests on, how far they fall short, who entered and who left."""

import streamlit as st

from lib.figures.frame import provenance_line
from lib.figures.support_vectors import plot_slack, plot_support_vectors
from lib.figures.support_vectors_view import SupportView, slack_words
from lib.figures.training_rows import training_split
from lib.scan import Scan
from lib.ui import state
from lib.ui.ending import end_page
from lib.ui.figure import current_look, show_figure
from lib.ui.html import show_answer, show_note
from lib.ui.page import open_page
from lib.ui.support_dual import show_dual
from lib.ui.support_vectors import show_bounds, show_kinds, show_moves, show_worst

diagnosis = open_page("support_vectors", "Support vectors")
look = current_look()
answer = st.container()
split = diagnosis.settings.where.split or ""
if diagnosis.facts.splits and not split:
    split = state.choose(
        "sv_split",
        "Rows of",
        ["", *diagnosis.facts.splits],
        default=training_split(diagnosis) or "",
        draw=st.segmented_control,
        words=lambda name: name or "all splits",
    )
view = SupportView.of(diagnosis, split)
with answer:
    show_answer(view.answer())
    show_note(*view.notes())
if view.nothing:
    end_page()
provenance = provenance_line(diagnosis.with_settings(where=view.where))
show_figure(
    plot_support_vectors(view, look, provenance),
    "support-vectors-figure",
    name="support-vectors",
    table=view.frame(),
    alt=view.answer(),
)
show_kinds(view, has_rows=isinstance(diagnosis.tables, Scan))
show_figure(plot_slack(view, look, provenance), "slack-figure", name="slack", table=view.slack_frame())
show_note(slack_words(view.focus))
show_bounds(diagnosis)
show_dual(diagnosis, view)
show_moves(diagnosis, split)
show_worst(diagnosis, view)
