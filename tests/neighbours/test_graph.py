"""Graphs against a slow oracle and scikit-learn, on data that makes exact neighbours hard."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from lib.errors import Cancelled, SettingsError
from lib.neighbours import compute_graph
from lib.neighbours import graph as graph_module
from lib.sources import Run
from lib.vectors import NO_ROW, Distance, NeighbourGraph, Vectors
from tests.neighbours import oracle

WORLDS = oracle.worlds()


def ignore(_share: float, _words: str) -> None:
    pass


def graph_of(of: Vectors, distance: Distance, k: int) -> NeighbourGraph:
    return compute_graph(of, distance, k, ignore)


@pytest.mark.parametrize("distance", Distance)
@pytest.mark.parametrize("world", WORLDS)
def test_lists_are_those_of_the_oracle(world: str, distance: Distance) -> None:
    generator = np.random.default_rng(1)
    n = len(WORLDS[world])
    together = oracle.vectors(WORLDS[world])
    apart = oracle.vectors(WORLDS[world], is_query=generator.random(n) < 0.5, is_gallery=generator.random(n) < 0.7)
    for of in (together, apart):
        for k in (1, 10, n + 5):
            graph = graph_of(of, distance, k)
            rows, distances = oracle.lists(of, distance, k)
            assert graph.queries.tolist() == oracle.queries(of, distance)
            np.testing.assert_array_equal(graph.rows, rows)
            np.testing.assert_allclose(graph.distances, distances, rtol=2e-7, atol=2e-7)


@pytest.mark.parametrize("distance", Distance)
def test_neighbours_are_those_of_scikit_learn(distance: Distance) -> None:
    matrix = np.random.default_rng(2).normal(size=(700, 24)).astype(np.float32)
    graph = graph_of(oracle.vectors(matrix), distance, 12)
    model = NearestNeighbors(n_neighbors=12, metric=distance.value, algorithm="brute").fit(matrix.astype(np.float64))
    distances, rows = model.kneighbors()
    np.testing.assert_array_equal(graph.rows, rows)
    np.testing.assert_allclose(graph.distances, distances, rtol=1e-5)


@pytest.mark.parametrize("distance", Distance)
def test_what_faiss_left_open_is_searched_exactly(distance: Distance, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of a gallery with copies and near copies, faiss's float32 cannot say which are nearest; exact distances do.
    generator = np.random.default_rng(3)
    base = generator.normal(size=(1, 16)) * 100
    near = oracle.vectors(
        np.concatenate([base + generator.normal(size=(200, 16)) * 1e-4, generator.normal(size=(5, 16))])
    )
    exact: list[int] = []
    search = graph_module.Lists.search_exactly
    monkeypatch.setattr(
        graph_module.Lists, "search_exactly", lambda self, asked: exact.append(len(asked)) or search(self, asked)
    )
    graph = graph_of(near, distance, 5)
    rows, _distances = oracle.lists(near, distance, 5)
    np.testing.assert_array_equal(graph.rows, rows)
    assert sum(exact) > 100
    exact.clear()
    graph_of(oracle.vectors(generator.normal(size=(500, 16))), distance, 5)
    assert sum(exact) < 25


def test_many_copies_of_a_row_are_found_lowest_first() -> None:
    graph = graph_of(oracle.vectors(np.concatenate([np.ones((3_000, 4)), np.zeros((1, 4))])), Distance.EUCLIDEAN, 3)
    assert graph.rows[0].tolist() == [1, 2, 3]
    assert graph.rows[2_999].tolist() == [0, 1, 2]
    assert graph.rows[3_000].tolist() == [0, 1, 2]
    assert graph.distances[3_000].tolist() == [2, 2, 2]


@pytest.mark.parametrize("distance", Distance)
def test_the_order_of_rows_changes_nothing(distance: Distance) -> None:
    matrix = WORLDS["normal"]
    order = np.random.default_rng(4).permutation(len(matrix))
    plain, mixed = (graph_of(oracle.vectors(each), distance, 7) for each in (matrix, matrix[order]))
    np.testing.assert_array_equal(order[mixed.rows][np.argsort(order)], plain.rows)
    np.testing.assert_array_equal(mixed.distances[np.argsort(order)], plain.distances)


@pytest.mark.parametrize("distance", Distance)
def test_turning_and_scaling_all_vectors_changes_no_neighbour(distance: Distance) -> None:
    generator = np.random.default_rng(5)
    matrix = generator.normal(size=(300, 10))
    turn, _r = np.linalg.qr(generator.normal(size=(10, 10)))
    plain, turned = (graph_of(oracle.vectors(each), distance, 7) for each in (matrix, 3 * matrix @ turn))
    np.testing.assert_array_equal(plain.rows, turned.rows)
    scale = 3 if distance is Distance.EUCLIDEAN else 1
    np.testing.assert_allclose(turned.distances, scale * plain.distances, rtol=1e-4)


def test_lists_of_an_empty_gallery_are_empty() -> None:
    nobody = np.zeros(4, np.bool_)
    graph = graph_of(oracle.vectors(np.ones((4, 2)), is_gallery=nobody), Distance.COSINE, 2)
    assert (graph.rows == NO_ROW).all()
    assert np.isinf(graph.distances).all()
    assert graph_of(oracle.vectors(np.ones((4, 2)), is_query=nobody), Distance.COSINE, 2).rows.shape == (0, 2)
    assert graph_of(oracle.vectors(np.ones((0, 2))), Distance.EUCLIDEAN, 2).rows.shape == (0, 2)


def test_a_k_below_one_is_refused() -> None:
    with pytest.raises(SettingsError, match="A list of 0 neighbours"):
        graph_of(oracle.vectors(np.ones((4, 2))), Distance.COSINE, 0)


def test_it_tells_how_far_it_is_and_can_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_module, "QUERIES_AT_ONCE", 10)
    of, told, run = oracle.vectors(WORLDS["normal"]), [], Run()
    compute_graph(of, Distance.COSINE, 3, lambda share, _words: told.append(share))
    assert told == [each / 6 for each in range(6)]

    def cancel(share: float, _words: str) -> None:
        if share > 0:
            run.cancel()
        run.check()

    with pytest.raises(Cancelled):
        compute_graph(of, Distance.COSINE, 3, cancel)
