"""Graphs on disk, by what they were made of and how: written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import numpy as np

from lib.neighbours.graph import EXACT_UP_TO
from lib.vectors import Distance, NeighbourGraph, Vectors

GRAPH_VERSION: Final = 2
"""Raised whenever the same vectors would get another graph than before."""


def graph_path(folder: Path, vectors: Vectors, distance: Distance, k: int, exact_up_to: float = EXACT_UP_TO) -> Path:
    """Where the graph of these vectors is kept, if it is: named by their content, their flags and the parameters."""
    key = hashlib.sha256(f"{GRAPH_VERSION} {vectors.sha256} {distance.value} {k} {exact_up_to:g}".encode())
    for flags in (vectors.is_good, vectors.is_query, vectors.is_gallery):
        key.update(len(flags).to_bytes(8, "little"))
        key.update(np.packbits(flags).tobytes())
    return folder / f"{key.hexdigest()}.graph.npz"


def save_graph(graph: NeighbourGraph, path: Path) -> None:
    """Write a graph to its place.

    Raises:
        DataError: it cannot be written, such as to a disk that is full.
    """
    try:
        _write(graph, path)
    except OSError as error:
        from lib.sources.inputs import unwritable

        raise unwritable(path, error) from error


def _write(graph: NeighbourGraph, path: Path) -> None:
    handle, draft = tempfile.mkstemp(prefix="graph-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                distance=np.array(graph.distance.value),
                queries=graph.queries,
                rows=graph.rows,
                distances=graph.distances,
                recall=np.array([graph.recall, graph.n_measured]),
            )
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)


def load_graph(path: Path) -> NeighbourGraph | None:
    """The graph that is kept there; None where there is none, or a damaged one: it is made again."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            recall, n_measured = arrays["recall"].tolist()
            return NeighbourGraph(
                distance=Distance(str(arrays["distance"])),
                queries=arrays["queries"],
                rows=arrays["rows"],
                distances=arrays["distances"],
                recall=recall,
                n_measured=int(n_measured),
            )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
