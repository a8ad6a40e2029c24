"""The controls of the Map page: how it is laid out, what it is coloured by, what is named on it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.predictions import OF_MARGIN_TARGET
from lib.embeddings.projection import VersionMap
from lib.embeddings.row_measures import (
    LOST,
    RowValues,
    column_texts,
    column_values,
    holds_row_measure,
    offered_measures,
    read_row_measure,
)
from lib.figures.map_predictions import PREDICTED_WORDS, predicted_provenance
from lib.figures.map_view import MEASURE_WORDS
from lib.metrics.cluster_words import NamedPlace, name_by_value, name_by_words
from lib.projection import PARAMETERS, LayoutSettings
from lib.ui import state
from lib.ui.embeddings_page import watch_topic
from lib.ui.predictions_beside import Beside
from lib.ui.sidebar import choose_margin_target
from lib.vectors import Distance

UMAP, PCA = "umap", "pca"
METHODS = {UMAP: "UMAP", PCA: "Principal components"}
PLAIN, COLUMN, WORDS, NOTHING = "version", "column:", "words", "nothing"
MOST_KINDS = 10
"""A column of more numbers is coloured as a scale: so many values have a colour each."""
MOST_NAMES = 40
COLOUR_HELP = (
    "Columns of the metadata, what is measured of the vectors, and, where predictions of the same ids are open, their "
    "margin, losses, violations and flips."
)
SHOWN = {"both": "Both, side by side", "baseline": "Baseline", "candidate": "Candidate"}


@dataclass(frozen=True)
class MapChoice:
    """What the controls say.

    Attributes:
        layout: what UMAP is made with; None for principal components.
        colour: a measure of the vectors or of predictions, `COLUMN` with the name of a column, or `PLAIN`.
        names: `COLUMN` with the name of a column, `WORDS` or `NOTHING`.
        faded: whether misplaced points are faded.
        versions: which are drawn, one or two.
        margin_target: γ, of which some measures of predictions tell.
        beside: the predictions; None where none are open.
    """

    layout: LayoutSettings | None
    colour: str
    names: str
    faded: bool
    versions: tuple[str, ...]
    margin_target: float
    beside: Beside | None


def choose_map(diagnosis: EmbeddingDiagnosis, beside: Beside | None) -> MapChoice:
    """The choices of the page, in its controls."""
    roles = diagnosis.embeddings.roles
    label = roles.column("label")
    columns = _columns(diagnosis)
    grouping = [*([label] if label else []), *roles.cohorts]
    colours = {PLAIN: "Version"} | {f"{COLUMN}{name}": name for name in columns}
    colours |= {measure: MEASURE_WORDS[measure] for measure in offered_measures(diagnosis)}
    if beside is not None:
        colours |= {measure: PREDICTED_WORDS[measure] for measure in beside.measures(state.get("v_colour"))}
    # Of more values than there are colours nearly all rows would be grey.
    default = next(
        (f"{COLUMN}{name}" for name in grouping if _n_values(diagnosis, name) <= MOST_KINDS),
        PLAIN if not grouping else LOST if LOST in colours else f"{COLUMN}{grouping[0]}",
    )
    first, second, third, fourth = st.columns([3, 3, 3, 2], vertical_alignment="bottom")
    colour = state.choose(
        "v_colour", "Colour by", list(colours), default=default, words=colours.__getitem__, draw=first.selectbox,
        help=COLOUR_HELP,
    )  # fmt: skip
    named = {NOTHING: "Nothing"} | {f"{COLUMN}{name}": name for name in grouping}
    if roles.column("text"):
        named[WORDS] = "Typical words"
    # The label, or the first of the cohorts, all of whose values find room; else the first of all, or words.
    usual = next(
        (f"{COLUMN}{name}" for name in grouping if _n_values(diagnosis, name) <= MOST_NAMES),
        next((each for each in list(named)[1:]), NOTHING),
    )
    names = state.choose(
        "v_names", "Names on the map", list(named), default=usual, words=named.__getitem__, draw=second.selectbox,
        help="Each value stands above the middle of its rows; typical words are those that are frequent in a part "
        "of the map and rare in the others. Names that find no room appear as the map is zoomed.",
    )  # fmt: skip
    shown = "both"
    if diagnosis.is_compared:
        shown = state.choose(
            "v_shown", "Versions", list(SHOWN), default="both", words=SHOWN.__getitem__, draw=third.selectbox
        )
    with fourth.popover("Layout", width="stretch"):
        layout, faded = choose_layout(diagnosis.settings.distance)
    versions = diagnosis.settings.versions
    if shown != "both" and len(versions) > 1:
        versions = versions[:1] if shown == "baseline" else versions[1:]
    margin_target = 1.0
    if colour in OF_MARGIN_TARGET and beside is not None and beside.scan is not None:
        with st.columns([3, 8])[0]:
            margin_target = choose_margin_target(beside.scan)
    return MapChoice(layout, colour, names, faded, versions, margin_target, beside)


def choose_layout(distance: Distance) -> tuple[LayoutSettings | None, bool]:
    """How the map is laid out, and whether misplaced points are faded."""
    method = state.choose(
        "v_method", "Method", list(METHODS), default=UMAP, words=METHODS.__getitem__, draw=st.segmented_control
    )
    faded = (
        state.choose(
            "v_fade", "Points that the map misplaces", ["plain", "faded"], default="plain",
            words=str.capitalize, draw=st.segmented_control,
            help="A point is the fainter the fewer of its true neighbours are near it on the map.",
        ) == "faded"
    )  # fmt: skip
    if method == PCA:
        return None, faded
    usual = LayoutSettings()
    values = {
        each.name: state.slide(
            f"v_{each.name}", each.label, float(each.low), 99.0 if each.name == "seed" else float(each.high),
            0.01 if each.name == "min_dist" else 1.0, default=float(getattr(usual, each.name)), help=each.words,
            format="%.2f" if each.name == "min_dist" else "%.0f",
        )
        for each in PARAMETERS
    }  # fmt: skip
    return LayoutSettings(int(values["n_neighbors"]), values["min_dist"], int(values["seed"]), distance), faded


def _columns(diagnosis: EmbeddingDiagnosis) -> list[str]:
    """Columns that a map can be coloured by: not those of which every value is another one."""
    roles, tables = diagnosis.embeddings.roles, diagnosis.embeddings.metadata.values()
    never = {roles.column(role) for role in ("id", "text", "image")}
    names = dict.fromkeys(name for table in tables for name in table.column_names if name not in never)
    label = roles.column("label")
    return sorted(names, key=lambda name: (name != label, name not in roles.cohorts))


def _n_values(diagnosis: EmbeddingDiagnosis, column: str) -> int:
    """How many values a column has in the versions that are shown."""
    versions = diagnosis.settings.versions
    return diagnosis.once(
        ("values", column, versions),
        lambda: len({each for version in versions for each in column_texts(diagnosis, version, column)} - {None}),
    )


def read_colours(diagnosis: EmbeddingDiagnosis, choice: MapChoice) -> dict[str, RowValues] | None:
    """What the rows are coloured by, by version; None for one colour, and while it is not known."""
    if choice.colour.startswith(COLUMN):
        return column_values(diagnosis, choice.colour.removeprefix(COLUMN), MOST_KINDS)
    if choice.colour in PREDICTED_WORDS:
        predicted = None if choice.beside is None else choice.beside.predicted
        return None if predicted is None else predicted.values(choice.colour, choice.margin_target)
    if choice.colour == PLAIN or not holds_row_measure(diagnosis, choice.colour, choice.layout):
        return None
    return read_row_measure(diagnosis, choice.colour, choice.layout)


def told_of_colours(choice: MapChoice) -> list[str]:
    """What a picture says of its colours, escaped: whose predictions they are of, where they are of any."""
    beside = choice.beside
    if choice.colour not in PREDICTED_WORDS or beside is None or beside.predicted is None or beside.scan is None:
        return []
    of = beside.scan.facts, beside.predicted
    return [predicted_provenance(*of, choice.colour, choice.versions, choice.margin_target)]


def wait_for_colours(diagnosis: EmbeddingDiagnosis, choice: MapChoice) -> None:
    """Read what the rows are coloured by behind the page, where that takes work; draw it again when it is there."""
    if choice.colour == PLAIN or choice.colour.startswith(COLUMN) or choice.colour in PREDICTED_WORDS:
        return
    watch_topic(
        "row-measure",
        (choice.colour, choice.layout, diagnosis.settings, diagnosis.embeddings.key),
        f"Working out: {MEASURE_WORDS[choice.colour].lower()}",
        lambda: holds_row_measure(diagnosis, choice.colour, choice.layout),
        lambda run, report: read_row_measure(diagnosis, choice.colour, choice.layout, run, report),
        cancelled=f"Cancelled: the map is not coloured by: {MEASURE_WORDS[choice.colour].lower()}.",
        again="Work it out",
    )


def read_names(
    diagnosis: EmbeddingDiagnosis, choice: MapChoice, version: str, drawn: LayoutSettings | None, found: VersionMap
) -> list[NamedPlace]:
    """What is named on the map of a version, which is laid out as `drawn` says."""
    points = found.coordinates
    if choice.names == NOTHING:
        return []
    text = diagnosis.embeddings.roles.column("text")
    is_words = choice.names == WORDS
    column = (text or "") if is_words else choice.names.removeprefix(COLUMN)
    values = column_texts(diagnosis, version, column)
    wanted = ("names", version, choice.names, drawn, diagnosis.settings)
    return diagnosis.once(
        wanted,
        lambda: name_by_words(points, values) if is_words else name_by_value(points, values)[:MOST_NAMES],
    )
