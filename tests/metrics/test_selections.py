import math

import numpy as np
import pytest

from lib.metrics.selections import togetherness
from lib.vectors import Distance, NeighbourGraph


def graph(rows: list[list[int]], queries: list[int] | None = None) -> NeighbourGraph:
    asked = np.arange(len(rows)) if queries is None else np.array(queries)
    return NeighbourGraph(Distance.COSINE, asked, np.array(rows, np.int32), np.ones((len(rows), 2), np.float32))


def test_neighbours_among_the_picked_are_counted_as_by_hand() -> None:
    given = graph([[1, 2], [0, 3], [0, 1], [4, 2], [3, 1]])
    found = togetherness(given, np.array([0, 1, 2]), 2)
    # Of six places only row 3 in the list of row 1 is none of the picked; two of four others are.
    assert found.inside == pytest.approx(5 / 6)
    assert found.by_chance == pytest.approx(2 / 4)
    assert (found.n, found.k) == (3, 2)
    assert togetherness(given, np.array([0, 1, 2]), 1).inside == 1.0


def test_everything_is_together_and_absent_rows_do_not_count() -> None:
    given = graph([[1, -1], [0, -1]])
    assert togetherness(given, np.array([0, 1]), 2).inside == 1.0
    assert togetherness(given, np.array([0]), 2).inside == 0.0


def test_rows_that_did_not_ask_have_no_share() -> None:
    found = togetherness(graph([[1, 2]], [0]), np.array([1, 2]), 2)
    assert math.isnan(found.inside)
    assert found.n == 0
