from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.grid import EXACT, RESOLUTIONS, Resolution
from lib.metrics.estimates import NO_USABLE_ROWS
from lib.metrics.loss_accounting import loss_accounting
from lib.metrics.loss_functions import LOSSES, loss_named
from tests.metrics.conftest import build


def share_of_rows(value: np.ndarray, margin: np.ndarray, weight: np.ndarray, share: float) -> float:
    """The slow way: sort, and take the last row in part. Rows of equal margin share what falls on them."""
    order = np.argsort(margin, kind="stable")
    value, margin, weight = value[order], margin[order], weight[order]
    carried, left = 0.0, share * weight.sum()
    for m in np.unique(margin):
        here = margin == m
        part = min(left, weight[here].sum())
        carried += part * np.average(value[here], weights=weight[here])
        left -= part
    return carried / (value * weight).sum()


@given(
    st.integers(0, 2**31),
    st.sampled_from(RESOLUTIONS),
    st.sampled_from([0.01, 0.1, 0.37, 1.0]),
    st.integers(1, 80),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_against_the_slow_way(seed: int, resolution: Resolution, share: float, n: int, weighted: bool) -> None:
    generator = np.random.default_rng(seed)
    label, score = generator.choice([-1, 1], n), np.round(generator.normal(0, 2, n), generator.integers(0, 4))
    weight = generator.gamma(2.0, 1.0, n) if weighted else np.ones(n)
    accounting = loss_accounting(build(label, score, weight if weighted else None, None, resolution), share=share)
    for loss in LOSSES:
        value = loss.value(label * score)
        if loss.name == "zero_one":
            value = value + ((score == 0) & (label > 0))
        estimate = accounting.carried[loss.name][0]
        if value.sum() == 0:
            assert estimate.reason in ("the loss is zero on every row", "") or resolution is not EXACT
            continue
        if not estimate.is_defined:
            continue  # a loss that only shows beside a bin's mean
        expected = share_of_rows(value, label * score, weight, share)
        assert abs(estimate.value - expected) <= estimate.bound + 1e-9
        assert resolution is not EXACT or estimate.bound == 0


def test_by_hand() -> None:
    # Margins −9, 0, 0 … over 100 rows: the worst 1 % is one row with a hinge loss of 10, the other 99 have 1 each.
    cells = build(np.ones(100), np.r_[-9.0, np.zeros(99)])
    assert loss_accounting(cells, [loss_named("hinge")]).carried["hinge"][0].value == pytest.approx(10 / 109)
    # The worst 1.5 % takes half of the next row.
    assert loss_accounting(cells, [loss_named("hinge")], 0.015).carried["hinge"][0].value == pytest.approx(10.5 / 109)


def test_frame_and_undefined() -> None:
    cells = build([1, 1, 0], [3.0, 4.0, 1.0], None, {"k": ["a", "a", "b"]})
    accounting = loss_accounting(cells)
    assert accounting.carried["hinge"].reason == ("the loss is zero on every row", NO_USABLE_ROWS)
    assert len(accounting.frame()) == 2 * len(LOSSES)
    assert list(accounting.frame().columns[:3]) == ["k", "loss", "carried"]


def test_intervals_cover() -> None:
    generator = np.random.default_rng(2)
    group = np.repeat(np.arange(300), 500)
    m = generator.normal(1.0, 1.0, len(group))
    cells = build(np.ones(len(m)), m, None, {"g": group})
    many = generator.normal(1.0, 1.0, 400_000)
    for name in ("hinge", "logistic"):
        value = np.sort(loss_named(name).value(many))[::-1]
        truth = value[:40_000].sum() / value.sum()
        estimates = loss_accounting(cells, [loss_named(name)], 0.1).carried[name]
        assert 0.9 <= ((estimates.lower <= truth) & (truth <= estimates.upper)).mean() <= 0.99
