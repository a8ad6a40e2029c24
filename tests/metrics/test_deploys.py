"""Deploys read from rows, both sides of each, and whether a rollback restored a rate; rates where labels lag."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.cells import COUNTS, Timeline
from lib.metrics.deploys import (
    Deploy,
    around_deploys,
    difference,
    find_deploys,
    find_recoveries,
    match_deploy,
)
from lib.metrics.expected import can_expect, expected_course, label_lag
from lib.metrics.intervals import wilson
from lib.metrics.onset import DAY, Change, rate_of

HOUR = 3600
EDGES = HOUR * np.arange(24 * 30 + 1)
V2 = Deploy(10 * DAY, "v2", "deploy")
BACK = Deploy(13 * DAY, "v1", "rollback")


def timeline(versions: dict[str, np.ndarray], **others: np.ndarray) -> Timeline:
    """Rows of each version in each bucket; other counts as a share of them."""
    names = tuple(versions)
    counts, version, bucket = [], [], []
    for place, rows in enumerate(versions.values()):
        for at in np.flatnonzero(rows):
            entry = dict.fromkeys(COUNTS, 0.0) | {"n": rows[at], "scored": rows[at], "labelled": rows[at]}
            entry |= {name: values[at] * rows[at] for name, values in others.items()}
            counts.append([entry[name] for name in COUNTS])
            version.append(place)
            bucket.append(at)
    size = len(next(iter(versions.values())))
    zeros = np.zeros(len(bucket), np.int64)
    return Timeline(
        0, HOUR, size, 1.0, names, ("",), np.array(version), zeros, np.array(bucket), np.array(counts)
    )  # fmt: skip


def test_a_deploy_and_a_rollback_are_read_from_the_rows() -> None:
    second = np.zeros(720)
    second[240:312] = 50.0
    first = np.where(second > 0, 0.0, 50.0)
    first[100:110] = 0.0  # a night without rows is no deploy
    assert find_deploys(timeline({"v1": first, "v2": second})) == (V2, BACK)


def test_a_canary_takes_over_when_it_has_most_rows() -> None:
    share = np.clip((np.arange(720) - 300) / 20, 0, 1)
    (deploy,) = find_deploys(timeline({"v1": 100 * (1 - share), "v2": 100 * share}))
    assert deploy == Deploy(311 * HOUR, "v2", "deploy")


def test_versions_side_by_side_take_over_from_nobody() -> None:
    rng = np.random.default_rng(0)
    assert find_deploys(timeline({"v1": rng.poisson(50, 720) * 1.0, "v2": rng.poisson(50, 720) * 1.0})) == ()
    assert find_deploys(timeline({"v1": np.full(720, 5.0)})) == ()
    # Of hardly a row in each bucket any of them has one version only.
    few = rng.poisson(0.4, (2, 720)) * 1.0
    assert find_deploys(timeline({"v1": few[0], "v2": few[1]})) == ()


@pytest.mark.parametrize("seed", range(5))
def test_few_rows_place_a_deploy_at_its_first_row(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, after = rng.poisson(0.5, 720) * 1.0, np.arange(720) >= 333
    first = 333 + int(np.argmax(rows[333:] > 0))
    (deploy,) = find_deploys(timeline({"v1": np.where(after, 0, rows), "v2": np.where(after, rows, 0)}))
    assert deploy == Deploy(first * HOUR, "v2", "deploy")


def test_both_sides_of_a_deploy_by_hand() -> None:
    n = np.full(720, 10.0)
    hits = np.where((EDGES[:-1] >= V2.at) & (EDGES[:-1] < BACK.at), 5.0, 1.0)
    first, second = around_deploys(hits, n, EDGES, (V2, BACK))
    assert (first.before.value, first.after.value, first.before.n, first.after.n) == (0.1, 0.5, 1680, 720)
    assert second.change.value == pytest.approx(-0.4)
    # One number for one question: what a rollback is told to have restored is what the deploys' table shows.
    (recovery,) = find_recoveries(hits, n, EDGES, (V2, BACK))
    assert (recovery.before, recovery.during, recovery.after) == (first.before, first.after, second.after)
    near = Deploy(BACK.at + 6 * HOUR, "v3", "deploy")
    assert around_deploys(hits, n, EDGES, (V2, BACK, near))[1].after.n == 60
    low, high = wilson([0.5, 0.1], [720, 1680])
    assert (first.is_sure, second.is_sure) == (True, True)
    assert not around_deploys(0.1 * n, n, EDGES, (V2,))[0].is_sure
    assert not around_deploys(hits * (EDGES[:-1] < V2.at), n * (EDGES[:-1] < V2.at), EDGES, (V2,))[0].is_sure
    assert first.change.lower == pytest.approx(0.4 - math.hypot(0.5 - low[0], high[1] - 0.1))


@pytest.mark.parametrize(("after", "restored"), [(0.10, "yes"), (0.45, "no"), (0.18, "undecided")])
def test_whether_a_rollback_restored_a_rate(after: float, restored: str) -> None:
    n = np.full(720, 10.0)
    rate = np.where(EDGES[:-1] < V2.at, 0.1, np.where(EDGES[:-1] < BACK.at, 0.5, after))
    (found,) = find_recoveries(n * rate, n, EDGES, (V2, BACK))
    assert found.restored == restored
    assert found.share_gone == pytest.approx(1 - (after - 0.1) / 0.4)
    low, high = found.share_gone_interval
    assert (low, high) == pytest.approx((1 - found.left.upper / 0.4, 1 - found.left.lower / 0.4))
    assert {"yes": low >= 0.8, "no": high < 0.8, "undecided": low < 0.8 <= high}[restored]
    assert (found.before.n, found.during.n, found.after.n) == (1680, 720, 1680)


def test_without_a_rise_or_rows_there_is_nothing_to_restore() -> None:
    n = np.full(720, 10.0)
    (found,) = find_recoveries(0.1 * n, n, EDGES, (V2, BACK))
    assert found.restored == "no rise"
    assert math.isnan(found.share_gone)
    assert all(map(math.isnan, found.share_gone_interval))
    rate = np.where((EDGES[:-1] >= V2.at) & (EDGES[:-1] < BACK.at), 0.5, 0.1)
    ended = np.where(EDGES[:-1] < BACK.at, 10.0, 0.0)
    assert find_recoveries((rate * ended).astype(np.float64), ended, EDGES, (V2, BACK))[0].restored == "undecided"
    assert find_recoveries(0.1 * n, n, EDGES, (V2,)) == ()
    nothing = difference(rate_of(1, 2), rate_of(0, 0))
    assert nothing.reason == "no labelled rows in that time"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.05, 0.4), st.floats(0.0, 0.5))
def test_what_is_left_and_what_is_gone_make_the_rise(seed: int, base: float, up: float) -> None:
    rng = np.random.default_rng(seed)
    n = rng.poisson(8, 720).astype(float)
    rate = np.where((EDGES[:-1] >= V2.at) & (EDGES[:-1] < BACK.at), base + up, base)
    (found,) = find_recoveries(rng.binomial(n.astype(int), rate).astype(np.float64), n, EDGES, (V2, BACK))
    assert found.rise.lower <= found.rise.value <= found.rise.upper
    if found.restored != "no rise":
        assert found.share_gone * found.rise.value == pytest.approx(found.during.value - found.after.value)
    assert (found.restored == "yes") <= (found.left.upper <= 0.2 * found.rise.value)


def test_a_change_is_matched_to_the_nearest_deploy_in_its_interval() -> None:
    change = Change(V2.at + 600, V2.at - 1200, V2.at + 1200, rate_of(1, 10), rate_of(9, 10), 10.0)
    other = Deploy(V2.at - 900, "x", "deploy")
    assert match_deploy(change, (other, V2, BACK)) == V2
    assert match_deploy(change, (BACK,)) is None
    late = Deploy(V2.at + DAY // 2, "y", "deploy")
    assert match_deploy(change, (late,)) is None
    assert match_deploy(change, (late,), slack=DAY) == late
    # An interval of days holds what has nothing to do with the change.
    vague = replace(change, lower=V2.at - 5 * DAY, upper=V2.at + 5 * DAY)
    assert match_deploy(vague, (BACK,)) is None
    assert match_deploy(vague, (late, BACK)) == late


def test_the_expected_rate_by_hand() -> None:
    found = expected_course(
        np.array([30.0, 10.0]), np.array([100.0, 50.0]), np.array([100.0, 100.0]),
        np.array([20.0, 24.0]), np.array([20.0, 12.0]),
    )  # fmt: skip
    # 40 hits where 32 were expected: the 50 rows without a label have 12 x 1.25 = 15, the window (10 + 15)/100.
    assert found.factor == 1.25
    assert found.estimates.value.tolist() == [0.3, 0.25]
    few = expected_course(*(np.array([each]) for each in (3.0, 10.0, 20.0, 5.0, 2.0)))
    assert few.estimates.reason[0].startswith("fewer than 20 labelled rows")


def test_calibrated_scores_expect_what_labels_show() -> None:
    rng = np.random.default_rng(1)
    p = rng.beta(0.5, 1.5, 40_000)
    y = rng.random(40_000) < p
    hits, labelled = ((p > 0.5) != y)[:20_000].sum(), 20_000
    expected = np.minimum(p, 1 - p)
    found = expected_course(
        *(np.array([float(each)]) for each in (hits, labelled, 40_000, expected.sum(), expected[:labelled].sum()))
    )
    assert found.factor == pytest.approx(1, abs=0.05)
    truth = ((p > 0.5) != y).mean()
    assert found.estimates.lower[0] <= truth <= found.estimates.upper[0]


def test_labels_that_lag_are_told_and_those_that_are_missing_here_and_there_are_not() -> None:
    rows = np.full(720, 50.0)
    late = np.where(np.arange(720) < 600, 0.97, 0.02)
    lag = label_lag(timeline({"v1": rows}, labelled=late))
    assert lag is not None
    assert lag.at == 600 * HOUR
    assert label_lag(timeline({"v1": rows}, labelled=np.full(720, 0.97))) is None
    assert label_lag(timeline({"v1": rows})) is None
    assert label_lag(timeline({"v1": rows}, labelled=np.where(np.arange(720) < 100, 0.0, 1.0))) is None
    assert not can_expect(timeline({"v1": rows}), "error_rate")
    assert can_expect(timeline({"v1": rows}, expected_errors=np.full(720, 0.1)), "error_rate")
    assert not can_expect(timeline({"v1": rows}, expected_errors=np.full(720, 0.1)), "miss_rate")
