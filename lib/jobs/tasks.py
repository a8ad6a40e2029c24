"""What a worker process can be asked to do, by name, and how it ends: no process is ever told what to import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

OUT_OF_MEMORY = 3
"""The exit status of a worker whose task needs more than it may have."""
Report = Callable[[float, str], None]
"""Called with how far the work is, from 0 to 1, and with what it is at."""


def rest(seconds: float, report: Report) -> float:
    """Wait, telling how far it is: what a worker is tried with, and warmed by."""
    import time

    began = time.monotonic()
    while (gone := time.monotonic() - began) < seconds:
        report(gone / seconds, "Waiting")
        time.sleep(min(0.05, seconds))
    return seconds


def fit_lab(rows: Any, settings: Any, report: Report) -> Any:
    """Fit hinge and logistic loss to `LabRows` under `LabSettings`, and judge them: a `Lab`."""
    from lib.metrics.fit_judging import run_lab

    return run_lab(rows, settings, report)


def neighbour_graph(given: Any, distance: Any, k: int, path: str, exact_up_to: float, report: Report) -> None:
    """Write the neighbour graph of `HandedVectors` to a file: it is too large for the pipe."""
    from pathlib import Path

    from lib.neighbours import compute_graph
    from lib.neighbours.saved import save_graph

    save_graph(compute_graph(given.vectors(), distance, k, report, exact_up_to), Path(path))


def ranked_matches(given: Any, truth: Any, graph: Any, ks: tuple[int, ...], report: Report) -> Any:
    """Rank the right answers of `HandedVectors`: a `RankedMatches`."""
    from lib.neighbours import compute_matches

    return compute_matches(given.vectors(), truth, graph, ks, report)


def lay_out(graph: Any, start: Any, settings: Any, landmarks: Any, from_map: bool, report: Report) -> Any:
    """Lay out the rows of a `NeighbourGraph`: a `Layout`."""
    from lib.projection.layout import lay_out as lay_out_here

    return lay_out_here(graph, start, settings, report, landmarks, from_map=from_map)


def judge_layout(given: Any, coordinates: Any, graph: Any, k: int, report: Report) -> Any:
    """Hold a map against the `HandedVectors` that it is of: a `JudgedLayout`."""
    from lib.metrics.layouts import judge_layout as judge_here

    return judge_here(given.vectors().matrix, coordinates, graph, k, report)


def warm_layout(report: Report) -> None:
    """Load what a layout needs, and compile it where this machine has not yet."""
    import numpy as np

    from lib.projection.layout import lay_out as lay_out_here
    from lib.projection.settings import LayoutSettings
    from lib.vectors import Distance, NeighbourGraph

    queries = np.arange(4)
    rows = np.array([[1, 2], [0, 2], [3, 0], [2, 1]], np.int32)
    graph = NeighbourGraph(Distance.COSINE, queries, rows, np.ones((4, 2), np.float32))
    lay_out_here(graph, np.eye(4, 2, dtype=np.float32), LayoutSettings(n_neighbors=3), report)


def vector_geometry(given: Any, graph: Any, labels: Any, distance: Any, report: Report) -> Any:
    """How `HandedVectors` lie: a `Geometry`."""
    from lib.metrics.vector_measures import compute_geometry

    return compute_geometry(given.vectors(), graph, labels, distance, report)


def vector_drift(before: Any, after: Any, paired: Any, cohorts: Any, distance: Any, report: Report) -> Any:
    """How far some `HandedVectors` are from others: a `VectorDrift`."""
    from lib.metrics.vector_measures import compute_drift

    return compute_drift(before.vectors(), after.vectors(), paired, cohorts, distance, report)


def vector_windows(
    before: Any, after: Any, windows: Any, paired: Any, against: Any, distance: Any, report: Report
) -> Any:
    """How far each window of some `HandedVectors` is from others: a `Drift` for each."""
    from lib.metrics.drift_windows import compare_windows

    return compare_windows(before.vectors(), after.vectors(), windows, paired, against, distance, report)


def vector_leakage(given: Any, columns: Any, distance: Any, report: Report) -> Any:
    """What can be told from `HandedVectors`: a `Leakage` by column."""
    from lib.metrics.vector_measures import compute_leakage

    return compute_leakage(given.vectors(), columns, distance, report)


def vector_triplets(given: Any, truth: Any, distance: Any, report: Report) -> Any:
    """`Triplets` of `HandedVectors`, and their proxy loss."""
    from lib.metrics.vector_measures import compute_triplets

    return compute_triplets(given.vectors(), truth, distance, report)


def vector_dimensions(given: Any, truth: Any, distance: Any, k: int, most: int, report: Report) -> Any:
    """Recall against the size of `HandedVectors`: a `Curve`."""
    from lib.neighbours import compute_trade_off

    return compute_trade_off(given.vectors(), truth, distance, k, most, report)


def recall_drop(given: Any, before: Any, after: Any, report: Report) -> Any:
    """What happened to recall: of an `Asked` whose sides have lost their vectors to two `HandedVectors`."""
    from dataclasses import replace

    from lib.recall_drop import compute_recall_drop

    sides = (given.before, before), (given.after, after)
    first, second = (replace(side, vectors=handed.vectors()) for side, handed in sides)
    return compute_recall_drop(replace(given, before=first, after=second), report)


TASKS: dict[str, Callable[..., Any]] = {
    "rest": rest,
    "fit_lab": fit_lab,
    "neighbour_graph": neighbour_graph,
    "ranked_matches": ranked_matches,
    "vector_geometry": vector_geometry,
    "vector_drift": vector_drift,
    "vector_windows": vector_windows,
    "vector_leakage": vector_leakage,
    "vector_triplets": vector_triplets,
    "vector_dimensions": vector_dimensions,
    "lay_out": lay_out,
    "judge_layout": judge_layout,
    "warm_layout": warm_layout,
    "recall_drop": recall_drop,
}
"""Each takes its arguments and, by the name `report`, a `Report`. Heavy imports stand inside."""
