"""How faithful a map is, and how much of what two maps differ in is chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lib.embeddings.diagnosis import EmbeddingDiagnosis, Report, ignore, part
from lib.embeddings.projection import graph_of_map, map_key, read_map, read_map_of_other_seed, rows_on_both
from lib.jobs.projection import judge_layout
from lib.metrics.estimates import Estimate, FloatArray
from lib.metrics.query_means import mean_of_queries
from lib.neighbours.graph import EXACT_UP_TO
from lib.projection import LayoutSettings, compute_churn
from lib.sources import Run

MOST_JUDGED = 200_000
"""Of more rows it is not measured how faithful a map is: they are placed between landmarks."""
NOT_JUDGED = f"not measured for more than {MOST_JUDGED:,} rows"
TOO_FEW = "too few rows are on the map"


@dataclass(frozen=True, eq=False)
class MapQuality:
    """How faithful a map is at k neighbours.

    Attributes:
        k: of each row.
        kept: shape (n,), share of a row's true neighbours that are among its nearest on the map; NaN without a place.
        kept_mean: over the rows that have one.
        trustworthiness: as scikit-learn defines it, with an interval over rows.
        expected: the share that a map without any truth would keep.
    """

    k: int
    kept: FloatArray
    kept_mean: Estimate
    trustworthiness: Estimate
    expected: float


@dataclass(frozen=True)
class Churn:
    """Share of the nearest on one map that are not the nearest on another map of the same rows, in [0, 1].

    Attributes:
        k: how many nearest.
        of_seeds: of two maps of the baseline that differ in nothing but the seed.
        of_versions: of the maps of baseline and candidate, over rows with the same id.
    """

    k: int
    of_seeds: float
    of_versions: float


def read_quality(
    diagnosis: EmbeddingDiagnosis,
    version: str,
    settings: LayoutSettings | None,
    run: Run | None = None,
    on_progress: Report = ignore,
) -> MapQuality:
    """How faithful a map is, worked out once.

    Raises:
        Cancelled: `run` was cancelled.
    """

    def compute() -> MapQuality:
        vectors, distance = diagnosis.vectors(version), diagnosis.settings.distance
        coordinates = read_map(diagnosis, version, settings, run, on_progress).coordinates
        placed = np.flatnonzero(np.isfinite(coordinates[:, 0]))
        k = min(diagnosis.settings.k, len(placed) - 1)
        nothing = np.full(vectors.n, np.nan)
        if len(placed) > MOST_JUDGED or 2 * k >= len(placed) or k < 1:
            reason = NOT_JUDGED if len(placed) > MOST_JUDGED else TOO_FEW
            none = Estimate(math.nan, math.nan, math.nan, 0, reason)
            return MapQuality(k, nothing, none, none, math.nan)
        asked = settings or LayoutSettings(distance=distance)
        doing, reports = run or Run(), (part(on_progress, 0.0, 0.5), part(on_progress, 0.5, 1.0))
        graph, _landmarks = graph_of_map(diagnosis, version, asked, doing, reports[0], EXACT_UP_TO)
        judged = judge_layout(vectors, coordinates, graph, k, diagnosis.folder, doing, reports[1])
        by_row = nothing.copy()
        by_row[judged.rows] = judged.kept.values
        return MapQuality(
            k,
            by_row,
            mean_of_queries(judged.kept)[0],
            mean_of_queries(judged.quality.trustworthiness)[0],
            k / (len(placed) - 1),
        )

    return diagnosis.once(_judged(diagnosis, version, settings), compute, run, on_progress)


def holds_quality(diagnosis: EmbeddingDiagnosis, version: str, settings: LayoutSettings | None) -> bool:
    """Whether that was worked out already."""
    return diagnosis.holds(*_judged(diagnosis, version, settings))


def _judged(diagnosis: EmbeddingDiagnosis, version: str, settings: LayoutSettings | None) -> tuple[object, ...]:
    return "map quality", diagnosis.settings.k, *map_key(diagnosis, version, settings)


def read_churn(
    diagnosis: EmbeddingDiagnosis, settings: LayoutSettings, run: Run | None = None, on_progress: Report = ignore
) -> Churn:
    """What a change of the seed moves on the baseline's map, and what the change of version moves; worked out once.

    Where the candidate's map begins from the baseline's, that of another seed does too: what is alike moves as much.

    Raises:
        Cancelled: `run` was cancelled.
        UndefinedError: fewer rows are on both maps than nearest are compared.
    """

    def compute() -> Churn:
        first, second = diagnosis.settings.baseline, diagnosis.settings.candidate
        reports = [part(on_progress, share, share + 1 / 3) for share in (0.0, 1 / 3, 2 / 3)]
        one = read_map(diagnosis, first, settings, run, reports[0])
        again = read_map_of_other_seed(diagnosis, settings, run, reports[1])
        other = read_map(diagnosis, second, settings, run, reports[2])
        here, there = rows_on_both(diagnosis)
        k = settings.n_neighbors
        return Churn(
            k,
            compute_churn(one.coordinates, again.coordinates, k),
            compute_churn(one.coordinates[here], other.coordinates[there], k),
        )

    return diagnosis.once(_churned(diagnosis, settings), compute, run, on_progress)


def holds_churn(diagnosis: EmbeddingDiagnosis, settings: LayoutSettings) -> bool:
    """Whether that was worked out already."""
    return diagnosis.holds(*_churned(diagnosis, settings))


def _churned(diagnosis: EmbeddingDiagnosis, settings: LayoutSettings) -> tuple[object, ...]:
    return "map churn", *map_key(diagnosis, diagnosis.settings.candidate, settings), diagnosis.settings.baseline
