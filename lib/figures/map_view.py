"""A map as it is shown: colours that mean the same on both maps, names, faded points, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from lib import __version__
from lib.embeddings import EmbeddingDiagnosis
from lib.embeddings.map_quality import Churn, MapQuality
from lib.embeddings.predictions import FLIP, FLIP_WORDS, VIOLATION, VIOLATION_WORDS
from lib.embeddings.projection import Numbering, VersionMap
from lib.embeddings.row_measures import (
    FOUND_IN_NEITHER,
    KEPT,
    LOST,
    LOST_WORDS,
    OCCURRENCE,
    OUTLIER,
    OVERLAP,
    SPARSENESS,
    RowValues,
)
from lib.embeddings.samples import Selected
from lib.figures.format import format_count, format_loss, format_share
from lib.figures.projection_map import Colours, MapLabel, MapView, colour_by_category, colour_by_number
from lib.figures.text import MISSING, escape, plain
from lib.figures.theme import Look
from lib.metrics.cluster_words import NamedPlace
from lib.projection import LayoutSettings
from lib.vectors import Rows

FADED = 0.12
"""What is left of a point none of whose neighbours on the map is a true one."""
LONGEST_NAME, MOST_SHARED = 28, 4
CANNOT_TELL = "cannot be told"
NO_EVIDENCE = (
    "A map is something to click on: distances on it are no evidence. What is near may be far in truth, what is apart "
    "near, and another seed moves it all; every number on these pages is of the original vectors."
)
MEASURE_WORDS = {
    KEPT: "True neighbours kept by the map",
    LOST: "Right answer lost or gained",
    OVERLAP: "Neighbours kept from version to version",
    OCCURRENCE: "In how many lists it is (k-occurrence)",
    SPARSENESS: "Density: distance to the k-th nearest",
    OUTLIER: "Outlier score",
}


@dataclass(frozen=True, eq=False)
class MapPanel:
    """The map of one version.

    Attributes:
        version: its name.
        view: what is drawn.
        quality: how faithful it is; None while that is not known.
    """

    version: str
    view: MapView
    quality: MapQuality | None


def colour_rows(values: Mapping[str, RowValues], look: Look, measure: str = "") -> dict[str, Colours]:
    """Colours by version; a value has the same colour in all versions, and those of a measure their own."""
    joined: RowValues = np.concatenate(list(values.values()))
    if joined.dtype != object:
        together = colour_by_number(joined.astype(np.float64), look)
    elif (meant := _meant_colours(measure, look)) is not None:
        together = _colour_as_meant(joined, meant, look)
    else:
        together = colour_by_category([None if value is None else str(value) for value in joined], look)
    found, start = {}, 0
    for version, each in values.items():
        found[version] = replace(together, codes=together.codes[start : start + len(each)])
        start += len(each)
    return found


def _meant_colours(measure: str, look: Look) -> dict[str, str] | None:
    """The words of a measure with their colours: what a person looks for is red; what stays as it was is faint."""
    wrong, better, axis, faint = (
        look.palette.wrong, look.palette.candidate, look.palette.axis, look.palette.faint_ink
    )  # fmt: skip
    words = {
        LOST: {
            LOST_WORDS[True, False]: wrong,
            LOST_WORDS[False, True]: better,
            LOST_WORDS[True, True]: axis,
            FOUND_IN_NEITHER: faint,
        },
        VIOLATION: {VIOLATION_WORDS[True]: wrong, VIOLATION_WORDS[False]: axis},
        FLIP: {
            FLIP_WORDS[True, False]: wrong,
            FLIP_WORDS[False, True]: better,
            FLIP_WORDS[True, True]: axis,
            FLIP_WORDS[False, False]: faint,
        },
    }
    return words.get(measure)


def _colour_as_meant(values: NDArray[np.object_], meant: Mapping[str, str], look: Look) -> Colours:
    order = {**meant, CANNOT_TELL: look.palette.grid}
    codes = {name: code for code, name in enumerate(order)}
    coded = np.array([codes.get(value, codes[CANNOT_TELL]) for value in values], np.uint8)
    legend: tuple[dict[str, object], ...] = tuple(
        {"name": name, "code": code} for name, code in codes.items() if (coded == code).any()
    )
    greys = look.palette.axis, look.palette.faint_ink, look.palette.grid
    quiet = tuple(code for code, colour in enumerate(order.values()) if colour in greys)
    return Colours(coded, tuple(order.values()), legend, quiet)


def colour_plainly(n: int, version: str, baseline: str, look: Look) -> Colours:
    """One colour for all rows of a version: that which it has everywhere."""
    legend: dict[str, object] = {"name": plain(version), "code": 0}
    return Colours(np.zeros(n, np.uint8), (look.version(version, baseline),), (legend,))


def view_map(
    diagnosis: EmbeddingDiagnosis,
    version: str,
    found: VersionMap,
    colours: Colours,
    numbering: Numbering,
    names: list[NamedPlace],
    quality: MapQuality | None,
    faded: bool,
    group: str,
    selected: Rows | None,
) -> MapPanel:
    """What is drawn of a version."""
    opacity = None
    if faded and quality is not None and np.isfinite(quality.kept).any():
        opacity = FADED + (1 - FADED) * np.sqrt(np.nan_to_num(quality.kept, nan=1.0))
    n_placed = int(np.isfinite(found.coordinates[:, 0]).sum())
    view = MapView(
        coordinates=found.coordinates,
        ids=diagnosis.vectors(version).ids,
        colours=colours,
        description=f"Map of {format_count(n_placed)} rows of {plain(version)}",
        group=group,
        opacity=opacity,
        rows=numbering.rows[version],
        n_rows=numbering.n,
        selected=selected,
        labels=tuple(MapLabel(plain(each.name, LONGEST_NAME), each.x, each.y) for each in names),
    )
    return MapPanel(version, view, quality)


def map_sentence(diagnosis: EmbeddingDiagnosis, panels: list[MapPanel]) -> str:
    """What the maps show and how much of it is true, in a sentence."""
    said = [quality_words(panel) for panel in panels]
    n = max(diagnosis.vectors(panel.version).n for panel in panels)
    known = [each for each in said if each]
    if n == 1:
        return "One row has no others to lie beside: there is no map of it."
    if not known:
        return f"Where {format_count(n)} rows lie to each other, as far as two dimensions can show it."
    return (
        f"Of each row's true neighbours the map keeps {' and '.join(known)}; what else lies near on it is not near in "
        "truth."
    )


def quality_words(panel: MapPanel) -> str:
    """Which share of true neighbours a map keeps, with its version."""
    quality = panel.quality
    if quality is None or not quality.kept_mean.is_defined:
        return ""
    return f"{format_share(quality.kept_mean.value, 0)} ({plain(panel.version)})"


def faithful_words(panel: MapPanel, found: VersionMap) -> list[str]:
    """How a map was made and how faithful it is, in sentences (plain text)."""
    said: list[str] = []
    if found.shares is not None:
        both = found.shares[0] + found.shares[1]
        said.append(f"Principal components: this plane holds {format_share(both)} of the variance.")
    elif found.n_landmarks:
        said.append(
            f"UMAP of {format_count(found.n_landmarks)} landmarks drawn at random; every other row is placed between "
            "the landmarks that are nearest to it."
        )
    quality = panel.quality
    if quality is not None and quality.kept_mean.is_defined:
        said.append(
            f"It keeps {format_share(quality.kept_mean.value)} of the {quality.k} nearest of each row (a map without "
            f"any truth would keep {format_share(quality.expected)}); trustworthiness "
            f"{format_loss(quality.trustworthiness.value)} of 1."
        )
    elif quality is not None:
        said.append(f"How faithful it is: {quality.kept_mean.reason}.")
    if found.disparity == found.disparity:
        said.append(f"It was laid over the baseline's map; {format_share(found.disparity)} of its spread do not fit.")
    return said


def churn_words(churn: Churn, settings: LayoutSettings, baseline: str, candidate: str) -> str:
    """What chance moves beside what the version moves, in a sentence."""
    beyond = churn.of_versions > churn.of_seeds
    return (
        f"Of the {churn.k} nearest on the map {format_share(churn.of_versions, 0)} change from {plain(baseline)} to "
        f"{plain(candidate)}; another seed alone changes {format_share(churn.of_seeds, 0)} on the map of "
        f"{plain(baseline)}. "
        + (
            "Only what goes beyond that may come from the version."
            if beyond
            else "The maps differ no more than chance makes them differ."
        )
    )


def together_words(found: Selected) -> list[str]:
    """Whether selected samples are near each other in the original space, a sentence by version."""
    said: list[str] = []
    for version, each in found.together.items():
        if each.n:
            said.append(
                f"In {plain(version)} {format_share(each.inside, 0)} of their {each.k} nearest are among them in the "
                f"original space; by chance it would be {format_share(each.by_chance)}."
            )
    return said


def shared_words(found: Selected) -> str:
    """What selected samples share, in a sentence."""
    if not found.shared:
        return "No value of the label or a cohort is surely more frequent among them than among the others."
    parts = [
        f"{plain(each.column)} = {plain(each.value) or MISSING} ({format_share(each.share, 0)} of them, "
        f"{format_share(each.rest, 0)} of the others)"
        for each in found.shared[:MOST_SHARED]
    ]
    return f"What they share: {'; '.join(parts)}."


def map_provenance(diagnosis: EmbeddingDiagnosis, *parts: str) -> str:
    """Where a map or a selection comes from, in one escaped line."""
    data, settings = diagnosis.embeddings, diagnosis.settings
    versions = " against ".join(escape(version) for version in reversed(settings.versions))
    made = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    said = [escape(data.name), f"key {data.key[:10]}", versions, f"{settings.distance.value} distance", *parts]
    return " · ".join([*said, f"Marginalia {__version__}", made])


def layout_words(layout: LayoutSettings | None) -> str:
    """How a map is laid out, in a few words."""
    if layout is None:
        return "principal components"
    return f"UMAP, {layout.n_neighbors} neighbours, least distance {layout.min_dist:g}, seed {layout.seed}"


def picture_title(panel: MapPanel) -> str:
    """What a picture of a map says, as its title."""
    kept = quality_words(panel)
    name = plain(panel.version)
    return f"Map of {name}: it keeps {kept.split(' (')[0]} of true neighbours" if kept else f"Map of {name}"
