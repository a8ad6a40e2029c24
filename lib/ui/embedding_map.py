"""The maps themselves: principal components at once, UMAP when the worker has it, how true it is when that is known."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.map_quality import MapQuality, holds_churn, holds_quality, read_churn, read_quality
from lib.embeddings.projection import Numbering, VersionMap, holds_map, number_rows, read_map
from lib.figures.map_view import (
    MapPanel,
    churn_words,
    colour_plainly,
    colour_rows,
    faithful_words,
    layout_words,
    map_provenance,
    picture_title,
    view_map,
)
from lib.figures.projection_map import encode_map
from lib.figures.projection_picture import plot_projection
from lib.figures.text import escape, plain
from lib.projection import LayoutSettings
from lib.ui.embeddings_page import watch_topic
from lib.ui.figure import current_look, show_figure, side_by_side
from lib.ui.html import show_note
from lib.ui.jobs import settle_asked
from lib.ui.map_controls import MapChoice, read_colours, read_names, told_of_colours, wait_for_colours
from lib.ui.map_link import linked_rows, put_in_link
from lib.ui.mapping import as_plain_markdown
from lib.ui.projection_map import render_map
from lib.vectors import Rows

GROUP = "map"
CHURN = "v_churn"


@dataclass(frozen=True, eq=False)
class Maps:
    """What is drawn.

    Attributes:
        panels: a map for each version that is shown.
        found: what each of them is of.
        numbering: a number for each sample.
        selected: the numbers of those that are selected, ascending.
        drawn: how they are laid out; None for principal components, also while UMAP is not there yet.
    """

    panels: list[MapPanel]
    found: list[VersionMap]
    numbering: Numbering
    selected: Rows
    drawn: LayoutSettings | None


def draw_maps(diagnosis: EmbeddingDiagnosis, choice: MapChoice) -> Maps:
    """Draw the maps of the versions that are shown, and find what is selected on them."""
    layout = choice.layout
    held = all(holds_map(diagnosis, version, layout) for version in choice.versions)
    drawn = layout if held else None
    colours = read_colours(diagnosis, choice)
    look, numbering, group = current_look(), number_rows(diagnosis), group_of(diagnosis)
    painted = None if colours is None else colour_rows(colours, look, choice.colour)
    linked = linked_rows(group, numbering.n)
    found = [read_map(diagnosis, version, drawn) for version in choice.versions]
    panels: list[MapPanel] = []
    for version, each in zip(choice.versions, found, strict=True):
        colour = colour_plainly(len(each.coordinates), version, diagnosis.settings.baseline, look)
        panels.append(
            view_map(
                diagnosis,
                version,
                each,
                colour if painted is None else painted[version],
                numbering,
                read_names(diagnosis, choice, version, drawn, each),
                _quality(diagnosis, version, drawn),
                choice.faded,
                group,
                linked,
            )
        )
    selected = _render(panels, found, numbering)
    put_in_link(group, selected, numbering.n)
    return Maps(panels, found, numbering, selected, drawn)


def group_of(diagnosis: EmbeddingDiagnosis) -> str:
    """Maps of the same rows share their selection, also under other settings."""
    return f"{GROUP}:{diagnosis.embeddings.key}:{diagnosis.settings.baseline}:{diagnosis.settings.candidate}"


def _quality(diagnosis: EmbeddingDiagnosis, version: str, drawn: LayoutSettings | None) -> MapQuality | None:
    return read_quality(diagnosis, version, drawn) if holds_quality(diagnosis, version, drawn) else None


def _render(panels: list[MapPanel], found: list[VersionMap], numbering: Numbering) -> Rows:
    places: list[DeltaGenerator] = [place for place, _look in side_by_side()] if len(panels) > 1 else [st.container()]
    selected = None
    for place, panel, each in zip(places, panels, found, strict=True):
        with place:
            if len(panels) > 1:
                st.markdown(f"**{as_plain_markdown(plain(panel.version))}**")
            selected = render_map(encode_map(panel.view), f"map:{panel.version}", panel.view.group, numbering.n)
            show_note(*faithful_words(panel, each))
    assert selected is not None, "a map was drawn"
    return selected


def wait_for_maps(diagnosis: EmbeddingDiagnosis, choice: MapChoice) -> None:
    """Read what is not there yet behind the page: the layout, then how true it is; draw it again when it is."""
    layout = choice.layout
    wanted: Hashable = (diagnosis.embeddings.key, diagnosis.settings, layout, choice.versions)

    def each_of(read: Callable[..., object]) -> Callable[..., None]:
        def work(run: object, report: Callable[[float, str], None]) -> None:
            n = len(choice.versions)
            for place, version in enumerate(choice.versions):
                read(
                    diagnosis, version, layout, run,
                    lambda share, words, place=place: report((place + share) / n, words),
                )  # fmt: skip

        return work

    watch_topic(
        "layout",
        wanted,
        "Looking for neighbours",
        lambda: all(holds_map(diagnosis, version, layout) for version in choice.versions),
        each_of(read_map),
        cancelled="Cancelled: principal components are shown.",
        again="Lay the map out",
    )
    if all(holds_map(diagnosis, version, layout) for version in choice.versions):
        wait_for_colours(diagnosis, choice)
        watch_topic(
            "map-quality",
            wanted,
            "Comparing the map with the vectors",
            lambda: all(holds_quality(diagnosis, version, layout) for version in choice.versions),
            each_of(read_quality),
            cancelled="Cancelled: how faithful the map is was not measured.",
            again="Measure it",
        )


def show_churn(diagnosis: EmbeddingDiagnosis, layout: LayoutSettings) -> None:
    """What chance alone moves, once it was asked for."""
    churn = settle_asked(
        CHURN,
        (diagnosis.embeddings.key, diagnosis.settings, layout),
        lambda: read_churn(diagnosis, layout) if holds_churn(diagnosis, layout) else None,
        lambda run, report: read_churn(diagnosis, layout, run, report),
        button="Measure what chance moves",
        words="Laying the map out with another seed",
        cancelled="Cancelled: what chance moves was not measured.",
    )
    if churn is None:
        show_note("Lays the baseline's map out once more, with another seed: what that changes is the floor of noise.")
    else:
        show_note(churn_words(churn, layout, diagnosis.settings.baseline, diagnosis.settings.candidate))


def offer_pictures(diagnosis: EmbeddingDiagnosis, maps: Maps, choice: MapChoice) -> None:
    """The maps as figures that can leave the page, with all points, names and where they come from."""
    with st.expander("A picture for a report", on_change="rerun", key="map:picture") as unfolded:
        if not unfolded.open:
            return
        for panel, found in zip(maps.panels, maps.found, strict=True):
            show_figure(
                plot_projection(
                    panel.view,
                    escape(picture_title(panel)),
                    escape(" ".join(faithful_words(panel, found)), 400),
                    map_provenance(diagnosis, layout_words(maps.drawn), *told_of_colours(choice)),
                    current_look(),
                ),
                f"map:picture:{panel.version}",
                name="map",
            )
