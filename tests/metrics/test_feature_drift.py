"""Which features moved, where, and how surely: by hand, against scipy, as a property, and where nothing can be said."""

from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from lib.metrics.feature_counts import FeatureCounts
from lib.metrics.feature_drift import FeatureDrift, adjust, measure_drift
from lib.schema import NO_WINDOW
from tests.metrics.value_rows import build_values, quantile_bins

stats: Any = scipy_stats
"""Its results are unions that no checker tells apart."""

DAY = 86_400
LEVEL = 0.01


def counts_of(value, version=None, split=None, day=None, most=None) -> FeatureCounts:
    n = len(value)
    keys = {
        "version": np.full(n, "a") if version is None else version,
        "split": np.full(n, "") if split is None else split,
        "window": np.full(n, NO_WINDOW) if day is None else np.asarray(day) * DAY,
    }
    cells = build_values(value, keys, bins=None if most is None else quantile_bins(value, most))
    splits = [each for each in ("train", "test") if each in keys["split"]]
    return FeatureCounts.of(cells, sorted(set(keys["version"])), splits, DAY)


def drift_of(value, **keys) -> FeatureDrift:
    return measure_drift(counts_of(value, **keys), LEVEL)


def causes(drift: FeatureDrift) -> list[tuple]:
    return [(what, move.against, move.version, move.split, move.window) for what, move in drift.causes]


def test_a_move_by_hand() -> None:
    value = np.array([0.0] * 60 + [1.0] * 40 + [0.0] * 20 + [1.0] * 60 + [np.nan] * 20)
    version = np.repeat(["a", "b"], 100)
    (move,) = drift_of(value, version=version).moves
    assert (move.against, move.version, move.n_rows, move.n, move.n_reference) == ("baseline", "b", 100, 80, 100)
    assert move.distance == pytest.approx(0.6 - 0.25)
    assert (move.missing, move.missing_reference) == (0.2, 0.0)
    assert move.wasserstein == pytest.approx(0.35 / np.std([0] * 60 + [1] * 40))
    fisher = stats.fisher_exact([[20, 80], [0, 100]], alternative="greater").pvalue
    assert move.missing_p == pytest.approx(2 * fisher)


@pytest.mark.parametrize("seed", range(3))
def test_a_version_against_the_baseline_is_scipys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    value = np.round(rng.normal(0, 1, 2_000), 1)
    version = rng.choice(["a", "b"], 2_000)
    value[version == "b"] += 0.3
    (move,) = drift_of(value, version=version).moves
    a, b = value[version == "a"], value[version == "b"]
    assert move.distance == pytest.approx(stats.ks_2samp(b, a).statistic)
    assert move.p == pytest.approx(stats.ks_2samp(b, a, method="asymp").pvalue, rel=0.2)
    assert move.wasserstein * a.std() == pytest.approx(stats.wasserstein_distance(a, b))


def test_the_order_of_rows_does_not_matter_and_a_unit_only_scales() -> None:
    rng = np.random.default_rng(3)
    value, version = np.round(rng.gamma(2, 1, 1_500), 2), rng.choice(["a", "b"], 1_500)
    order = rng.permutation(1_500)
    (first,) = drift_of(value, version=version).moves
    (second,) = drift_of(value[order], version=version[order]).moves
    (third,) = drift_of(1_024 * value, version=version).moves
    assert (
        first == pytest.approx(second, nan_ok=True) if isinstance(first, float) else first.distance == second.distance
    )
    assert third.distance == first.distance
    assert third.wasserstein == pytest.approx(first.wasserstein)
    assert third.stability_index == pytest.approx(first.stability_index)


@pytest.mark.parametrize("seed", range(3))
def test_a_time_is_found_once_and_not_taken_for_the_version(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 6_000
    day, version = rng.integers(0, 20, n), rng.choice(["a", "b"], n)
    value = rng.normal(0, 1, n)
    value[(day >= 5) & (day < 9) & (version == "b")] += 4
    drift = drift_of(value, version=version, day=day, most=40)
    assert causes(drift) == [("distribution", "other times", "b", None, (5 * DAY, 9 * DAY))]
    move = drift.move("baseline")
    assert move is not None
    assert move.is_moved("distribution", LEVEL)


def test_a_split_is_not_taken_for_a_version() -> None:
    rng = np.random.default_rng(5)
    version, split = rng.choice(["a", "b"], 4_000), rng.choice(["train", "test"], 4_000)
    value = rng.normal(0, 1, 4_000) + 2.0 * ((split == "test") & (version == "b"))
    found = causes(drift_of(value, version=version, split=split, most=40))
    assert found == [("distribution", "other splits", "b", "test", None)]
    both = causes(drift_of(rng.normal(0, 1, 4_000) + 2.0 * (split == "test"), version=version, split=split, most=40))
    assert [each[:4] for each in both] == [("distribution", "other splits", each, "test") for each in "ab"]


def test_another_mix_of_splits_is_no_drift() -> None:
    rng = np.random.default_rng(6)
    version = np.repeat(["a", "b"], 3_000)
    split = np.where(rng.random(6_000) < np.where(version == "a", 0.8, 0.3), "train", "test")
    value = rng.normal(0, 1, 6_000) + 2.0 * (split == "test")
    drift = drift_of(value, version=version, split=split, most=40)
    assert "baseline" not in {each[1] for each in causes(drift)}
    move = drift.move("baseline")
    assert move is not None
    assert move.distance < 0.08


def test_missing_values_are_a_cause_of_their_own() -> None:
    rng = np.random.default_rng(8)
    version = rng.choice(["a", "b"], 4_000)
    value = rng.normal(0, 1, 4_000)
    value[(version == "b") & (rng.random(4_000) < 0.1)] = np.nan
    assert causes(drift_of(value, version=version, most=40)) == [("missing", "baseline", "b", None, None)]


def test_adjusting_is_over_features() -> None:
    rng = np.random.default_rng(9)
    version = rng.choice(["a", "b"], 1_000)
    drifts = [drift_of(rng.normal(0, 1, 1_000), version=version, most=20) for _ in range(5)]
    raw = np.array([each.moves[0].p for each in drifts])
    adjusted = [each.moves[0].p_adjusted for each in adjust(drifts)]
    assert adjusted == pytest.approx(stats.false_discovery_control(raw).tolist())


def test_nothing_to_compare() -> None:
    assert drift_of(np.arange(10.0)).moves == ()
    few = drift_of(np.arange(20.0), version=np.repeat(["a", "b"], 10))
    assert few.moves == ()
    none = drift_of(np.full(100, np.nan), version=np.repeat(["a", "b"], 50))
    assert none.missing == 1
    assert none.causes == ()
    assert none.moves[0].p == 1
