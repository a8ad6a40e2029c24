"""Tables are held within a bound: what was looked at longest ago is let go, and made again when asked for."""

import gc

import numpy as np
import pytest

from lib.scan import held as held_module
from lib.schema import EVERYTHING, SPLIT, VERSION, Filter
from tests.scan.conftest import predictions

ENGLISH = Filter(cohorts=(("language", "en"),))


@pytest.fixture(autouse=True)
def _forget_other_datasets(monkeypatch):
    monkeypatch.setattr(held_module, "_use", held_module._Use())


@pytest.fixture
def warmed(scan_of):
    def make(seed):
        scan = scan_of(predictions(seed=seed), name=f"set{seed}")
        scan.warm()
        return scan

    return make


def sums_of(scan):
    return scan.cells([VERSION]).sums


def test_what_was_looked_at_longest_ago_is_let_go_and_made_again(warmed, monkeypatch):
    first, second = warmed(1), warmed(2)
    before = sums_of(first)
    assert first.is_warm(EVERYTHING)
    assert second.is_warm(EVERYTHING)
    monkeypatch.setattr(held_module, "MOST_BYTES", int(2.5 * first.n_bytes(EVERYTHING)))
    sums_of(second)
    sums_of(first)  # so that the second is the one that was looked at longest ago
    third = warmed(3)
    assert third.is_warm(EVERYTHING)
    assert first.is_warm(EVERYTHING)
    assert not second.is_warm(EVERYTHING)
    assert second.n_bytes(EVERYTHING) == 0
    second.warm()
    assert second.is_warm(EVERYTHING)
    assert not third.is_warm(EVERYTHING)
    first.let_go(EVERYTHING)
    np.testing.assert_array_equal(sums_of(first), before)


def test_one_that_is_larger_than_the_bound_alone_stays(warmed, monkeypatch):
    monkeypatch.setattr(held_module, "MOST_BYTES", 1)
    scan = warmed(1)
    assert scan.is_warm(EVERYTHING)
    scan.warm(ENGLISH)
    assert scan.is_warm(ENGLISH)
    assert not scan.is_warm(EVERYTHING)


def test_values_are_let_go_with_their_filter(warmed):
    scan = warmed(1)
    scan.value_cells("language", [VERSION], ENGLISH)
    assert scan.n_bytes(ENGLISH) > 0
    scan.let_go(ENGLISH)
    assert scan.n_bytes(ENGLISH) == 0
    assert not scan.holds_values("language", [VERSION], ENGLISH)


def test_arrays_are_counted_once_and_with_what_was_made_from_them(scan_of):
    scan = scan_of(predictions().drop(columns="split"))
    whole = scan.cells([VERSION, SPLIT])
    alone = scan.n_bytes(EVERYTHING)
    assert alone == sum(array.nbytes for array in vars(whole).values() if isinstance(array, np.ndarray))
    cells = scan.cells([VERSION])
    assert cells.sums is whole.sums
    assert scan.n_bytes(EVERYTHING) == alone
    part = cells.of_label(1)
    assert cells.among(VERSION, cells.groups[VERSION].tolist()) is cells
    assert scan.n_bytes(EVERYTHING) >= alone + part.sums.nbytes


def test_a_dataset_that_is_gone_is_forgotten(warmed):
    scan = warmed(1)
    scan.cells([VERSION])
    assert len(held_module._use._order) == 1
    del scan
    gc.collect()
    held_module._use.bound()
    assert not held_module._use._order
