"""Above a size neighbours are approximate: as good as is said, exact in their distances, and never short."""

from __future__ import annotations

import numpy as np
import pytest

from lib.neighbours import approximate, compute_graph
from lib.vectors import NO_ROW, Distance
from tests.neighbours import oracle


def ignore(_share: float, _words: str) -> None:
    pass


@pytest.mark.parametrize("distance", Distance)
def test_recall_is_as_good_as_is_said(distance: Distance) -> None:
    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(40, 16))[generator.integers(0, 40, 4_000)] * 2 + generator.normal(size=(4_000, 16))
    of = oracle.vectors(np.concatenate([matrix, matrix[:50]]))
    exact = compute_graph(of, distance, 10, ignore)
    assert (exact.recall, exact.n_measured) == (1, 0)
    told: list[str] = []
    rough = compute_graph(of, distance, 10, lambda _share, words: told.append(words), exact_up_to=0)
    recall = np.mean(rough.distances <= exact.distances[:, -1:])
    assert rough.n_measured == approximate.MEASURED
    assert approximate.RECALL - 0.01 < recall < 1
    # Two standard errors of 1,000 lists, of which places vary together at worst.
    assert rough.recall == pytest.approx(recall, abs=2 * np.sqrt(recall * (1 - recall) / 1_000) + 0.001)
    assert (rough.rows != NO_ROW).all()
    assert (rough.rows != rough.queries[:, None]).all()
    assert (np.diff(rough.distances, axis=1) >= 0).all()
    same = rough.rows == exact.rows
    np.testing.assert_array_equal(rough.distances[same], exact.distances[same])
    assert list(dict.fromkeys(told)) == [
        "Dividing the space",
        "Measuring how widely to search",
        "Searching for neighbours",
    ]


def test_lists_that_parts_do_not_fill_are_searched_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    of = oracle.vectors(np.random.default_rng(1).normal(size=(300, 4)))
    exact = compute_graph(of, Distance.EUCLIDEAN, 120, ignore)
    monkeypatch.setattr(approximate, "FIRST_PROBES", 1)
    monkeypatch.setattr(approximate, "RECALL", 0.0)
    rough = compute_graph(of, Distance.EUCLIDEAN, 120, ignore, exact_up_to=0)
    np.testing.assert_array_equal(rough.rows, exact.rows)
    assert rough.recall == 1
