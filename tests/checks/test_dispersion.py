"""How much more stretches of time differ than rows do by chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lib.checks.dispersion import NO_DISPERSION, STRETCHES, Dispersion, column_dispersion, whole_dispersion
from tests.checks.crossing_worlds import COHORTS, make_cohorts, scored
from tests.checks.tables import diagnose


def test_by_hand() -> None:
    found = Dispersion(5.0, 9.0, 200.0)
    assert found.among(50.0) == Dispersion(2.0, 9.0, 50.0)
    assert found.among(1_000.0).ratio == 5.0
    assert found.p_beyond(4.0) == pytest.approx(stats.t.sf(4 / np.sqrt(5), 9))
    assert NO_DISPERSION.p_beyond(3.0) == pytest.approx(stats.norm.sf(3))
    assert NO_DISPERSION.among(10.0).p_beyond(3.0) == NO_DISPERSION.p_beyond(3.0)


def test_it_is_pearsons_chi_squared_of_stretches_class_by_class() -> None:
    frame = make_cohorts(3, wander=0.6)
    found = whole_dispersion(diagnose(scored(frame), COHORTS))
    own = frame[frame["version"] == "v1"]
    day = ((own["time"] - frame["time"].min().floor("D")).dt.days).to_numpy()
    wrong = ((own["s"] > 0) != (own["label"] == 1)).to_numpy()
    excess, variance = np.zeros(STRETCHES), np.zeros(STRETCHES)
    sizes = np.bincount(day)
    place = ((np.cumsum(sizes) - sizes / 2) / len(own) * STRETCHES).astype(int)[day]
    for label in (0, 1):
        of = (own["label"] == label).to_numpy()
        rate = wrong[of].mean()
        excess += np.bincount(place[of], wrong[of] - rate, STRETCHES)
        variance += np.bincount(place[of], np.full(of.sum(), rate * (1 - rate)), STRETCHES)
    assert found.ratio == pytest.approx((excess**2 / variance).sum() / (STRETCHES - 1))
    assert (found.degrees, found.rows) == (STRETCHES - 1, len(own) / STRETCHES)


def test_another_mix_of_the_classes_over_time_is_none() -> None:
    frame = make_cohorts(4)
    late = frame["time"] > frame["time"].quantile(0.3)
    rng = np.random.default_rng(4)
    kept = frame[~late | (frame["label"] == 1) | (rng.random(len(frame)) < 0.3)].reset_index(drop=True)
    assert whole_dispersion(diagnose(scored(kept), COHORTS)) == NO_DISPERSION


def test_cohorts_that_are_harder_on_some_days_are_told_by_their_column() -> None:
    clean = [column_dispersion(diagnose(scored(make_cohorts(seed)), COHORTS), "region").ratio for seed in range(8)]
    assert sum(ratio > 1 for ratio in clean) <= 1
    diagnosis = diagnose(scored(make_cohorts(5, wander=0.4)), COHORTS)
    regions = column_dispersion(diagnosis, "region")
    assert regions.ratio > 2
    assert regions.degrees == 4 * (STRETCHES - 1)


def test_without_times_or_a_column_nothing_is_known() -> None:
    diagnosis = diagnose(scored(make_cohorts(6, 2_000)).drop(columns="time"), COHORTS)
    assert whole_dispersion(diagnosis) == NO_DISPERSION
    assert column_dispersion(diagnose(scored(make_cohorts(6, 2_000)), ()), "region") == NO_DISPERSION
