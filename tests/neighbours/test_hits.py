"""Hits are those of whole rankings, with ties, copies, lone labels and small galleries."""

from __future__ import annotations

import numpy as np
import pytest

from lib.errors import SettingsError
from lib.neighbours import compute_graph, compute_matches
from lib.neighbours.hits import compute_hits
from lib.vectors import NO_LABEL, Distance, Truth
from tests.neighbours.oracle import vectors


def quiet(_share: float, _words: str) -> None:
    pass


@pytest.mark.parametrize("distance", list(Distance))
@pytest.mark.parametrize("seed", range(6))
def test_hits_are_those_of_rankings(distance: Distance, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Few whole numbers: most distances tie, and beyond the end of lists.
    matrix = rng.integers(0, 2 if seed % 2 else 4, (80, 3)) + 1.0
    asks = rng.random(80) < (1.0 if seed < 3 else 0.5)
    of = vectors(matrix, is_query=asks, is_gallery=np.ones(80) if seed < 3 else ~asks)
    truth = Truth(labels=np.where(rng.random(80) < 0.1, NO_LABEL, rng.integers(0, 30, 80)))
    for k, longer in ((1, 1), (3, 5), (10, 10), (60, 90)):
        graph = compute_graph(of, distance, longer, quiet)
        expected = compute_matches(of, truth, graph, (k,), quiet).hit[:, 0]
        np.testing.assert_allclose(compute_hits(of, truth, graph, k), expected, rtol=0, atol=1e-12)


def test_hits_by_hand() -> None:
    # Row 0 asks: rows 1 and 2 tie at distance 1, one of them is right; row 3 is farther.
    of = vectors([[0.0], [1.0], [-1.0], [3.0]], is_query=[True, False, False, False])
    truth = Truth(labels=np.array([7, 7, 8, 7]))
    graph = compute_graph(of, Distance.EUCLIDEAN, 3, quiet)
    assert [compute_hits(of, truth, graph, k).tolist() for k in (1, 2, 3)] == [[0.5], [1.0], [1.0]]


def test_a_list_that_is_too_long_is_refused() -> None:
    of = vectors([[0.0], [1.0]])
    graph = compute_graph(of, Distance.EUCLIDEAN, 1, quiet)
    with pytest.raises(SettingsError, match="A list of 2 was asked for, and the neighbours hold 1"):
        compute_hits(of, Truth(labels=np.zeros(2, np.int64)), graph, 2)
