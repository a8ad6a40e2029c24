"""How faithful layouts are: equal to scikit-learn's trustworthiness, by sets, on samples, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from lib.errors import SettingsError, UndefinedError
from lib.metrics.layouts import kept_neighbours, layout_neighbours, layout_quality
from lib.neighbours import compute_graph
from lib.vectors import Distance
from tests.neighbours import oracle


def ignore(_share: float, _words: str) -> None:
    pass


MATRIX = np.random.default_rng(0).normal(size=(300, 10)).astype(np.float32) * np.arange(10, 0, -1, dtype=np.float32)
LAYOUT = PCA(2, random_state=0).fit_transform(MATRIX)


@pytest.mark.parametrize("distance", Distance)
@pytest.mark.parametrize("k", [1, 7, 149])
def test_trustworthiness_is_that_of_scikit_learn(k: int, distance: Distance) -> None:
    made = layout_quality(MATRIX, LAYOUT, k, distance, ignore)
    theirs = trustworthiness(MATRIX.astype(np.float64), LAYOUT.astype(np.float64), n_neighbors=k, metric=distance.value)
    assert made.trustworthiness.values.mean() == pytest.approx(theirs)
    assert len(made.points) == 300
    if distance is Distance.EUCLIDEAN:
        # Continuity is the same with layout and truth exchanged.
        exchanged = trustworthiness(LAYOUT.astype(np.float64), MATRIX.astype(np.float64), n_neighbors=k)
        assert made.continuity.values.mean() == pytest.approx(exchanged)


def test_a_perfect_layout_is_perfect_and_a_random_one_is_not() -> None:
    flat = LAYOUT.astype(np.float32)
    turned = flat @ np.array([[0.0, 3.0], [-3.0, 0.0]])
    made = layout_quality(flat, turned, 10, Distance.EUCLIDEAN, ignore)
    assert made.trustworthiness.values.tolist() == made.continuity.values.tolist() == [1.0] * 300
    shuffled = layout_quality(flat, turned[np.random.default_rng(1).permutation(300)], 10, Distance.EUCLIDEAN, ignore)
    assert shuffled.trustworthiness.values.mean() == pytest.approx(0.5, abs=0.05)


def test_a_sample_of_points_gives_their_own_numbers() -> None:
    told: list[float] = []
    whole = layout_quality(MATRIX, LAYOUT, 10, Distance.EUCLIDEAN, ignore)
    part = layout_quality(
        MATRIX, LAYOUT, 10, Distance.EUCLIDEAN, lambda share, _words: told.append(share), pairs=30_000
    )
    assert len(part.points) == 100
    assert told == [0]
    np.testing.assert_allclose(part.trustworthiness.values, whole.trustworthiness.values[part.points])
    np.testing.assert_allclose(part.continuity.values, whole.continuity.values[part.points])


@pytest.mark.parametrize("k", [0, 150, 200])
def test_half_of_the_points_are_too_many(k: int) -> None:
    with pytest.raises(UndefinedError, match=f"with {k} neighbours: fewer than half.*149 at most"):
        layout_quality(MATRIX, LAYOUT, k, Distance.EUCLIDEAN, ignore)


def test_kept_neighbours_are_those_of_sets() -> None:
    # Every third row is not on the map; its neighbours there may be none of its true ones.
    rows = np.flatnonzero(np.arange(300) % 3 > 0)
    graph = compute_graph(oracle.vectors(MATRIX, is_gallery=np.arange(300) % 3 > 0), Distance.EUCLIDEAN, 12, ignore)
    neighbours = layout_neighbours(LAYOUT[rows], 8)
    theirs = NearestNeighbors(n_neighbors=8).fit(LAYOUT[rows]).kneighbors(return_distance=False)
    np.testing.assert_array_equal(neighbours, theirs)
    values = kept_neighbours(graph, neighbours, rows).values
    for place, row in enumerate(rows):
        assert values[place] == len(set(graph.rows[row, :8]) & set(rows[neighbours[place]])) / 8


def test_some_points_have_the_neighbours_that_they_have_among_all() -> None:
    some = np.array([4, 17, 250])
    np.testing.assert_array_equal(layout_neighbours(LAYOUT, 6, some), layout_neighbours(LAYOUT, 6)[some])


def test_points_on_one_spot_are_not_their_own_neighbours() -> None:
    neighbours = layout_neighbours(np.zeros((50, 2)), 3)
    assert neighbours.shape == (50, 3)
    assert (neighbours != np.arange(50)[:, None]).all()


def test_lists_that_are_not_there_are_refused() -> None:
    with pytest.raises(SettingsError, match="3 points do not have 3 neighbours each"):
        layout_neighbours(np.zeros((3, 2)), 3)
    graph = compute_graph(oracle.vectors(MATRIX), Distance.EUCLIDEAN, 4, ignore)
    with pytest.raises(SettingsError, match="Lists of 5 cannot be compared: the neighbours hold 4"):
        kept_neighbours(graph, layout_neighbours(LAYOUT, 5), np.arange(300))
