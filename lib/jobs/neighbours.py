"""Neighbour graphs and rankings of right answers: made in a worker, graphs kept on disk."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lib.errors import MarginaliaError
from lib.jobs.matrices import handed
from lib.jobs.pool import Progress, shared_pool
from lib.metrics.ranked_matches import RankedMatches
from lib.neighbours.graph import EXACT_UP_TO
from lib.neighbours.saved import graph_path, load_graph
from lib.sources import Run
from lib.vectors import Distance, NeighbourGraph, Truth, Vectors


def neighbour_graph(
    vectors: Vectors,
    distance: Distance,
    k: int,
    folder: Path,
    run: Run,
    on_progress: Progress,
    exact_up_to: float = EXACT_UP_TO,
) -> NeighbourGraph:
    """The graph of `lib.neighbours.compute_graph`, from `folder` if it was made before, as exactly.

    Raises:
        Cancelled: `run` was cancelled; the worker is gone and nothing is kept.
        DataError: k is below 1, or the graph cannot be written, such as to a disk that is full.
        LimitError: the worker needed more memory than it may have.
    """
    path = graph_path(folder, vectors, distance, k, exact_up_to)
    kept = load_graph(path)
    if kept is not None:
        return kept
    # A worker that is killed while it writes leaves nothing behind that this does not take away.
    with handed(vectors, folder) as given, tempfile.TemporaryDirectory(prefix="graph-", dir=folder) as draft:
        written = Path(draft) / path.name
        arguments = (given, distance, k, str(written), exact_up_to)
        shared_pool().work("neighbour_graph", *arguments, run=run, on_progress=on_progress)
        made = load_graph(written)
        if made is None:
            raise MarginaliaError(f"The neighbours of {vectors.version} were written and cannot be read again.")
        written.replace(path)
    return made


def ranked_matches(
    vectors: Vectors,
    truth: Truth,
    graph: NeighbourGraph,
    ks: tuple[int, ...],
    folder: Path,
    run: Run,
    on_progress: Progress,
) -> RankedMatches:
    """The rankings of `lib.neighbours.compute_matches`, in a worker; not kept.

    Raises:
        Cancelled: `run` was cancelled; the worker is gone.
        DataError: a k is below 1, or the graph has shorter lists.
        LimitError: the worker needed more memory than it may have.
    """
    with handed(vectors, folder) as given:
        return shared_pool().work("ranked_matches", given, truth, graph, ks, run=run, on_progress=on_progress)
