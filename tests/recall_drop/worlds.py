"""Pairs of versions of `sample_data.embedding_faults`, as the product sees them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lib.recall_drop import Asked, RecallDrop, Side, compute_recall_drop
from lib.recall_drop.question import answer
from lib.vectors import Distance, Truth, Vectors
from sample_data.embedding_faults import Fault, Version, VersionsTruth


def vectors_of(version: Version) -> Vectors:
    return Vectors(
        version=version.name,
        matrix=np.ascontiguousarray(version.matrix, np.float32),
        ids=version.ids,
        is_good=np.ones(len(version.ids), np.bool_),
        is_query=version.is_query,
        is_gallery=version.is_gallery,
        stored_as="float32",
        sha256=version.name,
    )


def side_of(version: Version) -> Side:
    return Side(vectors_of(version), Truth(labels=version.label.astype(np.int64)), {"source": version.cohort})


def asked_of(before: Version, after: Version, k: int = 1, distance: Distance = Distance.EUCLIDEAN) -> Asked:
    _ids, first, second = np.intersect1d(before.ids, after.ids, return_indices=True)
    return Asked(side_of(before), side_of(after), first, second, distance, k)


def drop_of(before: Version, after: Version, k: int = 1, distance: Distance = Distance.EUCLIDEAN) -> RecallDrop:
    return compute_recall_drop(asked_of(before, after, k, distance), quiet)


def quiet(_share: float, _words: str) -> None:
    pass


def confirmed(drop: RecallDrop) -> list[str]:
    return [each.name for each in drop.hypotheses if each.verdict == "confirmed"]


def true_shares(before: Version, after: Version, truth: VersionsTruth, k: int) -> dict[str, float]:
    """Of two faults the share of the loss that each has, from what the generator would have made without them."""
    assert truth.clean is not None
    first, second = truth.faults

    def recall(version: Version) -> float:
        side = side_of(version)
        return answer(side.vectors, side.truth, Distance.EUCLIDEAN, k, quiet).recall

    def recall_of(matrix: np.ndarray) -> float:
        return recall(replace(after, matrix=matrix))

    pairs: tuple[tuple[Fault, Fault], ...] = ((first, second), (second, first))
    now, clean = recall(after), recall_of(truth.clean)
    gains = {
        one: (recall_of(truth.without[one]) - now + clean - recall_of(truth.without[other])) / 2 for one, other in pairs
    }
    return {name: gain / (recall(before) - now) for name, gain in gains.items()}
