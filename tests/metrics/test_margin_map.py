"""The map of margins before and after, and the versions that nothing beats, against plain counting."""

from __future__ import annotations

import numpy as np
import pytest

from lib.grid import EXACT, MEDIUM
from lib.metrics.margin_map import count_sides, margin_map
from lib.metrics.pareto import on_front
from tests.metrics.pair_rows import pair_rows
from tests.metrics.test_comparison import World


@pytest.mark.parametrize("resolution", [EXACT, MEDIUM], ids=lambda each: each.name)
def test_every_pair_is_on_the_map(resolution: object) -> None:
    world = World(1)
    pairs = world.pairs(resolution)  # type: ignore[arg-type]
    found = margin_map(pairs)
    assert found is not None
    assert found.n.sum() == 600
    assert len(found.edges) <= 43
    margins = [
        np.clip(world.label * each, found.edges[0], found.edges[-1] - 1e-6) for each in (world.before, world.after)
    ]
    expected, *_edges = np.histogram2d(*[np.round(each, 6) + 1e-9 for each in margins], bins=[found.edges + 1e-12] * 2)
    if resolution is EXACT:
        assert np.array_equal(found.n, expected)
    else:
        assert np.abs(found.n - expected).sum() <= 0.05 * 600
    assert margin_map(pairs.where(np.zeros(len(pairs.n), np.bool_))) is None


def test_a_map_of_huge_margins_and_of_equal_ones() -> None:
    for scores in ([1e90, -1e100, 3.0, 2.0], [0.5] * 4, [0.0] * 4, [1e-9, 0.0, 1e-9, 0.0]):
        found = margin_map(pair_rows(([1] * 4, [1] * 4), (scores, scores[::-1])))
        assert found is not None
        assert found.n.sum() == 4
        assert 2 <= len(found.edges) <= 43


def test_sides_by_hand() -> None:
    label = [1, 1, 1, -1, -1, 0, 1]
    found = count_sides(pair_rows((label, label), ([2, 0.5, 0, 0, 3, 1, -1], [0.5, 1, 0.2, -1, -5, 1, -2])), 1.0)
    # right and clear to short; short to clear; wrong to short; short (0 is right of a negative) to clear; and so on
    assert found.n.tolist() == [[1, 1, 1], [0, 0, 2], [0, 1, 0]]
    assert found.doubt == 0


def test_sides_on_the_grid_are_exact_on_its_steps() -> None:
    world = World(2)
    exact, grid = world.pairs(), world.pairs(MEDIUM)
    assert np.array_equal(count_sides(exact, 0.5).n, count_sides(grid, 0.5).n)
    between = count_sides(grid, 0.53)
    assert 0 < np.abs(between.n - count_sides(exact, 0.53).n).sum() / 2 <= between.doubt


def test_the_front_is_what_nothing_beats() -> None:
    assert on_front([1, 2, 3, 2, np.nan], [0.5, 0.9, 0.8, 0.9, 1.0]).tolist() == [True, True, False, True, False]
    rng = np.random.default_rng(0)
    cost, quality = rng.integers(0, 6, 30), rng.integers(0, 6, 30)
    for place, on in enumerate(on_front(cost, quality)):
        beaten = any(
            cost[j] <= cost[place]
            and quality[j] >= quality[place]
            and (cost[j], -quality[j]) != (cost[place], -quality[place])
            for j in range(30)
        )
        assert on is np.bool_(not beaten)
