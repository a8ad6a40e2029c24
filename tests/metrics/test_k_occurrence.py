"""Hubness: equal to scipy's skewness, by hand, and its errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from lib.errors import SettingsError
from lib.metrics.k_occurrence import ALL_ALIKE, NO_GALLERY, hubness, occurrence_bins
from lib.neighbours import compute_graph
from lib.vectors import NO_ROW, Distance, NeighbourGraph
from tests.neighbours import oracle


def graph(rows: list[list[int]]) -> NeighbourGraph:
    found = np.array(rows, np.int32)
    return NeighbourGraph(Distance.COSINE, np.arange(len(rows)), found, np.zeros(found.shape, np.float32))


def test_skewness_is_that_of_scipy() -> None:
    of = oracle.vectors(np.random.default_rng(0).normal(size=(400, 40)))
    made = hubness(compute_graph(of, Distance.EUCLIDEAN, 10, lambda _share, _words: None), np.arange(400), 10)
    assert made.skewness.value == pytest.approx(stats.skew(made.k_occurrence))
    assert made.skewness.lower < made.skewness.value < made.skewness.upper
    assert made.k_occurrence.sum() == 4_000
    assert made.antihub_share.value == pytest.approx((made.k_occurrence == 0).mean())
    assert made.hub_share == pytest.approx(np.sort(made.k_occurrence)[-4:].sum() / 4_000)


def test_by_hand() -> None:
    # Row 12 is in every list of one, though it does not ask; of rows 10 to 14 four are in none.
    made = hubness(graph([[12, 10], [12, 11], [12, NO_ROW]]), np.arange(10, 15), 1)
    assert made.k_occurrence.tolist() == [0, 0, 3, 0, 0]
    assert (made.hub_share, made.n_hubs) == (1.0, 1)
    assert made.antihub_share.value == pytest.approx(4 / 5)
    assert made.skewness.value == pytest.approx(stats.skew([0, 0, 3, 0, 0]))
    assert hubness(graph([[12, 10], [12, 11], [12, NO_ROW]]), np.arange(10, 15), 2).k_occurrence.sum() == 5


def test_the_order_of_rows_changes_nothing() -> None:
    matrix = np.random.default_rng(1).normal(size=(150, 10))
    both = [
        hubness(compute_graph(oracle.vectors(each), Distance.COSINE, 5, lambda _share, _words: None), np.arange(150), 5)
        for each in (matrix, matrix[::-1])
    ]
    assert both[0].k_occurrence.tolist() == both[1].k_occurrence[::-1].tolist()
    assert both[0].skewness == both[1].skewness


def test_what_has_no_skewness_says_why() -> None:
    alike = hubness(graph([[1], [2], [0]]), np.arange(3), 1)
    assert alike.skewness.reason == ALL_ALIKE
    assert math.isnan(alike.skewness.value)
    nothing = hubness(graph([[NO_ROW]]), np.arange(0), 1)
    assert nothing.skewness.reason == nothing.antihub_share.reason == NO_GALLERY
    assert math.isnan(nothing.hub_share)


@pytest.mark.parametrize("k", [0, 3])
def test_lists_that_are_not_there_are_refused(k: int) -> None:
    with pytest.raises(SettingsError, match=f"Lists of {k} cannot be counted"):
        hubness(graph([[1, 2], [2, 0], [0, 1]]), np.arange(3), k)


def test_steps_of_lists_double_by_hand() -> None:
    lowest, counts = occurrence_bins(np.array([0, 0, 1, 2, 3, 4, 8]))
    assert lowest.tolist() == [0, 1, 2, 4, 8]
    assert counts.tolist() == [2, 1, 2, 1, 1]


@pytest.mark.parametrize("seed", range(5))
def test_every_row_is_in_the_step_that_holds_its_lists(seed: int) -> None:
    occurrence = np.random.default_rng(seed).geometric(0.05, 300) - 1
    lowest, counts = occurrence_bins(occurrence)
    ends = np.append(lowest[1:], np.inf)
    assert counts.tolist() == [
        int(((occurrence >= low) & (occurrence < end)).sum()) for low, end in zip(lowest, ends, strict=True)
    ]
    assert counts[-1] > 0


def test_steps_of_no_lists() -> None:
    lowest, counts = occurrence_bins(np.zeros(3, np.int64))
    assert (lowest.tolist(), counts.tolist()) == ([0], [3])
