"""At most 2 alarms of each training check in 200 healthy histories; 95 % of faults found, and nothing else said."""

from collections import Counter

import pytest

from tests.checks.training_worlds import FAULTS, WORLDS, measure_clean_training, measure_faulty_training

N_CLEAN, MOST_ALARMS = 100, 2
N_FAULTY, LEAST_FOUND = 30, 28


@pytest.mark.parametrize("metric", ["loss", "mse"])
def test_healthy_curves_raise_no_alarm(metric):
    alarms: Counter[str] = Counter()
    worlds: set[str] = set()
    for _seed, world, names in measure_clean_training(range(N_CLEAN), metric):
        worlds.add(world)
        alarms.update(names)
    assert worlds == set(WORLDS)
    assert all(count <= MOST_ALARMS for count in alarms.values()), alarms


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found_and_only_once(fault):
    found = list(measure_faulty_training(range(1_000, 1_000 + N_FAULTY), fault))
    assert sum(FAULTS[fault] in names for names in found) >= LEAST_FOUND
    assert sum(len(names) > 1 for names in found) <= N_FAULTY - LEAST_FOUND
