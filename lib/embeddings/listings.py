"""Rows that measures name, as a person knows them: the loneliest, and groups of near duplicates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lib.embeddings.diagnosis import EmbeddingDiagnosis
from lib.embeddings.measures import Duplicates
from lib.metrics.alignment import Alignment
from lib.metrics.near_duplicates import NO_GROUP
from lib.metrics.outliers import Outliers
from lib.vectors import Rows

TOLD = ("label", "text", "split")
"""Roles whose columns tell what a row is."""


def describe_rows(diagnosis: EmbeddingDiagnosis, version: str, rows: Rows) -> pd.DataFrame:
    """The id of each row, and its label, text and split where columns play these roles."""
    roles = diagnosis.embeddings.roles
    frame = pd.DataFrame({"id": diagnosis.vectors(version).ids[rows].astype(str)})
    for role in TOLD:
        column = roles.column(role)
        if column is not None:
            frame[role] = diagnosis.embeddings.texts(version, column)[rows]
    return frame


def list_outliers(diagnosis: EmbeddingDiagnosis, version: str, found: Outliers, most: int) -> pd.DataFrame:
    """The rows of a version that are furthest from what their neighbours have, the loneliest first, with the score."""
    queries = diagnosis.graph(version).queries
    known = np.flatnonzero(~np.isnan(found.score))
    first = known[np.argsort(-found.score[known], kind="stable")[:most]]
    frame = describe_rows(diagnosis, version, queries[first])
    return frame.assign(outlier_score=found.score[first], is_beyond=found.score[first] > found.floor)


def list_groups(diagnosis: EmbeddingDiagnosis, version: str, found: Duplicates) -> pd.DataFrame:
    """Every row that is in a group of near duplicates, the largest group first, with the size of its group."""
    group, sizes = found.found.group, found.found.group_sizes
    rows = np.flatnonzero(group != NO_GROUP)
    rows = rows[np.lexsort((rows, group[rows], -sizes[group[rows]]))]
    frame = describe_rows(diagnosis, version, rows)
    frame.insert(0, "group", group[rows] + 1)
    frame.insert(1, "size", sizes[group[rows]])
    return frame


def list_pairs(diagnosis: EmbeddingDiagnosis, version: str, found: Duplicates) -> pd.DataFrame:
    """Every pair of near duplicates, the nearest first."""
    order = np.argsort(found.found.distances, kind="stable")
    sides = [describe_rows(diagnosis, version, each[order]) for each in (found.found.first, found.found.second)]
    frame = pd.concat([side.add_suffix(f"_{place}") for place, side in enumerate(sides, 1)], axis=1)
    return frame.assign(distance=found.found.distances[order])


def list_aligned(diagnosis: EmbeddingDiagnosis, version: str, found: Alignment, rows: Rows) -> pd.DataFrame:
    """The ids that are in both versions, what moved most after turning first.

    Args:
        diagnosis: the versions.
        version: the one that `rows` are of.
        found: how they were turned.
        rows: of the ids in both, as they were turned.
    """
    frame = describe_rows(diagnosis, version, rows).assign(
        residual=found.residual,
        displacement=found.displacement,
        is_far=found.is_far,
        is_unchanged=found.is_unchanged,
        is_identical=found.is_identical,
    )
    return frame.sort_values("residual", ascending=False, kind="stable", ignore_index=True)
