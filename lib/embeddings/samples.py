"""Samples picked on a map: the rows themselves, what is truly near them in either version, and what they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from lib.embeddings.diagnosis import EmbeddingDiagnosis, Report, ignore, part
from lib.embeddings.projection import Numbering
from lib.metrics.lost_groups import SharedValue, shared_values
from lib.metrics.selections import Togetherness, togetherness
from lib.sources import Run
from lib.vectors import NO_ROW, Rows

ID, VERSIONS, RANK, DISTANCE, ALSO = "id", "in", "rank", "distance", "also near in"


@dataclass(frozen=True, eq=False)
class Selected:
    """What is told of some samples.

    Attributes:
        n: how many they are.
        together: by version, how far their neighbours are among them.
        shared: values of the metadata that are more frequent among them than among all others, the surest first.
    """

    n: int
    together: dict[str, Togetherness]
    shared: tuple[SharedValue, ...]


def list_samples(diagnosis: EmbeddingDiagnosis, numbering: Numbering, numbers: Rows) -> pd.DataFrame:
    """Samples with their id and metadata, in the order of their numbers; the columns that play a role come first.

    Where two versions are compared a column says in which of them each is.
    """
    versions = diagnosis.settings.versions
    places = {version: _places(numbering, version) for version in versions}
    frames: list[pd.DataFrame] = []
    left = numbers
    for version in versions:
        rows = places[version][left]
        here = left[rows != NO_ROW]
        frame = _rows(diagnosis, version, rows[rows != NO_ROW])
        if len(versions) > 1:
            frame.insert(1, VERSIONS, [_versions_of(places, int(number)) for number in here])
        frames.append(frame.set_index(here))
        left = left[rows == NO_ROW]
    return pd.concat(frames).sort_index().reset_index(drop=True)


def _places(numbering: Numbering, version: str) -> Rows:
    """The row of a version by number, `NO_ROW` where it has none."""
    places = np.full(numbering.n, NO_ROW, np.int64)
    places[numbering.rows[version]] = np.arange(len(numbering.rows[version]))
    return places


def _versions_of(places: dict[str, Rows], number: int) -> str:
    return ", ".join(version for version, rows in places.items() if rows[number] != NO_ROW)


def _rows(diagnosis: EmbeddingDiagnosis, version: str, rows: Rows) -> pd.DataFrame:
    """Rows of a version: id, then the columns that play a role, then the others."""
    roles, table = diagnosis.embeddings.roles, diagnosis.embeddings.metadata[version]
    own = roles.column("id")
    first = [name for name in (roles.column(role) for role in ("label", "text", "image")) if name]
    names = dict.fromkeys(name for name in [*first, *roles.cohorts, *table.column_names] if name != own)
    held = [name for name in names if name in table.column_names]
    taken = {ID, VERSIONS, RANK, DISTANCE}
    frame = pd.DataFrame(
        {
            f"{name} (metadata)" if name in taken else name: table.column(name).take(pa.array(rows)).to_pandas()
            for name in held
        }
    )
    frame.insert(0, ID, diagnosis.vectors(version).ids[rows].astype(str))
    return frame


def list_neighbours(diagnosis: EmbeddingDiagnosis, numbering: Numbering, number: int) -> dict[str, pd.DataFrame | None]:
    """The k nearest rows of a sample in the original space, by version; None where it is not there or did not ask.

    Needs the graphs of both versions. A column says which are near in the other version too.
    """
    found: dict[str, pd.DataFrame | None] = {}
    numbers: dict[str, Rows] = {}
    for version in diagnosis.settings.versions:
        graph, row = diagnosis.graph(version), int(_places(numbering, version)[number])
        place = int(np.searchsorted(graph.queries, row))
        if row == NO_ROW or place >= len(graph.queries) or graph.queries[place] != row:
            found[version] = None
            continue
        near = graph.rows[place, : diagnosis.settings.k]
        near = near[near != NO_ROW].astype(np.int64)
        frame = _rows(diagnosis, version, near)
        frame.insert(0, RANK, np.arange(1, len(near) + 1))
        frame.insert(2, DISTANCE, graph.distances[place, : len(near)].astype(float))
        found[version], numbers[version] = frame, numbering.rows[version][near]
    for version, frame in found.items():
        others = [other for other in numbers if other != version]
        if frame is not None and others:
            is_near = np.isin(numbers[version], numbers[others[0]])
            frame.insert(3, f"{ALSO} {others[0]}", np.where(is_near, "yes", "no"), allow_duplicates=True)
    return found


def holds_graphs(diagnosis: EmbeddingDiagnosis) -> bool:
    """Whether the neighbours of all versions that are looked at are there."""
    return diagnosis.holds(*_graphs_read(diagnosis))


def read_graphs(diagnosis: EmbeddingDiagnosis, run: Run | None = None, on_progress: Report = ignore) -> bool:
    """Read the neighbours of all versions that are looked at.

    Raises:
        Cancelled: `run` was cancelled.
    """

    def compute() -> bool:
        versions = diagnosis.settings.versions
        for place, version in enumerate(versions):
            diagnosis.graph(version, run, part(on_progress, place / len(versions), (place + 1) / len(versions)))
        return True

    return diagnosis.once(_graphs_read(diagnosis), compute, run, on_progress)


def _graphs_read(diagnosis: EmbeddingDiagnosis) -> tuple[object, ...]:
    settings = diagnosis.settings
    return "graphs", settings.versions, settings.distance, settings.k


def describe_samples(diagnosis: EmbeddingDiagnosis, numbering: Numbering, numbers: Rows) -> Selected:
    """What some samples share. Needs the graphs of both versions."""
    versions = diagnosis.settings.versions
    rows = {version: numbering.rows_of(version, numbers) for version in versions}
    together = {
        version: togetherness(diagnosis.graph(version), rows[version], diagnosis.settings.k) for version in versions
    }
    version = max(versions, key=lambda name: len(rows[name]))
    roles, table = diagnosis.embeddings.roles, diagnosis.embeddings.metadata[version]
    named = [roles.column(role) for role in ("label", "split")]
    columns = {
        name: diagnosis.embeddings.texts(version, name).astype(str)
        for name in dict.fromkeys([*named, *roles.cohorts])
        if name and name in table.column_names
    }
    n = diagnosis.vectors(version).n
    shared = shared_values(rows[version], n, columns) if 0 < len(rows[version]) < n else ()
    return Selected(len(numbers), together, shared)
