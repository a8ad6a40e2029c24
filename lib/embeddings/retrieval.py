"""Retrieval of a version: every measure over all queries and by cohort, and how places in lists are shared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lib.embeddings.diagnosis import EmbeddingDiagnosis, Report, ignore
from lib.metrics.estimates import Estimate, Estimates
from lib.metrics.k_occurrence import Hubness, hubness
from lib.metrics.label_votes import knn_accuracy, prototype_accuracy
from lib.metrics.query_means import NO_ANSWER, QueryValues, mean_of_queries
from lib.metrics.ranked_matches import RankedMatches
from lib.metrics.retrieval import retrieval_values
from lib.sources import Run

NO_TRUTH = "nothing tells which rows are right answers: no label, no pairs"


@dataclass(frozen=True, eq=False)
class CohortRetrieval:
    """A measure by the values of a cohort column.

    Attributes:
        column: which.
        values: G of them, "" for a missing one.
        estimates: G estimates.
    """

    column: str
    values: tuple[str, ...]
    estimates: Estimates


class Retrieval:
    """How well a version finds right answers.

    Attributes:
        version: its name.
        ranked: where right answers stand; None where nothing tells any, for `reason`.
        reason: why there are no measures; "" where there are.
        hubness: of each k, ascending.
        values: every measure by query.
    """

    def __init__(
        self, version: str, ranked: RankedMatches | None, values: tuple[QueryValues, ...], hubs: tuple[Hubness, ...]
    ) -> None:
        self.version, self.ranked, self.values, self.hubness = version, ranked, values, hubs
        self.reason = NO_TRUTH if ranked is None else ""

    @property
    def n_queries(self) -> int:
        """How many rows ask, those that have no right answer to find among them."""
        return 0 if self.ranked is None else len(self.ranked.queries)

    @property
    def n_unanswerable(self) -> int:
        """How many of them have none."""
        return 0 if self.ranked is None else int((~self.ranked.is_answerable).sum())

    @property
    def n_ranked(self) -> int:
        """How many of the others were drawn where the whole ranking of each would have taken too long."""
        return 0 if self.ranked is None else int((self.ranked.in_sample & self.ranked.is_answerable).sum())

    @cached_property
    def overall(self) -> dict[tuple[str, int | None], Estimate]:
        """Every measure by its name and k."""
        return {(each.name, each.k): mean_of_queries(each)[0] for each in self.values}

    def of(self, name: str, k: int | None = None) -> QueryValues:
        """The values of a measure by query."""
        return next(each for each in self.values if (each.name, each.k) == (name, k))


def read_retrieval(
    diagnosis: EmbeddingDiagnosis, version: str, run: Run | None = None, on_progress: Report = ignore
) -> Retrieval:
    """The retrieval of a version, worked out once.

    Raises:
        Cancelled: `run` was cancelled.
    """
    settings = diagnosis.settings

    def compute() -> Retrieval:
        ranked = diagnosis.matches(version, run, on_progress)
        vectors = diagnosis.vectors(version)
        graph = diagnosis.graph(version, run, on_progress)
        hubs = tuple(hubness(graph, diagnosis.gallery(version), k) for k in settings.ks)
        if ranked is None:
            return Retrieval(version, None, (), hubs)
        values = list(retrieval_values(ranked))
        truth = diagnosis.truth(version)
        if truth is not None and truth.labels is not None:
            values += [knn_accuracy(graph, truth.labels, k, ranked.is_answerable) for k in settings.ks]
            values.append(prototype_accuracy(vectors, truth.labels, settings.distance))
        return Retrieval(version, ranked, tuple(values), hubs)

    return diagnosis.once(("retrieval", version, settings.distance, settings.ks), compute, run, on_progress)


def holds_retrieval(diagnosis: EmbeddingDiagnosis, version: str) -> bool:
    """Whether that was worked out already."""
    return diagnosis.holds("retrieval", version, diagnosis.settings.distance, diagnosis.settings.ks)


def cohort_retrieval(
    diagnosis: EmbeddingDiagnosis, version: str, column: str, name: str, k: int | None = None
) -> CohortRetrieval:
    """A measure of a version by the values of a cohort column of the queries."""
    retrieval = read_retrieval(diagnosis, version)
    codes, values = diagnosis.cohort_codes(version, column)
    if retrieval.ranked is None:
        return CohortRetrieval(column, values, mean_of_queries(QueryValues(name, k, np.empty(0)), None, len(values)))
    of_queries = codes[retrieval.ranked.queries]
    means = mean_of_queries(retrieval.of(name, k), of_queries, len(values), NO_ANSWER)
    return CohortRetrieval(column, values, means)
