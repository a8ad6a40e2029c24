"""One value for each row of either version: what a map is coloured by, columns of the metadata aside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.embeddings.comparison import read_comparison
from lib.embeddings.diagnosis import EmbeddingDiagnosis, Report, ignore, part
from lib.embeddings.map_quality import read_quality
from lib.embeddings.retrieval import read_retrieval
from lib.metrics.estimates import FloatArray
from lib.metrics.outliers import outlier_scores
from lib.projection import LayoutSettings
from lib.sources import Run

RowValues = NDArray[Any]
"""Shape (n,): texts, or None where there is none; or numbers, NaN where there is none."""
KEPT, LOST, OVERLAP, OCCURRENCE, SPARSENESS, OUTLIER = "kept", "lost", "overlap", "occurrence", "sparseness", "outlier"
LOST_WORDS: Final = {(True, True): "found in both", (True, False): "lost", (False, True): "gained"}
FOUND_IN_NEITHER: Final = "found in neither"


def offered_measures(diagnosis: EmbeddingDiagnosis) -> list[str]:
    """The measures that these vectors have."""
    has_truth = all(diagnosis.truth(version) is not None for version in diagnosis.settings.versions)
    compared = [LOST] * has_truth + [OVERLAP] if diagnosis.is_compared else []
    return [KEPT, *compared, OCCURRENCE, SPARSENESS, OUTLIER]


def read_row_measure(
    diagnosis: EmbeddingDiagnosis,
    measure: str,
    layout: LayoutSettings | None,
    run: Run | None = None,
    on_progress: Report = ignore,
) -> dict[str, RowValues]:
    """A measure by version and row, worked out once.

    Args:
        diagnosis: of which vectors.
        measure: one of `offered_measures`.
        layout: how the map is laid out, of which `KEPT` tells.
        run: what may cancel it.
        on_progress: told how far it is.

    Raises:
        Cancelled: `run` was cancelled.
    """

    def compute() -> dict[str, RowValues]:
        if measure in (LOST, OVERLAP):
            return _compared(diagnosis, measure, run, on_progress)
        one: Callable[[str, Report], RowValues] = {
            KEPT: lambda version, report: read_quality(diagnosis, version, layout, run, report).kept,
            OCCURRENCE: lambda version, report: _occurrence(diagnosis, version, run, report),
            SPARSENESS: lambda version, report: _sparseness(diagnosis, version, run, report),
            OUTLIER: lambda version, report: _outlier(diagnosis, version, run, report),
        }[measure]
        versions = diagnosis.settings.versions
        reports = [
            part(on_progress, place / len(versions), (place + 1) / len(versions)) for place in range(len(versions))
        ]
        return {version: one(version, report) for version, report in zip(versions, reports, strict=True)}

    return diagnosis.once(_wanted(diagnosis, measure, layout), compute, run, on_progress)


def holds_row_measure(diagnosis: EmbeddingDiagnosis, measure: str, layout: LayoutSettings | None) -> bool:
    """Whether that was worked out already."""
    return diagnosis.holds(*_wanted(diagnosis, measure, layout))


def _wanted(diagnosis: EmbeddingDiagnosis, measure: str, layout: LayoutSettings | None) -> tuple[object, ...]:
    return "row measure", measure, diagnosis.settings, layout if measure == KEPT else None


def _compared(
    diagnosis: EmbeddingDiagnosis, measure: str, run: Run | None, on_progress: Report
) -> dict[str, RowValues]:
    found = read_comparison(diagnosis, run, on_progress)
    first, second = diagnosis.settings.versions
    before, after = diagnosis.vectors(first).n, diagnosis.vectors(second).n
    if measure == OVERLAP:
        of_first = np.full(before, np.nan)
        of_first[found.graphs[0].queries[found.paired.first]] = found.overlap.values
        return {first: of_first, second: found.overlap_by_row(after)}
    values = {first: np.full(before, None, object), second: np.full(after, None, object)}
    ledger = found.ledger
    if ledger is not None:
        said = [
            LOST_WORDS.get((bool(was), bool(now)), FOUND_IN_NEITHER)
            for was, now in zip(ledger.was_answered, ledger.is_answered, strict=True)
        ]
        values[first][ledger.first] = said
        values[second][ledger.second] = said
    return dict(values)


def _occurrence(diagnosis: EmbeddingDiagnosis, version: str, run: Run | None, report: Report) -> FloatArray:
    found = np.full(diagnosis.vectors(version).n, np.nan)
    hubs = next(
        each for each in read_retrieval(diagnosis, version, run, report).hubness if each.k == diagnosis.settings.k
    )
    found[hubs.rows] = hubs.k_occurrence
    return found


def _sparseness(diagnosis: EmbeddingDiagnosis, version: str, run: Run | None, report: Report) -> FloatArray:
    """How far the k-th neighbour is; NaN where there are not so many."""
    found = np.full(diagnosis.vectors(version).n, np.nan)
    graph = diagnosis.graph(version, run, report)
    reach = graph.distances[:, diagnosis.settings.k - 1]
    found[graph.queries] = np.where(np.isfinite(reach), reach, np.nan)
    return found


def _outlier(diagnosis: EmbeddingDiagnosis, version: str, run: Run | None, report: Report) -> FloatArray:
    found = np.full(diagnosis.vectors(version).n, np.nan)
    graph = diagnosis.graph(version, run, report)
    found[graph.queries] = outlier_scores(graph).score
    return found


def column_texts(diagnosis: EmbeddingDiagnosis, version: str, column: str) -> NDArray[np.object_]:
    """A column of the metadata as texts, shape (n,); None where there is none."""
    if column not in diagnosis.embeddings.metadata[version].column_names:
        return np.full(diagnosis.vectors(version).n, None, object)
    texts = diagnosis.embeddings.texts(version, column).copy()
    texts[texts == ""] = None
    return texts


def column_values(diagnosis: EmbeddingDiagnosis, column: str, most_kinds: int) -> dict[str, RowValues]:
    """A column of the metadata by version: numbers where either has more than `most_kinds` of them, else texts."""
    versions, roles = diagnosis.settings.versions, diagnosis.embeddings.roles
    if column in (roles.column("label"), roles.column("version"), roles.column("split"), *roles.cohorts):
        return {version: column_texts(diagnosis, version, column) for version in versions}
    numbers = {version: _numbers(diagnosis, version, column) for version in versions}
    held = [each for each in numbers.values() if each is not None]
    if len(held) == len(versions) and any(len(np.unique(each[np.isfinite(each)])) > most_kinds for each in held):
        return {version: each for version, each in numbers.items() if each is not None}
    return {version: column_texts(diagnosis, version, column) for version in versions}


def _numbers(diagnosis: EmbeddingDiagnosis, version: str, column: str) -> FloatArray | None:
    table = diagnosis.embeddings.metadata[version]
    if column not in table.column_names:
        return None
    held = table.column(column)
    if not (pa.types.is_integer(held.type) or pa.types.is_floating(held.type)):
        return None
    return np.asarray(held.cast("float64").to_numpy(), np.float64)
