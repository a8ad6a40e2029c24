"""Change points: placed where a search over all places puts them, with intervals that cover, and none by chance."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lib.metrics.onset import (
    DAY,
    FIRST_MONDAY,
    expected_rate,
    find_changes,
    hansen_quantile,
    rate_between,
    rate_of,
)

WIDTH = 300
BUCKETS = 2880
EDGES = FIRST_MONDAY + WIDTH * np.arange(BUCKETS + 1)


def draw(rng: np.random.Generator, rate: np.ndarray, rows: float) -> tuple[np.ndarray, np.ndarray]:
    n = rng.poisson(rows, len(rate))
    return rng.binomial(n, rate).astype(float), n.astype(float)


def flat(hits: np.ndarray, n: np.ndarray) -> np.ndarray:
    return np.full(len(n), hits.sum() / n.sum())


def test_one_change_worked_by_hand() -> None:
    n, hits = np.full(40, 10.0), np.repeat([1.0, 9.0], 20)
    edges = 60 * np.arange(41)
    (change,) = find_changes(hits, n, edges, flat(hits, n))
    assert change.at == 20 * 60
    assert (change.before.value, change.after.value) == (0.1, 0.9)
    assert (change.before.n, change.after.n) == (200, 200)
    # 2 · 200 · (0.1 log(0.1/0.5) + 0.9 log(0.9/0.5)); one bucket of ten rows off costs 17.6, far beyond 7.35.
    assert change.gain == pytest.approx(400 * (0.1 * math.log(0.2) + 0.9 * math.log(1.8)))
    assert (change.lower, change.upper) == (19 * 60, 21 * 60)
    assert change.is_rise


@pytest.mark.parametrize("seed", range(5))
def test_the_place_is_the_maximum_of_the_binomial_likelihood(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = int(rng.integers(60, 340))
    hits, n = draw(rng, np.where(np.arange(400) < truth, 0.1, 0.4), 6)
    (change,) = find_changes(hits, n, WIDTH * np.arange(401), flat(hits, n))

    def likelihood(place: int) -> float:
        return sum(
            stats.binom.logpmf(hits[part], n[part], hits[part].sum() / n[part].sum()).sum()
            for part in (slice(0, place), slice(place, 400))
        )

    assert likelihood(change.at // WIDTH) == pytest.approx(max(map(likelihood, range(1, 400))))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.02, 0.9), st.floats(0.3, 20))
def test_changes_are_ordered_and_rates_lie_between_their_ends(seed: int, rate: float, rows: float) -> None:
    rng = np.random.default_rng(seed)
    course = np.full(400, rate)
    course[150:250] = min(1.0, 1.5 * rate)
    hits, n = draw(rng, course, rows)
    found = find_changes(hits, n, WIDTH * np.arange(401), flat(hits, n)) if n.sum() else ()
    assert [each.at for each in found] == sorted({each.at for each in found})
    for change in found:
        assert change.lower <= change.at <= change.upper
        assert change.gain > 0
        assert abs(change.after.value - change.before.value) >= 0.01
    for first, second in itertools.pairwise(found):
        assert first.after == second.before


def test_a_part_of_the_course_is_found_with_both_ends() -> None:
    rng = np.random.default_rng(4)
    rate = np.full(BUCKETS, 0.15)
    rate[1500:1800] = 0.9
    hits, n = draw(rng, rate, 1)
    rise, fall = find_changes(hits, n, EDGES, expected_rate(hits, n, EDGES), 30)
    assert rise.lower <= EDGES[1500] <= rise.upper
    assert fall.lower <= EDGES[1800] <= fall.upper
    assert rise.is_rise
    assert not fall.is_rise


def test_intervals_cover_the_time() -> None:
    covered: list[bool] = []
    for seed in range(80):
        rng = np.random.default_rng([7, seed])
        truth = rng.uniform(0.2, 0.8) * BUCKETS
        share = np.clip(np.arange(BUCKETS) + 1 - truth, 0, 1)
        rate = 0.16 * (1 - share) + rng.choice([0.3, 0.5, 0.95]) * share
        hits, n = draw(rng, rate, rng.choice([1.0, 5.0]))
        covered += [
            change.lower <= EDGES[0] + truth * WIDTH <= change.upper
            for change in find_changes(hits, n, EDGES, expected_rate(hits, n, EDGES))
        ]
    assert len(covered) >= 73
    assert np.mean(covered) >= 0.95


@pytest.mark.parametrize("seed", range(3))
def test_a_course_without_changes_has_none_whatever_the_hour_and_day(seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges = FIRST_MONDAY + WIDTH * np.arange(28 * DAY // WIDTH + 1)
    hour, day = edges[:-1] % DAY / 3600, (edges[:-1] - FIRST_MONDAY) // DAY % 7
    rate = 0.15 * (1 + 0.4 * np.sin(2 * np.pi * hour / 24)) * np.where(day >= 5, 1.3, 1.0)
    hits, n = draw(rng, rate, 9)
    expected = expected_rate(hits, n, edges)
    assert find_changes(hits, n, edges, expected) == ()
    assert find_changes(hits, n, edges, flat(hits, n)) != ()
    assert (n * expected).sum() == pytest.approx(hits.sum())
    assert np.abs(expected - rate).mean() < 0.012
    even = draw(rng, np.full(len(rate), 0.15), 9)
    assert np.ptp(expected_rate(*even, edges)) < 0.03


def test_what_scatters_more_than_rows_do_is_no_change() -> None:
    rng = np.random.default_rng(2)
    # Bursts of an hour, rows of one hour being alike: each hour has a rate of its own.
    rate = np.repeat(rng.beta(8, 40, BUCKETS // 12), 12)
    hits, n = draw(rng, rate, 20)
    assert len(find_changes(hits, n, EDGES, flat(hits, n))) <= 2


def test_small_and_undefined_courses_have_no_change() -> None:
    edges = WIDTH * np.arange(5)
    for hits, n in (([0, 0, 0, 0], [0, 0, 0, 0]), ([1, 0, 0, 0], [1, 0, 0, 0]), ([0, 0, 0, 0], [9, 9, 9, 9])):
        counts, rows = np.array(hits, float), np.array(n, float)
        assert find_changes(counts, rows, edges, expected_rate(counts, rows, edges)) == ()
    nothing = rate_of(0, 0)
    assert not nothing.is_defined
    assert nothing.reason == "no labelled rows in that time"
    assert rate_between(np.array([1.0, 2, 3, 4]), np.full(4, 5.0), edges, WIDTH, 3 * WIDTH).value == 0.5


def test_the_quantile_is_that_of_its_distribution() -> None:
    assert hansen_quantile(0.95) == pytest.approx(7.35, abs=0.005)
    assert (1 - math.exp(-hansen_quantile(0.9) / 2)) ** 2 == pytest.approx(0.9)
