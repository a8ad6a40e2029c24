"""Measures of a version, or of two, besides retrieval: each worked out once, most of them in a worker."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lib.embeddings.diagnosis import EmbeddingDiagnosis, Report, ignore, part
from lib.jobs.measures import measure
from lib.metrics.ann import AnnRecall, ann_recall
from lib.metrics.dimensions import Curve
from lib.metrics.estimates import Estimate, IntArray
from lib.metrics.index_consistency import IndexReport, compute_index_report
from lib.metrics.leakage import Leakage
from lib.metrics.near_duplicates import Leaks, NearDuplicates, leaks_across, near_duplicates, precision_of_pairs
from lib.metrics.outliers import Outliers, outlier_scores
from lib.metrics.seasons import Season, find_seasons
from lib.metrics.triplets import Triplets
from lib.metrics.vector_measures import Geometry, VectorDrift
from lib.sources import Run
from lib.vectors import NO_LABEL, NO_ROW, Distance, Rows

CUTS = {Distance.COSINE: 0.02, Distance.EUCLIDEAN: 0.0}
"""How near near duplicates are unless one says otherwise: a similarity of 0.98; equal where distances have no unit."""
TRIED_QUERIES = 2_000
"""So many queries are asked of vectors of each smaller size."""


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Near duplicates of a version.

    Attributes:
        found: the pairs.
        precision: share of them whose labels are the same.
        leaks: those across splits; None without a split column.
        n_unasked: usable rows that were not compared with each other, since they do not ask and there are too many.
    """

    found: NearDuplicates
    precision: Estimate
    leaks: Leaks | None
    n_unasked: int


def holds(diagnosis: EmbeddingDiagnosis, topic: str, *more: Hashable) -> bool:
    """Whether a topic was worked out already; `more` is the version, and what else its reader takes."""
    return diagnosis.holds(*_wanted(diagnosis, topic, *more))


def _wanted(diagnosis: EmbeddingDiagnosis, topic: str, *more: Hashable) -> tuple[Hashable, ...]:
    settings = diagnosis.settings
    if topic == "drift":
        return topic, settings.baseline, settings.candidate, settings.distance
    if topic == "dimensions":
        return topic, *more, settings.distance, settings.k
    return topic, *more, settings.distance


def read_index(diagnosis: EmbeddingDiagnosis, version: str) -> IndexReport:
    """Whether the index of a version is consistent."""
    faults, vectors = diagnosis.embeddings.faults[version], diagnosis.vectors(version)
    return diagnosis.once(
        ("index", version),
        lambda: compute_index_report(
            vectors, faults.odd_rows, faults.odd_lengths, faults.unmatched_rows, faults.missing
        ),
    )


def read_ann(
    diagnosis: EmbeddingDiagnosis, version: str, run: Run | None = None, on_progress: Report = ignore
) -> AnnRecall | None:
    """How good the answers of an index are; None where none were given for this version."""
    given = diagnosis.embeddings.neighbours.get(version)
    if given is None:
        return None

    def compute() -> AnnRecall:
        graph = diagnosis.graph(version, run, on_progress)
        answers = np.full((len(graph.queries), given.rows.shape[1]), NO_ROW, np.int64)
        asked = np.isin(given.queries, graph.queries)
        answers[np.searchsorted(graph.queries, given.queries[asked])] = given.rows[asked]
        return ann_recall(diagnosis.vectors(version), graph, answers, min(diagnosis.settings.k, given.rows.shape[1]))

    return diagnosis.once(_wanted(diagnosis, "ann", version, diagnosis.settings.k), compute, run, on_progress)


def read_geometry(
    diagnosis: EmbeddingDiagnosis, version: str, run: Run | None = None, on_progress: Report = ignore
) -> Geometry:
    """How the vectors of a version lie."""
    settings = diagnosis.settings

    def compute() -> Geometry:
        graph = diagnosis.graph(version, run, part(on_progress, 0.0, 0.6))
        arguments = (graph, diagnosis.labels(version), settings.distance)
        return measure_vectors(diagnosis, "vector_geometry", (version,), arguments, run, part(on_progress, 0.6, 1.0))

    return diagnosis.once(_wanted(diagnosis, "geometry", version), compute, run, on_progress)


def read_drift(diagnosis: EmbeddingDiagnosis, run: Run | None = None, on_progress: Report = ignore) -> VectorDrift:
    """How far the candidate's vectors are from the baseline's."""
    settings = diagnosis.settings

    def compute() -> VectorDrift:
        names = (settings.baseline, settings.candidate)
        cohorts = {column: diagnosis.shared_codes(names, column) for column in diagnosis.embeddings.roles.cohorts}
        arguments = (paired_rows(diagnosis), cohorts, settings.distance)
        return measure_vectors(diagnosis, "vector_drift", names, arguments, run, on_progress)

    return diagnosis.once(_wanted(diagnosis, "drift"), compute, run, on_progress)


def paired_rows(diagnosis: EmbeddingDiagnosis) -> tuple[Rows, Rows]:
    """The usable rows of baseline and candidate that have the same id, which neither repeats."""
    settings, sides = diagnosis.settings, []
    for name in (settings.baseline, settings.candidate):
        vectors = diagnosis.vectors(name)
        ids, place, count = np.unique(vectors.ids.astype(np.str_), return_index=True, return_counts=True)
        usable = vectors.usable(settings.distance)
        kept = (count == 1) & usable[place]
        sides.append((ids[kept], place[kept]))
    _shared, first, second = np.intersect1d(sides[0][0], sides[1][0], assume_unique=True, return_indices=True)
    return sides[0][1][first].astype(np.int64), sides[1][1][second].astype(np.int64)


def read_leakage(
    diagnosis: EmbeddingDiagnosis, version: str, run: Run | None = None, on_progress: Report = ignore
) -> dict[str, Leakage]:
    """How well each sensitive column can be told from the vectors of a version; empty without such columns."""

    def compute() -> dict[str, Leakage]:
        columns: dict[str, tuple[IntArray, int]] = {}
        for column in diagnosis.embeddings.roles.sensitive:
            codes, values = diagnosis.cohort_codes(version, column)
            missing = values.index("") if "" in values else NO_LABEL
            columns[column] = np.where(codes == missing, NO_LABEL, codes), len(values)
        if not columns:
            return {}
        arguments = (columns, diagnosis.settings.distance)
        return measure_vectors(diagnosis, "vector_leakage", (version,), arguments, run, on_progress)

    return diagnosis.once(_wanted(diagnosis, "leakage", version), compute, run, on_progress)


def read_triplets(
    diagnosis: EmbeddingDiagnosis, version: str, run: Run | None = None, on_progress: Report = ignore
) -> tuple[Triplets, Estimate] | None:
    """Triplets of a version and its proxy loss; None where nothing tells right answers."""
    truth = diagnosis.truth(version)
    if truth is None:
        return None
    return diagnosis.once(
        _wanted(diagnosis, "triplets", version),
        lambda: measure_vectors(
            diagnosis, "vector_triplets", (version,), (truth, diagnosis.settings.distance), run, on_progress
        ),
        run,
        on_progress,
    )


def read_dimensions(
    diagnosis: EmbeddingDiagnosis, version: str, run: Run | None = None, on_progress: Report = ignore
) -> Curve | None:
    """Recall of a version against the size of its vectors; None where nothing tells right answers."""
    truth, settings = diagnosis.truth(version), diagnosis.settings
    if truth is None:
        return None
    arguments = (truth, settings.distance, settings.k, TRIED_QUERIES)
    return diagnosis.once(
        _wanted(diagnosis, "dimensions", version),
        lambda: measure_vectors(diagnosis, "vector_dimensions", (version,), arguments, run, on_progress),
        run,
        on_progress,
    )


def read_duplicates(
    diagnosis: EmbeddingDiagnosis,
    version: str,
    cut: float | None = None,
    run: Run | None = None,
    on_progress: Report = ignore,
) -> Duplicates:
    """Rows of a version that are no further apart than a cut, by default that of `CUTS`; whether they ask or not."""
    wanted = CUTS[diagnosis.settings.distance] if cut is None else cut

    def compute() -> Duplicates:
        graph, vectors = diagnosis.whole_graph(version, run, on_progress), diagnosis.vectors(version)
        n, found = vectors.n, near_duplicates(graph, wanted, vectors.n)
        labels = diagnosis.labels(version)
        precision = precision_of_pairs(found, np.full(n, NO_LABEL) if labels is None else labels)
        column = diagnosis.embeddings.roles.column("split")
        leaks = None if column is None else leaks_across(found, diagnosis.cohort_codes(version, column)[0])
        unasked = int(vectors.usable(diagnosis.settings.distance).sum()) - found.n_queries
        return Duplicates(found, precision, leaks, unasked)

    return diagnosis.once(_wanted(diagnosis, "duplicates", version, wanted), compute, run, on_progress)


def read_outliers(
    diagnosis: EmbeddingDiagnosis, version: str, run: Run | None = None, on_progress: Report = ignore
) -> Outliers:
    """How lonely each query of a version is."""
    return diagnosis.once(
        _wanted(diagnosis, "outliers", version),
        lambda: outlier_scores(diagnosis.graph(version, run, on_progress)),
        run,
        on_progress,
    )


def read_seasons(diagnosis: EmbeddingDiagnosis, version: str) -> list[Season]:
    """Shifts of a version with the week or the day; empty without times, or with too few of them."""

    def compute() -> list[Season]:
        seconds, vectors = diagnosis.embeddings.seconds(version), diagnosis.vectors(version)
        if seconds is None:
            return []
        distance = diagnosis.settings.distance
        return find_seasons(vectors.matrix, np.flatnonzero(vectors.usable(distance)), seconds, distance)

    return diagnosis.once(_wanted(diagnosis, "seasons", version), compute)


def measure_vectors(
    diagnosis: EmbeddingDiagnosis,
    task: str,
    versions: tuple[str, ...],
    arguments: tuple[Any, ...],
    run: Run | None,
    on_progress: Report,
) -> Any:
    """What a task of `lib.jobs.tasks` gives of versions, worked out in a worker."""
    vectors = tuple(diagnosis.vectors(name) for name in versions)
    return measure(task, vectors, arguments, diagnosis.folder, run or Run(), on_progress)
