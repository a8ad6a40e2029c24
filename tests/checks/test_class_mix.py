"""How much of a difference of violation rates another mix of the classes makes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from lib.cells import Cells
from lib.checks import Severity, run_checks
from lib.checks.class_mix import ClassMix
from tests.checks.crossed import crossed_world
from tests.checks.tables import FrameTables, diagnose


def cells(positives: int, of_positives: int, negatives: int, of_negatives: int) -> Cells:
    """Rows of both classes, some of each with a margin below 1."""
    labels = [1.0] * positives + [0.0] * negatives
    margins = [0.5] * of_positives + [2.0] * (positives - of_positives)
    margins += [0.5] * of_negatives + [2.0] * (negatives - of_negatives)
    scores = expit(np.where(np.array(labels) > 0, margins, -np.array(margins)))
    return FrameTables(pd.DataFrame({"label": labels, "score": scores})).cells(())


def test_by_hand() -> None:
    # Rates of 0.5 and 0.1 within the classes on both sides; 60 % and 20 % are positive: 0.34 against 0.18.
    mix = ClassMix.of(cells(60, 30, 40, 4), cells(20, 10, 80, 8), 1.0)
    assert mix.positive_share == (0.6, 0.2)
    assert mix.share == pytest.approx(1.0)
    assert mix.words == "; most of that is because more of its rows are positive: 60 % against 20 %"
    # Half of what differs is within the classes: 0.5 against 0.3 of positives, (0.6 − 0.2)(0.4 − 0.1) = 0.12 of 0.20.
    mix = ClassMix.of(cells(60, 30, 40, 4), cells(20, 6, 80, 8), 1.0)
    assert mix.share == pytest.approx(0.12 / (0.34 - 0.14))
    assert mix.is_most


@given(st.lists(st.integers(1, 40), min_size=8, max_size=8))
def test_with_one_mix_there_is_none_and_the_two_parts_add_up(counts: list[int]) -> None:
    a, b, c, d = ((max(n, k), min(n, k)) for n, k in zip(counts[::2], counts[1::2], strict=True))
    same = ClassMix.of(cells(40, a[1], 40, b[1]), cells(40, c[1], 40, d[1]), 1.0)
    assert np.isnan(same.share) or same.share == 0
    sides = (a, b), (c, d)
    mix = ClassMix.of(cells(*a, *b), cells(*c, *d), 1.0)
    rates = [[of[1] / of[0] for of in side] for side in sides]
    shares = [[of[0] / (side[0][0] + side[1][0]) for of in side] for side in sides]
    whole = sum(s * r for s, r in zip(shares[0], rates[0], strict=True))
    whole -= sum(s * r for s, r in zip(shares[1], rates[1], strict=True))
    within = sum((shares[0][k] + shares[1][k]) / 2 * (rates[0][k] - rates[1][k]) for k in (0, 1))
    if abs(whole) > 1e-9:
        assert mix.share * whole + within == pytest.approx(whole, abs=1e-9)


def test_without_a_class_nothing_is_known() -> None:
    mix = ClassMix.of(cells(5, 1, 0, 0), cells(5, 1, 5, 1), 1.0)
    assert np.isnan(mix.share)
    assert not mix.is_most


def test_a_cohort_with_more_positives_is_information_and_no_matter_of_a_deploy() -> None:
    frame = crossed_world(30_000, shift=0)
    rng = np.random.default_rng(3)
    own = (frame["tenant"] == "b") & (frame["version"] == "v2")
    kept = frame[~own | (frame["label"] > 0) | (rng.random(len(frame)) < 0.25)].reset_index(drop=True)
    odds = np.where(kept["label"] > 0, 0.9, -2.0) + 1.2 * rng.standard_normal(len(kept))
    found = run_checks(diagnose(kept.assign(score=expit(odds)), ("tenant", "channel")))
    (result,) = (each for each in found if each.is_finding and each.name == "cohort-disparity")
    assert (result.version, result.severity) == ("v2", Severity.INFO)
    assert "most of that is because more of its rows are positive: " in result.title
    assert "began_at_deploy" not in result.evidence
    assert result.evidence["share_from_class_mix"] > 0.9
