"""Baseline against candidate, row by row where ids are the same: changes of retrieval, the ledger, neighbours kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lib.embeddings.diagnosis import EmbeddingDiagnosis, Report, ignore, part
from lib.embeddings.retrieval import Retrieval, read_retrieval
from lib.metrics.comparison import adjusted_p_values
from lib.metrics.estimates import Estimate, Estimates, FloatArray, IntArray
from lib.metrics.neighbourhoods import PairedQueries, neighbourhood_overlap, overlap_floor, pair_queries
from lib.metrics.query_ledger import LedgerSide, QueryLedger, paired_change, query_ledger
from lib.metrics.query_means import NO_PAIR, QueryValues, mean_of_queries
from lib.metrics.relevance import Relevance
from lib.metrics.retrieval import RETRIEVAL_MEASURES
from lib.metrics.verdicts import Judgement, judge, stretch_of, tolerance_of
from lib.sources import Run
from lib.vectors import NeighbourGraph


@dataclass(frozen=True, eq=False)
class EmbeddingComparison:
    """Two versions side by side.

    Attributes:
        k: the length of the lists.
        before, after: the retrieval of each.
        graphs: of each.
        paired: the queries that are in both.
        overlap: by paired query, how many of the k nearest are the same: Jaccard, in [0, 1].
        floor: the overlap to expect of two versions that have nothing in common.
        ledger: lost, gained, unchanged; None where nothing tells right answers.
    """

    k: int
    before: Retrieval
    after: Retrieval
    graphs: tuple[NeighbourGraph, NeighbourGraph]
    paired: PairedQueries
    overlap: QueryValues
    floor: float
    ledger: QueryLedger | None

    @cached_property
    def overlap_mean(self) -> Estimate:
        """The mean overlap."""
        return mean_of_queries(self.overlap, reason=NO_PAIR)[0]

    @cached_property
    def changes(self) -> dict[tuple[str, int | None], Estimate]:
        """Every measure, candidate less baseline, over queries of the same id."""
        return {
            (each.name, each.k): mean_of_queries(self._change(each), reason=NO_PAIR)[0] for each in self.before.values
        }

    @cached_property
    def judgements(self) -> dict[tuple[str, int | None], Judgement]:
        """Whether each measure became better or worse, corrected for all that are judged."""
        told = {f"{name} {k}": change for (name, k), change in self.changes.items() if change.is_defined}
        p_values, made = adjusted_p_values(told), dict[tuple[str, int | None], Judgement]()
        is_higher_better = {each.name: each.is_higher_better for each in RETRIEVAL_MEASURES}
        for (name, k), change in self.changes.items():
            if (p := p_values.get(f"{name} {k}")) is not None:
                way = "higher" if is_higher_better[name] else "lower"
                judgement = judge(change, way, tolerance_of("share", 0.0), stretch_of(*p))
                if judgement is not None:
                    made[name, k] = judgement
        return made

    def _change(self, one: QueryValues) -> QueryValues:
        return paired_change(one, self.after.of(one.name, one.k), self.paired)

    def changes_by(self, name: str, k: int | None, codes: IntArray, n_groups: int) -> Estimates:
        """The change of a measure by groups of the candidate's rows, `codes` of shape (n,)."""
        rows = self.graphs[1].queries[self.paired.second]
        return mean_of_queries(self._change(self.before.of(name, k)), codes[rows], n_groups, NO_PAIR)

    def overlap_by(self, codes: IntArray, n_groups: int) -> Estimates:
        """The mean overlap by groups of the candidate's rows."""
        rows = self.graphs[1].queries[self.paired.second]
        return mean_of_queries(self.overlap, codes[rows], n_groups, NO_PAIR)

    def overlap_by_row(self, n: int) -> FloatArray:
        """The overlap by row of the candidate, shape (n,); NaN for rows that are not paired."""
        found = np.full(n, np.nan)
        found[self.graphs[1].queries[self.paired.second]] = self.overlap.values
        return found


def read_comparison(
    diagnosis: EmbeddingDiagnosis, run: Run | None = None, on_progress: Report = ignore
) -> EmbeddingComparison:
    """Baseline against candidate, worked out once.

    Raises:
        Cancelled: `run` was cancelled.
    """
    settings = diagnosis.settings

    def compute() -> EmbeddingComparison:
        names = (settings.baseline, settings.candidate)
        before = read_retrieval(diagnosis, names[0], run, part(on_progress, 0.0, 0.5))
        after = read_retrieval(diagnosis, names[1], run, part(on_progress, 0.5, 1.0))
        graphs = diagnosis.graph(names[0]), diagnosis.graph(names[1])
        ids = [diagnosis.vectors(name).ids for name in names]
        paired = pair_queries(*graphs, *ids)
        overlap = neighbourhood_overlap(*graphs, paired, settings.k)
        n_gallery = min(int(diagnosis.gallery(name).size) for name in names)
        return EmbeddingComparison(
            settings.k,
            before,
            after,
            graphs,
            paired,
            overlap,
            overlap_floor(n_gallery, settings.k),
            None if before.ranked is None or after.ranked is None else _ledger(diagnosis, paired),
        )

    return diagnosis.once(_wanted(diagnosis), compute, run, on_progress)


def holds_comparison(diagnosis: EmbeddingDiagnosis) -> bool:
    """Whether that was worked out already."""
    return diagnosis.holds(*_wanted(diagnosis))


def _wanted(diagnosis: EmbeddingDiagnosis) -> tuple[object, ...]:
    settings = diagnosis.settings
    return "comparison", settings.baseline, settings.candidate, settings.distance, settings.ks


def _ledger(diagnosis: EmbeddingDiagnosis, paired: PairedQueries) -> QueryLedger:
    sides = [_side(diagnosis, name) for name in (diagnosis.settings.baseline, diagnosis.settings.candidate)]
    return query_ledger(sides[0], sides[1], paired, diagnosis.settings.k)


def _side(diagnosis: EmbeddingDiagnosis, version: str) -> LedgerSide:
    vectors, graph, truth = diagnosis.vectors(version), diagnosis.graph(version), diagnosis.truth(version)
    assert truth is not None, "a version with rankings has a truth"
    relevance = Relevance(truth, vectors.n, diagnosis.gallery(version))
    is_right = relevance.holds(graph.queries, graph.rows.astype(np.int64))
    return LedgerSide(graph, is_right, relevance.count(graph.queries) > 0, vectors.ids)
