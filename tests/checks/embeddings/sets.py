"""Pairs of versions, made up or of `sample_data.embedding_faults`, as a diagnosis of vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from lib.embeddings import EmbeddingDiagnosis, EmbeddingSettings
from lib.schema import TimeFormat
from lib.sources.embeddings import EmbeddingRoles, EmbeddingSet, FoundNeighbours, RowFaults
from lib.vectors import Distance, Truth
from sample_data.embedding_faults import Version
from tests.recall_drop.worlds import vectors_of

NOTHING = np.zeros(0, np.int64)


def made(matrix: np.ndarray, label: np.ndarray | None = None, name: str = "v1", **more: Any) -> Version:
    """A version of a matrix: rows are named by their number, all of them ask and answer."""
    n = len(matrix)
    values: dict[str, Any] = {
        "name": name,
        "matrix": matrix.astype(np.float32),
        "ids": np.array([f"item-{row:05d}" for row in range(n)]),
        "label": np.full(n, -1) if label is None else label,
        "cohort": np.full(n, "all"),
        "is_query": np.ones(n, np.bool_),
        "is_gallery": np.ones(n, np.bool_),
    }
    return Version(**(values | more))


def diagnosis_of(
    folder: Path,
    *versions: Version,
    distance: Distance = Distance.EUCLIDEAN,
    ks: tuple[int, ...] = (1,),
    sensitive: bool = False,
    faults: dict[str, RowFaults] | None = None,
    times: np.ndarray | None = None,
) -> EmbeddingDiagnosis:
    """The cohort column is `source`; with `sensitive` it is that instead."""
    has_cohorts = any(len(set(version.cohort)) > 1 for version in versions)
    columns = {version.name: {"source": version.cohort} for version in versions}
    if times is not None:
        columns = {name: {**each, "time": times} for name, each in columns.items()}
    roles = EmbeddingRoles(
        single={} if times is None else {"time": "time"},
        time_format=None if times is None else TimeFormat("epoch_seconds"),
        cohorts=("source",) if has_cohorts and not sensitive else (),
        sensitive=("source",) if sensitive else (),
    )
    return diagnosis_with(folder, versions, columns, roles, distance, ks, faults)


def diagnosis_with(
    folder: Path,
    versions: Sequence[Version],
    columns: Mapping[str, Mapping[str, np.ndarray]],
    roles: EmbeddingRoles,
    distance: Distance,
    ks: tuple[int, ...],
    faults: Mapping[str, RowFaults] | None = None,
    neighbours: Mapping[str, FoundNeighbours] | None = None,
) -> EmbeddingDiagnosis:
    """Versions with the columns of each, whatever they are."""
    known = {version.name: Truth(labels=version.label.astype(np.int64)) for version in versions}
    given = EmbeddingSet(
        name="made up",
        versions={
            version.name: replace(vectors_of(version), is_good=np.isfinite(version.matrix).all(axis=1))
            for version in versions
        },
        metadata={version.name: pa.Table.from_pandas(pd.DataFrame(columns[version.name])) for version in versions},
        roles=roles,
        truth={name: truth for name, truth in known.items() if (truth.labels >= 0).any()},  # type: ignore[operator]
        neighbours=dict(neighbours or {}),
        faults={version.name: RowFaults(NOTHING, NOTHING, NOTHING) for version in versions} | dict(faults or {}),
        inputs=(),
        notes=(),
    )
    return EmbeddingDiagnosis(given, EmbeddingSettings.choose(given, distance=distance, ks=ks), folder)
