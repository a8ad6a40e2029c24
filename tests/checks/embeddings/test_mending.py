"""Where a cause that can be mended accounts for nearly all of a fall, that is what to do; else the general advice."""

from __future__ import annotations

import math

import pytest

from lib.checks.embeddings.mending import REMEDIES, UNTIL, mending_of
from lib.metrics.hypotheses import NAMES, Verdict
from lib.metrics.hypotheses.finding import Hypothesis


def cause(name: str, explains: float) -> Hypothesis:
    return Hypothesis(name, Verdict.CONFIRMED, explains, {}, "")


def test_every_hypothesis_has_a_remedy() -> None:
    assert set(REMEDIES) == set(NAMES)


@pytest.mark.parametrize("shares", [(1.3,), (0.8,), (0.49, 0.48)])
def test_what_accounts_for_nearly_all_is_mended(shares: tuple[float, ...]) -> None:
    causes = [cause(name, share) for name, share in zip(("stale-rows", "not-normalised"), shares, strict=False)]
    assert mending_of(causes) == " ".join([*(REMEDIES[each.name] for each in causes), UNTIL])


def test_what_is_no_fault_asks_for_no_roll_back() -> None:
    assert mending_of([cause("gallery-growth", 1.0)]) == REMEDIES["gallery-growth"]


@pytest.mark.parametrize(
    "causes",
    [
        [],
        [cause("stale-rows", 0.79)],
        [cause("stale-rows", math.nan)],
        [cause("collapse", 1.0)],
        [cause("stale-rows", 0.7), cause("dead-dimensions", 0.3)],
    ],
)
def test_else_nothing(causes: list[Hypothesis]) -> None:
    assert mending_of(causes) == ""
