"""Shifts that return: found where they are planted, at their size, and as rarely by chance as is said."""

from __future__ import annotations

import numpy as np
import pytest

from lib.metrics.estimates import FloatArray
from lib.metrics.permutations import NOISE_LEVEL
from lib.metrics.seasons import DAY, MONDAY, find_seasons
from lib.vectors import Distance

START = MONDAY + 2_900 * 7 * DAY
"""A Monday in 2025, at midnight."""


def world(seed: int, days: int, per_day: int, d: int = 8) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    seconds = START + np.sort(rng.integers(0, days * DAY, days * per_day)).astype(np.float64)
    return rng.normal(size=(len(seconds), d)), seconds


def seasons(values: FloatArray, seconds: FloatArray):
    return find_seasons(values.astype(np.float32), np.arange(len(values)), seconds, Distance.EUCLIDEAN)


def test_a_planted_week_has_its_size_and_days() -> None:
    values, seconds = world(0, 42, 60)
    weekend = ((seconds - START) // DAY) % 7 >= 5
    values[weekend, 0] += 2
    (found,) = [each for each in seasons(values, seconds) if each.returns]
    spread = np.sqrt(((values - values.mean(axis=0)) ** 2).sum(axis=1).mean())
    # Days of the week are 2·2/7 below their mean or 2·5/7 above: the root mean square over the seven days.
    expected = 2 * np.sqrt(5 / 7 * 2 / 7) / spread
    assert found.cycle == "week"
    assert found.n_cycles == 6
    assert found.shift == pytest.approx(expected, rel=0.15)
    assert found.phases[5:].min() > 2 * found.phases[:5].max()


def test_a_planted_day() -> None:
    values, seconds = world(1, 5, 240)
    values[(seconds % DAY) < DAY / 6, 1] += 1.5
    (found,) = seasons(values, seconds)
    assert (found.cycle, found.n_cycles, found.returns) == ("day", 5, True)
    assert int(np.argmax(found.phases)) == 0


def test_chance_and_trends_do_not_return() -> None:
    hits = 0
    for seed in range(40):
        values, seconds = world(seed, 28, 30)
        if seed % 2:
            values[:, 0] += np.linspace(0, 5, len(values))
        hits += sum(each.p <= NOISE_LEVEL for each in seasons(values, seconds))
    assert hits <= 3  # 1 % of 40: more than 3 would be by chance in 1 of 10,000


def test_what_cannot_be_told_is_left_out() -> None:
    values, seconds = world(2, 14, 100)
    assert "week" not in [each.cycle for each in seasons(values, seconds)]
    assert seasons(values, np.full(len(values), np.nan)) == []
    assert seasons(np.ones_like(values), seconds) == []
    assert seasons(values[:30], seconds[:30]) == []
