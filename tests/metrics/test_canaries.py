"""Canaries: when a version began to serve some rows before it was deployed, and what is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.metrics.canaries import Canary, find_canaries
from lib.metrics.deploys import Deploy, find_deploys
from tests.metrics.test_deploys import HOUR, timeline

HOURS = np.arange(720)
CUT = 300


def served(share: np.ndarray, seed: int = 0, rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the old and of the new version in each hour, the new one's by chance."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(rows, len(share))
    own = rng.binomial(n, share)
    return (n - own).astype(np.float64), own.astype(np.float64)


def canaries(share: np.ndarray, seed: int = 0, rows: int = 60) -> tuple[Canary, ...]:
    old, new = served(share, seed, rows)
    made = timeline({"v1": old, "v2": new})
    return find_canaries(made, find_deploys(made))


def steps(*of: tuple[int, float]) -> np.ndarray:
    """A share from each of some hours on."""
    share = np.zeros(len(HOURS))
    for hour, value in of:
        share[hour:] = value
    return share


def test_by_hand() -> None:
    old, new = np.full(720, 90.0), np.zeros(720)
    new[250:300] = 10.0
    old[300:], new[300:] = 0.0, 100.0
    made = timeline({"v1": old, "v2": new})
    (deploy,) = find_deploys(made)
    assert deploy == Deploy(300 * HOUR, "v2", "deploy")
    assert find_canaries(made, (deploy,)) == (Canary(250 * HOUR, 300 * HOUR, "v2", 0.1, 500),)
    # A list of deploys says when one was; a name that no row has has no canary.
    listed = (Deploy(290 * HOUR + 60, "v2", "deploy"), Deploy(400 * HOUR, "v3", "deploy"))
    assert find_canaries(made, listed) == (Canary(250 * HOUR, 290 * HOUR + 60, "v2", 0.1, 410),)
    assert find_canaries(made, (Deploy(300 * HOUR, "v2", "rollback"),)) == ()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.05, 0.4), st.integers(12, 100))
def test_it_is_found_with_its_share_and_where_it_began(seed: int, share: float, hours: int) -> None:
    (found,) = canaries(steps((CUT - hours, share), (CUT, 1.0)), seed)
    assert found.name == "v2"
    assert abs(found.until - CUT * HOUR) <= HOUR
    assert abs(found.at - (CUT - hours) * HOUR) <= 3 * HOUR
    assert found.share == pytest.approx(share, abs=5 * np.sqrt(share / (60 * hours)))


def test_growing_in_steps_is_one() -> None:
    (found,) = canaries(steps((200, 0.02), (240, 0.1), (280, 0.4), (CUT, 1.0)))
    assert abs(found.at - 200 * HOUR) <= 4 * HOUR


NONE = {
    "a clean cut": steps((CUT, 1.0)),
    "an overlap of four hours": steps((CUT - 4, 0.3), (CUT, 1.0)),
    "a roll-out over six hours": np.clip((HOURS - CUT) / 6, 0, 1),
    "beside the other from the first row on": steps((0, 0.1), (CUT, 1.0)),
    "beside the other all the time": steps((0, 0.5)),
    "a few rows at wrong times": steps((0, 0.002), (CUT, 1.0)),
    "a few rows from some time on": steps((100, 0.004), (CUT, 1.0)),
    "a day that was no canary, long before": steps((100, 0.1), (124, 0.0), (CUT, 1.0)),
    "what never takes over": steps((100, 0.1)),
}


@pytest.mark.parametrize("name", NONE)
@pytest.mark.parametrize("rows", [6, 60])
def test_what_is_none(name: str, rows: int) -> None:
    assert [canaries(NONE[name], seed, rows) for seed in range(8)] == [()] * 8


def test_single_rows_before_do_not_begin_it() -> None:
    old, new = served(steps((250, 0.1), (CUT, 1.0)))
    new[[20, 130]] = 1.0
    made = timeline({"v1": old, "v2": new})
    (found,) = find_canaries(made, find_deploys(made))
    assert abs(found.at - 250 * HOUR) <= 3 * HOUR


def test_each_of_several_deploys_has_its_own() -> None:
    first, second = steps((100, 0.1), (140, 1.0), (400, 0.0)), steps((360, 0.2), (400, 1.0))
    rng = np.random.default_rng(1)
    n = rng.poisson(60, 720)
    third = rng.binomial(n, second)
    middle = rng.binomial(n - third, first)
    made = timeline({name: each * 1.0 for name, each in (("a", n - third - middle), ("b", middle), ("c", third))})
    found = find_canaries(made, find_deploys(made))
    assert [each.name for each in found] == ["b", "c"]
    assert [round(each.at / HOUR, -1) for each in found] == [100, 360]
