"""The map of each version: principal components at once, UMAP from the graph, the candidate's laid over the baseline's.

A map is something to click on; `lib.embeddings.map_quality` says how much of it is true, and what chance alone moves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lib.embeddings.diagnosis import NEIGHBOURS, EmbeddingDiagnosis, Report, ignore, part
from lib.errors import UndefinedError
from lib.jobs.neighbours import neighbour_graph
from lib.jobs.projection import LayoutRequest, lay_out
from lib.projection import (
    EXACT_FOR_MAP,
    LAID_OUT_WHOLE,
    LANDMARKS,
    LayoutSettings,
    Pca,
    align,
    begin_from,
    choose_landmarks,
    compute_pca,
    pair_ids,
)
from lib.sources import Run
from lib.vectors import Flags, NeighbourGraph, Rows

Points = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class VersionMap:
    """The map of a version.

    Attributes:
        coordinates: shape (n, 2); NaN for a row without a place. Those of the candidate lie over the baseline's.
        disparity: of the candidate, the share of the spread that could not be laid over the baseline's, in [0, 1]; NaN
            where there was nothing to lay it over.
        n_landmarks: how many rows were laid out among each other, the rest being placed by them; 0 if all were.
        shares: of principal components, the share of the variance along either axis; None for UMAP.
        seconds: that the layout took; 0 for principal components.
        key: what the layout is kept under; empty for principal components.
    """

    coordinates: Points
    disparity: float = math.nan
    n_landmarks: int = 0
    shares: tuple[float, float] | None = None
    seconds: float = 0.0
    key: str = ""


@dataclass(frozen=True, eq=False)
class Numbering:
    """A number for each sample, the same in both versions, so that one selection holds on both maps.

    Attributes:
        rows: version to the number of each row, shape (n,): the baseline's row where ids are the same.
        n: how many numbers there are.
    """

    rows: dict[str, Rows]
    n: int

    def rows_of(self, version: str, numbers: Rows) -> Rows:
        """The rows of a version that have these numbers, ascending by row."""
        return np.flatnonzero(np.isin(self.rows[version], numbers))


def number_rows(diagnosis: EmbeddingDiagnosis) -> Numbering:
    """Number the rows of baseline and candidate."""
    first, second = diagnosis.settings.baseline, diagnosis.settings.candidate
    n = diagnosis.vectors(first).n
    numbers = {first: np.arange(n)}
    if diagnosis.is_compared:
        here, there = rows_on_both(diagnosis)
        of_second = np.full(diagnosis.vectors(second).n, -1, np.int64)
        of_second[there] = here
        new = np.flatnonzero(of_second < 0)
        of_second[new] = n + np.arange(len(new))
        numbers[second], n = of_second, n + len(new)
    return Numbering(numbers, n)


def rows_on_both(diagnosis: EmbeddingDiagnosis) -> tuple[Rows, Rows]:
    """Rows of baseline and candidate with the same id."""
    names = (diagnosis.settings.baseline, diagnosis.settings.candidate)
    return diagnosis.once(
        ("pairs", *names), lambda: pair_ids(*(diagnosis.vectors(name).ids.astype(str) for name in names))
    )


def read_plane(diagnosis: EmbeddingDiagnosis, version: str) -> VersionMap:
    """The plane of the first two principal components; there at once.

    Raises:
        UndefinedError: no row can be drawn.
    """
    found = _pca(diagnosis, version)
    shares = (float(found.shares[0]), float(found.shares[1]))
    return _laid_over(diagnosis, version, VersionMap(found.coordinates, shares=shares), None)


def _pca(diagnosis: EmbeddingDiagnosis, version: str) -> Pca:
    vectors, distance = diagnosis.vectors(version), diagnosis.settings.distance
    return diagnosis.once(
        ("pca", version, distance), lambda: compute_pca(vectors.matrix, vectors.usable(distance), distance)
    )


def read_map(
    diagnosis: EmbeddingDiagnosis,
    version: str,
    settings: LayoutSettings | None,
    run: Run | None = None,
    on_progress: Report = ignore,
) -> VersionMap:
    """The map of a version, worked out once; the candidate's begins where the baseline's has the same ids.

    Args:
        diagnosis: of which vectors.
        version: baseline or candidate.
        settings: what it is laid out with; None for principal components.
        run: what may cancel it.
        on_progress: told how far it is.

    Raises:
        Cancelled: `run` was cancelled.
        UndefinedError: no row can be drawn, or none has a neighbour.
    """
    if settings is None:
        return read_plane(diagnosis, version)

    def compute() -> VersionMap:
        is_second = diagnosis.is_compared and version == diagnosis.settings.candidate
        first = None
        if is_second:
            first = read_map(diagnosis, diagnosis.settings.baseline, settings, run, part(on_progress, 0.0, 0.5))
        report = part(on_progress, 0.5, 1.0) if is_second else on_progress
        start, begun_from = _pca(diagnosis, version).coordinates, ""
        if first is not None and _is_begun_from_baseline(diagnosis):
            start = begin_from(first.coordinates, *rows_on_both(diagnosis), len(start))
            begun_from = first.key
        made = _lay_out(diagnosis, version, settings, start, begun_from, run, report)
        return _laid_over(diagnosis, version, made, first)

    return diagnosis.once(map_key(diagnosis, version, settings), compute, run, on_progress)


def read_map_of_other_seed(
    diagnosis: EmbeddingDiagnosis, settings: LayoutSettings, run: Run | None, report: Report
) -> VersionMap:
    """The baseline's map with another seed, begun from the baseline's map where the candidate's is."""
    version, other = diagnosis.settings.baseline, replace(settings, seed=(settings.seed + 1) % 2**31)
    if not _is_begun_from_baseline(diagnosis):
        return read_map(diagnosis, version, other, run, report)
    first = read_map(diagnosis, version, settings, run)
    return _lay_out(diagnosis, version, other, first.coordinates, first.key, run, report)


def _is_begun_from_baseline(diagnosis: EmbeddingDiagnosis) -> bool:
    """Whether at least half of the candidate's rows have a place on the baseline's map."""
    return len(rows_on_both(diagnosis)[0]) >= len(diagnosis.vectors(diagnosis.settings.candidate).ids) / 2


def _lay_out(
    diagnosis: EmbeddingDiagnosis,
    version: str,
    settings: LayoutSettings,
    start: Points,
    begun_from: str,
    run: Run | None,
    report: Report,
) -> VersionMap:
    """A map of a version that begins at a place, which is that of another map where `begun_from` is its key."""
    graph, landmarks = graph_of_map(diagnosis, version, settings, run or Run(), part(report, 0.0, 0.4))
    request = LayoutRequest(diagnosis.vectors(version).sha256, graph, start, settings, begun_from, landmarks)
    layout = lay_out(diagnosis.folder, request, run or Run(), part(report, 0.4, 1.0))
    return VersionMap(layout.coordinates, n_landmarks=layout.n_landmarks, seconds=layout.seconds, key=request.key)


def holds_map(diagnosis: EmbeddingDiagnosis, version: str, settings: LayoutSettings | None) -> bool:
    """Whether that was worked out already."""
    return settings is None or diagnosis.holds(*map_key(diagnosis, version, settings))


def map_key(diagnosis: EmbeddingDiagnosis, version: str, settings: LayoutSettings | None) -> tuple[object, ...]:
    """What a map is held under; the baseline's depends on no other version."""
    from_other = diagnosis.settings.baseline if version != diagnosis.settings.baseline else ""
    return "map", version, from_other, diagnosis.settings.distance, settings


def _laid_over(diagnosis: EmbeddingDiagnosis, version: str, made: VersionMap, first: VersionMap | None) -> VersionMap:
    """The candidate's map turned, mirrored, scaled and shifted to lie over the baseline's."""
    if not diagnosis.is_compared or version != diagnosis.settings.candidate:
        return made
    over = first or VersionMap(_pca(diagnosis, diagnosis.settings.baseline).coordinates)
    here, there = rows_on_both(diagnosis)
    try:
        laid = align(made.coordinates, there, over.coordinates, here)
    except UndefinedError:
        return made
    return replace(made, coordinates=laid.coordinates, disparity=laid.disparity)


def graph_of_map(
    diagnosis: EmbeddingDiagnosis,
    version: str,
    settings: LayoutSettings,
    run: Run,
    report: Report,
    exact_up_to: float = EXACT_FOR_MAP,
) -> tuple[NeighbourGraph, Flags | None]:
    """Neighbours of all rows among all, or among landmarks where there are very many; and the landmarks.

    Which they are depends on the vectors alone, never on what was asked before: so a link shows the same map again.
    """
    vectors = diagnosis.vectors(version)
    usable = vectors.usable(settings.distance)
    k = max(NEIGHBOURS, settings.n_neighbors - 1)
    landmarks = None
    is_small = float(usable.sum()) ** 2 * vectors.dimension <= exact_up_to
    if int(usable.sum()) > LAID_OUT_WHOLE:
        landmarks = choose_landmarks(usable, LANDMARKS, settings.seed)
    elif is_small and k == NEIGHBOURS and bool((vectors.is_query & vectors.is_gallery)[usable].all()):
        return diagnosis.graph(version, run, report), None
    everything = np.ones(vectors.n, bool)
    asked = replace(vectors, is_query=everything, is_gallery=everything if landmarks is None else landmarks)
    graph = diagnosis.once(
        ("map graph", version, settings.distance, k, None if landmarks is None else settings.seed, exact_up_to),
        lambda: neighbour_graph(asked, settings.distance, k, diagnosis.folder, run, report, exact_up_to),
        run,
        report,
    )
    return graph, landmarks
