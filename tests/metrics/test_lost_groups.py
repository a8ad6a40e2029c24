"""Groups of lost queries: by hand, what they share, and nothing where losses are random."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from lib.metrics.lost_groups import LEVEL, lost_groups


def test_groups_by_hand() -> None:
    # Queries 0, 1, 2 lost row 50, the first two row 51 as well; 3 to 6 lost row 60; 7 lost a row of its own.
    query = np.array([0, 1, 2, 0, 1, 3, 4, 5, 6, 7])
    answer = np.array([50, 50, 50, 51, 51, 60, 60, 60, 60, 70])
    found = lost_groups(query, answer, 20, {})
    assert [each.queries.tolist() for each in found.groups] == [[3, 4, 5, 6], [0, 1, 2]]
    assert found.groups[1].answers.tolist() == [50, 51]
    assert found.groups[1].counts.tolist() == [3, 2]
    assert (found.n_lost, found.n_grouped) == (8, 7)


def test_what_a_group_shares_is_what_fisher_says() -> None:
    colour = np.array(["red"] * 10 + ["blue"] * 90)
    found = lost_groups(np.arange(8), np.full(8, 500), 100, {"colour": colour})
    (shared,) = found.groups[0].shared
    assert (shared.column, shared.value, shared.n, shared.share) == ("colour", "red", 8, 1.0)
    assert shared.rest == pytest.approx(2 / 92)
    _odds, p = fisher_exact([[8, 0], [2, 90]], alternative="greater")
    # The group and all lost queries are the same here, so that two tests share one p.
    assert shared.p_adjusted == pytest.approx(p, rel=1e-9)
    assert found.shared == found.groups[0].shared


def test_random_losses_share_nothing_beyond_the_level() -> None:
    rng = np.random.default_rng(0)
    false_alarms = 0
    for _ in range(100):
        columns = {name: rng.choice(list("abcdef"), 400) for name in ("first", "second")}
        lost = rng.permutation(400)[:60]
        found = lost_groups(lost, rng.integers(0, 8, 60), 400, columns)
        assert found.groups
        false_alarms += bool(found.shared) or any(each.shared for each in found.groups)
    assert false_alarms <= 100 * LEVEL + 3


def test_nothing_lost_is_no_group() -> None:
    found = lost_groups(np.empty(0, np.int64), np.empty(0, np.int64), 10, {"colour": np.full(10, "red")})
    assert (found.groups, found.shared, found.n_lost, found.n_grouped) == ((), (), 0, 0)
