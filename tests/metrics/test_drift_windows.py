"""Windows of vectors against a baseline, against one turned, and against the other windows."""

from __future__ import annotations

import numpy as np
import pytest

from lib.metrics.drift import Drift, compare_samples
from lib.metrics.drift_windows import Against, compare_windows
from lib.vectors import Distance, Vectors
from tests.checks.embeddings.sets import made
from tests.recall_drop.worlds import vectors_of

N, D = 400, 8
PARTS = [np.arange(start, start + 100) for start in range(0, N, 100)]
BOTH = (np.arange(N), np.arange(N))


def rows_of(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(N, D)) * (1 + np.arange(D)) ** -0.5 + 1


def version(values: np.ndarray) -> Vectors:
    return vectors_of(made(values))


def windows(before: np.ndarray, after: np.ndarray, against: Against, *, cosine: bool = False) -> list[Drift]:
    distance = Distance.COSINE if cosine else Distance.EUCLIDEAN
    told: list[float] = []
    found = compare_windows(
        version(before), version(after), PARTS, BOTH, against, distance, lambda share, _words: told.append(share)
    )
    assert told == [0, 0.25, 0.5, 0.75]
    return found


def moved(values: np.ndarray) -> np.ndarray:
    """The third window elsewhere."""
    other = values.copy()
    other[PARTS[2], 0] += 1.5
    return other


def test_a_window_is_compared_with_all_of_the_baseline() -> None:
    before, after = rows_of(0), moved(rows_of(1))
    found = windows(before, after, Against.BASELINE)
    assert [each.has_drifted for each in found] == [False, False, True, False]
    assert {(each.n, each.m) for each in found} == {(N, 100)}
    matrices = version(before).matrix, version(after).matrix
    alone = compare_samples(*matrices, np.arange(N), PARTS[2], Distance.EUCLIDEAN)
    assert [each.value for each in found[2].measures] == [each.value for each in alone.measures]


@pytest.mark.parametrize("cosine", [False, True])
def test_a_turned_version_is_turned_back_first(*, cosine: bool) -> None:
    before = rows_of(2)
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(D, D)))
    after = moved(before + 0.05 * np.random.default_rng(4).normal(size=(N, D))) @ turn
    assert all(each.has_drifted for each in windows(before, after, Against.BASELINE, cosine=cosine))
    found = windows(before, after, Against.TURNED, cosine=cosine)
    assert [each.has_drifted for each in found] == [False, False, True, False]
    assert {(each.n, each.m) for each in found} == {(N, 100)}


def test_one_version_is_compared_with_its_other_windows() -> None:
    values = moved(rows_of(5))
    found = windows(values, values, Against.OTHER_TIMES)
    effects = [max(one.effect for one in each.measures) for each in found]
    assert found[2].has_drifted
    assert int(np.argmax(effects)) == 2
    assert {(each.n, each.m) for each in found} == {(N - 100, 100)}


def test_chance_is_rarely_taken_for_drift() -> None:
    seeds = [windows(rows_of(10 + seed), rows_of(50 + seed), Against.BASELINE) for seed in range(10)]
    assert sum(any(each.has_drifted for each in found) for found in seeds) <= 1  # 1 % of 10
