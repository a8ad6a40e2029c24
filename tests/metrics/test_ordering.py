from __future__ import annotations

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.grid import EXACT, MEDIUM, RESOLUTIONS, Resolution
from lib.metrics import ordering
from lib.metrics.ordering import order_statistic, ordered_bins
from tests.metrics.conftest import Rows, build, draw

each_resolution = pytest.mark.parametrize("resolution", RESOLUTIONS, ids=lambda r: r.name)


@each_resolution
@pytest.mark.parametrize("by", ["margin", "score"])
def test_every_row_is_within_its_bin(rows: Rows, resolution: Resolution, by: str) -> None:
    cells = rows.cells(resolution, weighted=True)
    bins = ordered_bins(cells, by)  # type: ignore[arg-type]
    for g, version in enumerate(cells.groups["version"]):
        part = rows.of(version)
        values = np.sort(part.margin if by == "margin" else part.score)
        here = slice(bins.starts[g], bins.starts[g + 1])
        lower = np.repeat(bins.lower[here], bins.rows[here].astype(int))
        upper = np.repeat(bins.upper[here], bins.rows[here].astype(int))
        assert len(values) == len(lower)
        assert (lower - 1e-8 <= values).all()
        assert (values <= upper + 1e-8).all()
        # Where p is snapped to 0 or 1 is known to within 0.02 only.
        gap = np.where(np.abs(bins.lower[here][1:]) > 26, 0.021, 1e-8)
        assert (bins.lower[here][1:] >= bins.upper[here][:-1] - gap).all(), "bins do not overlap"
        assert bins.n[here].sum(axis=0).tolist() == [(part.label < 0).sum(), (part.label > 0).sum()]
        assert bins.weight[here].sum() == pytest.approx(part.weight.sum())
        assert resolution is not EXACT or not bins.is_open.any()


def test_both_axes_cut() -> None:
    # At the medium resolution (0.2, 0.3) is one bin of scores; probabilities cut it at 33/60 and 34/60.
    bins = ordered_bins(build([1, 1], [0.25, 0.29], None, None, MEDIUM), "margin")
    np.testing.assert_allclose(bins.lower, [np.log(33 / 27), np.log(34 / 26)])
    np.testing.assert_allclose(bins.upper, [np.log(34 / 26), 0.3])


@each_resolution
def test_negated_is_the_other_way_round(rows: Rows, resolution: Resolution) -> None:
    bins = ordered_bins(rows.cells(resolution), "margin")
    turned = bins.negated
    for g in range(bins.n_groups):
        here = slice(bins.starts[g], bins.starts[g + 1])
        assert (turned.lower[here] == -bins.upper[here][::-1]).all()
        assert (turned.n[here] == bins.n[here][::-1]).all()
    values = np.arange(len(bins.cell), dtype=float)
    assert bins.per_bin(values).sum() == turned.per_bin(values).sum()
    again = turned.negated
    assert (again.lower == bins.lower).all()
    assert (again.place == bins.place).all()


@each_resolution
def test_order_statistics_enclose_those_of_the_rows(rows: Rows, resolution: Resolution) -> None:
    cells = rows.cells(resolution)
    bins = ordered_bins(cells, "margin")
    ordered = [np.sort(rows.of(version).margin) for version in cells.groups["version"]]
    for rank in (0, 1, 17, 60, 10_000, -1):
        estimate, low, high = order_statistic(bins, [rank, rank])
        for g, values in enumerate(ordered):
            if not 0 <= rank < len(values):
                assert np.isnan([estimate[g], low[g], high[g]]).all()
            else:
                assert low[g] - 1e-9 <= values[rank] <= high[g] + 1e-9
                assert low[g] <= estimate[g] <= high[g]
                assert resolution is not EXACT or estimate[g] == pytest.approx(values[rank], abs=0)


@given(st.integers(0, 2**31), st.floats(0, 1.1))
@settings(max_examples=60, deadline=None)
def test_first_reaching_is_a_search_in_each_group(seed: int, share: float) -> None:
    generator = np.random.default_rng(seed)
    cells = build(
        np.ones(40), generator.normal(size=40), generator.gamma(1, 1, 40), {"g": generator.integers(0, 9, 40)}
    )
    bins = ordered_bins(cells, "margin")
    level = share * bins.per_group(bins.weight)
    found = bins.first_reaching(bins.running_weight, level)
    for g in range(bins.n_groups):
        low, high = bins.starts[g], bins.starts[g + 1]
        expected = low + np.searchsorted(np.cumsum(bins.weight[low:high]), level[g])
        assert found[g] == min(expected, high - 1)


def test_small_groups_keep_their_digits() -> None:
    weight = np.r_[np.full(5, 1e12), np.full(5, 1e-6)]
    cells = build(np.ones(10), np.arange(10.0), weight, {"g": np.repeat([0, 1], 5)})
    bins = ordered_bins(cells, "margin")
    np.testing.assert_allclose(bins.running_weight[5:], 1e-6 * np.arange(1, 6), rtol=1e-12)


def test_kept_as_long_as_the_cells() -> None:
    cells = draw(3).cells()
    assert ordered_bins(cells, "margin") is ordered_bins(cells, "margin")
    before = len(ordering._kept["margin"])
    del cells
    gc.collect()
    assert len(ordering._kept["margin"]) < before
