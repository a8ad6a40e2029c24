"""Parts of a change of recall: by hand, exact sums whatever the rows are, and honest intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.metrics.recall_parts import PARTS, PartsSide, recall_parts


def side(exact: object, cohort: object, *, found=None, distinct=None, comparable=None, first: int = 0) -> PartsSide:
    hit = np.asarray(exact, np.float64)
    others = [hit if each is None else np.asarray(each, np.float64) for each in (found, distinct, comparable)]
    return PartsSide(others[0], hit, others[1], others[2], np.asarray(cohort, np.str_), np.arange(len(hit)) + first)


def values(parts) -> dict[str, float]:
    return {name: each.value for name, each in parts.parts.items()}


def test_parts_by_hand() -> None:
    # Two cohorts: a is answered always, b half the time; their shares go from 1/2 to 1/4 and 3/4.
    before = side([1, 1, 1, 0], list("aabb"))
    after = side([1, 1, 1, 1, 0, 0, 0, 1], list("aabbbbbb"), first=4)
    parts = recall_parts(before, after)
    mix = -0.25 * 1.0 + 0.25 * (0.5 + 0.5) / 2
    within = 0.0 * 0.375 + 0.0
    assert parts.change.value == pytest.approx(5 / 8 - 3 / 4)
    assert values(parts) == pytest.approx(
        {"ann_loss": 0, "duplicates": 0, "gallery_growth": 0, "cohort_mix": mix, "within_cohorts": within}, abs=1e-12
    )


def test_steps_by_hand() -> None:
    before = side([1, 1, 0, 0], list("aaaa"), found=[1, 0, 0, 0])
    after = side([1, 0, 0, 0], list("aaaa"), distinct=[1, 1, 0, 0], comparable=[1, 1, 1, 0])
    assert values(recall_parts(before, after)) == pytest.approx(
        {"ann_loss": 0.25, "duplicates": -0.25, "gallery_growth": -0.25, "cohort_mix": 0, "within_cohorts": 0.25}
    )


def test_a_cohort_of_one_version_belongs_to_the_mix() -> None:
    parts = recall_parts(side([1, 1], list("aa")), side([1, 1, 0, 0], list("aabb"), first=2))
    assert values(parts)["cohort_mix"] == pytest.approx(-0.5)
    assert values(parts)["within_cohorts"] == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
def test_parts_add_up(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)

    def drawn(size: int) -> PartsSide:
        hits = [np.where(rng.random(size) < 0.15, np.nan, rng.random(size)) for _ in range(4)]
        return PartsSide(hits[0], hits[1], hits[2], hits[3], rng.choice(list("abcd"), size), np.arange(size))

    before, after = drawn(n), drawn(m)
    parts = recall_parts(before, after, draws=5)
    if parts.reason:
        assert not parts.parts
        assert math.isnan(parts.change.value)
        return
    change = np.nanmean(after.found) - np.nanmean(before.found)
    assert tuple(parts.parts) == PARTS
    assert math.fsum(values(parts).values()) == pytest.approx(change, abs=1e-12)
    assert parts.change.value == pytest.approx(change, abs=1e-12)


def test_intervals_cover_and_pairs_narrow_them() -> None:
    rng = np.random.default_rng(0)
    covered, widths = 0, []
    for _ in range(100):
        easy = rng.random(400) < 0.5
        skill = rng.random(400)
        was, now = skill < np.where(easy, 0.9, 0.5), skill < np.where(easy, 0.8, 0.4)
        cohort = np.where(easy, "a", "b")
        paired = recall_parts(side(was, cohort), side(now, cohort), draws=100).change
        single = recall_parts(side(was, cohort), side(now, cohort, first=400), draws=100).change
        covered += paired.lower <= -0.1 <= paired.upper
        widths.append((paired.upper - paired.lower) / (single.upper - single.lower))
    assert covered >= 88
    assert np.mean(widths) < 0.7


def test_without_queries_there_is_a_reason() -> None:
    parts = recall_parts(side([np.nan], ["a"]), side([1.0], ["a"]))
    assert "no query with a right answer" in parts.reason
    assert parts.change.reason == parts.reason
