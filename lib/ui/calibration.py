"""Pieces of the Calibration page: errors with their floors, maps side by side, and the map to take away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import unescape

import streamlit as st

from lib.diagnose import Diagnosis
from lib.figures.calibration_gaps import plot_gap_windows, plot_gaps
from lib.figures.calibration_gaps_view import GapRow, GapsView, GapWindows, whole_rows
from lib.figures.calibration_view import SCORE_WORDS, CalibrationView
from lib.figures.calibration_words import ERROR_WORDS
from lib.figures.format import (
    UNDEFINED,
    format_change,
    format_count,
    format_interval,
    format_loss,
    format_p,
    format_share,
)
from lib.figures.frame import provenance_line
from lib.figures.recalibration_view import LOSS_WORDS, RecalibrationView
from lib.figures.text import MISSING
from lib.metrics.calibration import CalibrationError
from lib.metrics.calibration_parts import PART_ERRORS
from lib.metrics.estimates import Estimate
from lib.metrics.recalibration import CrossFitted
from lib.metrics.recalibration_maps import MAP_FORMULAS, MAP_LABELS, MapName
from lib.ui import state
from lib.ui.downloads import offer_csv
from lib.ui.figure import current_look, show_figure
from lib.ui.html import Cell, Column, show_note, show_table
from lib.ui.page import read_folds

SLOPE_WORDS = (
    (
        "Slope",
        "Of the label's logistic regression on the log odds: 1 if calibrated, below 1 too sure, above 1 too unsure.",
    ),
    ("Intercept", "Of the same regression: 0 if calibrated."),
    (
        "In the large",
        "The intercept with the slope held at 1: above 0 probabilities are too low on average (log odds).",
    ),
    ("Spiegelhalter's z", "Normal where calibrated: beyond ±1.96 probabilities are too sure or too unsure."),
)


def show_errors(view: CalibrationView) -> None:
    """Each error with interval, floor and p, and the regression of the label on the log odds; a row per version."""
    rows: list[list[Cell]] = []
    for version in view.versions:
        cells = [Cell(version)]
        for name in ERROR_WORDS:
            error = view.calibrations[version].errors[name]
            if not error.estimate.is_defined:
                cells.append(Cell(UNDEFINED, error.estimate.reason))
                continue
            around = format_interval(error.told.lower, error.told.upper, "share")
            floor = f"floor {format_share(error.floor)}"
            cells.append(Cell(format_share(error.estimate.value), f"{around}; {floor}" if around else floor))
        rows.append(cells)
    show_table([Column("Version"), *(Column(*words) for words in ERROR_WORDS.values())], rows)
    show_note(
        "Floor: what a calibrated model exceeds in 5 % of files of this size. Where a calibrated one is not ruled out "
        "there is the floor and no interval; a plain error, above all of few rows, may lie above its own interval."
    )
    rows = []
    for version in view.versions:
        found = view.calibrations[version]
        z = found.spiegelhalter_z
        told = [_score_cell(each) for each in (found.slope, found.intercept, found.offset)]
        last = (
            Cell(format_loss(z.value), f"p = {format_p(found.spiegelhalter_p)}".replace("= <", "< "))
            if z.is_defined
            else Cell(UNDEFINED, z.reason)
        )
        scores = [Cell(format_loss(view.score_of(version, score))) for score in SCORE_WORDS]
        rows.append([Cell(version), *scores, *told, last])
    heads = [Column("Version"), *map(Column, SCORE_WORDS.values()), *(Column(*words) for words in SLOPE_WORDS)]
    show_table(heads, rows)


def _score_cell(each: Estimate) -> Cell:
    if not each.is_defined:
        return Cell(UNDEFINED, each.reason)
    return Cell(format_loss(each.value), format_interval(each.lower, each.upper, "loss"))


def show_recalibration(diagnosis: Diagnosis) -> None:
    """The maps of one version side by side, what is recommended, and the map as a file."""
    st.subheader("Recalibration", anchor=False)
    if problem := read_folds(diagnosis):
        show_note(problem)
        return
    version = diagnosis.settings.candidate
    if diagnosis.is_compared:
        version = state.choose("map_of", "Of", diagnosis.shown_versions, default=version, draw=st.segmented_control)
    provenance = provenance_line(diagnosis)
    view = RecalibrationView.of(diagnosis, version, unescape(provenance))
    show_note(view.sentence())
    if not view.found.maps:
        return
    best = view.found.recommended
    rows = [
        [Cell(MAP_LABELS[each.name], "recommended" if each is best else ""), *_map_cells(view, each)]
        for each in view.found.maps
    ]
    if view.is_probability:
        losses = [Cell(format_loss(view.before(loss))) for loss in LOSS_WORDS]
        rows.insert(0, [Cell("As it is"), *losses, Cell(""), Cell("")])
    heads = [Column(words, "Of rows that the map was not fitted on") for words in LOSS_WORDS.values()]
    if view.is_probability:
        last = [Column("Change of log loss", "Row by row, against the score as it is"), Column("Change of Brier score")]
    else:
        last = [Column("Above the best", "Log loss above that of the best map, row by row")]
    formulas = " ".join(f"{MAP_LABELS[each.name]}: {MAP_FORMULAS[each.name]}" for each in view.found.maps)
    show_table([Column("Map", formulas), *heads, *last], rows)
    show_note(
        "Each map is fitted ten times on nine folds of the id and judged on the tenth; the map to take away is fitted "
        "on all rows."
    )
    offer_csv(view.frame, "recalibration", provenance=provenance, key="recalibration:csv")
    _offer_map(view)


def _map_cells(view: RecalibrationView, each: CrossFitted) -> list[Cell]:
    cells = [_score_cell(each.losses[loss]) for loss in LOSS_WORDS]
    if not view.is_probability:
        is_best = each is view.found.best
        return [*cells, Cell("the best") if is_best else _change_cell(view.against_best(each))]
    return [*cells, *(_change_cell(each.losses[f"{loss}_change"], toned=True) for loss in LOSS_WORDS)]


def _change_cell(each: Estimate, *, toned: bool = False) -> Cell:
    if not each.is_defined:
        return Cell(UNDEFINED, each.reason)
    around = f"{format_change(each.lower, 'loss')} to {format_change(each.upper, 'loss')}"
    tone = "better" if each.upper < 0 else "worse" if each.lower > 0 else ""
    return Cell(format_change(each.value, "loss"), around, tone if toned else "")


def label_of(name: str) -> str:
    """What a map is called."""
    return next((words for each, words in MAP_LABELS.items() if each == name), name)


def _offer_map(view: RecalibrationView) -> None:
    names: list[MapName] = [each.name for each in view.found.maps]
    best = view.found.recommended
    default = best.name if best is not None else names[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = state.choose("map", "Take away", names, default=default, words=label_of)
        name: MapName = next(each for each in names if each == chosen)
        files = {
            "json": ("JSON", partial(view.json_text, name)),
            "py": ("Python function", partial(view.python_text, name)),
        }
        for kind, (words, text) in files.items():
            st.download_button(
                words,
                data=text,
                file_name=f"recalibration-{name}.{kind}",
                mime="application/json" if kind == "json" else "text/x-python",
                key=f"map:{kind}",
                icon=":material/download:",
                on_click="ignore",
            )


def show_parts_of_data(diagnosis: Diagnosis) -> None:
    """Calibration by class, by cohort and over time, beside that of whole versions."""
    look, provenance = current_look(), provenance_line(diagnosis)
    if diagnosis.settings.recalibration is not None:
        show_note("Recalibrated probabilities are measured for whole versions, not by cohort or over time.")
        return
    classes = GapsView.of_classes(diagnosis)
    if classes is not None:
        st.subheader("By class, against the rest", anchor=False)
        figure = plot_gaps(classes, look, provenance)
        show_figure(figure, "gaps-classes", name="calibration-by-class", table=classes.frame())
        with st.expander("Every class as a table"):
            _show_parts(classes.told, "Class", "all classes: the answer (top label)")
    if columns := diagnosis.facts.cohorts:
        st.subheader("By cohort", anchor=False)
        column = state.choose("by", "Cohorts of", columns, default=columns[0])
        view = GapsView.of_cohorts(diagnosis, column)
        if view is not None:
            figure = plot_gaps(view, look, provenance)
            show_figure(figure, "gaps-cohorts", name="calibration-by-cohort", table=view.frame())
            with st.expander("Every cohort as a table"):
                _show_parts(view.told, column, "all rows")
    windows = GapWindows.of(diagnosis)
    if windows is not None:
        st.subheader("Over time", anchor=False)
        figure = plot_gap_windows(windows, look, provenance)
        show_figure(figure, "gaps-time", name="calibration-over-time", table=windows.frame())
        with st.expander("Every window as a table"):
            _show_parts(windows.told, "From", "")
    if classes is None and not columns:
        _show_parts(whole_rows(diagnosis), "Rows of", "all rows")


def _show_parts(rows: Sequence[GapRow], what: str, whole: str) -> None:
    """A table of parts; `whole` is what whole versions are called."""
    heads = [
        Column(what),
        Column("Version"),
        Column("Rows", "Labelled, scored rows"),
        Column("Mean p"),
        Column("Came true", "Share of these rows"),
        Column("Gap", "Share that came true − mean p, with a 95 % interval; beneath it what chance gives, 95 %"),
        *(
            Column(label, f"{said} Beneath it what a calibrated model exceeds in 5 % of such parts.")
            for label, said in (ERROR_WORDS[name] for name in PART_ERRORS)
        ),
    ]
    show_table(heads, [_part_cells(row, whole) for row in rows])
    if any(not row.is_whole for row in rows):
        show_note(
            "ECE grows as parts get smaller: read it beside its floor, which one calibrated part in twenty exceeds."
        )


def _part_cells(row: GapRow, whole: str) -> list[Cell]:
    part = row.part
    gap = part.gap
    around = f"{format_change(gap.lower, 'share')} to {format_change(gap.upper, 'share')}"
    return [
        Cell(whole if row.is_whole else row.value or MISSING),
        Cell(row.version or MISSING),
        Cell(format_count(gap.n)),
        Cell(format_share(part.mean_probability)),
        Cell(format_share(part.positive_share)),
        Cell(format_change(gap.value, "share"), f"{around}; by chance ±{format_share(part.gap_floor)}"),
        *(_error_cell(each) for each in part.errors.values()),
    ]


def _error_cell(error: CalibrationError) -> Cell:
    if not error.estimate.is_defined:
        return Cell(UNDEFINED, error.estimate.reason)
    return Cell(format_share(error.estimate.value), f"floor {format_share(error.floor)}")
