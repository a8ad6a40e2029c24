"""The fit lab's controls: features, kernel, C and the plane; the button, the work behind it, and the table."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.fit_lab_view import LOSSES, PLATT, RESTS_ON, FitLabView
from lib.figures.format import format_count, format_interval, format_loss, format_share, format_value
from lib.figures.text import plain
from lib.jobs.fit_lab import LabAnswer, LabRequest, fit_lab, held_lab, is_slow
from lib.metrics.estimates import Estimate
from lib.metrics.fit_lab import Kernel, LabSettings
from lib.scan import Scan
from lib.scan.drawing import DrawQuery, EmbeddingFeatures
from lib.ui import state
from lib.ui.columns import choose_columns
from lib.ui.datasets import workspace
from lib.ui.embeddings_page import current_vectors
from lib.ui.html import Cell, Column, show_note, show_table
from lib.ui.jobs import settle_asked
from lib.ui.predictions_beside import OF_VECTORS
from lib.ui.vector_sets import vector_sample
from lib.vectors import Vectors
from lib.workspace import OpenEmbeddings

JOB = "fit"
SOURCE, COLUMNS = "fit_from", "columns"
"""Where features come from, in the URL."""
MOST_FEATURES = 50
CHOSEN_AT_FIRST = 10
STRENGTHS = ("0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1", "3", "10", "30", "100", "300", "1000")
KERNELS = {"linear": "Linear", "rbf": "Gaussian (RBF)"}
PLANES = {"projection": "Projection", "features": "Two features"}
ALONG = "features"


def vectors_beside(diagnosis: Diagnosis) -> OpenEmbeddings | None:
    """The set of vectors of the view, where its rows and those of the predictions have ids."""
    token = state.get(state.VECTORS)
    is_asked = state.get(SOURCE).startswith(OF_VECTORS)
    if not token or (workspace().embeddings(token) is None and vector_sample(token) is None and not is_asked):
        return None
    opened = current_vectors()
    if opened is None or diagnosis.facts.mapping.id is None or opened.embeddings.roles.column("id") is None:
        return None
    return opened


def say_why_not(diagnosis: Diagnosis, beside: OpenEmbeddings | None) -> str:
    """Why nothing can be fitted, in a sentence; "" where it can."""
    mapping = diagnosis.facts.mapping
    if not isinstance(diagnosis.tables, Scan):
        return "Only saved cells are loaded: they hold no rows and no features. Load the file itself to fit models."
    if len(mapping.features) < 2 and beside is None:
        found = f"Only one column was read as a feature: {mapping.features[0]}. " if mapping.features else ""
        return (
            f"{found or 'No column was read as a feature. '}A fit needs two at least: give columns of numbers that "
            "role on the Home page, under how the columns were read, or open vectors with the same ids there."
        )
    if mapping.label is None:
        return "There are no labels, and a fit learns from them. Choose a label column on the Home page."
    return ""


def choose_vectors(diagnosis: Diagnosis, beside: OpenEmbeddings | None) -> Vectors | None:
    """The vectors that are the features; None for columns of the file."""
    has_columns = len(diagnosis.facts.mapping.features) >= 2
    sources = {COLUMNS: "Columns of the file"} if has_columns else {}
    versions = {} if beside is None else beside.embeddings.versions
    if beside is not None:
        several = len(versions) > 1
        sources |= {
            f"{OF_VECTORS}{name}": f"Vectors: {plain(beside.name)}{f', {plain(name)}' if several else ''}"
            for name in versions
        }
    usual = next(iter(sources))
    if len(sources) == 1:
        state.judge(SOURCE, sources[usual].lower(), fits=state.get(SOURCE) == usual)
        chosen = usual
    else:
        chosen = state.choose(SOURCE, "Features from", list(sources), default=usual, words=sources.__getitem__)
    return versions.get(chosen.removeprefix(OF_VECTORS)) if chosen != COLUMNS else None


def choose_request(diagnosis: Diagnosis, beside: OpenEmbeddings | None, vectors: Vectors | None) -> LabRequest | None:
    """What is to be fitted, from the controls; None while fewer than two features are chosen."""
    mapping, settings = diagnosis.facts.mapping, diagnosis.settings
    columns: list[str] = []
    if vectors is None:
        columns = choose_columns(
            "fit_features", "Features", mapping.features, at_first=CHOSEN_AT_FIRST, most=MOST_FEATURES
        )
    first, second, third = st.columns([2, 3, 2], vertical_alignment="bottom")
    kernel = state.choose(
        "kernel", "Kernel", list(KERNELS), default="linear", draw=first.segmented_control, words=KERNELS.__getitem__
    )
    c = state.choose(
        "c", "C, the weight of the losses", STRENGTHS, default="1", draw=second.select_slider,
        help="Both fits minimise ½|w|² + C·Σ loss: a larger C means weaker regularisation.",
    )  # fmt: skip
    of_class = ""
    if mapping.is_multiclass:
        names = mapping.class_names
        of_class = state.choose("fit_class", "Against the rest", names, default=names[0], draw=third.selectbox)
    chosen: Kernel = "rbf" if kernel == "rbf" else "linear"
    if vectors is not None and beside is not None:
        features = EmbeddingFeatures(beside.name, vectors.version, beside.embeddings.key)
        draw = DrawQuery((), settings.candidate, settings.where, of_class, embedding=features)
        return LabRequest(draw, LabSettings(chosen, float(c)))
    if len(columns) < 2:
        show_note("Choose two features at least, so that there is a plane to show the fits in.")
        return None
    across, up = _choose_plane(columns, kernel)
    draw = DrawQuery(tuple(columns), settings.candidate, settings.where, of_class)
    return LabRequest(draw, LabSettings(chosen, float(c), across, up))


def _choose_plane(columns: list[str], kernel: str) -> tuple[str, str]:
    """The features along which the fits are shown; empty for a projection."""
    places = st.columns(3 if len(columns) > 2 else 2, vertical_alignment="bottom")
    plane = ALONG
    if len(columns) > 2:
        # Each kernel has a usual plane of its own, and keeps what was chosen for it.
        name, usual = ("plane", "projection") if kernel == "linear" else ("kernel_plane", ALONG)
        draw, words = places[0].segmented_control, PLANES.__getitem__
        plane = state.choose(name, "Shown in", list(PLANES), default=usual, draw=draw, words=words)
    if plane != ALONG:
        return "", ""
    across = state.choose("across", "Across", columns, default=columns[0], draw=places[-2].selectbox)
    others = [name for name in columns if name != across]
    return across, state.choose("up", "Up", others, default=others[0], draw=places[-1].selectbox)


def settle_lab(scan: Scan, request: LabRequest, vectors: Vectors | None) -> LabAnswer | None:
    """Both fits, once a person has asked for them; those that are quick then follow the controls."""
    return settle_asked(
        JOB,
        request,
        lambda: held_lab(scan, request),
        lambda run, report: fit_lab(scan, request, run, report, vectors),
        button="Fit",
        words="Fitting",
        cancelled="Cancelled: nothing was fitted.",
        follows=not is_slow(scan, request),
    )


def show_comparison(view: FitLabView) -> None:
    """Both fits side by side in numbers."""
    table = [[Cell(row.label), _cell(row.hinge, row.unit), _cell(row.logistic, row.unit)] for row in view.rows]
    support = view.answer.lab.hinge.support_share
    of = f"of {format_count(view.n_train)} training rows"
    table.append([Cell("Rests on"), Cell(format_share(support.value), of), Cell(format_share(1.0), of)])
    seconds = [f"{format_loss(view.fit(loss).seconds)} s" for loss in LOSSES]
    table.append([Cell("Training time"), *(Cell(each) for each in seconds)])
    show_table([Column("On the test rows"), Column("Hinge"), Column("Logistic")], table)
    show_note(PLATT, RESTS_ON)


def _cell(each: Estimate, unit: Any) -> Cell:
    if not each.is_defined:
        return Cell("undefined", each.reason)
    return Cell(format_value(each.value, unit), format_interval(each.lower, each.upper, unit))
