"""Drift over time on the Drift page: the windows of the candidate, and shifts that come back."""

from __future__ import annotations

import streamlit as st

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.drift_windows import DriftWindows, holds_drift_windows, read_drift_windows
from lib.embeddings.measures import read_seasons
from lib.figures.drift_windows import plot_drift_windows, plot_seasons
from lib.figures.drift_windows_view import DriftWindowsView, seasons_frame
from lib.figures.map_view import map_provenance
from lib.metrics.seasons import TOO_SHORT, Season
from lib.sources import Run
from lib.ui.embeddings_page import read_topic
from lib.ui.figure import current_look, show_figure
from lib.ui.html import show_note
from lib.ui.jobs import Progress
from lib.ui.vector_measures import read_versions

TOO_FEW = "Fewer than two windows of time have rows enough to be compared."


def show_over_time(diagnosis: EmbeddingDiagnosis) -> None:
    """Drift of each window, and whether a shift comes back with the week or the day; nothing without times."""
    if diagnosis.embeddings.roles.column("time") is None:
        return
    st.subheader("Over time", anchor=False)
    provenance = map_provenance(diagnosis)
    found: DriftWindows | None = read_topic(
        "drift-windows",
        (diagnosis.embeddings.key, diagnosis.settings),
        "Comparing windows of time",
        lambda: holds_drift_windows(diagnosis),
        lambda run, report: read_drift_windows(diagnosis, run, report),
    )
    if found is None:
        show_note(TOO_FEW)
    else:
        view = DriftWindowsView.of(diagnosis, found)
        figure = plot_drift_windows(view, current_look(), provenance)
        show_figure(figure, "drift:windows", name="drift_over_time", table=view.frame())

    def read(diagnosis: EmbeddingDiagnosis, version: str, _run: Run, _report: Progress) -> list[Season]:
        return read_seasons(diagnosis, version)

    seasons = read_versions(diagnosis, "seasons", read, "Looking for shifts that come back")
    if not any(seasons.values()):
        show_note(f"Whether a shift comes back cannot be told: {TOO_SHORT}.")
        return
    figure = plot_seasons(seasons, diagnosis.settings.baseline, current_look(), provenance)
    show_figure(figure, "drift:seasons", name="seasons", table=seasons_frame(seasons))
