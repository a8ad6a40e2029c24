"""Overlap of neighbourhoods of two versions: by hand, by sets, under rotation, by chance."""

from __future__ import annotations

import numpy as np
import pytest

from lib.errors import SettingsError
from lib.metrics.neighbourhoods import neighbourhood_overlap, overlap_floor, pair_queries
from lib.neighbours import compute_graph
from lib.vectors import NO_ROW, Distance, NeighbourGraph
from tests.neighbours import oracle


def graph(rows: list[list[int]], queries: list[int]) -> NeighbourGraph:
    found = np.array(rows, np.int32)
    return NeighbourGraph(Distance.COSINE, np.array(queries), found, np.zeros(found.shape, np.float32))


def graph_of(matrix: np.ndarray, k: int = 10) -> NeighbourGraph:
    return compute_graph(oracle.vectors(matrix), Distance.COSINE, k, lambda _share, _words: None)


def test_by_hand() -> None:
    # The second version has its rows in another order, lacks "d" and has "e".
    first_ids, second_ids = np.array(["a", "b", "c", "d"]), np.array(["c", "a", "b", "e"])
    first = graph([[1, 2], [0, 3], [3, NO_ROW]], [0, 1, 2])
    second = graph([[3, 1], [0, 2], [1, 3]], [0, 1, 2])
    paired = pair_queries(first, second, first_ids, second_ids)
    assert paired.first.tolist() == [0, 1, 2]
    assert paired.second.tolist() == [1, 2, 0]
    # a: {b, c} and {c, b}; b: {a, d} and {a, e}; c: {d} and {e, a}.
    assert neighbourhood_overlap(first, second, paired, 2).values.tolist() == pytest.approx([1, 1 / 3, 0])
    assert neighbourhood_overlap(first, second, paired, 1).values.tolist() == pytest.approx([0, 1, 0])


def test_repeated_and_missing_ids_are_left_out() -> None:
    first = graph([[1], [0], [0]], [0, 1, 2])
    paired = pair_queries(first, first, np.array(["a", "a", "b"]), np.array(["a", "c", "b"]))
    assert paired.first.tolist() == [2]
    assert paired.n_left_out == 2


def test_it_is_that_of_sets() -> None:
    generator = np.random.default_rng(0)
    matrix, order = generator.normal(size=(150, 8)), generator.permutation(150)
    moved = (matrix + generator.normal(0, 0.5, matrix.shape))[order]
    ids = np.array([f"id{row}" for row in range(150)])
    first, second = graph_of(matrix), graph_of(moved)
    paired = pair_queries(first, second, ids, ids[order])
    values = neighbourhood_overlap(first, second, paired, 10).values
    for place in range(150):
        a = set(ids[first.rows[paired.first[place]]])
        b = set(ids[order][second.rows[paired.second[place]]])
        assert values[place] == pytest.approx(len(a & b) / len(a | b))
    assert 0.1 < values.mean() < 0.9


def test_turning_one_version_changes_nothing_and_a_shuffle_leaves_the_floor() -> None:
    generator = np.random.default_rng(1)
    matrix, ids = generator.normal(size=(400, 8)), np.arange(400).astype(str)
    turn, _r = np.linalg.qr(generator.normal(size=(8, 8)))
    first, turned = graph_of(matrix), graph_of(matrix @ turn)
    assert neighbourhood_overlap(first, turned, pair_queries(first, turned, ids, ids), 10).values.mean() == 1
    paired = pair_queries(first, first, ids, generator.permutation(ids))
    by_chance = neighbourhood_overlap(first, first, paired, 10).values
    # Three standard errors of 400 queries.
    assert by_chance.mean() == pytest.approx(overlap_floor(400, 10), abs=3 * by_chance.std() / 20)


def test_the_floor_by_hand() -> None:
    # Two of three others, twice: two sets are the same with chance 1/3 (overlap 1), else they share one of three.
    assert overlap_floor(4, 2) == pytest.approx(1 / 3 + 2 / 3 / 3)
    assert overlap_floor(4, 10) == pytest.approx(1)
    assert np.isnan(overlap_floor(1, 10))


def test_longer_lists_than_there_are_are_refused() -> None:
    one = graph([[1], [0]], [0, 1])
    with pytest.raises(SettingsError, match="Lists of 2 cannot be compared"):
        neighbourhood_overlap(one, one, pair_queries(one, one, np.array(["a", "b"]), np.array(["a", "b"])), 2)
