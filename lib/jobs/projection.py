"""The map's work: laid out in a worker from a graph that is there, and kept on disk by content and settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lib.jobs.arrays import sent
from lib.jobs.pool import Progress, shared_pool
from lib.projection import Layout, LayoutSettings, layout_key, load_layout, save_layout
from lib.sources import Run
from lib.vectors import Flags, Matrix, NeighbourGraph


@dataclass(frozen=True, eq=False)
class LayoutRequest:
    """A map that is asked for.

    Attributes:
        content: the hash of the vectors.
        graph: their neighbours; with landmarks those of all rows among the landmarks.
        start: shape (n, 2), float32, where points begin; NaN for a row that begins among its neighbours.
        start_key: the key of the layout that `start` is of; empty for principal components.
        settings: what the map is made with.
        landmarks: shape (n,), the rows that are laid out first, among each other; None for all at once.
        matrix: shape (n, d), with landmarks; memory-mapped it is opened by the worker and not sent.
    """

    content: str
    graph: NeighbourGraph
    start: NDArray[np.float32]
    settings: LayoutSettings
    start_key: str = ""
    landmarks: Flags | None = None
    matrix: Matrix | None = None

    @property
    def key(self) -> str:
        """What the layout is kept under."""
        count = 0 if self.landmarks is None else int(np.count_nonzero(self.landmarks))
        return layout_key(self.content, self.settings, count, self.start_key)


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
    graph: Any = request.graph
    graph = replace(graph, queries=sent(graph.queries), rows=sent(graph.rows), distances=sent(graph.distances))
    matrix = None if request.matrix is None else sent(request.matrix)
    arguments = (graph, sent(request.start), request.settings, request.landmarks, matrix)
    layout: Layout = shared_pool().work("lay_out", *arguments, run=run, on_progress=on_progress)
    save_layout(folder, request.key, layout)
    return layout
