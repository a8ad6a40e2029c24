"""The map's work in a worker: laid out from a graph that is there and kept on disk, and judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lib.jobs.matrices import handed
from lib.jobs.pool import Progress, shared_pool
from lib.metrics.layouts import JudgedLayout
from lib.projection import Layout, LayoutSettings, layout_key, load_layout, save_layout
from lib.sources import Run
from lib.vectors import Flags, NeighbourGraph, Vectors


@dataclass(frozen=True, eq=False)
class LayoutRequest:
    """A map that is asked for.

    Attributes:
        content: the hash of the vectors.
        graph: their neighbours; with landmarks those of all rows among the landmarks.
        start: shape (n, 2), float32, where points begin; NaN for a row that begins among its neighbours.
        settings: what the map is made with.
        start_key: the key of the layout that `start` is of; empty for principal components.
        landmarks: shape (n,), the rows that are laid out among each other, the rest being placed by them; None for all.
    """

    content: str
    graph: NeighbourGraph
    start: NDArray[np.float32]
    settings: LayoutSettings
    start_key: str = ""
    landmarks: Flags | None = None

    @property
    def key(self) -> str:
        """What the layout is kept under."""
        is_exact = self.graph.n_measured == 0
        return layout_key(self.content, self.settings, self.landmarks, self.start_key, is_exact)


def lay_out(folder: Path, request: LayoutRequest, run: Run, on_progress: Progress) -> Layout:
    """The layout that is kept in the folder, or one made in a worker and kept there.

    Raises:
        Cancelled: `run` was cancelled; the worker is gone and nothing is kept.
        LimitError: the worker needed more memory than it may have, or has ended.
        MarginaliaError: the request cannot be met, in a sentence.
    """
    held = load_layout(folder, request.key)
    if held is not None:
        return held
    arguments = (request.graph, request.start, request.settings, request.landmarks, bool(request.start_key))
    layout: Layout = shared_pool().work("lay_out", *arguments, run=run, on_progress=on_progress)
    save_layout(folder, request.key, layout)
    return layout


def judge_layout(
    vectors: Vectors,
    coordinates: NDArray[np.float32],
    graph: NeighbourGraph,
    k: int,
    folder: Path,
    run: Run,
    on_progress: Progress,
) -> JudgedLayout:
    """How faithful a map is, by `lib.metrics.layouts.judge_layout` in a worker; not kept.

    Args:
        vectors: that the map is of.
        coordinates: shape (n, 2), NaN for a row without a place.
        graph: of the vectors; every row that has a place is one of its queries.
        k: how many neighbours.
        folder: where a matrix that lies in no file may be written meanwhile.
        run: what may cancel it.
        on_progress: told how far it is.

    Raises:
        Cancelled: `run` was cancelled; the worker is gone.
        LimitError: the worker needed more memory than it may have.
        DataError: k is not below half of the rows that have a place, or the graph's lists are shorter.
    """
    with handed(vectors, folder) as given:
        return shared_pool().work("judge_layout", given, coordinates, graph, k, run=run, on_progress=on_progress)
