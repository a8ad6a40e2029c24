"""Exact neighbours beside faiss alone: `python -m benchmarks.neighbours ROWS DIMENSION` prints JSON.

Both search the same vectors in one process, by turns, so that a busy machine slows both. faiss's list is of inner
products in float32, with the query itself somewhere in it; the graph's distances are exact, ties are settled and the
query is left out. Then all measures of retrieval by label are worked out from the graph.
"""

from __future__ import annotations

import json
import sys
import time

import faiss
import numpy as np

from lib.metrics.query_means import mean_of_queries
from lib.metrics.retrieval import retrieval_values
from lib.neighbours import compute_graph, compute_matches
from lib.vectors import Distance, NeighbourGraph, Truth, Vectors

K, KS = 15, (1, 5, 10)
TURNS = 2
LABEL_SIZE = 100


def make(rows: int, dimension: int) -> tuple[Vectors, Truth]:
    """Vectors around a centre for each label, a hundred of each."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, max(1, rows // LABEL_SIZE), rows)
    centres = generator.normal(size=(labels.max() + 1, dimension))
    matrix = (centres[labels] + 1.5 * generator.normal(size=(rows, dimension))).astype(np.float32)
    every = np.ones(rows, np.bool_)
    return Vectors("v1", matrix, np.arange(rows).astype(str), every, every, every, "float32", ""), Truth(labels=labels)


def ignore(_share: float, _words: str) -> None:
    pass


def search_with_faiss(vectors: Vectors) -> None:
    normal = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    index = faiss.IndexFlatIP(vectors.dimension)
    index.add(normal)
    index.search(normal, K + 1)


def measure_retrieval(vectors: Vectors, truth: Truth, graph: NeighbourGraph) -> int:
    ranked = compute_matches(vectors, truth, graph, KS, ignore)
    for one in retrieval_values(ranked):
        mean_of_queries(one)
    return int(ranked.in_sample.sum())


def main() -> None:
    vectors, truth = make(int(sys.argv[1]), int(sys.argv[2]))
    seconds: dict[str, list[float]] = {"marginalia": [], "faiss": [], "retrieval": []}
    cpu: dict[str, list[float]] = {name: [] for name in seconds}

    def note(name: str, began: tuple[float, float]) -> tuple[float, float]:
        now = time.perf_counter(), time.process_time()
        seconds[name].append(now[0] - began[0])
        cpu[name].append(now[1] - began[1])
        return now

    at, sampled = (time.perf_counter(), time.process_time()), 0
    for turn in range(TURNS):
        graph = compute_graph(vectors, Distance.COSINE, K, ignore)
        at = note("marginalia", at)
        search_with_faiss(vectors)
        at = note("faiss", at)
        if turn == TURNS - 1:
            sampled = measure_retrieval(vectors, truth, graph)
            at = note("retrieval", at)
    said = {"k": K, "sampled": sampled}
    times = ({name: min(each) for name, each in kind.items()} for kind in (seconds, cpu))
    print(json.dumps(said | dict(zip(("seconds", "cpu"), times, strict=True))))


if __name__ == "__main__":
    main()
