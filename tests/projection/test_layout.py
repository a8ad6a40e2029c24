"""UMAP from a graph: what it keeps, that a seed is a picture, and what it does where there is little."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix, load_npz
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_score

from lib.errors import SettingsError, UndefinedError
from lib.metrics.layouts import kept_neighbours, layout_neighbours
from lib.projection import LayoutSettings, choose_landmarks, compute_pca
from lib.projection.alignment import align
from lib.projection.epochs import QUARTERS, TURNS, bounds_of_quarters, order_by_quarter, split_edges
from lib.projection.layout import fit_curve, lay_out
from lib.projection.membership import compute_weights
from lib.vectors import NO_ROW, Distance
from tests.projection.graphs import graph_of

SETTINGS = LayoutSettings(distance=Distance.EUCLIDEAN)
IMAGES, LABELS = load_digits(return_X_y=True)
DIGITS = np.asarray(IMAGES, np.float32)
GRAPH = graph_of(DIGITS, 15)
START = compute_pca(DIGITS, np.ones(len(DIGITS), bool), Distance.EUCLIDEAN).coordinates


def quiet(_share: float, _words: str) -> None:
    pass


@pytest.fixture(scope="module")
def layout():
    return lay_out(GRAPH, START, SETTINGS, quiet)


def test_it_keeps_neighbours(layout) -> None:
    assert trustworthiness(DIGITS, layout.coordinates, n_neighbors=15) >= 0.98
    assert _kept(layout.coordinates) >= 0.5
    assert silhouette_score(layout.coordinates, LABELS) >= 0.6
    assert _kept(layout.coordinates) > 2 * _kept(START)


def _kept(points) -> float:
    return float(kept_neighbours(GRAPH, layout_neighbours(points, 15), GRAPH.queries).values.mean())


def test_a_seed_is_a_picture(layout) -> None:
    again = lay_out(GRAPH, START, SETTINGS, quiet)
    assert np.array_equal(again.coordinates, layout.coordinates)
    other = lay_out(GRAPH, START, replace(SETTINGS, seed=1), quiet)
    assert not np.allclose(other.coordinates, layout.coordinates)


def test_begun_from_a_map_what_is_alike_stays_and_what_is_not_moves(layout) -> None:
    there, other = np.arange(len(DIGITS)), replace(SETTINGS, seed=1)
    stays = lay_out(GRAPH, layout.coordinates, other, quiet, from_map=True).coordinates
    anew = lay_out(GRAPH, layout.coordinates, other, quiet).coordinates
    left = [align(each, there, layout.coordinates, there).disparity for each in (stays, anew)]
    assert left[0] < 0.15
    assert left[0] < left[1] / 1.5
    dealt = np.random.default_rng(0).permutation(there)
    moved = lay_out(GRAPH, layout.coordinates[dealt], SETTINGS, quiet, from_map=True).coordinates
    for points in (stays, moved):
        assert _kept(points) > _kept(layout.coordinates) - 0.01


def test_it_is_the_same_when_one_thread_does_all(layout, monkeypatch) -> None:
    monkeypatch.setattr("lib.projection.layout.ThreadPoolExecutor", lambda _n: ThreadPoolExecutor(1))
    again = lay_out(GRAPH, START, SETTINGS, quiet)
    assert np.array_equal(again.coordinates, layout.coordinates)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 50])
def test_each_edge_is_pulled_in_one_turn_by_one_thread(n: int) -> None:
    chance = np.random.default_rng(n)
    half = np.triu(np.where(chance.random((n, n)) < 0.6, chance.uniform(0.1, 1, (n, n)), 0), 1)
    weights = csr_matrix(half + half.T + np.eye(n))
    turns = split_edges(weights, 0.2)
    quarter = np.searchsorted(bounds_of_quarters(n)[1:], np.arange(n), side="right")
    found = np.zeros((n, n))
    for turn, pairs in zip(turns, TURNS, strict=True):
        heads = np.repeat(np.arange(n), np.diff(turn.starts))
        found[heads, turn.others] += turn.rates
        mover = np.zeros(QUARTERS, int)
        mover[list(pairs[1])] = 1
        assert np.array_equal(mover[quarter[heads]], mover[quarter[turn.others]])
    rates = weights.toarray() / weights.data.max()
    assert found == pytest.approx(np.where(rates < 0.2, 0, rates), abs=1e-6)


def test_quarters_are_from_left_to_right_and_within_one_as_given() -> None:
    x = np.array([5, 1, 8, 2, 7, 3, 6, 4], np.float32)
    assert order_by_quarter(x).tolist() == [1, 3, 5, 7, 0, 6, 2, 4]


def test_min_dist_spreads_points(layout) -> None:
    near = np.median(_nearest_distances(layout.coordinates))
    wide = lay_out(GRAPH, START, replace(SETTINGS, min_dist=0.8), quiet)
    assert np.median(_nearest_distances(wide.coordinates)) > 2 * near


def _nearest_distances(points):
    return graph_of(points, 1).distances[:, 0]


def test_progress_goes_from_nothing_to_all_by_epochs() -> None:
    told: list[float] = []
    lay_out(GRAPH, START, SETTINGS, lambda share, _words: told.append(share))
    assert told == sorted(told)
    assert len(told) > 100
    assert told[0] == 0
    assert told[-1] <= 1


def test_landmarks_place_the_others_among_them() -> None:
    landmarks = choose_landmarks(np.ones(len(DIGITS), bool), 600, seed=0)
    assert landmarks.sum() == 600
    layout = lay_out(graph_of(DIGITS, 15, gallery=landmarks), START, SETTINGS, quiet, landmarks)
    assert layout.n_landmarks == 600
    assert np.isfinite(layout.coordinates).all()
    assert trustworthiness(DIGITS, layout.coordinates, n_neighbors=15) >= 0.96


def test_rows_without_neighbours_have_no_place() -> None:
    rows, distances = GRAPH.rows.copy(), GRAPH.distances.copy()
    lonely = 7
    rows[lonely], distances[lonely] = NO_ROW, np.inf
    distances[rows == lonely] = np.inf
    rows[rows == lonely] = NO_ROW
    layout = lay_out(replace(GRAPH, rows=rows, distances=distances), START, SETTINGS, quiet)
    assert np.flatnonzero(np.isnan(layout.coordinates[:, 0])).tolist() == [lonely]
    assert np.isnan(layout.coordinates[lonely, 1])


def test_equal_vectors_part() -> None:
    graph = graph_of(np.zeros((40, 3), np.float32), 14)
    layout = lay_out(graph, np.zeros((40, 2), np.float32), SETTINGS, quiet)
    assert np.isfinite(layout.coordinates).all()
    assert len(np.unique(layout.coordinates, axis=0)) == 40


def test_rows_without_a_start_begin_among_their_neighbours() -> None:
    start = START.copy()
    start[::3] = np.nan
    layout = lay_out(GRAPH, start, SETTINGS, quiet)
    assert trustworthiness(DIGITS, layout.coordinates, n_neighbors=15) >= 0.98


def test_what_cannot_be_asked_for_is_said() -> None:
    with pytest.raises(SettingsError, match="euclidean distance, the map is asked for by cosine"):
        lay_out(GRAPH, START, LayoutSettings(), quiet)
    with pytest.raises(SettingsError, match="with 40 neighbours; there are 16"):
        lay_out(GRAPH, START, replace(SETTINGS, n_neighbors=40), quiet)
    with pytest.raises(SettingsError, match=r"min_dist is 1\.5; it goes from 0\.0 to 0\.99"):
        replace(SETTINGS, min_dist=1.5)
    nobody = replace(GRAPH, rows=np.full_like(GRAPH.rows, NO_ROW))
    with pytest.raises(UndefinedError, match="No row has a neighbour"):
        lay_out(nobody, START, SETTINGS, quiet)


def test_weights_of_a_hand_worked_graph() -> None:
    # Of each row the nearer neighbour weighs 1 and the farther w with 1 + w = log2(3).
    rows = np.array([[1, 2], [0, 2], [1, 0]], np.int32)
    distances = np.array([[1, 3], [1, 2], [2, 3]], np.float32)
    weights = compute_weights(rows, distances, np.arange(3), 3).toarray()
    w = np.log2(3) - 1
    expected = np.array([[0, 1, w + w - w * w], [1, 0, 1], [w + w - w * w, 1, 0]])
    assert weights == pytest.approx(expected, abs=1e-4)


_UMAP_LEARN = """
import sys
import numpy as np
from scipy.sparse import save_npz
from umap.umap_ import find_ab_params, fuzzy_simplicial_set
given = np.load(sys.argv[1])
weights, *_scales = fuzzy_simplicial_set(
    given["points"], 15, np.random.RandomState(0), "euclidean", knn_indices=given["rows"], knn_dists=given["distances"]
)
save_npz(sys.argv[2], weights)
print(*(value for min_dist in (0.0, 0.1, 0.5) for value in find_ab_params(1.0, min_dist)))
"""


def test_it_weighs_as_umap_learn_does(tmp_path: Path) -> None:
    own = np.arange(len(DIGITS))
    np.savez(
        tmp_path / "given.npz",
        points=DIGITS,
        rows=np.column_stack([own, GRAPH.rows[:, :14]]),
        distances=np.column_stack([np.zeros(len(DIGITS)), GRAPH.distances[:, :14]]).astype(np.float32),
    )
    # Interpreted, in a process of its own: to compile umap-learn takes a hundred times what it then computes.
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _UMAP_LEARN, tmp_path / "given.npz", tmp_path / "theirs.npz"],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    mine = compute_weights(GRAPH.rows[:, :14], GRAPH.distances[:, :14], GRAPH.queries, len(DIGITS))
    assert abs(mine - load_npz(tmp_path / "theirs.npz")).max() < 1e-4
    curves = [float(text) for text in answer.stdout.split()]
    assert [value for min_dist in (0.0, 0.1, 0.5) for value in fit_curve(min_dist)] == pytest.approx(curves, rel=1e-4)
