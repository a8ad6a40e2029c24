"""Embeddings under settings: what is asked of them, by topic, each worked out once and kept with the embeddings.

A topic is read with progress and cancel, most of it in a worker; pages read what they show, the command line all.
What is kept is found by what it depends on, so that another choice of candidate reads only what that changes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from lib.embeddings.settings import EmbeddingSettings
from lib.jobs.neighbours import neighbour_graph, ranked_matches
from lib.metrics.estimates import IntArray
from lib.metrics.ranked_matches import RankedMatches
from lib.sources import Run
from lib.sources.embeddings import EmbeddingSet
from lib.vectors import NeighbourGraph, Truth, Vectors

T = TypeVar("T")
Report = Callable[[float, str], None]

NEIGHBOURS = 30
"""How many neighbours a graph holds at least: what the map, outliers and duplicates look at."""

WHOLE_UP_TO = 200_000
"""Of more rows those that do not ask are not asked about: that would take many times as long as the queries do."""
LOOKS_PER_SECOND = 20
"""How often who waits for the work of another looks whether it was cancelled."""
ELSEWHERE = "Waiting for the same, which is worked out already"

_HELD: WeakKeyDictionary[EmbeddingSet, dict[Hashable, object]] = WeakKeyDictionary()
_UNDER_WAY: WeakKeyDictionary[EmbeddingSet, dict[Hashable, threading.Event]] = WeakKeyDictionary()
"""What somebody works out now; the event is set when that is over, whether it was done or not."""
_LOCK = threading.Lock()


def ignore(_share: float, _words: str) -> None:
    """Told how far something is, says nothing."""


class EmbeddingDiagnosis:
    """A set of embeddings under settings."""

    def __init__(self, embeddings: EmbeddingSet, settings: EmbeddingSettings, folder: Path) -> None:
        """Of embeddings whose graphs and layouts are kept in a folder, private to whoever opened them."""
        self.embeddings, self.settings, self.folder = embeddings, settings, folder

    # What is there without reading ---------------------------------------------------------------------------

    @property
    def is_compared(self) -> bool:
        """Whether there are two versions to compare."""
        return self.settings.baseline != self.settings.candidate

    def vectors(self, version: str) -> Vectors:
        """The vectors of a version."""
        return self.embeddings.versions[version]

    def truth(self, version: str) -> Truth | None:
        """The right answers of a version; None where nothing tells any."""
        return self.embeddings.truth.get(version)

    def gallery(self, version: str) -> IntArray:
        """The rows of a version that can be found, ascending."""
        vectors = self.vectors(version)
        return np.flatnonzero(vectors.usable(self.settings.distance) & vectors.is_gallery)

    def cohort_codes(self, version: str, column: str) -> tuple[IntArray, tuple[str, ...]]:
        """A cohort column of a version as codes, shape (n,), and what they stand for; "" is a missing value."""

        def compute() -> tuple[IntArray, tuple[str, ...]]:
            values, codes = np.unique(self.embeddings.texts(version, column).astype(str), return_inverse=True)
            return codes.astype(np.int64), tuple(values.tolist())

        return self.once(("codes", version, column), compute)

    def shared_codes(self, versions: tuple[str, str], column: str) -> tuple[IntArray, IntArray, tuple[str, ...]]:
        """A cohort column of two versions by the same codes, and what these stand for."""
        sides = [self.cohort_codes(name, column) for name in versions]
        values = sorted({*sides[0][1], *sides[1][1]})
        first, second = (np.searchsorted(values, own)[codes].astype(np.int64) for codes, own in sides)
        return first, second, tuple(values)

    def labels(self, version: str) -> IntArray | None:
        """The labels of a version as codes, shape (n,); None where no column is the label."""
        truth = self.truth(version)
        return None if truth is None else truth.labels

    # What is read once ---------------------------------------------------------------------------------------

    def holds(self, *wanted: Hashable) -> bool:
        """Whether this was worked out already."""
        return wanted in _HELD.get(self.embeddings, {})

    def once(
        self,
        wanted: tuple[Hashable, ...],
        compute: Callable[[], T],
        run: Run | None = None,
        on_progress: Report = ignore,
    ) -> T:
        """The result of `compute`, which is called unless it was before, or is being called for somebody else.

        Where that one is cancelled or fails, who waited for it begins anew. Nobody waits for himself: what is worked
        out depends on no part of itself.

        Raises:
            Cancelled: `run` was cancelled while this waited.
        """
        while True:
            with _LOCK:
                held = _HELD.setdefault(self.embeddings, {})
                if wanted in held:
                    return held[wanted]  # type: ignore[return-value]
                under_way = _UNDER_WAY.setdefault(self.embeddings, {})
                others = under_way.get(wanted)
                if others is None:
                    own = under_way[wanted] = threading.Event()
                    break
            on_progress(0.0, ELSEWHERE)
            while not others.wait(1 / LOOKS_PER_SECOND):
                (run or Run()).check()
        try:
            result = compute()
            held[wanted] = result
            return result
        finally:
            with _LOCK:
                del under_way[wanted]
            own.set()

    def graph(self, version: str, run: Run | None = None, on_progress: Report = ignore) -> NeighbourGraph:
        """The neighbours of every row of a version; longer lists than are asked for serve everything."""
        settings, vectors = self.settings, self.vectors(version)
        k = max(NEIGHBOURS, settings.k)
        return self.once(
            ("graph", version, settings.distance, k),
            lambda: neighbour_graph(vectors, settings.distance, k, self.folder, run or Run(), on_progress),
            run,
            on_progress,
        )

    def whole_graph(self, version: str, run: Run | None = None, on_progress: Report = ignore) -> NeighbourGraph:
        """The neighbours of every row among all rows, also of those that do not ask, or that nobody may find.

        Of more than `WHOLE_UP_TO` rows it is the graph that everything else reads.
        """
        vectors = self.vectors(version)
        usable = vectors.usable(self.settings.distance)
        if bool((vectors.is_query & vectors.is_gallery)[usable].all()) or int(usable.sum()) > WHOLE_UP_TO:
            return self.graph(version, run, on_progress)
        everything = np.ones(vectors.n, np.bool_)
        whole = replace(vectors, is_query=everything, is_gallery=everything)
        distance = self.settings.distance
        return self.once(
            ("whole graph", version, distance),
            lambda: neighbour_graph(whole, distance, NEIGHBOURS, self.folder, run or Run(), on_progress),
            run,
            on_progress,
        )

    def matches(self, version: str, run: Run | None = None, on_progress: Report = ignore) -> RankedMatches | None:
        """Where right answers stand in the rankings of a version; None where nothing tells which they are."""
        truth = self.truth(version)
        if truth is None:
            return None
        settings = self.settings
        graph = self.graph(version, run, part(on_progress, 0.0, 0.5))

        def compute() -> RankedMatches:
            return ranked_matches(
                self.vectors(version), truth, graph, settings.ks, self.folder, run or Run(), part(on_progress, 0.5, 1.0)
            )

        return self.once(("matches", version, settings.distance, settings.ks), compute, run, on_progress)


def part(report: Report, begin: float, end: float) -> Report:
    """Progress of a part of the work as progress of the whole."""
    return lambda share, words: report(begin + share * (end - begin), words)
