"""Clean worlds of vectors raise next to no alarm, and each fault is found: a few of those behind docs/checks.md."""

from __future__ import annotations

import pytest

from lib.checks.embeddings import EMBEDDING_CHECKS
from tests.checks.vector_faults import FAULTS, outcome
from tests.checks.vector_worlds import WORLDS, measure_clean_vectors

SEEDS = range(1, 1 + len(WORLDS))
"""One of each world, none of them large."""


def test_clean_worlds_raise_no_alarm() -> None:
    found = [(name, [each.title for each in alarms]) for _seed, name, alarms in measure_clean_vectors(SEEDS)]
    assert {name for name, _alarms in found} == set(WORLDS)
    assert [alarms for _name, alarms in found if alarms] == []


@pytest.mark.parametrize(("check", "words"), FAULTS)
def test_each_fault_is_found_and_named(check: str, words: str) -> None:
    outcomes = [outcome(check, words, seed) for seed in range(3)]
    assert (True, True) in outcomes


def test_every_check_of_vectors_has_a_fault() -> None:
    assert {check for check, _words in FAULTS} == {each.name for each in EMBEDDING_CHECKS}
