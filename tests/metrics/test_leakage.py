"""Leakage: told where it is and not where not, for groups of unequal size; too small groups have a reason."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lib.metrics.leakage import LEAST_ROWS, MOST_GROUPS, NOT_AMONG, ONE_GROUP, TOO_FEW, probe_column
from lib.vectors import NO_LABEL, Distance
from tests.metrics.vector_worlds import matrix, rotation


def world(n: int, seed: int, strength: float, shares=(0.6, 0.3, 0.1)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.choice(len(shares), n, p=shares)
    x = rng.normal(size=(n, 8))
    x[np.arange(n), codes] += strength
    return matrix(x), codes


def probe(x: np.ndarray, codes: np.ndarray, n_groups: int = 3, seed: int = 0, distance: Distance = Distance.EUCLIDEAN):
    return probe_column(x, np.arange(len(x)), codes, n_groups, distance, seed)


def test_leakage_is_told() -> None:
    found = probe(*world(600, 0, 2.0))
    assert found.leaks
    assert found.area > 0.85 > found.area_floor
    assert found.balanced_accuracy.lower > found.accuracy_floor > 1 / 3
    assert found.by_group.is_defined.all()
    assert (found.by_group.lower < found.by_group.value).all()


def test_no_leakage_is_told_at_the_stated_rate() -> None:
    p = np.array([probe(*world(200, seed, 0.0), seed=seed).p for seed in range(60)])
    assert (p <= 0.01).sum() <= 3
    assert 0.25 < np.median(p) < 0.75


def test_an_unfair_split_of_groups_is_no_leakage_and_hides_none() -> None:
    shares = (0.95, 0.05)
    assert not probe(*world(1_500, 1, 0.0, shares), n_groups=2).leaks
    found = probe(*world(1_500, 1, 3.0, shares), n_groups=2)
    assert found.leaks
    assert found.balanced_accuracy.value > 0.9


def test_two_groups_share_one_area_and_it_is_scikit_learns_on_a_line() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 2_000)
    x = matrix((rng.normal(size=2_000) + codes)[:, None])
    found = probe(x, codes, 2)
    assert found.by_group.value[0] == pytest.approx(found.by_group.value[1])
    # On a line the probe can only keep its order; areas are means over folds.
    assert found.area == pytest.approx(float(roc_auc_score(codes, x[:, 0])), abs=0.01)


def test_a_rotation_changes_nothing() -> None:
    x, codes = world(300, 0, 0.8)
    before, after = probe(x, codes), probe(matrix(x @ rotation(8, 1)), codes)
    # Components are standardised each for itself, and those of equal variance may turn.
    assert after.area == pytest.approx(before.area, abs=0.03)
    assert after.leaks == before.leaks


def test_wide_vectors_are_reduced_and_the_column_is_still_found() -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 2, 300)
    x = rng.normal(size=(300, 400))
    x += 3 * codes[:, None] * np.eye(400)[0] + 0.2 * codes[:, None]
    assert probe(matrix(x), codes, 2).leaks


def test_rows_without_a_group_and_small_groups_are_left_out() -> None:
    x, codes = world(400, 2, 2.0, (0.5, 0.5))
    codes = codes.copy()
    codes[:50], codes[50 : 50 + LEAST_ROWS - 1] = NO_LABEL, 2
    found = probe(x, codes)
    assert (found.n, found.n_used) == (350, 350 - LEAST_ROWS + 1)
    assert found.by_group.reason == ("", "", TOO_FEW)


def test_the_smallest_of_many_groups_are_left_out() -> None:
    rng = np.random.default_rng(0)
    codes = np.concatenate([np.repeat(np.arange(MOST_GROUPS), 30), np.full(25, MOST_GROUPS)])
    found = probe(matrix(rng.normal(size=(len(codes), 3))), codes, MOST_GROUPS + 1)
    assert found.by_group.reason[-1] == NOT_AMONG


def test_nothing_to_probe_has_a_reason() -> None:
    x, codes = world(100, 0, 1.0)
    for found in (probe(x, np.zeros(100, np.int64), 1), probe(x[:30], codes[:30] * 0 + np.arange(30) % 3)):
        assert found.reason == ONE_GROUP
        assert np.isnan([found.area, found.p]).all()
        assert not found.leaks
    assert probe(matrix(np.ones((100, 3))), codes, 3).reason == "all vectors are equal"
