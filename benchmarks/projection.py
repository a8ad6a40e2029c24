"""The map, made by Marginalia or by umap-learn's default: `python -m benchmarks.projection WHO FILE [LANDMARKS]`.

WHO is "make" (writes FILE with ROWS x DIMENSION values instead), "marginalia" or "umap". Prints the time, and that of
processors, in a process that has just begun and in one that has done it once, and what the map keeps of the neighbours
in the original space.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

GROUPS, INNER = 40, 6
NEIGHBORS = 15
RUNS = ("cold", "warm")
JUDGED = 500
"""Rows whose neighbours are looked at; trustworthiness ranks all rows for each of them."""


def make(path: Path, rows: int, dimension: int) -> None:
    """Groups of rows on curved sheets of six dimensions, with some noise around them: what embeddings look like."""
    chance = np.random.default_rng(11)
    centres = chance.normal(size=(GROUPS, dimension))
    sheets = chance.normal(size=(GROUPS, INNER, dimension)) / np.sqrt(INNER)
    matrix = np.lib.format.open_memmap(path, "w+", np.float32, (rows, dimension))
    for start in range(0, rows, 50_000):
        size = min(50_000, rows - start)
        group = chance.integers(0, GROUPS, size)
        inner = chance.normal(size=(size, INNER))
        inner[:, 0] = np.sin(2 * inner[:, 1]) + 0.1 * inner[:, 0]
        noise = 0.1 * chance.normal(size=(size, dimension))
        for each in range(GROUPS):
            mine = group == each
            noise[mine] += centres[each] + inner[mine] @ sheets[each]
        matrix[start : start + size] = noise
    matrix.flush()


def marginalia(
    matrix: NDArray[np.float32], landmarks: int, seed: int = 0
) -> tuple[NDArray[np.float32], dict[str, float]]:
    """Principal components, neighbours, layout: the map, and the processor's seconds of each."""
    from lib.neighbours import compute_graph
    from lib.projection import EXACT_FOR_MAP, LayoutSettings, choose_landmarks, compute_pca
    from lib.projection.layout import lay_out
    from lib.vectors import Distance, Vectors

    times: dict[str, float] = {}
    began = time.process_time()

    def note(name: str) -> None:
        times[name] = time.process_time() - began - sum(times.values())

    def ignore(_share: float, _words: str) -> None:
        pass

    every, usable = np.ones(len(matrix), np.bool_), np.asarray(np.isfinite(matrix).all(axis=1))
    start = compute_pca(matrix, usable, Distance.EUCLIDEAN).coordinates
    note("first picture")
    chosen = choose_landmarks(usable, landmarks, seed) if landmarks else None
    found = every if chosen is None else chosen
    vectors = Vectors("v1", matrix, np.arange(len(matrix)).astype(str), usable, every, found, "float32", "")
    graph = compute_graph(vectors, Distance.EUCLIDEAN, NEIGHBORS - 1, ignore, EXACT_FOR_MAP)
    note("neighbours")
    settings = LayoutSettings(n_neighbors=NEIGHBORS, seed=seed, distance=Distance.EUCLIDEAN)
    layout = lay_out(graph, start, settings, ignore, chosen)
    note("layout")
    return layout.coordinates, times


def umap_default(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """What umap-learn does when nothing is asked."""
    from umap import UMAP

    return np.asarray(UMAP(n_neighbors=NEIGHBORS).fit_transform(matrix))


def judge(matrix: NDArray[np.float32], coordinates: NDArray[np.float32]) -> dict[str, float]:
    """Trustworthiness and kept neighbours of a sample of rows among all rows (scikit-learn's formula)."""
    n = len(matrix)
    judged = np.random.default_rng(5).choice(n, min(JUDGED, n), replace=False)
    trust, kept = 0.0, 0.0
    for row in judged:
        near = nearest(coordinates, row)[:NEIGHBORS]
        far = ((matrix - matrix[row]) ** 2).sum(axis=1)
        far[row] = -1
        order = np.argsort(far, kind="stable")
        rank = np.empty(n, np.int64)
        rank[order] = np.arange(n)
        trust += np.maximum(rank[near] - NEIGHBORS, 0).sum()
        kept += (rank[near] <= NEIGHBORS).mean()
    worst = len(judged) * NEIGHBORS * (2 * n - 3 * NEIGHBORS - 1) / 2
    return {"trustworthiness": 1 - trust / worst, "kept": kept / len(judged)}


def nearest(coordinates: NDArray[np.float32], row: int) -> NDArray[np.int64]:
    """The nearest rows on the map, itself left out."""
    far = ((coordinates - coordinates[row]) ** 2).sum(axis=1)
    far[row] = np.inf
    found = np.argpartition(far, NEIGHBORS)[:NEIGHBORS]
    return found[np.argsort(far[found], kind="stable")]


def main(arguments: list[str]) -> None:
    """Make the file, or lay it out twice in this process and judge the second map."""
    who, path = arguments[0], Path(arguments[1])
    if who == "make":
        make(path, int(arguments[2]), int(arguments[3]))
        print("{}")
        return
    matrix = np.load(path, mmap_mode="r")
    said: dict[str, Any] = {"stages": {}}
    coordinates = np.zeros((0, 2), np.float32)
    for run in RUNS:
        began, cpu = time.perf_counter(), time.process_time()
        if who == "umap":
            coordinates = umap_default(np.asarray(matrix))
        else:
            coordinates, said["stages"] = marginalia(matrix, int(arguments[2]))
        said[run] = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    print(json.dumps(said | judge(np.asarray(matrix), coordinates)))


if __name__ == "__main__":
    main(sys.argv[1:])
